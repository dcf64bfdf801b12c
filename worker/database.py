"""One SQLite file that several processes share."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiosqlite
import structlog

from migrations import Migration, shipped
from worker.api import ErrorCode, WorkerError
from worker.schema import migrate
from worker.transaction import Outcome, Work, coded, commit, snapshot

T = TypeVar("T")

STORE_FAILURES = (WorkerError, sqlite3.Error)  # what reading and writing may raise: busy, full, out of order

READERS = 2  # an indexed read takes a tenth of a millisecond; two keep a long one from holding up the rest
GROUP = 256  # writes in one transaction at most: bounds how long other processes wait for the lock
LOOKS = 16  # reads on one snapshot at most: each waits for all
STATEMENTS = 512  # kept prepared by a connection; the writer has a few hundred
BRISK_SECONDS = 0.025  # between two looks at the file's version
CALM_SECONDS = 0.1  # likewise once nobody has written for a while: each look wakes an idle processor
BRISK_FOR_SECONDS = 2.0
LOG_LIMIT_BYTES = 64 * 1024 * 1024  # what the write-ahead log is cut back to after a burst

log = structlog.get_logger(__name__)


class Session(aiosqlite.Connection):
    """A connection whose thread runs plain functions, one whole function at a time."""

    async def run(self, work: Work[T]) -> T:
        """Run *work* on the connection's thread; a cancelled caller does not stop it."""
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


@dataclass(frozen=True, slots=True)
class _Write:
    work: Work[Any]
    durable: bool
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Read:
    work: Work[Any]
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Written:
    """One transaction, for whoever measures.

    Attributes:
        writes: How many writes shared it.
        seconds: From the attempt to begin until all of it was on the disk, or refused.
        failed: Whether the file was locked for too long, or the disk full.
    """

    writes: int
    seconds: float
    failed: bool


class Database:
    """One SQLite file: a writer connection owned by one task, and a few readers.

    Use it as an async context manager; entering brings the schema up to date. Writes and reads take plain
    functions, so that nothing can be awaited while a transaction is open. Everything that waits to be written
    goes into one transaction: one commit to the disk serves them all, and one that raises is undone alone.
    Reads that find both readers busy share the next snapshot likewise.
    """

    def __init__(
        self,
        path: Path,
        *,
        migrations: Sequence[Migration] | None = None,
        busy_seconds: float = 5.0,
        wrote: Callable[[Written], None] = lambda _: None,
    ) -> None:
        """Describe the file; nothing is opened.

        Args:
            path: The file; its folder must exist.
            migrations: The schema's history, the shipped one if left out.
            busy_seconds: How long a statement waits for another process's lock before `DatabaseBusy`.
            wrote: Told of every transaction.
        """
        self.path = path
        self._wrote = wrote
        self._migrations = migrations
        self._busy_seconds = busy_seconds
        self._open = False
        self._heard_at = -inf  # when the version last moved, by the event loop's clock

    async def __aenter__(self) -> Self:
        """Migrate and open the file.

        Raises:
            DatabaseUnusable: The file cannot be used; the message says why.
            WorkerError: ``DATABASE_BUSY`` or ``DISK_FULL``.
        """
        history = shipped() if self._migrations is None else self._migrations
        try:
            await asyncio.to_thread(migrate, self.path, history, busy_seconds=self._busy_seconds)
            async with AsyncExitStack() as stack:
                # Closed last, the writer finds no reader in the way of folding the log back into the file.
                self._writer = self._session(query_only=False)
                readers = [self._session(query_only=True) for _ in range(READERS)]
                for session in (self._writer, *readers):
                    await stack.enter_async_context(session)
                self._readers = readers  # those with nothing to do
                self._reads: deque[_Read] = deque()
                self._looking: set[asyncio.Task[None]] = set()
                self._ear = _connect(self.path, busy_seconds=0, query_only=True)
                stack.callback(self._ear.close)
                self._queue: asyncio.Queue[_Write] = asyncio.Queue()
                self._task = asyncio.create_task(self._serve(), name="database writer")
                self._stack = stack.pop_all()
        except sqlite3.Error as error:
            raise coded(error) from error
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what was accepted, then close; takes at most the busy time."""
        self._open = False
        try:
            await asyncio.gather(self._queue.join(), *self._looking)
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
            await self._stack.aclose()

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run *work* in a write transaction and return its result once that is committed.

        A cancelled caller does not undo it.

        Args:
            work: Runs on the writer's thread, a second time where others of its transaction were undone; it
                changes rows, nothing else, and must not commit. When it raises, its own changes are undone
                and the caller gets its exception.
            durable: Whether the result must survive a power cut (it survives the death of the process
                anyway).

        Raises:
            DatabaseBusy: Another process held the lock for too long; nothing was written.
            WorkerError: ``DISK_FULL``; nothing was written.
            RuntimeError: The database is closed: at the end, or because its connection was lost.
        """
        if not self._open:
            raise RuntimeError("the database is closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Write(work, durable, done))
        return await done

    async def read(self, work: Work[T]) -> T:
        """Run *work* on one snapshot of the file and return its result; it cannot write.

        Raises:
            DatabaseBusy: The file was locked as a whole for too long.
        """
        if not self._open:
            raise RuntimeError("the database is closed")
        loop = asyncio.get_running_loop()
        read = _Read(work, loop.create_future())
        if self._readers:
            task = loop.create_task(self._look(self._readers.pop(), read), name="database reader")
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)
        else:
            self._reads.append(read)
        return await read.done  # type: ignore[no-any-return]

    async def changed(self, seen: int, *, within: float) -> int:
        """Return once the file's version is no longer *seen*, or after *within* seconds, with the version.

        The version changes with every commit, whichever process makes it. To ask for it costs microseconds
        and reads shared memory only, so that idle processes may listen all the time.

        Args:
            seen: What the last call returned; -1 for the first.
            within: Seconds.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + within
        while (version := self._version(seen)) == seen and (now := clock()) < until:
            brisk = now - self._heard_at < BRISK_FOR_SECONDS
            await asyncio.sleep(BRISK_SECONDS if brisk else CALM_SECONDS)
        if version != seen:
            self._heard_at = clock()
        return version

    def _version(self, seen: int) -> int:
        """Return the file's version, or *seen* where it cannot be told just now."""
        try:
            version: int = self._ear.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.OperationalError:
            return seen
        return version

    def _session(self, *, query_only: bool) -> Session:
        connector = partial(_connect, self.path, busy_seconds=self._busy_seconds, query_only=query_only)
        return Session(connector, iter_chunk_size=64)

    async def _serve(self) -> None:
        while True:
            group = [await self._queue.get()]
            try:
                # Those just told of the last commit may write again: one commit then serves them all.
                await asyncio.sleep(0)
                while len(group) < GROUP and not self._queue.empty():
                    group.append(self._queue.get_nowait())
                await self._settle(group)
            except Exception as error:  # noqa: BLE001 - the connection is no good any more
                self._give_up(group, error)
                return
            finally:
                for write in group:
                    write.done.cancel()  # does nothing to those that were settled
                    self._queue.task_done()

    async def _look(self, reader: Session, first: _Read) -> None:
        """Answer a read, and then what came meanwhile, until nothing waits."""
        group = [first]
        try:
            while group:
                await _answer(group, reader)
                group = [self._reads.popleft() for _ in range(min(LOOKS, len(self._reads)))]
        finally:
            self._readers.append(reader)

    def _give_up(self, group: Sequence[_Write], error: Exception) -> None:
        """Close the database to its callers and tell all who wait why."""
        log.error("database_lost", exc_info=error)
        self._open = False
        waiting = list(group)
        while not self._queue.empty():
            waiting.append(self._queue.get_nowait())
            self._queue.task_done()
        for write in waiting:
            if not write.done.done():
                write.done.set_exception(error)

    async def _settle(self, group: Sequence[_Write]) -> None:
        works = [write.work for write in group]
        durable = any(write.durable for write in group)
        clock = asyncio.get_running_loop().time
        began = clock()
        outcomes = await self._writer.run(partial(commit, works, durable=durable))
        self._wrote(Written(len(works), clock() - began, failed=all(map(_unwritable, outcomes))))
        for write, outcome in zip(group, outcomes, strict=True):
            _tell(write.done, outcome)


async def _answer(group: Sequence[_Read], reader: Session) -> None:
    try:
        outcomes = await reader.run(partial(snapshot, [read.work for read in group]))
        for read, outcome in zip(group, outcomes, strict=True):
            _tell(read.done, outcome)
    except Exception as error:  # noqa: BLE001 - the connection is no good any more
        for read in group:
            _tell(read.done, Outcome(None, error))
    finally:
        for read in group:
            read.done.cancel()  # does nothing to those that were settled


def _tell(done: asyncio.Future[Any], outcome: Outcome[Any]) -> None:
    """Settle *done*, unless nobody waits for it any more."""
    if done.done():
        return
    if outcome.error is None:
        done.set_result(outcome.value)
    else:
        done.set_exception(outcome.error)


def _unwritable(outcome: Outcome[Any]) -> bool:
    error = outcome.error
    return isinstance(error, WorkerError) and error.code in {ErrorCode.DATABASE_BUSY, ErrorCode.DISK_FULL}


def _connect(path: Path, *, busy_seconds: float, query_only: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, cached_statements=STATEMENTS)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT_BYTES}")
    if query_only:
        db.execute("PRAGMA query_only = ON")
    return db
