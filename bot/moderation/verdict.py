"""What a text is about, by the word lists. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.moderation.folding import fold
from bot.moderation.lists import MINORS, STEM_LIMIT, WITHOUT, Entry, Lists, Node
from bot.moderation.tokens import Words, words
from worker.api import Category

Span = tuple[int, int]  # half-open, in code points of the text


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a text touches a category.

    Attributes:
        category: Which.
        span: Where.
        matched: What stands there.
        phrase: The list's phrase that it was taken for.
    """

    category: Category
    span: Span
    matched: str
    phrase: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything found in a text, in its order.

    Attributes:
        findings: The places.
        minors: Whether it speaks of people under age too; with a sexual finding nothing excuses that.
    """

    findings: tuple[Finding, ...] = ()
    minors: bool = False

    @property
    def categories(self) -> frozenset[Category]:
        """The categories that were found."""
        return frozenset(finding.category for finding in self.findings)


def explain(text: str, lists: Sequence[Lists], *, without: Sequence[str] = ()) -> Verdict:
    """Return what *text* touches by any of *lists*, in time linear in its length.

    Args:
        text: What shall be drawn.
        lists: The shipped one and a server's own; what one allows counts for all.
        without: The items of ``--no``. They ask for absence, so only what is indecent to lack counts.
    """
    heard = words(fold(text))
    allowed = _merged(span for each in lists for span, _ in _phrases(heard, each.allowed))
    found: dict[tuple[Span, str], Entry] = {}
    for each in lists:
        for span, entry in (*_phrases(heard, each.banned), *_stems(heard, each)):
            if not _inside(span, allowed) and entry.list != WITHOUT:
                found.setdefault((span, entry.list), entry)
    places = sorted(found.items(), key=lambda item: item[0])
    findings = tuple(
        Finding(Category(entry.list), span, text[slice(*span)], entry.phrase)
        for (span, _), entry in places
        if entry.list != MINORS
    )
    minors = any(entry.list == MINORS for entry in found.values())
    return Verdict((*findings, *_lacking(without, lists)), minors)


def _lacking(items: Sequence[str], lists: Sequence[Lists]) -> Iterator[Finding]:
    """Yield what a ``--no`` asks for by taking something away; the span is the item's own."""
    for item in items:
        heard = words(fold(item))
        for each in lists:
            for span, entry in _phrases(heard, each.banned):
                if entry.list == WITHOUT:
                    yield Finding(Category.SEXUAL, span, f"--no {item[slice(*span)]}", entry.phrase)


def _phrases(heard: Words, tree: Node) -> Iterator[tuple[Span, Entry]]:
    """Yield every phrase of *tree* in the text.

    From each word the tree is followed as deep as its longest phrase, a constant.
    """
    begins = tree.children
    for first, begin in enumerate(heard.edges if begins else ()):
        frontier = [(edge, tree) for edge in begin if any(form in begins for form in edge.forms)]
        while frontier:
            edge, node = frontier.pop()
            children = [node.children[form] for form in edge.forms if form in node.children]
            for reached in {id(child): child for child in children}.values():
                for entry in reached.entries:
                    yield _span(heard, first, edge.stop), entry
                if reached.children and edge.stop < len(heard.edges):
                    frontier += [(following, reached) for following in heard.edges[edge.stop]]


def _stems(heard: Words, lists: Lists) -> Iterator[tuple[Span, Entry]]:
    """Yield the words that contain a stem."""
    if lists.stem is None:
        return
    for first, edges in enumerate(heard.edges):
        for edge in edges:
            if len(edge.forms[0]) < STEM_LIMIT:
                continue
            match = next(filter(None, map(lists.stem.search, edge.forms)), None)
            if match is not None:
                yield _span(heard, first, edge.stop), lists.stems[match.group()]


def _span(heard: Words, first: int, stop: int) -> Span:
    return heard.spans[first][0], heard.spans[stop - 1][1]


def _merged(spans: Iterator[Span]) -> tuple[Span, ...]:
    """Return *spans* in order, those inside another left out."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (each[0], -each[1])):
        if not kept or span[1] > kept[-1][1]:
            kept.append(span)
    return tuple(kept)


def _inside(span: Span, allowed: Sequence[Span]) -> bool:
    """Tell whether one of *allowed*, which are sorted by both ends, holds all of *span*."""
    low, high = 0, len(allowed)
    while low < high:  # the first that ends no sooner than the span
        middle = (low + high) // 2
        low, high = (low, middle) if allowed[middle][1] >= span[1] else (middle + 1, high)
    return low < len(allowed) and allowed[low][0] <= span[0]
