"""Why a prompt was refused: a code, advice in words, the place, and the prompt put right."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from parser.scanner import shown

WINDOW = 50  # columns that `pointer` shows of a prompt: what an embed holds in one line, with both ends cut


class ErrorCode(StrEnum):
    """What is wrong. The text is stable: tests, translations and scripts rely on it."""

    EMPTY_PROMPT = "empty_prompt"
    PROMPT_TOO_LONG = "prompt_too_long"
    TOO_MANY_PARTS = "too_many_parts"
    SINGLE_IMAGE = "single_image"
    UNKNOWN_PARAMETER = "unknown_parameter"
    UNAVAILABLE_PARAMETER = "unavailable_parameter"
    UNAVAILABLE_IMAGES = "unavailable_images"
    CLOSED_PARAMETER = "closed_parameter"
    UNAVAILABLE_PERMUTATIONS = "unavailable_permutations"
    TOO_MANY_JOBS = "too_many_jobs"
    BATCH_IN_RELAX = "batch_in_relax"
    MISSING_VALUE = "missing_value"
    MISSING_SPACE = "missing_space"
    INVALID_VALUE = "invalid_value"
    OUT_OF_RANGE = "out_of_range"
    TEXT_AFTER_PARAMETER = "text_after_parameter"
    REPEATED_PARAMETER = "repeated_parameter"
    CONFLICTING_PARAMETERS = "conflicting_parameters"
    NEEDS_ANOTHER = "needs_another"
    LOOKS_LIKE_PARAMETER = "looks_like_parameter"
    WEIGHT_OUT_OF_RANGE = "weight_out_of_range"
    WEIGHT_WITHOUT_TEXT = "weight_without_text"
    WEIGHT_IN_NEGATIVE = "weight_in_negative"
    WEIGHTS_NOT_POSITIVE = "weights_not_positive"


@dataclass(frozen=True, slots=True)
class PromptError:
    """One problem of one prompt.

    Attributes:
        code: What is wrong.
        message: Advice in a sentence or two; names the fix. Parameters stand in backticks.
        source: The prompt as typed.
        span: Half-open ``[start, stop)`` in code points of ``source``.
        suggestion: The whole prompt with every problem put right, which parses; ``None`` where
            only the author can say what was meant. All errors of one prompt share it.
        also: Spans of the other places that it is about, as of what something contradicts.
    """

    code: ErrorCode
    message: str
    source: str
    span: tuple[int, int]
    suggestion: str | None = None
    also: tuple[tuple[int, int], ...] = ()

    def pointer(self) -> str:
        """Return the source as one line with the span underlined by ``^``, and other places by ``~``.

        Of a long prompt only the neighbourhood of the span is shown, with ``…`` where it was cut, and of
        the other places those that are as near. Wide characters, as in Chinese, count two columns.
        """
        first, last = self._window()
        ends = ("…" if first else "", "…" if last < len(self.source) else "")
        widths = [_width(character) for character in self.source[first:last]]
        marks = [" " * len(ends[0]), *(self._mark(first + at) * width for at, width in enumerate(widths))]
        if "^" not in "".join(marks):  # a place between two characters, or behind the last
            marks = [*marks[: self.span[0] - first + 1], "^"]
        underline = "".join(marks).rstrip()
        return f"{ends[0]}{shown(self.source[first:last])}{ends[1]}\n{underline}"

    def _window(self) -> tuple[int, int]:
        """Return the half-open part of the source that fits in a line: around all places, or its own."""
        widths = [_width(character) for character in self.source]
        if sum(widths) <= WINDOW:
            return 0, len(widths)
        places = (self.span, *self.also)
        first, last = min(start for start, _ in places), max(stop for _, stop in places)
        if sum(widths[first:last]) > WINDOW:
            first, last = self.span
        while sum(widths[first:last]) > WINDOW:
            last -= 1
        room = WINDOW - sum(widths[first:last])
        before = max(room // 2, room - sum(widths[last:]))
        while first and widths[first - 1] <= before:
            first -= 1
            before -= widths[first]
        room = WINDOW - sum(widths[first:last])
        while last < len(widths) and widths[last] <= room:
            room -= widths[last]
            last += 1
        return first, last

    def _mark(self, place: int) -> str:
        """Return the mark under the character at *place*."""
        if self.span[0] <= place < self.span[1]:
            return "^"
        return "~" if any(start <= place < stop for start, stop in self.also) else " "


class PromptErrors(ValueError):  # noqa: N818 - the plural of PromptError, not an error called "Prompt"
    """A prompt was refused.

    Attributes:
        errors: Every problem found, sorted by place; at least one.
    """

    def __init__(self, errors: tuple[PromptError, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(error.message for error in self.errors)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
