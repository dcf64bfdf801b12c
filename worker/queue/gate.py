"""Who may order, and whether anything is claimed: what is asked of the database before both."""

import sqlite3

from worker.admin import QueueMode, Restriction
from worker.api import ErrorCode, JobId, Rejected


def mode(db: sqlite3.Connection) -> QueueMode:
    """Return whether workers may claim and people may order."""
    return QueueMode(db.execute("SELECT mode FROM queue_control").fetchone()[0])


def restriction(db: sqlite3.Connection, user_id: int, now: float) -> Restriction | None:
    """Return what keeps *user_id* from ordering; a timeout that is over keeps nobody."""
    row = db.execute(
        "SELECT user_id, kind, until, reason, created_at FROM restrictions"
        " WHERE user_id = ? AND (until IS NULL OR until > ?)",
        (user_id, now),
    ).fetchone()
    return None if row is None else Restriction(**row)


def check_person(db: sqlite3.Connection, user_id: int, now: float) -> None:
    """Refuse whoever may not order.

    Raises:
        Rejected: ``BLOCKED`` or ``TIMED_OUT``, with ``until`` in Unix seconds, 0 for no end.
    """
    found = restriction(db, user_id, now)
    if found is None:
        return
    code = ErrorCode.BLOCKED if found.until is None else ErrorCode.TIMED_OUT
    reason = f" {found.reason}" if found.reason else ""
    raise Rejected(code, until=int(found.until or 0), reason=reason)


def check_open(db: sqlite3.Connection) -> None:
    """Refuse new work while the queue is drained; a paused one takes it and lets it wait.

    Raises:
        Rejected: ``QUEUE_DRAINING``.
    """
    if mode(db) is QueueMode.DRAINING:
        raise Rejected(ErrorCode.QUEUE_DRAINING)


def check_model(db: sqlite3.Connection, name: str) -> None:
    """Refuse a model that was switched off; one nobody spoke about is on.

    Raises:
        Rejected: ``MODEL_OFF``.
    """
    if db.execute("SELECT 1 FROM models WHERE name = ? AND NOT enabled", (name,)).fetchone():
        raise Rejected(ErrorCode.MODEL_OFF, model=name)


def hold(db: sqlite3.Connection, job_id: JobId) -> tuple[bool, str]:
    """Return how an admin keeps a waiting job from being drawn.

    That is whether the queue is not open, and the job's model, if that was switched off.
    """
    found = db.execute(
        "SELECT models.name FROM jobs JOIN models ON models.name = jobs.model"
        " WHERE id = ? AND NOT enabled AND json_extract(recipe, '$.kind') = 'drawing'",
        (job_id,),
    ).fetchone()
    return mode(db) is not QueueMode.OPEN, "" if found is None else str(found["name"])
