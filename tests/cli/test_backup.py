"""Backups, proven by restoring them."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cli.archive import Manifest, manifest_of
from cli.backup import archived
from cli.failures import Failure
from cli.folder import Folder, opened
from cli.restore import BEFORE, STAGING, restored
from tests.worker.house import House, house_in
from worker.lock import FileLock, worker_lock

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_800_000_000.0
KEYS = count()


@asynccontextmanager
async def house_at(root: Path) -> AsyncIterator[House]:
    """A data folder in use, as `journeyman` lays it out."""
    async with house_in(opened(root).root, file="journeyman.sqlite3", seed=next(KEYS)) as house:
        house.keys = KEYS
        yield house


async def lived_in(root: Path, *, jobs: int = 3) -> Folder:
    async with house_at(root) as house:
        for _ in range(jobs):
            await house.drawn()
        await house.submit()
    return Folder(root)


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run *script* in a process of its own, which may die."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def rows(folder: Folder, table: str = "jobs") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder.database)) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def pictures(folder: Folder) -> dict[str, bytes]:
    found = (path for path in folder.pictures.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.pictures)): path.read_bytes() for path in found}


def state(folder: Folder) -> tuple[object, object, object]:
    """Return what people would miss."""
    return rows(folder), rows(folder, "job_events"), pictures(folder)


def backed_up(folder: Folder, file: Path) -> Manifest:
    return archived(folder, file, now=NOW)


async def test_what_was_backed_up_is_what_is_restored(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data")
    manifest = backed_up(folder, tmp_path / "backup.tar")
    assert (manifest.jobs, manifest.missing) == (4, 0)
    other = Folder(tmp_path / "elsewhere" / "data")
    assert restored(tmp_path / "backup.tar", other, replace=False) == manifest
    assert state(other) == state(folder)
    async with house_at(other.root) as house:
        assert len(await house.desk.recent()) == 4
        [claim] = await house.claim()
        await house.finish(claim)


async def test_a_backup_taken_while_jobs_are_drawn_is_of_one_moment(tmp_path: Path) -> None:
    """Every picture a restored job names is there, whole, and no job is missing among earlier ones."""
    folder = Folder(tmp_path / "data")
    async with house_at(folder.root) as house:
        for _ in range(5):
            await house.drawn()
        over = asyncio.Event()

        async def draw() -> None:
            while not over.is_set():
                await house.drawn()

        drawing = asyncio.create_task(draw())
        files = [tmp_path / f"{n}.tar" for n in range(4)]
        for file in files:
            await asyncio.to_thread(archived, folder, file, now=NOW)
        over.set()
        await drawing
    counts = []
    for file in files:
        other = Folder(tmp_path / file.stem)
        restored(file, other, replace=False)
        jobs = rows(other)
        assert [job[0] for job in jobs] == list(range(1, len(jobs) + 1))
        assert jobs[:5] == rows(folder)[:5]
        async with house_at(other.root) as copy:
            for job in await copy.desk.recent(limit=10_000):
                for name in job.files:
                    assert (await copy.desk.picture(name)).startswith(job.id.encode())
        counts.append(len(jobs))
    assert counts[-1] > 5


def test_nothing_to_back_up_and_a_name_that_is_taken_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no database"):
        backed_up(Folder(tmp_path), tmp_path / "backup.tar")
    Folder(tmp_path).database.touch()
    (tmp_path / "backup.tar").write_text("precious")
    with pytest.raises(Failure, match="is there already"):
        backed_up(Folder(tmp_path), tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").read_text() == "precious"


async def test_a_backup_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data")
    (tmp_path / "out").mkdir()
    backed_up(folder, tmp_path / "out" / "backup.tar")
    [only] = (tmp_path / "out").iterdir()
    assert only.stat().st_mode & 0o077 == 0


async def test_pictures_that_aged_out_are_no_obstacle(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data")
    next(folder.pictures.rglob("grid.png")).unlink()
    assert backed_up(folder, tmp_path / "backup.tar").missing == 1
    restored(tmp_path / "backup.tar", Folder(tmp_path / "other"), replace=False)


async def test_a_folder_that_is_used_is_refused_unless_told(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data")
    backed_up(folder, tmp_path / "backup.tar")
    saved = state(folder)
    async with house_at(folder.root) as house:
        await house.submit(owner_id=9)
    later = rows(folder)
    with pytest.raises(Failure, match="--replace"):
        restored(tmp_path / "backup.tar", folder, replace=False)
    restored(tmp_path / "backup.tar", folder, replace=True)
    assert state(folder) == saved
    kept = folder.database.with_name(folder.database.name + BEFORE)
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("SELECT * FROM jobs ORDER BY 1").fetchall() == later


@pytest.mark.parametrize("lock", ["bot", "worker"])
async def test_nothing_is_restored_under_a_running_process(tmp_path: Path, lock: str) -> None:
    folder = await lived_in(tmp_path / "data")
    backed_up(folder, tmp_path / "backup.tar")
    before = state(folder)
    path = folder.bot_lock if lock == "bot" else worker_lock(folder.root, "w")
    with FileLock(path), pytest.raises(Failure, match=f"{lock} runs"):
        restored(tmp_path / "backup.tar", folder, replace=True)
    assert state(folder) == before


@pytest.mark.parametrize("stage", ["pictures", "switch"])
async def test_a_restore_that_is_killed_changes_nothing_and_can_be_done_again(
    tmp_path: Path, stage: str
) -> None:
    source = await lived_in(tmp_path / "source", jobs=2)
    backed_up(source, tmp_path / "backup.tar")
    folder = await lived_in(tmp_path / "data")
    before = state(folder)
    script = (
        "import os, sys; from pathlib import Path; from cli.folder import Folder;"
        "from cli.restore import restored;"
        "restored(Path(sys.argv[1]), Folder(Path(sys.argv[2])), replace=True,"
        " step=lambda at: os._exit(9) if at == sys.argv[3] else None)"
    )
    arguments = [str(tmp_path / "backup.tar"), str(folder.root), stage]
    assert python(script, *arguments).returncode == 9
    jobs, events, stored = state(folder)
    assert (jobs, events) == before[:2]
    assert dict(before[2]).items() <= dict(stored).items()  # type: ignore[call-overload]
    restored(tmp_path / "backup.tar", folder, replace=True)
    assert state(folder) == state(source)
    assert not (folder.root / STAGING).exists()


async def test_a_log_of_the_old_database_is_not_taken_for_the_new_ones(tmp_path: Path) -> None:
    """A process that was killed leaves its last transactions in the log beside the file."""
    source = await lived_in(tmp_path / "source", jobs=1)
    backed_up(source, tmp_path / "backup.tar")
    folder = await lived_in(tmp_path / "data")
    script = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        "db.execute('UPDATE jobs SET model = ?', ('left in the log',)); db.commit(); os._exit(9)"
    )
    assert python(script, str(folder.database)).returncode == 9
    assert folder.database.with_name("journeyman.sqlite3-wal").stat().st_size
    restored(tmp_path / "backup.tar", folder, replace=True)
    assert state(folder) == state(source)


@pytest.mark.parametrize("harm", ["cut", "flipped", "no manifest", "no archive", "path", "link"])
async def test_a_backup_that_is_not_whole_is_refused_before_anything_is_touched(
    tmp_path: Path, harm: str
) -> None:
    folder = await lived_in(tmp_path / "data", jobs=1)
    file = tmp_path / "backup.tar"
    backed_up(folder, file)
    harmed(file, harm)
    target = Folder(tmp_path / "target")
    with pytest.raises(Failure):
        restored(file, target, replace=False)
    assert not target.root.exists()


def harmed(file: Path, harm: str) -> None:
    body = bytearray(file.read_bytes())
    match harm:
        case "cut":
            file.write_bytes(body[: len(body) // 2])
        case "flipped":
            at = body.index(b"grid.png") + 1000
            body[body.index(b"grid", at)] ^= 1
            file.write_bytes(body)
        case "no archive":
            file.write_text("a letter")
        case "no manifest":
            rewritten(file, lambda info: None if info.name == "manifest.json" else info)
        case "path":
            rewritten(file, _outside)
        case _:
            rewritten(file, _linked)


def rewritten(file: Path, change: Any) -> None:
    """Write the archive again, every member as *change* returns it."""
    other = file.with_suffix(".other")
    with tarfile.open(file) as source, tarfile.open(other, "w") as target:
        for info in source:
            body = source.extractfile(info)
            if (changed := change(info)) is not None:
                target.addfile(changed, body if changed.isreg() else None)
    other.replace(file)


def _outside(info: tarfile.TarInfo) -> tarfile.TarInfo:
    if info.name.endswith("grid.png"):
        info.name = "pictures/../../evil.png"
    return info


def _linked(info: tarfile.TarInfo) -> tarfile.TarInfo:
    if info.name.endswith("grid.png"):
        info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0
    return info


async def test_a_backup_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data", jobs=1)
    with closing(sqlite3.connect(folder.database)) as db:
        db.execute("PRAGMA user_version = 9999")
    backed_up(folder, tmp_path / "backup.tar")
    with pytest.raises(Failure, match="newer Journeyman"):
        restored(tmp_path / "backup.tar", Folder(tmp_path / "target"), replace=False)


async def test_a_full_disk_leaves_no_half_of_a_backup(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data", jobs=1)
    out = tmp_path / "out"
    out.mkdir()
    script = (
        "import resource, signal, sys; from pathlib import Path; from cli.backup import archived;"
        "from cli.folder import Folder;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "size = Path(sys.argv[1], 'journeyman.sqlite3').stat().st_size;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 2048, size + 2048));"
        "archived(Folder(Path(sys.argv[1])), Path(sys.argv[2]), now=0)"
    )
    done = python(script, str(folder.root), str(out / "backup.tar"))
    assert "File too large" in done.stderr
    assert not any(out.iterdir())


@pytest.mark.slow
async def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    folder = await lived_in(tmp_path / "data", jobs=1)
    file = tmp_path / "backup.tar"

    def journeyman(*arguments: str) -> str:
        environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    assert "2 jobs and 5 pictures" in await asyncio.to_thread(
        journeyman, "backup", str(file), "--data", str(folder.root)
    )
    assert "is whole: 2 jobs, 5 pictures" in await asyncio.to_thread(
        journeyman, "restore", str(file), "--check"
    )
    assert manifest_of(file).jobs == 2
