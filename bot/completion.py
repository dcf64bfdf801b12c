"""Completion of prompts while they are typed: the parser's choices, own options among them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache

from discord import app_commands

from bot import echo
from bot.answers import Interaction
from bot.facts import Facts
from bot.people import People
from parser import PARAMETERS, Kind, Parameter, Table
from parser.coach.completion import Choice, complete
from worker.api import WorkerError

READ_SECONDS = 0.5  # that may be spent on looking up own options; Discord drops answers after three
CACHED = 512  # prompts; while somebody types and deletes, the same ones come again
HELP_ROOM = 80  # characters of what an own option stands for


class Completion:
    """Suggests what a prompt may become."""

    def __init__(self, people: People, facts: Callable[[], Facts]) -> None:
        self._people = people
        self._facts = facts
        self._complete = lru_cache(maxsize=CACHED)(self._completed)
        self._closed = facts().closed  # as the cache has it

    async def suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Return Discord's choices for a prompt typed so far; none where there is nothing to say."""
        options = await self._options(interaction.user.id) if "-" in typed else ()
        if self._closed is not (closed := self._facts().closed):
            self._closed = closed
            self._complete.cache_clear()
        return [
            app_commands.Choice(name=choice.name, value=choice.value)
            for choice in self._complete(typed, options)
        ]

    def _completed(self, typed: str, options: tuple[tuple[str, str], ...]) -> Sequence[Choice]:
        return complete(typed, table_with(options), self._closed)

    async def _options(self, owner_id: int) -> tuple[tuple[str, str], ...]:
        try:
            async with asyncio.timeout(READ_SECONDS):
                preferences = await self._people.preferences(owner_id)
        except (TimeoutError, WorkerError):
            return ()  # the built-in names are worth more than a late answer
        return tuple(preferences.options.items())


@lru_cache(maxsize=128)
def table_with(options: tuple[tuple[str, str], ...]) -> Table:
    """Return the table of parameters with own *options*, each a name and what it stands for."""
    return Table((*PARAMETERS, *(_row(name, value) for name, value in options)))


def _row(name: str, value: str) -> Parameter:
    return Parameter(
        name=name,
        kind=Kind.FLAG,
        available=True,
        help=f"yours: {echo.cut(value, HELP_ROOM)}",
        example=f"--{name}",
    )
