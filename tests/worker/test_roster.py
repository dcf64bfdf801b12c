"""What a worker says of itself."""

from pathlib import Path
from random import Random

import pytest

from parser import Speed
from tests.fakes import Clock
from tests.worker.house import House
from worker.accounts import Credits
from worker.admin import WorkerLine
from worker.api import Limits
from worker.device import Capacity, DeviceUse
from worker.lock import FileLock, worker_lock
from worker.queue.office import SqliteAdminDesk
from worker.queue.quota import Rules
from worker.queue.roster import NOTHING, QUIET_SECONDS, Roster, Trouble, pulse


class Machine:
    """A device whose counters the test sets."""

    def __init__(self, house: House) -> None:
        self.use = NOTHING
        self.trouble: Trouble | None = None
        self.uptime = Clock(100.0)
        self.roster = Roster(
            house.database,
            worker="w",
            device="cpu, float32",
            model="tiny",
            use=lambda: self.use,
            trouble=lambda: self.trouble,
            clock=house.clock,
            monotonic=self.uptime,
        )

    def drew(self, passes: dict[int, int], seconds: float, resident: int = 0) -> None:
        self.use = DeviceUse(passes, seconds, Capacity(dict.fromkeys(Speed, 1), resident))


async def lines(house: House) -> tuple[WorkerLine, ...]:
    desk = SqliteAdminDesk(
        house.database,
        models=("tiny",),
        rules=Rules(Limits(), Credits()),
        pictures=house.folder,
        clock=house.clock,
        random=Random(0),
        locks=house.folder,
    )
    return (await desk.status()).workers


async def test_a_worker_tells_its_rates_since_the_beat_before(house: House) -> None:
    machine = Machine(house)
    with FileLock(worker_lock(house.folder, "w")):
        machine.drew({4: 10}, 1.0, resident=4)
        machine.uptime.advance(2)
        await machine.roster.beat()
        machine.drew({4: 15, 2: 5}, 2.5, resident=4)
        machine.uptime.advance(3)
        machine.trouble = Trouble("out_of_memory", 5.0)
        await house.submit()
        await house.claim("w")
        await machine.roster.beat()
        [line] = await lines(house)
    assert (line.passes, line.largest_batch, line.batch) == (20, 4, 3.0)
    assert line.steps_per_second == pytest.approx(10.0)
    assert line.busy == pytest.approx(0.5)
    assert (line.jobs, line.last_error, line.device) == (1, "out_of_memory", "cpu, float32")


async def test_only_workers_that_live_are_shown(house: House) -> None:
    machine = Machine(house)
    await machine.roster.beat()
    assert await lines(house) == ()
    with FileLock(worker_lock(house.folder, "w")):
        assert [line.name for line in await lines(house)] == ["w"]


async def test_a_worker_that_does_nothing_writes_seldom_but_says_at_once_that_it_stopped(
    house: House,
) -> None:
    machine = Machine(house)
    with FileLock(worker_lock(house.folder, "w")):

        async def seen_after(seconds: float) -> float:
            house.clock.advance(seconds)
            machine.uptime.advance(seconds)
            await machine.roster.beat()
            [line] = await lines(house)
            return house.clock() - line.seen_at

        machine.drew({1: 9}, 1.0)
        assert await seen_after(3) == 0
        assert await seen_after(3) == 0  # nothing was drawn any more
        assert await seen_after(3) == 3
        assert await seen_after(QUIET_SECONDS) == 0


def test_no_time_and_a_device_opened_anew_give_no_nonsense() -> None:
    used = DeviceUse({2: 4}, 3.0, Capacity({}, 0))
    assert pulse(NOTHING, used, 0.0).steps_per_second == 0
    assert pulse(used, used, 1.0).batch == 0


async def test_rows_of_workers_that_died_long_ago_go(house: House, tmp_path: Path) -> None:
    await Machine(house).roster.beat()
    house.clock.advance(2 * 86400)
    other = Roster(
        house.database,
        worker="v",
        device="cpu",
        model="tiny",
        use=lambda: NOTHING,
        trouble=lambda: None,
        clock=house.clock,
        monotonic=Clock(),
    )
    await other.beat()
    names = await house.database.read(lambda db: [row[0] for row in db.execute("SELECT name FROM workers")])
    assert names == ["v"]
