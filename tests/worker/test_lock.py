"""A file that one process holds."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from worker.lock import FileLock, LockHeld, any_worker, is_held, worker_lock

ROOT = Path(__file__).resolve().parents[2]


def holder(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that holds the lock until killed."""
    program = f"""
import pathlib, sys, time
from worker.lock import FileLock
FileLock(pathlib.Path({str(path)!r})).acquire()
print("held", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.lock"
    process = holder(path)
    try:
        with pytest.raises(LockHeld, match=rf"bot\.lock is held by pid {process.pid}"):
            FileLock(path).acquire()
    finally:
        process.kill()
        process.communicate()


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    path = worker_lock(tmp_path, "a")
    process = holder(path)
    assert is_held(path)
    assert any_worker(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_held(path)
    assert not any_worker(tmp_path)
    with FileLock(path):
        assert is_held(path)
    assert not is_held(path)


def test_nobody_holds_a_lock_that_never_was(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "bot.lock")
    assert not any_worker(tmp_path)


def test_releasing_twice_is_harmless(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "bot.lock")
    with lock:
        lock.release()
    lock.release()
    lock.acquire()
    lock.release()


def test_looking_never_keeps_an_owner_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "bot.lock"
    path.touch()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            is_held(path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(100):
            with FileLock(path):
                assert is_held(path)
    finally:
        done.set()
        for looker in lookers:
            looker.join()
