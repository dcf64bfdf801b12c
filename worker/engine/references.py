"""Pictures that a drawing refers to, as what the denoiser needs of them."""

from collections.abc import Mapping, Sequence

import torch
from PIL import Image

from worker.api import PictureGone
from worker.engine import pictures
from worker.engine.autoencoder import Coder, encoded
from worker.engine.style import Pull, mixed, palette_of
from worker.engine.swatch import swatch
from worker.recipe import Drawing
from worker.references import Blend, Style


def laid(checkpoint: Coder, blend: Blend, bodies: Mapping[str, bytes], recipe: Drawing) -> torch.Tensor:
    """Return the pictures of *blend* laid over each other, each cut to the shape of *recipe* at its middle.

    Raises:
        PictureGone: One is not among *bodies*, or damaged.
    """
    size = (recipe.width, recipe.height)
    latents = [
        encoded(checkpoint, pictures.tensor(body_of(each.picture, bodies), size, crop=True))
        for each in blend.pictures
    ]
    return overlay(latents, [each.weight for each in blend.pictures])


def overlay(latents: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    """Return the mean of *latents* by weight, with the contrast that a mean alone would lose.

    Each channel keeps the mean of the deviations that it has in the pictures.
    """
    pairs = list(zip(latents, weights, strict=True))
    mean = torch.stack([each * weight for each, weight in pairs]).sum(dim=0)
    wanted = torch.stack([_deviation(each) * weight for each, weight in pairs]).sum(dim=0)
    middle = mean.mean(dim=(2, 3), keepdim=True)
    return middle + (mean - middle) * wanted / _deviation(mean)


def pull_of(checkpoint: Coder, style: Style, bodies: Mapping[str, bytes], recipe: Drawing) -> Pull:
    """Return where *style* leads.

    A number is a style as its picture is, so that any checkpoint reads the same in it, and within what its
    autoencoder can say.

    Raises:
        PictureGone: A picture is not among *bodies*, or damaged.
    """
    size = (recipe.width, recipe.height)
    shown = [pictures.tensor(body_of(each.picture, bodies), size) for each in style.pictures]
    for each in style.codes:
        drawn = Image.fromarray(swatch(each.code)).resize(size, Image.Resampling.LANCZOS)
        shown.append(pictures.tensor_of(drawn))
    weights = [each.weight for each in style.pictures] + [each.weight for each in style.codes]
    palettes = [palette_of(encoded(checkpoint, picture)) for picture in shown]
    return Pull(mixed(palettes, weights), style.share, style.version)


def _deviation(latents: torch.Tensor) -> torch.Tensor:
    return latents.std(dim=(2, 3), keepdim=True).clamp_min(1e-3)


def body_of(name: str, bodies: Mapping[str, bytes]) -> bytes:
    """Return the picture of that *name*.

    Raises:
        PictureGone: It is not among *bodies*.
    """
    if name not in bodies:
        raise PictureGone(name)
    return bodies[name]
