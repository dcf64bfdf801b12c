"""The data folder: one SQLite file of JSON documents and a folder of attachments."""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import DataFolderBusyError, DataFolderError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID
"""


class Storage:
    """Write-through storage; what a method wrote survives the process being killed.

    `folder=None` keeps everything in a temporary folder that `close` removes.
    Raises DataFolderBusyError when another process holds the folder, DataFolderError when it is unusable.
    """

    def __init__(self, folder: Path | None) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="playground-")
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self._files = self.folder / "attachments"
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            self._database = self._open(self.folder / "playground.sqlite3")
        except (OSError, sqlite3.DatabaseError) as error:
            self._discard()
            if "locked" in str(error):
                raise DataFolderBusyError(f"Another playground already uses {self.folder}.") from error
            raise DataFolderError(f"The playground cannot use {self.folder}: {error}.") from error

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            # Exclusive locking doubles as the guard against a second playground on the same folder.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("BEGIN EXCLUSIVE")
            database.execute(_SCHEMA)
            database.execute("COMMIT")
        except BaseException:
            database.close()
            raise
        return database

    def load(self, kind: str) -> Iterator[str]:
        """All documents of a kind, oldest id first."""
        rows = self._database.execute(
            "SELECT body FROM documents WHERE kind = ? ORDER BY length(id), id", (kind,)
        )
        for (body,) in rows.fetchall():
            yield body

    def put(self, kind: str, key: str, body: str) -> None:
        """Store or replace one document."""
        self._database.execute("REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, body))

    def delete(self, kind: str, key: str) -> None:
        """Remove one document, if it is there."""
        self._database.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))

    def secret(self) -> bytes:
        """The key of signed links, drawn at the first start."""
        known = next(self.load("secret"), None)
        if known is None:
            known = secrets.token_hex(32)
            self.put("secret", "secret", known)
        return bytes.fromhex(known)

    def write_file(self, key: str, content: bytes) -> None:
        """Store an attachment; it is whole under its name or not there at all."""
        draft = self._files / f"{key}.part"
        draft.write_bytes(content)
        draft.replace(self._files / key)

    def file(self, key: str) -> Path:
        """Where an attachment's bytes lie."""
        return self._files / os.path.basename(key)  # noqa: PTH119 - a Path would keep a separator in the key

    def delete_file(self, key: str) -> None:
        """Remove an attachment, if it is there."""
        self.file(key).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the folder."""
        self._database.close()
        self._discard()

    def _discard(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
