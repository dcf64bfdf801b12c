"""What a worker says of itself, in one row, for admins and monitors to read."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from worker.api import WorkerError
from worker.database import Database
from worker.device import Capacity, DeviceUse
from worker.queue.store import HEARTBEAT_SECONDS

QUIET_SECONDS = 15.0  # between two rows of a worker that does nothing
FORGOTTEN_SECONDS = 86400.0  # rows of workers that died without a word
NOTHING = DeviceUse({}, 0.0, Capacity({}, 0))

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last thing that went wrong: a code of `worker.api`, and when, in Unix seconds."""

    code: str
    at: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a device did between two beats."""

    passes: int  # since it was opened
    largest: int  # most pictures in one pass, likewise
    batch: float  # mean pictures in a pass
    steps_per_second: float  # denoising steps of pictures
    busy: float  # share of the time


def pulse(before: DeviceUse, after: DeviceUse, seconds: float) -> Pulse:
    """Return what happened between two looks that lie *seconds* apart."""
    new = {rows: count - before.passes.get(rows, 0) for rows, count in after.passes.items()}
    passes, steps = sum(new.values()), sum(rows * count for rows, count in new.items())
    return Pulse(
        passes=sum(after.passes.values()),
        largest=max((rows for rows, count in after.passes.items() if count), default=0),
        batch=steps / passes if passes else 0.0,
        steps_per_second=steps / seconds if seconds > 0 else 0.0,
        busy=min(1.0, max(0.0, (after.busy_seconds - before.busy_seconds) / seconds)) if seconds > 0 else 0.0,
    )


class Roster:
    """Writes the row of one worker."""

    def __init__(
        self,
        database: Database,
        *,
        worker: str,
        device: str,
        model: str,
        use: Callable[[], DeviceUse],
        trouble: Callable[[], Trouble | None],
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Put the parts together.

        Args:
            database: The queue's.
            worker: The name whose lock this process holds.
            device: What it draws on, for people.
            model: Names of its checkpoints; what is said until it has loaded one.
            use: Tells what the device did since it was opened.
            trouble: Tells what went wrong last.
            clock: Tells Unix seconds.
            monotonic: Tells seconds that nobody sets.
        """
        self._database = database
        self._facts = {"name": worker, "device": device, "model": model, "started_at": clock()}
        self._use = use
        self._trouble = trouble
        self._clock = clock
        self._monotonic = monotonic
        self._before = (NOTHING, monotonic())
        self._written: float | None = None

    async def run(self) -> None:
        """Write until cancelled, then take the row away; a busy database or a full disk passes."""
        try:
            while True:
                try:
                    await self.beat()
                except WorkerError as error:
                    log.info("roster_not_written", code=error.code.value)
                await asyncio.sleep(HEARTBEAT_SECONDS)
        finally:
            try:
                await self._database.write(partial(_leave, name=self._facts["name"]), durable=False)
            except (WorkerError, RuntimeError) as error:
                log.info("roster_not_left", error=repr(error))

    async def beat(self) -> None:
        """Write the row, unless nothing has happened since it was written a moment ago."""
        now = self._monotonic()
        before, at = self._before
        use = self._use()
        found = pulse(before, use, now - at)
        quiet = found.steps_per_second == 0 and not use.capacity.resident
        if quiet and self._written is not None and now - self._written < QUIET_SECONDS:
            return
        trouble = self._trouble()
        row = {
            **self._facts,
            **({"model": ", ".join(use.loaded)} if use.loaded else {}),
            "seen_at": self._clock(),
            "pictures": use.capacity.resident,
            "passes": found.passes,
            "batch": found.batch,
            "largest_batch": found.largest,
            "steps_per_second": found.steps_per_second,
            "busy": found.busy,
            "last_error": None if trouble is None else trouble.code,
            "last_error_at": None if trouble is None else trouble.at,
        }
        await self._database.write(partial(_write, row=row), durable=False)
        self._before = (use, now)
        # The last row of a busy spell says so; one more says that it is over.
        self._written = now if quiet else None


def _write(db: sqlite3.Connection, *, row: dict[str, object]) -> None:
    db.execute("DELETE FROM workers WHERE seen_at < ?", (float(str(row["seen_at"])) - FORGOTTEN_SECONDS,))
    db.execute(
        "INSERT OR REPLACE INTO workers (name, device, model, started_at, seen_at, jobs, pictures, passes,"
        " batch, largest_batch, steps_per_second, busy, last_error, last_error_at)"
        " VALUES (:name, :device, :model, :started_at, :seen_at,"
        " (SELECT count(*) FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND worker = :name),"
        " :pictures, :passes, :batch, :largest_batch, :steps_per_second, :busy, :last_error, :last_error_at)",
        row,
    )


def _leave(db: sqlite3.Connection, *, name: object) -> None:
    db.execute("DELETE FROM workers WHERE name = ?", (name,))
