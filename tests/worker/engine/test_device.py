import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.contracts.device import PATIENCE, DeviceContract, until_ended
from tests.worker.engine.fakes import FakeBackend
from tests.worker.engine.recipes import job
from tests.worker.fake_device import FakeDevice
from worker.api import ErrorCode, JobId
from worker.device import Advanced, Dropped, EventLog, Failed, Finished
from worker.engine.engine import SUSPICIOUS
from worker.engine.local import InProcessDevice
from worker.engine.models import Models
from worker.engine.plan import SampleId


class TestFakeDevice(DeviceContract):
    @pytest.fixture
    def model(self) -> str:
        return "fake"

    @pytest.fixture
    async def device(self) -> AsyncIterator[FakeDevice]:
        device = FakeDevice()
        yield device
        await device.close()


class TestInProcessDeviceWithoutANetwork(DeviceContract):
    @pytest.fixture
    def model(self) -> str:
        return "fake"

    @pytest.fixture
    async def device(self) -> AsyncIterator[InProcessDevice]:
        device = InProcessDevice(FakeBackend, time.monotonic)
        await device.open()
        yield device
        await device.close()


class TestInProcessDeviceWithTheEmbeddedModel(DeviceContract):
    @pytest.fixture
    def model(self) -> str:
        return "embedded"

    @pytest.fixture
    async def device(self, models: Models) -> AsyncIterator[InProcessDevice]:
        device = InProcessDevice(lambda: models, time.monotonic, threads=1)
        await device.open()
        yield device
        await device.close()


async def test_closing_drops_what_runs_and_ends_the_watch() -> None:
    device = InProcessDevice(FakeBackend, time.monotonic)
    await device.open()
    await device.submit(job("a", attempt=3))
    await device.close()
    events = [event async for _, event in device.watch()]
    assert not isinstance(events[-1], Advanced)
    assert events[-1].attempt == 3


async def test_an_engine_that_breaks_in_an_unforeseen_place_fails_its_jobs_and_lives() -> None:
    readings = iter(range(10_000))

    def clock() -> float:
        reading = next(readings)
        if reading == 3:
            raise OSError("the clock is gone")
        return float(reading)

    device = InProcessDevice(FakeBackend, clock)
    await device.open()
    await device.submit(job("bad"))
    [(_, end)] = await until_ended(device, "bad")
    assert end == Failed(job("bad").job_id, 1, ErrorCode.ENGINE_FAILED, retryable=True)
    await device.submit(job("good"))
    assert isinstance((await until_ended(device, "good"))[-1][1], Finished)
    await device.close()


def finished(number: int) -> Finished:
    return Finished(JobId(f"j{number}"), 1, {"1.png": bytes(10)}, 0.0)


def advanced(number: int) -> Advanced:
    return Advanced(JobId(f"j{number}"), 1, 0.5, paused=False, preview=bytes(10))


async def test_the_replay_forgets_the_oldest_pictures_beyond_its_memory() -> None:
    log = EventLog(events=3, picture_bytes=25)
    watch = log.watch(0)
    for number in range(4):
        log.append(finished(number))
        await anext(watch)
    log.close()
    assert [number async for number, _ in log.watch(0)] == [3, 4]


async def test_no_end_of_a_job_is_forgotten_before_somebody_was_told() -> None:
    log = EventLog(events=3, picture_bytes=25)
    for number in range(6):
        log.append(advanced(number))
        log.append(finished(number))
    log.close()
    told = [event.job_id async for _, event in log.watch(0) if isinstance(event, Finished)]
    assert told == [f"j{number}" for number in range(6)]


async def test_what_lies_between_is_forgotten_first() -> None:
    log = EventLog(events=3, picture_bytes=2**20)
    log.append(finished(0))
    for number in range(1, 10):
        log.append(advanced(number))
    log.close()
    assert [number async for number, _ in log.watch(0)] == [1, 9, 10]


async def test_a_device_on_which_every_pass_fails_ends_and_hands_back_all_but_two_jobs() -> None:
    def broken(_ids: Sequence[SampleId]) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    device = InProcessDevice(lambda: FakeBackend(forward=broken), time.monotonic)
    await device.open()
    for number in range(6):
        await device.submit(job(f"j{number}", owner=number))
    async with asyncio.timeout(PATIENCE):
        ends = [event async for _, event in device.watch()]
    assert len({end.job_id for end in ends}) == len(ends)
    assert sum(isinstance(end, Failed) for end in ends) == SUSPICIOUS - 1
    assert all(isinstance(end, Failed | Dropped) for end in ends)
    await device.close()
