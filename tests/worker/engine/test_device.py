import time
from collections.abc import AsyncIterator

import pytest

from tests.contracts.device import DeviceContract, until_ended
from tests.worker.engine.fakes import FakeBackend
from tests.worker.engine.recipes import job
from tests.worker.fake_device import FakeDevice
from worker.api import ErrorCode, JobId
from worker.device import Advanced, EventLog, Failed, Finished
from worker.engine.local import InProcessDevice
from worker.engine.models import Models


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


async def test_the_replay_forgets_the_oldest_pictures_beyond_its_memory() -> None:
    log = EventLog(events=3, picture_bytes=25)
    for number in range(4):
        log.append(Finished(JobId(f"j{number}"), 1, {"1.png": bytes(10)}, 0.0))
    log.close()
    assert [number async for number, _ in log.watch(0)] == [3, 4]
