"""Word lists: how they are written, and the tree in which phrases are found. Pure but for `shipped`.

A list is text, one entry a line, for one category::

    # a comment
    behead(|s|ed|ing)              a word in four forms
    cut(|s|ting) (my|his) wrist(|s)  a phrase in several
    !chicken breast(|s)            allowed: whatever lies inside it counts for no category
    *porn*                         also inside other words; use it for what no harmless word contains
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

from bot.moderation.folding import fold
from bot.moderation.tokens import squeezed, words
from worker.api import Category

MINORS = "minors"  # the list of words for people under age
WITHOUT = "without"  # the list of what a --no takes away from people
_SPECIAL = (MINORS, WITHOUT)
_PLAIN = re.compile(r"[^()|]+")
STEM_LIMIT = 4  # letters; a shorter stem is inside too many words


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase was found for: a category's list, or one of the special ones."""

    list: str  # a category, MINORS or WITHOUT
    phrase: str  # as the list has it, expanded


@dataclass(slots=True)
class Node:
    """A place in the tree of phrases; the edges are words."""

    children: dict[str, "Node"] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """Phrases to look for. Built once, then only read.

    Attributes:
        banned: The phrases of every category and special list.
        allowed: The phrases that make what lies inside them harmless.
        stems: For each entry's stem the entry, and one pattern that finds any of them.
    """

    banned: Node
    allowed: Node
    stems: Mapping[str, Entry]
    stem: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Word:
    """One entry as read: a phrase of a list, or one that is allowed."""

    list: str
    phrase: str
    allow: bool = False
    stem: bool = False


def build(entries: Iterable[Word]) -> Lists:
    """Return the tree of *entries*; those without a letter or digit are left out, see `readable`."""
    banned, allowed = Node(), Node()
    stems: dict[str, Entry] = {}
    for word in entries:
        entry = Entry(word.list, word.phrase)
        if word.stem:
            stems[fold(word.phrase).text] = entry
        else:
            _plant(allowed if word.allow else banned, entry)
    longest_first = sorted(stems, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first))) if stems else None
    return Lists(banned, allowed, stems, pattern)


def _plant(tree: Node, entry: Entry) -> None:
    steps = _steps(entry.phrase)
    if not steps:
        return
    for step in steps:
        child = tree.children.get(step)
        if child is None:
            child = tree.children[step] = Node()
            for form in squeezed(step):
                tree.children.setdefault(form, child)
        tree = child
    tree.entries = (*tree.entries, entry)


def _steps(phrase: str) -> tuple[str, ...]:
    """Return the plain words of a phrase."""
    return tuple(step for piece in phrase.split() for step in _plain_words(piece))


@lru_cache(maxsize=8192)  # lists say few words in many combinations
def _plain_words(piece: str) -> tuple[str, ...]:
    return tuple(edges[0].forms[0] for edges in words(fold(piece)).edges)


def readable(phrase: str) -> bool:
    """Tell whether *phrase* has anything that can be looked for."""
    return bool(_steps(phrase))


def read(text: str, name: str) -> Iterator[Word]:
    """Yield the entries of a list.

    Args:
        text: As the module says.
        name: The category, or a special list.

    Raises:
        ValueError: A line cannot be understood; it is named.
    """
    for line in text.splitlines():
        written = line.partition("#")[0].strip()
        if not written:
            continue
        if written.startswith("*"):
            stem = written.strip("*")
            if not written.endswith("*") or len(stem) < STEM_LIMIT or not stem.isalpha():
                raise ValueError(f"{name}: {line!r} is no stem")
            yield Word(name, stem, stem=True)
            continue
        allow = written.startswith("!")
        for phrase in expanded(written.removeprefix("!")):
            yield Word(name, phrase, allow=allow)


def expanded(written: str) -> Iterator[str]:
    """Yield every form of an entry: the product of its groups, which may hold groups.

    Raises:
        ValueError: A parenthesis has no partner.
    """
    forms, rest = _choices(written, 0)
    if rest != len(written):
        raise ValueError(f"{written!r}: parentheses stand in pairs")
    for form in dict.fromkeys(forms):
        yield " ".join(form.split())


def _choices(written: str, place: int) -> tuple[list[str], int]:
    """Return what stands from *place* on until its group ends, in every form, and where that is."""
    done: list[str] = []
    forms = [""]
    while place < len(written) and written[place] != ")":
        if written[place] == "|":
            done, forms, place = done + forms, [""], place + 1
            continue
        inner, place = _piece(written, place)
        forms = [left + right for left in forms for right in inner]
    return done + forms, place


def _piece(written: str, place: int) -> tuple[list[str], int]:
    """Return the forms of the plain text or the group at *place*, and where what follows begins."""
    if written[place] != "(":
        plain = _PLAIN.match(written, place)
        assert plain is not None  # noqa: S101 - the caller looked
        return [plain.group()], plain.end()
    inner, place = _choices(written, place + 1)
    if place == len(written):
        raise ValueError(f"{written!r}: parentheses stand in pairs")
    return inner, place + 1


@cache
def shipped() -> Lists:
    """Return the lists that come with the program."""
    folder = files("bot.moderation") / "lists"
    names = (*(category.value for category in Category), *_SPECIAL)
    return build(
        word for name in names for word in read((folder / f"{name}.txt").read_text(encoding="utf-8"), name)
    )
