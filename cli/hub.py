"""Fetching from the hub: with progress, going on where it stopped, and every file checked."""

import hashlib
from pathlib import Path
from typing import Any

import diffusers
import huggingface_hub

from cli.failures import Failure

INDEX = "model_index.json"


def fetched(place: str) -> Path:
    """Fetch what is at *place*, ``owner/name`` or ``owner/name/path``, and return its folder or file.

    Whole checkpoints are fetched without what is never opened: pickles, and other programs' formats.

    Raises:
        Failure: It is not there, nobody answers, or what came is damaged.
    """
    owner, name, *rest = place.split("/")
    place, inside = f"{owner}/{name}", "/".join(rest)
    try:
        told = huggingface_hub.HfApi().model_info(place, files_metadata=True)
        files = {each.rfilename: each for each in told.siblings or ()}
        if inside:
            wanted = [inside, f"{inside}/*.safetensors", f"{inside}/*.json"]
            folder = Path(huggingface_hub.snapshot_download(place, allow_patterns=wanted))
        elif INDEX in files:
            folder = Path(diffusers.DiffusionPipeline.download(place, use_safetensors=True))
        else:
            wanted = ["*.safetensors", "*.json", "*.txt"]
            folder = Path(huggingface_hub.snapshot_download(place, allow_patterns=wanted))
    except Exception as error:  # network, HTTP, authorisation: a dozen types of two libraries
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Failure(
            f"{place} could not be fetched ({lines[0].rstrip('.')[:200]}).", passing=True
        ) from error
    for name, about in files.items():
        if (folder / name).is_file() and not whole(folder / name, about):
            (folder / name).resolve().unlink()
            raise Failure(f"{place}: {name} came damaged and was removed; fetch it again.", passing=True)
    if not (folder / inside).exists():
        raise Failure(f"{place} has no {inside}.")
    return folder / inside


def whole(path: Path, about: Any) -> bool:
    """Tell whether a file is what the hub says *about* it; of small ones it knows the size alone."""
    if about.size is not None and path.stat().st_size != about.size:
        return False
    wanted = None if about.lfs is None else about.lfs.sha256
    if wanted is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == str(wanted)
