"""What the queue takes: submissions, whole jobs, claims from a long queue, and the cost of asking when idle.

    python -m benchmarks.queue [--jobs 600] [--clients 64] [--depth 100000] [--folder DIR]

Prints a table and, as the last line, one JSON object. Disks differ: every rate also stands as a ratio to the
plain way on the same disk in the same run, which is the same statements with a transaction each (WAL, FULL).
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import TypeVar

from migrations import shipped
from parser import ImagineRequest, Part, Speed
from worker.api import Imagine, JobId, JobState, Limits
from worker.catalogue import Catalogue
from worker.database import Database, Work
from worker.images import ImageStore
from worker.queue import rows
from worker.queue.desk import SqliteDesk
from worker.queue.store import Store
from worker.recipe import ModelProfile, resolve
from worker.schema import migrate

T = TypeVar("T")

PROFILE = ModelProfile(name="tiny", source="tiny", size=512)
REQUEST = ImagineRequest(text="a red fox", parts=(Part(text="a red fox in the snow, oil on canvas"),))
LIMITS = Limits(running=10**6, waiting=10**6)
FILES = ("ab/grid.png", "ab/1.png", "ab/2.png", "ab/3.png", "ab/4.png")
OWNERS = 100
CLAIMED = {Speed.FAST: 4}  # places for one job
IDLE_LOOKS = 500


class Hasty(Database):
    """The same database, never waiting for the disk."""

    async def write(self, work: Work[T], *, durable: bool = True) -> T:  # noqa: ARG002 - as inherited
        """Write without the disk's word for it."""
        return await super().write(work, durable=False)


def draft(number: int, owner_id: int) -> rows.Draft:
    """Return a default job."""
    return rows.Draft(
        id=JobId(f"{number:08x}-0000-4000-8000-000000000000"),
        key=f"key {number}",
        order=Imagine(request=REQUEST),
        request=REQUEST,
        recipe=resolve(REQUEST, PROFILE, seed=number),
        credits=1.0,
        origin="{}",
        owner_id=owner_id,
        speed=Speed.FAST,
        seed=number,
        model="tiny",
        width=512,
        height=512,
    )


def plain(folder: Path, jobs: int) -> dict[str, float]:
    """Return the rates of the same statements with a transaction each."""
    path = folder / "plain.db"
    migrate(path, shipped())
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = FULL")
    began = time.perf_counter()
    for number in range(jobs):
        rows.insert(db, draft(number, number % OWNERS), now=1.0)
    submitted = time.perf_counter()
    for number in range(jobs):
        job_id = draft(number, 0).id
        rows.take(db, job_id, worker="w", now=2.0, lease_until=17.0)
        rows.move(db, job_id, JobState.RUNNING, JobState.SUCCEEDED, now=3.0, files=FILES)
    ended = time.perf_counter()
    db.close()
    return {"submits_per_s": jobs / (submitted - began), "jobs_per_s": jobs / (ended - began)}


async def shared(database: Database, folder: Path, jobs: int, clients: int) -> dict[str, float]:
    """Return the rates of *clients* at once, through the desk and the store."""
    desk = SqliteDesk(
        database,
        ImageStore(folder),
        limits=LIMITS,
        catalogue=Catalogue.of(PROFILE),
        clock=time.time,
        random=Random(0),
        locks=folder,
    )
    store = Store(database, clock=time.time, limits=LIMITS)
    numbers = iter(range(jobs))

    async def submit() -> None:
        for number in numbers:
            order = Imagine(request=REQUEST)
            await desk.submit(order, owner_id=number % OWNERS, key=str(number), origin="{}")

    async def work() -> None:
        while claims := await store.claim("w", CLAIMED):
            for claim in claims:
                await store.succeed((claim.job.id, claim.attempt), FILES, 1.0)

    began = time.perf_counter()
    await asyncio.gather(*(submit() for _ in range(clients)))
    submitted = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    ended = time.perf_counter()
    return {"submits_per_s": jobs / (submitted - began), "jobs_per_s": jobs / (ended - began)}


async def crowded(folder: Path, depth: int) -> dict[str, float]:
    """Return the milliseconds that calls take with *depth* jobs waiting, ten a person."""
    async with Database(folder / "crowded.db") as database:
        for first in range(0, depth, 1000):
            await database.write(partial(fill, numbers=range(first, min(depth, first + 1000))))
        store = Store(database, clock=time.time, limits=LIMITS)
        desk = SqliteDesk(
            database,
            ImageStore(folder),
            limits=LIMITS,
            catalogue=Catalogue.of(PROFILE),
            clock=time.time,
            random=Random(0),
            locks=folder,
        )
        order = Imagine(request=REQUEST)
        keys = iter(range(10**9))
        last = draft(depth - 1, 0).id
        return {
            "claim_ms": await milliseconds(lambda: store.claim("w", CLAIMED)),
            "claim_cpu_ms": await milliseconds(lambda: store.claim("w", CLAIMED), clock=time.process_time),
            "submit_ms": await milliseconds(
                lambda: desk.submit(order, owner_id=7, key=f"late {next(keys)}", origin="{}")
            ),
            "standing_ms": await milliseconds(lambda: desk.standing(last)),
            "standing_cpu_ms": await milliseconds(lambda: desk.standing(last), clock=time.process_time),
            "get_ms": await milliseconds(lambda: desk.get(last)),
        }


def fill(db: sqlite3.Connection, numbers: range) -> None:
    """Store waiting jobs."""
    for number in numbers:
        rows.insert(db, draft(number, number // 10), now=1.0)


async def milliseconds(
    call: Callable[[], Awaitable[object]], *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the median time of a call over thirty; by `time.process_time` without what the disk took."""
    times = []
    for _ in range(30):
        began = clock()
        await call()
        times.append(clock() - began)
    return 1000 * median(times)


async def idle(folder: Path) -> dict[str, float]:
    """Return the processor time of one look at an empty queue, in microseconds."""
    async with Database(folder / "idle.db") as database:
        store = Store(database, clock=time.time, limits=LIMITS)
        began = time.process_time()
        for _ in range(IDLE_LOOKS):
            await store.claim("w", CLAIMED)
        return {"idle_look_us": 1e6 * (time.process_time() - began) / IDLE_LOOKS}


async def measure(folder: Path, jobs: int, clients: int, depth: int) -> dict[str, dict[str, float]]:
    """Return every figure."""
    base = plain(folder, jobs)
    found = {"plain FULL": base}
    for name, kind in (("group commit FULL", Database), ("group commit NORMAL", Hasty)):
        async with kind(folder / f"{kind.__name__}.db") as database:
            rates = await shared(database, folder, jobs, clients)
        found[name] = rates | {f"{key}_ratio": rates[key] / base[key] for key in base}
    found[f"{depth} waiting"] = await crowded(folder, depth)
    found["idle"] = await idle(folder)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--depth", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where to measure; its disk counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = asyncio.run(measure(Path(folder), options.jobs, options.clients, options.depth))
    for name, figures in found.items():
        print(f"{name:>20}  " + "  ".join(f"{key} {value:,.2f}" for key, value in figures.items()))
    print(json.dumps({"queue": found}))


if __name__ == "__main__":
    main()
