"""The seam to whatever draws."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from parser import Speed
from worker.api import ErrorCode, JobId
from worker.recipe import Recipe


@dataclass(frozen=True, slots=True)
class DeviceJob:
    """One attempt at a recipe."""

    job_id: JobId
    attempt: int
    speed: Speed
    owner_id: int
    recipe: Recipe
    source: bytes | None  # PNG of the picture the recipe starts from
    text: Mapping[str, str]  # what the PNGs carry: prompt, seed, job id


@dataclass(frozen=True, slots=True)
class Advanced:
    """A job came a step further, or was paused by a higher lane."""

    job_id: JobId
    attempt: int
    fraction: float  # 0..1
    paused: bool
    preview: bytes | None  # WebP


@dataclass(frozen=True, slots=True)
class Finished:
    """All pictures of a job are drawn."""

    job_id: JobId
    attempt: int
    pictures: Mapping[str, bytes]  # file name -> PNG; "grid.png" first where there are several
    device_seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A job could not be drawn."""

    job_id: JobId
    attempt: int
    code: ErrorCode
    retryable: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """A job was cancelled or handed back; its latents are gone."""

    job_id: JobId
    attempt: int


DeviceEvent = Advanced | Finished | Failed | Dropped


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many more pictures a device would take now, by lane."""

    free: Mapping[Speed, int]
    resident: int


class Device(Protocol):
    """Something that draws: in this process, in a test, on another machine."""

    async def submit(self, job: DeviceJob) -> None:
        """Accept *job*; the same (job, attempt) again changes nothing."""
        ...

    def watch(self, *, after: int = 0) -> AsyncIterator[tuple[int, DeviceEvent]]:
        """Yield events numbered from *after* + 1; the last ones are replayed."""
        ...

    async def cancel(self, job_id: JobId) -> None:
        """Ask the step loop to drop *job_id*; a `Dropped` follows if it was there."""
        ...

    async def capacity(self) -> Capacity:
        """Return the free places."""
        ...
