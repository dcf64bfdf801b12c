"""A style as statistics of latents, and how a picture under way is moved toward them.

What is kept of a reference is how its colours and light are spread, never where anything is: the mean of each
channel of its latents and how the channels vary together. So no content can come along.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

COLOURS_APART = 4  # `--sv 4`: each channel by itself; any later version takes them together
RIDGE = 1e-3  # added to variances, so that a channel without any can be divided by


@dataclass(frozen=True, slots=True)
class Palette:
    """How latents are spread: ``mean`` of shape ``(channels,)``, ``covariance`` ``(channels, channels)``.

    In double precision on the CPU, which every machine has; latents are small enough for the way there.
    """

    mean: torch.Tensor
    covariance: torch.Tensor


@dataclass(frozen=True, slots=True)
class Pull:
    """Where a picture is moved to, how far (0..1), and by which version."""

    palette: Palette
    share: float
    version: int


def palette_of(latents: torch.Tensor) -> Palette:
    """Return the statistics of *latents*, shape ``(1, channels, rows, columns)``."""
    pixels = latents.to("cpu", torch.double).flatten(2)[0]
    mean = pixels.mean(dim=1)
    centred = pixels - mean[:, None]
    return Palette(mean, centred @ centred.T / pixels.shape[1])


def mixed(palettes: Sequence[Palette], weights: Sequence[float]) -> Palette:
    """Return the weighted mean of *palettes*; the weights add up to 1."""
    pairs = list(zip(palettes, weights, strict=True))
    return Palette(
        sum((each.mean * weight for each, weight in pairs), torch.zeros(())),
        sum((each.covariance * weight for each, weight in pairs), torch.zeros(())),
    )


def pulled(estimate: torch.Tensor, pull: Pull, signal: float) -> torch.Tensor:
    """Return the clean latents *estimate* moved toward a style.

    Args:
        estimate: Shape ``(1, channels, rows, columns)``.
        pull: Where to.
        signal: How much of the picture stands out of the noise by now, 0..1. While little does, little is
            moved: what is where is decided then, and is the prompt's affair.
    """
    own = palette_of(estimate)
    move = _apart if pull.version <= COLOURS_APART else _together
    pixels = estimate.to("cpu", torch.double).flatten(2)[0]
    styled = move(own, pull.palette) @ (pixels - own.mean[:, None]) + pull.palette.mean[:, None]
    share = pull.share * signal
    return torch.lerp(estimate, styled.view_as(estimate).to(estimate), share)


def _apart(own: Palette, other: Palette) -> torch.Tensor:
    """Return the map that gives each channel the other's deviation (Huang and Belongie 2017, AdaIN)."""
    return ((other.covariance.diagonal() + RIDGE) / (own.covariance.diagonal() + RIDGE)).sqrt().diag()


def _together(own: Palette, other: Palette) -> torch.Tensor:
    """Return the map that gives the channels the other's covariance and moves pixels the least.

    With A the own covariance and B the other, it is A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 (the linear
    Monge-Kantorovitch transfer of Pitie and Kokaram 2007).
    """
    ridge = RIDGE * torch.eye(len(own.mean), dtype=own.covariance.dtype, device=own.covariance.device)
    root, inverse = _root(own.covariance + ridge)
    middle, _ = _root(root @ (other.covariance + ridge) @ root)
    return inverse @ middle @ inverse


def _root(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the square root of a symmetric positive *matrix*, and its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    roots = values.clamp_min(RIDGE / 10).sqrt()
    return vectors @ roots.diag() @ vectors.T, vectors @ (1 / roots).diag() @ vectors.T
