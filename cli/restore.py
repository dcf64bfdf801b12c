"""`journeyman restore`: a data folder as it was when a backup was made."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.archive import CHUNK, DATABASE, MANIFEST, PICTURES, Hashed, Manifest, manifest_of, members
from cli.config import load
from cli.failures import USAGE, Failure
from cli.folder import Folder, opened
from migrations import shipped
from worker.lock import FileLock, LockHeld, any_worker
from worker.schema import DatabaseUnusable, migrate

STAGING = "restore.part"  # inside the data folder: the same file system, also where that is a mounted volume
BEFORE = ".before-restore"  # how the database that was there is called afterwards


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `journeyman backup` wrote.")],
    data: options.Data = None,
    config: options.Config = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the backup is whole.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Even where the data folder is in use by something older.")
    ] = False,
) -> None:
    """Put a backup into the data folder; nothing may run on it."""
    settings = load(os.environ, file=config, options={"data": data})
    if check:
        print(told(manifest_of(file), "is whole"))
        return
    manifest = restored(file, Folder(settings.data), replace=replace)
    print(told(manifest, f"restored to {settings.data}"))


def told(manifest: Manifest, what: str) -> str:
    """Return what became of a backup, for people."""
    made = datetime.fromtimestamp(manifest.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"The backup of {made} {what}: {manifest.jobs} jobs, {len(manifest.files) - 1} pictures."


def restored(
    file: Path, folder: Folder, *, replace: bool, step: Callable[[str], None] = lambda _: None
) -> Manifest:
    """Put *file* into *folder* and return what was in it.

    Everything is checked, unpacked beside what is there and checked again before the one rename that makes
    it count. Until then the folder is as it was, whatever happens; pictures that were moved in by then belong
    to no job of the old database and are swept like others. The old database is kept under another name.

    Args:
        file: The backup.
        folder: Where to; made where it is missing.
        replace: Whether a folder with something in it will do.
        step: Told where we are; tests let the process die there.

    Raises:
        Failure: The backup is not whole or too new, something runs on the folder, or it is not empty.
        OSError: The disk is full, or the folder cannot be written.
    """
    manifest = manifest_of(file)
    if manifest.schema_version > len(shipped()):
        raise Failure(
            f"{file} is of a newer Journeyman ({manifest.program}): its database has version "
            f"{manifest.schema_version}, and this program knows {len(shipped())}. Install that one first."
        )
    opened(folder.root)
    if not replace and _in_use(folder):
        raise Failure(f"{folder.root} is not empty: name another folder, or say --replace.", USAGE)
    try:
        with FileLock(folder.bot_lock):  # no bot starts meanwhile
            _refuse_workers(folder)
            _put(file, folder, manifest, step)
    except LockHeld as error:
        raise Failure(f"A bot runs on {folder.root} ({error.holder}): stop it first.") from None
    return manifest


def _in_use(folder: Folder) -> bool:
    return folder.database.exists() or any(folder.pictures.iterdir())


def _refuse_workers(folder: Folder) -> None:
    if any_worker(folder.root):
        raise Failure(f"A worker runs on {folder.root}: stop it first.")


def _put(file: Path, folder: Folder, manifest: Manifest, step: Callable[[str], None]) -> None:
    staging = folder.root / STAGING
    shutil.rmtree(staging, ignore_errors=True)  # of a restore that was interrupted
    try:
        staging.mkdir(mode=0o700)
        step("unpack")
        _unpack(file, staging, manifest)
        _check(staging / DATABASE)
        step("pictures")
        _move_pictures(staging / PICTURES, folder.pictures)
        _refuse_workers(folder)
        _set_aside(folder.database)
        step("switch")
        (staging / DATABASE).replace(folder.database)
        _sync(folder.root)
        step("switched")
        _sweep(folder.pictures, manifest)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack(file: Path, staging: Path, manifest: Manifest) -> None:
    for member in members(file):
        if member.name == MANIFEST:
            continue
        path = staging / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            body = Hashed(member.body)
            shutil.copyfileobj(body, target, CHUNK)
            target.flush()
            os.fsync(target.fileno())
        if body.entry != manifest.files[member.name]:
            raise Failure(f"{file} was changed while it was read; try again.")


def _check(database: Path) -> None:
    """Bring the unpacked database to today's schema, and look at all of it.

    Raises:
        Failure: It is damaged, or of an edited history.
    """
    try:
        migrate(database, shipped())
        with closing(sqlite3.connect(database)) as db:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            db.execute("PRAGMA journal_mode = DELETE").fetchone()
    except (sqlite3.DatabaseError, DatabaseUnusable) as error:
        raise Failure(f"The database in the backup cannot be used: {error}") from None
    if found != "ok":
        raise Failure(f"The database in the backup is damaged: {found}.")


def _move_pictures(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*.*")) if source.exists() else ():
        final = target / path.relative_to(source)
        final.parent.mkdir(parents=True, exist_ok=True)
        path.replace(final)
        _sync(final.parent)


def _set_aside(database: Path) -> None:
    """Fold the old database's log into it, lest it be taken for the new one's; give it a second name."""
    if not database.exists():
        return
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        db.execute("PRAGMA journal_mode = DELETE").fetchone()
    kept = database.with_name(database.name + BEFORE)
    kept.unlink(missing_ok=True)
    try:
        kept.hardlink_to(database)
    except OSError:  # a file system without hard links
        shutil.copy2(database, kept)
    for ending in ("-wal", "-shm", "-journal"):  # of a database too damaged to be opened
        leftover = database.with_name(database.name + ending)
        if leftover.exists():
            leftover.replace(kept.with_name(kept.name + ending))


def _sweep(pictures: Path, manifest: Manifest) -> None:
    """Remove the folders of jobs that the backup does not have."""
    kept = {name.removeprefix(PICTURES).rpartition("/")[0] for name in manifest.files}
    for folder in pictures.glob("*/*"):
        if f"{folder.parent.name}/{folder.name}" not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
