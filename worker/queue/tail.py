"""The outbox as a stream."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from worker.api import DatabaseBusy, EventId, JobEvent

# Waking an idle event loop costs a quarter of a millisecond, whatever is looked at: so seldom when idle.
BUSY_SECONDS = 0.02  # between two looks while there is traffic
IDLE_SECONDS = 0.1
TRAFFIC_SECONDS = 5.0  # for how long a write counts as traffic; running jobs report every second or so
LONGEST_SECONDS = 1.0  # a pause ends by then, whatever the time stamp says
COARSE_SECONDS = 0.02  # file times advance in steps of a few milliseconds


class Outbox(Protocol):
    """Where events come from: a desk."""

    async def events(self, *, after: EventId, limit: int = 100) -> Sequence[JobEvent]:
        """Return the events that follow *after*, oldest first."""
        ...


class Watch:
    """Pauses that end soon after any process has written to a database.

    Every commit touches the write-ahead log's time stamp; looking at that needs no thread and no lock.
    """

    def __init__(self, database: Path, *, clock: Callable[[], float]) -> None:
        """Watch the file *database*; *clock* tells Unix seconds, as file times do."""
        self._log = f"{database}-wal"
        self._clock = clock
        self._seen: int | None = None
        self._traffic = clock()

    async def wait(self) -> None:
        """Return when something may have been written since the last return; after a second anyway."""
        until = self._clock() + LONGEST_SECONDS
        while self._clock() < until:
            busy = self._clock() - self._traffic < TRAFFIC_SECONDS
            await asyncio.sleep(BUSY_SECONDS if busy else IDLE_SECONDS)
            if self._changed():
                return

    def _changed(self) -> bool:
        try:
            stamp = os.stat(self._log).st_mtime_ns  # noqa: PTH116 - a Path costs more than the look
        except FileNotFoundError:
            return False
        if stamp == self._seen:
            return False
        now = self._clock()
        self._traffic = now
        # A stamp this fresh may be shared by a later commit: look again before relying on it.
        self._seen = stamp if now - stamp / 1e9 > COARSE_SECONDS else None
        return True


async def tail(
    outbox: Outbox, *, after: EventId, pause: Callable[[], Awaitable[None]]
) -> AsyncGenerator[JobEvent, None]:
    """Yield the events that follow *after*, for ever, in their order and each once.

    Writers take turns in SQLite and ids grow with every commit, so no event appears behind the cursor. A
    busy database is looked at again after the next pause.

    Args:
        outbox: A desk.
        after: The last event that was dealt with.
        pause: Awaited whenever there is nothing new: `Watch.wait`.
    """
    while True:
        news: Sequence[JobEvent] = ()
        with suppress(DatabaseBusy):
            news = await outbox.events(after=after)
        for event in news:
            after = event.id
            yield event
        if not news:
            await pause()
