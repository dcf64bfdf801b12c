"""What the chosen checkpoints can do, read from their JSON files; no tensor library is loaded for it."""

import json
from pathlib import Path
from typing import Any

from cli.config import ROOT, Settings
from cli.failures import Failure
from cli.model_section import EMBEDDED, Model
from worker.catalogue import Adapter, Build, Catalogue, Embedding, Entry, PictureAdapter
from worker.likeness_files import hub_of, problem_of
from worker.recipe import ModelProfile

EMBEDDED_FOLDER = ROOT / "models" / "embedded"
EMBEDDED_STYLE = "3d render"  # one of the three it knows; heard from above the usual `--stylize` only
HOUSE_SHARE = 0.1  # of a prompt, at the usual `--stylize`, for a house style that the operator chose
EMBEDDED_GUIDANCE = 3.0
USUAL_GUIDANCE = 7.5
USUAL_SIZE = 512  # where a hub checkpoint is not here yet and the configuration does not say
USUAL_GRID = 8  # pixels per latent of every Stable Diffusion 1 and 2 autoencoder
PARTS = {
    "text_encoder": "config.json",
    "unet": "config.json",
    "vae": "config.json",
    "tokenizer": "tokenizer_config.json",
    "scheduler": "scheduler_config.json",
}


def catalogue(settings: Settings) -> Catalogue:
    """Return the checkpoints of the configuration, the default first.

    Of several, one that cannot be read is there all the same: its jobs fail, with the reason.

    Raises:
        Failure: None of them can be read; why the first one cannot.
    """
    models, found = settings.checkpoints, []
    failures: list[Failure] = []
    for model in models:
        try:
            found.append(entry(model, profile(model), offline=settings.engine.offline))
        except Failure as failure:
            failures.append(failure)
            found.append(entry(model, assumed(model), offline=settings.engine.offline))
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
            scheduler=model.scheduler,
            scheduler_options=model.scheduler_options,
            vae=_place(model.vae),
            loras=tuple(
                Adapter(source=_place(each.source) or "", weight=each.weight) for each in model.loras
            ),
            embeddings=tuple(
                Embedding(source=_place(each.source) or "", token=each.token) for each in model.embeddings
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


def profile(model: Model) -> ModelProfile:
    """Return the checkpoint's profile: what the configuration says, else what its files say.

    Raises:
        Failure: The checkpoint is missing, damaged, or of an unknown family.
    """
    place = folder_of(model.source)
    if model.single and place is not None:
        return assumed(model, described(place, model.description))
    return assumed(model, None if place is None else measured(place))


def assumed(model: Model, measures: tuple[int, int] | None = None) -> ModelProfile:
    """Return the checkpoint's profile where its files say *measures*, or nothing."""
    place = folder_of(model.source)
    size, grid = measures or (USUAL_SIZE, USUAL_GRID)
    guidance = EMBEDDED_GUIDANCE if model.source == EMBEDDED else USUAL_GUIDANCE
    return ModelProfile(
        name=model.name or (model.title if place is None or model.single else place.name),
        source=str(place) if place else model.source,
        size=model.size or size,
        grid=grid,
        steps=model.steps,
        guidance=guidance if model.guidance is None else model.guidance,
        house_style=model.style or (EMBEDDED_STYLE if model.source == EMBEDDED else ""),
        house_share=HOUSE_SHARE if model.style else 0,
        adapter=model.ip_adapter is not None and adapter_problem(model) is None,
    )


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
        unet = None if folder is None else _json(folder, "unet/config.json")
    except Failure:
        unet = None  # that is told of the checkpoint itself
    return problem_of(own.source, own.encoder, unet)


def described(file: Path, description: str | None) -> tuple[int, int] | None:
    """Return what the description of a checkpoint in one *file* says of its sizes, None if it is on the hub.

    Raises:
        Failure: The file is not there, or the description is unreadable.
    """
    if not file.is_file():
        raise Failure(f"The model {file} does not exist.")
    folder = None if description is None else folder_of(description)
    return None if folder is None else measured(folder, weights=False)


def measured(folder: Path, *, weights: bool = True) -> tuple[int, int]:
    """Return the side of a picture, and the pixels per latent, of the checkpoint in *folder*.

    Its weights must be there as well, unless they come from elsewhere.

    Raises:
        Failure: Something of it is missing or unreadable.
    """
    index = _json(folder, "model_index.json")
    family = index.get("_class_name")
    if family != "StableDiffusionPipeline":
        raise Failure(
            f"The model in {folder} is of the family {family}; Journeyman draws with StableDiffusionPipeline "
            "(Stable Diffusion 1.x and 2.x)."
        )
    configs = {part: _json(folder, f"{part}/{name}") for part, name in PARTS.items()}
    try:
        grid = 2 ** (len(configs["vae"]["block_out_channels"]) - 1)
        size = int(configs["unet"]["sample_size"]) * grid
    except (KeyError, TypeError, ValueError):
        raise Failure(f"The model in {folder} is damaged: its sizes cannot be read.") from None
    for part in ("text_encoder", "unet", "vae") if weights else ():
        if any((folder / part).glob("*.safetensors")):
            continue
        if any((folder / part).glob("*.bin")):
            raise Failure(
                f"The model in {folder} has the weights of its {part} as a pickle, which may run any program "
                "when it is read; take its .safetensors edition, or convert it where that does no harm."
            )
        raise Failure(f"The model in {folder} is incomplete: {part} has no weights.")
    return size, grid


def _place(source: str | None) -> str | None:
    """Return an absolute path for what names one: workers may run elsewhere."""
    path = None if source is None else folder_of(source)
    return source if path is None else str(path)


def _inside(place: str) -> str:
    """Return an absolute path for what names one, and what is in a repository of the hub as it is."""
    return place if hub_of(place) is not None else str(Path(place).expanduser().absolute())


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        where = f"has no {name}" if folder.is_dir() else "does not exist"
        raise Failure(f"The model folder {folder} {where}: it must be in diffusers layout.") from None
    except (OSError, ValueError) as error:
        raise Failure(f"The model in {folder} is damaged: {name} cannot be read ({error}).") from None
    if not isinstance(value, dict):
        raise Failure(f"The model in {folder} is damaged: {name} holds no object.")
    return value
