"""The record of what was done: appended to, read, never changed; SQL triggers refuse anything else."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import JsonValue

from worker.admin import Actor, Entry
from worker.deeds import Verb

Facts = Mapping[str, JsonValue]


def append(
    db: sqlite3.Connection, actor: Actor, verb: Verb, *, target: str, before: Facts, after: Facts, now: float
) -> Entry:
    """Write an entry; to be called in the transaction that makes the change it tells.

    Args:
        db: In a write transaction.
        actor: Who does it, and where.
        verb: What.
        target: On what, such as ``job 1f9c…`` or ``user 4711``.
        before: What was so, as far as it was changed; never a prompt.
        after: What is so now.
        now: Unix seconds.
    """
    row = db.execute(
        "INSERT INTO audit (at, actor, guild_id, channel_id, verb, target, before, after)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " RETURNING id, at, actor, guild_id, channel_id, verb, target, before, after",
        (
            now,
            actor.name,
            actor.guild_id,
            actor.channel_id,
            verb,
            target,
            json.dumps(before),
            json.dumps(after),
        ),
    ).fetchone()
    return _entry(row)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are meant.

    Attributes:
        guild_id: Those made from a server; None for all.
        verb: Those whose verb begins like this.
        person: Those that somebody made, or that are about them; None for all.
        after: Those behind an entry; None for all.
    """

    guild_id: int | None = None
    verb: str = ""
    person: int | None = None
    after: int | None = None


def entries(db: sqlite3.Connection, which: Filter, *, skip: int, limit: int) -> tuple[list[Entry], int]:
    """Return entries and how many there are: behind another the oldest first, of all the newest first."""
    where = (
        "FROM audit WHERE id > coalesce(:after, 0) AND (:guild_id IS NULL OR guild_id = :guild_id)"
        " AND substr(verb, 1, length(:verb)) = :verb AND (:person IS NULL OR actor = 'discord:' || :person"
        " OR target || ' ' LIKE 'user ' || :person || ' %')"
    )
    after = which.after
    facts = {**asdict(which), "limit": limit, "skip": skip}
    total = db.execute(f"SELECT count(*) {where}", facts).fetchone()[0]
    rows = db.execute(
        f"SELECT id, at, actor, guild_id, channel_id, verb, target, before, after {where}"
        f" ORDER BY id {'DESC' if after is None else 'ASC'} LIMIT :limit OFFSET :skip",
        facts,
    )
    return [_entry(row) for row in rows], total


def _entry(row: sqlite3.Row) -> Entry:
    values = dict(row)
    values["before"], values["after"] = json.loads(row["before"]), json.loads(row["after"])
    return Entry(**values)
