"""`/admin models …`."""

from functools import partial
from typing import Literal

from discord import app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import WORDS
from worker.deeds import SetModel, Verb

Name = app_commands.Range[str, 1, 100]
Switch = Literal[Verb.MODELS_ENABLE, Verb.MODELS_DISABLE, Verb.MODELS_DEFAULT]


class ModelsGroup(app_commands.Group):
    """Says what draws."""

    def __init__(self, clerk: Clerk) -> None:
        super().__init__(name="models", description=WORDS("admin.help.models"))
        self._clerk = clerk

    @app_commands.command(name="list", description=WORDS("admin.help.models list"))
    async def list(self, interaction: Interaction) -> None:
        """List the models."""
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.MODELS_LIST))

    @app_commands.command(name="enable", description=WORDS("admin.help.models enable"))
    @app_commands.describe(model=WORDS("admin.option.model"))
    async def enable(self, interaction: Interaction, model: Name) -> None:
        """Switch a model on."""
        await guarded(interaction, partial(self._switch, interaction, Verb.MODELS_ENABLE, model))

    @app_commands.command(name="disable", description=WORDS("admin.help.models disable"))
    @app_commands.describe(model=WORDS("admin.option.model"))
    async def disable(self, interaction: Interaction, model: Name) -> None:
        """Switch a model off."""
        await guarded(interaction, partial(self._switch, interaction, Verb.MODELS_DISABLE, model))

    @app_commands.command(name="default", description=WORDS("admin.help.models default"))
    @app_commands.describe(model=WORDS("admin.option.model"))
    async def default(self, interaction: Interaction, model: Name) -> None:
        """Choose the model of those who say none."""
        await guarded(interaction, partial(self._switch, interaction, Verb.MODELS_DEFAULT, model))

    async def _switch(self, interaction: Interaction, verb: Switch, model: str) -> None:
        await self._clerk.do(interaction, SetModel(verb=verb, name=model))
