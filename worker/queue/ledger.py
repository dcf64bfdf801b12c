"""The ledger: entries that say who has used how much, written with what they tell and never changed.

An order reserves what it may cost. Its end charges what was done and refunds the rest, so that for every job
that is over the reservation is the sum of both. All three count in the windows from the moment of the order.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from worker.accounts import Whose, Window
from worker.api import JobId

HOUR = 3600.0
NOBODY = 0  # whose entries are when their person is forgotten
CHUNK = 1000  # jobs whose entries are deleted in one transaction

_COLUMNS = {Whose.PERSON: ("owner_id", "used + purse"), Whose.SERVER: ("guild_id", "used")}
_CHARGE_ALL = (
    "INSERT INTO ledger (at, counts_at, kind, owner_id, guild_id, job_id, amount)"
    " SELECT ?, counts_at, 'charge', owner_id, guild_id, job_id, amount FROM ledger"
    " WHERE job_id = ? AND kind = 'reserve' AND amount > 0"
)


class EntryKind(StrEnum):
    """What a line says. The text is the database value."""

    RESERVE = "reserve"  # ordered
    CHARGE = "charge"  # done, as far as it was
    REFUND = "refund"  # not done
    GRANT = "grant"  # given by an admin; taken back if negative
    RESET = "reset"  # windows begin anew; the amount is what the month's had come to


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays for a job.

    Attributes:
        metered: Whether allowances do; in relax nobody's.
        guild_id: The server it is ordered in.
        granted: Grains of it that the person's granted credits pay.
    """

    metered: bool = False
    guild_id: int | None = None
    granted: int = 0


FREE = Payment()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to be written; see the table for its columns."""

    kind: EntryKind
    owner_id: int
    counts_at: float
    amount: int
    used: int = 0
    purse: int = 0
    guild_id: int | None = None
    job_id: JobId | None = None
    actor: str | None = None


def reserve(
    db: sqlite3.Connection, job_id: JobId, owner_id: int, amount: int, *, payment: Payment, now: float
) -> None:
    """Set *amount* grains aside for a job.

    Raises:
        sqlite3.IntegrityError: It was done before, or fewer granted credits are left than are to pay.
    """
    entry = Entry(
        EntryKind.RESERVE,
        owner_id,
        now,
        amount,
        used=amount if payment.metered else 0,
        purse=-payment.granted,
        guild_id=payment.guild_id,
        job_id=job_id,
    )
    _add(db, entry, now)


def settle(db: sqlite3.Connection, job_id: JobId, done: float, *, now: float) -> None:
    """Charge the part of a reservation that was *done* (0..1) and refund the rest, granted credits first.

    A job that was free, or ordered before there was a ledger, has none.

    Raises:
        sqlite3.IntegrityError: It was settled before.
    """
    if done >= 1:
        db.execute(_CHARGE_ALL, (now, job_id))
        return
    row = db.execute(
        "SELECT owner_id, guild_id, counts_at, amount, used, purse FROM ledger"
        " WHERE job_id = ? AND kind = 'reserve'",
        (job_id,),
    ).fetchone()
    if row is None:
        return
    charge = round(row["amount"] * min(1.0, max(0.0, done)))
    refund = row["amount"] - charge
    whose = {"guild_id": row["guild_id"], "job_id": job_id}
    if charge:
        _add(db, Entry(EntryKind.CHARGE, row["owner_id"], row["counts_at"], charge, **whose), now)
    if refund:
        used, purse = (-refund, min(refund, -row["purse"])) if row["used"] else (0, 0)
        entry = Entry(
            EntryKind.REFUND, row["owner_id"], row["counts_at"], refund, used=used, purse=purse, **whose
        )
        _add(db, entry, now)


def grant(db: sqlite3.Connection, owner_id: int, amount: int, *, actor: str, now: float) -> int:
    """Give *amount* grains, or take back as many as are left; return how many are left then."""
    left = purse(db, owner_id)
    amount = max(amount, -left)
    if amount:
        _add(db, Entry(EntryKind.GRANT, owner_id, now, amount, purse=amount, actor=actor), now)
    return left + amount


def reset(db: sqlite3.Connection, owner_id: int, *, actor: str, now: float) -> int:
    """Let the windows begin anew; return the grains the month's had come to."""
    amount = max(0, used(db, Whose.PERSON, owner_id, since(db, Window.MONTH, owner_id, now=now)))
    _add(db, Entry(EntryKind.RESET, owner_id, now, amount, actor=actor), now)
    return amount


def since(db: sqlite3.Connection, window: Window, owner_id: int | None, *, now: float) -> float:
    """Return after when spending counts in *window*: a person's last reset cuts it short."""
    start = max(0.0, now - window.seconds)
    if owner_id is None:
        return start
    row = db.execute(
        "SELECT max(at) FROM ledger WHERE kind = 'reset' AND owner_id = ?", (owner_id,)
    ).fetchone()
    return start if row[0] is None else max(start, row[0])


def used(db: sqlite3.Connection, whose: Whose, subject: int, after: float) -> int:
    """Return the grains that allowances paid for orders later than *after*."""
    first = int(after // HOUR)
    whole = db.execute(
        "SELECT coalesce(sum(amount), 0) FROM spent WHERE whose = ? AND subject = ? AND hour > ?",
        (whose, subject, first),
    ).fetchone()
    return int(whole[0]) + _part(db, whose, subject, after)


def freed_at(db: sqlite3.Connection, whose: Whose, subject: int, after: float, need: int) -> float | None:
    """Return when the order was made with which *need* grains have been used since *after*; None if fewer."""
    for hour, amount in _hours(db, whose, subject, after):
        if amount < need:
            need -= amount
            continue
        column, value = _COLUMNS[whose]
        orders = db.execute(
            f"SELECT counts_at, sum({value}) FROM ledger"  # noqa: S608 - of two constants
            f" WHERE {column} = ? AND counts_at > ? AND counts_at >= ? AND counts_at < ? AND used <> 0"
            " GROUP BY counts_at ORDER BY counts_at",
            (subject, after, hour * HOUR, (hour + 1) * HOUR),
        )
        for counts_at, ordered in orders:
            need -= ordered
            if need <= 0:
                return float(counts_at)
    return None


def purse(db: sqlite3.Connection, owner_id: int) -> int:
    """Return the granted grains that are left."""
    row = db.execute("SELECT balance FROM purses WHERE owner_id = ?", (owner_id,)).fetchone()
    return 0 if row is None else int(row["balance"])


def prune(db: sqlite3.Connection, *, before: float) -> int:
    """Delete the entries of some settled jobs ordered *before*; return of how many, 0 when none is left.

    What was granted and what granted credits paid stays: the balance of those rests on it.
    """
    jobs = db.execute(
        "SELECT job_id FROM ledger AS old WHERE counts_at < ? AND job_id IS NOT NULL AND purse = 0"
        " AND kind = 'reserve' AND EXISTS"
        " (SELECT 1 FROM ledger WHERE job_id = old.job_id AND kind IN ('charge', 'refund')) LIMIT ?",
        (before, CHUNK),
    ).fetchall()
    db.executemany("DELETE FROM ledger WHERE job_id = ?", [(row["job_id"],) for row in jobs])
    db.execute(
        "DELETE FROM ledger WHERE owner_id = ? AND kind IN ('reserve', 'charge', 'refund')"
        " AND job_id IS NULL AND counts_at < ?",
        (NOBODY, before),
    )
    if jobs:
        db.execute("DELETE FROM spent WHERE hour < ? AND amount = 0", (before / HOUR,))
    return len(jobs)


def forget(db: sqlite3.Connection, owner_id: int, *, now: float) -> None:
    """Let nothing say who *owner_id* was; sums of their servers stay. Jobs under way are refunded."""
    open_jobs = db.execute(
        "SELECT job_id FROM ledger AS open WHERE owner_id = ? AND kind = 'reserve' AND NOT EXISTS"
        " (SELECT 1 FROM ledger WHERE job_id = open.job_id AND kind IN ('charge', 'refund'))",
        (owner_id,),
    ).fetchall()
    for row in open_jobs:
        settle(db, row["job_id"], 0.0, now=now)
    db.execute(
        "INSERT INTO ledger (at, counts_at, kind, owner_id, guild_id, amount, used)"
        " SELECT at, counts_at, kind, ?, guild_id, amount, used FROM ledger"
        " WHERE owner_id = ? AND job_id IS NOT NULL ORDER BY id",
        (NOBODY, owner_id),
    )
    db.execute("DELETE FROM ledger WHERE owner_id = ?", (owner_id,))
    db.execute("DELETE FROM purses WHERE owner_id = ?", (owner_id,))
    db.execute("DELETE FROM spent WHERE whose = 'person' AND subject = ?", (owner_id,))
    db.execute("DELETE FROM allowances WHERE whose = 'person' AND subject = ?", (owner_id,))


def _hours(db: sqlite3.Connection, whose: Whose, subject: int, after: float) -> Iterator[tuple[int, int]]:
    """Yield hours since 1970 and the grains used in them, of the first only what is later than *after*."""
    first = int(after // HOUR)
    yield first, _part(db, whose, subject, after)
    yield from db.execute(
        "SELECT hour, amount FROM spent WHERE whose = ? AND subject = ? AND hour > ? ORDER BY hour",
        (whose, subject, first),
    )


def _part(db: sqlite3.Connection, whose: Whose, subject: int, after: float) -> int:
    """Return the grains used in the hour of *after*, later than that."""
    column, value = _COLUMNS[whose]
    row = db.execute(
        f"SELECT coalesce(sum({value}), 0) FROM ledger"  # noqa: S608 - of two constants
        f" WHERE {column} = ? AND counts_at > ? AND counts_at < ? AND used <> 0",
        (subject, after, (after // HOUR + 1) * HOUR),
    ).fetchone()
    return int(row[0])


def _add(db: sqlite3.Connection, entry: Entry, now: float) -> None:
    db.execute(
        "INSERT INTO ledger (at, counts_at, kind, owner_id, guild_id, job_id, amount, used, purse, actor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            now,
            entry.counts_at,
            entry.kind,
            entry.owner_id,
            entry.guild_id,
            entry.job_id,
            entry.amount,
            entry.used,
            entry.purse,
            entry.actor,
        ),
    )
