"""Which weights are behind a checkpoint's name, as the worker that loaded them tells the others.

The bot must know it to tell whether a picture can be drawn again, and must not read gigabytes for it. Sizes
and times of files would be cheap, but a copied file has another time, and other weights have the same size.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial

import structlog

from worker.api import WorkerError
from worker.database import Database

AGAIN_SECONDS = 3.0  # before the next try while the database is busy or the disk full

log = structlog.get_logger(__name__)


class Installer:
    """Writes down which weights a device has loaded, before any job they drew is recorded.

    The device tells of a checkpoint before it tells of jobs, and the database writes in the order of asking.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Use an open *database*; to be called on the event loop."""
        self._database = database
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._writing: set[asyncio.Task[None]] = set()

    def loaded(self, name: str, weights: str) -> None:
        """Note what is behind *name*; may be called on any thread."""
        self._loop.call_soon_threadsafe(self._begin, name, weights)

    async def written(self) -> None:
        """Wait until everything told so far is there."""
        await asyncio.gather(*self._writing)

    def _begin(self, name: str, weights: str) -> None:
        task = self._loop.create_task(self._write(partial(install, name=name, weights=weights)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, work: Callable[..., None]) -> None:
        while True:
            try:
                await self._database.write(partial(work, now=self._clock()))
            except WorkerError as error:
                log.warning("checkpoint_not_noted", code=error.code.value)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return


def install(db: sqlite3.Connection, name: str, weights: str, *, now: float) -> None:
    """Note that a worker has loaded *weights*, a hash, under *name*; the last one to say so counts."""
    db.execute(
        "INSERT INTO checkpoints (name, hash, seen_at) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, seen_at = excluded.seen_at",
        (name, weights, now),
    )


def installed(db: sqlite3.Connection, name: str) -> str | None:
    """Return the hash of the weights behind *name*, None if no worker has told it yet."""
    row = db.execute("SELECT hash FROM checkpoints WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["hash"])
