"""Ids: 42 bits of milliseconds since 2015 and 22 bits that keep two of one millisecond apart."""

from __future__ import annotations

from collections.abc import Callable

from .clock import Clock

EPOCH_MS = 1_420_070_400_000
_SHIFT = 22
# One reservation is written per second of activity; after a crash ids continue behind it.
_RESERVE = 1000 << _SHIFT


def at(seconds: float) -> int:
    """The smallest id of the moment `seconds` after the Unix epoch."""
    return max(0, int(seconds * 1000) - EPOCH_MS) << _SHIFT


def seconds_of(snowflake: str | int) -> float:
    """When the id was minted, in seconds after the Unix epoch."""
    return ((int(snowflake) >> _SHIFT) + EPOCH_MS) / 1000


class SnowflakeMint:
    """Strictly rising ids, also across restarts and clocks that were set back.

    `reserved` is the bound the last process wrote down; `reserve` stores a new one before it is passed.
    """

    def __init__(self, clock: Clock, reserved: int, reserve: Callable[[int], None]) -> None:
        self._clock = clock
        self._last = reserved
        self._reserved = reserved
        self._reserve = reserve

    def __call__(self) -> str:
        """Mint the next id."""
        self._last = max(self._last + 1, at(self._clock.now()))
        if self._last >= self._reserved:
            self._reserved = self._last + _RESERVE
            self._reserve(self._reserved)
        return str(self._last)
