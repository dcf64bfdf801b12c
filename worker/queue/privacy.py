"""Which rows are about a person, and how they go."""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from worker.api import JobId
from worker.privacy import ALIAS_KEY, Sentence, alias
from worker.queue import ledger

# Every table is named in one of these; a test fails for one that is not. A row of the first is about one
# person, whose id is in the column: it is handed out, and it goes.
OWN: Mapping[str, str] = {
    "jobs": "owner_id",
    "people": "owner_id",
    "ledger": "owner_id",
    "purses": "owner_id",
    "spent": "subject",
    "allowances": "subject",
    "restrictions": "user_id",
    "admin_pending": "user_id",
    "letters": "user_id",
    "moderation_refusals": "user_id",
    "moderation_strikes": "user_id",
    "bot_fixes": "owner_id",
    "bot_preferences": "owner_id",
    "bot_options": "owner_id",
    "bot_batches": "owner_id",
}
ONLY: Mapping[str, str] = {"spent": "whose = 'person'", "allowances": "whose = 'person'"}
# Columns of other people's rows, and of the record, that may name them.
MENTIONS: Mapping[str, Sequence[str]] = {
    "audit": ("actor", "target", "before", "after"),
    "ledger": ("actor",),
    "admin_pending": ("deed",),
    "moderation_refusals": ("decided_by",),
    "moderation_strikes": ("forgiven_by",),
    "restrictions": ("reason",),
}
# What outlives being forgotten, under an alias in the column.
ALIASED: Mapping[str, str] = {"moderation_timeouts": "whom"}
# Rows that go with a job, by the column of its id.
OF_JOBS: Mapping[str, str] = {
    "job_events": "job_id",
    "progress": "job_id",
    "bot_posts": "job_id",
    "bot_copies": "job_id",
    "picture_scores": "job_id",
    "unfinished": "job_id",
}
# Names nobody: servers' rules, models, workers, counters.
IMPERSONAL = frozenset(
    {
        "schema_history",
        "sqlite_sequence",
        "bot_settings",
        "queue_control",
        "admin_roles",
        "admin_powers",
        "channel_rules",
        "audit_channels",
        "words",
        "models",
        "workers",
        "moderation_servers",
        "moderation_categories",
        "moderation_versions",
        "prompt_screens",
        "lanes",
        "checkpoints",
        "batch_caps",
    }
)
SECRETS = frozenset({"token"})  # of what is handed out, parts that would open something
DUE = "scrub_due"  # in `bot_settings`: something was forgotten and may not be overwritten yet


def rows_about(db: sqlite3.Connection, owner_id: int) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return every row about *owner_id* by table, jobs apart; in the record, those that name them."""
    found = {
        table: [_plain(row) for row in db.execute(_select(table), (owner_id,))]
        for table in OWN
        if table != "jobs"
    }
    found["moderation_timeouts"] = [_plain(row) for row in _kept(db, owner_id)]
    named = _naming(owner_id)
    found["audit"] = [
        _plain(row) for row in db.execute("SELECT * FROM audit") if any(named.search(str(v)) for v in row)
    ]
    return {table: rows for table, rows in found.items() if rows}


def jobs_about(db: sqlite3.Connection, owner_id: int) -> Iterator[Mapping[str, Any]]:
    """Yield their jobs, newest first."""
    for row in db.execute("SELECT * FROM jobs WHERE owner_id = ? ORDER BY seq DESC", (owner_id,)):
        yield _plain(row)


def job_ids(db: sqlite3.Connection, owner_id: int) -> list[JobId]:
    """Return every job of theirs."""
    return [JobId(row[0]) for row in db.execute("SELECT id FROM jobs WHERE owner_id = ?", (owner_id,))]


def under_way(db: sqlite3.Connection, owner_id: int) -> list[JobId]:
    """Return those of their jobs that wait or run."""
    sql = "SELECT id FROM jobs WHERE owner_id = ? AND state IN ('queued', 'running')"
    return [JobId(row[0]) for row in db.execute(sql, (owner_id,))]


def unseen(db: sqlite3.Connection, owner_id: int) -> bool:
    """Tell whether the bot has still to learn that one of their jobs is over."""
    sql = (
        "SELECT 1 FROM jobs JOIN bot_posts ON job_id = id WHERE owner_id = ? AND stage = 'open'"
        " AND state NOT IN ('queued', 'running') LIMIT 1"
    )
    return db.execute(sql, (owner_id,)).fetchone() is not None


@dataclass(frozen=True, slots=True)
class Oblivion:
    """How somebody is forgotten.

    Attributes:
        instead: The number that takes the place of theirs where others' rows name them.
        key: Of aliases, in hexadecimal digits, where none was chosen before.
        sentence: What follows from strikes.
    """

    instead: int
    key: str
    sentence: Sentence


def forget(db: sqlite3.Connection, owner_id: int, how: Oblivion, *, now: float) -> list[JobId] | None:
    """Remove every row about *owner_id* and return their jobs; None while one is under way.

    A block or timeout outlives this, without its reason: it would be too easy to lift.

    Args:
        db: In a write transaction.
        owner_id: Whom.
        how: In which way.
        now: Unix seconds.
    """
    if under_way(db, owner_id):
        return None
    db.execute("PRAGMA secure_delete = ON").fetchone()
    _keep_timeouts(db, owner_id, how, now)
    jobs = job_ids(db, owner_id)
    ledger.forget(db, owner_id, now=now)
    of_jobs = json.dumps(jobs)
    for table, column in OF_JOBS.items():
        db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (of_jobs,))  # noqa: S608
    for table, column in OWN.items():
        if table not in {"ledger", "restrictions"}:
            only = f" AND {ONLY[table]}" if table in ONLY else ""
            db.execute(f"DELETE FROM {table} WHERE {column} = ?{only}", (owner_id,))  # noqa: S608
    db.execute("UPDATE restrictions SET reason = '' WHERE user_id = ?", (owner_id,))
    _unname(db, owner_id, how.instead)
    db.execute("INSERT OR REPLACE INTO bot_settings (name, value) VALUES (?, '1')", (DUE,))
    return jobs


def release(db: sqlite3.Connection, *, now: float) -> int:
    """Remove the timeouts of forgotten people that are over; return how many."""
    return db.execute("DELETE FROM moderation_timeouts WHERE until <= ?", (now,)).rowcount


def _keep_timeouts(db: sqlite3.Connection, owner_id: int, how: Oblivion, now: float) -> None:
    """Keep the end of every timeout that follows from their strikes and is not over, under an alias."""
    strikes = db.execute(
        "SELECT guild_id, at FROM moderation_strikes WHERE user_id = ? AND forgiven_at IS NULL"
        " ORDER BY guild_id, at",
        (owner_id,),
    ).fetchall()
    for guild_id, rows in groupby(strikes, key=lambda row: int(row["guild_id"])):
        until = how.sentence([row["at"] for row in rows])
        if until is None or until <= now:
            continue
        db.execute("INSERT OR IGNORE INTO bot_settings (name, value) VALUES (?, ?)", (ALIAS_KEY, how.key))
        db.execute(
            "INSERT INTO moderation_timeouts (whom, guild_id, until) VALUES (?, ?, ?)"
            " ON CONFLICT (whom) DO UPDATE SET until = max(until, excluded.until)",
            (alias(_alias_key(db), guild_id, owner_id), guild_id, until),
        )


def _kept(db: sqlite3.Connection, owner_id: int) -> list[sqlite3.Row]:
    rows = db.execute("SELECT * FROM moderation_timeouts").fetchall()
    return [row for row in rows if row["whom"] == alias(_alias_key(db), row["guild_id"], owner_id)]


def _alias_key(db: sqlite3.Connection) -> str:
    return str(db.execute("SELECT value FROM bot_settings WHERE name = ?", (ALIAS_KEY,)).fetchone()[0])


def _unname(db: sqlite3.Connection, owner_id: int, instead: int) -> None:
    """Put *instead* where others' rows name the person; the record's guards stand aside for that alone."""
    guards = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('audit', 'ledger')"
        " AND sql LIKE '%BEFORE UPDATE%'"
    ).fetchall()
    for guard in guards:
        db.execute(f"DROP TRIGGER {guard['name']}")
    named = _naming(owner_id)
    for table, columns in MENTIONS.items():
        key = _key(db, table)
        for column in columns:
            sql = f"SELECT {key}, {column} AS said FROM {table} WHERE instr({column}, ?) > 0"  # noqa: S608
            for row in db.execute(sql, (str(owner_id),)).fetchall():
                said = named.sub(str(instead), str(row["said"]))
                db.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (said, row[0]))  # noqa: S608
    for guard in guards:
        db.execute(guard["sql"])


def _key(db: sqlite3.Connection, table: str) -> str:
    """Return the column that names a row of *table*; each of those has one alone."""
    return next(str(row["name"]) for row in db.execute(f"PRAGMA table_info({table})") if row["pk"])


def _naming(owner_id: int) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d){owner_id}(?!\d)")


def _select(table: str) -> str:
    only = f" AND {ONLY[table]}" if table in ONLY else ""
    return f"SELECT * FROM {table} WHERE {OWN[table]} = ?{only}"  # noqa: S608 - of constants


def _plain(row: sqlite3.Row) -> Mapping[str, Any]:
    """Return a row as JSON can hold it: ids beyond what readers keep exactly as text, JSON unfolded."""
    return {name: _value(row[name]) for name in row.keys() if not isinstance(row[name], bytes)}  # noqa: SIM118


def _value(value: Any) -> Any:
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value)
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            found = json.loads(value)
        except ValueError:
            return value
        return {k: v for k, v in found.items() if k not in SECRETS} if isinstance(found, dict) else found
    return value
