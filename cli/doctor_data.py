"""What the data folder tells: its database, who works on it, what failed lately, what is left over."""

import sqlite3
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cli.finding import Finding, Verdict, fine, note, problem
from cli.folder import Folder
from cli.migrate import version_of
from migrations import shipped
from worker.images import ImageStore
from worker.lock import is_held, worker_lock
from worker.queue import balance

DAY_SECONDS = 86400.0
SKEW_SECONDS = 120.0  # by which clocks of one machine may differ over time
FIRST_SECOND = 1_760_000_000.0  # October 2025: no clock that runs is earlier
CHECK_SECONDS = 20.0  # for the integrity of a large database
CHECK_STEPS = 200_000  # of SQLite's machine between two looks at the time
LETTER_SECONDS = 3600.0  # a bot that runs and reaches Discord sends a message within seconds
ORPHAN_SECONDS = 3600.0  # pictures are stored before their row
LOOKED_AT = 50_000  # folders of pictures compared with the database
RESTORE = "Stop everything, then `journeyman restore FILE` with your last backup."
ADVICE = {
    "out_of_memory": "use a smaller model or size, or a device with more memory",
    "engine_failed": "the worker's log has the trace",
    "model_missing": "see the line about the model",
    "disk_full": "see the line about the disk",
    "attempts_exhausted": "the worker died on them again and again: see its log",
    "picture_gone": "their source had aged out",
}


def looked_at(folder: Folder, *, now: float) -> Iterator[Finding]:
    """Yield what the database and the folder tell; nothing is changed."""
    if not folder.root.is_dir():
        yield fine("database", "none yet; it is made at the first start.")
        return
    known = _schema(folder.database)
    yield known
    if folder.database.exists() and known.verdict is not Verdict.PROBLEM:
        with _opened(folder.database) as db:
            yield from _contents(db, folder, now)
    else:
        yield from _clock(None, now)
        yield from _running(folder, waiting=0)


def _contents(db: sqlite3.Connection, folder: Folder, now: float) -> Iterator[Finding]:
    try:
        yield _integrity(db)
        if db.execute("PRAGMA user_version").fetchone()[0]:
            newest = db.execute("SELECT max(created_at) FROM jobs").fetchone()[0]
            yield from _clock(newest, now)
            yield from _running(folder, waiting=_count(db, "state = 'queued'"))
            yield from _abandoned(db, folder)
            yield from _letters(db, now)
            yield _failures(db, now)
            yield from _ledger(db)
            yield from _pictures(db, folder, now)
    except sqlite3.DatabaseError as error:
        yield problem("database", f"{folder.database} is damaged ({error}). {RESTORE}")


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5, factory=_Closing)
    db.row_factory = sqlite3.Row
    return db


class _Closing(sqlite3.Connection):
    """A connection that is closed at the end of its block."""

    def __exit__(self, *_: object) -> None:  # type: ignore[override]
        self.close()


def _schema(path: Path) -> Finding:
    try:
        version = version_of(path)
        edited = _edited(path) if version else None
    except sqlite3.Error as error:
        return problem("database", f"{path} cannot be read: {error}. {RESTORE}")
    newest = len(shipped())
    if version > newest:
        words = f"{path} was written by a newer Journeyman (version {version}; this one knows {newest})."
        return problem("database", f"{words} Install that one again, or restore an older backup.")
    if edited:
        words = f"{path} was made with another {edited} than this program carries."
        return problem("database", f"{words} Install the program from its releases again, unchanged.")
    if not path.exists():
        return fine("database", "none yet; it is made at the first start.")
    if version < newest:
        return note("database", f"version {version}; the next start brings it to {newest}.")
    return fine("database", f"version {version}.")


def _edited(path: Path) -> str | None:
    """Return the first migration that is not the one the database was made with."""
    ours = {each.version: each.checksum for each in shipped()}
    with _opened(path) as db:
        for version, name, checksum in db.execute("SELECT version, name, checksum FROM schema_history"):
            if ours.get(version, checksum) != checksum:
                return str(name)
    return None


def _integrity(db: sqlite3.Connection) -> Finding:
    until = time.monotonic() + CHECK_SECONDS
    db.set_progress_handler(lambda: time.monotonic() > until, CHECK_STEPS)
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA quick_check(3)")]
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return note("integrity", f"no damage in the {CHECK_SECONDS:.0f} s looked for; it is large.")
    finally:
        db.set_progress_handler(None, 0)
    if found != ["ok"]:
        return problem("integrity", f"the database is damaged ({found[0]}). {RESTORE}")
    if broken is not None:
        return problem(
            "integrity", f"rows of {broken[0]} point at rows of {broken[2]} that are gone. {RESTORE}"
        )
    return fine("integrity", "the database is sound.")


def _clock(newest: float | None, now: float) -> Iterator[Finding]:
    if now < FIRST_SECOND:
        yield problem("clock", "it is set years back. Set it, best by `timedatectl set-ntp true`.")
    elif newest is not None and newest > now + SKEW_SECONDS:
        words = f"it is {_duration(newest - now)} behind the newest job."
        yield problem(
            "clock", f"{words} Set it, best by `timedatectl set-ntp true`; jobs would seem to wait."
        )
    else:
        yield fine("clock", "it agrees with the database.")


def _running(folder: Folder, *, waiting: int) -> Iterator[Finding]:
    bot = "one runs on this data folder." if is_held(folder.bot_lock) else "none runs on this data folder."
    yield note("bot", bot)
    locks = list(folder.root.glob("worker-*.lock"))
    alive = sum(is_held(path) for path in locks)
    if alive:
        words = f"{alive} of them run." if alive > 1 else "at least one runs."
        yield note("worker", words)
    elif waiting:
        words = (
            f"none runs; jobs that wait: {waiting}. Start one with `journeyman worker`, or all with `run`."
        )
        yield problem("worker", words)
    else:
        yield note("worker", "none runs; jobs would wait.")
    if len(locks) > alive:
        words = f"lock files of killed workers: {len(locks) - alive}; the next worker removes them."
        yield note("locks", words)


def _abandoned(db: sqlite3.Connection, folder: Folder) -> Iterator[Finding]:
    rows = db.execute("SELECT worker, count(*) AS jobs FROM jobs WHERE state = 'running' GROUP BY worker")
    lost = sum(row["jobs"] for row in rows if not is_held(worker_lock(folder.root, row["worker"])))
    if lost:
        words = f"left by workers that died: {lost}; any bot or worker takes them back within seconds."
        yield note("jobs", words)


def _letters(db: sqlite3.Connection, now: float) -> Iterator[Finding]:
    """Yield that messages to people wait for long; an older database has no table of them."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'letters'").fetchone():
        return
    count, oldest = db.execute("SELECT count(*), min(created_at) FROM letters").fetchone()
    if count and oldest < now - LETTER_SECONDS:
        words = f"to people wait for the bot: {count}, the oldest since {_duration(now - oldest)}"
        yield note("messages", f"{words}. Start it with `journeyman bot`; after a week it sends none.")


def _failures(db: sqlite3.Connection, now: float) -> Finding:
    rows = db.execute(
        "SELECT error, count(*) AS jobs, max(finished_at) AS last FROM jobs"
        " WHERE state = 'failed' AND finished_at > ? GROUP BY error ORDER BY jobs DESC",
        (now - DAY_SECONDS,),
    ).fetchall()
    if not rows:
        return fine("failures", "no job failed in the last day.")
    told = [
        f"{row['jobs']} {row['error']}, last {_duration(max(0.0, now - row['last']))} ago"
        + (f" ({ADVICE[row['error']]})" if row["error"] in ADVICE else "")
        for row in rows
    ]
    return note("failures", f"of the last day: {'; '.join(told)}.")


def _ledger(db: sqlite3.Connection) -> Iterator[Finding]:
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger'").fetchone() is None:
        return  # the next start makes it
    off = balance.imbalances(db)
    if off:
        words = (
            f"of credits does not balance: {'; '.join(off)}. Nothing that people do leads there. {RESTORE}"
        )
        yield problem("ledger", words)
    else:
        yield fine("ledger", f"of credits: {balance.entries(db)} entries, which balance.")


def _pictures(db: sqlite3.Connection, folder: Folder, now: float) -> Iterator[Finding]:
    if not folder.pictures.is_dir():
        return
    old = islice(ImageStore(folder.pictures).older(now - ORPHAN_SECONDS, tidy=False), LOOKED_AT)
    orphans = sum(not _known(db, job_id) for job_id in old)
    if orphans:
        words = f"folders without a job: {orphans}; a running worker removes them within the hour."
        yield note("pictures", words)
    else:
        yield fine("pictures", "every folder belongs to a job.")


def _known(db: sqlite3.Connection, job_id: str) -> bool:
    return db.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,)).fetchone() is not None


def _count(db: sqlite3.Connection, condition: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM jobs WHERE {condition}").fetchone()[0])  # noqa: S608


def _duration(seconds: float) -> str:
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
