import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import structlog

from tests.worker.fake_device import KEPT, FakeDevice
from tests.worker.house import House, prompt
from worker import runner as runner_module
from worker.api import ErrorCode, Job, JobId, JobState, Strength, Upscale, Vary, WorkerError
from worker.lock import FileLock, worker_lock
from worker.queue.claims import RETRY_MOST_SECONDS
from worker.recipe import Drawing, Upscaling
from worker.runner import Runner

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(runner_module, "CANCEL_SECONDS", 0.02)
    monkeypatch.setattr(runner_module, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(runner_module, "TROUBLE_SECONDS", 0.05)
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", (0.02, 0.05))


@pytest.fixture
async def device() -> AsyncIterator[FakeDevice]:
    device = FakeDevice(preview=b"webp")
    yield device
    await device.close()


@asynccontextmanager
async def running(house: House, device: FakeDevice, **parts: Any) -> AsyncIterator[asyncio.Event]:
    """Run a worker; it has ended when the block is left."""
    stop = asyncio.Event()
    runner = Runner(
        parts.get("store", house.store),
        device,
        parts.get("images", house.images),
        worker="w",
        clock=house.clock,
    )
    with FileLock(worker_lock(house.folder, "w")):
        task = asyncio.create_task(runner.run(stop))
        try:
            yield stop
        finally:
            stop.set()
            async with asyncio.timeout(PATIENCE):
                await task


async def true(claim: Callable[[], Awaitable[Any]]) -> Any:
    """Return what *claim* returns once that is something."""
    async with asyncio.timeout(PATIENCE):
        while not (result := await claim()):  # noqa: ASYNC110 - rows of a file ring no bell
            await asyncio.sleep(0.005)
    return result


async def reaches(house: House, job_id: JobId, *states: JobState) -> Job:
    async def there() -> Job | None:
        job = await house.desk.get(job_id)
        return job if job.state in states else None

    found: Job = await true(there)
    return found


async def under_way(device: FakeDevice, jobs: int = 1) -> None:
    async def accepted() -> bool:
        return len(device.jobs) >= jobs

    await true(accepted)


async def test_a_queued_job_ends_with_its_pictures_stored(house: House, device: FakeDevice) -> None:
    job = await house.submit(seed=42)
    async with running(house, device):
        done = await reaches(house, job.id, JobState.SUCCEEDED)
    assert [name.rpartition("/")[2] for name in done.files] == [
        "grid.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
    ]
    assert house.images.read(done.files[2]) == f"{job.id} 2.png".encode()
    assert device.jobs[0].text == {"prompt": "a red fox --seed 42", "seed": "42", "job_id": job.id}


async def test_progress_and_the_preview_are_reported_at_once(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    async with running(house, device):
        await under_way(device)
        device.pause(job.id)

        async def paused() -> bool:
            row = (await house.desk.progress([job.id])).get(job.id)
            return row is not None and row.paused

        await true(paused)
        device.going.set()
        await reaches(house, job.id, JobState.SUCCEEDED)


async def test_a_job_reports_at_most_once_a_second(house: House, device: FakeDevice) -> None:
    reports: list[int] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(house.store, name)

        async def report(self, rows: Any) -> None:
            reports.extend(1 for _ in rows)
            await house.store.report(rows)

    job = await house.submit(quality=5)
    async with running(house, device, store=Counting()):
        await reaches(house, job.id, JobState.SUCCEEDED)
    assert len(device.jobs) == 1
    assert len(reports) <= 3


async def test_variations_and_upscales_start_from_the_stored_picture(
    house: House, device: FakeDevice
) -> None:
    grid = await house.drawn()
    async with running(house, device):
        vary = Vary(source=grid.id, index=3, strength=Strength.STRONG)
        varied = await house.desk.submit(vary, owner_id=1, key="v", origin="{}")
        await reaches(house, varied.id, JobState.SUCCEEDED)
    assert isinstance(device.jobs[0].recipe, Drawing)
    assert device.jobs[0].source == house.images.read(grid.files[3])


async def test_a_picture_that_aged_out_fails_the_job_with_its_code(house: House, device: FakeDevice) -> None:
    grid = await house.drawn()
    vary = Vary(source=grid.id, index=1, strength=Strength.SUBTLE)
    varied = await house.desk.submit(vary, owner_id=1, key="v", origin="{}")
    house.images.remove(grid.id)
    async with running(house, device):
        failed = await reaches(house, varied.id, JobState.FAILED)
    assert failed.error is ErrorCode.PICTURE_GONE
    assert device.jobs == []


async def test_a_running_job_stops_when_its_owner_asks(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    async with running(house, device):
        await under_way(device)
        await house.desk.cancel(job.id)
        await reaches(house, job.id, JobState.CANCELLED)
        assert (await device.capacity()).resident == 0


async def test_a_failure_worth_another_attempt_is_tried_three_times(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.failures[job.id] = (ErrorCode.ENGINE_FAILED, True)
    async with running(house, device):
        for attempt in (1, 2, 3):
            await under_way(device, attempt)
            await reaches(house, job.id, JobState.QUEUED, JobState.FAILED)
            house.clock.advance(RETRY_MOST_SECONDS)
        failed = await reaches(house, job.id, JobState.FAILED)
    assert failed.error is ErrorCode.ENGINE_FAILED
    assert [accepted.attempt for accepted in device.jobs] == [1, 2, 3]


async def test_a_failure_for_good_is_not_tried_again(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.failures[job.id] = (ErrorCode.OUT_OF_MEMORY, False)
    async with running(house, device):
        failed = await reaches(house, job.id, JobState.FAILED)
    assert failed.error is ErrorCode.OUT_OF_MEMORY
    assert len(device.jobs) == 1


async def test_stopping_hands_back_at_once_and_uses_no_attempt(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    for _ in range(5):  # more often than there are attempts
        seen = len(device.jobs)
        began = asyncio.get_running_loop().time()
        async with running(house, device):
            await under_way(device, seen + 1)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2
        assert (await house.desk.get(job.id)).state is JobState.QUEUED
    device.going.set()
    async with running(house, device):
        await reaches(house, job.id, JobState.SUCCEEDED)


async def test_what_was_drawn_before_a_stop_is_gone_on_with(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    async with running(house, device):
        await under_way(device)
    assert device.jobs[0].kept is None
    async with running(house, device):
        await under_way(device, 2)
        assert device.jobs[1].kept == KEPT
        device.going.set()
        await reaches(house, job.id, JobState.SUCCEEDED)
    assert await house.store.kept_of(job.id) is None


async def test_what_ends_while_the_worker_stops_is_stored(house: House, device: FakeDevice) -> None:
    class Ending:
        """A device whose job is done by the time it is asked to hand it back."""

        def __getattr__(self, name: str) -> Any:
            return getattr(device, name)

        async def suspend(self) -> None:
            device.going.set()
            await device.tasks[0]

    job = await house.submit()
    device.going.clear()
    async with running(house, cast("FakeDevice", Ending())):
        await under_way(device)
    assert (await house.desk.get(job.id)).state is JobState.SUCCEEDED


async def test_after_a_death_a_job_begins_anew_for_what_was_kept_may_be_why(house: House) -> None:
    job = await house.submit()
    [claim] = await house.claim("w")
    await house.store.hand_back((job.id, claim.attempt), KEPT)
    await house.claim("w")
    assert await house.store.kept_of(job.id) == KEPT
    await house.upkeep.take_back()  # nobody holds the lock of "w"
    await house.claim("v")
    assert await house.store.kept_of(job.id) is None


async def test_nothing_is_kept_of_a_job_that_is_stopped_while_it_waits(house: House) -> None:
    job = await house.submit()
    [claim] = await house.claim()
    await house.store.hand_back((job.id, claim.attempt), KEPT)
    await house.desk.cancel(job.id)
    assert await house.store.kept_of(job.id) is None


async def test_nothing_is_kept_of_a_job_that_was_to_be_stopped(house: House) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        [claim] = await house.claim("w")
        await house.desk.cancel(job.id)
        await house.store.hand_back((job.id, claim.attempt), KEPT)
    assert (await house.desk.get(job.id)).state is JobState.CANCELLED
    assert await house.store.kept_of(job.id) is None


async def test_a_job_the_device_gives_up_unasked_is_drawn_later(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    async with running(house, device):
        await under_way(device)
        device.drop(job.id)
        await under_way(device, 2)
        device.going.set()
        await reaches(house, job.id, JobState.SUCCEEDED)


async def test_a_lost_lease_frees_the_device_and_changes_nothing(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    async with running(house, device):
        await under_way(device)
        with sqlite3.connect(house.folder / "jobs.db") as other:
            other.execute("UPDATE jobs SET worker = 'another' WHERE id = ?", (job.id,))
        other.close()

        async def free() -> bool:
            return (await device.capacity()).resident == 0

        await true(free)
    assert (await house.desk.get(job.id)).state is JobState.RUNNING


async def test_a_busy_database_delays_the_outcome_and_loses_nothing(house: House, device: FakeDevice) -> None:
    job = await house.submit()
    device.going.clear()
    async with running(house, device):
        await under_way(device)
        lock = sqlite3.connect(house.folder / "jobs.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        device.going.set()

        async def drawn() -> bool:
            return (await device.capacity()).resident == 0

        await true(drawn)
        await asyncio.sleep(0.5)  # longer than the database waits for the lock
        assert (await house.desk.get(job.id)).state is JobState.RUNNING
        lock.execute("ROLLBACK")
        lock.close()
        await reaches(house, job.id, JobState.SUCCEEDED)


async def test_a_full_database_delays_everything_and_loses_nothing(house: House) -> None:
    device = FakeDevice(places=4)
    device.going.clear()
    job = await house.submit(1)
    await house.submit(2)
    async with running(house, device):
        await under_way(device)
        await house.fill_disk()
        with structlog.testing.capture_logs() as said:
            device.going.set()

            async def refused() -> bool:
                doing = {line.get("doing") for line in said if line.get("code") == "disk_full"}
                return {"settle", "claim"} <= doing

            await true(refused)
        assert (await house.desk.get(job.id)).state is JobState.RUNNING
        await house.make_room()
        assert (await reaches(house, job.id, JobState.SUCCEEDED)).attempt == 1
        await under_way(device, 2)
    await device.close()


async def test_a_full_database_does_not_keep_the_worker_from_stopping(
    house: House, device: FakeDevice
) -> None:
    device.going.clear()
    await house.submit()
    async with running(house, device):
        await under_way(device)
        await house.fill_disk()
        device.going.set()
    await house.make_room()


async def test_a_device_that_has_gone_ends_the_worker_and_its_jobs_lose_no_attempt(
    house: House, device: FakeDevice
) -> None:
    device.going.clear()
    jobs = [await house.submit(owner) for owner in (1, 2)]
    runner = Runner(house.store, device, house.images, worker="w", clock=house.clock)
    task = asyncio.create_task(runner.run(asyncio.Event()))
    await under_way(device, 2)
    await device.close()
    with pytest.raises(ExceptionGroup, match="unhandled"):
        async with asyncio.timeout(PATIENCE):
            await task
    assert {(await house.desk.get(job.id)).state for job in jobs} == {JobState.QUEUED}

    def used(db: sqlite3.Connection) -> int:
        return int(db.execute("SELECT max(attempt - spared) FROM jobs").fetchone()[0])

    assert await house.database.read(used) == 0


async def test_a_full_disk_fails_the_job_with_its_code(house: House, device: FakeDevice) -> None:
    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(house.images, name)

        def write(self, job_id: JobId, pictures: Any) -> tuple[str, ...]:
            raise WorkerError(ErrorCode.DISK_FULL)

    job = await house.submit()
    async with running(house, device, images=Full()):
        failed = await reaches(house, job.id, JobState.FAILED)
    assert failed.error is ErrorCode.DISK_FULL


async def test_no_more_is_claimed_than_the_device_takes(house: House) -> None:
    device = FakeDevice(places=8)
    device.going.clear()
    for owner in range(5):
        await house.submit(owner)
    async with running(house, device):
        await under_way(device, 2)
        await asyncio.sleep(0.1)
        assert len(device.jobs) == 2
        device.going.set()
        await under_way(device, 5)
    await device.close()


async def test_a_flood_that_fills_the_device_does_not_keep_another_person_out(house: House) -> None:
    device = FakeDevice(places=8, newcomers=4)
    device.going.clear()
    for _ in range(4):
        await house.submit(1)
    async with running(house, device):
        await under_way(device, 2)
        await house.submit(2)
        await under_way(device, 3)
        assert [accepted.owner_id for accepted in device.jobs] == [1, 1, 2]
    await device.close()


async def test_an_upscale_goes_to_the_device_as_such(house: House, device: FakeDevice) -> None:
    grid = await house.drawn()
    async with running(house, device):
        cell = await house.desk.submit(Upscale(source=grid.id, index=1), owner_id=1, key="u", origin="{}")
        done = await reaches(house, cell.id, JobState.SUCCEEDED, JobState.FAILED)
    assert done.state is JobState.SUCCEEDED
    assert isinstance(device.jobs[0].recipe, Upscaling)
    assert len(done.files) == 1


async def test_what_is_submitted_twice_under_one_key_is_drawn_once(house: House, device: FakeDevice) -> None:
    async with running(house, device):
        first = await house.desk.submit(prompt(), owner_id=1, key="same", origin="{}")
        second = await house.desk.submit(prompt(), owner_id=1, key="same", origin="{}")
        await reaches(house, first.id, JobState.SUCCEEDED)
    assert first.id == second.id
    assert len(device.jobs) == 1
