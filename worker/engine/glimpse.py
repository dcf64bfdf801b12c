"""A fast look at latents: a linear stand-in for the autoencoder."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from worker.engine.autoencoder import Coder, decoded

FIT_PICTURES = 8
FIT_SIDE = 16  # latents; enough for every neighbourhood to occur hundreds of times
FIT_SEED = 5


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A convolution from 3x3 latents to the pixels of the middle one, fitted once a checkpoint.

    It costs about a thousandth of the decoder and shows shapes and colours.
    """

    weight: torch.Tensor  # (3 * grid * grid, channels, 3, 3)
    bias: torch.Tensor
    grid: int

    @classmethod
    def fitted(cls, checkpoint: Coder) -> "Glimpse":
        """Fit to the decoder by least squares over smooth random latents."""
        channels = checkpoint.vae.config.latent_channels
        latents = _smooth(channels).to(checkpoint.hardware.device)
        targets = functional.pixel_unshuffle(decoded(checkpoint, latents), checkpoint.grid)
        known = functional.unfold(functional.pad(latents, (1, 1, 1, 1), mode="replicate"), 3)
        rows = known.transpose(1, 2).reshape(-1, channels * 9)
        rows = torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)
        wanted = targets.flatten(2).transpose(1, 2).reshape(len(rows), -1)
        solution = torch.linalg.lstsq(rows.cpu(), wanted.cpu()).solution.to(latents.device)
        return cls(solution[:-1].T.reshape(-1, channels, 3, 3), solution[-1], checkpoint.grid)

    def __call__(self, latents: torch.Tensor) -> torch.Tensor:
        """Return pixels, -1..1 and a little beyond, shape ``(n, 3, rows * grid, columns * grid)``."""
        padded = functional.pad(latents, (1, 1, 1, 1), mode="replicate")
        return functional.pixel_shuffle(functional.conv2d(padded, self.weight, self.bias), self.grid)


def _smooth(channels: int) -> torch.Tensor:
    """Return latents of unit variance with detail at every scale, as pictures have."""
    generator = torch.Generator("cpu").manual_seed(FIT_SEED)
    total = torch.zeros(FIT_PICTURES, channels, FIT_SIDE, FIT_SIDE)
    for side, share in ((2, 0.5), (4, 0.5), (8, 0.4), (16, 0.3)):
        noise = torch.randn(FIT_PICTURES, channels, side, side, generator=generator)
        total += share * functional.interpolate(noise, size=FIT_SIDE, mode="bicubic")
    return total / total.std()
