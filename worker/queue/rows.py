"""A job's row: how it is read, and the only statements that say which state it is in."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from parser import ImagineRequest, Speed
from worker.api import (
    TRANSITIONS,
    ErrorCode,
    EventId,
    Job,
    JobEvent,
    JobId,
    JobNotFound,
    JobState,
    Order,
)
from worker.cost import grains, work
from worker.queue import ledger, turns
from worker.queue.ledger import FREE, Payment
from worker.recipe import Recipe, picture_count

ORDER: TypeAdapter[Order] = TypeAdapter(Order)
RECIPE: TypeAdapter[Recipe] = TypeAdapter(Recipe)

JOB_COLUMNS = (
    "id, order_json, request, state, speed, owner_id, seed, attempt, cancel_requested, origin, model,"
    " model_hash, width, height, files, error, created_at, started_at, finished_at"
)
SELECT_JOBS = f"SELECT {JOB_COLUMNS} FROM jobs "  # noqa: S608 - constant
_JOB_COLUMNS = tuple(JOB_COLUMNS.split(", "))

_MOVE = (
    "UPDATE jobs SET state = :target, worker = NULL, lease_until = NULL,"
    " started_at = CASE :target WHEN 'queued' THEN NULL ELSE started_at END,"
    " finished_at = :finished_at, files = :files, error = :error, device_seconds = :device_seconds,"
    " spared = spared + :spare, alone = max(alone, :alone), retry_at = :retry_at"
    " WHERE id = :id AND state = :source AND attempt = coalesce(:attempt, attempt)"
)


class StaleJob(Exception):  # noqa: N818 - a state of the row
    """The job is no longer where the caller believes it: cancelled, taken back, or claimed anew."""

    def __init__(self, job_id: JobId) -> None:
        super().__init__(job_id)
        self.job_id = job_id


@dataclass(frozen=True, slots=True)
class Draft:
    """A job about to be stored: queued with its recipe, or at once succeeded with its files."""

    id: JobId
    key: str
    order: Order
    request: ImagineRequest
    recipe: Recipe | None
    origin: str
    owner_id: int
    speed: Speed
    seed: int
    model: str
    width: int
    height: int
    model_hash: str | None = None  # of what drew it, where that is known before
    credits: float = 0.0  # what it costs; see worker/cost.py
    batch: str | None = None  # the permutation batch it belongs to
    files: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)  # stored pictures it names, by address

    @property
    def state(self) -> JobState:
        """The state it is stored in."""
        return JobState.SUCCEEDED if self.files else JobState.QUEUED


def to_job(row: sqlite3.Row, **changed: object) -> Job:
    """Return the job of a row that has `JOB_COLUMNS`, and others perhaps, with what has *changed* since."""
    values: dict[str, Any] = {name: row[name] for name in _JOB_COLUMNS}
    values["order"] = ORDER.validate_json(values.pop("order_json"))
    values["request"] = ImagineRequest.model_validate_json(values["request"])
    values["cancel_requested"] = bool(values["cancel_requested"])
    values["files"] = tuple(json.loads(values["files"]))
    return Job(**values | changed)


def to_event(row: sqlite3.Row) -> JobEvent:
    """Return the event of a row of ``job_events``."""
    return JobEvent(id=EventId(row["id"]), job_id=JobId(row["job_id"]), state=row["state"], at=row["at"])


def find(db: sqlite3.Connection, job_id: JobId) -> Job:
    """Return one job.

    Raises:
        JobNotFound: There is no such job.
    """
    row = db.execute(SELECT_JOBS + "WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFound(job_id)
    return to_job(row)


def find_by_key(db: sqlite3.Connection, key: str) -> Job | None:
    """Return the job that *key* was accepted as."""
    row = db.execute(SELECT_JOBS + "WHERE key = ?", (key,)).fetchone()
    return None if row is None else to_job(row)


def recipe_of(db: sqlite3.Connection, job_id: JobId) -> Recipe | None:
    """Return what is drawn for *job_id*, None where nothing was."""
    row = db.execute("SELECT recipe FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None or row["recipe"] is None else RECIPE.validate_json(row["recipe"])


def inputs_of(db: sqlite3.Connection, job_id: JobId) -> Mapping[str, str]:
    """Return the stored pictures that *job_id* names, by address."""
    row = db.execute("SELECT inputs FROM jobs WHERE id = ?", (job_id,)).fetchone()
    found: dict[str, str] = {} if row is None else json.loads(row["inputs"])
    return found


def insert(
    db: sqlite3.Connection,
    draft: Draft,
    *,
    payment: Payment = FREE,
    weight: float | None = None,
    now: float,
) -> Job:
    """Store a new job, its first event, and what it reserves; return it as `find` would.

    Args:
        db: In a write transaction.
        draft: The job.
        payment: Who pays for it.
        weight: Its owner's, in the order of people; None: as it was.
        now: Unix seconds.

    Raises:
        sqlite3.IntegrityError: Its key or id is taken.
    """
    if draft.state is JobState.QUEUED:
        turns.enter(db, draft.owner_id, draft.speed, weight=weight, now=now)
    db.execute(
        "INSERT INTO jobs (id, key, order_json, request, recipe, origin, owner_id, speed, work, pictures,"
        " credits, batch, behind, seed, model, model_hash, width, height, state, files, inputs, created_at,"
        " finished_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            draft.id,
            draft.key,
            draft.order.model_dump_json(),
            draft.request.model_dump_json(),
            None if draft.recipe is None else draft.recipe.model_dump_json(),
            draft.origin,
            draft.owner_id,
            draft.speed,
            0 if draft.recipe is None else work(draft.recipe),
            1 if draft.recipe is None else picture_count(draft.recipe),
            draft.credits,
            draft.batch,
            draft.batch is not None,
            draft.seed,
            draft.model,
            draft.model_hash,
            draft.width,
            draft.height,
            draft.state,
            json.dumps(draft.files),
            json.dumps(dict(draft.inputs)),
            now,
            now if draft.state.final else None,
        ),
    )
    if draft.credits and not draft.state.final:
        amount = grains(draft.credits)
        ledger.reserve(db, draft.id, draft.owner_id, amount, payment=payment, now=now)
    _append(db, draft.id, draft.state, now)
    return _accepted(draft, now)


def _accepted(draft: Draft, now: float) -> Job:
    """Return the job of a row just made of *draft*, without reading it back."""
    return Job(
        id=draft.id,
        order=draft.order,
        request=draft.request,
        state=draft.state,
        speed=draft.speed,
        owner_id=draft.owner_id,
        seed=draft.seed,
        attempt=0,
        cancel_requested=False,
        origin=draft.origin,
        model=draft.model,
        model_hash=draft.model_hash,
        width=draft.width,
        height=draft.height,
        files=draft.files,
        error=None,
        created_at=now,
        started_at=None,
        finished_at=now if draft.state.final else None,
    )


def move(
    db: sqlite3.Connection,
    job_id: JobId,
    source: JobState,
    target: JobState,
    *,
    now: float,
    attempt: int | None = None,
    files: tuple[str, ...] = (),
    error: ErrorCode | None = None,
    device_seconds: float | None = None,
    spare: bool = False,
    alone: bool = False,
    retry_at: float = 0.0,
) -> None:
    """Move a job from *source* to *target*, append the event, and at an end settle it: all or nothing.

    Args:
        db: In a write transaction.
        job_id: The job.
        source: Where the caller believes it to be.
        target: Any state but running, which is entered by `take`.
        now: Unix seconds.
        attempt: The claim the caller holds, None for one who needs none.
        files: Names of its pictures, when it succeeded.
        error: Why, when it failed.
        device_seconds: Time it took of the device, when it succeeded.
        spare: Whether the claim it leaves shall not count as an attempt.
        alone: Whether it may no longer share a worker with other jobs.
        retry_at: When it may be claimed again, if it is queued.

    Raises:
        StaleJob: It is no longer in *source*, or another attempt owns it.
    """
    if target not in TRANSITIONS[source] or target is JobState.RUNNING:
        raise ValueError(f"no way from {source} to {target}")
    moved = db.execute(
        _MOVE,
        {
            "id": job_id,
            "source": source,
            "target": target,
            "attempt": attempt,
            "finished_at": now if target.final else None,
            "files": json.dumps(files),
            "error": error,
            "device_seconds": device_seconds,
            "spare": spare,
            "alone": alone,
            "retry_at": retry_at,
        },
    ).rowcount
    if not moved:
        raise StaleJob(job_id)
    if target.final:
        ledger.settle(db, job_id, _done(db, job_id, target), now=now)
    db.execute("DELETE FROM progress WHERE job_id = ?", (job_id,))
    _append(db, job_id, target, now)


def _done(db: sqlite3.Connection, job_id: JobId, target: JobState) -> float:
    """Return which part of a job, 0..1, is charged at its end: all, nothing, or what was drawn of it."""
    if target is not JobState.CANCELLED:
        return float(target is JobState.SUCCEEDED)
    row = db.execute("SELECT fraction FROM progress WHERE job_id = ?", (job_id,)).fetchone()
    return 0.0 if row is None else float(row["fraction"])


def take(
    db: sqlite3.Connection, job_id: JobId, *, worker: str, now: float, lease_until: float, share: float = 0.0
) -> EventId:
    """Lease a queued job to *worker*, append the event and return its id.

    Args:
        db: In a write transaction.
        job_id: The job.
        worker: Name of its lock file.
        now: Unix seconds.
        lease_until: Likewise.
        share: By how much this claim moved its owner's line; see `turns.serve`.

    Raises:
        StaleJob: It is not queued.
    """
    taken = db.execute(
        "UPDATE jobs"
        " SET state = 'running', attempt = attempt + 1, worker = ?, lease_until = ?, started_at = ?,"
        " share = ? WHERE id = ? AND state = 'queued'",
        (worker, lease_until, now, share, job_id),
    ).rowcount
    if not taken:
        raise StaleJob(job_id)
    return _append(db, job_id, JobState.RUNNING, now)


def _append(db: sqlite3.Connection, job_id: JobId, state: JobState, now: float) -> EventId:
    row = db.execute("INSERT INTO job_events (job_id, state, at) VALUES (?, ?, ?)", (job_id, state, now))
    return EventId(row.lastrowid or 0)
