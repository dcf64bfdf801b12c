"""The latent pool: pictures composed, encoded and kept for a while; every draw writes a new caption."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training import compose
from training.art import Sprites
from training.scenes import SHAPES, Scene, draw_scene


def to_tensor(pictures: Sequence[compose.Pixels]) -> Tensor:
    """uint8 (h, w, 3) pictures as one float tensor (n, 3, h, w) in -1..1."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.float() / 127.5 - 1


@torch.no_grad()
def encode(vae: Any, pictures: Tensor) -> Tensor:
    """Scaled latent means, (n, 4, h / 8, w / 8)."""
    with torch.autocast("cpu", torch.bfloat16):
        mean: Tensor = vae.encode(pictures).latent_dist.mean
    scaled: Tensor = mean.float() * vae.config.scaling_factor
    return scaled


class LatentPool:
    """A ring of encoded scenes for each shape. A share of every batch is new, the rest was drawn before."""

    def __init__(self, sprites: Sprites, vae: Any, rng: random.Random, capacity: int = 16000) -> None:
        self._sprites = sprites
        self._vae = vae
        self.rng = rng
        self._rings: dict[tuple[int, int], deque[tuple[Scene, Tensor]]] = {
            shape: deque(maxlen=capacity if shape == SHAPES[0] else capacity // 8) for shape in SHAPES
        }

    def add(self, shape: tuple[int, int], count: int) -> list[tuple[Scene, Tensor]]:
        """Draw and encode `count` new scenes, two thirds of them easy; they stay in the pool."""
        total = len(self._sprites)
        scenes = [draw_scene(self.rng, total, shape, easy=i % 3 > 0) for i in range(count)]
        latents = encode(
            self._vae, to_tensor([compose.draw(scene, self._sprites) for scene in scenes])
        ).half()
        fresh = list(zip(scenes, latents, strict=True))
        self._rings[shape].extend(fresh)
        return fresh

    def batch(self, size: int, fresh: float = 0.25, square: float = 0.45) -> tuple[list[Scene], Tensor]:
        """`size` scenes of one shape and their latents (size, 4, h, w); the longest shapes come most."""
        shape = (
            SHAPES[0] if self.rng.random() < square else self.rng.choices(SHAPES[1:], (1, 1, 2, 2, 3, 3))[0]
        )
        ring = self._rings[shape]
        while len(ring) < 3 * size:
            self.add(shape, size)
        rows = self.add(shape, round(size * fresh))
        rows += [ring[self.rng.randrange(len(ring))] for _ in range(size - len(rows))]
        return [scene for scene, _ in rows], torch.stack([latent for _, latent in rows]).float()
