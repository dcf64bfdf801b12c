"""Which weights are behind a checkpoint's name, as the worker that loaded them tells the others.

The bot must know it to tell whether a picture can be drawn again, and must not read gigabytes for it. Sizes
and times of files would be cheap, but a copied file has another time, and other weights have the same size.
"""

import sqlite3


def install(db: sqlite3.Connection, name: str, weights: str, *, now: float) -> None:
    """Note that a worker has loaded *weights*, a hash, under *name*; the last one to say so counts."""
    db.execute(
        "INSERT INTO checkpoints (name, hash, seen_at) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, seen_at = excluded.seen_at",
        (name, weights, now),
    )


def installed(db: sqlite3.Connection, name: str) -> str | None:
    """Return the hash of the weights behind *name*, None if no worker has told it yet."""
    row = db.execute("SELECT hash FROM checkpoints WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["hash"])
