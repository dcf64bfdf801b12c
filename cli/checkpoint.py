"""What the chosen checkpoints can do, read from their JSON files; no tensor library is loaded for it."""

from pathlib import Path

from cli.config import ROOT, Settings
from cli.failures import Failure
from cli.measures import Measures, json_in, measured, most_steps, on_hub
from cli.model_section import EMBEDDED, Model
from worker.catalogue import Adapter, Build, Catalogue, Embedding, Entry, PictureAdapter
from worker.family import Family
from worker.hub.choice import Want
from worker.likeness_files import Unfit, hub_of, problem_of, shapes_of
from worker.recipe import ModelProfile
from worker.single_file import kind_of
from worker.wants import described_by

EMBEDDED_FOLDER = ROOT / "models" / "embedded"
EMBEDDED_STYLE = "3d render"  # one of the three it knows; heard from above the usual `--stylize` only
NETWORK = "unet"  # the part that an IP-Adapter is made for
HOUSE_SHARE = 0.1  # of a prompt, at the usual `--stylize`, for a house style that the operator chose
MOST_STEPS = 200  # that may be configured
EMBEDDED_GUIDANCE = 3.0
EMBEDDED_STEPS = 12  # more of them show nothing more: see its card


def catalogue(settings: Settings) -> Catalogue:
    """Return the checkpoints of the configuration, the default first.

    One that nothing is known of yet, and of several one that cannot be read, is there as well, but not ready.

    Raises:
        Failure: None of them can be read; why the first one cannot.
    """
    models, found = settings.checkpoints, []
    failures: list[Failure] = []
    for model in models:
        measures = None
        try:
            measures = measures_of(model)
        except Failure as failure:
            failures.append(failure)
        known = entry(model, assumed(model, measures), offline=settings.engine.offline)
        found.append(known.model_copy(update={"ready": measures is not None}))
    if len(failures) == len(models):
        raise failures[0]
    return Catalogue(entries=tuple(found))


def entry(model: Model, described: ModelProfile, *, offline: bool) -> Entry:
    """Return what the configuration says of a checkpoint, with what its files say."""
    return Entry(
        profile=described,
        build=Build(
            dtype=model.dtype,
            description=_place(model.description),
            guidance_interval=model.guidance_interval,
            compile=model.compile,
            scheduler=model.scheduler,
            scheduler_options=model.scheduler_options,
            vae=_place(model.vae),
            loras=tuple(Adapter(source=_inside(each.source), weight=each.weight) for each in model.loras),
            embeddings=tuple(
                Embedding(source=_inside(each.source), token=each.token) for each in model.embeddings
            ),
            ip_adapter=adapter(model),
            offline=offline,
        ),
        versions=model.versions,
        niji=model.niji,
        licence=model.licence,
    )


def folder_of(source: str) -> Path | None:
    """Return the folder, or the single file, that *source* names, or None if it is a hub id."""
    if source == EMBEDDED:
        return EMBEDDED_FOLDER
    path = Path(source).expanduser()
    is_path = path.is_absolute() or source.startswith((".", "~")) or path.exists()
    return path.absolute() if is_path or source.count("/") != 1 else None


def place_of(model: Model) -> Path | None:
    """Return where *model* is, also if it was fetched from the hub; None where that was not done."""
    place = folder_of(model.source)
    if place is not None:
        return place
    try:
        from worker.hub.fetch import here
    except ImportError:  # the bot alone is installed
        return None
    return here(Want(model.source))


def profile(model: Model) -> ModelProfile:
    """Return the checkpoint's profile: what the configuration says, else what its files say.

    Raises:
        Failure: The checkpoint is missing, damaged, or of an unknown family.
    """
    return assumed(model, measures_of(model))


def measures_of(model: Model) -> Measures | None:
    """Return what the files of *model* say of it; None where they are not here.

    Raises:
        Failure: The checkpoint is missing, damaged, or of an unknown family.
    """
    place = folder_of(model.source)
    if place is None:
        return on_hub(model.source)
    if model.single:
        return described(place, model.description)
    if place.is_file():
        raise Failure(
            f"The model {place} is no .safetensors file: of single files no other kind is opened, for most "
            "others may run any program when they are read. Convert it where that does no harm."
        )
    return measured(place)


def assumed(model: Model, measures: Measures | None = None) -> ModelProfile:
    """Return the checkpoint's profile where its files say *measures*, or nothing."""
    place = folder_of(model.source)
    usual = measures or Measures.usual()
    own = model.source == EMBEDDED
    steps, guidance = (EMBEDDED_STEPS, EMBEDDED_GUIDANCE) if own else (usual.steps, usual.guidance)
    most = _most_steps(model, usual)
    return ModelProfile(
        name=model.name or (model.title if place is None or model.single else place.name),
        source=str(place) if place else model.source,
        family=usual.family,
        steered=usual.steered,
        size=model.size or usual.size,
        grid=usual.grid,
        steps=min(model.steps or steps, most or MOST_STEPS),
        most_steps=most,
        guidance=guidance if model.guidance is None else model.guidance,
        widest=model.widest or usual.family.facts.widest,
        house_style=model.style or (EMBEDDED_STYLE if own else ""),
        house_share=HOUSE_SHARE if model.style else 0,
        adapter=model.ip_adapter is not None
        and usual.family.facts.network == NETWORK
        and adapter_problem(model) is None,
    )


def _most_steps(model: Model, usual: Measures) -> int | None:
    """Return how many steps the scheduler of *model*, its own or another, has at most; None: any number."""
    other = {} if model.scheduler is None else {"_class_name": model.scheduler}
    return most_steps({**usual.schedule, **other, **model.scheduler_options})


def adapter(model: Model) -> PictureAdapter | None:
    """Return the IP-Adapter of *model*, if it has one, with absolute paths."""
    own = model.ip_adapter
    if own is None:
        return None
    encoder = None if own.encoder is None else _inside(own.encoder)
    return PictureAdapter(source=_inside(own.source), encoder=encoder)


def adapter_problem(model: Model) -> str | None:
    """Return what keeps the IP-Adapter of *model* from use, to follow its name; None where nothing does."""
    own, described = adapter(model), model.description if model.single else model.source
    if own is None:
        return None
    folder = None if described is None else folder_of(described)
    try:
        unet = None if folder is None else json_in(folder, "unet/config.json")
    except Failure:
        unet = None  # that is told of the checkpoint itself
    return problem_of(own.source, own.encoder, unet)


def described(file: Path, description: str | None) -> Measures | None:
    """Return what the description of a checkpoint in one *file* says of it, None where there is none here.

    Raises:
        Failure: The file is not there, no checkpoint, or of another family than its description; or that is
            unreadable.
    """
    try:
        family = kind_of(shapes_of(file))
    except Unfit as problem:
        raise Failure(f"The model {file} {problem}.") from None
    if not isinstance(family, Family):
        what = "holds no whole checkpoint; a LoRA goes under `loras`" if family is None else f"is a {family}"
        raise Failure(f"The model {file} {what}.")
    want = described_by(file, description)
    if want is not None:
        found = on_hub(want.place)
    else:
        folder = None if description is None else folder_of(description)
        found = None if folder is None else measured(folder, weights=False)
    if found is not None and found.family is not family:
        words = f"is of {family.facts.title}, and its `description` of {found.family.facts.title}"
        raise Failure(f"The model {file} {words}.")
    return found


def _place(source: str | None) -> str | None:
    """Return an absolute path for what names one: workers may run elsewhere."""
    path = None if source is None else folder_of(source)
    return source if path is None else str(path)


def _inside(place: str) -> str:
    """Return an absolute path for what names one, and what is in a repository of the hub as it is."""
    return place if hub_of(place) is not None else str(Path(place).expanduser().absolute())
