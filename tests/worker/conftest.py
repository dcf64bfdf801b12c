"""The queue's fixtures."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrations import shipped
from tests.worker.house import House, house_in
from worker.schema import migrate


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def open_database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "jobs.db"
    migrate(path, shipped())
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        yield db
