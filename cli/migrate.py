"""`journeyman migrate`: bring the database to this program's schema."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.config import load
from cli.folder import Folder, opened


def migrate(
    data: options.Data = None,
    config: options.Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Bring the database up to date; starting the bot or the worker does the same."""
    from migrations import shipped
    from worker.schema import migrate as apply

    settings = load(os.environ, file=config, options={"data": data})
    if dry_run:
        path = Folder(settings.data).database
        names = [each.name for each in shipped()[version_of(path) :]]
        print(told(names, path, done="would be applied"))
        return
    path = opened(settings.data).database
    print(told(apply(path, shipped()), path, done="applied"))


def version_of(path: Path) -> int:
    """Return the schema version of a database file, 0 where there is none; nothing is written."""
    if not path.exists():
        return 0
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def told(names: Sequence[str], path: Path, *, done: str) -> str:
    """Return what was or would be done, for people."""
    if not names:
        return f"{path} is up to date."
    return "\n".join(f"{name} {done}" for name in names)
