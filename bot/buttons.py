"""What pressing a button does. A press is understood by its `custom_id` alone, however old the message."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import discord

from bot import errors, payload, render
from bot.actions import DRAWS, OF_BATCHES, OF_NO_JOB, Action, Unreadable, Verb, read
from bot.answers import Interaction, caller_of, defer, privately, texts_of
from bot.coach import Coach
from bot.coaching import PREFIX as COACH
from bot.faults import BotCode, BotError
from bot.job_actions import JobActions
from bot.moderation.appeals import Appeals
from bot.orders import Orders
from bot.panel import PREFIX as PANEL
from bot.prefer import Prefer
from bot.preferences import NONE, Preferences
from bot.privacy import Privacy
from bot.render import Letter
from bot.settings import Settings
from parser import Speed
from worker.api import (
    Cell,
    JobId,
    JobState,
    Order,
    PictureGone,
    Rejected,
    Reroll,
    Strength,
    Upscale,
    Vary,
)

_ORDERS: Mapping[Verb, Callable[[JobId, int], Order]] = {
    Verb.UPSAMPLE: lambda job_id, index: Cell(source=job_id, index=index),
    Verb.REROLL: lambda job_id, _: Reroll(source=job_id),
    Verb.VARIATION: lambda job_id, index: Vary(source=job_id, index=index),
    Verb.VARY_SUBTLE: lambda job_id, _: Vary(source=job_id, index=1, strength=Strength.SUBTLE),
    Verb.VARY_STRONG: lambda job_id, _: Vary(source=job_id, index=1),
    Verb.UPSCALE_SUBTLE: lambda job_id, _: Upscale(source=job_id),
}
assert _ORDERS.keys() == DRAWS  # noqa: S101 - a drawing button without an order would be dead


def order_for(action: Action) -> Order | None:
    """Return what a drawing button orders; None for the others."""
    make = _ORDERS.get(action.verb)
    return None if make is None else make(action.job_id, action.index)


def relaxed(order: Order) -> Order:
    """Return the same order for relax; a picture that is only taken out of a grid waits nowhere."""
    if isinstance(order, Reroll | Vary | Upscale):
        return order.model_copy(update={"speed": Speed.RELAX})
    return order


def preferred(order: Order, verb: Verb, preferences: Preferences) -> Order:
    """Return *order* as the person who pressed prefers it: the lane they chose, and how far V1 to V4 go."""
    if isinstance(order, Vary) and verb is Verb.VARIATION:
        order = order.model_copy(update={"strength": preferences.strength})
    if preferences.speed is not None and isinstance(order, Reroll | Vary | Upscale):
        order = order.model_copy(update={"speed": preferences.speed})
    return order


class Buttons:
    """Acts on presses."""

    def __init__(
        self,
        *,
        orders: Orders,
        job_actions: JobActions,
        settings: Settings,
        appeals: Appeals | None = None,
        privacy: Privacy | None = None,
        prefer: Prefer | None = None,
        coach: Coach | None = None,
    ) -> None:
        self._orders = orders
        self._coach = coach
        self._prefer = prefer
        self._job_actions = job_actions
        self._settings = settings
        self._appeals = appeals
        self._privacy = privacy

    async def press(self, interaction: Interaction, custom_id: str) -> None:
        """Do what *custom_id* says.

        Raises:
            BotError: It says nothing to us, or is not allowed.
            WorkerError: The order was refused.
        """
        if await self._taken(interaction, custom_id):
            return
        action = read(custom_id)
        if action is Unreadable.LATER:
            raise BotError(BotCode.LATER)
        if action is Unreadable.FOREIGN:
            raise BotError(BotCode.FOREIGN)
        order = order_for(action)
        if isinstance(order, Reroll):
            order = await self._job_actions.again(action.job_id)
        if order is not None:
            preferences = await self._settings.people.preferences(interaction.user.id)
            order = preferred(order, action.verb, preferences)
            await self._order(interaction, relaxed(order) if action.relaxed else order, action)
        else:
            await self._do(interaction, action)

    async def _do(self, interaction: Interaction, action: Action) -> None:
        """Do what orders no job of its own."""
        match action.verb:
            case Verb.CANCEL:
                await self._cancel(interaction, action)
            case Verb.FIX:
                await self._fix(interaction, action)
            case Verb.FORGET:
                await self._forget(interaction, action)
            case _ if action.verb in OF_BATCHES:
                await self._orders.bulk.press(interaction, action)
            case _ if action.verb in OF_NO_JOB:
                await self._appeal(interaction, action)
            case _:
                await self._delete(interaction, action)

    async def _taken(self, interaction: Interaction, custom_id: str) -> bool:
        """Hand a press to those who read their own ids; False if it is none of theirs."""
        for prefix, owner in ((PANEL, self._prefer), (COACH, self._coach)):
            if owner is not None and custom_id.startswith(prefix):
                await owner.press(interaction, custom_id)
                return True
        return False

    async def _order(self, interaction: Interaction, order: Order, action: Action) -> None:
        try:
            await self._orders.place(interaction, order)
        except PictureGone as error:
            prompt = await self._job_actions.prompt_of(action.job_id)
            await privately(interaction, errors.refused(error, texts_of(interaction), prompt=prompt))
        except Rejected as error:
            if error.code not in errors.OUT_OF_CREDIT:
                raise
            prompt = await self._job_actions.prompt_of(action.job_id)
            again = replace(action, relaxed=True).custom_id
            letter = errors.out_of_credit(error, prompt, again, texts_of(interaction))
            await privately(interaction, letter)

    async def _cancel(self, interaction: Interaction, action: Action) -> None:
        await defer(interaction)
        job = await self._job_actions.cancel(caller_of(interaction), action.job_id)
        if job.state is JobState.CANCELLED:  # else the courier writes "(Stopped)" when it has
            letter = render.stopped(job, texts_of(interaction))
            await interaction.edit_original_response(**payload.to_edit(letter, keep_files=True))

    async def _fix(self, interaction: Interaction, action: Action) -> None:
        """Order the corrected prompt, once; nothing is added to it that was taken out."""
        fix = await self._settings.fix(action.subject)
        if fix is None:
            raise BotError(BotCode.FIX_GONE)
        if fix.owner_id != interaction.user.id:
            raise BotError(BotCode.FIX_NOT_YOURS)
        key = f"fix:{action.subject}"
        if fix.whole:
            await self._orders.imagine_as(interaction, fix.prompt, NONE, key=key)
        else:
            await self._orders.imagine(interaction, fix.prompt, key=key)

    async def edited(self, interaction: Interaction, batch_id: str, prompt: str) -> None:
        """Order *prompt* in place of the batch that was asked about.

        Raises:
            BotError: That was ordered meanwhile.
        """
        await self._orders.bulk.drop(batch_id, interaction.user.id)
        await self._orders.imagine(interaction, prompt)

    async def _appeal(self, interaction: Interaction, action: Action) -> None:
        if self._appeals is None:
            raise BotError(BotCode.APPEAL_GONE)
        await self._appeals.press(interaction, action)

    async def _forget(self, interaction: Interaction, action: Action) -> None:
        if self._privacy is None:
            raise BotError(BotCode.FOREIGN)
        await self._privacy.forget(interaction, action)

    async def _delete(self, interaction: Interaction, action: Action) -> None:
        texts = texts_of(interaction)
        await defer(interaction)
        match action.verb:
            case Verb.DELETE:
                letter = Letter(texts("delete.ask"), render.sure_row(action.job_id, texts))
            case Verb.KEEP:
                letter = Letter(texts("delete.kept"))
            case _:
                await self._job_actions.delete(caller_of(interaction), action.job_id)
                letter = Letter(texts("delete.done"))
        await interaction.edit_original_response(**payload.to_edit(letter))


async def cancel_by_command(interaction: Interaction, job_actions: JobActions, action: Action) -> None:
    """Stop a job on behalf of a menu command, which has no message of its own to change."""
    texts = texts_of(interaction)
    await defer(interaction, thinking=True, private=True)
    job = await job_actions.cancel(caller_of(interaction), action.job_id)
    stopped = job.state is JobState.CANCELLED
    await privately(interaction, Letter(texts("cancel.stopped" if stopped else "cancel.stopping")))


def is_press(interaction: Interaction) -> bool:
    """True if somebody used a button or menu of a message."""
    return interaction.type is discord.InteractionType.component
