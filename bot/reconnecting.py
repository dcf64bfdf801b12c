"""How long the bot waits before it connects again."""

import discord.client
from discord.backoff import ExponentialBackoff

LONGEST_PAUSE = 30.0  # seconds


class Patience(ExponentialBackoff[bool]):
    """discord.py's pauses, which double with every connection lost within half an hour, but bounded.

    Its own go up to seventeen minutes, in which the bot hears nobody: every button is dead for as long.
    """

    def delay(self) -> float:
        """Return the seconds to wait before the next try."""
        return min(float(super().delay()), LONGEST_PAUSE)


def bound_pauses() -> None:
    """Let clients of this process use it; `discord.Client.connect` makes its own and takes none."""
    discord.client.ExponentialBackoff = Patience  # type: ignore[attr-defined, assignment]
