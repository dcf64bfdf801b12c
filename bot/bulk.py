"""Several jobs by one command: asked about, ordered, and queued to the last one.

Nothing is queued or charged before the answer. Every job has a key of its own, so that pressing twice, or
going on after a crash, queues each once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice

import structlog

from bot import errors, payload, render
from bot.actions import Action, Verb
from bot.answers import (
    Interaction,
    additions,
    defer,
    membership_of,
    origin_for,
    stored,
    texts_for,
    texts_of,
    told,
)
from bot.batch import Batch, BatchJob, BatchState
from bot.courier import Courier
from bot.delivery import nonce
from bot.doorman import Doorman
from bot.faults import BotCode, BotError
from bot.intake import Intake
from bot.modals import prompt_modal
from bot.moderation import letters
from bot.moderation.gate import PromptRefused
from bot.origin import Origin, Reach, Veil, origin_of
from bot.outlet import FAILURES, Outlet
from bot.pace import Pace
from bot.question import partly, question, queued
from bot.render import Letter
from bot.settings import Settings
from bot.several import Planned
from bot.texts import Texts
from parser import canonical, parse
from worker.api import DIRECT, DatabaseBusy, Imagine, Job, JobDesk, Standing, WorkerError

log = structlog.get_logger()

PATIENCE = 4  # times that a job is tried again while the database is busy


class TooMany(Exception):  # noqa: N818 - an answer, worded where the prompt is known
    """One command may make *limit* jobs."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(slots=True)
class Outcome:
    """How far the queueing of a batch came.

    Attributes:
        done: How many of its jobs are in the queue, or were.
        error: Why not the next one.
        fresh: Those queued just now, with what holds back their results until they are announced.
    """

    done: int = 0
    error: Exception | None = None
    fresh: list[tuple[Job, Origin, ExitStack]] = field(default_factory=list)


class Bulk:
    """Asks, and does it."""

    def __init__(
        self,
        *,
        desk: JobDesk,
        settings: Settings,
        courier: Courier,
        outlet: Outlet,
        intake: Intake,
        doorman: Doorman | None,
        clock: Callable[[], float],
        pace: Pace,
    ) -> None:
        self._desk = desk
        self._batches = settings.batches
        self._courier = courier
        self._outlet = outlet
        self._intake = intake
        self._doorman = doorman
        self._clock = clock
        self._pace = pace
        self._busy: set[str] = set()  # batches whose jobs are being queued
        self._tasks: set[asyncio.Task[None]] = set()

    async def question(self, interaction: Interaction, prompt: str, jobs: Sequence[Planned]) -> Letter:
        """Return the question whether *jobs* shall be queued, with what they cost; it is kept.

        Raises:
            TooMany: One command may not make so many.
            BotError: They could not be ordered here.
            WorkerError: One of them would be refused, or the database is busy.
        """
        if self._doorman is not None:
            await self._doorman.admit(interaction)
        origin_for(interaction, reply=False, now=self._clock())  # raises where results could not be posted
        account = await self._desk.account(interaction.user.id, membership_of(interaction))
        if len(jobs) > account.batch:
            raise TooMany(account.batch)
        quote = await self._desk.quote([job.request for job in jobs])
        batch = Batch(
            id=str(interaction.id),
            owner_id=interaction.user.id,
            prompt=prompt,
            jobs=tuple(
                BatchJob(prompt=canonical(job.request), added=additions(job.wanted.added)) for job in jobs
            ),
        )
        await self._batches.keep(batch, self._clock())
        return question(batch, quote, account, texts_of(interaction))

    async def press(self, interaction: Interaction, action: Action) -> None:
        """Do what a button of a question says.

        Raises:
            BotError: It is somebody else's, too old, or over.
            WorkerError: The database was busy; nothing was queued.
        """
        batch = await self._batches.find(action.subject)
        if batch is None:
            raise BotError(BotCode.BATCH_GONE)
        if batch.owner_id != interaction.user.id:
            raise BotError(BotCode.FIX_NOT_YOURS)
        if batch.state is BatchState.DROPPED or batch.complete:
            raise BotError(BotCode.BATCH_OVER)
        match action.verb:
            case Verb.BATCH_YES:
                await self._order(interaction, batch)
            case Verb.BATCH_EDIT:
                await interaction.response.send_modal(
                    prompt_modal(batch.id, batch.prompt, texts_of(interaction))
                )
            case _:
                await self.drop(batch.id, batch.owner_id)
                words = texts_of(interaction)("batch.dropped")
                await interaction.response.edit_message(**payload.to_edit(Letter(words)))

    async def drop(self, batch_id: str, owner_id: int) -> None:
        """Let none of a person's batch be queued any more.

        Raises:
            BotError: ``BATCH_OVER``: they are, or it is not theirs.
        """
        if not await self._batches.drop(batch_id, owner_id):
            raise BotError(BotCode.BATCH_OVER)

    async def resume(self) -> None:
        """Queue what an earlier life of the bot did not come to."""
        for batch in await self._batches.under_way():
            if batch.origin is not None and batch.id not in self._busy:
                outcome = await self._queue(batch, batch.origin)
                log.info("batch resumed", action="batch_resumed", jobs=outcome.done)
                if outcome.error is not None:
                    with told():
                        letter = _outcome(batch, outcome, texts_for(batch.origin.locale))
                        await self._outlet.whisper(batch.origin, letter)

    async def _order(self, interaction: Interaction, batch: Batch) -> None:
        if self._doorman is not None:
            await self._doorman.admit(interaction)
        origin = origin_for(interaction, reply=False, now=self._clock())
        membership = membership_of(interaction)
        await defer(interaction)
        if batch.id in self._busy:
            return  # pressed twice: the first press will say how it went
        if not await self._batches.order(batch.id, origin, membership):
            raise BotError(BotCode.BATCH_OVER)
        outcome = await self._queue(replace(batch, membership=membership), origin)
        letter = _outcome(batch, outcome, texts_of(interaction))
        with told():
            await interaction.edit_original_response(**payload.to_edit(letter))

    async def _queue(self, batch: Batch, origin: Origin) -> Outcome:
        """Queue the jobs of *batch* in order, up to the first that is refused, and announce them."""
        outcome = Outcome()
        self._busy.add(batch.id)
        try:
            await self._hand_in(batch, origin, outcome)
            with stored():
                await self._batches.end(batch.id, outcome.done)
        except BaseException:
            for _, _, holding in outcome.fresh:
                holding.close()
            raise
        finally:
            self._busy.discard(batch.id)
        task = asyncio.create_task(self._announce(outcome.fresh), name=f"announcing {batch.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return outcome

    async def _hand_in(self, batch: Batch, origin: Origin, outcome: Outcome) -> None:
        for index, job in enumerate(batch.jobs):
            facts = {"key": batch.key(index), "added": job.added, "apart": True}
            try:
                if not await self._batches.ordered(batch.id):
                    return  # its person was forgotten meanwhile
                await self._submit(batch, job, origin.model_copy(update=facts), outcome)
            except (WorkerError, BotError, PromptRefused) as error:
                outcome.error = error
                return
            outcome.done += 1

    async def _submit(self, batch: Batch, job: BatchJob, origin: Origin, outcome: Outcome) -> None:
        """Queue one job; its result waits until it is announced."""
        with ExitStack() as stack:
            stack.enter_context(self._courier.answering(origin.job_key))
            queued_job, where = await self._patiently(batch, job, origin)
            first = origin_of(queued_job)
            if first is None or first.interaction_id != origin.interaction_id:
                return  # an earlier press, or an earlier life, has queued it
            self._courier.ordered(queued_job, where, None)
            log.info("ordered", action="ordered", job_id=queued_job.id, kind=queued_job.order.kind)
            outcome.fresh.append((queued_job, where, stack.pop_all()))

    async def _patiently(self, batch: Batch, job: BatchJob, origin: Origin) -> tuple[Job, Origin]:
        """Hand in one job; a busy database is waited for, a few times."""

        def attempt() -> Awaitable[tuple[Job, Origin]]:
            return self._intake.hand_in(
                Imagine(request=parse(job.prompt)),
                origin,
                owner_id=batch.owner_id,
                membership=batch.membership or DIRECT,
                batch=batch.id,
            )

        for pause in islice(self._pace.retries(), PATIENCE):
            try:
                return await attempt()
            except DatabaseBusy:
                await asyncio.sleep(pause)
        return await attempt()

    async def _announce(self, fresh: Sequence[tuple[Job, Origin, ExitStack]]) -> None:
        """Post the waiting messages, as far as that is allowed; then results may be shown."""
        for job, origin, holding in fresh:
            with holding:
                if origin.reach is not Reach.CHANNEL or origin.veil is Veil.PRIVATE:
                    continue  # answers to an interaction are few: they are kept for the results
                try:
                    letter = render.waiting(job, await self._standing(job), texts_for(origin.locale))
                    message_id = await self._outlet.post(
                        origin, letter, nonce=nonce(job.id, "waiting"), reply=False
                    )
                except FAILURES as error:
                    log.info("not announced", action="batch", job_id=job.id, error=repr(error))
                    continue
                with stored():
                    await self._courier.answered(job.id, origin, message_id)

    async def _standing(self, job: Job) -> Standing | None:
        try:
            return await self._desk.standing(job.id)
        except WorkerError:
            return None  # its place is not worth an error


def _outcome(batch: Batch, outcome: Outcome, texts: Texts) -> Letter:
    """Return what tells how far it came."""
    if outcome.error is None:
        return queued(batch, texts)
    if isinstance(outcome.error, PromptRefused):
        refused = letters.refused(outcome.error.refusal, texts, appeals=outcome.error.appeals)
        reason = "" if refused.card is None else f"**{refused.card.title}**: {refused.card.description}"
    else:
        title, words = errors.words(outcome.error, texts)
        reason = f"**{title}**: {words}"
    return partly(batch, outcome.done, reason, texts)
