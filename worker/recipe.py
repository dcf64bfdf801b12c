"""What will be drawn, every number concrete. The only home of defaults; pure."""

from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import Field

from parser import Part
from worker.api import Frozen

PICTURES = 4  # in a grid


class ModelProfile(Frozen):
    """What a checkpoint can do, as the configuration and its own files state it."""

    name: str
    source: str  # folder or hub id
    size: int = Field(gt=0)  # pixels of a square picture's side
    grid: int = Field(default=8, gt=0)  # pixels per latent; sides are multiples of it
    steps: int = Field(default=20, ge=1)  # at quality 1
    guidance: float = Field(default=7.5, ge=1)


class Start(Frozen):
    """A picture to start from instead of pure noise."""

    picture: str  # name in the picture folder
    strength: float = Field(gt=0, le=1)  # share of the schedule that is drawn again


class Drawing(Frozen):
    """Pictures by denoising; one sample a seed."""

    kind: Literal["drawing"] = "drawing"
    model: str
    width: int  # pixels, a multiple of the model's grid
    height: int
    steps: int  # length of the schedule
    stop_after: int  # steps taken of it, 1..steps
    guidance: float
    positive: tuple[Part, ...]  # weights > 0
    negative: tuple[Part, ...]  # weights > 0: how much each counts among the negatives
    negative_pull: float  # 0..1: how far the unconditional encoding moves toward the negatives
    seeds: tuple[int, ...]  # one per picture: its generator's seed, 0..2**63-1
    start: Start | None = None


class Upscaling(Frozen):
    """A picture enlarged by a super-resolution network."""

    kind: Literal["upscaling"] = "upscaling"
    picture: str
    factor: int = 2
    width: int  # of the result, pixels
    height: int


Recipe = Annotated[Drawing | Upscaling, Field(discriminator="kind")]


def picture_seed(seed: int, index: int) -> int:
    """Return the generator seed of picture *index* (0-based) of a job: 63 bits of BLAKE2b(``seed:index``)."""
    digest = blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
