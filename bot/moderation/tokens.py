"""Words of a folded text, and what else its writer may have meant by them. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from bot.moderation.folding import Folded

SQUEEZED = "~"  # stands before a form from which every repeated letter was taken
SHORTEST_SQUEEZED = 3  # letters; shorter ones would mean too many words
SHORTEST_SPELLED = 3  # letters on their own that make a word
LONGEST_JOINED = 40  # letters; longer ones are no word

_WORD = re.compile(r"[@$]?[^\W_](?:[@$!|€+]*[^\W_])*[@$]*|[@$]")
_JOINTS = frozenset("-._'’*~/\\|·•")  # noqa: RUF001 - between the pieces of one word, as in na-ked
_STRETCHED = re.compile(r"(.)\1{2,}")
_REPEATED = re.compile(r"(.)\1+")
_DIGITS_LAST = re.compile(r"[0-9]+$")
_LEET = {"4": "a", "@": "a", "8": "b", "3": "e", "€": "e", "9": "g", "0": "o", "5": "s", "$": "s", "7": "t"}
_LEET |= {"+": "t", "2": "z"}
_AS_I = str.maketrans({**_LEET, "1": "i", "!": "i", "|": "i"})
_AS_L = str.maketrans({**_LEET, "1": "l", "!": "l", "|": "l"})
_ONE_LETTER_WORDS = frozenset("aieouy")  # of English and Spanish: "a n u d e"


@dataclass(frozen=True, slots=True)
class Edge:
    """One way to read the text from one word's number to another's.

    Attributes:
        stop: The number of the word that follows.
        forms: What it may mean, the plain one first.
    """

    stop: int
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A text as words.

    Attributes:
        spans: Of each word, in code points of the source.
        edges: By the number of the word where they begin.
    """

    spans: tuple[tuple[int, int], ...]
    edges: tuple[tuple[Edge, ...], ...]


def words(folded: Folded) -> Words:
    """Return the words of a text: each as it stands, with letters spelled out, or in pieces."""
    found = list(_WORD.finditer(folded.text))
    gaps = [folded.text[left.end() : right.start()] for left, right in pairwise(found)]
    texts = [match.group() for match in found]
    edges = [[Edge(number + 1, forms(text))] for number, text in enumerate(texts)]
    for joined, shortest in ((_spelled(texts, gaps), SHORTEST_SPELLED), (_in_pieces(gaps), 1)):
        for first, stop in joined:
            _join(edges, texts, (first, stop), shortest)
    spans = tuple((folded.places[m.start()], folded.places[m.end() - 1] + 1) for m in found)
    return Words(spans, tuple(tuple(each) for each in edges))


def _join(edges: list[list[Edge]], texts: Sequence[str], span: tuple[int, int], shortest: int) -> None:
    first, stop = span
    if sum(map(len, texts[first:stop])) > LONGEST_JOINED:
        return
    edges[first].append(Edge(stop, forms("".join(texts[first:stop]))))
    if texts[first] in _ONE_LETTER_WORDS and stop - first > shortest:
        edges[first + 1].append(Edge(stop, forms("".join(texts[first + 1 : stop]))))


def _spelled(texts: Sequence[str], gaps: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where letters stand on their own, one blank or sign apart: n u d e, n.u.d.e."""

    def belongs(number: int) -> bool:
        gap = gaps[number]
        near = len(gap) == 1 or (len(gap) <= 3 and not gap.isspace())  # noqa: PLR2004 - such as ", "
        return len(texts[number]) == len(texts[number + 1]) == 1 and near

    for first, stop in _runs([belongs(number) for number in range(len(gaps))]):
        if stop - first >= SHORTEST_SPELLED:
            yield first, stop


def _in_pieces(gaps: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where words hang together: na-ked, na.ked."""
    yield from _runs([gap in _JOINTS for gap in gaps])


def _runs(together: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield the longest stretches of words whose gaps hold together."""
    place = 0
    for holds, group in groupby(together):
        count = sum(1 for _ in group)
        if holds:
            yield place, place + count + 1
        place += count


@lru_cache(maxsize=4096)  # of words people use, few at a time are different
def forms(word: str) -> tuple[str, ...]:
    """Return what *word* may mean: as written, digits read as letters, stretched letters shortened."""
    readings = [word]
    if not word.isalpha() and any(map(str.isalpha, word)):
        readings += [word.translate(_AS_I), word.translate(_AS_L), _DIGITS_LAST.sub("", word)]
    for reading in tuple(readings):
        if _STRETCHED.search(reading):
            readings.append(_STRETCHED.sub(r"\1\1", reading))
            readings += squeezed(reading)
    return tuple(dict.fromkeys(readings))


def squeezed(word: str) -> tuple[str, ...]:
    """Return the form without repeated letters, or nothing where too little would be left."""
    short = _REPEATED.sub(r"\1", word)
    return (SQUEEZED + short,) if len(short) >= SHORTEST_SQUEEZED else ()
