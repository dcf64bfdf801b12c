"""What admins wrote to people outside Discord, kept until it is sent; in the caller's transaction."""

import sqlite3
from collections.abc import Sequence

from worker.admin import Letter
from worker.deeds import Settle, Write
from worker.queue.control import Effect

_COLUMNS = "id, user_id, guild_id, text, created_at, tried_at"


def write(db: sqlite3.Connection, deed: Write, guild_id: int, now: float) -> Effect:
    """Keep a letter; the record tells its number and its length."""
    row = db.execute(
        "INSERT INTO letters (user_id, guild_id, text, created_at) VALUES (?, ?, ?, ?) RETURNING id",
        (deed.user_id, guild_id, deed.text, now),
    ).fetchone()
    return Effect(f"user {deed.user_id}", {}, {"characters": len(deed.text), "letter": row["id"]})


def settle(db: sqlite3.Connection, deed: Settle) -> Effect:
    """Forget a letter that was sent, or never will be; one that is gone changes nothing."""
    row = db.execute("DELETE FROM letters WHERE id = ? RETURNING user_id", (deed.letter_id,)).fetchone()
    if row is None:
        return Effect(f"letter {deed.letter_id}")
    return Effect(f"user {row['user_id']}", {"letter": deed.letter_id}, {"letter": deed.outcome.value})


def waiting(db: sqlite3.Connection, limit: int) -> Sequence[Letter]:
    """Return the oldest letters."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM letters ORDER BY id LIMIT ?", (limit,))  # noqa: S608
    return [Letter(**row) for row in rows]


def tried(db: sqlite3.Connection, letter_id: int, now: float) -> bool:
    """Note, before it is sent, that a letter may be about to appear; False if it is gone."""
    sql = "UPDATE letters SET tried_at = coalesce(tried_at, ?) WHERE id = ?"
    return db.execute(sql, (now, letter_id)).rowcount > 0
