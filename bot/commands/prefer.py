"""`/prefer`, `/settings`, `/fast`, `/relax` and `/turbo`: what holds for all of a person's prompts."""

from discord import app_commands
from discord.ext import commands

from bot.answers import Interaction, guarded
from bot.commands.scope import everywhere
from bot.prefer import Prefer
from bot.preferences import SUFFIX_LIMIT, VALUE_LIMIT
from bot.texts import Texts
from parser import Speed
from worker.api import WorkerError

WORDS = Texts()
CHOICES = 25
NAME_LIMIT = 34  # two hyphens and the longest name


class OptionGroup(app_commands.Group):
    """`/prefer option …`."""

    def __init__(self, prefer: Prefer) -> None:
        super().__init__(name="option", description=WORDS("command.prefer.option"))
        self._prefer = prefer

    @app_commands.command(name="set", description=WORDS("command.prefer.option.set"))
    @app_commands.describe(
        option=WORDS("command.prefer.option.set.option"), value=WORDS("command.prefer.option.set.value")
    )
    async def define(
        self,
        interaction: Interaction,
        option: app_commands.Range[str, 1, NAME_LIMIT],
        value: app_commands.Range[str, 0, VALUE_LIMIT] = "",
    ) -> None:
        """Let a name stand for a value."""
        await guarded(interaction, lambda: self._prefer.define(interaction, option, value))

    @define.autocomplete("option")
    async def _suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        try:
            names = await self._prefer.names(interaction.user.id)
        except WorkerError:
            return []
        wanted = current.strip().lstrip("-").casefold()
        return [app_commands.Choice(name=name, value=name) for name in names if wanted in name][:CHOICES]

    @app_commands.command(name="list", description=WORDS("command.prefer.option.list"))
    async def show(self, interaction: Interaction) -> None:
        """List them."""
        await guarded(interaction, lambda: self._prefer.options(interaction))


class PreferCommand(app_commands.Group):
    """`/prefer …`."""

    def __init__(self, prefer: Prefer) -> None:
        super().__init__(
            name="prefer",
            description=WORDS("command.prefer"),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )
        self._prefer = prefer
        self.add_command(OptionGroup(prefer))

    @app_commands.command(name="suffix", description=WORDS("command.prefer.suffix"))
    @app_commands.describe(new_value=WORDS("command.prefer.suffix.new_value"))
    async def suffix(
        self, interaction: Interaction, new_value: app_commands.Range[str, 0, SUFFIX_LIMIT] = ""
    ) -> None:
        """Append it to every prompt."""
        await guarded(interaction, lambda: self._prefer.suffix(interaction, new_value))

    @app_commands.command(name="auto_dm", description=WORDS("command.prefer.auto_dm"))
    async def auto_dm(self, interaction: Interaction) -> None:
        """Toggle it."""
        await guarded(interaction, lambda: self._prefer.auto_dm(interaction))


class SettingsCommand(commands.Cog):
    """The panel, and the shortcuts to the lanes."""

    def __init__(self, prefer: Prefer) -> None:
        self._prefer = prefer

    @app_commands.command(name="settings", description=WORDS("command.settings"))
    @everywhere
    async def settings(self, interaction: Interaction) -> None:
        """Show the panel."""
        await guarded(interaction, lambda: self._prefer.settings(interaction))

    @app_commands.command(name="fast", description=WORDS("command.fast"))
    @everywhere
    async def fast(self, interaction: Interaction) -> None:
        """Switch."""
        await guarded(interaction, lambda: self._prefer.mode(interaction, Speed.FAST))

    @app_commands.command(name="relax", description=WORDS("command.relax"))
    @everywhere
    async def relax(self, interaction: Interaction) -> None:
        """Switch."""
        await guarded(interaction, lambda: self._prefer.mode(interaction, Speed.RELAX))

    @app_commands.command(name="turbo", description=WORDS("command.turbo"))
    @everywhere
    async def turbo(self, interaction: Interaction) -> None:
        """Switch."""
        await guarded(interaction, lambda: self._prefer.mode(interaction, Speed.TURBO))
