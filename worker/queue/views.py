"""What admins are shown: reads only."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from parser import Speed
from worker.admin import (
    ChannelRule,
    ChannelView,
    Gate,
    JobLine,
    JobPage,
    ModelLine,
    PersonView,
    Powers,
    QueueView,
    Restriction,
    RestrictionKind,
    Word,
    WorkerLine,
)
from worker.api import LANES, Category, JobState
from worker.deeds import Rank, Which
from worker.lock import is_held, worker_lock
from worker.queue import gate as gates
from worker.queue.shelf import switches

FAILURES = 5  # of the last jobs that failed
_LINE = (
    "SELECT id, owner_id, json_extract(order_json, '$.kind') AS kind, state, speed, promoted > 0 AS promoted,"
    " created_at, started_at, finished_at, error FROM jobs "
)
_WHICH = (
    " AND (:job_id IS NULL OR id = :job_id) AND (:owner_id IS NULL OR owner_id = :owner_id)"
    " AND (:speed IS NULL OR speed = :speed)"
)


def queue(db: sqlite3.Connection) -> QueueView:
    """Return the queue at a glance."""
    waiting = {
        Speed(row["speed"]): row["jobs"]
        for row in db.execute(
            "SELECT speed, sum(waiting) AS jobs FROM people WHERE waiting > 0 GROUP BY speed"
        )
    }
    running = {
        Speed(row["speed"]): row["jobs"]
        for row in db.execute(
            "SELECT speed, count(*) AS jobs FROM jobs INDEXED BY jobs_running"
            " WHERE state = 'running' GROUP BY speed"
        )
    }
    people = db.execute("SELECT count(DISTINCT owner_id) FROM people WHERE waiting > 0").fetchone()[0]
    return QueueView(
        mode=gates.mode(db),
        waiting={lane: waiting.get(lane, 0) for lane in LANES},
        running={lane: running.get(lane, 0) for lane in LANES},
        people=people,
    )


def jobs(db: sqlite3.Connection, which: Which, state: JobState | None, *, skip: int, limit: int) -> JobPage:
    """Return jobs: those under way in the order of their acceptance, or the newest of a state."""
    if state is None or not state.final:
        wanted = "state IN ('running', 'queued')" if state is None else "state = :state"
        order = "ORDER BY state = 'queued', jobs.promoted = 0, jobs.promoted, seq"
    else:
        wanted, order = "state = :state", "ORDER BY seq DESC"
    where = f"WHERE {wanted}{_WHICH}"
    facts = {**which.model_dump(), "state": state, "skip": skip, "limit": limit}
    total = db.execute(f"SELECT count(*) FROM jobs {where}", facts).fetchone()[0]  # noqa: S608 - our own text
    rows = db.execute(f"{_LINE}{where} {order} LIMIT :limit OFFSET :skip", facts)
    return JobPage(lines=tuple(_line(row) for row in rows), total=total)


def failures(db: sqlite3.Connection) -> Sequence[JobLine]:
    """Return the last jobs that failed."""
    rows = db.execute(
        f"{_LINE}INDEXED BY jobs_failed WHERE state = 'failed' ORDER BY finished_at DESC LIMIT ?", (FAILURES,)
    )
    return [_line(row) for row in rows]


def person(db: sqlite3.Connection, user_id: int, now: float) -> PersonView:
    """Return one person."""
    row = db.execute(
        "SELECT coalesce(sum(waiting), 0) AS waiting, coalesce(sum(pictures), 0) AS pictures,"
        " coalesce(sum(seconds), 0.0) AS seconds FROM people WHERE owner_id = ?",
        (user_id,),
    ).fetchone()
    running = db.execute(
        "SELECT count(*) FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND owner_id = ?",
        (user_id,),
    ).fetchone()[0]
    found = gates.restriction(db, user_id, now)
    return PersonView(user_id=user_id, restriction=found, running=running, **dict(row))


def restricted(
    db: sqlite3.Connection, now: float, *, kind: RestrictionKind | None, skip: int, limit: int
) -> tuple[Sequence[Restriction], int]:
    """Return who may not order, perhaps of one kind, the latest first, and how many they are."""
    where = "FROM restrictions WHERE (until IS NULL OR until > :now) AND (:kind IS NULL OR kind = :kind)"
    facts = {"now": now, "kind": kind, "limit": limit, "skip": skip}
    total = db.execute(f"SELECT count(*) {where}", facts).fetchone()[0]
    rows = db.execute(
        f"SELECT user_id, kind, until, reason, created_at {where}"
        " ORDER BY created_at DESC, user_id LIMIT :limit OFFSET :skip",
        facts,
    )
    return [Restriction(**row) for row in rows], total


def gate(
    db: sqlite3.Connection, *, user_id: int, guild_id: int, channel_ids: Sequence[int], now: float
) -> Gate:
    """Return what must be known before an order; the first channel with a rule decides."""
    rules = {row["channel_id"]: row for row in _rules(db, guild_id)} if guild_id else {}
    found = [rules[channel_id] for channel_id in (*channel_ids, 0) if channel_id in rules]
    allowed = next((bool(rule["allowed"]) for rule in found if rule["allowed"] is not None), True)
    roles = powers(db, guild_id).roles if guild_id else {}
    contacts = next((roles[rank] for rank in reversed(Rank) if roles.get(rank)), ())
    return Gate(
        restriction=gates.restriction(db, user_id, now),
        allowed=allowed,
        nsfw=any(rule["nsfw"] for rule in found),
        contacts=contacts,
    )


def powers(db: sqlite3.Connection, guild_id: int) -> Powers:
    """Return who may do what in a server."""
    roles: dict[Rank, tuple[int, ...]] = {}
    for row in db.execute(
        "SELECT rank, role_id FROM admin_roles WHERE guild_id = ? ORDER BY role_id", (guild_id,)
    ):
        rank = Rank(row["rank"])
        roles[rank] = (*roles.get(rank, ()), row["role_id"])
    ranks = db.execute("SELECT verb, rank FROM admin_powers WHERE guild_id = ? ORDER BY verb", (guild_id,))
    return Powers(roles=roles, ranks={row["verb"]: Rank(row["rank"]) for row in ranks})


def channels(db: sqlite3.Connection, guild_id: int) -> ChannelView:
    """Return what was said about a server's channels."""
    row = db.execute(
        "SELECT channel_id, posted FROM audit_channels WHERE guild_id = ?", (guild_id,)
    ).fetchone()
    return ChannelView(
        rules=tuple(ChannelRule(**rule) for rule in _rules(db, guild_id)),
        log_channel_id=None if row is None else row["channel_id"],
        posted=0 if row is None else row["posted"],
    )


def words(
    db: sqlite3.Connection, guild_id: int, category: Category | None, *, skip: int, limit: int
) -> tuple[Sequence[Word], int]:
    """Return a server's own words and how many they are."""
    where = "FROM words WHERE guild_id = ? AND (? IS NULL OR category = ?)"
    facts = (guild_id, category, category)
    total = db.execute(f"SELECT count(*) {where}", facts).fetchone()[0]
    rows = db.execute(
        f"SELECT category, phrase, allow {where} ORDER BY category, phrase LIMIT ? OFFSET ?",
        (*facts, limit, skip),
    )
    return [Word(**row) for row in rows], total


def models(
    db: sqlite3.Connection, installed: Sequence[str], flags: Mapping[str, tuple[str, ...]], locks: Path
) -> Sequence[ModelLine]:
    """Return the models of the configuration; the first is the default where nobody chose.

    Args:
        db: To read.
        installed: Their names.
        flags: How people ask for each.
        locks: The folder of the workers' lock files.
    """
    off, default = switches(db, installed)
    loaded = Counter(name for worker in workers(db, locks) for name in worker.model.split(", "))
    rows = db.execute("SELECT model, count(*) AS jobs FROM jobs WHERE state = 'queued' GROUP BY model")
    waiting = {row["model"]: row["jobs"] for row in rows}
    return [
        ModelLine(
            name=name,
            enabled=name not in off,
            default=name == default,
            flags=flags.get(name, ()),
            waiting=waiting.get(name, 0),
            workers=loaded[name],
        )
        for name in installed
    ]


def workers(db: sqlite3.Connection, locks: Path) -> Sequence[WorkerLine]:
    """Return what the living workers said last."""
    rows = db.execute(
        "SELECT name, device, model, started_at, seen_at, jobs, pictures, passes, batch, largest_batch,"
        " steps_per_second, busy, last_error, last_error_at FROM workers ORDER BY started_at, name"
    )
    return [WorkerLine(**row) for row in rows if is_held(worker_lock(locks, row["name"]))]


def _rules(db: sqlite3.Connection, guild_id: int) -> Collection[sqlite3.Row]:
    return db.execute(
        "SELECT channel_id, allowed, nsfw FROM channel_rules WHERE guild_id = ? ORDER BY channel_id",
        (guild_id,),
    ).fetchall()


def _line(row: sqlite3.Row) -> JobLine:
    return JobLine(**row)
