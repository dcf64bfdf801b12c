import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.batches import GAIN, BatchShape, KeptCap, worthwhile
from worker.database import Database
from worker.queue.batch_caps import CapKeeper, keep, known
from worker.queue.checkpoints import install

SQUARE = BatchShape("painter", 64, 64, 77, guided=True)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / "jobs.db") as database:
        yield database


def test_a_larger_step_is_worth_it_while_each_picture_gains_a_tenth() -> None:
    assert worthwhile({1: 1.0, 2: 1.5, 4: 2.5, 8: 4.9}) == 4
    assert worthwhile({1: 1.0, 2: 2.0, 4: 4.0}) == 1
    assert worthwhile({1: 1.0, 2: 1.95, 4: 3.5}) == 4  # two gain nothing, four do


@given(st.dictionaries(st.sampled_from([1, 2, 4, 8, 16]), st.floats(0.001, 100), min_size=1))
def test_no_measured_step_gains_much_beyond_the_chosen_one(seconds: dict[int, float]) -> None:
    chosen = worthwhile(seconds)
    share = seconds[chosen] / chosen
    assert all(taken / rows > GAIN * share for rows, taken in seconds.items() if rows > chosen)


async def test_what_was_learned_is_known_at_the_next_start_on_the_same_machine(database: Database) -> None:
    keeper = CapKeeper(database, "cpu", time.time)
    keeper.learned(SQUARE, KeptCap(8))
    keeper.learned(SQUARE, KeptCap(16, most=32))
    await _noticed(keeper)
    assert await CapKeeper(database, "cpu", time.time).known() == {SQUARE: KeptCap(16, most=32)}
    assert await CapKeeper(database, "cuda", time.time).known() == {}


async def test_other_weights_behind_a_name_forget_what_was_measured_with_the_old(database: Database) -> None:
    def put(db: sqlite3.Connection, weights: str, shape: BatchShape) -> None:
        keep(db, machine="cpu", shape=shape, cap=KeptCap(4, settled=True), now=1.0, weights=weights)

    other = SQUARE._replace(model="inker")
    await database.write(partial(install, name="painter", weights="old", now=0.0))
    await database.write(partial(put, weights="old", shape=SQUARE))
    await database.write(partial(put, weights="old", shape=other))
    await database.write(partial(install, name="painter", weights="old", now=1.0))
    assert set(await database.read(partial(known, machine="cpu"))) == {SQUARE, other}
    await database.write(partial(install, name="painter", weights="new", now=2.0))
    assert set(await database.read(partial(known, machine="cpu"))) == {other}


async def _noticed(keeper: CapKeeper) -> None:
    """Let the event loop take up what was told, and wait until it is written."""
    await asyncio.sleep(0)
    await keeper.written()
