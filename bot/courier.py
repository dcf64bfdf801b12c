"""Follows the jobs' events and shows each job where it was ordered.

News is taken from the outbox into the bot's own table together with the cursor, so that one job's trouble
holds up no other and nothing is forgotten by a crash. From there each job has its own task.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import structlog

from bot.bag import Bag
from bot.delivery import Delivery
from bot.origin import Origin, origin_of
from bot.outlet import FAILURES
from bot.painter import Painter
from bot.settings import STORE_FAILURES, Arrival, Stage
from bot.turns import ChannelTurns
from worker.api import EventId, Job, JobId, JobNotFound, JobState, Standing

log = structlog.get_logger()

T = TypeVar("T")

BATCH = 100  # events taken at once
REMEMBERED = 1000  # orders whose events are still to come
STANDINGS = 50  # waiting jobs whose places are told; the others' are far from moving


class Courier:
    """Shows jobs."""

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        self._delivery = Delivery(bag)
        self._turns = ChannelTurns(bag.pace.channel_gap)
        self._painters: dict[JobId, Painter] = {}
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._ordered: dict[JobId, tuple[Job, Origin]] = {}
        self._told: dict[JobId, Standing] = {}  # what the answer says of a job's place
        self._messages: dict[JobId, int] = {}
        self._tasks: asyncio.TaskGroup | None = None

    # -- for those who answer interactions ---------------------------------------------------------------

    @contextmanager
    def answering(self, key: str) -> Iterator[None]:
        """Hold back the job that is ordered under *key* until its answer is out and noted."""
        first = key not in self._answers
        if first:
            self._answers[key] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            if first:
                self._answers.pop(key).set_result(None)

    def ordered(self, job: Job, origin: Origin, told: Standing | None) -> None:
        """Take a job just ordered: its event is in the outbox, its row need not be read again."""
        painter = self._painters.get(job.id)
        if painter is not None:  # the event came first
            if told is not None:
                painter.told(told)
            return
        if len(self._ordered) >= REMEMBERED:
            self._told.clear()
            self._ordered.clear()  # their events came before they did; the rows have the same facts
        self._ordered[job.id] = (job, origin)
        if told is not None:
            self._told[job.id] = told

    async def answered(self, job_id: JobId, origin: Origin, message_id: int) -> None:
        """Note the message that shows a job under way."""
        self._messages[job_id] = message_id
        await self._bag.settings.answered(job_id, origin.channel_id, message_id)

    # -- the life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Show jobs until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._outlast(self._resume)
            self._tasks.create_task(self._pulse(), name="courier pulse")
            await self._tail()

    async def _resume(self) -> None:
        for post in await self._bag.settings.unfinished():
            try:
                job = await self._bag.desk.get(post.job_id)
            except JobNotFound:
                await self._bag.settings.done(post.job_id)
                continue
            origin = origin_of(job)
            if origin is not None:
                self._follow(job, origin)

    async def _tail(self) -> None:
        cursor = await self._outlast(self._bag.settings.cursor)
        seen = -1
        while True:
            seen = await self._bag.desk.changed(seen, within=self._bag.pace.listen)
            while (moved := await self._outlast(partial(self._take, cursor))) != cursor:
                cursor = moved

    async def _outlast(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do *work*; while the database is busy, the disk full or the like, wait and do it again."""
        pauses = self._bag.pace.retries()
        while True:
            try:
                return await work()
            except STORE_FAILURES as error:
                seconds = next(pauses)
                log.warning("store out of order", action="store", error=repr(error), retry_seconds=seconds)
                await asyncio.sleep(seconds)

    async def _take(self, cursor: EventId) -> EventId:
        """Take what follows *cursor* and return the new one."""
        events = await self._bag.desk.events(after=cursor, limit=BATCH)
        if not events:
            return cursor
        jobs: list[tuple[Job, Origin]] = []
        for job_id, state in {event.job_id: event.state for event in events}.items():
            found = await self._look_up(job_id, state)
            if found is not None:
                jobs.append(found)
        arrivals = [Arrival(job.id, origin.channel_id, job.state.final) for job, origin in jobs]
        await self._bag.settings.take(arrivals, events[-1].id)
        for job, origin in jobs:
            self._follow(job, origin)
        return events[-1].id

    async def _look_up(self, job_id: JobId, state: JobState) -> tuple[Job, Origin] | None:
        """Return a job that was ordered through Discord, and whence; from memory if it is as it was."""
        known = self._ordered.pop(job_id, None)
        if known is not None and known[0].state is state:
            return known
        try:
            job = await self._bag.desk.get(job_id)
        except JobNotFound:
            return None
        origin = origin_of(job)
        return None if origin is None else (job, origin)

    def _follow(self, job: Job, origin: Origin) -> None:
        painter = self._painters.get(job.id)
        if painter is not None:
            painter.update(job)
            return
        painter = Painter(
            job,
            origin,
            outlet=self._bag.outlet,
            texts=self._bag.texts(origin.locale),
            clock=self._bag.clock,
            pace=self._bag.pace,
            turns=self._turns.of(origin.channel_id),
        )
        self._painters[job.id] = painter
        told = self._told.pop(job.id, None)
        if told is not None:
            painter.told(told)
        assert self._tasks is not None  # noqa: S101 - only `run` leads here
        self._tasks.create_task(self._show(painter, origin), name=f"courier {job.id}")

    async def _show(self, painter: Painter, origin: Origin) -> None:
        """Show one job from its answer to its outcome, however often it takes."""
        job_id = painter.job.id
        try:
            for seconds in self._bag.pace.retries():
                if await self._shown(painter, origin):
                    return
                await asyncio.sleep(seconds)
        finally:
            del self._painters[job_id]
            self._messages.pop(job_id, None)

    async def _shown(self, painter: Painter, origin: Origin) -> bool:
        """Show one job; False if that has to be tried again."""
        job_id = painter.job.id
        with structlog.contextvars.bound_contextvars(job_id=job_id):
            try:
                await painter.run(lambda: self._message(job_id, origin))
                await self._answered(origin)
                await self._delivery.deliver(painter.job, origin)
            except STORE_FAILURES as error:
                log.warning("store out of order", action="store", error=repr(error))
                return False
            except Exception:  # one job's defect must not end the others
                log.exception("job not shown", action="courier_defect")
                return False
        return True

    async def _answered(self, origin: Origin) -> None:
        pending = self._answers.get(origin.job_key)
        if pending is not None:
            await asyncio.shield(pending)

    async def _message(self, job_id: JobId, origin: Origin) -> int | None:
        """Return the message that shows *job_id* under way, or None if none is known."""
        await self._answered(origin)
        if job_id in self._messages:
            return self._messages[job_id]
        post = await self._bag.settings.post(job_id)
        if post is None or post.stage is not Stage.OPEN:
            return None
        if post.progress_id is not None or origin.apart or self._bag.clock() >= origin.expires_at:
            return post.progress_id
        try:
            found = await self._bag.outlet.answer_of(origin, job_id)
        except FAILURES:
            return None
        if found is not None:
            await self._bag.settings.answered(job_id, origin.channel_id, found)
        return found

    # -- progress ----------------------------------------------------------------------------------------

    async def _pulse(self) -> None:
        next_standing = 0.0
        while True:
            await asyncio.sleep(self._bag.pace.pulse)
            try:
                await self._tell_progress()
                if self._bag.clock() >= next_standing:
                    next_standing = self._bag.clock() + self._bag.pace.standing
                    await self._tell_standing()
            except STORE_FAILURES as error:
                log.info("no progress told", action="store", error=repr(error))

    async def _tell_progress(self) -> None:
        running = [p.job.id for p in self._painters.values() if p.job.state is JobState.RUNNING]
        if not running:
            return
        for job_id, progress in (await self._bag.desk.progress(running)).items():
            if job_id in self._painters:
                self._painters[job_id].progress(progress)

    async def _tell_standing(self) -> None:
        waiting = [p for p in self._painters.values() if p.job.state is JobState.QUEUED]
        for painter in waiting[:STANDINGS]:
            painter.standing(await self._bag.desk.standing(painter.job.id))
