"""A whole queue over a real file, with a clock that stands still."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from parser import ImagineRequest, Part, Speed
from tests.fakes import Clock
from worker.accounts import Allowance, Credits, Whose
from worker.api import ErrorCode, Imagine, Job, Limits, WorkerError
from worker.catalogue import Catalogue
from worker.cost import GRAINS, grains
from worker.database import Database
from worker.images import ImageStore
from worker.links import Links
from worker.queue import ledger, quota
from worker.queue.claims import Claim
from worker.queue.desk import SqliteDesk
from worker.queue.store import Store
from worker.queue.upkeep import TAKE_BACK_SECONDS, Upkeep
from worker.recipe import PICTURES, Drawing, ModelProfile

PROFILE = ModelProfile(name="tiny", source="models/tiny", size=128)
PLENTY = {Speed.TURBO: 1000, Speed.FAST: 1000, Speed.RELAX: 1000}


def request(text: str = "a red fox", **typed: Any) -> ImagineRequest:
    return ImagineRequest(text=text, parts=(Part(text=text),), **typed)


def prompt(text: str = "a red fox", **typed: Any) -> Imagine:
    return Imagine(request=request(text, **typed))


@dataclass
class House:
    database: Database
    folder: Path
    clock: Clock
    uptime: Clock
    images: ImageStore
    desk: SqliteDesk
    store: Store
    upkeep: Upkeep
    keys: Any = field(default_factory=count)

    async def submit(self, owner_id: int = 1, **typed: Any) -> Job:
        return await self.desk.submit(
            prompt(**typed), owner_id=owner_id, key=f"key {next(self.keys)}", origin="{}"
        )

    async def allow(self, whose: Whose, subject: int, allowance: Allowance | None) -> None:
        await self.database.write(lambda db: quota.allow(db, whose, subject, allowance))

    async def grant(self, owner_id: int, credits: float) -> float:
        """Give credits as an admin; return how many are left."""
        amount, now = grains(credits), self.clock()
        left = await self.database.write(lambda db: ledger.grant(db, owner_id, amount, actor="a", now=now))
        return left / GRAINS

    async def reset(self, owner_id: int) -> None:
        now = self.clock()
        await self.database.write(lambda db: ledger.reset(db, owner_id, actor="a", now=now))

    async def claim(self, worker: str = "w") -> list[Claim]:
        return await self.store.claim(worker, PLENTY)

    async def watch(self, seconds: float) -> int:
        """Let time pass with upkeep looking at its pace; return how many jobs it took back."""
        taken = 0
        for _ in range(round(seconds / TAKE_BACK_SECONDS)):
            self.clock.advance(TAKE_BACK_SECONDS)
            self.uptime.advance(TAKE_BACK_SECONDS)
            taken += await self.upkeep.take_back()
        return taken

    async def fill_disk(self) -> None:
        """Let the database take no new page, and fill the one that every outcome needs."""
        await self.database.write(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
        refused = None
        while refused is None:
            try:
                await self.database.write(_event, durable=False)
            except WorkerError as error:
                refused = error.code
        assert refused is ErrorCode.DISK_FULL

    async def make_room(self) -> None:
        await self.database.write(lambda db: db.execute(f"PRAGMA max_page_count = {2**30}").fetchone())

    async def finish(self, claim: Claim, *, seconds: float = 2.0) -> Job:
        """Store a picture for everything the recipe asks for, and say so."""
        claim_id = (claim.job.id, claim.attempt)
        many = isinstance(claim.recipe, Drawing) and len(claim.recipe.seeds) == PICTURES
        names = ["grid", "1", "2", "3", "4"] if many else ["1"]
        pictures = {f"{name}.png": f"{claim.job.id} {name}".encode() for name in names}
        await self.store.succeed(claim_id, self.images.write(claim.job.id, pictures), seconds)
        return await self.desk.get(claim.job.id)

    async def drawn(self, owner_id: int = 1, **typed: Any) -> Job:
        """Submit a prompt and draw it, with nothing else in the queue."""
        job = await self.submit(owner_id, **typed)
        [claim] = await self.claim()
        assert claim.job.id == job.id
        return await self.finish(claim)


def _event(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO job_events (job_id, state, at) VALUES ('', 'queued', 0)")


@asynccontextmanager
async def house_in(
    folder: Path,
    *,
    limits: Limits | None = None,
    credits: Credits | None = None,
    seed: int = 0,
    clock: Clock | None = None,
    file: str = "jobs.db",
    catalogue: Catalogue | None = None,
    links: Links | None = None,
) -> AsyncIterator[House]:
    limits = limits or Limits()
    clock = clock or Clock()
    images = ImageStore(folder / "pictures")
    async with Database(folder / file, busy_seconds=0.3) as database:
        desk = SqliteDesk(
            database,
            images,
            limits=limits,
            credits=credits,
            catalogue=catalogue or Catalogue.of(PROFILE),
            links=links,
            clock=clock,
            random=Random(seed),
            locks=folder,
        )
        store = Store(database, clock=clock, limits=limits)
        uptime = Clock()
        upkeep = Upkeep(database, images, clock=clock, monotonic=uptime, locks=folder)
        yield House(database, folder, clock, uptime, images, desk, store, upkeep)
