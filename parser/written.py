"""A parameter as it stands in the prompt, and what reading its value can come to."""

from dataclasses import dataclass

from parser.errors import ErrorCode
from parser.parameter import Kind, Parameter
from parser.reading import Edit, Problems
from parser.request import StyleReference
from parser.scanner import Span, Token

SWITCHED = {**dict.fromkeys(("1", "true", "on", "yes"), True), **dict.fromkeys(("0", "false", "off"), False)}
Typed = int | float | bool | str | tuple[int, int] | tuple[str | StyleReference, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A parameter as it stands in the prompt.

    Attributes:
        row: What is known about it.
        name: Its name as typed.
        words: What stands behind the name, up to the next parameter; outside lists without words of
            punctuation alone.
        start: Where the hyphens begin.
        stop: Where the next parameter begins.
    """

    row: Parameter
    name: Token
    words: tuple[Token, ...]
    start: int
    stop: int

    @property
    def title(self) -> str:
        """The parameter's long name, for a message."""
        return f"`--{self.row.name}`"

    @property
    def switched(self) -> bool | None:
        """What the one word behind the name of a flag switches it to; ``None`` if there is no such word."""
        return SWITCHED.get(self.words[0].trimmed().text.lower()) if len(self.words) == 1 else None

    def span(self, words: int) -> Span:
        """Return where the parameter stands, from the hyphens to the end of so many words."""
        return self.start, self.words[words - 1].stop if words else self.name.stop

    def dropped(self, words: int) -> Edit:
        """Return the edit that removes the parameter and so many words."""
        return Edit(self.start, self.stop if words == len(self.words) else self.span(words)[1])

    def refuse(self, problems: Problems) -> "Found":
        """Say that the first word is no value; with more words behind it they may all be text."""
        word = self.words[0].trimmed()
        message = (
            f"{self.title} needs {needed(self.row)}; `{cut(word.text)}` is not one. "
            f"Write one, or leave {self.title} out."
        )
        edits = (self.dropped(1),) if len(self.words) == 1 else ()
        problems.add(ErrorCode.INVALID_VALUE, message, word.span, *edits)
        return Found(value=None, words=1)


@dataclass(frozen=True, slots=True)
class Found:
    """What words came to: a value, or ``None`` with a problem noted; and how many words it was."""

    value: Typed | None
    words: int


def needed(row: Parameter) -> str:
    """Return what has to follow the name of a parameter, in words."""
    if row.choices:
        return f"one of {row.range}"
    return _NEEDED[row.kind].format(row.range)


_NEEDED = {
    Kind.FLAG: "nothing behind it",
    Kind.INTEGER: "a whole number from {}",
    Kind.NUMBER: "a number from {}",
    Kind.RATIO: "two whole numbers with a colon between them",
    Kind.LIST: "the things to leave out",
    Kind.LINKS: "the address of a picture",
    Kind.STYLES: "the address of a picture, the number of a style or `random`",
    Kind.CODES: "the code of a profile or moodboard",
}


def cut(text: str, limit: int = 24) -> str:
    """Return *text*, shortened for a message."""
    return text if len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
