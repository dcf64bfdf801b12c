"""Tidying up after processes that died, and after time."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import structlog

from worker.api import DatabaseBusy, JobId
from worker.database import Database
from worker.images import ImageStore
from worker.lock import is_held, worker_lock
from worker.queue.rows import StaleJob
from worker.queue.store import LEASE_SECONDS, ClaimId, expire

EVENTS_KEPT_SECONDS = 30 * 24 * 3600.0  # a bot that was away for longer starts from the jobs themselves
ORPHAN_SECONDS = 3600.0  # pictures are stored before their row; no submission takes an hour
TAKE_BACK_SECONDS = 3.0  # between two looks for jobs of workers that died
PRUNE_SECONDS = 3600.0  # between two looks for old events and orphaned pictures
CHUNK = 1000  # rows or folders dealt with at once, so that nobody waits long for the lock

log = structlog.get_logger(__name__)


class Upkeep:
    """Chores that any process may do, at any time, also several at once."""

    def __init__(
        self, database: Database, images: ImageStore, *, clock: Callable[[], float], locks: Path
    ) -> None:
        """Put the parts together.

        Args:
            database: The queue's.
            images: The picture folder.
            clock: Tells Unix seconds.
            locks: The folder of the workers' lock files.
        """
        self._database = database
        self._images = images
        self._clock = clock
        self._locks = locks

    async def run(self) -> None:
        """Do the chores until cancelled."""
        loop = asyncio.get_running_loop()
        pruned = loop.time() - PRUNE_SECONDS
        while True:
            try:
                await self.take_back()
                if loop.time() - pruned >= PRUNE_SECONDS:
                    await self.prune()
                    pruned = loop.time()
            except DatabaseBusy:
                log.warning("database_busy", doing="upkeep")
            await asyncio.sleep(TAKE_BACK_SECONDS)

    async def take_back(self) -> int:
        """Take back the jobs of dead workers and those whose lease ran out; return how many.

        A worker is dead if nobody holds its lock. With nothing of the kind this only reads.
        """
        now = self._clock()
        leases = await self._database.read(_leases)
        workers = {lease.worker for lease in leases}
        dead = {worker for worker in workers if not is_held(worker_lock(self._locks, worker))}
        return await self._take_back(due(leases, dead=dead, now=now))

    async def prune(self) -> int:
        """Forget events nobody will ask for, and pictures without a job; return how many folders went."""
        before = self._clock() - EVENTS_KEPT_SECONDS
        while await self._database.write(partial(_forget_events, before=before), durable=False):
            pass
        return await self._sweep()

    async def _take_back(self, claims: Sequence[ClaimId]) -> int:
        if not claims:
            return 0
        return await self._database.write(partial(_expire_all, claims=claims, now=self._clock()))

    async def _sweep(self) -> int:
        """Remove the folders of jobs that do not exist: deleted, or cells that were never stored."""
        swept = 0
        folders = self._images.older(self._clock() - ORPHAN_SECONDS)
        while chunk := await asyncio.to_thread(lambda: list(islice(folders, CHUNK))):
            for orphan in await self._database.read(partial(_unknown, job_ids=chunk)):
                await asyncio.to_thread(self._images.remove, orphan)
                swept += 1
        return swept


@dataclass(frozen=True, slots=True)
class Lease:
    """A running job, and whose it is until when."""

    job_id: JobId
    attempt: int
    worker: str
    until: float


def due(leases: Iterable[Lease], *, dead: Collection[str], now: float) -> list[ClaimId]:
    """Return the claims to take back.

    Those of a *dead* worker go at once, unless they are younger than *now*, when it was seen dead: a worker
    of that name may have started since.
    """
    return [
        (lease.job_id, lease.attempt)
        for lease in leases
        if lease.until < now or (lease.worker in dead and lease.until <= now + LEASE_SECONDS)
    ]


def _leases(db: sqlite3.Connection) -> list[Lease]:
    rows = db.execute(
        "SELECT id, attempt, worker, lease_until FROM jobs INDEXED BY jobs_running WHERE state = 'running'"
    )
    return [Lease(*row) for row in rows]


def _expire_all(db: sqlite3.Connection, *, claims: Collection[ClaimId], now: float) -> int:
    taken = 0
    for claim_id in claims:
        with suppress(StaleJob):  # it ended between the look and now
            expire(db, claim_id, now)
            taken += 1
    return taken


def _forget_events(db: sqlite3.Connection, *, before: float) -> int:
    return db.execute(
        "DELETE FROM job_events WHERE id IN (SELECT id FROM job_events WHERE at < ? LIMIT ?)", (before, CHUNK)
    ).rowcount


def _unknown(db: sqlite3.Connection, *, job_ids: Collection[JobId]) -> list[JobId]:
    return [
        job_id
        for job_id in job_ids
        if db.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,)).fetchone() is None
    ]
