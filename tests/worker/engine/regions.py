"""A picture of which a part is drawn again: the order, and what the stock pipelines are told of it."""

import dataclasses
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.worker.engine.recipes import job
from tests.worker.engine.studio import distance
from worker.device import DeviceJob
from worker.engine import pictures
from worker.recipe import Drawing, Start

START = Start(picture="s", strength=0.75, mask="m")
LINES, BELOW = slice(8, 20), slice(26, None)  # that are drawn again; that stay


def white(side: int) -> np.ndarray:
    """What is drawn again of a picture of so many pixels, (side, side, 3) in 0 and 255."""
    mask = np.zeros((side, side, 3), np.uint8)
    mask[LINES, 4:] = 255
    return mask


def redrawing(recipe: Drawing, png: bytes) -> DeviceJob:
    """The job of a *recipe* that begins with `START`, over the picture *png*."""
    work = job("a", recipe, source=png)
    return dataclasses.replace(work, references={"m": pictures.png(white(recipe.width), {})})


def stock(latents: torch.Tensor, side: int) -> dict[str, Any]:
    """What a stock inpainting pipeline is told of a picture of these *latents*."""
    mask = Image.fromarray(white(side))
    return {"image": latents, "mask_image": mask, "masked_image_latents": latents, "strength": START.strength}


def stays(drawn: np.ndarray, source: np.ndarray) -> bool:
    """Whether *drawn* is nearer to its *source* where that was to stay than where it was drawn again."""
    return distance(drawn[BELOW], source[BELOW]) < distance(drawn[LINES], source[LINES])
