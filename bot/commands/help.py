"""`/help`: how to begin, and every parameter from the parser's table."""

from discord import app_commands
from discord.ext import commands

from bot import echo
from bot.answers import Interaction, guarded, privately, texts_of
from bot.commands.scope import everywhere
from bot.render import Card, Letter
from bot.texts import Texts
from parser import PARAMETERS, Parameter

WORDS = Texts()
BLUE = 0x5865F2
CHOICES = 25
HYPHENS = "-\N{EM DASH}\N{EN DASH}"


class HelpCommand(commands.Cog):
    """Explains."""

    @app_commands.command(name="help", description=WORDS("command.help"))
    @app_commands.describe(topic=WORDS("command.help.topic"))
    @everywhere
    async def explain(self, interaction: Interaction, topic: str | None = None) -> None:
        """Explain how to begin, or one parameter."""
        texts = texts_of(interaction)
        letter = Letter(card=start(texts) if topic is None else about(topic, texts))
        await guarded(interaction, lambda: privately(interaction, letter))

    @explain.autocomplete("topic")
    async def _suggest(self, _: Interaction, current: str) -> list[app_commands.Choice[str]]:
        wanted = current.strip().lstrip(HYPHENS).casefold()
        found = sorted(
            (row for row in PARAMETERS if any(wanted in name for name in row.names)),
            key=lambda row: (not row.available, not row.name.startswith(wanted)),
        )
        return [
            app_commands.Choice(name=echo.cut(f"--{row.name}: {row.help}", 100), value=row.name)
            for row in found[:CHOICES]
        ]


def start(texts: Texts) -> Card:
    """Return the first page."""
    names = " ".join(f"`--{row.echo or row.name}`" for row in PARAMETERS if row.available)
    return Card(texts("help.title"), texts("help.start", parameters=names), BLUE)


def about(topic: str, texts: Texts) -> Card:
    """Return what the table says about *topic*."""
    wanted = topic.strip().lstrip(HYPHENS).casefold()
    row = next((row for row in PARAMETERS if wanted in row.names), None)
    if row is None:
        shown = echo.cut(echo.unticked(topic), 100)
        return Card(texts("help.unknown.title"), texts("help.unknown", topic=shown))
    return Card(f"--{row.name}", "\n".join(_facts(row, texts)), BLUE)


def _facts(row: Parameter, texts: Texts) -> list[str]:
    facts = [row.help]
    if not row.available:
        facts.append(f"*{row.legacy or texts('help.not_yet')}*")
    facts += [f"**Example**: `{row.example}`"]
    if row.range:
        facts.append(f"**Values**: {row.range}")
    if not row.legacy:
        facts.append(f"**Default**: {row.default}")
    if row.aliases:
        facts.append(texts("help.aliases", aliases=", ".join(f"`--{name}`" for name in row.aliases)))
    return facts
