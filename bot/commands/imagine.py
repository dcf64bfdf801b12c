"""`/imagine`: a prompt becomes a job."""

from discord import app_commands
from discord.ext import commands

from bot.answers import Interaction, guarded
from bot.commands.scope import everywhere
from bot.studio import Studio
from bot.texts import Texts
from parser import PROMPT_LIMIT

WORDS = Texts()


class ImagineCommand(commands.Cog):
    """Adapter of `Studio.imagine`."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command(name="imagine", description=WORDS("command.imagine"))
    @app_commands.describe(prompt=WORDS("command.imagine.prompt"))
    @everywhere
    async def imagine(
        self, interaction: Interaction, prompt: app_commands.Range[str, 1, PROMPT_LIMIT]
    ) -> None:
        """Order a grid."""
        await guarded(interaction, lambda: self._studio.imagine(interaction, prompt))
