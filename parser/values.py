"""The values of parameters: from the words after a name to a number, a ratio or a list, or to advice."""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from parser.errors import ErrorCode
from parser.parameter import Kind, Parameter
from parser.reading import Edit, Problems
from parser.references import read_codes, read_links, read_styles
from parser.request import reduced
from parser.scanner import COMMAS, NUMBER, PUNCTUATION, Token, collapsed
from parser.spelling import closest
from parser.written import Found, Written, cut, needed

RATIO_DIGITS = 6  # on each side; longer ones are no ratio that anybody means, and slow to reduce
UNSIGNED = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
RATIO = re.compile(
    rf"(?P<width>{UNSIGNED}) ?(?P<sign>[:/xX\u00d7\uff1a\u2236\ua789 ]) ?"
    rf"(?P<height>{UNSIGNED})[{PUNCTUATION}]*(?= |$)"
)
# What was meant as a ratio: `16:9:2`, `16;9`, `3-2`, `1920x1080px`, `1.85`.
LOOSE_RATIO = re.compile(
    rf"[+-]?(?P<width>{UNSIGNED})(?:[:;/xX\u00d7\u2236\ua789-][+-]?(?P<height>{UNSIGNED}))?(?![0-9])"
)
SHAPES = {
    "square": "1:1",
    "landscape": "3:2",
    "horizontal": "3:2",
    "portrait": "2:3",
    "vertical": "2:3",
    "wide": "16:9",
    "widescreen": "16:9",
    "tall": "9:16",
}
THOUSANDS = re.compile(r"[0-9]{1,3}(?:[.,'\u2019][0-9]{3})+")
COMMA_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]*),(?P<part>[0-9]+)")
RATIO_WORDS = 3  # `16 : 9` is forgiven
ITEM_END = re.compile(f"[{COMMAS}]")
QUOTES = "\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u300c\u300d"
MARKS = f"{QUOTES}*_~|()[]<>"  # also what Discord makes bold or hides
BARE_KINDS = (Kind.RATIO, Kind.INTEGER, Kind.NUMBER, Kind.CHOICE)
WEIGHT = re.compile(rf"::(?:{NUMBER.pattern})?")


def read_value(written: Written, problems: Problems) -> Found:
    """``value = [ number | ratio | list | choice | links | styles | codes ]``, as its kind demands."""
    row = written.row
    if row.kind is Kind.FLAG:
        return read_flag(written, problems)
    if not written.words and not row.alone:
        message = f"{written.title} needs {needed(row)}, as in `{row.example}`; add it, or leave it all out."
        problems.add(ErrorCode.MISSING_VALUE, message, written.span(0), written.dropped(0))
        return Found(value=None, words=0)
    if row.kind in BARE_KINDS and (bare := unmarked(written.words[:1])):
        word = written.words[0]
        right = f"--{written.name.text} {cut(bare)}"
        message = f"Write the value of {written.title} without marks around it: `{right}`."
        problems.add(ErrorCode.INVALID_VALUE, message, word.trimmed().span, Edit(*word.span, bare))
        return Found(value=None, words=1)
    return READERS[row.kind](written, problems)


def read_flag(written: Written, problems: Problems) -> Found:
    """``flag = ``: nothing; a lone word that switches it on or off, as in ``--tile 1``, is one too many."""
    switched = written.switched
    if switched is None:
        return Found(value=True, words=0)
    word = written.words[0]
    if switched:
        advice, edit = f"write just `--{written.name.text}`", Edit(*word.span)
    else:
        advice, edit = "leave it out", written.dropped(1)
    message = f"{written.title} takes no value; {advice}."
    problems.add(ErrorCode.INVALID_VALUE, message, word.trimmed().span, edit)
    return Found(value=None, words=1)


def unmarked(words: tuple[Token, ...]) -> str:
    """Return the one word there may be without marks such as quotes around it; nothing if it has none."""
    text = "".join(word.trimmed().text for word in words)
    bare = text.strip(MARKS).rstrip(PUNCTUATION)
    return bare if bare != text else ""


def read_choice(written: Written, problems: Problems) -> Found:
    """``choice = WORD``, one of the parameter's choices; what are versions may end in ``.0``."""
    row = written.row
    word = written.words[0].trimmed() if written.words else None
    if word is None:
        return Found(row.alone, words=0)
    text = word.text.lower()
    number = NUMBER.fullmatch(text) if row.numbers else None
    if number is not None:
        value = Decimal(text)
        nearest = f"{row.nearest(value):f}"
        if Decimal(nearest) == value:
            return Found(nearest, words=1)
    elif text in row.choices:
        return Found(text, words=1)
    elif row.alone and not any(character.isdecimal() for character in text):
        return Found(row.alone, words=0)
    else:
        begun = NUMBER.match(text) if row.numbers else None
        nearest = f"{row.nearest(Decimal(begun.group())):f}" if begun else closest(text, row.choices) or ""
    if not nearest:
        return written.refuse(problems)
    message = f"{written.title} takes {row.range}; the nearest to `{cut(word.text)}` is {nearest}."
    problems.add(ErrorCode.INVALID_VALUE, message, word.span, Edit(*written.words[0].span, nearest))
    return Found(value=None, words=1)


def read_number(written: Written, problems: Problems) -> Found:
    """``number = [ "+" | "-" ] ( DIGITS [ "." [ DIGITS ] ] | "." DIGITS )``, in the parameter's range."""
    row, word = written.row, written.words[0].trimmed()
    value = number_in(word.text, row)
    if value is None:
        return written.refuse(problems)
    nearest = row.nearest(value)
    edit = Edit(*written.words[0].span, f"{nearest:f}")
    plain = NUMBER.fullmatch(word.text) and Decimal(word.text) == value
    if not plain or (row.kind is Kind.INTEGER and value != value.to_integral_value()):
        message = f"{written.title} needs {needed(row)}; the nearest to `{cut(word.text)}` is {nearest:f}."
        problems.add(ErrorCode.INVALID_VALUE, message, word.span, edit)
        return Found(value=None, words=1)
    if nearest != value:
        message = f"{written.title} takes {row.range}; the nearest to `{cut(word.text)}` is {nearest:f}."
        problems.add(ErrorCode.OUT_OF_RANGE, message, word.span, edit)
        return Found(value=None, words=1)
    return Found(int(value) if row.kind is Kind.INTEGER else float(value), words=1)


def number_in(word: str, row: Parameter) -> Decimal | None:
    """Return the number that *word* is, or that was meant by it: ``1,000``, ``0,5``, ``50%``, ``#42``."""
    word = folded(word)
    comma = COMMA_DECIMAL.fullmatch(word)
    if row.kind is Kind.INTEGER and THOUSANDS.fullmatch(word):
        return Decimal("".join(character for character in word if character.isdecimal()))
    if comma and row.kind is Kind.NUMBER:
        return Decimal(f"{comma['sign']}{comma['whole'] or '0'}.{comma['part']}")
    match = NUMBER.match(word)
    if match is None:
        within = re.findall(UNSIGNED, word)
        return Decimal(within[0]) if len(within) == 1 else None
    return Decimal(match.group())


def folded(word: str) -> str:
    """Return *word* with digits and signs as they are written in the West, for a correction."""
    plain = unicodedata.normalize("NFKC", word)
    return "".join(str(unicodedata.decimal(character, character)) for character in plain)


def read_ratio(written: Written, problems: Problems) -> Found:
    """``ratio = DIGITS ":" DIGITS``, neither of them 0, in the parameter's range."""
    words = written.words[:RATIO_WORDS]
    text = " ".join(word.text for word in words)
    match = RATIO.match(text)
    if match is None:
        return refuse_ratio(written, problems)
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


def refuse_ratio(written: Written, problems: Problems) -> Found:
    """Say that the first word is no ratio, and which was meant by it, if any."""
    row, word = written.row, written.words[0].trimmed()
    asked = f"{written.title} needs {needed(row)}, as in `{row.example}`"
    match, fix = LOOSE_RATIO.match(folded(word.text)), SHAPES.get(word.text.lower(), "")
    if match and (match["height"] or "." in match["width"]):
        fix = "{}:{}".format(*nearest_ratio(row, Decimal(match["width"]), Decimal(match["height"] or 1)))
    edits: tuple[Edit, ...] = (written.dropped(1),) if len(written.words) == 1 else ()
    if fix:
        edits = (Edit(*written.words[0].span, fix),)
    end = (
        f"the nearest to `{cut(word.text)}` is {fix}." if fix else f"write one, or leave {written.title} out."
    )
    problems.add(ErrorCode.INVALID_VALUE, f"{asked}; {end}", word.span, *edits)
    return Found(value=None, words=1)


def nearest_ratio(row: Parameter, width: Decimal, height: Decimal) -> tuple[int, int]:
    """Return the valid ratio of whole numbers next to that of two numbers, neither of them negative."""
    low, high = row.bounds
    if width * high.denominator >= height * high.numerator:
        return high.as_integer_ratio()
    if width * low.denominator <= height * low.numerator:
        return low.as_integer_ratio()
    # One digit less, so that the longer side still has no more than the limit.
    return Fraction(width / height).limit_denominator(10 ** (RATIO_DIGITS - 1)).as_integer_ratio()


def read_list(written: Written, problems: Problems) -> Found:
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
        return Found(value=None, words=len(written.words))
    if not items:
        message = f"{written.title} needs {needed(written.row)}, as in `{written.row.example}`."
        problems.add(ErrorCode.MISSING_VALUE, message, written.span(0), written.dropped(len(written.words)))
        return Found(value=None, words=len(written.words))
    return Found(items, words=len(written.words))


def tidied(item: str) -> str:
    """Return an item of a list without blanks, punctuation and quotes around it."""
    item = collapsed(item.rstrip(f"{PUNCTUATION} "))
    while len(item) > 1 and item[0] in QUOTES and item[-1] in QUOTES:
        item = item[1:-1].strip(f"{PUNCTUATION} ")
    return item


READERS: dict[Kind, Callable[[Written, Problems], Found]] = {
    Kind.LIST: read_list,
    Kind.RATIO: read_ratio,
    Kind.INTEGER: read_number,
    Kind.NUMBER: read_number,
    Kind.CHOICE: read_choice,
    Kind.LINKS: read_links,
    Kind.STYLES: read_styles,
    Kind.CODES: read_codes,
}
