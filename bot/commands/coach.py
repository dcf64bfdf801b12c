"""`/coach`: what would make a prompt better."""

from discord import app_commands
from discord.ext import commands

from bot.answers import Interaction, guarded
from bot.coach import Coach
from bot.commands.scope import everywhere
from bot.completion import Completion
from bot.texts import Texts
from parser import PROMPT_LIMIT
from parser.coach.completion import unhinted

WORDS = Texts()


class CoachCommand(commands.Cog):
    """Adapter of `Coach.advise`."""

    def __init__(self, coach: Coach, completion: Completion) -> None:
        self._coach = coach
        self._completion = completion

    @app_commands.command(name="coach", description=WORDS("command.coach"))
    @app_commands.describe(prompt=WORDS("command.coach.prompt"))
    @everywhere
    async def coach(self, interaction: Interaction, prompt: app_commands.Range[str, 1, PROMPT_LIMIT]) -> None:
        """Give the lesson."""
        await guarded(interaction, lambda: self._coach.advise(interaction, unhinted(prompt)))

    @coach.autocomplete("prompt")
    async def _suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await self._completion.suggest(interaction, current)
