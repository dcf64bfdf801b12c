"""Claiming: which jobs a worker gets, and the rows that say it has them."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from parser import Speed
from worker.admin import QueueMode
from worker.api import Job, JobState
from worker.queue import turns
from worker.queue.fairness import RULES, LaneTime, Offer, offers, open_to
from worker.queue.gate import mode
from worker.queue.rows import JOB_COLUMNS, RECIPE, take, to_job
from worker.recipe import Recipe

LEASE_SECONDS = 15.0
ATTEMPTS = 3
RETRY_SECONDS = 2.0  # by how much longer a job waits after each attempt that failed
RETRY_MOST_SECONDS = ATTEMPTS * RETRY_SECONDS  # further off, the clock was set back meanwhile

COLUMNS = (
    f"SELECT {JOB_COLUMNS}, recipe, pictures, credits, alone,"  # noqa: S608 - constant
    " json_extract(recipe, '$.kind') = 'drawing' AS drawn FROM jobs "
)
NOT_PUT_OFF = " AND (retry_at <= :now OR retry_at > :now + :most)"
DRAWS = (  # what is only enlarged needs no checkpoint
    " AND (json_extract(recipe, '$.kind') <> 'drawing'"
    " OR NOT EXISTS (SELECT 1 FROM models WHERE models.name = jobs.model AND NOT models.enabled))"
)
LOADED = (
    " AND (:ready IS NULL OR json_extract(recipe, '$.kind') <> 'drawing'"
    " OR model IN (SELECT value FROM json_each(:ready)))"
)

HERE = (
    " AND (json_extract(recipe, '$.kind') <> 'drawing'"
    " OR model NOT IN (SELECT value FROM json_each(:absent)))"
)

Found = tuple[sqlite3.Row, Offer | None]  # a job, and the offer it is taken by


@dataclass(frozen=True, slots=True)
class Claim:
    """A job leased to a worker. *attempt* grows with every claim and fences late reports."""

    job: Job
    recipe: Recipe
    attempt: int


@dataclass(frozen=True, slots=True)
class Sitting:
    """A lane to claim from, up to *places* pictures, for people with fewer than *limit* jobs running.

    Attributes:
        speed: The lane.
        places: Pictures.
        limit: Jobs a person may have running, if nothing else was said of them.
        newcomers: Whether the limit holds for everybody alike.
        promoted: Whether only jobs that an admin put first are claimed; no limit counts for those.
    """

    speed: Speed
    places: int
    limit: int
    newcomers: bool = False
    promoted: bool = False


@dataclass(frozen=True, slots=True)
class Able:
    """Which models a worker draws with.

    Attributes:
        ready: Those that are drawn with before another has to leave its memory; None: all.
        absent: Those that it does not have yet; their jobs wait.
    """

    ready: frozenset[str] | None = None
    absent: frozenset[str] = frozenset()

    @property
    def anyhow(self) -> "Able":
        """The same, whatever has to leave."""
        return Able(None, self.absent)


ALL = Able()


@dataclass(slots=True)
class Company:
    """What runs on a worker.

    Attributes:
        jobs: How many jobs.
        alone: Whether one of them must not have company.
    """

    jobs: int
    alone: bool

    def admits(self, row: sqlite3.Row) -> bool:
        """Tell whether the job of *row* may run there now."""
        return not self.jobs or not (self.alone or row["alone"])

    def add(self, row: sqlite3.Row) -> None:
        """Count the job of *row*."""
        self.jobs += 1
        self.alone = bool(row["alone"])


@dataclass(frozen=True, slots=True)
class _State:
    """What a transaction that claims has to know of all jobs; moved on with each claim.

    Attributes:
        now: Unix seconds.
        running: Jobs under way, by owner.
        lanes: How far each has come.
    """

    now: float
    running: dict[int, int]
    lanes: dict[Speed, LaneTime]

    @classmethod
    def of(cls, db: sqlite3.Connection, now: float) -> "_State":
        return cls(now, _running(db), turns.lane_times(db))


def may_lease(
    db: sqlite3.Connection, *, worker: str, sittings: Sequence[Sitting], now: float, able: Able = ALL
) -> bool:
    """Tell whether `lease` would lease anything; only reads."""
    if db.execute("SELECT 1 FROM people WHERE waiting > 0 LIMIT 1").fetchone() is None:
        return False
    if mode(db) is not QueueMode.OPEN:
        return False
    state, company = _State.of(db, now), _company(db, worker)
    open_lanes = (sitting for sitting in sittings if sitting.places > 0)
    found = (_next(db, sitting, state, able.anyhow) for sitting in open_lanes)
    first = next((each for each in found if each is not None), None)
    return first is not None and company.admits(first[0])


@dataclass(slots=True)
class Leased:
    """The jobs a worker gets, and whether anybody was passed over because of the model."""

    claims: list[Claim] = field(default_factory=list)
    passed: bool = False


def lease(
    db: sqlite3.Connection,
    *,
    worker: str,
    sittings: Sequence[Sitting],
    now: float,
    able: Able = ALL,
) -> Leased:
    """Lease the jobs whose turn it is, lane by lane, as long as there are places.

    Where *able* names models that are ready, jobs of those pass over the others; where there are none, those
    go.
    """
    leased = Leased()
    if mode(db) is not QueueMode.OPEN:  # again: it may have been closed since the look
        return leased
    turns.ripen(db, now)
    state, company = _State.of(db, now), _company(db, worker)
    claims = leased.claims
    taken = 0
    for sitting in sittings:
        while sitting.places > taken and (found := _next(db, sitting, state, able.anyhow)) is not None:
            if able.ready is not None and _waits(found, able.ready):
                other = _next(db, sitting, state, able)
                found, leased.passed = other or found, leased.passed or other is not None
            row, offer = found
            if not company.admits(row):
                return leased
            claims.append(_leased(db, row, state, worker=worker, offer=offer))
            company.add(row)
            taken += row["pictures"]
    return leased


def _waits(found: Found, ready: frozenset[str]) -> bool:
    """Tell whether a job takes a model that is not *ready*; one that an admin put first waits for nothing."""
    row, offer = found
    return offer is not None and row["drawn"] and row["model"] not in ready


def _running(db: sqlite3.Connection) -> dict[int, int]:
    return {
        row["owner_id"]: row["jobs"]
        for row in db.execute(
            "SELECT owner_id, count(*) AS jobs FROM jobs INDEXED BY jobs_running"
            " WHERE state = 'running' GROUP BY owner_id"
        )
    }


def _company(db: sqlite3.Connection, worker: str) -> Company:
    row = db.execute(
        "SELECT count(*), coalesce(max(alone), 0) FROM jobs INDEXED BY jobs_running"
        " WHERE state = 'running' AND worker = ?",
        (worker,),
    ).fetchone()
    return Company(row[0], bool(row[1]))


def _next(db: sqlite3.Connection, sitting: Sitting, state: _State, able: Able) -> Found | None:
    """Return the job whose turn it is, of models that are ready if any are named; None if there is none."""
    if sitting.promoted:
        row = _promoted(db, sitting.speed, state.now, able)
        return None if row is None else (row, None)
    speed = sitting.speed
    offered = offers(turns.StoredLines(db, speed), state.lanes[speed], RULES[speed], state.now)
    for offer in open_to(offered, state.running, limit=sitting.limit, own=not sitting.newcomers):
        row = _head(db, speed, offer, state.now, able)
        if row is not None:
            return row, offer
    return None


def _head(db: sqlite3.Connection, speed: Speed, offer: Offer, now: float, able: Able) -> sqlite3.Row | None:
    """Return the job of a line that is drawn next: the shortest, or the oldest if age is why.

    Without that, somebody's long job would wait for as long as they order short ones.
    """
    order = "seq" if offer.by_age else "behind, work, seq"
    row: sqlite3.Row | None = db.execute(
        COLUMNS + "WHERE state = 'queued' AND speed = :speed AND owner_id = :owner_id AND behind <= :behind"
        f"{NOT_PUT_OFF}{DRAWS}{LOADED}{HERE if able.absent else ''} ORDER BY {order} LIMIT 1",
        {
            "speed": speed,
            "ready": None if able.ready is None else _listed(able.ready),
            "absent": _listed(able.absent),
            "owner_id": offer.line.owner_id,
            "behind": not offer.ripe,
            "now": now,
            "most": RETRY_MOST_SECONDS,
        },
    ).fetchone()
    return row


def _promoted(db: sqlite3.Connection, speed: Speed, now: float, able: Able) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        COLUMNS + "INDEXED BY jobs_promoted WHERE state = 'queued' AND promoted > 0 AND speed = :speed"
        f"{NOT_PUT_OFF}{DRAWS}{HERE if able.absent else ''} ORDER BY promoted LIMIT 1",
        {
            "speed": speed,
            "absent": _listed(able.absent),
            "now": now,
            "most": RETRY_MOST_SECONDS,
        },
    ).fetchone()
    return row


@lru_cache(maxsize=64)  # asked for each job, and nearly always of the same models
def _listed(names: frozenset[str]) -> str:
    return json.dumps(sorted(names))


def _leased(
    db: sqlite3.Connection, row: sqlite3.Row, state: _State, *, worker: str, offer: Offer | None
) -> Claim:
    now, attempt = state.now, row["attempt"] + 1
    moved = turns.serve(db, row, state.lanes, offer=offer, now=now)
    take(db, row["id"], worker=worker, now=now, lease_until=now + LEASE_SECONDS, share=moved)
    state.running[row["owner_id"]] = state.running.get(row["owner_id"], 0) + 1
    job = to_job(row, state=JobState.RUNNING, attempt=attempt, started_at=now)  # as it was just written
    return Claim(job, RECIPE.validate_json(row["recipe"]), attempt)
