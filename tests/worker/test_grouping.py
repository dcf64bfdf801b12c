"""A queue with several models and a device that holds one: in virtual time, over a real file."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.worker.house import PLENTY, House, house_in
from worker.api import Job, Limits
from worker.catalogue import Catalogue, Entry
from worker.queue.grouping import PATIENCE_SECONDS, Grouping
from worker.recipe import ModelProfile

DRAW, LOAD = 5.0, 12.0  # seconds
VERSIONS = {"a": "5", "b": "6", "c": "7"}
THREE = Catalogue(
    entries=tuple(
        Entry(profile=ModelProfile(name=name, source=name, size=64), versions=(version,))
        for name, version in VERSIONS.items()
    )
)
ONE_PLACE = dict.fromkeys(PLENTY, 1)


class Drawn(NamedTuple):
    job: Job
    waited: float


class Device:
    """Draws one job after another, with one model in memory."""

    def __init__(self, house: House, *, grouped: bool = True) -> None:
        self.house = house
        self.loaded = "a"
        self.swaps = 0
        self.drawn: list[Drawn] = []
        self._grouped = grouped

    async def work(self, meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Draw one job, if there is one."""
        ready = frozenset({self.loaded}) if self._grouped else None
        claims = await self.house.store.claim("w", ONE_PLACE, ready=ready)
        for claim in claims:
            if claim.job.model != self.loaded:
                self.swaps += 1
                self.loaded = claim.job.model
                self.house.clock.advance(LOAD)
            self.drawn.append(Drawn(claim.job, self.house.clock() - claim.job.created_at))
            self.house.clock.advance(DRAW)
            await self.house.finish(claim, seconds=DRAW)
        return bool(claims)


async def served(folder: Path, seed: int, *, grouped: bool) -> Device:
    """Let fifteen people order two jobs each, of three models, within a minute; draw all."""
    random = Random(seed)
    async with house_in(folder, catalogue=THREE, limits=Limits(), file=f"{grouped}.db") as house:
        device = Device(house, grouped=grouped)
        for number in range(30):
            await house.submit(number % 15, version=random.choice(list(VERSIONS.values())))
            house.clock.advance(2.0)
        while await device.work():
            pass
        return device


@pytest.mark.parametrize("seed", [1])
async def test_a_device_changes_models_far_less_often_and_everybody_is_served_sooner(
    tmp_path: Path, seed: int
) -> None:
    grouped = await served(tmp_path, seed, grouped=True)
    in_line = await served(tmp_path, seed, grouped=False)
    assert len(grouped.drawn) == len(in_line.drawn) == 30
    assert grouped.swaps <= in_line.swaps / 2

    def mean(device: Device) -> float:
        return sum(each.waited for each in device.drawn) / len(device.drawn)

    assert mean(grouped) < mean(in_line)


async def test_a_flood_of_one_model_keeps_nobody_waiting_for_another_longer_than_said(
    tmp_path: Path,
) -> None:
    async with house_in(tmp_path, catalogue=THREE) as house:
        device = Device(house)
        people = iter(range(100, 200))
        await house.submit(next(people), version="5")
        await device.work()
        lonely = await house.submit(1, version="6")
        for _ in range(30):  # somebody new orders whenever a picture is done
            await house.submit(next(people), version="5")
            await house.submit(next(people), version="5")
            await device.work()
        [waited] = [each.waited for each in device.drawn if each.job.id == lonely.id]
    assert DRAW < waited <= PATIENCE_SECONDS + DRAW + LOAD
    assert device.swaps == 2


async def test_where_every_model_is_loaded_the_order_is_that_of_fairness(tmp_path: Path) -> None:
    async with house_in(tmp_path, catalogue=THREE) as house:
        first = await house.submit(1, version="6")
        await house.submit(2, version="5")
        [claim] = await house.store.claim("w", ONE_PLACE, ready=None)
        assert claim.job.id == first.id


async def test_what_is_not_loaded_is_drawn_at_once_where_nothing_else_waits(tmp_path: Path) -> None:
    async with house_in(tmp_path, catalogue=THREE) as house:
        job = await house.submit(1, version="6")
        [claim] = await house.store.claim("w", ONE_PLACE, ready=frozenset({"a"}))
        assert claim.job.id == job.id


async def test_what_an_admin_put_first_is_passed_over_by_nobody(tmp_path: Path) -> None:
    async with house_in(tmp_path, catalogue=THREE) as house:
        job = await house.submit(1, version="6")
        await house.submit(2, version="5")
        await house.database.write(
            lambda db: db.execute("UPDATE jobs SET promoted = 1 WHERE id = ?", (job.id,)).rowcount
        )
        [claim] = await house.store.claim("w", ONE_PLACE, ready=frozenset({"a"}))
        assert claim.job.id == job.id


async def test_jobs_of_a_model_that_is_still_being_fetched_wait_and_keep_nobody_waiting(
    tmp_path: Path,
) -> None:
    async with house_in(tmp_path, catalogue=THREE) as house:
        early = await house.submit(1, version="6")
        late = await house.submit(2, version="5")
        absent = frozenset({early.model})
        [claim] = await house.store.claim("w", ONE_PLACE, absent=absent)
        assert claim.job.id == late.id
        await house.database.write(
            lambda db: db.execute("UPDATE jobs SET promoted = 1 WHERE id = ?", (early.id,)).rowcount
        )
        assert await house.store.claim("w", ONE_PLACE, absent=absent) == []
        [claim] = await house.store.claim("w", ONE_PLACE)
        assert claim.job.id == early.id


def test_patience_ends_and_a_clock_set_back_does_not_prolong_it() -> None:
    ready = frozenset({"a"})
    grouping = Grouping(patience=10)
    assert grouping.wanted(ready, 100) == ready
    grouping.claimed(passed=True, now=100)
    assert grouping.wanted(ready, 109) == ready
    assert grouping.wanted(ready, 110) is None
    assert grouping.wanted(ready, 50) is None
    grouping.claimed(passed=True, now=50)
    assert grouping.wanted(ready, 59) == ready
    grouping.claimed(passed=False, now=59)
    assert grouping.wanted(ready, 1000) == ready
