"""The latent pool: pictures composed, encoded and kept for a while; every draw writes a new caption."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training import compose
from training.art import Sprites
from training.lexicon import STYLES
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


@dataclass(frozen=True)
class Batch:
    """Scenes of one shape, their latents (n, 4, h, w) and for each the number (n,) of its family.

    A family is one scene, or one scene in every style: whatever else its members share (noise, time, the
    other words of the caption), what they differ in is then the style alone, and no chance hides it.
    """

    scenes: list[Scene]
    latents: Tensor
    families: Tensor

    @property
    def sizes(self) -> Tensor:
        """How many members each family has."""
        return torch.bincount(self.families)

    def within(self, values: Tensor) -> Tensor:
        """`values`, shaped as the latents, less the mean of their family: zero for a scene by itself."""
        sums = values.new_zeros(len(self.sizes), *values.shape[1:]).index_add(0, self.families, values)
        return values - (sums / self.sizes.view(-1, 1, 1, 1))[self.families]


Family = list[tuple[Scene, Tensor]]


class LatentPool:
    """A ring of encoded families for each shape. A share of every batch is new, the rest was drawn before.

    Args:
        sprites: the art.
        vae: what encodes.
        rng: what is drawn.
        compared: the share of easy scenes that are drawn in every style. From nothing that is none: until
            words reach the picture at all, so many pictures of so few scenes are only in their way.
        capacity: how many families the square ring keeps; the others an eighth.
    """

    def __init__(
        self, sprites: Sprites, vae: Any, rng: random.Random, *, compared: float = 0, capacity: int = 12000
    ) -> None:
        self._sprites = sprites
        self._vae = vae
        self.rng = rng
        self._compared = compared
        self._rings: dict[tuple[int, int], deque[Family]] = {
            shape: deque(maxlen=capacity if shape == SHAPES[0] else capacity // 8) for shape in SHAPES
        }

    def add(self, shape: tuple[int, int], count: int) -> list[Family]:
        """Draw and encode at least `count` new pictures; they stay in the pool."""
        planned: list[list[Scene]] = []
        while sum(map(len, planned)) < count:
            planned.append(self._plan(shape))
        pictures = [compose.draw(scene, self._sprites) for scenes in planned for scene in scenes]
        latents = iter(encode(self._vae, to_tensor(pictures)).half())
        fresh = [[(scene, next(latents)) for scene in scenes] for scenes in planned]
        self._rings[shape].extend(fresh)
        return fresh

    def _plan(self, shape: tuple[int, int]) -> list[Scene]:
        """One scene, or one in every style."""
        easy = self.rng.random() < 0.55
        scene = draw_scene(self.rng, len(self._sprites), shape, easy=easy)
        if easy and self.rng.random() < self._compared:
            return [replace(scene, style=style) for style in STYLES]
        return [scene]

    def batch(self, size: int, fresh: float = 0.25, square: float = 0.45) -> Batch:
        """`size` pictures of one shape; the longest shapes come most."""
        shape = (
            SHAPES[0] if self.rng.random() < square else self.rng.choices(SHAPES[1:], (1, 1, 2, 2, 3, 3))[0]
        )
        ring = self._rings[shape]
        while sum(map(len, ring)) < 3 * size:
            self.add(shape, size)
        families = self.add(shape, round(size * fresh))
        while sum(map(len, families)) < size:
            families.append(ring[self.rng.randrange(len(ring))])
        rows = [(*row, number) for number, family in enumerate(families) for row in family][:size]
        scenes, latents, numbers = zip(*rows, strict=True)
        return Batch(list(scenes), torch.stack(latents).float(), torch.tensor(numbers))
