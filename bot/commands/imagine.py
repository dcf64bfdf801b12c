"""`/imagine`: a prompt becomes a job."""

from discord import app_commands
from discord.ext import commands

from bot.answers import Interaction, guarded
from bot.commands.scope import everywhere
from bot.completion import Completion
from bot.orders import Orders
from bot.texts import Texts
from parser import PROMPT_LIMIT
from parser.coach.completion import unhinted

WORDS = Texts()


class ImagineCommand(commands.Cog):
    """Adapter of `Orders.imagine`."""

    def __init__(self, orders: Orders, completion: Completion) -> None:
        self._orders = orders
        self._completion = completion

    @app_commands.command(name="imagine", description=WORDS("command.imagine"))
    @app_commands.describe(prompt=WORDS("command.imagine.prompt"))
    @everywhere
    async def imagine(
        self, interaction: Interaction, prompt: app_commands.Range[str, 1, PROMPT_LIMIT]
    ) -> None:
        """Order a grid; the hint of a choice that was picked and typed on is no part of the prompt."""
        await guarded(interaction, lambda: self._orders.imagine(interaction, unhinted(prompt)))

    @imagine.autocomplete("prompt")
    async def _suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await self._completion.suggest(interaction, current)
