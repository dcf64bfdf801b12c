"""Where a waiting job stands, and how long it may take: reads only."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parser import Speed
from worker.api import LANES, JobId
from worker.queue import fairness

MEASURED = 20  # finished jobs an estimate rests on
COUNTED = 500  # jobs of other people looked at one by one; beyond, each counts as an average one
FAR = 1000  # lines of other people that are looked at; where more go first, it is said that they are many


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queued job stands in its lane, and the estimate until it starts.

    Attributes:
        place: 1 is next.
        wait_seconds: None where nothing was measured yet, or too many wait before it.
        far: Whether it stands further behind than that: no more than `FAR` people are counted.
    """

    place: int
    wait_seconds: float | None
    far: bool = False


def place(db: sqlite3.Connection, *, job_id: JobId, devices: int = 1) -> Place | None:
    """Return where a queued job stands, or None if it is not queued; *devices* draw what is before it.

    It begins at a virtual time: its line's start, moved on by what stands before it in the line. Ahead of it
    is what begins earlier in other lines. That holds until somebody joins, or waited long enough to go first.
    """
    row = db.execute(
        "SELECT speed, owner_id, work, seq, behind, promoted, start, joined, weight, ripe"
        " FROM jobs JOIN people USING (owner_id, speed) WHERE id = ? AND state = 'queued'",
        (job_id,),
    ).fetchone()
    if row is None:
        return None
    ahead = _promoted_before(db, row)
    if not row["promoted"]:
        others = _ahead(db, row)
        if others is None:
            return Place(FAR + 1, None, far=True)
        ahead += others
    return Place(ahead + 1, _wait(db, LANES[: LANES.index(Speed(row["speed"]))], ahead, devices))


def until_drawn(db: sqlite3.Connection, speed: Speed, jobs: int, *, devices: int = 1) -> float | None:
    """Estimate how long until *jobs* more in a lane are drawn, behind all that wait there and above."""
    return _wait(db, LANES[: LANES.index(speed) + 1], jobs, devices)


def _wait(db: sqlite3.Connection, lanes: Sequence[Speed], more: int, devices: int) -> float | None:
    """Estimate how long until all of *lanes* and *more* jobs are drawn; None where that is not to be told."""
    for lane in lanes:
        jobs, people = db.execute(_WAITING, {"speed": lane, "far": FAR}).fetchone()
        if people > FAR:
            return None
        more += jobs
    return fairness.wait_seconds(more, _under_way(db), _measured(db), devices=devices)


def _promoted_before(db: sqlite3.Connection, row: sqlite3.Row) -> int:
    """Return how many jobs an admin put before the job of *row*."""
    found = db.execute(
        "SELECT count(*) FROM jobs INDEXED BY jobs_promoted WHERE state = 'queued' AND promoted > 0"
        " AND speed = :speed AND (promoted < :promoted OR NOT :promoted)",
        {"speed": row["speed"], "promoted": row["promoted"]},
    )
    return int(found.fetchone()[0])


def _ahead(db: sqlite3.Connection, row: sqlite3.Row) -> int | None:
    """Return how many jobs that nobody put first begin before the job of *row*; None for more than `FAR`."""
    own, credits_ = db.execute(_OWN, {**row, "least": fairness.LEAST}).fetchone()
    end = row["start"] + credits_ / row["weight"]
    values = {**row, "end": end, "rank": own - row["ripe"], "counted": COUNTED, "least": fairness.LEAST}
    values["far"] = FAR
    if db.execute(_MANY.format(_ANY if row["behind"] else _EARLIER), values).fetchone()[0] > FAR:
        return None
    if row["behind"]:
        return int(own + db.execute(_BEFORE_BATCH, values).fetchone()[0])
    single, several = db.execute(_EARLIER_JOBS + _EARLIER, values).fetchone()
    if several > COUNTED:
        several = db.execute(_AVERAGED + _EARLIER, values).fetchone()[0]
    elif several:
        several = _counted(db, values)
    return int(own + single + several)


def _counted(db: sqlite3.Connection, values: dict[str, Any]) -> int:
    """Return how many jobs begin first in the earlier lines that have several."""
    count = 0
    for line in db.execute(_EARLIER_LINES + _EARLIER + " AND ripe > 1", values).fetchall():
        jobs = _credits(db, _RIPE, {**values, "owner_id": line["owner_id"]})
        shares = [fairness.share(each, line["weight"]) for each in jobs]
        tie = line["joined"] < values["joined"]
        count += fairness.starting_before(line["start"], shares, values["end"], tie=tie)
    return count


def _credits(db: sqlite3.Connection, which: str, values: dict[str, Any]) -> list[float]:
    return [row["credits"] for row in db.execute(which, values)]


_EARLIER = (  # the other lines whose next job begins before the virtual time :end
    " FROM people INDEXED BY people_next"
    " WHERE speed = :speed AND ripe > 0 AND start <= :end AND owner_id <> :owner_id"
    " AND (start < :end OR joined < :joined)"
)
_ANY = " FROM people INDEXED BY people_next WHERE speed = :speed AND ripe > 0 AND owner_id <> :owner_id"
_MANY = "SELECT count(*) FROM (SELECT 1{} LIMIT :far + 1)"  # each has one job at least that begins before
_WAITING = (
    "SELECT coalesce(sum(waiting), 0), count(*)"
    " FROM (SELECT waiting FROM people WHERE speed = :speed AND waiting > 0 LIMIT :far + 1)"
)
_EARLIER_LINES = "SELECT owner_id, start, joined, weight"
_EARLIER_JOBS = "SELECT count(*) FILTER (WHERE ripe = 1), coalesce(sum(ripe) FILTER (WHERE ripe > 1), 0)"
_AVERAGED = (  # as many as it would be if every job cost what an average one does
    "WITH mean AS (SELECT max(avg(credits), :least) AS mean FROM (SELECT credits FROM jobs"
    " WHERE state = 'queued' AND speed = :speed AND behind = 0 LIMIT :counted))"
    " SELECT sum(min(ripe, 1 + CAST(max(0, (:end - start) * weight / (SELECT mean FROM mean)"
    " - 1e-9 * (joined > :joined)) AS INTEGER))) FILTER (WHERE ripe > 1)"
)
_OWN = (  # as `fairness.share` counts them, for a weight of one
    "SELECT count(*), coalesce(sum(max(credits, :least)), 0.0) FROM jobs"
    " WHERE state = 'queued' AND promoted = 0 AND speed = :speed"
    " AND owner_id = :owner_id AND (behind, work, seq) < (:behind, :work, :seq)"
)
_RIPE = (
    "SELECT credits FROM jobs WHERE state = 'queued' AND promoted = 0 AND speed = :speed"
    " AND owner_id = :owner_id AND behind = 0 ORDER BY work, seq"
)
_BEFORE_BATCH = (  # every ripe job, and of those that are behind as many as have their turn first
    "SELECT coalesce(sum(ripe + min(waiting - ripe, :rank + ((start, joined) < (:start, :joined)))), 0)"
    " FROM people INDEXED BY people_waiting WHERE speed = :speed AND waiting > 0 AND owner_id <> :owner_id"
)


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
