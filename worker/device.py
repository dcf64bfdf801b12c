"""The seam to whatever draws."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
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
    references: Mapping[str, bytes] = field(default_factory=dict)  # other pictures it refers to, by name
    kept: bytes | None = None  # what an earlier attempt left, as its `Dropped` said


@dataclass(frozen=True, slots=True)
class Advanced:
    """A job came a step further, or was paused by a higher lane."""

    job_id: JobId
    attempt: int
    fraction: float  # 0..1
    paused: bool
    preview: bytes | None  # WebP; None keeps the last one


@dataclass(frozen=True, slots=True)
class Company:
    """With whom a job shared its forward passes."""

    passes: int  # forward passes its pictures took part in
    shared: int  # those in which pictures of another person took part
    people: int  # most people in one pass, the owner among them
    rows: int  # most pictures in one pass


ALONE = Company(passes=0, shared=0, people=1, rows=0)


@dataclass(frozen=True, slots=True)
class Finished:
    """All pictures of a job are drawn."""

    job_id: JobId
    attempt: int
    pictures: Mapping[str, bytes]  # file name -> PNG; "grid.png" first where there are several
    device_seconds: float  # its share of the forward passes, by pictures
    company: Company = ALONE


@dataclass(frozen=True, slots=True)
class Failed:
    """A job could not be drawn."""

    job_id: JobId
    attempt: int
    code: ErrorCode
    retryable: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """A job was cancelled or handed back; its latents are gone.

    Attributes:
        kept: Of one that was handed back, what it takes to go on from there; None: it begins anew.
    """

    job_id: JobId
    attempt: int
    kept: bytes | None = None


DeviceEvent = Advanced | Finished | Failed | Dropped


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many more pictures a device would take now, by lane."""

    free: Mapping[Speed, int]
    resident: int
    newcomers: int = 0  # beyond those, for people who have nothing running here
    ready: frozenset[str] | None = None  # checkpoints it draws with before another has to leave; None: all


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What a device did since it was opened, and the places it has now."""

    passes: Mapping[int, int]  # forward passes by their number of rows
    busy_seconds: float  # steps, and decoding where that keeps steps waiting: not beside them, as on CUDA
    capacity: Capacity
    loaded: tuple[str, ...] = ()  # names of checkpoints in memory


class Device(Protocol):
    """Something that draws: in this process, in a test, on another machine.

    Every job accepted ends in exactly one of `Finished`, `Failed` and `Dropped`.
    """

    async def submit(self, job: DeviceJob) -> None:
        """Accept *job*; the same (job, attempt) again changes nothing."""
        ...

    def watch(self, *, after: int = 0) -> AsyncIterator[tuple[int, DeviceEvent]]:
        """Yield events numbered from *after* + 1, for as long as the device lives.

        Those still in the replay buffer come first. A watcher that fell further behind sees
        the numbers jump, but misses no end of a job that nobody was told of.
        """
        ...

    async def cancel(self, job_id: JobId) -> None:
        """Ask the step loop to drop *job_id*; a `Dropped` follows if it was there."""
        ...

    async def suspend(self) -> None:
        """Ask it to finish its step and hand back every job; those that were begun keep what was drawn."""
        ...

    async def capacity(self) -> Capacity:
        """Return the free places."""
        ...


class EventLog:
    """Numbered events with a bounded memory, for one event loop.

    How a job ended is kept until a watcher was told, however far the watchers have fallen behind.
    """

    def __init__(self, *, events: int = 512, picture_bytes: int = 64 * 2**20) -> None:
        """Keep roughly *events* events and *picture_bytes* of pictures for replay."""
        self._kept: deque[tuple[int, DeviceEvent]] = deque()
        self._events = events
        self._picture_bytes = picture_bytes
        self._bytes = 0
        self._last = 0
        self._told = 0  # the newest event any watcher has had
        self._closed = False
        self._news = asyncio.Event()

    def append(self, event: DeviceEvent) -> None:
        """Number *event* and wake the watchers; call it on the event loop's thread."""
        self._last += 1
        self._kept.append((self._last, event))
        self._bytes += _size(event)
        while len(self._kept) > self._events or self._bytes > self._picture_bytes:
            if not self._forget_one():
                break
        self._ring()

    def _forget_one(self) -> bool:
        """Forget the oldest event that may be; return whether there was one."""
        for index, (number, event) in enumerate(self._kept):
            if number <= self._told or (isinstance(event, Advanced) and number < self._last):
                self._bytes -= _size(event)
                del self._kept[index]
                return True
        return False

    def close(self) -> None:
        """End every watch once it has seen what is left."""
        self._closed = True
        self._ring()

    async def watch(self, after: int) -> AsyncIterator[tuple[int, DeviceEvent]]:
        """Yield events numbered above *after*, oldest first."""
        while True:
            news = self._news
            for number, event in [kept for kept in self._kept if kept[0] > after]:
                after = number
                self._told = max(self._told, number)
                yield number, event
            if news is not self._news:
                continue
            if self._closed:
                return
            await news.wait()

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _size(event: DeviceEvent) -> int:
    if isinstance(event, Finished):
        return sum(len(picture) for picture in event.pictures.values())
    return len(event.preview) if isinstance(event, Advanced) and event.preview else 0
