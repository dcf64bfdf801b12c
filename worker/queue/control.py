"""What admins do to the queue, in the caller's transaction; every function tells what it changed."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from worker.admin import AdminCode, AdminError, QueueMode
from worker.api import Job, JobId, JobState
from worker.deeds import Cancel, Clear, Promote, Retry, SetMode, Verb, Which
from worker.queue.desk import cancel
from worker.queue.gate import check_person, mode
from worker.queue.rows import Draft, find, find_by_key, insert, recipe_of

MODES = {
    Verb.QUEUE_PAUSE: QueueMode.PAUSED,
    Verb.QUEUE_RESUME: QueueMode.OPEN,
    Verb.QUEUE_DRAIN: QueueMode.DRAINING,
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a deed changed, for the record; nothing if before and after are equal.

    Attributes:
        target: On what it was done.
        before: What was so.
        after: What is so now.
        touched: Jobs it stopped, or that wait for what it changed.
        job: The job it ordered.
    """

    target: str
    before: Mapping[str, JsonValue] = field(default_factory=dict)
    after: Mapping[str, JsonValue] = field(default_factory=dict)
    touched: int = 0
    job: Job | None = None


def set_mode(db: sqlite3.Connection, deed: SetMode, now: float) -> Effect:
    """Open, pause or drain the queue."""
    before, after = mode(db), MODES[deed.verb]
    if before is not after:
        db.execute("UPDATE queue_control SET mode = ?, changed_at = ?", (after, now))
    return Effect("queue", {"mode": before}, {"mode": after})


def promote(db: sqlite3.Connection, deed: Promote) -> Effect:
    """Put a waiting job behind those promoted before it and before all others.

    Raises:
        JobNotFound: There is no such job.
        AdminError: ``JOB_NOT_WAITING``.
    """
    job = find(db, deed.job_id)
    if job.state is not JobState.QUEUED:
        raise AdminError(AdminCode.JOB_NOT_WAITING, state=job.state.value)
    target = f"job {job.id}"
    number = db.execute("SELECT promoted FROM jobs WHERE id = ?", (job.id,)).fetchone()[0]
    if number:
        return Effect(target)
    last = db.execute(
        "SELECT coalesce(max(promoted), 0) FROM jobs INDEXED BY jobs_promoted"
        " WHERE state = 'queued' AND promoted > 0"
    ).fetchone()[0]
    db.execute("UPDATE jobs SET promoted = ? WHERE id = ?", (last + 1, job.id))
    return Effect(target, {"promoted": False}, {"promoted": True})


def retry(db: sqlite3.Connection, deed: Retry, new_id: JobId, now: float) -> Effect:
    """Order a failed or stopped job once more, with the same seed, shown where the first was ordered.

    Raises:
        JobNotFound: There is no such job.
        AdminError: ``JOB_NOT_OVER``, or ``RETRIED_BEFORE`` with the job that did.
        Rejected: Its owner may not order.
    """
    job = find(db, deed.job_id)
    if job.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise AdminError(AdminCode.JOB_NOT_OVER, state=job.state.value)
    key = f"retry {job.id}"
    again = find_by_key(db, key)
    if again is not None:
        raise AdminError(AdminCode.RETRIED_BEFORE, job_id=again.id)
    check_person(db, job.owner_id, now)
    insert(db, _again(job, db, key, new_id), now=now)
    return Effect(f"job {job.id}", {"state": job.state}, {"ordered": new_id}, job=find(db, new_id))


def _again(job: Job, db: sqlite3.Connection, key: str, new_id: JobId) -> Draft:
    return Draft(
        id=new_id,
        key=key,
        order=job.order,
        request=job.request,
        recipe=recipe_of(db, job.id),
        origin=job.origin,
        owner_id=job.owner_id,
        speed=job.speed,
        seed=job.seed,
        model=job.model,
        width=job.width,
        height=job.height,
    )


def stop_many(db: sqlite3.Connection, deed: Cancel | Clear, now: float, locks: Path) -> Effect:
    """Stop all jobs that fit: of `Cancel` also the running ones.

    Raises:
        JobNotFound: The one job that is named does not exist.
        AdminError: ``NOTHING_NAMED``: a cancel of everything is a clear.
    """
    which = deed.which
    if isinstance(deed, Cancel) and which.everything:
        raise AdminError(AdminCode.NOTHING_NAMED)
    if which.job_id is not None:
        find(db, which.job_id)
    found = under_way(db, which, running=isinstance(deed, Cancel))
    before, after = stop(db, found, now, locks)
    return Effect(target_of(which), before, after, touched=len(found))


def stop(
    db: sqlite3.Connection, found: Collection[JobId], now: float, locks: Path
) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Stop jobs and return the facts for the record: how many there were in which state."""
    before = _states(find(db, job_id) for job_id in found)
    after = _states(cancel(db, job_id=job_id, now=now, locks=locks) for job_id in found)
    if JobState.RUNNING in after:
        after["stopping"] = after.pop(JobState.RUNNING)  # the worker is told; it ends after its step
    return before, after


def under_way(db: sqlite3.Connection, which: Which, *, running: bool) -> list[JobId]:
    """Return the waiting and perhaps the running jobs that fit, but for those already asked to stop."""
    rows = db.execute(
        "SELECT id FROM jobs WHERE state IN ('queued', :also) AND NOT cancel_requested"
        " AND (:job_id IS NULL OR id = :job_id)"
        " AND (:owner_id IS NULL OR owner_id = :owner_id) AND (:speed IS NULL OR speed = :speed)"
        " ORDER BY seq",
        {**which.model_dump(), "also": "running" if running else "queued"},
    )
    return [JobId(row["id"]) for row in rows]


def target_of(which: Which) -> str:
    """Return what *which* names, for the record."""
    parts = (
        f"job {which.job_id}" if which.job_id else "",
        f"user {which.owner_id}" if which.owner_id else "",
        f"lane {which.speed}" if which.speed else "",
    )
    return ", ".join(filter(None, parts)) or "queue"


def _states(jobs: Iterable[Job]) -> dict[str, JsonValue]:
    counted = Counter(job.state.value for job in jobs)
    return {state: counted[state] for state in sorted(counted)}
