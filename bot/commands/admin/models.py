"""`/admin models …`."""

from functools import partial
from typing import Literal

from discord import app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import WORDS
from bot.faults import BotError
from bot.settings import STORE_FAILURES
from worker.admin import AdminDesk
from worker.deeds import SetModel, Verb

Choices = list[app_commands.Choice[str]]
CHOICES = 25  # that Discord shows
NAMED = 100  # characters of one
Name = app_commands.Range[str, 1, 100]
Switch = Literal[Verb.MODELS_ENABLE, Verb.MODELS_DISABLE, Verb.MODELS_DEFAULT]


class ModelsGroup(app_commands.Group):
    """Says what draws."""

    def __init__(self, clerk: Clerk, *, office: AdminDesk) -> None:
        super().__init__(name="models", description=WORDS("admin.help.models"))
        self._clerk = clerk
        self._office = office

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

    @enable.autocomplete("model")
    @disable.autocomplete("model")
    @default.autocomplete("model")
    async def _suggest(self, interaction: Interaction, current: str) -> Choices:
        """Offer the names there are to who may see them; to others, and where something fails, nothing."""
        try:
            await self._clerk.authority.demand(interaction, Verb.MODELS_LIST)
            names = [line.name for line in await self._office.models()]
        except (BotError, *STORE_FAILURES):
            return []
        wanted = current.strip().casefold()
        found = [name for name in names if wanted in name.casefold() and len(name) <= NAMED]
        return [app_commands.Choice(name=name, value=name) for name in found[:CHOICES]]

    async def _switch(self, interaction: Interaction, verb: Switch, model: str) -> None:
        await self._clerk.do(interaction, SetModel(verb=verb, name=model))
