"""The record of what was done: appended to, read, never changed; SQL triggers refuse anything else."""

import json
import sqlite3
from collections.abc import Mapping

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


def entries(
    db: sqlite3.Connection, guild_id: int | None, verb: str, *, after: int | None, skip: int, limit: int
) -> tuple[list[Entry], int]:
    """Return entries and how many there are: behind *after* the oldest first, of all the newest first."""
    where = (
        "FROM audit WHERE id > coalesce(:after, 0) AND (:guild_id IS NULL OR guild_id = :guild_id)"
        " AND substr(verb, 1, length(:verb)) = :verb"
    )
    facts = {"guild_id": guild_id, "verb": verb, "after": after, "limit": limit, "skip": skip}
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
