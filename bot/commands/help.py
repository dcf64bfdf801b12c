"""`/help`: how to begin, and every parameter from the parser's table."""

from collections.abc import Callable, Iterator

from discord import app_commands
from discord.ext import commands

from bot import echo
from bot.answers import Interaction, guarded, privately, texts_of
from bot.commands.scope import everywhere
from bot.facts import NOTHING, Facts, Price
from bot.render import Card, Letter
from bot.texts import Texts
from parser import PARAMETERS, Kind, Parameter, find_parameter
from parser.closed import listing, ranged
from parser.coach.completion import is_open

WORDS = Texts()
BLUE = 0x5865F2
CHOICES = 25
HYPHENS = "-\N{EM DASH}\N{EN DASH}"


class HelpCommand(commands.Cog):
    """Explains."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts

    @app_commands.command(name="help", description=WORDS("command.help"))
    @app_commands.describe(parameter=WORDS("command.help.parameter"))
    @everywhere
    async def explain(self, interaction: Interaction, parameter: str | None = None) -> None:
        """Explain how to begin, or one parameter."""
        texts = texts_of(interaction)
        facts = self._facts()
        letter = Letter(card=start(texts, facts) if parameter is None else about(parameter, texts, facts))
        await guarded(interaction, lambda: privately(interaction, letter))

    @explain.autocomplete("parameter")
    async def _suggest(self, _: Interaction, current: str) -> list[app_commands.Choice[str]]:
        wanted = current.strip().lstrip(HYPHENS).casefold()
        found = sorted(
            (row for row in PARAMETERS if any(wanted in name for name in row.names)),
            key=lambda row: (wanted not in row.names, not row.available, not row.name.startswith(wanted)),
        )
        return [
            app_commands.Choice(name=echo.cut(f"--{row.name}: {row.help}", 100), value=row.name)
            for row in found[:CHOICES]
        ]


def start(texts: Texts, facts: Facts = NOTHING) -> Card:
    """Return the first page, with the parameters that are open here."""
    here = (row for row in PARAMETERS if is_open(row, facts.closed))
    names = " ".join(f"`--{row.echo or row.name}`" for row in here)
    return Card(texts("help.title"), texts("help.start", parameters=names), BLUE)


def about(parameter: str, texts: Texts, facts: Facts = NOTHING) -> Card:
    """Return what the table, and this server, say about *parameter*."""
    wanted = parameter.strip().lstrip(HYPHENS).casefold()
    row = find_parameter(wanted)
    if row is None:
        shown = echo.cut(echo.unticked(parameter), 100)
        return Card(texts("help.unknown.title"), texts("help.unknown", topic=shown))
    return Card(f"--{row.name}", "\n".join(_facts(row, texts, facts)), BLUE)


def _facts(row: Parameter, texts: Texts, facts: Facts) -> Iterator[str]:
    yield row.help
    yield _availability(row, texts, facts)
    yield texts("help.example", example=row.example)
    values = facts.closed.choices.get(row.name, ())
    if row.range:
        yield texts("help.values", values=listing(values) if values else ranged(row, facts.closed).range)
    if row.kind in (Kind.LINKS, Kind.STYLES):
        yield texts("help.several", n=row.most)
    if not row.legacy:
        yield texts("help.default", default=row.default)
    if row.aliases:
        yield texts("help.aliases", aliases=", ".join(f"`--{name}`" for name in row.aliases))
    others = [f"`--{each.name}`" for each in PARAMETERS if row.group and each.group == row.group != ""]
    if len(others) > 1:
        yield texts("help.excludes", names=", ".join(name for name in others if name != f"`--{row.name}`"))
    if row.name in facts.prices:
        yield _price(facts.prices[row.name], texts)


def _availability(row: Parameter, texts: Texts, facts: Facts) -> str:
    """Say whether the parameter works here, and if not, why."""
    if not row.available:
        return f"*{row.legacy or texts('help.not_yet')}*"
    if is_open(row, facts.closed):
        return texts("help.here")
    reason = facts.closed.reasons.get(row.name, texts("help.not_open"))
    return texts("help.closed", reason=reason)


def _price(prices: tuple[Price, ...], texts: Texts) -> str:
    """Say what a grid costs at some values."""
    if all(cost == 1 for _, cost in prices):
        return texts("help.price", prices=texts("help.price.same"))
    each = (texts("help.price.one", value=value, credits=f"{cost:g}") for value, cost in prices)
    return texts("help.price", prices=" · ".join(each))
