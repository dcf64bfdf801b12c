"""`journeyman backup`: the database and the pictures as they are at one moment, while everything runs."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.archive import DATABASE, FORMAT, PICTURES, Manifest, Writer
from cli.config import load
from cli.failures import USAGE, Failure
from cli.folder import Folder
from cli.version import number

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where the archive goes, such as backup.tar.")]


def backup(
    file: File,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Write the database and the pictures into one archive; bot and worker may go on meanwhile."""
    settings = load(os.environ, file=config, options={"data": data})
    manifest = archived(Folder(settings.data), file, now=time.time())
    if as_json:
        print(json.dumps({"file": str(file), **manifest.model_dump(exclude={"files"})}))
    else:
        pictures = len(manifest.files) - 1
        print(f"{file}: {manifest.jobs} jobs and {pictures} pictures, {_size(manifest) / 1e6:.1f} MB.")


def archived(folder: Folder, file: Path, *, now: float) -> Manifest:
    """Write the archive and return what is in it; *now* is in Unix seconds.

    The database is copied first, as of one moment. Pictures are stored before the row that names them, so all
    that the copy names are there by then; those that age out or are deleted meanwhile are left out.

    Raises:
        Failure: There is nothing to back up, or *file* is there already.
        OSError: The disk is full, or something cannot be read.
    """
    if not folder.database.exists():
        raise Failure(f"There is no database in {folder.root} to back up.", USAGE)
    if file.exists():
        raise Failure(f"{file} is there already; choose another name, or remove it.", USAGE)
    snapshot = file.with_name(f".{file.name}.database")
    try:
        _copy(folder.database, snapshot)
        with closing(sqlite3.connect(snapshot)) as db, Writer(file) as archive:
            with snapshot.open("rb") as body:
                archive.add(DATABASE, body)
            missing = sum(not _added(archive, folder.pictures, name) for name in _pictures(db))
            manifest = Manifest(
                format=FORMAT,
                program=number(),
                schema_version=db.execute("PRAGMA user_version").fetchone()[0],
                created_at=now,
                jobs=db.execute("SELECT count(*) FROM jobs").fetchone()[0],
                missing=missing,
                files=archive.files,
            )
            archive.finish(manifest)
    finally:
        snapshot.unlink(missing_ok=True)
    return manifest


def _copy(source: Path, target: Path) -> None:
    """Copy a database in use, as of one moment, into one file that nobody else may read."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as db, closing(sqlite3.connect(target)) as copy:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _pictures(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the names of every picture that a job has, each once."""
    drawn = "SELECT DISTINCT value FROM jobs, json_each(jobs.files) ORDER BY jobs.seq"
    brought = "SELECT DISTINCT value FROM jobs, json_each(jobs.inputs) ORDER BY jobs.seq"
    for sql in (drawn, brought):
        for row in db.execute(sql):
            yield str(row[0])


def _added(archive: Writer, pictures: Path, name: str) -> bool:
    with suppress(FileNotFoundError), (pictures / name).open("rb") as body:
        archive.add(PICTURES + name, body)
        return True
    return False


def _size(manifest: Manifest) -> int:
    return sum(each.size for each in manifest.files.values())
