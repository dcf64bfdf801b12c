"""Where the parts of a checkpoint are, and whether they may be opened; nothing is loaded yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
from safetensors import safe_open

from parser.closed import listing
from worker.api import ErrorCode, WorkerError
from worker.catalogue import Build
from worker.family import Family
from worker.hub.choice import LEFT_OUT, Role, Want
from worker.hub.fetch import here
from worker.likeness_files import hub_of
from worker.single_file import kind_of, schedule_of
from worker.wants import described_by

DRAWN = f"only {listing([f'{family} ({family.facts.title})' for family in Family])} can be drawn with"
LIBRARIES = frozenset({"diffusers", "transformers"})  # whose classes may be the parts
CLASSES = {  # that the parts of each family are of, by diffusers
    Family.STABLE_DIFFUSION: {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"},
    Family.STABLE_DIFFUSION_XL: {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"},
    Family.STABLE_DIFFUSION_3: {"transformer": "SD3Transformer2DModel", "vae": "AutoencoderKL"},
    Family.FLUX: {"transformer": "FluxTransformer2DModel", "vae": "AutoencoderKL"},
    Family.PIXART_ALPHA: {"transformer": "PixArtTransformer2DModel", "vae": "AutoencoderKL"},
    Family.PIXART_SIGMA: {"transformer": "PixArtTransformer2DModel", "vae": "AutoencoderKL"},
}
MOST_WORDS = 300  # characters of a library's sentence
PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin"})


@dataclass(frozen=True, slots=True)
class Located:
    """A checkpoint on this machine.

    Attributes:
        place: A folder in diffusers layout, or a single file.
        family: What it is.
        description: Of a single file: the folder with what it lacks.
        schedule: Of a single file: what it says of its schedule itself.
    """

    place: Path
    family: Family = Family.STABLE_DIFFUSION
    description: str | None = None
    schedule: Mapping[str, str | bool] = field(default_factory=dict)

    @property
    def single(self) -> bool:
        """True if all weights are in one file."""
        return self.place.is_file()


def located(source: str, build: Build) -> Located:
    """Return where the checkpoint *source* is; of a hub id, where it was fetched to. Nobody is asked for it.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return _single(source, path, build)
    folder = _folder(source, Role.WHOLE, build)
    return Located(folder, check_index(source, diffusers.DiffusionPipeline.load_config(str(folder))))


def check_index(source: str, index: Mapping[str, Any]) -> Family:
    """Return the family of a checkpoint, unless it brings code, or names a module that happens to be loaded.

    Raises:
        WorkerError: ``MODEL_MISSING``; likewise if its largest parts are none of that family.
    """
    family = _family(source, index.get("_class_name"))
    for part, named in index.items():
        if part in LEFT_OUT or not isinstance(named, list) or not any(named):
            continue
        if named[0] not in LIBRARIES:
            raise missing(source, f"wants its {part} made by {named[0]}, which is code that nobody checked")
        wanted = CLASSES[family].get(part, named[1])
        if named[1] != wanted:
            what = f"has a {named[1]} as its {part}, where {family.facts.title} has a {wanted}"
            raise missing(source, f"{what}: it cannot be drawn with")
    return family


def missing(source: str, what: str) -> WorkerError:
    """Return that the model cannot be used; *what* ends the sentence that begins with its name."""
    return WorkerError(ErrorCode.MODEL_MISSING, model=source, reason=f"The model {source} {what}.")


def first_line(error: Exception) -> str:
    """Return what is worth telling of what a library raised."""
    if isinstance(error, KeyError):
        return f"it has no {error}"
    lines = str(error).strip().splitlines()
    return lines[0].partition(". ")[0].rstrip(".:")[:MOST_WORDS] if lines else type(error).__name__


def absent(build: Build) -> str:
    """Return what is to be said of something of the hub that was not fetched yet, to follow its name."""
    if build.offline:
        return "is not on this machine, and `offline` forbids fetching it"
    return "is not on this machine yet, or not all of it: `journeyman models pull` fetches it"


def at_hand(place: str, role: Role) -> Path | None:
    """Return where *place* is: a path, or what was fetched from the hub; None where that is not here."""
    return Path(place).expanduser() if hub_of(place) is None else here(Want(place, role))


def _folder(source: str, role: Role, build: Build) -> Path:
    """Return the folder in diffusers layout that *source* names.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    path = Path(source).expanduser()
    if not path.is_dir() and (path.is_absolute() or source.count("/") != 1):
        raise missing(source, "does not exist")
    folder = path if path.is_dir() else here(Want(source, role))
    if folder is None:
        raise missing(source, absent(build))
    if not (folder / "model_index.json").is_file():
        raise missing(source, "has no model_index.json: it must be a folder in diffusers layout")
    return folder


def _single(source: str, file: Path, build: Build) -> Located:
    if file.suffix.lower() in PICKLES:
        raise missing(source, "is a pickle, which may run any program when it is read; convert it first")
    try:
        with safe_open(file, framework="pt") as weights:
            names, notes = tuple(weights.keys()), weights.metadata() or {}
    except Exception as error:
        raise missing(source, f"is damaged or incomplete ({first_line(error)})") from error
    kind = kind_of(names)
    if kind is None:
        raise missing(source, "holds no whole checkpoint; a LoRA goes under `loras`")
    family = _family(source, kind)
    folder = _described(source, file, family, build)
    found = check_index(str(folder), diffusers.DiffusionPipeline.load_config(str(folder)))
    _check_alike(source, family, found)
    return Located(file, family, str(folder), schedule_of(names, notes))


def _described(source: str, file: Path, family: Family, build: Build) -> Path:
    """Return the folder with what a single *file* of *family* lacks.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    alone = family.facts.network == "transformer"
    if build.description is not None:
        return _folder(build.description, Role.COMPANY if alone else Role.DESCRIPTION, build)
    if alone:
        what = f"holds the {family.facts.network} alone: name a folder or a hub id with the rest of"
        raise missing(source, f"{what} {family.facts.title} as its `description`")
    want = described_by(file, None)
    folder = None if want is None else here(want)
    if want is None or folder is None:
        place = "" if want is None else want.place
        what = (
            f"is a single file: it takes its configuration and tokenizer from {place}, which {absent(build)}"
        )
        raise missing(source, f"{what}; or name a folder as its `description`")
    return folder


def _check_alike(source: str, family: Family, found: Family) -> None:
    if found is not family:
        raise missing(source, f"is of {family.facts.title}, and its `description` of {found.facts.title}")


def _family(source: str, name: object) -> Family:
    family = Family.named(name)
    if family is None:
        raise missing(source, f"is a {name}; {DRAWN}")
    return family
