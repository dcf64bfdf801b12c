from pathlib import Path

import pytest

from tests.simcord.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """The bot inside SimCord's Discord; the test opens it, since SimCord binds its clock to the opener."""
    return Stage(tmp_path)
