from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest
import yarl

from playground.clock import Clock
from playground.models import Facts
from playground.server import Playground
from tests.playground.clients import Person


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(None, page=False) as running:
        yield running


@pytest.fixture
async def facts(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> Facts:
    point_discord_py(playground.facts(), monkeypatch)
    return playground.facts()


def point_discord_py(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discord.http.Route, "BASE", facts.api)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(facts.gateway))
    monkeypatch.setattr(discord.asset.Asset, "BASE", facts.url + "/cdn")


@pytest.fixture
def clock(playground: Playground) -> Clock:
    return playground.clock


@pytest.fixture
async def people(playground: Playground) -> AsyncIterator[Callable[..., Awaitable[Person]]]:
    made: list[Person] = []

    async def person(token: str | None = None, *, listen: bool = True, bot: bool = False) -> Person:
        facts = playground.facts()
        one = Person(facts, token or facts.user_token, bot=bot)
        made.append(one)
        if listen:
            await one.listen()
        return one

    yield person
    for one in made:
        await one.close()


@pytest.fixture
async def you(people: Callable[..., Awaitable[Person]]) -> Person:
    return await people()


@pytest.fixture
async def bot_rest(people: Callable[..., Awaitable[Person]], playground: Playground) -> Person:
    """The bot's token without discord.py between."""
    return await people(playground.facts().bot_token, listen=False, bot=True)
