"""The worker's side of the queue."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from parser import Speed
from tests.worker.house import PLENTY, House, house_in
from worker.api import ErrorCode, JobState, Limits, Progress
from worker.lock import FileLock, worker_lock
from worker.queue.claims import ATTEMPTS, LEASE_SECONDS, RETRY_SECONDS
from worker.queue.rows import StaleJob

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def at_work(house: House) -> Iterator[None]:
    """Let worker "w" live."""
    with FileLock(worker_lock(house.folder, "w")):
        yield


async def test_a_claim_carries_what_is_to_be_drawn(house: House) -> None:
    job = await house.submit(seed=42)
    [claim] = await house.claim()
    assert (claim.job.id, claim.attempt, claim.job.state) == (job.id, 1, JobState.RUNNING)
    assert claim.job.started_at == house.clock()
    assert claim.recipe.width == job.width
    assert await house.claim() == []


async def test_lanes_are_served_in_their_order(tmp_path: Path) -> None:
    async with house_in(tmp_path, limits=Limits(turbo=True)) as house:
        for owner, speed in enumerate((Speed.RELAX, Speed.FAST, Speed.TURBO)):
            await house.submit(owner, speed=speed)
        assert [claim.job.speed for claim in await house.claim()] == [Speed.TURBO, Speed.FAST, Speed.RELAX]


async def test_no_more_is_claimed_than_places_are_free(house: House) -> None:
    for owner in range(5):
        await house.submit(owner)
    assert await house.store.claim("w", {Speed.FAST: 0, Speed.RELAX: 8}) == []
    assert len(await house.store.claim("w", {Speed.FAST: 8})) == 2
    assert len(await house.store.claim("w", {Speed.FAST: 1})) == 1  # a grid is not passed over for its size


async def test_a_claim_in_one_lane_takes_places_of_all(house: House) -> None:
    await house.submit(1, speed=Speed.FAST)
    await house.submit(2, speed=Speed.RELAX)
    claims = await house.store.claim("w", {Speed.FAST: 8, Speed.RELAX: 4})
    assert [claim.job.speed for claim in claims] == [Speed.FAST]


async def test_nobody_has_more_running_than_the_limit(house: House) -> None:
    for _ in range(5):
        await house.submit(1)
    await house.submit(2)
    assert sorted(claim.job.owner_id for claim in await house.claim()) == [1, 1, 1, 2]
    assert await house.claim() == []


async def test_people_take_turns(house: House) -> None:
    for _ in range(4):
        await house.submit(1)
    for _ in range(2):
        await house.submit(2)
    await house.submit(3)
    order = []
    for _ in range(7):
        [claim] = await house.store.claim("w", {Speed.FAST: 1})
        order.append(claim.job.owner_id)
        await house.finish(claim)
    assert order == [1, 2, 3, 1, 2, 1, 1]


@pytest.mark.parametrize("seed", range(5))
async def test_a_standing_says_when_a_job_is_claimed(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    async with house_in(tmp_path, limits=Limits(running=1)) as house:
        for _ in range(5):  # some have been served before
            await house.submit(random.randrange(5))
            [claim] = await house.claim()
            await house.finish(claim)
        jobs = [await house.submit(random.randrange(5), quality=random.choice([1, 2])) for _ in range(15)]
        told = {}
        for job in jobs:
            standing = await house.desk.standing(job.id)
            assert standing is not None
            told[job.id] = standing.place
        claimed = {}
        for place in range(1, len(jobs) + 1):
            [claim] = await house.store.claim("w", {Speed.FAST: 1})
            claimed[claim.job.id] = place
            await house.finish(claim)
        assert told == claimed


async def test_a_flood_delays_another_persons_job_by_one_job_at_most(tmp_path: Path) -> None:
    async with house_in(tmp_path, limits=Limits(waiting=100)) as house:
        for _ in range(50):
            await house.submit(1)
        for _ in range(5):
            [claim] = await house.store.claim("w", {Speed.FAST: 1})
            await house.finish(claim)
        [running] = await house.store.claim("w", {Speed.FAST: 1})
        late = await house.submit(2)
        standing = await house.desk.standing(late.id)
        assert standing is not None
        assert standing.place == 1
        await house.finish(running)
        [claim] = await house.store.claim("w", {Speed.FAST: 1})
        assert claim.job.id == late.id


async def test_a_persons_short_jobs_go_first_and_equal_ones_in_their_order(house: House) -> None:
    long = await house.submit(quality=5)
    first = await house.submit()
    second = await house.submit()
    short = await house.submit(quality=0.25)
    order = []
    for _ in range(4):
        [claim] = await house.store.claim("w", {Speed.FAST: 1})
        order.append((await house.finish(claim)).id)
    assert order == [short.id, first.id, second.id, long.id]


@pytest.mark.usefixtures("at_work")
async def test_a_heartbeat_renews_the_lease_and_tells_who_wants_to_stop(house: House) -> None:
    for owner in (1, 2):
        await house.submit(owner)
    first, second = await house.claim()
    await house.desk.cancel(second.job.id)
    house.clock.advance(LEASE_SECONDS - 1)
    beat = await house.store.heartbeat("w", [(first.job.id, 1), (second.job.id, 1)])
    assert (beat.cancel_requested, beat.lost) == ({second.job.id}, frozenset())
    assert await house.store.cancel_requested("w") == {second.job.id}
    assert await house.store.cancel_requested("v") == frozenset()

    def leases(db: sqlite3.Connection) -> set[float]:
        return {row[0] for row in db.execute("SELECT lease_until FROM jobs")}

    assert await house.database.read(leases) == {house.clock() + LEASE_SECONDS}
    await house.store.cancelled((second.job.id, 1))
    assert (await house.desk.get(second.job.id)).state is JobState.CANCELLED


async def test_a_lost_lease_is_told_and_its_outcome_refused(house: House) -> None:
    job = await house.submit()
    [old] = await house.claim("a")
    assert await house.upkeep.take_back() == 1
    [new] = await house.claim("b")
    assert new.attempt == 2
    beat = await house.store.heartbeat("a", [(job.id, 1)])
    assert beat.lost == {job.id}
    for late in (
        house.store.succeed((job.id, 1), ("ab/1.png",), 1),
        house.store.fail((job.id, 1), ErrorCode.ENGINE_FAILED, retryable=False),
        house.store.cancelled((job.id, 1)),
        house.store.hand_back((job.id, 1)),
    ):
        with pytest.raises(StaleJob):
            await late
    assert (await house.finish(new)).state is JobState.SUCCEEDED
    assert old.recipe == new.recipe


async def test_an_outcome_of_a_deleted_job_is_stale(house: House) -> None:
    job = await house.drawn()
    await house.desk.delete(job.id)
    with pytest.raises(StaleJob):
        await house.store.fail((job.id, 1), ErrorCode.ENGINE_FAILED, retryable=True)
    with pytest.raises(StaleJob):
        await house.store.succeed((job.id, 1), job.files, 1)


async def test_a_failure_worth_retrying_is_retried_until_the_attempts_are_used(house: House) -> None:
    job = await house.submit()
    for attempt in range(1, ATTEMPTS + 1):
        assert (await house.desk.get(job.id)).state is JobState.QUEUED
        assert len(await house.claim()) == 1
        await house.store.fail((job.id, attempt), ErrorCode.OUT_OF_MEMORY, retryable=True)
        assert await house.claim() == []
        house.clock.advance(RETRY_SECONDS * attempt)
    failed = await house.desk.get(job.id)
    assert (failed.state, failed.error, failed.attempt) == (
        JobState.FAILED,
        ErrorCode.OUT_OF_MEMORY,
        ATTEMPTS,
    )


async def test_a_job_that_waits_for_another_attempt_lets_others_pass(house: House) -> None:
    job = await house.submit(1)
    await house.claim()
    await house.store.fail((job.id, 1), ErrorCode.ENGINE_FAILED, retryable=True)
    mine, other = await house.submit(1), await house.submit(2)
    assert {claim.job.id for claim in await house.claim()} == {mine.id, other.id}


async def test_a_clock_that_was_set_back_does_not_put_off_another_attempt(house: House) -> None:
    job = await house.submit()
    await house.claim()
    await house.store.fail((job.id, 1), ErrorCode.ENGINE_FAILED, retryable=True)
    house.clock.advance(-3600)
    assert [claim.job.id for claim in await house.claim()] == [job.id]


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
async def test_a_clock_that_jumps_keeps_nobody_waiting_and_the_others_in_order(
    house: House, jump: float
) -> None:
    for owner in (1, 1, 2):
        await house.submit(owner)
    house.clock.advance(jump)
    await house.submit(3)
    house.clock.advance(-jump)
    await house.submit(4)
    order = []
    for _ in range(5):
        [claim] = await house.store.claim("w", {Speed.FAST: 1})
        order.append(claim.job.owner_id)
        await house.finish(claim)
    assert 3 in order  # who ordered meanwhile may seem to have waited for a day
    assert [owner for owner in order if owner != 3] == [1, 2, 4, 1]


async def test_newcomers_get_only_the_places_that_others_left(house: House) -> None:
    for owner in range(8):
        await house.submit(owner)
    claims = await house.store.claim("w", {Speed.FAST: 8}, newcomers=16)
    assert len(claims) == 4  # of four pictures each


async def test_releasing_a_worker_hands_back_all_it_has(house: House) -> None:
    jobs = [await house.submit(owner) for owner in (1, 2)]
    await house.claim("w")
    await house.submit(3)
    [other] = await house.claim("v")
    await house.store.release("w")
    assert {(await house.desk.get(job.id)).state for job in jobs} == {JobState.QUEUED}
    assert (await house.desk.get(other.job.id)).state is JobState.RUNNING


async def test_a_failure_not_worth_retrying_is_final(house: House) -> None:
    job = await house.submit()
    await house.claim()
    await house.store.fail((job.id, 1), ErrorCode.MODEL_MISSING, retryable=False)
    assert (await house.desk.get(job.id)).error is ErrorCode.MODEL_MISSING


@pytest.mark.usefixtures("at_work")
async def test_a_job_to_be_cancelled_is_not_retried(house: House) -> None:
    for outcome in (
        lambda claim: house.store.fail(claim, ErrorCode.OUT_OF_MEMORY, retryable=True),
        house.store.hand_back,
    ):
        job = await house.submit()
        await house.claim()
        await house.desk.cancel(job.id)
        await outcome((job.id, 1))
        assert (await house.desk.get(job.id)).state is JobState.CANCELLED


@pytest.mark.usefixtures("at_work")
async def test_a_job_that_was_finished_before_it_could_be_cancelled_has_its_pictures(house: House) -> None:
    await house.submit()
    [claim] = await house.claim()
    await house.desk.cancel(claim.job.id)
    job = await house.finish(claim)
    assert (job.state, len(job.files)) == (JobState.SUCCEEDED, 5)


async def test_handing_back_uses_no_attempt_but_every_claim_has_a_number_of_its_own(house: House) -> None:
    job = await house.submit()
    for attempt in range(1, 8):
        [claim] = await house.claim()
        assert claim.attempt == attempt
        await house.store.hand_back((job.id, attempt))
    [claim] = await house.claim()
    await house.store.fail((job.id, claim.attempt), ErrorCode.OUT_OF_MEMORY, retryable=True)
    assert (await house.desk.get(job.id)).state is JobState.QUEUED


async def test_progress_is_overwritten_and_gone_with_the_run(house: House) -> None:
    job = await house.submit()
    row = Progress(job_id=job.id, fraction=0.25, preview=b"blurred", at=house.clock())
    await house.store.report([row])
    assert await house.desk.progress([job.id]) == {}  # it does not run
    await house.claim()
    await house.store.report([row])
    await house.store.report([row.model_copy(update={"fraction": 0.5, "preview": None, "paused": True})])
    assert await house.desk.progress([job.id]) == {
        job.id: Progress(job_id=job.id, fraction=0.5, preview=b"blurred", paused=True, at=house.clock())
    }
    await house.store.hand_back((job.id, 1))
    assert await house.desk.progress([job.id]) == {}


async def test_an_idle_claim_does_not_take_the_write_lock(house: House) -> None:
    other = sqlite3.connect(house.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await house.claim() == []
    other.close()


def started(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


CLAIMER = """
import asyncio, json, pathlib, sys
from tests.worker.house import PLENTY, house_in
from worker.api import DatabaseBusy, Limits
async def main():
    async with house_in(pathlib.Path(sys.argv[1]), limits=Limits(running=1000)) as house:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        claimed = []
        while True:
            try:
                found = await house.store.claim(sys.argv[2], dict.fromkeys(PLENTY, 9))
            except DatabaseBusy:  # the other one had it for long, on a busy machine
                continue
            if not found:
                break
            claimed += [claim.job.id for claim in found]
        print(json.dumps(claimed))
asyncio.run(main())
"""


async def test_two_processes_never_claim_the_same_job(tmp_path: Path) -> None:
    async with house_in(tmp_path, limits=Limits(waiting=1000)) as house:
        jobs = {(await house.submit(owner)).id for owner in range(3) for _ in range(50)}
        claimers = [started(CLAIMER, tmp_path, name) for name in ("a", "b")]
        for claimer in claimers:
            assert claimer.stdout is not None
            assert claimer.stdout.readline() == "ready\n"
        for claimer in claimers:
            assert claimer.stdin is not None
            claimer.stdin.write("go\n")
            claimer.stdin.flush()
        claimed = [json.loads(claimer.communicate(timeout=60)[0]) for claimer in claimers]
        assert sorted(claimed[0] + claimed[1]) == sorted(jobs)


SUBMITTER = """
import asyncio, pathlib, sys
from tests.worker.house import house_in
from worker.api import Limits
async def main():
    async with house_in(pathlib.Path(sys.argv[1]), limits=Limits(waiting=10**6)) as house:
        async def keep_submitting(owner):
            while True:
                job = await house.submit(owner)
                print(job.id, flush=True)
        await asyncio.gather(*map(keep_submitting, range(8)))
asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_it_had_accepted(tmp_path: Path) -> None:
    process = started(SUBMITTER, tmp_path)
    assert process.stdout is not None
    accepted = [process.stdout.readline().strip() for _ in range(200)]
    os.kill(process.pid, signal.SIGKILL)
    accepted += [
        line.strip() for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")
    ]
    async with house_in(tmp_path) as house:

        def check(db: sqlite3.Connection) -> tuple[str, set[str], list[tuple[int, ...]]]:
            [sound] = db.execute("PRAGMA integrity_check").fetchone()
            ids = {row["id"] for row in db.execute("SELECT id FROM jobs WHERE state = 'queued'")}
            counts = db.execute("SELECT (SELECT sum(waiting) FROM people), (SELECT count(*) FROM job_events)")
            return sound, ids, [tuple(row) for row in counts]

        sound, stored, counts = await house.database.read(check)
        assert sound == "ok"
        assert set(accepted) <= stored
        assert counts == [(len(stored), len(stored))]
        assert len(await house.store.claim("w", PLENTY)) > 0
