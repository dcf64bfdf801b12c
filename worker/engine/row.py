"""One picture under way: what every family has of it, and what a UNet's denoiser has besides."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

from worker.effects import SEAM_FROM
from worker.engine.conditioning import Told
from worker.engine.flow_schedule import Way
from worker.engine.ip_attention import Seen
from worker.engine.passes import Pass
from worker.engine.prediction import expected, noised
from worker.engine.region import Region
from worker.engine.style import Pull

W = TypeVar("W", Pass, Way)


@dataclass(slots=True, kw_only=True)
class Row(ABC, Generic[W]):
    """One sample's tensors. What steps change, `Holding.keep` keeps."""

    latents: torch.Tensor  # float32, shape (1, channels, rows, columns)
    way: W
    positive: Told
    unconditional: Told
    guidance: float
    generator: torch.Generator
    pull: Pull | None = None
    detail: float = 0.0
    tile: bool = False  # whether opposite edges are to meet
    region: Region | None = None
    step: int = 0  # of its way
    second: W | None = None  # at a larger size, still to come
    behind: int = 0  # steps of the first pass, once in the second
    shape: torch.Tensor | None = None  # latents whose broad shapes the second pass keeps

    @property
    @abstractmethod
    def end(self) -> torch.Tensor:
        """What its pass came to: of a schedule that was left early, what was expected then."""

    @property
    @abstractmethod
    def memory(self) -> Any:
        """What it knows of its last step, as plain values and tensors; None before the first."""

    @abstractmethod
    def recall(self, memory: Any) -> None:
        """Know again what `memory` told."""

    def turn(self) -> None:
        """Go over to the second pass; what it begins with is not there yet."""
        assert self.second is not None  # noqa: S101 - asked for where there is one
        self.behind, self.step = len(self.way.timesteps), 0
        self.way, self.second = self.second, None


@dataclass(slots=True, kw_only=True)
class UnetRow(Row[Pass]):
    """One of a UNet's, whose pictures may join their edges and look at others."""

    seen: tuple[Seen, ...] = ()  # pictures that it looks at
    estimate: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None  # input, output, timestep

    @property
    def joined(self) -> bool:
        """True while opposite edges are neighbours to it.

        Not from the start: networks learn from the edge where the middle is, and without one a subject
        dissolves. What is where is decided first, then the seams close.
        """
        decided = self.behind or self.step >= SEAM_FROM * len(self.way.timesteps)
        return self.tile and bool(decided)

    @property
    def edge(self) -> str:
        """What is beyond the edge, as `torch.nn.functional.pad` calls it."""
        return "circular" if self.tile else "replicate"

    @property
    def expected(self) -> torch.Tensor:
        """The clean latents that the last output points at, with what is kept of a picture drawn over."""
        assert self.estimate is not None  # noqa: S101 - asked for after a step only
        clean = expected(self.way.scheduler, *self.estimate)
        return clean if self.region is None else self.region.within(clean, self.region.picture)

    @property
    def end(self) -> torch.Tensor:
        """As `Row.end`."""
        return self.latents if self.way.whole else self.expected

    @property
    def memory(self) -> Any:
        """As `Row.memory`."""
        return self.estimate

    def recall(self, memory: Any) -> None:
        """As `Row.recall`."""
        self.estimate = memory and tuple(memory)

    def keep_around(self) -> None:
        """Put the picture drawn over back around its region, as noisy as the step to come wants it."""
        if self.region is None:
            return
        around, to_come = self.region.picture, self.way.timesteps[self.step : self.step + 1]
        if len(to_come):
            around = noised(self.way.scheduler, around, self.region.noise, to_come)
        self.latents = self.region.within(self.latents, around)


@dataclass(frozen=True, slots=True)
class Given:
    """Clean latents to start from, the share of the schedule that is drawn over them, and where."""

    latents: torch.Tensor
    strength: float
    mask: torch.Tensor | None = None  # see `Region`; None: everywhere
