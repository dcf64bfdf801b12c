"""Keeps one process of ours alive, as a service manager does, and kills it when told."""

import asyncio
import signal
from contextlib import suppress

from tests.acceptance.stage import Part, Stage

ASK_SECONDS = 60.0  # an orderly end on a busy machine
RESTART_SECONDS = 1.0  # after an end that nobody asked for


class Keeper:
    """A bot or a worker that is started again whenever it ends.

    Attributes:
        kills: How often `kill` ended it.
        stops: With which code each `ask` ended it, None where it did not end in time.
        ends: Why it ended by itself, its last words each time.
    """

    def __init__(self, stage: Stage, name: str, ready_words: str, env: dict[str, str]) -> None:
        self._stage = stage
        self._name = name
        self._ready_words = ready_words
        self._env = env
        self._part: Part | None = None
        self._rest = 0.0  # seconds before the next start
        self._killed = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.kills = 0
        self.stops: list[int | None] = []
        self.ends: list[str] = []

    def start(self) -> None:
        """Begin to keep it alive."""
        self._task = asyncio.create_task(self._keep(), name=f"keeper of {self._name}")

    async def _keep(self) -> None:
        while not self._stopping:
            self._killed = False
            part = await self._stage.start(self._name, "--data", str(self._stage.data), env=self._env)
            self._part = part
            await part.process.wait()
            if self._stopping:
                return
            if not self._killed:
                lines = part.said().strip().splitlines()
                self.ends.append(f"{part.log.name}: {lines[-1] if lines else 'no words'}")
                self._rest = RESTART_SECONDS
            await asyncio.sleep(self._rest)

    @property
    def ready(self) -> bool:
        """Tell whether it has come up."""
        part = self._part
        return part is not None and part.process.returncode is None and self._ready_words in part.said()

    async def until_ready(self, seconds: float) -> bool:
        """Wait until it has come up; False if it has not within *seconds*."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ready:
                    self._look()
                    await asyncio.sleep(0.1)  # another process's state has no event to wait for
                return True
        return False

    def _look(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()

    def kill(self, rest: float) -> bool:
        """End it as a power cut would, to be started again after *rest* seconds; False if it was down."""
        part = self._part
        if part is None or part.process.returncode is not None:
            return False
        self._rest = rest
        self._killed = True
        part.kill()
        self.kills += 1
        return True

    async def ask(self, rest: float) -> bool:
        """Ask it to end as a service manager does, to be started again like one; False if it was down."""
        part = self._part
        if part is None or part.process.returncode is not None:
            return False
        self._rest = rest
        self._killed = True
        ready = self.ready
        part.process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.wait_for(part.process.wait(), ASK_SECONDS)
            self.stops += [code] * ready  # one that has just begun dies of the signal
        except TimeoutError:
            self.stops.append(None)
            part.kill()
        return True

    async def stop(self, seconds: float) -> int | None:
        """Ask it to end, and return its exit code; None if it did not end within *seconds*."""
        self._stopping = True
        code: int | None = None
        if self._part is not None:
            with suppress(TimeoutError):
                code = await self._part.stop(seconds)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        return code
