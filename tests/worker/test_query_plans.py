"""However many jobs there are: no statement on a job's way looks at all of them."""

import re
import sqlite3
from collections.abc import Callable
from functools import partial

from tests.worker.house import PLENTY, House
from worker.api import JobState, Progress

# Read from end to end: what has a row for each model or lane, and indexes of what is running.
SHORT = {"queue_control", "models", "lanes", "json_each", "jobs_running", "jobs_behind", "jobs_promoted"}
IN_ORDER = {"people_next", "people_since", "people_waiting", "jobs_measured"}  # no further than needed


async def traced(house: House, seen: Callable[[str], None]) -> None:
    """Let *seen* have every statement of every connection of the queue."""
    database = house.database
    for session in (database._writer, *database._readers):
        await session.run(lambda db: db.set_trace_callback(seen))


async def whole_job(house: House) -> None:
    """Lead one job from its order to its pictures, and another to where it was stopped."""
    stopped = await house.submit(owner_id=2)
    job = await house.submit(owner_id=1)
    await house.desk.standing(job.id)
    await house.desk.cancel(stopped.id)
    [claim] = await house.store.claim("w", PLENTY)
    await house.store.report(
        [Progress(job_id=job.id, fraction=0.5, paused=False, preview=None, at=house.clock())]
    )
    await house.store.heartbeat("w", [(job.id, claim.attempt)])
    await house.store.cancel_requested("w")
    await house.store.succeed((job.id, claim.attempt), ("ab/1.png",), 1.0)
    assert (await house.desk.get(job.id)).state is JobState.SUCCEEDED
    await house.desk.events(after=0)  # type: ignore[arg-type]


def scanned(db: sqlite3.Connection, statement: str) -> set[str]:
    """Return what *statement* reads from end to end."""
    found = set()
    for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"):
        scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", row["detail"])
        if scan is not None and "CONSTANT" not in row["detail"]:
            found.add(scan[2] or scan[1])
    return found


async def test_no_statement_on_a_jobs_way_reads_a_table_from_end_to_end(house: House) -> None:
    asked: set[str] = set()
    await traced(house, asked.add)
    await whole_job(house)
    statements = {each for each in asked if each.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))}
    assert len(statements) > 40
    wrong = {}
    for statement in statements:
        found = await house.database.read(partial(scanned, statement=statement))
        if found - SHORT - IN_ORDER:
            wrong[statement] = found
    assert not wrong
