"""Tidying up after processes that died, and after time."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from parser import Speed
from tests.worker.house import PLENTY, House
from worker.api import Cell, ErrorCode, Job, JobId, JobState
from worker.images import ImageStore
from worker.lock import FileLock, worker_lock
from worker.queue import upkeep as upkeep_module
from worker.queue.claims import ATTEMPTS, LEASE_SECONDS, Claim
from worker.queue.upkeep import EVENTS_KEPT_SECONDS, ORPHAN_SECONDS, TAKE_BACK_SECONDS, Upkeep


async def test_the_jobs_of_a_dead_worker_are_taken_back_at_once(house: House) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        assert await house.upkeep.take_back() == 0
    assert await house.upkeep.take_back() == 1
    assert (await house.desk.get(job.id)).state is JobState.QUEUED
    [claim] = await house.claim("v")
    assert (claim.job.id, claim.attempt, claim.job.seed) == (job.id, 2, job.seed)


async def test_a_worker_that_hangs_loses_its_jobs_and_they_lose_no_attempt(house: House) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        assert await house.watch(LEASE_SECONDS) == 0
        assert await house.watch(TAKE_BACK_SECONDS) == 1
    assert await used(house, job) == 0


async def test_a_worker_that_renews_its_leases_keeps_its_jobs(house: House) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        for _ in range(4):
            assert await house.watch(LEASE_SECONDS) == 0
            await house.store.heartbeat("w", [(job.id, 1)])


@pytest.mark.parametrize("stood_still", [False, True])
async def test_neither_a_clock_that_is_set_nor_a_machine_that_sleeps_costs_a_live_worker_its_job(
    house: House, stood_still: bool
) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        for _ in range(3):
            await house.watch(TAKE_BACK_SECONDS)
            house.clock.advance(3600)
            if not stood_still:  # as where the machine is paused from outside
                house.uptime.advance(3600)
            assert await house.watch(TAKE_BACK_SECONDS) == 0
            await house.store.heartbeat("w", [(job.id, 1)])


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_a_dead_workers_jobs_come_back_at_once_whatever_the_clock_says(
    house: House, step: float
) -> None:
    await house.submit()
    await house.claim("w")
    house.clock.advance(step)
    assert await house.upkeep.take_back() == 1


async def test_who_killed_a_worker_does_it_alone_from_then_on_and_costs_the_others_nothing(
    house: House,
) -> None:
    culprit, *others = [await house.submit(owner) for owner in range(5)]
    deaths = 0
    for _ in range(100):
        claims = await house.claim()
        if not claims:
            break
        if culprit.id in {claim.job.id for claim in claims}:
            deaths += 1
            await house.upkeep.take_back()
            continue
        for claim in claims:
            await house.finish(claim)
    assert deaths == 1 + ATTEMPTS
    failed = await house.desk.get(culprit.id)
    assert (failed.state, failed.error) == (JobState.FAILED, ErrorCode.ATTEMPTS_EXHAUSTED)
    for job in others:
        assert (await house.desk.get(job.id)).state is JobState.SUCCEEDED
        assert await used(house, job) == 1


async def test_a_job_to_be_drawn_alone_waits_for_an_empty_worker_and_keeps_it_to_itself(house: House) -> None:
    suspect = await house.submit(1)
    await house.claim("dead")
    await house.upkeep.take_back()
    [ordinary] = [await house.submit(2)]
    await house.submit(3)
    [first] = await house.store.claim("w", {Speed.FAST: 4})
    assert first.job.id == ordinary.id  # of people never served, who were there before
    await house.finish(await claimed_only(house, 3))
    assert await house.claim() == []  # the suspect's turn, but not alone
    await house.finish(first)
    [alone] = await house.claim()
    assert alone.job.id == suspect.id
    await house.submit(4)
    assert await house.store.claim("w", PLENTY, newcomers=8) == []
    assert len(await house.claim("another")) == 1
    await house.finish(alone)


async def claimed_only(house: House, owner_id: int) -> Claim:
    [claim] = await house.store.claim("w", {Speed.FAST: 4})
    assert claim.job.owner_id == owner_id
    return claim


async def used(house: House, job: Job) -> int:
    """Return how many attempts were used at a job."""

    def count(db: sqlite3.Connection) -> int:
        row = db.execute("SELECT attempt - spared FROM jobs WHERE id = ?", (job.id,)).fetchone()
        return int(row[0])

    return await house.database.read(count)


async def test_a_job_whose_workers_die_again_and_again_fails(house: House) -> None:
    job = await house.submit()
    for attempt in range(1, ATTEMPTS + 1):
        [claim] = await house.claim()
        assert claim.attempt == attempt
        await house.upkeep.take_back()
    failed = await house.desk.get(job.id)
    assert (failed.state, failed.error) == (JobState.FAILED, ErrorCode.ATTEMPTS_EXHAUSTED)


async def test_a_job_to_be_stopped_whose_worker_died_is_stopped(house: House) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        await house.desk.cancel(job.id)
    await house.upkeep.take_back()
    assert (await house.desk.get(job.id)).state is JobState.CANCELLED


async def test_old_events_are_forgotten_and_the_cursor_stays_good(house: House) -> None:
    await house.submit()
    cursor = await house.desk.last_event()
    house.clock.advance(EVENTS_KEPT_SECONDS + 1)
    await house.upkeep.prune()
    assert await house.desk.events(after=0) == []
    assert await house.desk.last_event() == cursor
    await house.submit()
    assert [event.id for event in await house.desk.events(after=cursor)] == [cursor + 1]


async def test_pictures_without_a_job_are_swept_once_they_are_old(house: House) -> None:
    grid = await house.drawn()
    cell = await house.desk.submit(Cell(source=grid.id, index=1), owner_id=1, key="u", origin="")
    orphan = "ab0e8400-e29b-41d4-a716-446655440000"
    house.images.write(orphan, {"1.png": b"nobody's"})
    folders = list(house.images.folder.glob("*/*"))

    def age(seconds: float) -> None:
        for folder in folders:
            os.utime(folder, (house.clock() - seconds,) * 2)

    age(ORPHAN_SECONDS - 1)
    assert await house.upkeep.prune() == 0
    age(ORPHAN_SECONDS + 1)
    assert await house.upkeep.prune() == 1
    assert not house.images.holds(f"ab/{orphan}/1.png")
    assert all(house.images.holds(name) for name in (*grid.files, *cell.files))


async def test_pictures_of_a_job_that_was_stopped_after_its_worker_died_are_swept(house: House) -> None:
    stopped, queued = await house.submit(), await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        for job in (stopped, queued):  # the worker dies here: written, and not yet said
            house.images.write(job.id, {"1.png": b"written"})
            os.utime(house.images.folder / job.id[:2] / job.id, (0, 0))
        await house.desk.cancel(stopped.id)
    await house.upkeep.take_back()
    assert (await house.desk.get(stopped.id)).state is JobState.CANCELLED
    assert await house.upkeep.prune() == 1
    assert not house.images.holds(f"{stopped.id[:2]}/{stopped.id}/1.png")
    assert house.images.holds(f"{queued.id[:2]}/{queued.id}/1.png")


async def test_upkeep_needs_no_folder_of_pictures(house: House, tmp_path: Path) -> None:
    assert not (tmp_path / "pictures").exists()
    assert await house.upkeep.prune() == 0


async def test_a_process_that_has_no_business_with_pictures_sweeps_none(house: House) -> None:
    orphan = "ab0e8400-e29b-41d4-a716-446655440000"
    house.images.write(orphan, {"1.png": b"nobody's"})
    os.utime(house.images.folder / "ab" / orphan, (0, 0))
    parts = {"clock": house.clock, "monotonic": house.uptime, "locks": house.folder}
    assert await Upkeep(house.database, None, **parts).prune() == 0
    assert await Upkeep(house.database, house.images, **parts).prune() == 1


async def test_a_folder_that_cannot_be_read_does_not_end_the_chores(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(ImageStore):
        def older(self, than: float) -> Iterator[JobId]:
            raise PermissionError(f"nothing older than {than}")

    upkeep = Upkeep(
        house.database,
        Broken(house.images.folder),
        clock=house.clock,
        monotonic=house.uptime,
        locks=house.folder,
    )
    monkeypatch.setattr(upkeep_module, "TAKE_BACK_SECONDS", 0.01)
    job = await house.submit()
    running = asyncio.create_task(upkeep.run())
    while (await house.desk.get(job.id)).attempt < 3:  # taken back twice
        await house.claim("dead")
        await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()


async def test_a_full_database_does_not_end_the_chores(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep_module, "TAKE_BACK_SECONDS", 0.01)
    job = await house.submit()
    await house.claim("dead")
    await house.fill_disk()
    with structlog.testing.capture_logs() as said:
        running = asyncio.create_task(house.upkeep.run())
        while not any(line.get("code") == "disk_full" for line in said):
            assert not running.done()
            await asyncio.sleep(0.01)
    await house.make_room()
    while (await house.desk.get(job.id)).state is not JobState.QUEUED:
        assert not running.done()
        await asyncio.sleep(0.01)
    running.cancel()


async def test_a_folder_that_vanishes_while_the_sweep_looks_is_passed_over(house: House) -> None:
    jobs = [f"ab{n}e8400-e29b-41d4-a716-446655440000" for n in range(3)]
    for job_id in jobs:
        house.images.write(JobId(job_id), {"1.png": b"nobody's"})
        os.utime(house.images.folder / "ab" / job_id, (0, 0))
    swept = house.images.older(1.0)
    first = next(swept)
    for job_id in jobs:
        house.images.remove(JobId(job_id))
    assert list(swept) == []
    assert first in jobs
