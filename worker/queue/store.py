"""The worker's side of the queue: claims, leases and outcomes."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from parser import Speed
from worker.api import LANES, ErrorCode, JobId, JobState, Limits, Progress
from worker.database import Database
from worker.queue.claims import (
    ATTEMPTS,
    LEASE_SECONDS,
    RETRY_SECONDS,
    Able,
    Claim,
    Sitting,
    lease,
    may_lease,
)
from worker.queue.grouping import Grouping
from worker.queue.rows import StaleJob, move

HEARTBEAT_SECONDS = 3.0  # a lease survives four that did not come through

ClaimId = tuple[JobId, int]  # the job and the attempt that was claimed


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
        self._grouping = Grouping()

    async def claim(
        self,
        worker: str,
        free: Mapping[Speed, int],
        *,
        newcomers: int = 0,
        ready: frozenset[str] | None = None,
        absent: frozenset[str] = frozenset(),
    ) -> list[Claim]:
        """Lease the jobs whose turn it is, in their order.

        Nothing is claimed while the queue is paused or drained. Promoted jobs come first. Then lanes are
        served turbo, fast, relax; people in a lane take turns; nobody has more than the limit running. A job
        is claimed while its lane has a free place, even if it has more pictures than that: people whose turn
        it is are not passed over for being large. A job on which a worker died is claimed alone: when its
        turn has come, the worker first ends what it has, and takes nothing beside it. With nothing to claim
        it only reads.

        Args:
            worker: Name of the claiming worker, the one of its lock file.
            free: Pictures the device would take now, by lane; each claim is counted against every lane.
            newcomers: Pictures it would take in all if those beyond were of people who have nothing running,
                so that a flood that fills the device keeps nobody waiting.
            ready: Models it draws with before another has to leave its memory; None: all. Jobs of those pass
                over the others for a while: see `Grouping`.
            absent: Models it does not have yet; their jobs wait.
        """
        sittings = [Sitting(speed, free.get(speed, 0), 0, promoted=True) for speed in LANES]
        sittings += [Sitting(speed, free.get(speed, 0), self._limits.running) for speed in LANES]
        sittings += [Sitting(speed, newcomers, 1, newcomers=True) for speed in LANES]
        now = self._clock()
        able = Able(self._grouping.wanted(ready, now), absent)
        looking = partial(may_lease, worker=worker, sittings=sittings, now=now, able=able)
        if not await self._database.read(looking):
            return []
        work = partial(lease, worker=worker, sittings=sittings, now=now, able=able)
        leased = await self._database.write(work)
        self._grouping.claimed(passed=leased.passed, now=now)
        return leased.claims

    async def changed(self, seen: int, *, within: float) -> int:
        """Return once anything was written since a call that returned *seen*, or after *within* seconds."""
        return await self._database.changed(seen, within=within)

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
        """Queue the job again, for later, if that is worth an attempt and one is left, else record *code*.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        await self._settle(claim_id, partial(_fail, code=code, retryable=retryable, wait=RETRY_SECONDS))

    async def cancelled(self, claim_id: ClaimId) -> None:
        """Record that the job was stopped.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        await self._settle(claim_id, partial(_finish, target=JobState.CANCELLED))

    async def hand_back(self, claim_id: ClaimId, kept: bytes | None = None) -> None:
        """Queue the job again without using an attempt; one that was to be cancelled is.

        Args:
            claim_id: Job and attempt.
            kept: What it takes to go on with it, for `kept_of` of the next attempt.

        Raises:
            StaleJob: Another attempt owns the job, or nobody.
        """
        await self._settle(claim_id, partial(_hand_back, kept=kept))

    async def kept_of(self, job_id: JobId) -> bytes | None:
        """Return what it takes to go on with a claimed job, None if it begins anew."""
        return await self._database.read(partial(_kept, job_id=job_id))

    async def release(self, worker: str) -> None:
        """Hand back everything *worker* has, also what it does not know it has claimed."""
        await self._database.write(partial(_release, worker=worker, now=self._clock()))

    async def _settle(
        self, claim_id: ClaimId, outcome: Callable[[sqlite3.Connection, ClaimId, float], None]
    ) -> None:
        now = self._clock()
        await self._database.write(lambda db: outcome(db, claim_id, now))


def bury(db: sqlite3.Connection, worker: str, now: float) -> int:
    """Take back every job of a worker that died, and return how many it had.

    One that was there alone has used an attempt: it is queued again, or out of them. Of several any may have
    killed it, so that none has used one. All are drawn alone from now on, so that whichever does it again
    does it alone, at most `ATTEMPTS` times.
    """
    claims = _claims(db, worker)
    for claim_id in claims:
        if len(claims) == 1:
            _fail(db, claim_id, now, code=ErrorCode.ATTEMPTS_EXHAUSTED, retryable=True, alone=True)
        else:
            hand_back(db, claim_id, now, alone=True)
    return len(claims)


def hand_back(db: sqlite3.Connection, claim_id: ClaimId, now: float, *, alone: bool = False) -> None:
    """Queue a job again without using an attempt; one that was to be cancelled is.

    Raises:
        StaleJob: Another attempt owns the job, or nobody.
    """
    job_id, attempt = claim_id
    target = JobState.CANCELLED if _row(db, job_id)["cancel_requested"] else JobState.QUEUED
    move(db, job_id, JobState.RUNNING, target, now=now, attempt=attempt, spare=True, alone=alone)


def _hand_back(db: sqlite3.Connection, claim_id: ClaimId, now: float, *, kept: bytes | None) -> None:
    hand_back(db, claim_id, now)
    if kept is not None:
        db.execute(
            "INSERT INTO unfinished (job_id, kept) SELECT id, ? FROM jobs WHERE id = ? AND state = 'queued'",
            (kept, claim_id[0]),
        )


def _kept(db: sqlite3.Connection, *, job_id: JobId) -> bytes | None:
    row = db.execute("SELECT kept FROM unfinished WHERE job_id = ?", (job_id,)).fetchone()
    return None if row is None else bytes(row["kept"])


def _release(db: sqlite3.Connection, *, worker: str, now: float) -> None:
    for claim_id in _claims(db, worker):
        hand_back(db, claim_id, now)


def _claims(db: sqlite3.Connection, worker: str) -> Sequence[ClaimId]:
    rows = db.execute(
        "SELECT id, attempt FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND worker = ?",
        (worker,),
    )
    return [(JobId(row["id"]), row["attempt"]) for row in rows]


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
        " SELECT id, :fraction, :paused, :preview, :at FROM jobs WHERE id = :job_id AND state = 'running'"
        " ON CONFLICT (job_id) DO UPDATE SET fraction = excluded.fraction, paused = excluded.paused,"
        " preview = coalesce(excluded.preview, preview), at = excluded.at",
        [row.model_dump() for row in rows],
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


def _fail(
    db: sqlite3.Connection,
    claim_id: ClaimId,
    now: float,
    *,
    code: ErrorCode,
    retryable: bool,
    alone: bool = False,
    wait: float = 0.0,
) -> None:
    job_id, attempt = claim_id
    row = _row(db, job_id)
    target = _after_failure(row, retryable=retryable)
    move(
        db,
        job_id,
        JobState.RUNNING,
        target,
        now=now,
        attempt=attempt,
        error=code if target is JobState.FAILED else None,
        alone=alone,
        retry_at=now + wait * row["used"],
    )


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
