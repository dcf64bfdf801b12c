"""What people may be told about the queue: reads only."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from parser import Speed
from worker.api import EventId, Job, JobEvent, JobId, Progress, Usage
from worker.queue.rows import SELECT_JOBS, to_event, to_job


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
