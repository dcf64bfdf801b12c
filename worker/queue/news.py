"""What people may be told about the queue: reads only."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from parser import Speed
from worker.api import LANES, EventId, Job, JobEvent, JobId, Progress, Usage
from worker.queue import fairness
from worker.queue.rows import SELECT_JOBS, to_event, to_job

MEASURED = 20  # finished jobs an estimate rests on


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queued job stands in its lane, and the estimate until it starts."""

    place: int
    wait_seconds: float | None


def recent(db: sqlite3.Connection, *, owner_id: int | None, limit: int) -> Sequence[Job]:
    """Return the newest jobs first, of one person or of all."""
    if owner_id is None:
        rows = db.execute(SELECT_JOBS + "ORDER BY seq DESC LIMIT ?", (limit,))
    else:
        rows = db.execute(SELECT_JOBS + "WHERE owner_id = ? ORDER BY seq DESC LIMIT ?", (owner_id, limit))
    return [to_job(row) for row in rows]


def progress(db: sqlite3.Connection, *, job_ids: Collection[JobId]) -> Mapping[JobId, Progress]:
    """Return the latest progress of those running."""
    rows = db.execute(
        "SELECT job_id, fraction, paused, preview, at FROM progress"
        " WHERE job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(job_ids)),),
    )
    return {JobId(row["job_id"]): Progress(**row) for row in rows}


def events(db: sqlite3.Connection, *, after: EventId, limit: int) -> Sequence[JobEvent]:
    """Return the events that follow *after*, oldest first."""
    rows = db.execute(
        "SELECT id, job_id, state, at FROM job_events WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    )
    return [to_event(row) for row in rows]


def last_event(db: sqlite3.Connection) -> EventId:
    """Return the id of the newest event there ever was, pruned or not; 0 if there was none."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'job_events'").fetchone()
    return EventId(0 if row is None else row["seq"])


def usage(db: sqlite3.Connection, *, owner_id: int) -> Usage:
    """Return what *owner_id* has made and has under way."""
    lanes = {
        Speed(row["speed"]): row
        for row in db.execute(
            "SELECT speed, waiting, pictures, seconds FROM people WHERE owner_id = ?", (owner_id,)
        )
    }
    running = db.execute(
        "SELECT id FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND owner_id = ? ORDER BY seq",
        (owner_id,),
    )
    return Usage(
        queued={speed: row["waiting"] for speed, row in lanes.items() if row["waiting"]},
        running=tuple(JobId(row["id"]) for row in running),
        pictures={speed: row["pictures"] for speed, row in lanes.items() if row["pictures"]},
        seconds={speed: row["seconds"] for speed, row in lanes.items() if row["pictures"]},
    )


def place(db: sqlite3.Connection, *, job_id: JobId) -> Place | None:
    """Return where a queued job stands, or None if it is not queued.

    People take turns. So by the time somebody's job number *rank* starts, everyone ahead of them in the lane
    has had *rank* of theirs, as far as they have so many, and everyone behind one less.
    """
    row = db.execute(
        "SELECT speed, owner_id, work, seq, turn, joined FROM jobs JOIN people USING (owner_id, speed)"
        " WHERE id = ? AND state = 'queued'",
        (job_id,),
    ).fetchone()
    if row is None:
        return None
    rank = db.execute(
        "SELECT count(*) FROM jobs"
        " WHERE state = 'queued' AND speed = ? AND owner_id = ? AND (work, seq) <= (?, ?)",
        (row["speed"], row["owner_id"], row["work"], row["seq"]),
    ).fetchone()[0]
    others = db.execute(
        "SELECT coalesce(sum(min(waiting, :rank - ((turn, joined) > (:turn, :joined)))), 0) FROM people"
        " WHERE speed = :speed AND waiting > 0 AND owner_id <> :owner_id",
        {**row, "rank": rank},
    ).fetchone()[0]
    ahead = rank - 1 + others
    seconds = fairness.wait_seconds(
        ahead + _waiting_above(db, Speed(row["speed"])), _under_way(db), _measured(db)
    )
    return Place(ahead + 1, seconds)


def _waiting_above(db: sqlite3.Connection, speed: Speed) -> int:
    """Return how many jobs wait in the lanes served before *speed*."""
    above = LANES[: LANES.index(speed)]
    query = "SELECT coalesce(sum(waiting), 0) FROM people WHERE speed = ? AND waiting > 0"
    return sum(db.execute(query, (lane,)).fetchone()[0] for lane in above)


def _under_way(db: sqlite3.Connection) -> Sequence[float]:
    rows = db.execute(
        "SELECT coalesce(fraction, 0) AS fraction"
        " FROM jobs INDEXED BY jobs_running LEFT JOIN progress ON job_id = id"
        " WHERE state = 'running'"
    )
    return [row["fraction"] for row in rows]


def _measured(db: sqlite3.Connection) -> Sequence[float]:
    rows = db.execute(
        "SELECT device_seconds FROM jobs WHERE device_seconds IS NOT NULL ORDER BY finished_at DESC LIMIT ?",
        (MEASURED,),
    )
    return [row["device_seconds"] for row in rows]
