"""The part of a picture that is drawn again; the rest stays as it was."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from worker.opening import opened

WHITE = 127.5  # of 255: half of it


@dataclass(frozen=True, slots=True)
class Region:
    """What is kept beside the region: the picture, and the noise that lies over it on the way.

    All of one sample's shape, ``(1, channels, rows, columns)``; the mask of one channel.
    """

    mask: torch.Tensor  # 1 where it is drawn again, 0 where the picture stays
    picture: torch.Tensor
    noise: torch.Tensor

    def kept(self, latents: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Return *latents* within the region, and the picture under *sigma* (0..1) of noise around it."""
        return self.within(latents, sigma * self.noise + (1 - sigma) * self.picture)

    def within(self, latents: torch.Tensor, around: torch.Tensor) -> torch.Tensor:
        """Return *latents* within the region, and what is *around* it elsewhere."""
        return self.mask * latents + (1 - self.mask) * around


def mask_of(body: bytes, size: tuple[int, int], grid: int) -> torch.Tensor:
    """Return a stored mask as latents see it, ``(1, 1, rows, columns)``: 1 where it is at least half white.

    Args:
        body: A stored picture.
        size: Width and height of what is drawn, in pixels.
        grid: Pixels per latent.

    Raises:
        PictureGone: It is damaged, or none of ours.
    """
    image = opened(body).convert("L")
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    white = torch.from_numpy(np.asarray(image, dtype=np.float32) >= WHITE).float()[None, None]
    return functional.interpolate(white, size=(size[1] // grid, size[0] // grid))
