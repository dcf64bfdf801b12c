"""The commands of a message's "Apps" menu."""

import discord
from discord import app_commands

from bot.actions import Action, Verb, job_named
from bot.answers import Interaction, caller_of, defer, guarded, privately, texts_of
from bot.buttons import cancel_by_command
from bot.commands.scope import everywhere
from bot.faults import BotCode, BotError
from bot.job_actions import JobActions
from bot.outlet import custom_ids
from bot.render import Letter
from bot.settings import Settings
from bot.texts import Texts
from worker.api import JobId

WORDS = Texts()


class Menus:
    """*Cancel Job* and *DM Results*."""

    def __init__(self, *, job_actions: JobActions, settings: Settings) -> None:
        self._job_actions = job_actions
        self._settings = settings

    def add_to(self, tree: app_commands.CommandTree[discord.Client]) -> None:
        """Offer them."""
        for name, callback in (
            (WORDS("command.cancel_menu"), self._cancel_menu),
            (WORDS("command.dm_menu"), self._dm_menu),
        ):
            tree.add_command(everywhere(app_commands.ContextMenu(name=name, callback=callback)))

    async def _cancel_menu(self, interaction: Interaction, message: discord.Message) -> None:
        await guarded(interaction, lambda: self._cancel(interaction, message))

    async def _dm_menu(self, interaction: Interaction, message: discord.Message) -> None:
        await guarded(interaction, lambda: self._send(interaction, message))

    async def _cancel(self, interaction: Interaction, message: discord.Message) -> None:
        job_id = await self._job_of(interaction, message)
        await cancel_by_command(interaction, self._job_actions, Action(Verb.CANCEL, job_id))

    async def _send(self, interaction: Interaction, message: discord.Message) -> None:
        job_id = await self._job_of(interaction, message)
        await defer(interaction, thinking=True, private=True)
        await self._job_actions.send(caller_of(interaction), job_id)
        await privately(interaction, Letter(texts_of(interaction)("dm.sent")))

    async def _job_of(self, interaction: Interaction, message: discord.Message) -> JobId:
        """Return the job that a message of ours shows; anybody's bot can post buttons that look like ours.

        Raises:
            BotError: ``NO_JOB_HERE``.
        """
        me = interaction.client.user
        if message.author.id not in {interaction.application_id, None if me is None else me.id}:
            raise BotError(BotCode.NO_JOB_HERE)
        job_id = job_named(list(custom_ids(message)))
        if job_id is not None:
            return job_id
        shown = await self._settings.shown_by(message.id)
        if shown is None:
            raise BotError(BotCode.NO_JOB_HERE)
        return shown.job_id
