"""The page about every parameter, written from the table: words, prices, and which pictures show each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.facts import Facts, Price
from cli.facts import price
from parser import PARAMETERS, Closed, ImagineRequest, Kind, Parameter, PromptErrors, read_batch
from parser.closed import OPEN, listing, ranged
from parser.coach.completion import is_open
from parser.coach.typical import typical
from worker.api import WorkerError
from worker.recipe import Drawing, ModelProfile, resolve

PICTURES = "images/parameters"  # the folder of the strips, seen from the page
PROMPT = "a red fox on a blue background"
SEED = 7
OPEN_PROMPT = "a fox"  # leaves the ground to the model, which a list of unwanted things can then name
LEFT_OUT = ("blue background", "green background")
GIVEN = "https://example.com/sun.png"  # stands for the picture that other prompts are given
GIVEN_PROMPT = "a yellow sun on a purple background"
PANELS = 4  # of a strip
HEAD = f"""\
# Every parameter

Written by `make docs` from the program's own table. What stands here holds for an installation as it comes:
the embedded model, and no setting changed; `/help parameter:` tells what holds where you are.

The strips were drawn by the embedded model, a very small one that knows some two hundred things. Each
picture of a strip is a whole grid of `{PROMPT} --seed {SEED}` with what is written below it;
only that differs. Where more was needed, it says so. A tile is shown four times, edge to edge.
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One grid of a strip.

    Attributes:
        label: What it shows, in prompt notation.
        prompt: The whole prompt.
        request: What that asks for.
    """

    label: str
    prompt: str
    request: ImagineRequest


@dataclass(frozen=True, slots=True)
class Strip:
    """Grids side by side in which one parameter differs; or why there are none.

    Attributes:
        panels: From left to right.
        text: What stands before the parameter in every prompt.
        reason: Why there are none; empty if there are.
    """

    panels: tuple[Panel, ...] = ()
    text: str = PROMPT
    reason: str = ""


def page(facts: Facts, profile: ModelProfile) -> str:
    """Return the page as Markdown."""
    known = [row for row in PARAMETERS if row.available]
    parts = [HEAD, _contents(known)]
    parts += [section(row, facts, profile) for row in known]
    parts += ["## Known by name only\n", *_unknown()]
    return "\n".join(parts).rstrip() + "\n"


def _contents(rows: Sequence[Parameter]) -> str:
    return " · ".join(f"[`--{row.name}`](#--{row.name})" for row in rows) + "\n"


def section(row: Parameter, facts: Facts, profile: ModelProfile) -> str:
    """Return what the page says of a parameter that works."""
    shown = strip(row, facts, profile)
    lines = [f"## --{row.name}\n", row.help, "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in _facts(row, facts)]
    lines += [f"| Cost of a grid | {_prices(each)} |" for each in _costs(row, shown, facts, profile)]
    lines.append("")
    if shown.reason:
        lines.append(f"*{shown.reason}*\n")
    else:
        labels = ", ".join(f"`{panel.label}`" if panel.label else "without" for panel in shown.panels)
        lines.append(f"![{row.name}: {labels.replace('`', '')}]({PICTURES}/{row.name}.webp)\n")
        lines.append(f"From left to right: {labels}.{_given(shown)}\n")
    return "\n".join(lines)


def _given(shown: Strip) -> str:
    base = "" if shown.text == PROMPT else f" All are of `{shown.text} --seed {SEED}`."
    if any(GIVEN in panel.prompt for panel in shown.panels):
        base += f" The address stands for a picture of `{GIVEN_PROMPT}`."
    return base


def _facts(row: Parameter, facts: Facts) -> Iterator[tuple[str, str]]:
    names = ", ".join(f"`--{name}`" for name in row.names)
    yield ("Names" if row.aliases else "Name"), names
    if row.range:
        yield "Values", row.range
    if row.kind in (Kind.LINKS, Kind.STYLES, Kind.CODES):
        yield "Up to", str(row.most)
    yield "Default", row.default
    yield "Example", f"`{row.example}`"
    others = [f"`--{each.name}`" for each in PARAMETERS if row.group and each.group == row.group]
    if len(others) > 1:
        yield "Not together with", ", ".join(name for name in others if name != f"`--{row.name}`")
    served = facts.closed.choices.get(row.name, ())
    if served:
        yield "As it comes", listing(served)
    if row.name in facts.closed.ranges:
        yield "As it comes", ranged(row, facts.closed).range
    if not is_open(row, facts.closed):
        yield "As it comes", facts.closed.reasons.get(row.name, "not open")


def _costs(row: Parameter, shown: Strip, facts: Facts, profile: ModelProfile) -> Iterator[Sequence[Price]]:
    """Yield what the grids of the strip cost, or else the prices that are known."""
    if shown.panels:
        yield [(panel.label or "without", price(panel.request, profile, names())) for panel in shown.panels]
    elif row.name in facts.prices:
        yield facts.prices[row.name]


def _prices(prices: Sequence[Price]) -> str:
    if all(cost == 1 for _, cost in prices):
        return "1 credit, as without it"
    return ", ".join(f"`{value}` {cost:g}" for value, cost in prices)


def _unknown() -> Iterator[str]:
    for row in PARAMETERS:
        if not row.available:
            yield f"- `--{row.name}`: {row.legacy or 'not available'}. {row.help}"


def strip(row: Parameter, facts: Facts, profile: ModelProfile) -> Strip:
    """Return the grids that show what *row* does to a picture, or why none can."""
    if not is_open(row, facts.closed):
        return Strip(reason=f"No pictures: {facts.closed.reasons.get(row.name, 'it is not open.')}")
    same = False
    for text in _settings(row):
        panels = [_panel(text, label) for label in _labels(row, facts.closed)]
        understood = [panel for panel in panels if panel is not None]
        drawings = [_drawing(panel.request, profile) for panel in understood]
        if len(understood) < 2 or None in drawings:  # noqa: PLR2004 - one grid shows no difference
            continue
        if any(drawing != drawings[0] for drawing in drawings):
            return Strip(tuple(understood), text)
        same = True
    if same:
        return Strip(reason="No pictures: as the program comes, it changes nothing in the picture itself.")
    return Strip(reason="No pictures: the embedded model cannot show it.")


def _settings(row: Parameter) -> Iterator[str]:
    """Yield prompts to which the parameter can be added, the plainest first."""
    if row.kind is Kind.LIST:
        yield OPEN_PROMPT
    yield PROMPT
    yield f"{GIVEN} {PROMPT}"
    for other in PARAMETERS:
        if other.available and other is not row:
            yield from (f"{PROMPT} {label}" for label in _labels(other)[1:2])


def _labels(row: Parameter, closed: Closed = OPEN) -> tuple[str, ...]:
    """Return how the parameter is written in each grid; empty where it is left out."""
    name = f"--{row.echo or row.name}"
    match row.kind:
        case Kind.FLAG:
            values = [name]
        case Kind.LIST:
            values = [f"{name} {word}" for word in LEFT_OUT]
        case Kind.LINKS | Kind.CODES:
            values = [f"{name} {GIVEN}"]
        case Kind.STYLES:
            values = [f"{name} {GIVEN}", f"{name} 1", f"{name} 2"]
        case _:
            some = typical(row, closed)
            values = [f"{name} {value}" for value in _spread(some)] or [f"{name} {n}" for n in (1, 2, 1)]
            if row.kind is not Kind.CHOICE or row.default in row.choices:
                return tuple(values)
    return ("", *values)


def _spread(values: Sequence[str]) -> list[str]:
    """Return up to `PANELS` of *values*, the first and the last among them."""
    if len(values) <= PANELS:
        return list(values)
    return [values[round(index * (len(values) - 1) / (PANELS - 1))] for index in range(PANELS)]


def _panel(text: str, label: str) -> Panel | None:
    seed = "" if "--seed" in label else f" --seed {SEED}"
    prompt = f"{text} {label}".strip() + seed
    try:
        return Panel(label, prompt, read_batch(prompt).prompts[0])
    except PromptErrors:
        return None


def _drawing(request: ImagineRequest, profile: ModelProfile) -> Drawing | None:
    """Return the recipe without what it owes to the seed; None if the model refuses."""
    try:
        return resolve(request, profile, seed=SEED if request.seed is None else request.seed, names=names())
    except WorkerError:
        return None


def names() -> dict[str, str]:
    """Return the file that stands for the given picture, by its address."""
    return {GIVEN: "given.png"}
