"""Tensors to files: PNG with its story, the grid, previews."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from worker.device import DeviceJob
from worker.opening import opened
from worker.recipe import Drawing

Pixels = NDArray[np.uint8]  # (height, width, 3)
PREVIEW_SIDE = 512
PREVIEW_QUALITY = 80
COLUMNS = 2  # of a grid


def pixels(decoded: torch.Tensor) -> list[Pixels]:
    """Return 8-bit pictures of *decoded*, shape ``(n, 3, height, width)``, -1..1."""
    scaled = ((decoded.float() / 2 + 0.5).clamp(0, 1) * 255).round()
    return list(scaled.permute(0, 2, 3, 1).to("cpu", torch.uint8).contiguous().numpy())


def tensor(source: bytes, size: tuple[int, int] | None = None, *, crop: bool = False) -> torch.Tensor:
    """Return a stored picture as float32 of shape ``(1, 3, height, width)``, -1..1.

    Args:
        source: A picture that was stored.
        size: Width and height to resize to, if it differs.
        crop: Whether to cut off what is beyond another shape, left and right or above and below alike,
            instead of stretching it.

    Raises:
        PictureGone: It is damaged, or none of ours.
    """
    image = opened(source).convert("RGB")
    if size is not None and image.size != size and crop:
        image = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    elif size is not None and image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return tensor_of(image)


def tensor_of(image: Image.Image) -> torch.Tensor:
    """Return a picture of three channels as float32 of shape ``(1, 3, height, width)``, -1..1."""
    array = np.asarray(image, dtype=np.float32) / 127.5 - 1
    return torch.from_numpy(array).permute(2, 0, 1).unsqueeze(0).contiguous()


def text_of(source: bytes) -> dict[str, str]:
    """Return what a PNG says about itself.

    Raises:
        PictureGone: It is damaged, or none of ours.
    """
    return {str(key): str(value) for key, value in opened(source).info.items() if isinstance(value, str)}


def grid(cells: Sequence[Pixels]) -> Pixels:
    """Return the cells two a row without gutters: 1 2 over 3 4."""
    rows = [np.concatenate(cells[i : i + COLUMNS], axis=1) for i in range(0, len(cells), COLUMNS)]
    return np.concatenate(rows, axis=0)


def alike(cells: Sequence[Pixels]) -> list[Pixels]:
    """Return the cells, all as large as the largest: of a grid some may be ahead, at their second size."""
    height, width = max(cell.shape[:2] for cell in cells)
    return [
        cell
        if cell.shape[:2] == (height, width)
        else np.asarray(Image.fromarray(cell).resize((width, height), Image.Resampling.BILINEAR))
        for cell in cells
    ]


def png(picture: Pixels, text: Mapping[str, str]) -> bytes:
    """Return a lossless file that carries *text* as UTF-8 iTXt chunks."""
    info = PngInfo()
    for key, value in text.items():
        info.add_itxt(key, value)
    stream = io.BytesIO()
    # Level 1: a tenth of the time of the default for a few per cent of size.
    Image.fromarray(picture).save(stream, "PNG", pnginfo=info, compress_level=1)
    return stream.getvalue()


def files(cells: Sequence[Pixels], text: Mapping[int | None, Mapping[str, str]]) -> dict[str, bytes]:
    """Return a job's files by name: the grid first where there are several cells.

    Args:
        cells: The pictures in order.
        text: What each PNG says, by index; None is the grid.
    """
    named = {"grid.png": png(grid(cells), text[None])} if len(cells) > 1 else {}
    return named | {f"{i + 1}.png": png(cell, text[i]) for i, cell in enumerate(cells)}


def preview(cells: Sequence[Pixels]) -> bytes:
    """Return a small WebP of the picture or grid as it looks now."""
    image = Image.fromarray(grid(cells) if len(cells) > 1 else cells[0])
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=PREVIEW_QUALITY, method=0)
    return stream.getvalue()


def drawing_text(job: DeviceJob, model: str, model_hash: str, index: int | None) -> dict[str, str]:
    """Return what the PNG of picture *index*, or of the grid, says about how it was drawn.

    ``parameters`` is the block other programs write and read.
    """
    recipe = job.recipe
    assert isinstance(recipe, Drawing)  # noqa: S101 - only the denoiser asks
    prompt = job.text.get("prompt") or " ".join(part.text for part in recipe.positive)
    lines = [prompt]
    if recipe.negative:
        lines.append("Negative prompt: " + ", ".join(part.text for part in recipe.negative))
    second = ""
    if recipe.second is not None:
        again = recipe.second
        second = f", Denoising strength: {again.strength:g}, Hires upscale: {again.times}"
    seed = recipe.seeds[index] if index is not None else job.text.get("seed", recipe.seeds[0])
    lines.append(
        f"Steps: {recipe.steps}, CFG scale: {recipe.guidance:g}, Seed: {seed}, "
        f"Size: {recipe.width}x{recipe.height}, Model hash: {model_hash}, Model: {model}{second}"
    )
    return dict(job.text) | {
        "job_id": job.job_id,
        "model": model,
        "model_hash": model_hash,
        "parameters": "\n".join(lines),
    }
