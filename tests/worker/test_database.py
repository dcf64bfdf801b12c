"""The one file that several processes share."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from migrations import Migration
from worker.api import DatabaseBusy, ErrorCode, WorkerError
from worker.database import Database

NOTES = (Migration(1, "0001_notes.sql", "CREATE TABLE notes (text TEXT NOT NULL);"),)
ROOT = Path(__file__).resolve().parents[2]


def put(text: str) -> Callable[[sqlite3.Connection], int]:
    return lambda db: db.execute("INSERT INTO notes VALUES (?)", (text,)).rowcount


def texts(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT text FROM notes ORDER BY rowid")]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / "notes.db", migrations=NOTES, busy_seconds=0.3) as opened:
        yield opened


class Held:
    """A write that keeps the writer's thread until let go, so that others pile up behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, db: sqlite3.Connection) -> None:
        self.entered.set()
        assert self.let_go.wait(10)


async def test_a_write_returns_its_result_once_readers_see_it(database: Database) -> None:
    assert await database.write(put("a")) == 1
    assert await database.read(texts) == ["a"]


async def test_a_commit_of_another_process_is_heard(database: Database) -> None:
    seen = await database.changed(-1, within=60)
    assert await database.changed(seen, within=0) == seen
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    put("theirs")(other)
    assert await database.changed(seen, within=0) == seen
    other.execute("COMMIT")
    other.close()
    async with asyncio.timeout(20):
        assert await database.changed(seen, within=60) != seen
    assert await database.read(texts) == ["theirs"]


async def test_writes_that_wait_together_share_one_transaction(database: Database) -> None:
    held, seen = Held(), list[str]()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.entered.wait, 10)
    trace = asyncio.create_task(database.write(lambda db: db.set_trace_callback(seen.append)))
    rest = [asyncio.create_task(database.write(put(str(n)))) for n in range(100)]
    await asyncio.sleep(0)
    held.let_go.set()
    await asyncio.gather(first, trace, *rest)
    await database.write(lambda db: db.set_trace_callback(None))
    assert len(await database.read(texts)) == 100
    assert sum(statement.startswith("COMMIT") for statement in seen) == 1
    assert sum(statement.startswith("INSERT") for statement in seen) == 100


async def test_who_writes_again_as_soon_as_told_shares_one_commit_with_who_waited(tmp_path: Path) -> None:
    sizes = list[int]()
    path, wrote = tmp_path / "notes.db", lambda written: sizes.append(written.writes)
    async with Database(path, migrations=NOTES, wrote=wrote) as database:

        async def twice(text: str) -> None:
            await database.write(put(text))
            await database.write(put(text))

        held = Held()
        first = asyncio.create_task(database.write(held))
        await asyncio.to_thread(held.entered.wait, 10)
        people = [asyncio.create_task(twice(str(number))) for number in range(3)]
        await asyncio.sleep(0)
        held.let_go.set()
        await first
        late = asyncio.create_task(database.write(put("late")))
        await asyncio.gather(late, *people)
    assert sizes[0] == 1
    assert len(sizes) == 3
    assert sum(sizes) == 8


async def test_a_write_that_raises_is_undone_alone(database: Database) -> None:
    def half(db: sqlite3.Connection) -> None:
        put("half")(db)
        raise LookupError("on purpose")

    held = Held()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.entered.wait, 10)
    group = asyncio.gather(
        database.write(put("before")),
        database.write(half),
        database.write(put("after")),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    held.let_go.set()
    await first
    before, error, after = await group
    assert (before, after) == (1, 1)
    assert isinstance(error, LookupError)
    assert await database.read(texts) == ["before", "after"]


async def test_writes_are_run_again_with_savepoints_only_if_one_had_changed_something(
    database: Database,
) -> None:
    runs = list[str]()

    def counted(text: str, error: Exception | None = None, *, first: bool = False) -> Callable[..., int]:
        def work(db: sqlite3.Connection) -> int:
            runs.append(text)
            if first and error is not None:
                raise error
            rows = put(text)(db)
            if error is not None:
                raise error
            return rows

        return work

    refused = counted("refused", LookupError("on purpose"), first=True)
    for late, times in ((None, 1), (LookupError("late"), 2)):
        runs.clear()
        held = Held()
        first = asyncio.create_task(database.write(held))
        await asyncio.to_thread(held.entered.wait, 10)
        works = [counted("a"), refused, counted("b", late), counted("c")]
        group = asyncio.gather(*map(database.write, works), return_exceptions=True)
        await asyncio.sleep(0)
        held.let_go.set()
        await first
        a, no, b, c = await group
        assert (a, c) == (1, 1)
        assert isinstance(no, LookupError)
        assert b is late or b == 1
        assert [runs.count(each) for each in ("a", "refused", "b")] == [times, times, times]
        assert runs.count("c") == 1
    assert await database.read(texts) == ["a", "b", "c", "a", "c"]


async def test_a_write_that_costs_the_whole_transaction_is_told_to_all_of_it(database: Database) -> None:
    await database.write(lambda db: db.execute("CREATE UNIQUE INDEX one ON notes (text)").rowcount)
    held = Held()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.entered.wait, 10)
    twice = "INSERT OR ROLLBACK INTO notes VALUES ('a'), ('a')"  # as SQLite may do when the disk is full
    group = asyncio.gather(
        database.write(put("lost")), database.write(lambda db: db.execute(twice)), return_exceptions=True
    )
    await asyncio.sleep(0)
    held.let_go.set()
    await first
    assert [type(outcome) for outcome in await group] == [sqlite3.IntegrityError] * 2
    await database.write(put("next"))
    assert await database.read(texts) == ["next"]


async def test_a_file_locked_at_the_start_is_busy(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "notes.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseBusy):
        async with Database(tmp_path / "notes.db", migrations=NOTES, busy_seconds=0.1):
            pass
    other.close()
    async with Database(tmp_path / "notes.db", migrations=NOTES) as database:
        assert await database.read(texts) == []


async def test_a_cancelled_caller_does_not_undo_its_write(database: Database) -> None:
    held = Held()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.entered.wait, 10)
    waiting = asyncio.create_task(database.write(put("kept")))
    await asyncio.sleep(0)
    first.cancel()
    waiting.cancel()
    held.let_go.set()
    assert await asyncio.gather(first, waiting, return_exceptions=True)
    await database.write(put("later"))
    assert await database.read(texts) == ["kept", "later"]


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(put("a"))


async def busy_readers(database: Database, count: int) -> tuple[list[Held], list[asyncio.Task[None]]]:
    """Occupy *count* readers."""
    held = [Held() for _ in range(count)]
    tasks = [asyncio.create_task(database.read(each)) for each in held]
    for each in held:
        assert await asyncio.to_thread(each.entered.wait, 10)
    return held, tasks


async def test_reads_that_wait_share_a_snapshot_and_fail_alone(database: Database) -> None:
    await database.write(put("a"))
    held, busy = await busy_readers(database, 2)
    snapshots: list[int] = []

    def note(db: sqlite3.Connection) -> list[str]:
        snapshots.append(id(db))
        return texts(db)

    waiting = [asyncio.create_task(database.read(work)) for work in (note, put("x"), note)]
    await database.write(put("b"))
    held[0].let_go.set()
    first, failed, last = await asyncio.gather(*waiting, return_exceptions=True)
    assert first == last == ["a", "b"], "they see what was there when they began"
    assert isinstance(failed, sqlite3.OperationalError)
    assert len(set(snapshots)) == 1, "one reader answered all"
    held[1].let_go.set()
    await asyncio.gather(*busy)


async def test_a_read_nobody_waits_for_disturbs_no_other(database: Database) -> None:
    held, busy = await busy_readers(database, 2)
    given_up, kept = (asyncio.create_task(database.read(texts)) for _ in range(2))
    await asyncio.sleep(0)
    given_up.cancel()
    for each in held:
        each.let_go.set()
    assert await kept == []
    assert given_up.cancelled()
    await asyncio.gather(*busy)


async def test_a_reader_sees_one_moment(database: Database) -> None:
    def twice(db: sqlite3.Connection) -> tuple[list[str], list[str]]:
        before = texts(db)
        asyncio.run_coroutine_threadsafe(database.write(put("meanwhile")), loop).result(10)
        return before, texts(db)

    loop = asyncio.get_running_loop()
    assert await database.read(twice) == ([], [])
    assert await database.read(texts) == ["meanwhile"]


async def test_only_durable_writes_wait_for_the_disk(database: Database) -> None:
    def setting(db: sqlite3.Connection) -> int:
        return int(db.execute("PRAGMA synchronous").fetchone()[0])

    full, normal = 2, 1
    assert await database.write(setting) == full
    assert await database.write(setting, durable=False) == normal
    assert await database.write(setting) == full


async def test_a_locked_file_is_busy_within_the_stated_time_and_usable_afterwards(database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(DatabaseBusy):
        await database.write(put("refused"))
    assert 0.25 < time.monotonic() - started < 2
    assert await database.read(texts) == []  # reading goes on meanwhile
    other.execute("ROLLBACK")
    other.close()
    await database.write(put("accepted"))
    assert await database.read(texts) == ["accepted"]


async def test_a_full_disk_is_said_and_what_was_written_stays(database: Database) -> None:
    await database.write(put("kept"))

    def fill(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 2}")
        put("x" * 1_000_000)(db)

    with pytest.raises(WorkerError) as caught:
        await database.write(fill)
    assert caught.value.code is ErrorCode.DISK_FULL
    await database.write(put("small"))
    assert await database.read(texts) == ["kept", "small"]


async def test_a_lost_connection_closes_the_database_and_everybody_is_told(tmp_path: Path) -> None:
    async with asyncio.timeout(10), Database(tmp_path / "notes.db", migrations=NOTES) as database:
        await database.write(put("kept"))
        group = [asyncio.create_task(database.write(work)) for work in (put("a"), sqlite3.Connection.close)]
        waiting = asyncio.create_task(database.write(put("b")))
        outcomes = await asyncio.gather(*group, waiting, return_exceptions=True)
        assert all(isinstance(outcome, sqlite3.ProgrammingError) for outcome in outcomes)
        with pytest.raises(RuntimeError, match="closed"):
            await database.write(put("c"))
    async with Database(tmp_path / "notes.db", migrations=NOTES) as database:
        assert await database.read(texts) == ["kept"]


async def test_a_closed_database_refuses(tmp_path: Path) -> None:
    async with Database(tmp_path / "notes.db", migrations=NOTES) as database:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        await database.write(put("a"))
    with pytest.raises(RuntimeError, match="closed"):
        await database.read(texts)


async def test_closing_writes_what_was_accepted_and_folds_the_log_back(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with Database(path, migrations=NOTES) as database:
        writes = [asyncio.create_task(database.write(put(str(n)))) for n in range(300)]
        await asyncio.sleep(0)
    await asyncio.gather(*writes)
    assert not path.with_name("notes.db-wal").exists()
    db = sqlite3.connect(path)
    assert len(texts(db)) == 300
    db.close()


@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "raise KeyboardInterrupt", "return"])
def test_the_interpreter_exits_however_the_program_ends(tmp_path: Path, ending: str) -> None:
    program = f"""
import asyncio, pathlib
from worker.database import Database
async def main():
    async with Database(pathlib.Path({str(tmp_path / "jobs.db")!r})) as database:
        asyncio.create_task(database.write(lambda db: None))
        await database.read(lambda db: None)
        {ending}
asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, timeout=30, capture_output=True, check=False
    )
    assert (ended.returncode == 0) is (ending == "return")
    assert b"never retrieved" not in ended.stderr
