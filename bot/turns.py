"""Turns at editing: a channel takes only so many edits, whoever they are about."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """One turn after the other, a pause between; first come, first served."""

    def __init__(self, gap: float) -> None:
        """Keep *gap* seconds between two turns."""
        self._gap = gap
        self._lock = asyncio.Lock()
        self._free_at = 0.0

    async def wait(self) -> None:
        """Wait for the next turn; who is cancelled leaves it to the others."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            await asyncio.sleep(max(0.0, self._free_at - loop.time()))
            self._free_at = loop.time() + self._gap


class ChannelTurns:
    """The turns of every channel in which something is under way."""

    def __init__(self, gap: float) -> None:
        """Keep *gap* seconds between two turns in one channel."""
        self._gap = gap
        self._turns: WeakValueDictionary[int, Turns] = WeakValueDictionary()

    def of(self, channel_id: int) -> Turns:
        """Return a channel's turns; they last as long as somebody holds them."""
        turns = self._turns.get(channel_id)
        if turns is None:
            turns = self._turns[channel_id] = Turns(self._gap)
        return turns
