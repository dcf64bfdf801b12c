"""Orders: from an interaction to a job in the queue and its first message.

Parse, policy and submit come before the answer, within a second; only then is the answer deferred.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import discord
import structlog

from bot import coaching, errors, payload, render
from bot.actions import Action, Verb
from bot.answers import Interaction, defer, membership_of, origin_for, privately, stored, texts_of, told
from bot.bulk import Bulk, TooMany
from bot.closures import closed_by
from bot.courier import Courier
from bot.doorman import Doorman
from bot.facts import NOTHING, Facts
from bot.faults import BotCode, BotError
from bot.intake import Intake
from bot.moderation import letters
from bot.moderation.gate import Moderation, PromptRefused
from bot.origin import Origin, Reach, Veil, origin_of
from bot.outlet import Outlet
from bot.pace import Pace
from bot.preferences import Added, Preferences
from bot.pressed import PressedButtons
from bot.settings import Settings
from bot.several import Misread, Planned, understood
from parser import ImagineRequest, Speed, canonical
from worker.api import Imagine, Job, JobDesk, Order, Standing, WorkerError

log = structlog.get_logger()

Submission = tuple[Job, Standing | None, Origin]
T = TypeVar("T")


class Orders:
    """Takes orders."""

    def __init__(
        self,
        *,
        desk: JobDesk,
        settings: Settings,
        courier: Courier,
        outlet: Outlet,
        clock: Callable[[], float],
        pace: Pace,
        moderation: Moderation | None = None,
        doorman: Doorman | None = None,
        facts: Callable[[], Facts] = lambda: NOTHING,
    ) -> None:
        self._desk = desk
        self._facts = facts
        self._settings = settings
        self._courier = courier
        self._clock = clock
        self._pace = pace
        self._intake = Intake(desk, moderation)
        self._doorman = doorman
        self.bulk = Bulk(
            desk=desk,
            settings=settings,
            courier=courier,
            outlet=outlet,
            intake=self._intake,
            doorman=doorman,
            clock=clock,
            pace=pace,
        )
        self._pressed = PressedButtons()

    async def imagine(self, interaction: Interaction, prompt: str, *, key: str | None = None) -> None:
        """Order what *prompt* asks for and the person prefers, or show what is wrong with it.

        Args:
            interaction: Who asks, and where.
            prompt: As typed.
            key: What makes two orders one; the interaction, if left out.

        Raises:
            WorkerError: The database was busy.
            BotError: Orders or results are not possible here.
        """
        preferences = await self._patiently(
            interaction, self._settings.people.preferences(interaction.user.id)
        )
        await self.imagine_as(interaction, prompt, preferences, key=key)

    async def imagine_as(
        self, interaction: Interaction, prompt: str, preferences: Preferences, *, key: str | None = None
    ) -> None:
        """Order what *prompt* asks for with *preferences*, or show what is wrong with it; as `imagine`."""
        try:
            jobs = understood(prompt, preferences)
            if len(jobs) > 1:
                await self._ask(interaction, prompt, preferences, jobs)
                return
        except Misread as misread:
            await self._refuse_prompt(interaction, self._here(misread, prompt, preferences))
            return
        [job] = jobs
        try:
            order = Imagine(request=job.request)
            await self.place(interaction, order, reply=False, added=job.wanted.added, key=key)
        except WorkerError as error:
            await self._refuse_order(interaction, error, prompt, preferences)
        except BotError as error:
            if error.code is not BotCode.CHANNEL_CLOSED:
                raise
            words = errors.refused(error, texts_of(interaction), prompt=job.wanted.prompt)
            await privately(interaction, words)

    async def _ask(
        self, interaction: Interaction, prompt: str, preferences: Preferences, jobs: Sequence[Planned]
    ) -> None:
        """Ask whether several jobs shall be queued.

        Raises:
            Misread: They are more than one command may make.
            BotError: They could not be ordered here.
        """
        try:
            letter = await self._patiently(interaction, self.bulk.question(interaction, prompt, jobs))
        except TooMany as found:
            understood(prompt, preferences, limit=found.limit)  # shows the place, if there is one
            raise BotError(BotCode.BATCH_TOO_LARGE, jobs=len(jobs), limit=found.limit) from None
        except WorkerError as error:
            await self._refuse_order(interaction, error, prompt, preferences)
            return
        await privately(interaction, letter)

    async def _refuse_order(
        self, interaction: Interaction, error: WorkerError, prompt: str, preferences: Preferences
    ) -> None:
        """Show why; where a part of the prompt is the reason, show the place and offer to leave it out."""
        texts = texts_of(interaction)
        try:
            jobs = understood(prompt, preferences, closed=closed_by(error, texts))
        except Misread as found:
            await self._refuse_prompt(interaction, found)
            return
        whole = jobs[0].wanted.prompt if len(jobs) == 1 else prompt
        if error.code in errors.OUT_OF_CREDIT and len(jobs) == 1:
            await self._offer_relax(interaction, error, jobs[0].request, whole)
        else:
            await privately(interaction, errors.refused(error, texts, prompt=whole))

    async def _offer_relax(
        self, interaction: Interaction, error: WorkerError, request: ImagineRequest, prompt: str
    ) -> None:
        """Show how many credits are missing, with a button that orders the same without any."""
        fix = await self._kept(interaction, canonical(request.model_copy(update={"speed": Speed.RELAX})))
        again = None if fix is None else Action(Verb.FIX, fix).custom_id
        await privately(interaction, errors.out_of_credit(error, prompt, again, texts_of(interaction)))

    def _here(self, misread: Misread, prompt: str, preferences: Preferences) -> Misread:
        """Return *misread* with what this server does not do, so that the prompt put right is drawn here."""
        try:
            understood(prompt, preferences, closed=self._facts().closed)
        except Misread as found:
            return found
        return misread

    async def _refuse_prompt(self, interaction: Interaction, misread: Misread) -> None:
        found, wanted = misread.errors.errors, misread.wanted
        suggestion = next((e.suggestion for e in found if e.suggestion is not None), None)
        fix = None
        if suggestion is not None and misread.fixable:
            fix = await self._kept(interaction, suggestion, whole=misread.complete)
        hint = coaching.hint(wanted.prompt, str(interaction.locale.value), self._facts())
        letter = errors.refused_prompt(
            misread.errors, wanted.prompt, texts_of(interaction), fix, added=wanted.added, hint=hint
        )
        await privately(interaction, letter)

    async def _kept(self, interaction: Interaction, prompt: str, *, whole: bool = True) -> str | None:
        """Keep *prompt* for a button and return its id; None if that takes too long."""
        try:
            async with asyncio.timeout(self._pace.answer):
                await self._settings.keep_fix(
                    str(interaction.id), prompt, self._clock(), owner_id=interaction.user.id, whole=whole
                )
        except (TimeoutError, WorkerError):
            return None  # the words are enough; the button is a convenience
        return str(interaction.id)

    async def place(
        self,
        interaction: Interaction,
        order: Order,
        *,
        reply: bool = True,
        added: Sequence[Added] = (),
        key: str | None = None,
    ) -> None:
        """Queue *order* and answer with its waiting message, or at once where there is nothing to wait for.

        What moderation refuses is told privately.

        Args:
            interaction: Who orders, and where.
            order: What.
            reply: Whether the result answers the message whose button was pressed.
            added: What of its prompt was not typed.
            key: What makes two orders one; the interaction, if left out.

        Raises:
            WorkerError: It was refused; the interaction may already be deferred.
            BotError: Results could not be posted there, or the same was ordered before.
        """
        origin = origin_for(interaction, reply=reply, now=self._clock(), added=added, key=key)
        try:
            await self._place(interaction, order, origin)
        except PromptRefused as refused:
            letter = letters.refused(refused.refusal, texts_of(interaction), appeals=refused.appeals)
            await privately(interaction, letter)

    async def _place(self, interaction: Interaction, order: Order, origin: Origin) -> None:
        with self._courier.answering(origin.job_key):
            submission = self._submit(interaction, order, origin)
            thinking = order.kind != "cell"
            job, standing, origin = await self._patiently(interaction, submission, thinking=thinking)
            first = origin_of(job)
            if first is not None and first.interaction_id != origin.interaction_id:
                raise BotError(BotCode.ALREADY_ORDERED, job_id=job.id)
            self._courier.ordered(job, origin, standing)
            log.info("ordered", action="ordered", job_id=job.id, kind=order.kind)
            if job.state.final and interaction.message is not None:
                with told():
                    await self._pressed.answer(interaction)
                return
            await self._show_waiting(interaction, job, standing, origin)
        if origin.reply_to is not None and origin.reach is Reach.CHANNEL:
            with told():
                await self._pressed.edit(interaction)

    async def _submit(self, interaction: Interaction, order: Order, origin: Origin) -> Submission:
        if self._doorman is not None:
            await self._doorman.admit(interaction)
        job, origin = await self._intake.hand_in(
            order, origin, owner_id=interaction.user.id, membership=membership_of(interaction)
        )
        try:
            standing = await self._desk.standing(job.id)
        except WorkerError:
            standing = None  # the order stands; its place is not worth an error
        return job, standing, origin

    async def _patiently(
        self, interaction: Interaction, work: Coroutine[Any, Any, T], *, thinking: bool = True
    ) -> T:
        """Return what *work* does; if that takes too long, defer the answer meanwhile."""
        task = asyncio.create_task(work)
        await asyncio.wait({task}, timeout=self._pace.answer)
        if not task.done() and not interaction.response.is_done():
            await defer(interaction, thinking=thinking)
        return await task

    async def _show_waiting(
        self, interaction: Interaction, job: Job, standing: Standing | None, origin: Origin
    ) -> None:
        letter = render.waiting(job, standing, texts_of(interaction))
        message_id: int | None = None
        with told():
            message_id = await self._say(interaction, letter, private=origin.veil is Veil.PRIVATE)
        if message_id is not None:
            with stored():
                await self._courier.answered(job.id, origin, message_id)

    async def _say(self, interaction: Interaction, letter: render.Letter, *, private: bool) -> int | None:
        response = interaction.response
        if not response.is_done():
            answer = await response.send_message(ephemeral=private, **payload.to_send(letter))
            return answer.message_id
        deferred = response.type is discord.InteractionResponseType.deferred_channel_message
        if deferred and private:  # in public, before it was known to be private
            await interaction.delete_original_response()
        elif deferred:
            message = await interaction.edit_original_response(**payload.to_edit(letter))
            return message.id
        sent = await interaction.followup.send(wait=True, ephemeral=private, **payload.to_send(letter))
        return sent.id
