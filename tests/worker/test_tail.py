"""The outbox as a stream."""

import asyncio
import os
import time
from contextlib import aclosing
from pathlib import Path

from tests.fakes import Clock
from tests.worker.house import House, house_in, prompt
from worker.api import DatabaseBusy, EventId, JobEvent, JobState
from worker.queue.tail import COARSE_SECONDS, Watch, tail


async def test_events_come_in_order_each_once_and_new_ones_after_a_pause(house: House) -> None:
    pauses = 0

    async def pause() -> None:
        nonlocal pauses
        pauses += 1
        await house.submit()

    for _ in range(3):
        await house.submit()
    seen: list[JobEvent] = []
    async with aclosing(tail(house.desk, after=EventId(1), pause=pause)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 5:
                break
    assert [event.id for event in seen] == [2, 3, 4, 5, 6]
    assert pauses == 3


async def test_a_busy_database_only_delays() -> None:
    class Busy:
        asked = 0

        async def events(self, *, after: EventId, limit: int = 100) -> list[JobEvent]:
            self.asked += 1
            if self.asked < 3:
                raise DatabaseBusy
            return [JobEvent(id=EventId(after + 1), job_id="job", state=JobState.QUEUED, at=0)]

    async def pause() -> None:
        await asyncio.sleep(0)

    async with aclosing(tail(Busy(), after=EventId(7), pause=pause)) as events:
        assert (await anext(events)).id == 8


async def test_a_write_of_another_connection_ends_the_pause(tmp_path: Path) -> None:
    async with house_in(tmp_path, seed=1) as house, house_in(tmp_path, seed=2) as other:
        watch = Watch(house.database.path, clock=time.time)
        await house.submit()
        os.utime(f"{house.database.path}-wal", (1, 1))
        await watch.wait()
        waiting = asyncio.create_task(watch.wait())
        started = time.monotonic()
        await other.desk.submit(prompt(), owner_id=1, key="other", origin="")
        await asyncio.wait_for(waiting, 0.9)
        assert time.monotonic() - started < 0.9


async def test_a_fresh_time_stamp_is_looked_at_again_and_an_old_one_is_not(tmp_path: Path) -> None:
    clock = Clock()
    log = tmp_path / "jobs.db-wal"
    log.touch()
    watch = Watch(tmp_path / "jobs.db", clock=clock)
    os.utime(log, (clock(), clock()))
    assert watch._changed()
    assert watch._changed()  # another commit may share the stamp
    clock.advance(2 * COARSE_SECONDS)
    assert watch._changed()
    assert not watch._changed()
    os.utime(log, (clock() - 1, clock() - 1))
    assert watch._changed()


async def test_a_pause_without_a_log_ends_by_itself(tmp_path: Path) -> None:
    await asyncio.wait_for(Watch(tmp_path / "jobs.db", clock=time.time).wait(), 5)
