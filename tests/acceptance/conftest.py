from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.member import Member
from tests.acceptance.stage import Stage


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A local Discord of this test's own; the test starts bot and workers."""
    async with Stage(tmp_path) as stage:
        yield stage


@pytest_asyncio.fixture
async def member(stage: Stage) -> AsyncIterator[Member]:
    async with Member(stage.facts) as member:
        yield member


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Local Discord, bot and worker, shared by the tests of a module that break nothing."""
    async with Stage(tmp_path_factory.mktemp("stage")) as stage:
        await stage.bot()
        await stage.worker()
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def person(running: Stage) -> AsyncIterator[Member]:
    async with Member(running.facts) as member:
        yield member
