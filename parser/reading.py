"""What reading one prompt has found so far: problems, each with the edits that would put it right."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from parser.errors import ErrorCode
from parser.scanner import Span, collapsed


@dataclass(frozen=True, slots=True)
class Edit:
    """Put *text* in place of a span of the scanned text."""

    start: int
    stop: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, at a place of the scanned text; without edits only the author can put it right.

    Attributes:
        code: What.
        message: Advice in a sentence or two.
        span: Where.
        edits: What would put it right.
        also: The other places that it is about, as of what something contradicts.
    """

    code: ErrorCode
    message: str
    span: Span
    edits: tuple[Edit, ...] = ()
    also: tuple[Span, ...] = ()


@dataclass(slots=True)
class Problems:
    """The problems of one prompt, in the order they were met."""

    found: list[Problem] = field(default_factory=list)

    def add(
        self, code: ErrorCode, message: str, span: Span, *edits: Edit, also: tuple[Span, ...] = ()
    ) -> None:
        """Note a problem and the edits that would put it right."""
        self.found.append(Problem(code, message, span, edits, also))


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return *text* after the edits; of edits that overlap the first is made."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.stop)):
        if edit.start >= position:
            pieces += (text[position : edit.start], edit.text)
            position = edit.stop
    return collapsed("".join((*pieces, text[position:])))
