"""Braces: ``{a, b}`` stands for several prompts, ``{a}`` for its content, a lone brace for itself."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parser.scanner import Span, shown

MARK = re.compile(r"\\[{},]|[{},]")  # `\{`, `\}` and `\,` are plain characters
ESCAPE = re.compile(r"\\([{}])")


@dataclass(frozen=True, slots=True)
class Group:
    """Braces around several things: where they stand, and the first comma between the things."""

    start: int
    stop: int
    comma: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A source made ready to scan: every blank a space, braces around a single thing removed.

    Attributes:
        source: The prompt as typed.
        text: What is left to scan.
        offsets: For each character of ``text`` its place in ``source``.
        groups: The outermost ``{a, b}`` of ``text``, in order.
    """

    source: str
    text: str
    offsets: Sequence[int]
    groups: tuple[Group, ...]

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
        index = bisect_right(self.groups, max(start, stop - 1), key=lambda group: group.start)
        return index > 0 and self.groups[index - 1].stop > start


@dataclass(slots=True)
class _Mark:
    """A pair of braces, or an escaped comma."""

    start: int
    stop: int = 0  # 0 while the closing brace is not found
    comma: int = 0  # the first comma that is between these braces and no others; 0 if there is none


def plain(source: str) -> Plain:
    """Make *source* ready to scan, in time linear in its length."""
    text = shown(source)
    groups: list[Group] = []
    dropped: set[int] = set()
    single_stop = 0
    for mark in _marks(text):
        if groups and mark.start < groups[-1].stop:
            continue
        if mark.comma:
            groups.append(Group(mark.start, mark.stop, mark.comma))
        elif text[mark.start] == "{":
            dropped.update(_brackets(text, mark))
            single_stop = max(single_stop, mark.stop)
        elif mark.start < single_stop:
            dropped.update(_blanks_before(text, mark.start), (mark.start,))
    if not dropped:
        return Plain(source, text, range(len(text)), tuple(groups))
    offsets = [index for index in range(len(text)) if index not in dropped]
    moved = (
        Group(*(bisect_left(offsets, at) for at in (each.start, each.stop, each.comma))) for each in groups
    )
    return Plain(source, "".join(text[index] for index in offsets), offsets, tuple(moved))


def unescaped(text: str) -> str:
    """Return *text* with a brace for each escaped one."""
    return ESCAPE.sub(r"\1", text)


def _marks(text: str) -> list[_Mark]:
    """Return matching pairs of braces, and escaped commas, by place; a brace without match is none."""
    found: list[_Mark] = []
    open_: list[_Mark] = []
    for match in MARK.finditer(text):
        match match.group():
            case "{":
                open_.append(_Mark(match.start()))
                found.append(open_[-1])
            case "}" if open_:
                open_.pop().stop = match.end()
            case "," if open_ and not open_[-1].comma:
                open_[-1].comma = match.start()
            case r"\,":
                found.append(_Mark(*match.span()))
            case _:
                pass
    return [mark for mark in found if mark.stop]


def _brackets(text: str, mark: _Mark) -> Iterator[int]:
    """Yield the places of both braces and of the blanks just inside them."""
    yield mark.start
    inside = mark.start + 1
    while text[inside] == " ":
        yield inside
        inside += 1
    yield from _blanks_before(text, mark.stop - 1)
    yield mark.stop - 1


def _blanks_before(text: str, place: int) -> Iterator[int]:
    while text[place - 1] == " ":
        place -= 1
        yield place
