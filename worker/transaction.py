"""What one connection does in one transaction: many writes, or many reads."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from worker.api import DatabaseBusy, ErrorCode, WorkerError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of one write: its value, or its error."""

    value: T | None
    error: Exception | None = None


def coded(error: Exception) -> Exception:
    """Return the `WorkerError` that says what *error* means, or *error* itself."""
    if not isinstance(error, sqlite3.Error) or not hasattr(error, "sqlite_errorcode"):
        return error
    primary = error.sqlite_errorcode & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DatabaseBusy()
    if primary == sqlite3.SQLITE_FULL or error.sqlite_errorcode == sqlite3.SQLITE_IOERR_SHMSIZE:
        return WorkerError(ErrorCode.DISK_FULL)
    return error


def commit(works: Sequence[Work[Any]], db: sqlite3.Connection, *, durable: bool) -> Sequence[Outcome[Any]]:
    """Run *works* in one transaction and commit it; one that raises is undone alone.

    They run without savepoints first. Where one has changed something by the time it raises, all is undone,
    and they run again with a savepoint each: what is refused nearly always is before it changes anything, and
    savepoints cost every write a tenth of its time.

    Args:
        works: They may run twice.
        db: The connection that writes.
        durable: Whether to wait until all is on the disk.

    Raises:
        sqlite3.ProgrammingError: The connection is lost.
    """
    try:
        # Outside a transaction this takes effect for the next one and touches no file.
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        try:
            return _transaction(db, works, _trusted)
        except _HalfDone:
            _roll_back(db)
            return _transaction(db, works, _saved)
    except Exception as error:  # noqa: BLE001 - the writer outlives every failure
        _roll_back(db)
        return [Outcome(None, coded(error)) for _ in works]


def _transaction(
    db: sqlite3.Connection,
    works: Sequence[Work[Any]],
    run: Callable[[sqlite3.Connection, Work[Any]], Outcome[Any]],
) -> Sequence[Outcome[Any]]:
    db.execute("BEGIN IMMEDIATE")
    outcomes = [run(db, work) for work in works]
    db.execute("COMMIT")
    return outcomes


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")


class _HalfDone(Exception):  # noqa: N818 - a state of the transaction
    """A write raised after it had changed something, and there is no savepoint to undo it alone."""


def _trusted(db: sqlite3.Connection, work: Work[Any]) -> Outcome[Any]:
    """Run *work* as it is.

    Raises:
        _HalfDone: It raised after it had changed something, or ended the transaction.
    """
    before = db.total_changes
    try:
        return Outcome(work(db))
    except Exception as error:  # whatever it is, it belongs to the caller of this write
        if db.total_changes != before or not db.in_transaction:
            raise _HalfDone from error
        return Outcome(None, coded(error))


def _saved(db: sqlite3.Connection, work: Work[Any]) -> Outcome[Any]:
    """Run *work* under a savepoint; raises only what cost the whole transaction, as a full disk may."""
    db.execute("SAVEPOINT work")
    try:
        value = work(db)
    except Exception as error:  # whatever it is, it belongs to the caller of this write
        if not db.in_transaction:
            raise
        db.execute("ROLLBACK TO work")
        db.execute("RELEASE work")
        return Outcome(None, coded(error))
    db.execute("RELEASE work")
    return Outcome(value)


def snapshot(works: Sequence[Work[Any]], db: sqlite3.Connection) -> Sequence[Outcome[Any]]:
    """Run *works* on one snapshot of the file."""
    try:
        db.execute("BEGIN")
        try:
            return [_seen(db, work) for work in works]
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except Exception as error:  # noqa: BLE001 - it belongs to those who asked
        return [Outcome(None, coded(error)) for _ in works]


def _seen(db: sqlite3.Connection, work: Work[Any]) -> Outcome[Any]:
    try:
        return Outcome(work(db))
    except Exception as error:  # noqa: BLE001 - likewise
        return Outcome(None, coded(error))
