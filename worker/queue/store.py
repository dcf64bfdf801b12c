"""The worker's side of the queue: claims, leases and outcomes."""

import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from parser import Speed
from worker.api import ErrorCode, Job, JobId, JobState, Limits, Progress
from worker.database import Database
from worker.queue import fairness
from worker.queue.rows import RECIPE, StaleJob, find, move, take
from worker.recipe import Recipe

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 3.0  # a lease survives four that did not come through
ATTEMPTS = 3

ClaimId = tuple[JobId, int]  # the job and the attempt that was claimed


@dataclass(frozen=True, slots=True)
class Claim:
    """A job leased to a worker. *attempt* grows with every claim and fences late reports."""

    job: Job
    recipe: Recipe
    attempt: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker learns when it renews its leases.

    Attributes:
        cancel_requested: Jobs whose people want them stopped.
        lost: Jobs that are no longer its own; whatever it reports of them is refused.
    """

    cancel_requested: frozenset[JobId]
    lost: frozenset[JobId]


class Store:
    """What a worker may do with the queue.

    A claim is a lease of `LEASE_SECONDS`, to be renewed every `HEARTBEAT_SECONDS`. Every outcome names job
    and attempt and raises `StaleJob` when another attempt, or nobody, owns the job by then.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float], limits: Limits) -> None:
        """Use *database*; *clock* tells Unix seconds, of *limits* only ``running`` counts here."""
        self._database = database
        self._clock = clock
        self._limits = limits

    async def claim(self, worker: str, free: Mapping[Speed, int], *, newcomers: int = 0) -> list[Claim]:
        """Lease the jobs whose turn it is, in their order.

        Lanes are served turbo, fast, relax; people in a lane take turns; nobody has more than the limit
        running. A job is claimed while its lane has a free place, even if it has more pictures than that:
        people whose turn it is are not passed over for being large. With nothing waiting it only reads.

        Args:
            worker: Name of the claiming worker, the one of its lock file.
            free: Pictures the device would take now, by lane; each claim is counted against every lane.
            newcomers: Pictures it would take beyond those of people who have nothing running, so that a
                flood that fills the device keeps nobody waiting.
        """
        limits = [(speed, self._limits.running) for speed in fairness.LANES if free.get(speed, 0) > 0]
        if newcomers > 0:
            limits += [(speed, 1) for speed in fairness.LANES]
        if not limits or not await self._database.read(partial(_anyone_may_start, limits=limits)):
            return []
        work = partial(
            _claim,
            worker=worker,
            free=free,
            newcomers=newcomers,
            limit=self._limits.running,
            now=self._clock(),
        )
        return await self._database.write(work)

    async def heartbeat(self, worker: str, claims: Collection[ClaimId]) -> Heartbeat:
        """Renew the leases of *claims* and tell what became of them."""
        if not claims:
            return Heartbeat(frozenset(), frozenset())
        work = partial(_renew, worker=worker, claims=claims, lease_until=self._clock() + LEASE_SECONDS)
        return await self._database.write(work, durable=False)

    async def cancel_requested(self, worker: str) -> frozenset[JobId]:
        """Return which of *worker*'s jobs shall stop; cheap, to be asked between heartbeats."""
        return await self._database.read(partial(_flagged, worker=worker))

    async def report(self, rows: Collection[Progress]) -> None:
        """Overwrite the progress of running jobs; a row without a preview keeps the one before."""
        if rows:
            await self._database.write(partial(_report, rows=rows), durable=False)

    async def succeed(self, claim_id: ClaimId, files: tuple[str, ...], device_seconds: float) -> None:
        """Record the stored pictures of a job, also of one that was to be cancelled.

        Args:
            claim_id: Job and attempt.
            files: Names in the picture folder, the grid first; already stored.
            device_seconds: This job's share of the device's time.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        work = partial(_succeed, files=files, device_seconds=device_seconds)
        await self._settle(claim_id, work)

    async def fail(self, claim_id: ClaimId, code: ErrorCode, *, retryable: bool) -> None:
        """Queue the job again if that is worth an attempt and one is left, else record *code*.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        await self._settle(claim_id, partial(_fail, code=code, retryable=retryable))

    async def cancelled(self, claim_id: ClaimId) -> None:
        """Record that the job was stopped.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        await self._settle(claim_id, partial(_finish, target=JobState.CANCELLED))

    async def hand_back(self, claim_id: ClaimId) -> None:
        """Queue the job again without using an attempt; one that was to be cancelled is.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        await self._settle(claim_id, _hand_back)

    async def _settle(
        self, claim_id: ClaimId, outcome: Callable[[sqlite3.Connection, ClaimId, float], None]
    ) -> None:
        now = self._clock()
        await self._database.write(lambda db: outcome(db, claim_id, now))


def expire(db: sqlite3.Connection, claim_id: ClaimId, now: float) -> None:
    """Take a job back from a worker that died on it: queued again, or cancelled, or out of attempts.

    Raises:
        StaleJob: Another attempt owns the job, or nobody.
    """
    _fail(db, claim_id, now, code=ErrorCode.ATTEMPTS_EXHAUSTED, retryable=True)


def _anyone_may_start(db: sqlite3.Connection, *, limits: Collection[tuple[Speed, int]]) -> bool:
    """Tell whether somebody waits in one of the lanes and has fewer jobs running than its limit."""
    if db.execute("SELECT 1 FROM people WHERE waiting > 0 LIMIT 1").fetchone() is None:
        return False
    running = _running(db)
    return any(_next_owner(db, speed, running, limit) is not None for speed, limit in limits)


def _running(db: sqlite3.Connection) -> dict[int, int]:
    return {
        row["owner_id"]: row["jobs"]
        for row in db.execute(
            "SELECT owner_id, count(*) AS jobs FROM jobs INDEXED BY jobs_running"
            " WHERE state = 'running' GROUP BY owner_id"
        )
    }


def _claim(
    db: sqlite3.Connection,
    *,
    worker: str,
    free: Mapping[Speed, int],
    newcomers: int,
    limit: int,
    now: float,
) -> list[Claim]:
    running = _running(db)

    def start(places: Mapping[Speed, int], most_running: int) -> list[Claim]:
        claims: list[Claim] = []
        taken = 0
        for speed in fairness.LANES:
            while places.get(speed, 0) > taken:
                owner_id = _next_owner(db, speed, running, most_running)
                if owner_id is None:
                    break
                claim, pictures = _lease_first(db, speed, owner_id, worker=worker, now=now)
                claims.append(claim)
                taken += pictures
                running[owner_id] = running.get(owner_id, 0) + 1
        return claims

    return start(free, limit) + start(dict.fromkeys(fairness.LANES, newcomers), 1)


def _next_owner(db: sqlite3.Connection, speed: Speed, running: Mapping[int, int], limit: int) -> int | None:
    rows = db.execute(
        "SELECT turn, joined, owner_id, waiting FROM people"
        " WHERE speed = ? AND waiting > 0 ORDER BY turn, joined",
        (speed,),
    )
    return fairness.next_owner((fairness.Line(*row) for row in rows), running, limit=limit)


def _lease_first(
    db: sqlite3.Connection, speed: Speed, owner_id: int, *, worker: str, now: float
) -> tuple[Claim, int]:
    """Lease the person's first job in the lane and return it with its number of pictures."""
    row = db.execute(
        "SELECT id, recipe, pictures FROM jobs WHERE state = 'queued' AND speed = ? AND owner_id = ?"
        " ORDER BY work, seq LIMIT 1",
        (speed, owner_id),
    ).fetchone()
    event = take(db, row["id"], worker=worker, now=now, lease_until=now + LEASE_SECONDS)
    db.execute("UPDATE people SET turn = ? WHERE owner_id = ? AND speed = ?", (event, owner_id, speed))
    job = find(db, row["id"])
    return Claim(job, RECIPE.validate_json(row["recipe"]), job.attempt), row["pictures"]


def _renew(
    db: sqlite3.Connection, *, worker: str, claims: Collection[ClaimId], lease_until: float
) -> Heartbeat:
    lost = frozenset(
        job_id
        for job_id, attempt in claims
        if not db.execute(
            "UPDATE jobs SET lease_until = ? WHERE id = ? AND attempt = ? AND worker = ?",
            (lease_until, job_id, attempt, worker),
        ).rowcount
    )
    return Heartbeat(_flagged(db, worker=worker), lost)


def _flagged(db: sqlite3.Connection, *, worker: str) -> frozenset[JobId]:
    rows = db.execute(
        "SELECT id FROM jobs INDEXED BY jobs_running"
        " WHERE state = 'running' AND worker = ? AND cancel_requested",
        (worker,),
    )
    return frozenset(JobId(row["id"]) for row in rows)


def _report(db: sqlite3.Connection, *, rows: Collection[Progress]) -> None:
    db.executemany(
        "INSERT INTO progress (job_id, fraction, paused, preview, at)"
        " SELECT id, ?2, ?3, ?4, ?5 FROM jobs WHERE id = ?1 AND state = 'running'"
        " ON CONFLICT (job_id) DO UPDATE SET fraction = excluded.fraction, paused = excluded.paused,"
        " preview = coalesce(excluded.preview, preview), at = excluded.at",
        [(row.job_id, row.fraction, row.paused, row.preview, row.at) for row in rows],
    )


def _finish(db: sqlite3.Connection, claim_id: ClaimId, now: float, *, target: JobState) -> None:
    job_id, attempt = claim_id
    move(db, job_id, JobState.RUNNING, target, now=now, attempt=attempt)


def _succeed(
    db: sqlite3.Connection, claim_id: ClaimId, now: float, *, files: tuple[str, ...], device_seconds: float
) -> None:
    job_id, attempt = claim_id
    move(
        db,
        job_id,
        JobState.RUNNING,
        JobState.SUCCEEDED,
        now=now,
        attempt=attempt,
        files=files,
        device_seconds=device_seconds,
    )
    db.execute(
        "UPDATE people SET pictures = pictures + 1, seconds = seconds + ?"
        " WHERE (owner_id, speed) = (SELECT owner_id, speed FROM jobs WHERE id = ?)",
        (device_seconds, job_id),
    )


def _fail(db: sqlite3.Connection, claim_id: ClaimId, now: float, *, code: ErrorCode, retryable: bool) -> None:
    job_id, attempt = claim_id
    target = _after_failure(_row(db, job_id), retryable=retryable)
    error = code if target is JobState.FAILED else None
    move(db, job_id, JobState.RUNNING, target, now=now, attempt=attempt, error=error)


def _hand_back(db: sqlite3.Connection, claim_id: ClaimId, now: float) -> None:
    job_id, attempt = claim_id
    target = JobState.CANCELLED if _row(db, job_id)["cancel_requested"] else JobState.QUEUED
    move(db, job_id, JobState.RUNNING, target, now=now, attempt=attempt, spare=True)


def _row(db: sqlite3.Connection, job_id: JobId) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT attempt - spared AS used, cancel_requested FROM jobs WHERE id = ?", (job_id,)
    ).fetchone()
    if row is None:
        raise StaleJob(job_id)
    return row


def _after_failure(row: sqlite3.Row, *, retryable: bool) -> JobState:
    if row["cancel_requested"]:
        return JobState.CANCELLED
    return JobState.QUEUED if retryable and row["used"] < ATTEMPTS else JobState.FAILED
