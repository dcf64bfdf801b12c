"""A prompt in pieces that advice can change: image links, text, parameters."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from parser import ImagineRequest, PromptErrors, read_batch
from parser.coach.advice import Language
from parser.coach.language import language_of
from parser.scanner import COMMAND, Scanner, Span, collapsed, shown

_IMAGES = re.compile(rf"(?:{COMMAND} *|<?https?://[^ ]+(?: ::[^ ]*)?(?: |$))*", re.IGNORECASE)
_PASTED = re.compile(rf"(?:(?<= )|^){COMMAND}", re.IGNORECASE)  # says nothing
# What is drawn as letters, and what stands for several prompts, keeps its wording.
_KEPT = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']*'(?!\w)|`[^`]*`|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_DANGLING = r"(?:and|or|nor|with|but|plus|that|which|who|y|e|ni|con|pero|que)"
_TIDY = tuple(
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (rf"(?<!\w){_DANGLING}\s*(?=[,;.]|::|$)", ""),
        (r"\s+(?=[,;.!?](?:\s|$))", ""),
        (r"[,;](?:\s*[,;])+", ","),
        (r"[,;]+\s*(?=\.(?:\s|$)|::|$)", ""),
        (r"^\s*[,;.]+\s+", ""),
        (r"(::\S*)\s*[,;]+\s+", r"\1 "),
        (r"^\s*(?:and|but|with|y|pero|con)\s+", ""),
    )
)
_ARTICLE = re.compile(r"(?<!\w)an?\s+$", re.IGNORECASE)
_VOWEL = re.compile(r"\s*(?!one\b|once\b|uni|eu|us)[aeiou]", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """One prompt.

    Attributes:
        images: The image links in front, as typed.
        text: What is described, on one line.
        tail: Everything from the first parameter on.
    """

    images: str
    text: str
    tail: str

    @cached_property
    def language(self) -> Language:
        """The language it is rather in."""
        return language_of(self.text)

    @cached_property
    def whole(self) -> str:
        """The prompt on one line."""
        return joined(self.images, self.text, self.tail)

    @cached_property
    def request(self) -> ImagineRequest | None:
        """What it asks for, of several prompts in one the first; ``None`` if it is not understood."""
        try:
            return read_batch(self.whole).prompts[0]
        except PromptErrors:
            return None

    @cached_property
    def kept(self) -> tuple[Span, ...]:
        """Where the text must stay as it is: quotations and braces."""
        return tuple(match.span() for match in _KEPT.finditer(self.text))

    def find(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Yield the places of *pattern* in the text that are free to change."""
        for match in pattern.finditer(self.text):
            index = bisect_left(self.kept, match.end(), key=lambda span: span[0])
            if index == 0 or self.kept[index - 1][1] <= match.start():
                yield match

    def with_text(self, text: str, *more: str) -> str:
        """Return the prompt with another text, and with *more* behind its parameters."""
        return joined(self.images, text, self.tail, *more)

    def without(self, spans: Sequence[Span], *more: str) -> str:
        """Return the prompt without some spans of its text, and with *more* behind its parameters."""
        return self.with_text(tidied(removed(self.text, spans)), *more)


def draft(source: str) -> Draft:
    """Return *source* in pieces, in time linear in its length."""
    text = collapsed(shown(source))
    head = Scanner(text).until("FLAG").text
    images = _IMAGES.match(head)
    stop = images.end() if images else 0
    return Draft(collapsed(_PASTED.sub(" ", head[:stop])), head[stop:].strip(), text[len(head) :])


def joined(*pieces: str) -> str:
    """Return the pieces that are not empty, with spaces between."""
    return " ".join(piece for piece in pieces if piece)


def removed(text: str, spans: Iterable[Span]) -> str:
    """Return *text* without *spans*, which may overlap; an English article before one suits what follows."""
    end = 0
    pieces: list[str] = []
    for start, stop in sorted(spans):
        if start > end:
            pieces.append(with_article(text[end:start], text[stop:]))
        end = max(end, stop)
    return " ".join((*pieces, text[end:]))


def with_article(before: str, after: str) -> str:
    """Return *before* with its last word ``a`` or ``an``, if it is one, as *after* needs it."""
    match = _ARTICLE.search(before)
    if match is None:
        return before
    return f"{before[: match.start() + 1]}{'n' if _VOWEL.match(after) else ''} "


def tidied(text: str) -> str:
    """Return *text* without what a removal leaves behind: lone commas, words that joined nothing."""
    text = collapsed(text)
    for pattern, put in _TIDY:
        text = collapsed(pattern.sub(put, text))
    return text


def clauses(text: str) -> list[Span]:
    """Return where the pieces between commas, full stops and ``::`` stand, without blanks around them."""
    edges = [0, *(at for match in re.finditer(r"[,;.]|::", text) for at in match.span()), len(text)]
    found = []
    for start, stop in list(pairwise(edges))[::2]:
        inner = text[start:stop]
        if inner.strip():
            left = start + len(inner) - len(inner.lstrip())
            found.append((left, left + len(inner.strip())))
    return found
