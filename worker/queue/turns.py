"""Where people stand in the lanes, in rows: `worker.queue.fairness` applied to the database."""

import sqlite3
from collections.abc import Iterator
from math import inf

from parser import Speed
from worker.queue.fairness import (
    BATCH_SECONDS,
    RULES,
    LaneTime,
    Line,
    Offer,
    charged,
    entered,
    share,
)

SELECT_LINES = "SELECT start, joined, owner_id, since, may_run FROM people "


class StoredLines:
    """The lines of a lane, read from an index each."""

    def __init__(self, db: sqlite3.Connection, speed: Speed) -> None:
        """Read the lane *speed* of *db*."""
        self._db = db
        self._speed = speed

    def aged(self, before: float) -> Iterator[Line]:
        """Yield those with a ripe job that were last joined or served before then, oldest first."""
        return self._read(
            "INDEXED BY people_since WHERE speed = ? AND ripe > 0 AND since <= ? ORDER BY since, joined",
            before,
        )

    def ripe(self) -> Iterator[Line]:
        """Yield those with a job that stands behind nothing, in their order."""
        return self._read("INDEXED BY people_next WHERE speed = ? AND ripe > 0 ORDER BY start, joined")

    def all(self) -> Iterator[Line]:
        """Yield all, in their order."""
        return self._read("INDEXED BY people_waiting WHERE speed = ? AND waiting > 0 ORDER BY start, joined")

    def _read(self, where: str, *values: float) -> Iterator[Line]:
        return (Line(*row) for row in self._db.execute(SELECT_LINES + where, (self._speed, *values)))


def lane_time(db: sqlite3.Connection, speed: Speed) -> LaneTime:
    """Return how far a lane has come."""
    row = db.execute("SELECT clock, by_age FROM lanes WHERE speed = ?", (speed,)).fetchone()
    return LaneTime(row["clock"], bool(row["by_age"]))


def lane_times(db: sqlite3.Connection) -> dict[Speed, LaneTime]:
    """Return how far every lane has come."""
    rows = db.execute("SELECT speed, clock, by_age FROM lanes")
    return {Speed(row["speed"]): LaneTime(row["clock"], bool(row["by_age"])) for row in rows}


def enter(db: sqlite3.Connection, owner_id: int, speed: Speed, *, weight: float | None, now: float) -> None:
    """Prepare a person's line for a job that is about to be inserted, which then counts itself in."""
    row = db.execute(
        "SELECT start, since, waiting, weight FROM people WHERE owner_id = ? AND speed = ?", (owner_id, speed)
    ).fetchone()
    waits = row is not None and row["waiting"]
    if waits and weight in (None, row["weight"]):
        return
    start = row["start"] if waits else _entered(row, lane_time(db, speed), speed, now)
    db.execute(
        "INSERT INTO people (owner_id, speed, start, weight)"
        " VALUES (:owner, :speed, :start, coalesce(:weight, 1))"
        " ON CONFLICT (owner_id, speed) DO UPDATE"
        " SET start = excluded.start, weight = coalesce(:weight, weight)",
        {"owner": owner_id, "speed": speed, "start": start, "weight": weight},
    )


def serve(
    db: sqlite3.Connection,
    job: sqlite3.Row,
    lanes: dict[Speed, LaneTime],
    *,
    offer: Offer | None,
    now: float,
) -> float:
    """Move a person's line on, by a job that is being claimed; return by how much.

    Args:
        db: In a write transaction.
        job: Its ``owner_id``, ``speed`` and ``credits``.
        lanes: How far they have come; moved on too.
        offer: What was taken up; None for a job an admin put first, which the lane does not notice.
        now: Unix seconds.
    """
    owner_id, speed = job["owner_id"], Speed(job["speed"])
    lane = lanes[speed]
    if offer is not None and (after := lane.after(offer)) != lane:
        db.execute(
            "UPDATE lanes SET clock = ?, by_age = ? WHERE speed = ?", (after.clock, after.by_age, speed)
        )
        lanes[speed] = lane = after
    rows = db.execute(
        "SELECT speed, start, since, waiting, weight FROM people WHERE owner_id = ?", (owner_id,)
    )
    lines = {row["speed"]: row for row in rows}
    line = lines[speed]
    moved = share(job["credits"], line["weight"])
    db.execute(
        "UPDATE people SET start = ?, since = ? WHERE owner_id = ? AND speed = ?",
        (charged(line["start"], moved, lane.clock, RULES[speed]), now, owner_id, speed),
    )
    if speed is not Speed.RELAX:
        start, since = _in_relax(lines.get(Speed.RELAX), lanes[Speed.RELAX], now)
        db.execute(_COUNT_IN_RELAX, (owner_id, start + moved, since))
    return moved


def ripen(db: sqlite3.Connection, now: float) -> None:
    """Let jobs of permutation batches that have aged stand beside single ones."""
    db.execute(
        "UPDATE jobs INDEXED BY jobs_behind SET behind = 0 WHERE behind = 1 AND created_at <= ?",
        (now - BATCH_SECONDS,),
    )


_COUNT_IN_RELAX = (  # what somebody used elsewhere: that lane is ordered by recent use
    "INSERT INTO people (owner_id, speed, start, since) VALUES (?, 'relax', ?, ?)"
    " ON CONFLICT (owner_id, speed) DO UPDATE SET start = excluded.start, since = excluded.since"
)


def _in_relax(row: sqlite3.Row | None, lane: LaneTime, now: float) -> tuple[float, float]:
    """Return start and since of somebody's line in the relax lane, as it would be if it were joined now."""
    if row is not None and row["waiting"]:
        return row["start"], row["since"]
    return _entered(row, lane, Speed.RELAX, now), now


def _entered(row: sqlite3.Row | None, lane: LaneTime, speed: Speed, now: float) -> float:
    if row is None:
        return entered(0.0, inf, lane.clock, RULES[speed])
    return entered(row["start"], now - row["since"], lane.clock, RULES[speed])
