"""Where the parts of a checkpoint are, and whether they may be opened; nothing is loaded yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
from safetensors import safe_open

from parser.closed import listing
from worker.api import ErrorCode, WorkerError
from worker.catalogue import Build
from worker.family import Family

DRAWN = f"only {listing([f'{family} ({family.facts.title})' for family in Family])} can be drawn with"
LIBRARIES = frozenset({"diffusers", "transformers"})  # whose classes may be the parts
LEFT_OUT = frozenset({"safety_checker", "feature_extractor", "image_encoder"})  # parts that are not loaded
PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin"})
BEGINNINGS = {  # how the names of tensors begin in single files, and of which family that is
    "conditioner.embedders.1.": Family.STABLE_DIFFUSION_XL,
    "conditioner.embedders.": "refiner of Stable Diffusion XL, which only finishes pictures",
    "model.diffusion_model.joint_blocks.": Family.STABLE_DIFFUSION_3,
    "joint_blocks.": Family.STABLE_DIFFUSION_3,
    "model.diffusion_model.double_blocks.": Family.FLUX,
    "double_blocks.": Family.FLUX,
    "model.diffusion_model.": Family.STABLE_DIFFUSION,
}


@dataclass(frozen=True, slots=True)
class Located:
    """A checkpoint on this machine.

    Attributes:
        place: A folder in diffusers layout, or a single file.
        family: What it is.
        description: Of a single file: the folder, or the hub id, with what it lacks; None where the libraries
            find out by themselves.
    """

    place: Path
    family: Family = Family.STABLE_DIFFUSION
    description: str | None = None

    @property
    def single(self) -> bool:
        """True if all weights are in one file."""
        return self.place.is_file()


def located(source: str, build: Build) -> Located:
    """Return where the checkpoint *source* is, fetched from the hub if it is a hub id.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return _single(source, path, build)
    folder = _fetched(source, path, build)
    if not (folder / "model_index.json").is_file():
        raise missing(source, "has no model_index.json: it must be a folder in diffusers layout")
    return Located(folder, check_index(source, diffusers.DiffusionPipeline.load_config(str(folder))))


def check_index(source: str, index: Mapping[str, Any]) -> Family:
    """Return the family of a checkpoint, unless it brings code, or names a module that happens to be loaded.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    family = _family(source, index.get("_class_name"))
    for part, named in index.items():
        if part in LEFT_OUT or not isinstance(named, list) or not any(named):
            continue
        if named[0] not in LIBRARIES:
            raise missing(source, f"wants its {part} made by {named[0]}, which is code that nobody checked")
    return family


def missing(source: str, what: str) -> WorkerError:
    """Return that the model cannot be used; *what* ends the sentence that begins with its name."""
    return WorkerError(ErrorCode.MODEL_MISSING, model=source, reason=f"The model {source} {what}.")


def first_line(error: Exception) -> str:
    """Return what is worth telling of what a library raised."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__


def _fetched(source: str, folder: Path, build: Build) -> Path:
    if folder.is_dir():
        return folder
    if folder.is_absolute() or source.count("/") != 1:
        raise missing(source, "does not exist")
    try:
        return Path(
            diffusers.DiffusionPipeline.download(source, use_safetensors=True, local_files_only=build.offline)
        )
    except Exception as error:  # network, HTTP, authorisation
        if build.offline:
            raise missing(source, "is not on this machine, and `offline` forbids fetching it") from error
        raise missing(source, f"could not be fetched ({first_line(error)})") from error


def _single(source: str, file: Path, build: Build) -> Located:
    if file.suffix.lower() in PICKLES:
        raise missing(source, "is a pickle, which may run any program when it is read; convert it first")
    try:
        with safe_open(file, framework="pt") as weights:
            names = tuple(weights.keys())
    except Exception as error:
        raise missing(source, f"is damaged or incomplete ({first_line(error)})") from error
    beginnings = (each for each in BEGINNINGS if any(name.startswith(each) for name in names))
    beginning = next(beginnings, None)
    if beginning is None:
        raise missing(source, "holds no whole checkpoint; a LoRA goes under `loras`")
    family = _family(source, BEGINNINGS[beginning])
    if family.facts.network == "transformer":
        return Located(file, family, _described(source, family, build))
    if build.description is None and build.offline:
        raise missing(source, "is a single file: with `offline`, name a folder as its `description`")
    if build.description is not None and Path(build.description).is_dir():
        index = diffusers.DiffusionPipeline.load_config(build.description)
        _check_alike(source, family, check_index(build.description, index))
    return Located(file, family, build.description)


def _described(source: str, family: Family, build: Build) -> str:
    """Return the folder with the encoders and the autoencoder that a single file of *family* lacks.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    if build.description is None:
        what = f"holds the {family.facts.network} alone: name a folder or a hub id with the rest of"
        raise missing(source, f"{what} {family.facts.title} as its `description`")
    folder = _fetched(build.description, Path(build.description).expanduser(), build)
    if not (folder / "model_index.json").is_file():
        raise missing(build.description, "has no model_index.json: it must be a folder in diffusers layout")
    found = check_index(build.description, diffusers.DiffusionPipeline.load_config(str(folder)))
    _check_alike(source, family, found)
    return str(folder)


def _check_alike(source: str, family: Family, found: Family) -> None:
    if found is not family:
        raise missing(source, f"is of {family.facts.title}, and its `description` of {found.facts.title}")


def _family(source: str, name: object) -> Family:
    family = Family.named(name)
    if family is None:
        raise missing(source, f"is a {name}; {DRAWN}")
    return family
