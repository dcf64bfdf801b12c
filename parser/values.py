"""The values of parameters: from the words after a name to a number, a ratio or a list, or to advice."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from parser.errors import ErrorCode
from parser.parameter import Kind, Parameter
from parser.reading import Edit, Problems
from parser.request import reduced
from parser.scanner import COMMAS, NUMBER, PUNCTUATION, Span, Token, collapsed

Typed = int | float | bool | tuple[int, int] | tuple[str, ...]

RATIO_DIGITS = 6  # on each side; longer ones are no ratio that anybody means, and slow to reduce
UNSIGNED = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
RATIO = re.compile(
    rf"(?P<width>{UNSIGNED}) ?(?P<sign>[:/xX\u00d7\uff1a ]) ?(?P<height>{UNSIGNED})[{PUNCTUATION}]*(?= |$)"
)
RATIO_WORDS = 3  # `16 : 9` is forgiven
ITEM_END = re.compile(f"[{COMMAS}]")
WEIGHT = re.compile(rf"::(?:{NUMBER.pattern})?")


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

    def span(self, words: int) -> Span:
        """Return where the parameter stands, from the hyphens to the end of so many words."""
        return self.start, self.words[words - 1].stop if words else self.name.stop

    def dropped(self, words: int) -> Edit:
        """Return the edit that removes the parameter and so many words."""
        return Edit(self.start, self.stop if words == len(self.words) else self.span(words)[1])


@dataclass(frozen=True, slots=True)
class Found:
    """What words came to: a value, or ``None`` with a problem noted; and how many words it was."""

    value: Typed | None
    words: int


def read_value(written: Written, problems: Problems) -> Found:
    """``value = [ number | ratio | list ]``, as the kind of the parameter demands."""
    row = written.row
    if row.kind is Kind.FLAG:
        return Found(value=True, words=0)
    if not written.words:
        message = f"{written.title} needs {needed(row)}, as in `{row.example}`."
        problems.add(ErrorCode.MISSING_VALUE, message, written.span(0), written.dropped(0))
        return Found(value=None, words=0)
    if row.kind is Kind.LIST:
        return Found(read_list(written, problems), words=len(written.words))
    if row.kind is Kind.RATIO:
        return read_ratio(written, problems)
    return Found(read_number(written, problems), words=1)


def read_number(written: Written, problems: Problems) -> int | float | None:
    """``number = [ "+" | "-" ] ( DIGITS [ "." [ DIGITS ] ] | "." DIGITS )``, in the parameter's range."""
    row, word = written.row, written.words[0].trimmed()
    match = NUMBER.match(word.text)
    if match is None:
        message = f"{written.title} needs {needed(row)}; `{cut(word.text)}` is not one."
        edits = (written.dropped(1),) if len(written.words) == 1 else ()
        problems.add(ErrorCode.INVALID_VALUE, message, word.span, *edits)
        return None
    value = Decimal(match.group())
    nearest = row.nearest(value)
    edit = Edit(*written.words[0].span, f"{nearest:f}")
    if match.end() < len(word.text) or (row.kind is Kind.INTEGER and value != value.to_integral_value()):
        message = f"{written.title} needs {needed(row)}; the nearest to `{cut(word.text)}` is {nearest:f}."
        problems.add(ErrorCode.INVALID_VALUE, message, word.span, edit)
        return None
    if nearest != value:
        message = f"{written.title} takes {row.range}; the nearest to `{cut(word.text)}` is {nearest:f}."
        problems.add(ErrorCode.OUT_OF_RANGE, message, word.span, edit)
        return None
    return int(value) if row.kind is Kind.INTEGER else float(value)


def read_ratio(written: Written, problems: Problems) -> Found:
    """``ratio = DIGITS ":" DIGITS``, neither of them 0, in the parameter's range."""
    words = written.words[:RATIO_WORDS]
    text = " ".join(word.text for word in words)
    match = RATIO.match(text)
    if match is None:
        word = words[0].trimmed()
        message = f"{written.title} needs {needed(written.row)}, as in `{written.row.example}`."
        edits = (written.dropped(1),) if len(written.words) == 1 else ()
        problems.add(ErrorCode.INVALID_VALUE, message, word.span, *edits)
        return Found(value=None, words=1)
    count = match.group().count(" ") + 1
    span = (words[0].start, words[count - 1].trimmed().stop)
    width, height = match.group("width", "height")
    whole = match["sign"] == ":" and all(side.isdecimal() and side.strip("0") for side in (width, height))
    if whole and max(len(width), len(height)) <= RATIO_DIGITS:
        ratio = reduced((int(width), int(height)))
        if written.row.spans(Fraction(*ratio)):
            return Found(ratio, count)
    fix = "{}:{}".format(*nearest_ratio(written.row, Decimal(width), Decimal(height)))
    if whole:
        code, advice = ErrorCode.OUT_OF_RANGE, f"takes {written.row.range}"
    else:
        code, advice = ErrorCode.INVALID_VALUE, f"needs {needed(written.row)}"
    message = f"{written.title} {advice}; the nearest to `{cut(text[: match.end()])}` is {fix}."
    problems.add(code, message, span, Edit(words[0].start, words[count - 1].stop, fix))
    return Found(value=None, words=count)


def nearest_ratio(row: Parameter, width: Decimal, height: Decimal) -> tuple[int, int]:
    """Return the valid ratio of whole numbers next to that of two numbers, neither of them negative."""
    low, high = row.bounds
    if width * high.denominator >= height * high.numerator:
        return high.as_integer_ratio()
    if width * low.denominator <= height * low.numerator:
        return low.as_integer_ratio()
    # One digit less, so that the longer side still has no more than the limit.
    return Fraction(width / height).limit_denominator(10 ** (RATIO_DIGITS - 1)).as_integer_ratio()


def read_list(written: Written, problems: Problems) -> tuple[str, ...] | None:
    """``list = item { "," item }``, with the commas of several scripts; empty items do not count."""
    text = " ".join(word.text for word in written.words)
    items = tuple(item for item in (tidied(item) for item in ITEM_END.split(text)) if item)
    if "::" in text:
        message = (
            f"Weights have no meaning inside {written.title}; "
            "write a part with a negative weight instead, as in `red::-.5`."
        )
        edits = (Edit(word.start, word.stop, WEIGHT.sub(" ", word.text)) for word in written.words)
        problems.add(ErrorCode.WEIGHT_IN_NEGATIVE, message, written.span(len(written.words)), *edits)
        return None
    if not items:
        message = f"{written.title} needs {needed(written.row)}, as in `{written.row.example}`."
        problems.add(ErrorCode.MISSING_VALUE, message, written.span(0), written.dropped(len(written.words)))
        return None
    return items


def tidied(item: str) -> str:
    """Return an item of a list without blanks and punctuation around it."""
    return collapsed(item.rstrip(f"{PUNCTUATION} "))


def needed(row: Parameter) -> str:
    """Return what has to follow the name of a parameter, in words."""
    match row.kind:
        case Kind.LIST:
            return "the things to leave out"
        case Kind.RATIO:
            return "two whole numbers with a colon between them"
        case Kind.INTEGER:
            return f"a whole number from {row.range}"
        case Kind.LINKS:
            return "the address of a picture"
        case Kind.FLAG:
            return "nothing behind it"
        case _:
            return f"one of {row.range}" if row.choices else f"a number from {row.range}"


def cut(text: str, limit: int = 24) -> str:
    """Return *text*, shortened for a message."""
    return text if len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
