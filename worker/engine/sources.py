"""Where the parts of a checkpoint are, and whether they may be opened; nothing is loaded yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
from safetensors import safe_open

from worker.api import ErrorCode, WorkerError
from worker.catalogue import Build

FAMILY = "StableDiffusionPipeline"
DRAWN = f"only {FAMILY} (Stable Diffusion 1.x and 2.x) can be drawn with"
LIBRARIES = frozenset({"diffusers", "transformers"})  # whose classes may be the parts
LEFT_OUT = frozenset({"safety_checker", "feature_extractor", "image_encoder"})  # parts that are not loaded
PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin"})
FOREIGN = {  # how the names of tensors begin in single files of other families
    "conditioner.embedders.": "StableDiffusionXLPipeline",
    "model.diffusion_model.joint_blocks.": "StableDiffusion3Pipeline",
    "model.diffusion_model.double_blocks.": "FluxPipeline",
    "double_blocks.": "FluxPipeline",
}
NETWORK = "model.diffusion_model."  # how those of the UNet begin in every single file


@dataclass(frozen=True, slots=True)
class Located:
    """A checkpoint on this machine.

    Attributes:
        place: A folder in diffusers layout, or a single file.
        description: Of a single file: the folder, or the hub id, with configuration and tokenizer; None where
            the libraries find out by themselves.
    """

    place: Path
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
    check_index(source, diffusers.DiffusionPipeline.load_config(str(folder)))
    return Located(folder)


def check_index(source: str, index: Mapping[str, Any]) -> None:
    """Refuse other families, and a checkpoint that brings code, or names a module that happens to be loaded.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    family = index.get("_class_name")
    if family != FAMILY:
        raise missing(source, f"is a {family}; {DRAWN}")
    for part, named in index.items():
        if part in LEFT_OUT or not isinstance(named, list) or not any(named):
            continue
        if named[0] not in LIBRARIES:
            raise missing(source, f"wants its {part} made by {named[0]}, which is code that nobody checked")


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
    for prefix, family in FOREIGN.items():
        if any(name.startswith(prefix) for name in names):
            raise missing(source, f"is a {family}; {DRAWN}")
    if not any(name.startswith(NETWORK) for name in names):
        raise missing(source, "holds no whole checkpoint; a LoRA goes under `loras`")
    if build.description is None and build.offline:
        raise missing(source, "is a single file: with `offline`, name a folder as its `description`")
    if build.description is not None and Path(build.description).is_dir():
        check_index(build.description, diffusers.DiffusionPipeline.load_config(build.description))
    return Located(file, build.description)
