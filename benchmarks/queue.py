"""What the queue takes: whole jobs a second, claims however many wait, and the cost of asking when idle.

    python -m benchmarks.queue [--jobs 600] [--clients 64] [--depths 1000 100000] [--rounds 3] [--folder DIR]

A whole job is an order accepted, with what it reserves; claimed; told how far it is, once; and recorded as
drawn, with what it is charged. All but the progress waits for the disk (FULL). Ways, interleaved:

- *plain*: the same statements, a transaction each, no more than a job at a time;
- *one process*: people and workers at once, through desk and store, as a bot that draws itself would;
- *two processes*: people in one, workers in another, as `journeyman run` has it;
- *hasty*: one process that never waits for the disk. What it gains is what durability costs.

Disks and neighbours differ, so each rate stands beside the plain way's of the same round, and beside the
processor time a job takes, which a busy machine changes less. Prints tables and, as the last line, one JSON
object; a chart per table goes to `build/charts`.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from statistics import median
from typing import TypeVar

from benchmarks._chart import bars, draw, told
from migrations import shipped
from parser import ImagineRequest, Part, Speed
from worker.api import Imagine, JobId, JobState, Limits, Progress
from worker.catalogue import Catalogue
from worker.database import Database
from worker.images import ImageStore
from worker.queue import rows
from worker.queue.claims import Claim
from worker.queue.desk import SqliteDesk
from worker.queue.store import Store
from worker.recipe import ModelProfile, resolve
from worker.schema import migrate
from worker.transaction import Work

T = TypeVar("T")
Figures = dict[str, float]

PROFILE = ModelProfile(name="tiny", source="tiny", size=512)
REQUEST = ImagineRequest(text="a red fox", parts=(Part(text="a red fox in the snow, oil on canvas"),))
LIMITS = Limits(running=10**6, waiting=10**6)
FILES = ("ab/grid.png", "ab/1.png", "ab/2.png", "ab/3.png", "ab/4.png")
OWNERS = 100
WORKERS = 4
PLACES = 64  # pictures a device takes at most: sixteen grids
CLAIMED = {Speed.FAST: 4}  # places for one job
IDLE_LOOKS = 500
CLAIMS = 30
CHUNK = 10_000  # rows in a transaction that fills


class Hasty(Database):
    """The same database, never waiting for the disk."""

    async def write(self, work: Work[T], *, durable: bool = True) -> T:  # noqa: ARG002 - as inherited
        """Write without the disk's word for it."""
        return await super().write(work, durable=False)


def draft(number: int, owner_id: int) -> rows.Draft:
    """Return a default job."""
    return rows.Draft(
        id=JobId(f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"),
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


def plain(path: Path, jobs: int) -> Figures:
    """Return what the same statements come to with a transaction each."""
    migrate(path, shipped())
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = FULL")
    stopwatch = Stopwatch()
    for number in range(jobs):
        rows.insert(db, draft(number, number % OWNERS), now=1.0)
    for number in range(jobs):
        job_id = draft(number, 0).id
        rows.take(db, job_id, worker="w", now=2.0, lease_until=17.0)
        rows.move(db, job_id, JobState.RUNNING, JobState.SUCCEEDED, now=3.0, files=FILES)
    db.close()
    return stopwatch.figures(jobs)


class Stopwatch:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        """Start."""
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def figures(self, jobs: int) -> Figures:
        """Return what *jobs* took."""
        wall, processor = time.perf_counter() - self._wall, time.process_time() - self._processor
        return {"jobs_per_s": jobs / wall, "processor_ms_per_job": 1000 * processor / jobs}


@dataclass(frozen=True, slots=True)
class Shop:
    """Both sides of one database."""

    desk: SqliteDesk
    store: Store

    @classmethod
    def over(cls, database: Database) -> "Shop":
        """Open it."""
        folder = database.path.parent
        desk = SqliteDesk(
            database,
            ImageStore(folder),
            limits=LIMITS,
            catalogue=Catalogue.of(PROFILE),
            clock=time.time,
            random=SystemRandom(),
            locks=folder,
        )
        return cls(desk, Store(database, clock=time.time, limits=LIMITS))

    async def order(self, numbers: Iterator[int]) -> None:
        """Order one job after another, as one of those who take of *numbers*."""
        for number in numbers:
            order = Imagine(request=REQUEST)
            await self.desk.submit(order, owner_id=number % OWNERS, key=f"new {number}", origin="{}")

    async def draw(self, worker: str, left: list[int]) -> None:
        """Claim as much as a device takes, say how far it is, and record it, until nothing is *left*."""
        seen = -1
        while left[0] > 0:
            claims = await self.store.claim(worker, {Speed.FAST: min(PLACES, 4 * left[0])})
            left[0] -= len(claims)
            if not claims:
                seen = await self.store.changed(seen, within=0.05)
                continue
            await self.store.report([half(claim) for claim in claims])
            ended = (self.store.succeed((each.job.id, each.attempt), FILES, 1.0) for each in claims)
            await asyncio.gather(*ended)


def half(claim: Claim) -> Progress:
    """Say that a job is half done."""
    return Progress(job_id=claim.job.id, fraction=0.5, paused=False, preview=None, at=time.time())


async def together(database: Database, jobs: int, clients: int) -> Figures:
    """Return what *jobs* come to with people and workers in this process."""
    shop, numbers, left = Shop.over(database), iter(range(jobs)), [jobs]
    stopwatch = Stopwatch()
    await asyncio.gather(
        *(shop.order(numbers) for _ in range(clients)),
        *(shop.draw(f"w{worker}", left) for worker in range(WORKERS)),
    )
    return stopwatch.figures(jobs)


async def apart(database: Database, jobs: int, clients: int) -> Figures:
    """Return what *jobs* come to with the people in another process; the processor time is that of both."""
    people = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.queue",
        *("--people", str(database.path), "--jobs", str(jobs), "--clients", str(clients)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert people.stdin is not None  # noqa: S101 - asked for above
    assert people.stdout is not None  # noqa: S101
    await people.stdout.readline()
    shop, left = Shop.over(database), [jobs]
    stopwatch = Stopwatch()
    people.stdin.write(b"go\n")
    await asyncio.gather(*(shop.draw(f"w{worker}", left) for worker in range(WORKERS)))
    found = stopwatch.figures(jobs)
    theirs = json.loads((await people.communicate())[0])
    return found | {"processor_ms_per_job": found["processor_ms_per_job"] + theirs["processor_ms_per_job"]}


async def order_all(path: Path, jobs: int, clients: int) -> None:
    """Be the other process: order once told to, and say what it took."""
    async with Database(path) as database:
        shop, numbers = Shop.over(database), iter(range(jobs))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        stopwatch = Stopwatch()
        await asyncio.gather(*(shop.order(numbers) for _ in range(clients)))
        print(json.dumps(stopwatch.figures(jobs)))


async def rates(folder: Path, jobs: int, clients: int, rounds: int) -> dict[str, Figures]:
    """Return the medians of interleaved rounds, and by how much each way beats the plain one."""
    found: dict[str, list[Figures]] = {}
    for number in range(rounds):
        found.setdefault("plain", []).append(plain(folder / f"plain{number}.db", max(1, jobs // 4)))
        for way, kind, run in (
            ("one process", Database, together),
            ("two processes", Database, apart),
            ("hasty", Hasty, together),
        ):
            async with kind(folder / f"{way}{number}.db") as database:
                found.setdefault(way, []).append(await run(database, jobs, clients))
    return {way: _medians(runs, found["plain"]) for way, runs in found.items()}


def _medians(runs: Sequence[Figures], base: Sequence[Figures]) -> Figures:
    medians = {name: median(run[name] for run in runs) for name in runs[0]}
    times = [run["jobs_per_s"] / plain["jobs_per_s"] for run, plain in zip(runs, base, strict=True)]
    return medians | {"times_plain": median(times)}


async def crowds(folder: Path, depths: Sequence[int], rounds: int, jobs: int) -> dict[str, Figures]:
    """Return the milliseconds of calls, and the rate of whole jobs, with so many waiting, ten a person.

    The depths take turns, call by call, so that a busy moment is everybody's.
    """
    async with AsyncExitStack() as stack:
        databases = {}
        for depth in depths:
            path = folder / f"crowd{depth}.db"
            fill(path, depth)
            databases[depth] = await stack.enter_async_context(Database(path))
        shops = {depth: Shop.over(database) for depth, database in databases.items()}
        calls: Mapping[str, Callable[[Shop, int], Awaitable[object]]] = {
            "claim": lambda shop, _: shop.store.claim("w", CLAIMED),
            "submit": lambda shop, turn: shop.order(iter([10**9 + turn])),
            "standing": lambda shop, _: shop.desk.standing(draft(min(depths) - 1, 0).id),
        }
        found: dict[str, Figures] = {str(depth): {} for depth in depths}
        for name, call in calls.items():
            for depth, (wall, processor) in (await milliseconds(shops, call)).items():
                found[str(depth)] |= {f"{name}_ms": wall, f"{name}_processor_ms": processor}
        runs = [
            {depth: await together(databases[depth], jobs, WORKERS * 16) for depth in depths}
            for _ in range(rounds)
        ]
    for depth in depths:
        found[str(depth)]["jobs_per_s"] = median(run[depth]["jobs_per_s"] for run in runs)
        for name in ("claim_ms", "claim_processor_ms"):
            found[str(depth)][f"{name}_ratio"] = found[str(depth)][name] / found[str(depths[0])][name]
    return found


async def milliseconds(
    shops: Mapping[int, Shop], call: Callable[[Shop, int], Awaitable[object]]
) -> dict[int, tuple[float, float]]:
    """Return the median wall and processor time of a call in each shop, in milliseconds."""
    taken: dict[int, list[tuple[float, float]]] = {depth: [] for depth in shops}
    for turn in range(CLAIMS):
        for depth, shop in shops.items():
            wall, processor = time.perf_counter(), time.process_time()
            await call(shop, turn)
            taken[depth].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        depth: (1000 * median(wall for wall, _ in each), 1000 * median(processor for _, processor in each))
        for depth, each in taken.items()
    }


def fill(path: Path, depth: int) -> None:
    """Make a database in which *depth* jobs wait; the rows are those of an accepted job, multiplied.

    It is on the disk at the end: else the first job to be measured waits until gigabytes are.
    """
    migrate(path, shipped())
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = OFF")
    rows.insert(db, draft(0, 0), now=1.0)
    for first in range(1, depth, CHUNK):
        values = {"first": first, "last": min(depth, first + CHUNK) - 1, "seed": draft(0, 0).id}
        db.execute("BEGIN")
        for statement in MULTIPLY:
            db.execute(_NUMBERS + statement, values)
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
_ID = "printf('%08x-0000-4000-8000-%012x', n * 2654435761 % 4294967296, n)"
_KEPT = (
    "order_json, request, recipe, origin, speed, work, pictures, credits, batch, behind, seed, model,"
    " model_hash, width, height, state, files, inputs, created_at"
)
_JOBS = (
    f"INSERT INTO jobs (id, key, owner_id, {_KEPT}) SELECT {_ID}, 'key ' || n, n / 10, {_KEPT}"  # noqa: S608
    " FROM numbers JOIN jobs WHERE jobs.id = :seed ORDER BY n"
)
_LEDGER = (
    "INSERT INTO ledger (at, counts_at, kind, owner_id, job_id, amount)"  # noqa: S608 - of constants
    f" SELECT at, counts_at, kind, n / 10, {_ID}, amount"
    " FROM numbers JOIN ledger WHERE job_id = :seed ORDER BY n"
)
_EVENTS = (
    f"INSERT INTO job_events (job_id, state, at) SELECT {_ID}, state, at"  # noqa: S608
    " FROM numbers JOIN job_events WHERE job_id = :seed ORDER BY n"
)
MULTIPLY = (_JOBS, _LEDGER, _EVENTS)


async def idle(folder: Path) -> Figures:
    """Return the processor time of one look at an empty queue, in microseconds."""
    async with Database(folder / "idle.db") as database:
        store = Store(database, clock=time.time, limits=LIMITS)
        began = time.process_time()
        for _ in range(IDLE_LOOKS):
            await store.claim("w", CLAIMED)
        return {"idle_look_us": 1e6 * (time.process_time() - began) / IDLE_LOOKS}


async def measure(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Return every table."""
    return {
        "whole jobs": await rates(folder, options.jobs, options.clients, options.rounds),
        "waiting": await crowds(folder, options.depths, options.rounds, max(100, options.jobs // 4)),
        "nothing to do": {"idle": await idle(folder)},
    }


def charts(found: Mapping[str, Mapping[str, Figures]]) -> Iterator[Path]:
    """Draw the tables."""
    whole = {way: {"jobs": figures["jobs_per_s"]} for way, figures in found["whole jobs"].items()}
    yield draw("queue-rates", bars("Whole jobs a second", "durable unless hasty", whole))
    names = ("claim_ms", "claim_processor_ms", "submit_ms", "standing_ms")
    calls = {
        f"{int(depth):,} waiting": {name: figures[name] for name in names}
        for depth, figures in found["waiting"].items()
    }
    yield draw("queue-depths", bars("Calls by how many jobs wait", "milliseconds", calls))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--depths", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to measure; its disk counts")
    parser.add_argument("--people", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.people:
        asyncio.run(order_all(options.people, options.jobs, options.clients))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = asyncio.run(measure(Path(folder), options))
    for table, lines in found.items():
        print(table)
        for name, figures in lines.items():
            print(f"{name:>14}  " + "  ".join(f"{key} {value:,.2f}" for key, value in figures.items()))
    print(*charts(found))
    told("queue", found)


if __name__ == "__main__":
    main()
