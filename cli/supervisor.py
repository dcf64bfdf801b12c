"""Child processes kept alive, and ended together."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from cli.failures import Failure

FIRST_PAUSE_SECONDS = 0.5  # before the first restart; doubled with every quick death
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a child that lived this long starts again at the first pause
GRACE_SECONDS = 2.0  # between asking a child to stop and making it

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """A child to keep: what people call it, and the `journeyman` arguments that start it."""

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str]


@dataclass(slots=True)
class Child:
    """A program and its running process."""

    program: Program
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    lost: asyncio.Event = field(default_factory=asyncio.Event)  # it was ready, died, and is not back yet
    served: bool = False  # it was ready once, so whatever ends it now may pass
    failed: bool = False  # it said by itself why it cannot go on
    process: asyncio.subprocess.Process | None = None


def pause_after(previous: float, lived: float) -> float:
    """Return the seconds to wait before a restart.

    Args:
        previous: The pause before the last start; 0 before the first.
        lived: Seconds the child lived.
    """
    if previous == 0 or lived >= STEADY_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(previous * 2, LONGEST_PAUSE_SECONDS)


def log_death(name: str, exit_code: int, pause: float) -> None:
    """Say that a child died, and in how many seconds it is started again."""
    log.warning("child_died", child=name, exit_code=exit_code, restart_in_seconds=pause)


class Supervisor:
    """Starts programs, restarts what dies, and stops them all.

    A child runs in a session of its own: Ctrl-C reaches the supervisor alone, which then stops them all.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        clock: Callable[[], float],
        died: Callable[[str, int, float], None] = log_death,
    ) -> None:
        self.children = {program.name: Child(program) for program in programs}
        self._clock = clock
        self._died = died

    async def run(self) -> None:
        """Keep the children until cancelled; then stop them.

        Raises:
            Failure: A child could not start at all; it has printed why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for child in self.children.values():
                    group.create_task(self._keep(child))
        except* Failure as failures:
            raise failures.exceptions[0] from None
        finally:
            await asyncio.shield(self.stop())

    async def stop(self) -> None:
        """End all children at once: ask, wait a little, make them."""
        running: list[asyncio.subprocess.Process] = []
        for child in self.children.values():
            if child.process is None:
                continue
            running.append(child.process)
            with contextlib.suppress(ProcessLookupError):
                # What was not ready holds nothing that it could hand back, and may be deaf while it loads.
                child.process.send_signal(signal.SIGTERM if child.ready.is_set() else signal.SIGKILL)
        if not running:
            return
        waits = [asyncio.ensure_future(process.wait()) for process in running]
        await asyncio.wait(waits, timeout=GRACE_SECONDS)
        for process in running:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        await asyncio.wait(waits)

    async def _keep(self, child: Child) -> None:
        pause = 0.0
        while True:
            started = self._clock()
            code = await self._live(child)
            if child.failed and not child.served:
                raise Failure(f"The {child.program.name} could not start, so everything was stopped.")
            pause = pause_after(pause, self._clock() - started)
            child.ready.clear()
            if child.served:
                child.lost.set()
            self._died(child.program.name, code, pause)
            await asyncio.sleep(pause)

    async def _live(self, child: Child) -> int:
        """Run *child* once and return its exit code."""
        child.failed = False
        child.ready.clear()
        child.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a folder where the command was typed must not be taken for one of our packages
            "-m",
            "cli",
            *child.program.arguments,
            "--tethered",
            env=dict(child.program.environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        log.debug("child_started", child=child.program.name, pid=child.process.pid)
        await self._listen(child, child.process)
        return await child.process.wait()

    async def _listen(self, child: Child, process: asyncio.subprocess.Process) -> None:
        """Heed the words of *child* until it closes its output."""
        while process.stdout is not None and (line := await process.stdout.readline()):
            if line == b"ready\n":
                child.ready.set()
                child.lost.clear()
                child.served = True
            elif line == b"failed\n":
                child.failed = True


@contextlib.asynccontextmanager
async def stop_signals() -> AsyncIterator[asyncio.Event]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into an event; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            os._exit(1)  # the children's tether breaks with this process
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for each in signals:
        loop.add_signal_handler(each, asked)
    try:
        yield stop
    finally:
        for each in signals:
            loop.remove_signal_handler(each)
