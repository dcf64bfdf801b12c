"""What ages out: pictures first, then the jobs themselves.

Files go before the row says so: a process that is killed in between does the same again. Where pictures take
more room than they may, what is missed least goes first:

1. grids whose four pictures are stored: they can be put together again;
2. pictures that jobs which came to nothing had brought along, oldest first;
3. pictures of jobs from which nobody took, varied or enlarged one, oldest first;
4. pictures of the others, oldest first.

Never those of a job that ended within the last hour, nor those that a job under way starts from.
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial

import structlog

from worker.api import JobId
from worker.database import Database
from worker.grids import GRID
from worker.images import ImageStore
from worker.keep import Retention

DAY_SECONDS = 86400.0
GRACE_SECONDS = 3600.0  # what ended so lately may not have been shown yet
BATCH = 100  # jobs dealt with at once: nobody waits long for the lock
ROOM = 0.95  # of the quota is left taken, so that not every new picture costs an old one

Find = Callable[[sqlite3.Connection], list[JobId]]
Take = Callable[[Sequence[JobId]], Awaitable[int]]

log = structlog.get_logger(__name__)


class Aged(IntEnum):
    """What is left of a job's pictures. The number is the database value."""

    WHOLE = 0
    UNGRIDDED = 1
    BARE = 2


@dataclass(frozen=True, slots=True)
class Gone:
    """What one round took away."""

    grids: int = 0
    pictures: int = 0  # jobs that lost theirs
    jobs: int = 0


class Ageing:
    """Applies the policy; any process may, at any time, also several at once."""

    def __init__(
        self, database: Database, images: ImageStore, policy: Retention, *, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._images = images
        self._policy = policy
        self._clock = clock

    async def run(self) -> Gone:
        """Take away what is too old, and what there is no room for.

        Raises:
            WorkerError: The database was busy, or the disk full; what was not done is done the next time.
        """
        jobs = await self._forget_jobs()
        aged = await self._age_pictures()
        grids, evicted = await self._make_room()
        gone = Gone(grids, aged + evicted, jobs)
        if gone != Gone():
            log.info("aged_out", grids=gone.grids, pictures=gone.pictures, jobs=gone.jobs)
        return gone

    async def _forget_jobs(self) -> int:
        days, forgotten = self._policy.jobs_days, 0
        if days is None:
            return 0
        before = self._clock() - max(days * DAY_SECONDS, GRACE_SECONDS)
        while batch := await self._database.write(partial(_forget, before=before), durable=False):
            for job_id in batch:
                await asyncio.to_thread(self._images.remove, job_id)
            forgotten += len(batch)
        return forgotten

    async def _age_pictures(self) -> int:
        days, aged = self._policy.pictures_days, 0
        if days is None:
            return 0
        before = self._clock() - max(days * DAY_SECONDS, GRACE_SECONDS)
        for find in (partial(_undrawn, before=before), partial(_oldest, before=before, chosen=True)):
            while batch := await self._database.read(find):
                await self._take_all(batch)
                aged += len(batch)
        return aged

    async def _make_room(self) -> tuple[int, int]:
        """Return how many grids, and how many jobs' pictures, were taken for want of room."""
        if self._policy.disk_gb is None:
            return 0, 0
        quota = self._policy.disk_gb * 1e9
        taken = await asyncio.to_thread(self._images.size)
        if taken <= quota:
            return 0, 0
        surplus, counts = taken - ROOM * quota, [0, 0]
        before = self._clock() - GRACE_SECONDS
        ranks: tuple[tuple[int, Find, Take], ...] = (
            (0, partial(_gridded, before=before), self._take_grids),
            (1, partial(_undrawn, before=before), self._take_all),
            (1, partial(_oldest, before=before, chosen=False), self._take_all),
            (1, partial(_oldest, before=before, chosen=True), self._take_all),
        )
        for counted, find, take in ranks:
            while surplus > 0 and (batch := await self._database.read(find)):
                surplus -= await take(batch)
                counts[counted] += len(batch)
        if surplus > 0:
            log.warning("pictures_over_quota", bytes=int(surplus))
        return counts[0], counts[1]

    async def _take_grids(self, batch: Sequence[JobId]) -> int:
        names = [f"{job_id[:2]}/{job_id}/{GRID}" for job_id in batch]
        freed = sum([await asyncio.to_thread(self._images.discard, name) for name in names])
        await self._database.write(partial(_mark, job_ids=batch, aged=Aged.UNGRIDDED), durable=False)
        return freed

    async def _take_all(self, batch: Sequence[JobId]) -> int:
        freed = sum([await asyncio.to_thread(self._images.remove, job_id) for job_id in batch])
        await self._database.write(partial(_mark, job_ids=batch, aged=Aged.BARE), durable=False)
        return freed


_NEEDED = """
SELECT substr(t.value, 4, 36) FROM jobs AS j, json_tree(j.recipe) AS t
WHERE j.state = 'queued' AND t.type = 'text' AND t.value GLOB '[0-9a-f][0-9a-f]/*/*.*'
UNION SELECT substr(t.value, 4, 36) FROM jobs AS j, json_tree(j.recipe) AS t
WHERE j.state = 'running' AND t.type = 'text' AND t.value GLOB '[0-9a-f][0-9a-f]/*/*.*'
"""


def _needed(db: sqlite3.Connection) -> set[str]:
    """Return the jobs from whose pictures something is being made, or will be."""
    return {row[0] for row in db.execute(_NEEDED)}


def _oldest(db: sqlite3.Connection, *, before: float, chosen: bool) -> list[JobId]:
    """Return jobs with pictures that ended before *before*; those somebody chose from only if *chosen*."""
    sql = (
        "SELECT id FROM jobs AS j INDEXED BY jobs_stored"
        " WHERE state = 'succeeded' AND aged < 2 AND finished_at < :before"
        " AND id NOT IN (SELECT value FROM json_each(:needed))"
        " AND (:chosen OR (json_extract(order_json, '$.source') IS NULL AND NOT EXISTS ("
        # The plus takes the column's affinity away: with it no index of an expression is used.
        "SELECT 1 FROM jobs WHERE json_extract(order_json, '$.source') = +j.id)))"
        " ORDER BY finished_at LIMIT :batch"
    )
    return _ids(db, sql, before=before, chosen=chosen)


def _undrawn(db: sqlite3.Connection, *, before: float) -> list[JobId]:
    sql = (
        "SELECT id FROM jobs INDEXED BY jobs_undrawn"
        " WHERE inputs <> '{}' AND state IN ('failed', 'cancelled') AND aged < 2 AND finished_at < :before"
        " ORDER BY finished_at LIMIT :batch"
    )
    return _ids(db, sql, before=before)


def _gridded(db: sqlite3.Connection, *, before: float) -> list[JobId]:
    sql = (
        "SELECT id FROM jobs INDEXED BY jobs_stored"
        " WHERE state = 'succeeded' AND aged < 2 AND aged < 1 AND finished_at < :before"
        " AND json_array_length(files) > 1 ORDER BY finished_at LIMIT :batch"
    )
    return _ids(db, sql, before=before)


def _ids(db: sqlite3.Connection, sql: str, **values: object) -> list[JobId]:
    values |= {"batch": BATCH, "needed": json.dumps(sorted(_needed(db)))}
    return [JobId(row[0]) for row in db.execute(sql, values)]


def _mark(db: sqlite3.Connection, *, job_ids: Sequence[JobId], aged: Aged) -> None:
    db.executemany("UPDATE jobs SET aged = ? WHERE id = ?", [(aged.value, job_id) for job_id in job_ids])


def _forget(db: sqlite3.Connection, *, before: float) -> list[JobId]:
    sql = (
        "SELECT id FROM jobs INDEXED BY jobs_over WHERE finished_at < :before"
        " AND id NOT IN (SELECT value FROM json_each(:needed)) ORDER BY finished_at LIMIT :batch"
    )
    found = _ids(db, sql, before=before)
    db.executemany("DELETE FROM jobs WHERE id = ?", [(job_id,) for job_id in found])
    return found
