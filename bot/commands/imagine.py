"""`/imagine`: a prompt becomes a job."""

from discord import app_commands
from discord.ext import commands

from bot.answers import Interaction, guarded
from bot.commands.scope import everywhere
from bot.orders import Orders
from bot.texts import Texts
from parser import PROMPT_LIMIT

WORDS = Texts()


class ImagineCommand(commands.Cog):
    """Adapter of `Orders.imagine`."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    @app_commands.command(name="imagine", description=WORDS("command.imagine"))
    @app_commands.describe(prompt=WORDS("command.imagine.prompt"))
    @everywhere
    async def imagine(
        self, interaction: Interaction, prompt: app_commands.Range[str, 1, PROMPT_LIMIT]
    ) -> None:
        """Order a grid."""
        await guarded(interaction, lambda: self._orders.imagine(interaction, prompt))
