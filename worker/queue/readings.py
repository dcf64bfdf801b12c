"""What an operator may count about the queue: read when somebody asks, never in between."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.api import EventId, JobState

STRIDE = 5000  # events dealt with at one look; the rest wait for the next


@dataclass(frozen=True, slots=True)
class Passage:
    """A job that entered a state.

    Attributes:
        state: The state it entered.
        speed: Its lane.
        kind: Of its order, such as ``imagine``.
        since_ordered: Seconds from its acceptance until then.
        device_seconds: Its share of the device's time, once it succeeded.
        first: Whether it was claimed once only so far.
        error: Why it failed, if it did.
    """

    state: JobState
    speed: str
    kind: str
    since_ordered: float
    device_seconds: float | None
    first: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class Readings:
    """The queue at one moment, and what happened since an event.

    Attributes:
        jobs: How many are queued or running, by lane and state.
        oldest: When the one that waits longest was accepted, Unix seconds; None where none waits.
        passages: What happened, oldest first.
        last: The newest event among them.
    """

    jobs: Mapping[tuple[str, str], int]
    oldest: float | None
    passages: Sequence[Passage]
    last: EventId


def taken(db: sqlite3.Connection, *, after: EventId) -> Readings:
    """Return the queue as it is, and what happened after the event *after*."""
    jobs = {(row["speed"], row["state"]): row["jobs"] for row in db.execute(_JOBS)}
    oldest = db.execute("SELECT min(created_at) FROM jobs WHERE state = 'queued'").fetchone()[0]
    rows = db.execute(_PASSAGES, (after, STRIDE)).fetchall()
    return Readings(jobs, oldest, [_passage(row) for row in rows if row["speed"]], _last(rows, after))


def now_at(db: sqlite3.Connection) -> EventId:
    """Return the newest event, 0 where there is none."""
    return EventId(db.execute("SELECT coalesce(max(id), 0) FROM job_events").fetchone()[0])


_JOBS = (
    "SELECT speed, 'queued' AS state, sum(waiting) AS jobs FROM people WHERE waiting > 0 GROUP BY speed"
    " UNION ALL SELECT speed, 'running', count(*) FROM jobs INDEXED BY jobs_running"
    " WHERE state = 'running' GROUP BY speed"
)
_PASSAGES = (
    "SELECT e.id, e.state, e.at - j.created_at AS since, j.speed, j.device_seconds, j.attempt, j.error,"
    " json_extract(j.order_json, '$.kind') AS kind"
    " FROM job_events AS e LEFT JOIN jobs AS j ON j.id = e.job_id WHERE e.id > ? ORDER BY e.id LIMIT ?"
)


def _passage(row: sqlite3.Row) -> Passage:
    return Passage(
        state=JobState(row["state"]),
        speed=row["speed"],
        kind=row["kind"],
        since_ordered=max(0.0, row["since"]),
        device_seconds=row["device_seconds"],
        first=row["attempt"] == 1,
        error=row["error"],
    )


def _last(rows: Sequence[sqlite3.Row], after: EventId) -> EventId:
    return EventId(rows[-1]["id"]) if rows else after
