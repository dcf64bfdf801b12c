"""Bringing a database file to the newest schema."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from migrations import Migration

HISTORY = """
CREATE TABLE IF NOT EXISTS schema_history (
    version  INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT
"""
WAL_RETRY_SECONDS = 0.02  # switching to WAL ignores the busy timeout, so it is tried again until then


class DatabaseUnusable(Exception):  # noqa: N818 - a state of the file, like its siblings in worker.api
    """The file cannot be used by this program; the message is a sentence for the operator."""


def migrate(path: Path, migrations: Sequence[Migration], *, busy_seconds: float = 5.0) -> Sequence[str]:
    """Bring the file to the newest of *migrations* and return the names of those applied now.

    The file is created where it is missing, for its owner's eyes alone. Before a file that already holds a
    schema is changed, a copy of it is left beside it, named after its version. Two processes may do this at
    the same moment. A script that fails leaves nothing behind, and the version as it was.

    Raises:
        DatabaseUnusable: The file was written by a newer program or by an edited history, is damaged, or
            cannot be opened.
        sqlite3.Error: A script failed.
    """
    with suppress(OSError):  # it is there; what else is wrong, SQLite says in a moment
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # its log and its memory take the same rights
    try:
        db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise DatabaseUnusable(f"The database {path} cannot be opened: {error}.") from error
    try:
        _enter_wal(db, busy_seconds)
        return tuple(_apply_all(db, path, migrations))
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            raise DatabaseUnusable(f"The database {path} is damaged: {error}.") from error
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
            raise DatabaseUnusable(f"The database {path} cannot be written: {error}.") from error
        raise
    finally:
        db.close()


def _enter_wal(db: sqlite3.Connection, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(WAL_RETRY_SECONDS)
        else:
            return


def _apply_all(db: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> Iterator[str]:
    if _check(db, path, migrations) == len(migrations):
        return  # without the write lock: a start is never held up by a busy file
    start = None
    while True:
        db.execute("BEGIN IMMEDIATE")
        try:
            version = _check(db, path, migrations)
            if version == len(migrations):
                return
            if start is None:
                start = version
                _back_up(path, version)
            _apply(db, migrations[version])
            db.execute("COMMIT")
            yield migrations[version].name
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")


def _check(db: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> int:
    """Return the file's version once its history is known to be ours."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise DatabaseUnusable(
            f"The database {path} was written by a newer version of this program (its schema is {version}, "
            f"this program knows {len(migrations)}). Install that version again, or restore an older copy."
        )
    if version == 0:
        return 0
    for number, name, checksum in db.execute(
        "SELECT version, name, checksum FROM schema_history ORDER BY version"
    ):
        if migrations[number - 1].checksum != checksum:
            raise DatabaseUnusable(
                f"The database {path} was made with another {name} than this program carries; "
                "a migration that was released is never edited."
            )
    return version


def _apply(db: sqlite3.Connection, migration: Migration) -> None:
    db.execute(HISTORY)
    for statement in statements(migration.script):
        db.execute(statement)
    db.execute(
        "INSERT INTO schema_history (version, name, checksum) VALUES (?, ?, ?)",
        (migration.version, migration.name, migration.checksum),
    )
    db.execute(f"PRAGMA user_version = {migration.version:d}")


def statements(script: str) -> Iterator[str]:
    """Split *script* into statements, triggers whole.

    ``executescript`` is no way to run one inside a transaction: it commits first.
    """
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending  # comments, or a statement without its semicolon


def _back_up(path: Path, version: int) -> None:
    """Copy the committed content aside; the caller holds the write lock, so it stays as it is meanwhile."""
    if version == 0:
        return
    target = path.with_name(f"{path.name}.v{version}.bak")
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL, 0o600))
    source = sqlite3.connect(path)
    copy = sqlite3.connect(partial)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        source.close()
        copy.close()
    partial.replace(target)
