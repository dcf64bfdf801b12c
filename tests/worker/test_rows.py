"""Which states a job may go through, and who says so."""

import re
import sqlite3
from itertools import pairwise, product
from pathlib import Path

import pytest

from tests.worker.house import House
from worker.api import TRANSITIONS, ErrorCode, JobState
from worker.queue.rows import StaleJob, move, take

STATES = list(JobState)


def put_in(db: sqlite3.Connection, job_id: str, state: JobState) -> None:
    """Bring a queued job into *state* along the ways there are."""
    if state is JobState.QUEUED:
        return
    take(db, job_id, worker="w", now=1, lease_until=16)
    if state is not JobState.RUNNING:
        files = ("ab/1.png",) if state is JobState.SUCCEEDED else ()
        error = ErrorCode.ENGINE_FAILED if state is JobState.FAILED else None
        move(db, job_id, JobState.RUNNING, state, now=2, files=files, error=error)


@pytest.mark.parametrize(("source", "target"), list(product(STATES, STATES)))
async def test_only_the_stated_transitions_exist(house: House, source: JobState, target: JobState) -> None:
    job = await house.submit()

    def attempt(db: sqlite3.Connection) -> None:
        put_in(db, job.id, source)
        if target is JobState.RUNNING:
            take(db, job.id, worker="v", now=3, lease_until=18)
        else:
            files = ("ab/1.png",) if target is JobState.SUCCEEDED else ()
            error = ErrorCode.ENGINE_FAILED if target is JobState.FAILED else None
            move(db, job.id, source, target, now=3, files=files, error=error)

    if target in TRANSITIONS[source]:
        await house.database.write(attempt)
        assert (await house.desk.get(job.id)).state is target
        assert [event.state for event in await house.desk.events(after=0)][-1] is target
    else:
        with pytest.raises((ValueError, StaleJob)):
            await house.database.write(attempt)
        assert (await house.desk.get(job.id)).state is JobState.QUEUED
        assert len(await house.desk.events(after=0)) == 1


async def test_a_move_from_a_state_the_job_has_left_is_stale(house: House) -> None:
    job = await house.submit()
    await house.desk.cancel(job.id)
    with pytest.raises(StaleJob):
        await house.database.write(
            lambda db: move(
                db, job.id, JobState.RUNNING, JobState.FAILED, now=1, error=ErrorCode.ENGINE_FAILED
            )
        )


@pytest.mark.parametrize(
    "change",
    [
        "state = 'running'",
        "state = 'succeeded'",
        "state = 'succeeded', finished_at = 1",
        "state = 'failed', finished_at = 1",
        "state = 'cancelled'",
        "state = 'lost'",
        "cancel_requested = 1",
        "lease_until = 1",
        "recipe = NULL",
        "files = 'nonsense'",
        "seed = -1",
    ],
)
async def test_the_file_itself_refuses_rows_that_make_no_sense(house: House, change: str) -> None:
    await house.submit()
    with pytest.raises(sqlite3.IntegrityError):
        await house.database.write(lambda db: db.execute(f"UPDATE jobs SET {change}"))


def test_only_rows_says_which_state_a_job_is_in(root: Path) -> None:
    writers: dict[str, int] = {}
    for path in [*root.glob("worker/**/*.py"), *root.glob("bot/**/*.py"), *root.glob("cli/**/*.py")]:
        statements = re.sub(r"[\"'\s]+", " ", path.read_text())
        updates = re.findall(r"UPDATE jobs SET (.*?)(?: WHERE |$)", statements)
        found = sum(bool(re.search(r"\bstate\s*=", update)) for update in updates)
        found += len(re.findall(r"(?:INSERT|REPLACE)\b[A-Z ]* INTO jobs\b", statements))
        if found:
            writers[str(path.relative_to(root))] = found
    assert writers == {"worker/queue/rows.py": 3}  # insert, move, take


async def test_every_change_of_state_is_an_event(house: House) -> None:
    for _ in range(3):
        await house.submit()
    first, second, third = await house.claim()
    await house.finish(first)
    await house.store.fail((second.job.id, 1), ErrorCode.ENGINE_FAILED, retryable=True)
    await house.store.hand_back((third.job.id, 1))
    events = await house.desk.events(after=0)
    assert [event.id for event in events] == list(range(1, 10))
    for claim in (first, second, third):
        states = [event.state for event in events if event.job_id == claim.job.id]
        assert all(after in TRANSITIONS[before] for before, after in pairwise(states))
        assert states[-1] is (await house.desk.get(claim.job.id)).state


async def test_an_accepted_job_is_told_as_it_will_be_read(house: House) -> None:
    job = await house.submit()
    assert job == await house.desk.get(job.id)
