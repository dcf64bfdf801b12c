"""What could be meant while a prompt is being typed: names of parameters, their values, mistakes put right.

A choice carries the whole prompt, since that is what Discord puts in the place of what was typed. What it
shows begins with that prompt, so that nothing is lost to somebody who goes on typing behind it; the hint
after it stands in brackets of its own, which `unhinted` takes out again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from parser import Closed, Kind, Parameter, PromptError, PromptErrors, Table, read_batch
from parser.closed import OPEN, ranged, shuts
from parser.coach.typical import typical
from parser.errors import ErrorCode
from parser.parameters import TABLE
from parser.scanner import DASHES, Scanner, shown

CHOICES = 25  # that Discord shows
LIMIT = 100  # UTF-16 units of a choice's name and of its value
SHORTEST_HINT = 14  # units; less says nothing

_HINT = re.compile(r"\s*⟨[💡⚠] [^⟨⟩]*⟩")
_MAY_COME = (ErrorCode.EMPTY_PROMPT, ErrorCode.NEEDS_ANOTHER)
_BEGUN = re.compile(rf"(?:(?<= )|^)(?:--|[{DASHES}])$")  # the hyphens of a name without a letter yet
_UNFINISHED = re.compile(r"[0-9]{1,6}:?|[+-]?\.?")


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: what is shown, and the whole prompt it stands for."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Live:
    """The parameter being typed, at the end of the prompt.

    Attributes:
        start: Where its hyphens begin.
        name: Its name as far as it is typed, in lower case.
        value: What stands behind the name, or ``None`` while no blank does.
    """

    start: int
    name: str
    value: str | None


def unhinted(text: str) -> str:
    """Return *text* without the hints of choices that were picked and typed on."""
    return _HINT.sub("", text)


def complete(typed: str, table: Table = TABLE, closed: Closed = OPEN) -> tuple[Choice, ...]:
    """Return what to offer for a prompt typed so far, the likeliest first; nothing where nothing is amiss.

    A prompt that a choice cannot hold gets none: picking one would cut it.

    Args:
        typed: The prompt, perhaps with hints of choices picked before.
        table: The parameters there are.
        closed: Those of them that the server does not do.
    """
    text = unhinted(typed)
    if units(text) > LIMIT:
        return ()
    error = first_problem(text, table, closed)
    if error is None and not _BEGUN.search(text):
        return () if text == typed else (Choice(text, text),)
    live = _live(shown(text))
    found = _flagged(text, error) if live is None else _offers(text, live, error, table, closed)
    unique = {choice.value: choice for choice in reversed(list(found)) if 0 < units(choice.value) <= LIMIT}
    return tuple(reversed(unique.values()))[:CHOICES]


def first_problem(text: str, table: Table, closed: Closed) -> PromptError | None:
    """Return the first thing wrong with a prompt; what may still come is nothing wrong."""
    try:
        read_batch(text, closed, table=table)
    except PromptErrors as refusal:
        return next((each for each in refusal.errors if each.code not in _MAY_COME), None)
    return None


def _live(text: str) -> Live | None:
    """Return the last parameter of *text*."""
    begun = _BEGUN.search(text)
    if begun is not None:
        return Live(begun.start(), "", None)
    scanner = Scanner(text)
    scanner.until("FLAG")
    live = None
    while flag := scanner.take("FLAG"):
        name, blank, value = scanner.until("FLAG").text.partition(" ")
        live = Live(flag.start, name.lower(), value.strip() if blank else None)
    return live


def _offers(
    text: str, live: Live, error: PromptError | None, table: Table, closed: Closed
) -> Iterator[Choice]:
    before = text[: live.start]
    earlier = first_problem(before, table, closed) if before.strip() else None
    if earlier is not None:
        fixed = before if earlier.suggestion is None else f"{earlier.suggestion} "
        yield _with_hint(fixed + text[live.start :], f"⚠ {earlier.message}")
        before = fixed
    said = _said(shown(before), table)
    if live.value is None:
        offers = list(_names(before, live.name, said, table, closed))
    else:
        offers = list(_values(before, live, table.find(live.name), closed))
    if not offers or not _may_go_on(live, table.find(live.name)):
        yield from _flagged(text, error)
    yield from offers


def _may_go_on(live: Live, row: Parameter | None) -> bool:
    """Return whether what is typed is rather unfinished than wrong."""
    if not live.value:
        return True
    if row is not None and any(choice.startswith(live.value.lower()) for choice in row.choices):
        return True
    ratio = row is not None and row.kind is Kind.RATIO
    return (ratio or not live.value[-1].isdigit()) and _UNFINISHED.fullmatch(live.value) is not None


def _flagged(text: str, error: PromptError | None) -> Iterator[Choice]:
    """Yield the prompt put right, if that is clear, or else as it is, with what is wrong."""
    if error is not None:
        yield _with_hint(text if error.suggestion is None else error.suggestion, f"⚠ {error.message}")


def _said(text: str, table: Table) -> list[Parameter]:
    """Return the rows of the parameters in *text*."""
    scanner = Scanner(text)
    scanner.until("FLAG")
    rows = []
    while scanner.take("FLAG"):
        name, _, _ = scanner.until("FLAG").text.partition(" ")
        rows.append(table.find(name))
    return [row for row in rows if row is not None]


def _names(before: str, typed: str, said: list[Parameter], table: Table, closed: Closed) -> Iterator[Choice]:
    """Yield the parameters that *typed* may become, and values for the only one or the one that it names."""
    groups = {row.group for row in said if row.group}
    rows = [
        row
        for row in table.rows
        if is_open(row, closed)
        and any(name.startswith(typed) for name in row.names)
        and (row.kind is Kind.LIST or (row not in said and row.group not in groups))
    ]
    rows.sort(key=lambda row: typed not in row.names)
    for row in rows:
        name = next(each for each in (row.echo, *row.names) if each and each.startswith(typed))
        written = f"{before}--{name}"
        yield _with_hint(written, f"💡 {hint(row, closed)}")
        if len(rows) == 1 or typed in row.names:
            for value in typical(row, closed):
                yield Choice(f"{written} {value}", f"{written} {value}")


def _values(before: str, live: Live, row: Parameter | None, closed: Closed) -> Iterator[Choice]:
    """Yield the values that what is typed may become."""
    if row is None or not is_open(row, closed):
        return
    typed = (live.value or "").lower()
    written = f"{before}--{live.name}"
    if not typed or (row.kind is Kind.RATIO and _UNFINISHED.fullmatch(typed)):
        yield _with_hint(f"{written} {typed}".rstrip(), f"💡 {hint(row, closed)}")
    for value in typical(row, closed):
        if value.startswith(typed):
            yield Choice(f"{written} {value}", f"{written} {value}")


def is_open(row: Parameter, closed: Closed) -> bool:
    """Return whether a parameter works, and works here."""
    return row.available and not shuts(closed, row.name)


def hint(row: Parameter, closed: Closed = OPEN) -> str:
    """Return what may follow a parameter's name and what holds without it, in few words."""
    values = closed.choices.get(row.name, ())
    allowed = ", ".join(values) or ranged(row, closed).range
    if not allowed:
        return row.help.replace("`", "").rstrip(".")
    return f"{allowed}, default {row.default}" if row.default != "none" else allowed


def units(text: str) -> int:
    """Return the length of *text* as Discord's strictest client counts it: UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def _with_hint(value: str, words: str) -> Choice:
    """Return a choice that shows *value* and, as far as there is room, *words*."""
    value = value.rstrip()
    plain = re.sub("[⟨⟩`]", "", words)
    room = LIMIT - units(value) - 3  # for a blank and the brackets
    if units(plain) > room:
        plain = plain[: max(0, room - 1)].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
    if room < SHORTEST_HINT or units(plain) > room:
        return Choice(value, value)
    return Choice(f"{value} ⟨{plain}⟩", value)
