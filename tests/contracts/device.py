"""What every device keeps, whatever draws in it.

A class that inherits `DeviceContract` provides the fixtures ``device`` (open, closed by it afterwards) and
``model`` (the name of a model it has).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from parser import Speed
from tests.worker.engine.recipes import drawing, job
from worker.device import Advanced, Device, DeviceEvent, DeviceJob, Dropped, Finished

PATIENCE = 60.0  # seconds for a small picture on a busy machine
LONG = 900  # steps nobody waits for


async def until_ended(device: Device, *names: str, after: int = 0) -> list[tuple[int, DeviceEvent]]:
    """Return the events up to the last of the jobs *names* ending."""
    seen: list[tuple[int, DeviceEvent]] = []
    waiting = set(names)
    async with asyncio.timeout(PATIENCE):
        async for number, event in device.watch(after=after):
            seen.append((number, event))
            if not isinstance(event, Advanced):
                waiting.discard(event.job_id)
            if not waiting:
                break
    return seen


async def first(events: AsyncIterator[tuple[int, DeviceEvent]]) -> tuple[int, DeviceEvent]:
    async with asyncio.timeout(PATIENCE):
        return await anext(events)


class DeviceContract:
    def order(self, name: str, model: str, *, steps: int = 2, attempt: int = 1, owner: int = 1) -> DeviceJob:
        return job(name, drawing(model=model, steps=steps), attempt=attempt, owner=owner)

    async def test_a_job_moves_forward_and_ends_once_with_its_pictures(
        self, device: Device, model: str
    ) -> None:
        await device.submit(self.order("a", model, steps=3))
        events = [event for _, event in await until_ended(device, "a")]
        fractions = [event.fraction for event in events if isinstance(event, Advanced)]
        assert fractions == sorted(fractions)
        assert all(0 < fraction <= 1 for fraction in fractions)
        end = events[-1]
        assert isinstance(end, Finished)
        assert list(end.pictures) == ["grid.png", "1.png", "2.png", "3.png", "4.png"]
        assert end.device_seconds > 0

    async def test_the_same_attempt_twice_is_drawn_once(self, device: Device, model: str) -> None:
        await device.submit(self.order("a", model))
        await device.submit(self.order("a", model))
        await until_ended(device, "a")
        await device.submit(self.order("a", model))
        await device.submit(self.order("b", model))
        events = await until_ended(device, "a", "b")
        assert sum(isinstance(event, Finished) and event.job_id == "a" for _, event in events) == 1

    async def test_another_attempt_at_a_job_is_drawn_again(self, device: Device, model: str) -> None:
        await device.submit(self.order("a", model))
        last, _ = (await until_ended(device, "a"))[-1]
        await device.submit(self.order("a", model, attempt=2))
        _, end = (await until_ended(device, "a", after=last))[-1]
        assert isinstance(end, Finished)
        assert end.attempt == 2

    async def test_a_cancelled_job_is_dropped_and_its_places_are_free(
        self, device: Device, model: str
    ) -> None:
        before = await device.capacity()
        await device.submit(self.order("a", model, steps=LONG))
        number, _ = await first(device.watch())
        await device.cancel(self.order("a", model).job_id)
        events = await until_ended(device, "a", after=number)
        assert isinstance(events[-1][1], Dropped)
        assert await device.capacity() == before

    async def test_what_is_suspended_is_handed_back_with_what_was_drawn_and_can_be_gone_on_with(
        self, device: Device, model: str
    ) -> None:
        before = await device.capacity()
        work = self.order("a", model, steps=LONG)
        await device.submit(work)
        number, _ = await first(device.watch())
        await device.suspend()
        last, end = (await until_ended(device, "a", after=number))[-1]
        assert isinstance(end, Dropped)
        assert end.kept
        assert await device.capacity() == before
        await device.submit(replace(work, attempt=2, kept=end.kept))
        number, event = await first(device.watch(after=last))
        assert isinstance(event, Advanced)
        await device.cancel(work.job_id)
        await until_ended(device, "a", after=number)

    async def test_cancelling_what_is_not_there_changes_nothing(self, device: Device, model: str) -> None:
        await device.cancel(self.order("gone", model).job_id)
        await device.submit(self.order("a", model))
        assert {event.job_id for _, event in await until_ended(device, "a")} == {"a"}

    async def test_places_are_taken_the_moment_a_job_is_submitted(self, device: Device, model: str) -> None:
        before = await device.capacity()
        await device.submit(self.order("a", model, steps=LONG))
        after = await device.capacity()
        assert before.free[Speed.FAST] - after.free[Speed.FAST] == 4
        assert after.resident - before.resident == 4
        await device.cancel(self.order("a", model).job_id)
        await until_ended(device, "a")

    async def test_a_late_watcher_sees_the_same_events_under_the_same_numbers(
        self, device: Device, model: str
    ) -> None:
        await device.submit(self.order("a", model))
        events = await until_ended(device, "a")
        assert [number for number, _ in events] == list(range(1, len(events) + 1))
        assert await until_ended(device, "a") == events
        assert await until_ended(device, "a", after=1) == events[1:]

    async def test_two_watchers_both_see_everything(self, device: Device, model: str) -> None:
        watchers = [asyncio.create_task(until_ended(device, "a")) for _ in range(2)]
        await asyncio.sleep(0)
        await device.submit(self.order("a", model))
        one, other = await asyncio.gather(*watchers)
        assert one == other
