"""Real processes, for the tests that need them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.stage import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage(tmp_path) as stage:
        yield stage
