"""The playground's time: wall time that a test can push forward."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable


class Timer:
    """A callback that waits for a moment of a `Clock`; `cancel` is always safe."""

    __slots__ = ("callback", "cancelled", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Never run the callback."""
        self.cancelled = True


class Clock:
    """Seconds since the epoch, plus whatever `advance` added.

    Timers fire on the running event loop; between them the clock sleeps, so an idle one costs nothing.
    With a `source` that stands still, time moves by `advance` alone.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Push time forward and run, before returning, every timer that has come due."""
        if seconds < 0:
            raise ValueError("Time moves forward only.")
        self._offset += seconds
        self._fire()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the event loop once this clock has moved on by `seconds`."""
        timer = Timer(self.now() + seconds, callback)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        self._set_alarm()
        return timer

    def close(self) -> None:
        """Forget all timers."""
        self._timers.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _fire(self) -> None:
        while self._timers and (self._timers[0][2].cancelled or self._timers[0][0] <= self.now()):
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled:
                timer.callback()
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._timers:
            delay = max(0.001, self._timers[0][0] - self.now())
            self._alarm = asyncio.get_running_loop().call_later(delay, self._fire)
