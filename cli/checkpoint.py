"""What the chosen checkpoint can do, read from its JSON files; no tensor library is loaded for it."""

import json
from pathlib import Path
from typing import Any

from cli.config import EMBEDDED, ROOT, Model
from cli.failures import Failure
from worker.recipe import ModelProfile

EMBEDDED_FOLDER = ROOT / "models" / "embedded"
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


def folder_of(source: str) -> Path | None:
    """Return the folder that *source* names, or None if it is a hub id."""
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
    folder = folder_of(model.source)
    embedded = model.source == EMBEDDED
    size, grid = (USUAL_SIZE, USUAL_GRID) if folder is None else measured(folder)
    guidance = EMBEDDED_GUIDANCE if embedded else USUAL_GUIDANCE
    return ModelProfile(
        name=model.name or (folder.name if folder else model.source.rpartition("/")[2]),
        source=str(folder) if folder else model.source,
        size=model.size or size,
        grid=grid,
        steps=model.steps,
        guidance=guidance if model.guidance is None else model.guidance,
    )


def measured(folder: Path) -> tuple[int, int]:
    """Return the side of a picture, and the pixels per latent, of the checkpoint in *folder*.

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
    for part in ("text_encoder", "unet", "vae"):
        if any((folder / part).glob("*.safetensors")):
            continue
        if any((folder / part).glob("*.bin")):
            raise Failure(
                f"The model in {folder} has the weights of its {part} as a pickle, which may run any program "
                "when it is read; take its .safetensors edition, or convert it where that does no harm."
            )
        raise Failure(f"The model in {folder} is incomplete: {part} has no weights.")
    return size, grid


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
