from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from playground.server import Playground
from tests.acceptance.member import Member
from tests.bot.easel import Easel
from tests.bot.studio import Studio


@pytest_asyncio.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(None, page=False) as playground:
        yield playground


@pytest_asyncio.fixture
async def studio(tmp_path: Path, playground: Playground) -> AsyncIterator[Studio]:
    """The data folder and desk of a bot that the test starts itself."""
    async with Studio(tmp_path, playground).open() as studio:
        yield studio


@pytest_asyncio.fixture
async def live(studio: Studio) -> AsyncIterator[Studio]:
    """A running bot."""
    async with studio.running():
        yield studio


@pytest_asyncio.fixture
async def easel(live: Studio) -> Easel:
    return live.easel


@pytest_asyncio.fixture
async def person(live: Studio) -> AsyncIterator[Member]:
    async with live.member() as person:
        yield person
