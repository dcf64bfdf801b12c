"""Tidying up after processes that died, and after time."""

import os
from pathlib import Path

import pytest

from tests.worker.house import House
from worker.api import Cell, ErrorCode, JobState
from worker.lock import FileLock, worker_lock
from worker.queue.store import ATTEMPTS, LEASE_SECONDS
from worker.queue.upkeep import EVENTS_KEPT_SECONDS, ORPHAN_SECONDS, Lease, due


async def test_the_jobs_of_a_dead_worker_are_taken_back_at_once(house: House) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        assert await house.upkeep.take_back() == 0
    assert await house.upkeep.take_back() == 1
    assert (await house.desk.get(job.id)).state is JobState.QUEUED
    [claim] = await house.claim("v")
    assert (claim.job.id, claim.attempt, claim.job.seed) == (job.id, 2, job.seed)


async def test_a_worker_that_hangs_loses_its_lease(house: House) -> None:
    await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        house.clock.advance(LEASE_SECONDS - 0.1)
        assert await house.upkeep.take_back() == 0
        house.clock.advance(0.2)
        assert await house.upkeep.take_back() == 1


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


@pytest.mark.parametrize(
    ("until", "dead", "taken"),
    [
        (
            100.0 + LEASE_SECONDS + 1,
            {"w"},
            False,
        ),  # claimed after the worker was seen dead: it has started since
        (100.0 + LEASE_SECONDS, {"w"}, True),
        (101.0, {"v"}, False),
        (99.0, set(), True),
    ],
)
def test_which_leases_are_due(until: float, dead: set[str], taken: bool) -> None:
    assert bool(due([Lease("job", 1, "w", until)], dead=dead, now=100.0)) is taken


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


async def test_upkeep_needs_no_folder_of_pictures(house: House, tmp_path: Path) -> None:
    assert not (tmp_path / "pictures").exists()
    assert await house.upkeep.prune() == 0
