"""Tidying up after processes that died, and after time."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import structlog

from worker.api import JobId, WorkerError
from worker.database import Database
from worker.images import ImageStore
from worker.keep import Retention
from worker.lock import is_held, worker_lock
from worker.queue import ledger, privacy
from worker.queue.claims import LEASE_SECONDS
from worker.queue.confidant import scrub
from worker.queue.retention import DAY_SECONDS, Ageing
from worker.queue.rows import StaleJob
from worker.queue.store import ClaimId, bury, hand_back

KEEP = Retention()
EVENTS_KEPT_SECONDS = KEEP.events_days * DAY_SECONDS  # a bot that was away for longer starts from the jobs
LEDGER_KEPT_SECONDS = 400 * DAY_SECONDS  # windows are 30 days at most; the rest is for looking into
ORPHAN_SECONDS = 3600.0  # pictures are stored before their row; no submission takes an hour
TAKE_BACK_SECONDS = 3.0  # between two looks for jobs of workers that died
PRUNE_SECONDS = 3600.0  # between two looks for old events and orphaned pictures
CHUNK = 1000  # rows or folders dealt with at once, so that nobody waits long for the lock

log = structlog.get_logger(__name__)


class Upkeep:
    """Chores that any process may do, at any time, also several at once."""

    def __init__(
        self,
        database: Database,
        images: ImageStore | None,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        locks: Path,
        retention: Retention = KEEP,
    ) -> None:
        """Put the parts together.

        Args:
            database: The queue's.
            images: The picture folder; None where another process sweeps it.
            clock: Tells Unix seconds.
            monotonic: Tells seconds that nobody sets.
            locks: The folder of the workers' lock files.
            retention: What ages out, and when.
        """
        self._ageing = None if images is None else Ageing(database, images, retention, clock=clock)
        self._events_seconds = retention.events_days * DAY_SECONDS
        self._database = database
        self._images = images
        self._clock = clock
        self._monotonic = monotonic
        self._locks = locks
        self._looked = 0.0
        self._unrenewed: dict[Lease, float] = {}  # how long each lease was seen as it is

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
            except WorkerError as error:  # the database is busy, or the disk full
                log.warning("upkeep_failed", code=error.code.value)
            except OSError as error:
                pruned = loop.time()
                log.warning("pictures_not_swept", reason=str(error))
            await asyncio.sleep(TAKE_BACK_SECONDS)

    async def take_back(self) -> int:
        """Take back the jobs of workers that died, and those of workers that hang; return how many.

        A worker is dead if nobody holds its lock; its name, with digits of its own, is never used again. One
        that lives hangs if it has not renewed a lease all through `LEASE_SECONDS` of watching. Neither a
        machine that slept nor a clock that was set makes it lose a job: only time between looks counts, and
        of that no more than usually passes. With nothing to take back this only reads.
        """
        leases = await self._database.read(_leases)
        workers = {lease.worker for lease in leases}
        dead = {worker for worker in workers if not is_held(worker_lock(self._locks, worker))}
        self._watch(leases)
        hung = [
            (lease.job_id, lease.attempt)
            for lease, seconds in self._unrenewed.items()
            if seconds >= LEASE_SECONDS and lease.worker not in dead
        ]
        if not dead and not hung:
            return 0
        return await self._database.write(partial(_take_back, dead=dead, hung=hung, now=self._clock()))

    def _watch(self, leases: Iterable["Lease"]) -> None:
        now = self._monotonic()
        passed = min(now - self._looked, TAKE_BACK_SECONDS)
        self._looked = now
        self._unrenewed = {lease: self._unrenewed.get(lease, -passed) + passed for lease in leases}

    async def prune(self) -> int:
        """Forget what has aged out, and pictures without a job; return how many of those."""
        before = self._clock() - self._events_seconds
        while await self._database.write(partial(_forget_events, before=before), durable=False):
            pass
        before = self._clock() - LEDGER_KEPT_SECONDS
        while await self._database.write(partial(ledger.prune, before=before), durable=False):
            pass
        await self._database.write(partial(privacy.release, now=self._clock()), durable=False)
        if self._ageing is not None:
            await self._ageing.run()
        await scrub(self._database)
        return await self._sweep()

    async def _sweep(self) -> int:
        """Remove the folders of jobs that have no pictures.

        They were deleted, or cells that were never stored, or were stopped or given up after a worker died
        between writing the pictures and saying so.
        """
        if self._images is None:
            return 0
        swept = 0
        folders = self._images.older(self._clock() - ORPHAN_SECONDS)
        while chunk := await asyncio.to_thread(lambda: list(islice(folders, CHUNK))):
            for orphan in await self._database.read(partial(_pictureless, job_ids=chunk)):
                await asyncio.to_thread(self._images.remove, orphan)
                swept += 1
        return swept


@dataclass(frozen=True, slots=True)
class Lease:
    """A running job, and whose it is until when; renewed, it is another."""

    job_id: JobId
    attempt: int
    worker: str
    until: float


def _leases(db: sqlite3.Connection) -> list[Lease]:
    rows = db.execute(
        "SELECT id, attempt, worker, lease_until FROM jobs INDEXED BY jobs_running WHERE state = 'running'"
    )
    return [Lease(*row) for row in rows]


def _take_back(
    db: sqlite3.Connection, *, dead: Collection[str], hung: Collection[ClaimId], now: float
) -> int:
    taken = sum(bury(db, worker, now) for worker in dead)
    for claim_id in hung:
        with suppress(StaleJob):  # it ended between the look and now
            hand_back(db, claim_id, now)
            taken += 1
    return taken


def _forget_events(db: sqlite3.Connection, *, before: float) -> int:
    return db.execute(
        "DELETE FROM job_events WHERE id IN (SELECT id FROM job_events WHERE at < ? LIMIT ?)", (before, CHUNK)
    ).rowcount


def _pictureless(db: sqlite3.Connection, *, job_ids: Collection[JobId]) -> list[JobId]:
    """Return those of *job_ids* whose rows name no picture, and never will."""
    keeps = (
        "SELECT 1 FROM jobs WHERE id = ?"
        " AND (state IN ('queued', 'running') OR files <> '[]' OR (inputs <> '{}' AND aged < 2))"
    )
    return [job_id for job_id in job_ids if db.execute(keeps, (job_id,)).fetchone() is None]
