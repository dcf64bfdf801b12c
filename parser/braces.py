"""Braces: ``{a, b}`` stands for several prompts, ``{a}`` for its content, a lone brace for itself."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parser.scanner import Span, shown

MARK = re.compile(r"\\[{},]|[{},]")  # `\{`, `\}` and `\,` are plain characters
ESCAPE = re.compile(r"\\([{}])")


@dataclass(frozen=True, slots=True)
class Plain:
    """A source made ready to scan: every blank a space, braces around a single thing removed.

    Attributes:
        source: The prompt as typed.
        text: What is left to scan.
        offsets: For each character of ``text`` its place in ``source``.
        groups: Where the outermost ``{a, b}`` stand in ``text``, in order.
    """

    source: str
    text: str
    offsets: Sequence[int]
    groups: tuple[Span, ...]

    def place(self, span: Span) -> Span:
        """Return where a span of ``text`` stands in ``source``."""
        start, stop = span
        if start < stop:
            return self.offsets[start], self.offsets[stop - 1] + 1
        at = self.offsets[start] if start < len(self.offsets) else len(self.source)
        return at, at

    def permuted(self, span: Span) -> bool:
        """Return whether *span* touches a group, so that its final wording is not known yet."""
        start, stop = span
        index = bisect_right(self.groups, (max(start, stop - 1), len(self.text)))
        return index > 0 and self.groups[index - 1][1] > start


@dataclass(slots=True)
class _Group:
    """A pair of braces, or an escaped comma."""

    start: int
    stop: int = 0  # 0 while the closing brace is not found
    several: bool = False  # has a comma of its own


def plain(source: str) -> Plain:
    """Make *source* ready to scan, in time linear in its length."""
    text = shown(source)
    several: list[Span] = []
    dropped: set[int] = set()
    single_stop = 0
    for group in _groups(text):
        if several and group.start < several[-1][1]:
            continue
        if group.several:
            several.append((group.start, group.stop))
        elif text[group.start] == "{":
            dropped.update(_brackets(text, group))
            single_stop = max(single_stop, group.stop)
        elif group.start < single_stop:
            dropped.update(_blanks_before(text, group.start), (group.start,))
    if not dropped:
        return Plain(source, text, range(len(text)), tuple(several))
    offsets = [index for index in range(len(text)) if index not in dropped]
    groups = tuple((bisect_left(offsets, start), bisect_left(offsets, stop)) for start, stop in several)
    return Plain(source, "".join(text[index] for index in offsets), offsets, groups)


def first_item(group: str) -> str:
    """Return the first of the things that the text of a group stands for, groups inside it untouched."""
    depth = 0
    for mark in MARK.finditer(group):
        depth += {"{": 1, "}": -1}.get(mark.group(), 0)
        if depth == 1 and mark.group() == ",":
            return group[1 : mark.start()].strip()
    raise ValueError(f"no comma inside the braces of {group!r}")


def unescaped(text: str) -> str:
    """Return *text* with a brace for each escaped one."""
    return ESCAPE.sub(r"\1", text)


def _groups(text: str) -> list[_Group]:
    """Return matching pairs of braces, and escaped commas, by place; a brace without match is no group."""
    found: list[_Group] = []
    open_: list[_Group] = []
    for mark in MARK.finditer(text):
        match mark.group():
            case "{":
                open_.append(_Group(mark.start()))
                found.append(open_[-1])
            case "}" if open_:
                open_.pop().stop = mark.end()
            case "," if open_:
                open_[-1].several = True
            case r"\,":
                found.append(_Group(*mark.span()))
            case _:
                pass
    return [group for group in found if group.stop]


def _brackets(text: str, group: _Group) -> Iterator[int]:
    """Yield the places of both braces and of the blanks just inside them."""
    yield group.start
    inside = group.start + 1
    while text[inside] == " ":
        yield inside
        inside += 1
    yield from _blanks_before(text, group.stop - 1)
    yield group.stop - 1


def _blanks_before(text: str, place: int) -> Iterator[int]:
    while text[place - 1] == " ":
        place -= 1
        yield place
