"""A file that one process holds: the operating system frees it when that process dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_SECONDS = 0.5  # covers the instants in which `is_held` looks at the file
RETRY_SECONDS = 0.01


class LockHeld(Exception):  # noqa: N818 - a state of the file
    """Another process holds the lock.

    Attributes:
        path: The lock file.
        holder: What its holder wrote there, such as ``pid 4711``.
    """

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path.name} is held by {holder or 'another process'}")
        self.path = path
        self.holder = holder


class FileLock:
    """An exclusive lock on a file, for as long as the process lives or until released.

    The file stays when the lock is gone: removing it would let two processes hold "the" lock on two files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; waits half a second at most.

        Raises:
            LockHeld: Another process has it.
            OSError: The file cannot be opened.
        """
        # Python's descriptors are not inherited by programs it starts, so no child keeps the lock alive.
        # Nor is a link followed: what is written here would overwrite the file it leads to.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o644)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _try(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
                os.close(descriptor)
                raise LockHeld(self.path, holder)
            time.sleep(RETRY_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock up; nothing happens where it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Tell whether some process, this one included, holds the lock on *path*.

    Looking takes a shared lock for an instant: lookers do not see each other, and an owner who starts in that
    instant tries again.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def worker_lock(folder: Path, worker: str) -> Path:
    """Return the lock file of *worker* in the data folder."""
    return folder / f"worker-{worker}.lock"


def live_workers(folder: Path) -> int:
    """Return how many workers run on the data folder."""
    return sum(is_held(path) for path in folder.glob("worker-*.lock"))


def any_worker(folder: Path) -> bool:
    """Tell whether a worker runs on the data folder."""
    return any(is_held(path) for path in folder.glob("worker-*.lock"))


def _try(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
