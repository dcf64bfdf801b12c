"""Real child processes: what dies is started again, and nothing outlives its supervisor."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import supervisor
from cli.failures import Failure
from cli.supervisor import Program, Supervisor, pause_after

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 20.0

# A child that says it is ready and then lives until its tether breaks or somebody ends it.
STEADY = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
CHILD = "import sys; from cli.tether import tie; tether = tie(tethered=True); tether.say({word!r}); {then}"


def child(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, word: str = "ready", then: str = STEADY
) -> Program:
    """Return a program whose `python -m cli` is a script of the test's own."""
    package = folder / "cli"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "tether.py").write_bytes((ROOT / "cli" / "tether.py").read_bytes())
    (package / "__main__.py").write_text(CHILD.format(word=word, then=then))
    return Program("child", [], {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"})


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return status != "Z"


def gone(pid: int) -> bool:
    """Wait until *pid* lives no more, for a bounded time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE_SECONDS)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("previous", "lived", "pause"), [(0.0, 0.1, 0.5), (0.5, 0.1, 1.0), (20.0, 1.0, 30.0), (30.0, 61.0, 0.5)]
)
def test_pauses_double_up_to_a_limit_and_a_steady_child_starts_over(
    previous: float, lived: float, pause: float
) -> None:
    assert pause_after(previous, lived) == pause


async def test_a_killed_child_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.0)
    deaths: list[tuple[str, int, float]] = []
    keeper = Supervisor(
        [child(monkeypatch, tmp_path)], clock=time.monotonic, died=lambda *death: deaths.append(death)
    )
    kept = keeper.children["child"]
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await kept.ready.wait()
        assert kept.process is not None
        first = kept.process
        first.kill()
        await kept.lost.wait()
        await kept.ready.wait()
    assert not kept.lost.is_set()
    assert deaths == [("child", -signal.SIGKILL, 0.0)]
    assert kept.process.pid != first.pid
    second = kept.process.pid
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not alive(second)


async def test_a_child_that_will_not_stop_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Supervisor([child(monkeypatch, tmp_path, then=STUBBORN)], clock=time.monotonic)
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await keeper.children["child"].ready.wait()
    process = keeper.children["child"].process
    assert process is not None
    started = time.monotonic()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not alive(process.pid)
    assert time.monotonic() - started < 3


async def test_a_child_that_says_it_cannot_start_ends_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = child(monkeypatch, tmp_path, word="failed", then="sys.exit(1)")
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Failure, match="could not start"):
            await Supervisor([broken], clock=time.monotonic).run()


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A process with a supervisor in it; it prints the pid of its child."""
    program = child(monkeypatch, tmp_path, then=STEADY)
    script = (
        "import asyncio, os, sys, time\n"
        "from cli.config import Log\n"
        "from cli.logs import setup\n"
        "from cli.supervisor import Program, Supervisor, stop_signals\n"
        "setup(Log())\n"
        "async def main():\n"
        f"    program = Program('child', [], {{**os.environ, 'PYTHONPATH': {str(tmp_path)!r}}})\n"
        "    keeper = Supervisor([program], clock=time.monotonic)\n"
        "    async with stop_signals() as stop:\n"
        "        task = asyncio.create_task(keeper.run())\n"
        "        await keeper.children['child'].ready.wait()\n"
        "        print(keeper.children['child'].process.pid, flush=True)\n"
        "        await stop.wait()\n"
        "        task.cancel()\n"
        "        await asyncio.gather(task, return_exceptions=True)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.name == "child"
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_outlives_its_supervisor(parent: subprocess.Popen[str], sent: signal.Signals) -> None:
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    started = time.monotonic()
    parent.send_signal(sent)
    parent.wait(timeout=PATIENCE_SECONDS)
    assert gone(pid)
    assert time.monotonic() - started < 4
