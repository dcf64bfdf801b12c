"""Braces: which of them belong together, and what stands between the commas inside them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from parser.scanner import Span

MARK = re.compile(r"\\[{},]|[{},]")  # `\{`, `\}` and `\,` are plain characters
ESCAPE = re.compile(r"\\([{}])")
MANY = 1_000_000  # a count that is no longer exact


@dataclass(slots=True)
class Run:
    """Text in which groups stand.

    Attributes:
        pieces: Spans of the text, and groups, in order.
        count: How many texts it stands for, at most ``MANY``.
    """

    pieces: "list[Span | Group]" = field(default_factory=list)
    count: int = 1


@dataclass(slots=True)
class Group:
    """A pair of braces with what stands between its commas; a single thing, or none, is a group too.

    Attributes:
        start: Where the opening brace stands.
        stop: Behind the closing brace.
        items: What stands between the commas, without blanks around it.
        count: How many texts it stands for, at most ``MANY``.
    """

    start: int
    stop: int = 0
    items: list[Run] = field(default_factory=list)
    count: int = 1


def unescaped(text: str) -> str:
    """Return *text* with a brace for each escaped one."""
    return ESCAPE.sub(r"\1", text)


def read_run(text: str) -> Run:
    r"""``run = { TEXT | "{" run { "," run } "}" }``, in time linear in the length; a lone brace is text.

    Blanks around what stands between commas say nothing, nor does the backslash of ``\,`` inside braces.
    """
    run = Run()
    opened: list[tuple[Group, Run]] = []  # with the run that each stands in, the innermost last
    position = 0
    for place, mark in _marks(text):
        run.pieces.append((position, place if mark == "{" else _before(text, position, place)))
        position = place + 1
        if mark == r"\,":
            continue
        if mark == "{":
            opened.append((Group(place), run))
        else:
            opened[-1][0].items.append(run)
        if mark == "}":
            group, run = opened.pop()
            group.stop = position
            group.count = min(MANY, sum(item.count for item in group.items))
            run.pieces.append(group)
            run.count = min(MANY, run.count * group.count)
        else:
            run = Run()
            position = _behind(text, position)
    run.pieces.append((position, len(text)))
    return run


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Yield pairs of braces, and commas inside them, plain or escaped, by place."""
    marks = [(match.start(), match.group()) for match in MARK.finditer(text)]
    opened: list[int] = []
    partners: set[int] = set()
    for place, mark in marks:
        if mark == "{":
            opened.append(place)
        elif mark == "}" and opened:
            partners |= {opened.pop(), place}
    depth = 0
    for place, mark in marks:
        if place in partners:
            depth += 1 if mark == "{" else -1
            yield place, mark
        elif depth and mark in (",", r"\,"):
            yield place, mark


def _before(text: str, start: int, stop: int) -> int:
    """Return where the text from *start* to *stop* ends without the blanks at its end."""
    while stop > start and text[stop - 1] == " ":
        stop -= 1
    return stop


def _behind(text: str, start: int) -> int:
    """Return where the first character that is no blank stands; there is one, a brace or a comma at least."""
    while text[start] == " ":
        start += 1
    return start
