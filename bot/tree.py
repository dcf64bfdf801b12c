"""The command tree: errors that no command caught, and definitions that are sent only when they changed."""

import json
from hashlib import sha256
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.answers import report, stored
from bot.settings import Settings

log = structlog.get_logger()


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands of the bot."""

    async def on_error(
        self,
        interaction: discord.Interaction[discord.Client],
        error: app_commands.AppCommandError,
        /,
    ) -> None:
        """Tell what went wrong before a command could."""
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        await report(interaction, cause)

    def fingerprint(self) -> str:
        """Return a hash of every definition."""
        definitions = [command.to_dict(self) for command in self._get_all_commands()]
        ordered = sorted(definitions, key=lambda definition: (definition["type"], definition["name"]))
        return sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()

    async def _known(self) -> bool:
        there = {(command.name, command.type) for command in await self.fetch_commands()}
        return there == {(command.name, kind_of(command)) for command in self._get_all_commands()}

    async def sync_if_changed(self, settings: Settings, application_id: int) -> bool:
        """Send the definitions unless Discord has them, and tell whether they were sent.

        Discord is asked for the names too: a local one may have been wiped since.
        """
        name = f"commands:{application_id}"
        fingerprint = self.fingerprint()
        if await settings.value(name) == fingerprint and await self._known():
            return False
        await self.sync()
        with stored():
            await settings.remember(name, fingerprint)
        log.info("commands sent", action="commands_sent", application_id=application_id)
        return True


def kind_of(
    command: app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu,
) -> discord.AppCommandType:
    """Return Discord's type of *command*."""
    if isinstance(command, app_commands.ContextMenu):
        return command.type
    return discord.AppCommandType.chat_input
