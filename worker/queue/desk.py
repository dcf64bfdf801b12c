"""The queue's counter: orders in, news out."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

from parser import ImagineRequest, Speed
from worker import cost
from worker.accounts import Account, Credits
from worker.api import (
    DIRECT,
    Cell,
    ErrorCode,
    EventId,
    Imagine,
    Job,
    JobEvent,
    JobId,
    JobState,
    Limits,
    Membership,
    Order,
    PictureGone,
    Progress,
    Quote,
    Rejected,
    Standing,
    Usage,
)
from worker.catalogue import Catalogue
from worker.database import Database
from worker.grids import GRID, composed
from worker.images import ImageStore
from worker.lock import any_worker, is_held, live_workers, worker_lock
from worker.queue import gate, inputs, news, places, quota, quotes
from worker.queue.checkpoints import installed
from worker.queue.inputs import Inputs, at_home
from worker.queue.intake import Plan, Source, check_lane, plan, redrawn
from worker.queue.quota import Rules
from worker.queue.rows import Draft, find, find_by_key, inputs_of, insert, move, recipe_of
from worker.queue.shelf import Shelf, shelf
from worker.recipe import PICTURES, Drawing, ModelProfile
from worker.references import links_of, numbered

if TYPE_CHECKING:
    from worker.links import Links  # brings an HTTP client along, which only who fetches needs


class SqliteDesk:
    """A `JobDesk` over a database, a picture folder and the workers' lock files."""

    def __init__(
        self,
        database: Database,
        images: ImageStore,
        *,
        limits: Limits,
        credits: Credits | None = None,
        catalogue: Catalogue,
        links: "Links | None" = None,
        clock: Callable[[], float],
        random: Random,
        locks: Path,
    ) -> None:
        """Put the parts together.

        Args:
            database: Open for as long as the desk is used.
            images: Where the pictures are.
            limits: What one person may have under way, and whether turbo is open.
            credits: What people may use; unlimited if left out.
            catalogue: The checkpoints that draw.
            links: Fetches the pictures that prompts name; None to refuse them.
            clock: Tells Unix seconds.
            random: Where seeds and ids come from; ``random.SystemRandom()`` in earnest.
            locks: The folder of the workers' lock files.
        """
        self._database = database
        self._images = images
        self._rules = Rules(limits, credits or Credits())
        self._catalogue = catalogue
        self._links = links
        self._clock = clock
        self._random = random
        self._locks = locks

    def restock(self, catalogue: Catalogue) -> None:
        """Let *catalogue* draw what is ordered from now on."""
        self._catalogue = catalogue

    async def submit(
        self,
        order: Order,
        *,
        owner_id: int,
        key: str,
        origin: str,
        membership: Membership = DIRECT,
        batch: str | None = None,
    ) -> Job:
        """Accept *order* durably and return its job; the same *key* returns the first submission's.

        A cell whose picture has aged out is drawn again, as a queued job of one picture, if its model is in
        use. The jobs of a *batch* stand behind single ones, in places of their own.

        Raises:
            Rejected: Nothing was queued; the code says why.
            JobNotFound: The source is unknown.
            PictureGone: The source's picture has aged out.
            DatabaseBusy: The file did not answer in time.
            WorkerError: ``DISK_FULL``; nothing was queued.
        """
        look_up = partial(_look_up, order=order, key=key, catalogue=self._catalogue)
        known, source, found = await self._database.read(look_up)
        if known is not None:
            return known
        profile, source = found.pick(order, source)
        seed, job_id = self._random.getrandbits(32), self._new_id()
        brought = await self._brought(order, source, owner_id, membership)
        made = plan(self._numbered(order), source, profile=profile, seed=seed, names=brought.names(job_id))
        made = await self._available(order, source, made, profile)
        speed = check_lane(made.request, self._rules.limits) if made.recipe else Speed.FAST
        draft = Draft(
            id=job_id,
            key=key,
            order=order,
            request=made.request,
            recipe=at_home(made.recipe, job_id),
            origin=origin,
            owner_id=owner_id,
            speed=speed,
            credits=_price(order, made, profile, speed),
            seed=made.seed,
            model=made.model,
            model_hash=made.model_hash,
            width=made.width,
            height=made.height,
            batch=batch,
        )
        if not brought.files and made.recipe is not None:
            return await self._accept(draft, membership)
        return await self._accept_with(
            draft, brought, made.needs if made.recipe is None else None, membership
        )

    async def quote(self, requests: Sequence[ImagineRequest]) -> Quote:
        """Return what *requests* would cost, and how long until all are drawn.

        Raises:
            Rejected: One of them would be refused for what it asks for; pictures are not looked at.
        """
        ask = partial(
            quotes.quote,
            requests=[self._with_styles(request) for request in requests],
            catalogue=self._catalogue,
            limits=self._rules.limits,
            devices=live_workers(self._locks),
        )
        return await self._database.read(ask)

    async def cancel(self, job_id: JobId) -> Job:
        """Ask *job_id* to stop and return it as it is now; one whose worker died is stopped at once.

        Raises:
            JobNotFound: There is no such job.
        """
        work = partial(cancel, job_id=job_id, now=self._clock(), locks=self._locks)
        return await self._database.write(work)

    async def get(self, job_id: JobId) -> Job:
        """Return one job.

        Raises:
            JobNotFound: There is no such job.
        """
        return await self._database.read(partial(find, job_id=job_id))

    async def delete(self, job_id: JobId) -> None:
        """Forget a final job and its pictures.

        Raises:
            JobNotFound: There is no such job.
            Rejected: ``SOURCE_UNFINISHED`` while it is queued or running.
        """
        await self._database.write(partial(_delete, job_id=job_id))
        await asyncio.to_thread(self._images.remove, job_id)

    async def recent(self, *, owner_id: int | None = None, limit: int = 25) -> Sequence[Job]:
        """Return the newest jobs first, of one person or of all."""
        return await self._database.read(partial(news.recent, owner_id=owner_id, limit=limit))

    async def progress(self, job_ids: Collection[JobId]) -> Mapping[JobId, Progress]:
        """Return the latest progress of those running."""
        if not job_ids:
            return MappingProxyType({})
        return await self._database.read(partial(news.progress, job_ids=job_ids))

    async def standing(self, job_id: JobId) -> Standing | None:
        """Return a queued job's place in its lane, or None if it is not queued."""
        devices = live_workers(self._locks)  # microseconds: no thread needed
        found = await self._database.read(partial(places.place, job_id=job_id, devices=devices))
        if found is None:
            return None
        paused, off = await self._database.read(partial(gate.hold, job_id=job_id))
        return Standing(**asdict(found), away=not devices, paused=paused, off=off)

    async def events(self, *, after: EventId, limit: int = 100) -> Sequence[JobEvent]:
        """Return the events that follow *after*, oldest first."""
        return await self._database.read(partial(news.events, after=after, limit=limit))

    async def changed(self, seen: int, *, within: float) -> int:
        """Return once anything was written since a call that returned *seen*, or after *within* seconds."""
        return await self._database.changed(seen, within=within)

    async def last_event(self) -> EventId:
        """Return the newest event's id, 0 if there was none yet."""
        return await self._database.read(news.last_event)

    async def picture(self, name: str) -> bytes:
        """Return a stored PNG; a grid that made room is put together again from its pictures.

        Raises:
            PictureGone: It is no longer there.
        """
        return await asyncio.to_thread(_read, self._images, name)

    async def usage(self, owner_id: int) -> Usage:
        """Return what *owner_id* has made and has under way."""
        return await self._database.read(partial(news.usage, owner_id=owner_id))

    async def account(self, owner_id: int, membership: Membership) -> Account:
        """Return what *owner_id* may use as that member, and what they have used."""
        now = self._clock()
        return await self._database.read(
            lambda db: quota.account(db, owner_id, membership, self._rules, now=now)
        )

    async def away(self) -> bool:
        """Tell whether no worker is running."""
        return not any_worker(self._locks)

    async def _available(
        self, order: Order, source: Source | None, made: Plan, profile: ModelProfile
    ) -> Plan:
        """Return *made*, or a plan that does without a picture that is gone."""
        if await self._holds(made.needs):
            return made
        if isinstance(order, Cell) and source is not None:
            again = redrawn(made, source, index=order.index, profile=profile)
            if again is not None and await self._holds(again.needs):
                return again
        raise PictureGone(made.needs or "")

    async def _holds(self, picture: str | None) -> bool:
        return picture is None or await asyncio.to_thread(self._images.holds, picture)

    async def _accept(self, draft: Draft, membership: Membership) -> Job:
        work = partial(_insert, draft=draft, membership=membership, rules=self._rules, now=self._clock())
        return await self._database.write(work)

    async def _accept_with(
        self, draft: Draft, brought: Inputs, shown: str | None, membership: Membership
    ) -> Job:
        """Store what the job brings along and a copy of the picture it shows, then the job itself.

        Without the last all else is removed.
        """
        job = None
        try:
            if shown is not None:
                name = await asyncio.to_thread(self._images.copy, shown, draft.id, "1.png")
                draft = replace(draft, files=(name,))
            stored = await inputs.store(brought, self._images, draft.id, draft.recipe)
            job = await self._accept(replace(draft, inputs=stored), membership)
        finally:
            if job is None or job.id != draft.id:
                await inputs.discard(self._images, draft.id)
        return job

    async def _brought(
        self, order: Order, source: Source | None, owner_id: int, membership: Membership
    ) -> Inputs:
        """Return the pictures that come with *order*; nothing is fetched for who may not order.

        Raises:
            Rejected: Likewise, or what keeps the pictures from being had.
        """
        if not isinstance(order, Imagine):
            return inputs.inherited({} if source is None else source.inputs)
        if links_of(order.request) and self._links is not None:
            ask = partial(
                _check, owner_id=owner_id, membership=membership, rules=self._rules, now=self._clock()
            )
            await self._database.read(ask)
        return await inputs.fetched(order.request, self._links)

    def _numbered(self, order: Order) -> Order:
        """Return *order* with a number for each style that is still to be drawn."""
        if not isinstance(order, Imagine):
            return order
        request = self._with_styles(order.request)
        return order if request is order.request else order.model_copy(update={"request": request})

    def _with_styles(self, request: ImagineRequest) -> ImagineRequest:
        return numbered(request, partial(self._random.getrandbits, 32))

    def _new_id(self) -> JobId:
        return JobId(str(UUID(int=self._random.getrandbits(128), version=4)))


def _price(order: Order, made: Plan, profile: ModelProfile, speed: Speed) -> float:
    """Return what *order* costs; a picture taken out of a grid is free, even if it must be drawn again."""
    if made.recipe is None or isinstance(order, Cell):
        return 0.0
    return cost.credits(made.recipe, profile, speed)


def _read(images: ImageStore, name: str) -> bytes:
    folder, _, file = name.rpartition("/")
    try:
        return images.read(name)
    except PictureGone:
        if file != GRID:
            raise
        return composed([images.read(f"{folder}/{number}.png") for number in range(1, PICTURES + 1)])


def _look_up(
    db: sqlite3.Connection, *, order: Order, key: str, catalogue: Catalogue
) -> tuple[Job | None, Source | None, Shelf]:
    """Return the job *key* already stands for, the order's source, and what may draw it."""
    known, found = find_by_key(db, key), shelf(db, catalogue)
    if known is not None or isinstance(order, Imagine):
        return known, None, found
    job = find(db, order.source)
    source = Source(job, recipe_of(db, job.id), installed(db, job.model), inputs_of(db, job.id))
    return None, source, found


def _check(
    db: sqlite3.Connection, *, owner_id: int, membership: Membership, rules: Rules, now: float
) -> None:
    """Refuse what would be refused whatever the prompt says.

    Raises:
        Rejected: The code says why.
    """
    gate.check_person(db, owner_id, now)
    gate.check_open(db)
    quota.check_room(db, owner_id, quota.terms(db, owner_id, membership, rules).person)


def _insert(db: sqlite3.Connection, *, draft: Draft, membership: Membership, rules: Rules, now: float) -> Job:
    known = find_by_key(db, draft.key)  # again: two submissions of one key may have passed the first look
    if known is not None:
        return known
    gate.check_person(db, draft.owner_id, now)
    if draft.state is JobState.QUEUED:
        gate.check_open(db)
        if isinstance(draft.recipe, Drawing):  # an enlargement needs no checkpoint
            gate.check_model(db, draft.model)
        terms = quota.terms(db, draft.owner_id, membership, rules)
        quota.check_room(db, draft.owner_id, terms.person, batch=draft.batch is not None)
        payment = quota.payment(db, draft, membership, terms, now=now)
        job = insert(db, draft, payment=payment, weight=terms.person.weight or 1.0, now=now)
        quota.note_places(db, draft.owner_id, terms.person, rules.limits)
        return job
    return insert(db, draft, now=now)


def cancel(db: sqlite3.Connection, *, job_id: JobId, now: float, locks: Path) -> Job:
    """Stop a queued job, or one whose worker died, at once; ask a running one to stop.

    Raises:
        JobNotFound: There is no such job.
    """
    job = find(db, job_id)
    if job.state is JobState.QUEUED:
        move(db, job_id, JobState.QUEUED, JobState.CANCELLED, now=now)
    elif job.state is JobState.RUNNING:
        db.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = ?", (job_id,))
        lease = db.execute("SELECT worker, lease_until FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if lease["lease_until"] < now or not is_held(worker_lock(locks, lease["worker"])):
            move(db, job_id, JobState.RUNNING, JobState.CANCELLED, now=now)  # nobody is there to stop it
    return find(db, job_id)


def _delete(db: sqlite3.Connection, *, job_id: JobId) -> None:
    job = find(db, job_id)
    if not job.state.final:
        raise Rejected(ErrorCode.SOURCE_UNFINISHED, state=job.state.value)
    db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
