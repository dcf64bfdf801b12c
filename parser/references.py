"""Values made of several words: addresses of pictures, numbers of styles, codes of people's taste."""

import re
from collections.abc import Callable

from parser.errors import ErrorCode
from parser.reading import Edit, Problems
from parser.request import CODE, RANDOM, SEED_LIMIT, StyleReference, tells
from parser.scanner import NUMBER, RULES, Token
from parser.weights import read_positive
from parser.written import Found, Written, cut

DIGITS = re.compile(r"[0-9]+")
SEVERAL_DIGITS = re.compile(r"[0-9]+(?:,[0-9]+)+")


def address(word: Token) -> tuple[str, Token] | None:
    """``( URL | "<" URL ">" ) [ "::" [ NUMBER ] ]``: return the URL and its weight as typed."""
    word = word.trimmed()
    url, weight = weighted(word)
    if url.startswith("<"):
        url = url[1:-1] if url.endswith(">") else ""
    return (url, weight) if RULES["IMAGE"].match(url) else None


def weighted(word: Token) -> tuple[str, Token]:
    """Return *word* without its weight, and the weight; that has no characters if there is none."""
    text, sign, weight = word.text.rpartition("::")
    if not sign or (weight and not NUMBER.fullmatch(weight)):
        text, weight = word.text, ""
    return text, Token(weight, word.stop - len(weight), word.stop)


def read_links(written: Written, problems: Problems) -> Found:
    """``links = URL { URL }``; weights have no meaning here."""

    def link(word: Token) -> str | None:
        found = address(word)
        if found is None:
            return None
        url, weight = found
        if weight.text:
            place = weight.start - 2, weight.stop
            message = f"Weights have no meaning behind {written.title}; leave `::{weight.text}` out."
            problems.add(ErrorCode.INVALID_VALUE, message, place, Edit(*place))
        return url

    return _several(written, link, problems)


def read_styles(written: Written, problems: Problems) -> Found:
    """``styles = style { style }``; ``style = ( URL | DIGITS | "random" ) [ "::" [ NUMBER ] ]``."""

    def style(word: Token) -> StyleReference | None:
        text, weight = address(word) or weighted(word.trimmed())
        source: int | str
        if DIGITS.fullmatch(text):
            source = _numbered(Token(text, word.start, word.start + len(text)), written, problems)
        elif RULES["IMAGE"].match(text):
            source = text
        elif text.lower() == RANDOM:
            source = RANDOM
        elif SEVERAL_DIGITS.fullmatch(text):
            message = (
                f"Put spaces between the numbers behind {written.title}, as in `{text.replace(',', ' ')}`."
            )
            place = word.start, word.start + len(text)
            problems.add(ErrorCode.INVALID_VALUE, message, place, Edit(*place, text.replace(",", " ")))
            source = RANDOM
        else:
            return None
        return StyleReference(source=source, weight=read_positive(weight, "a style", problems))

    return _several(written, style, problems)


def _numbered(digits: Token, written: Written, problems: Problems) -> int:
    """Return the number of a style, or the nearest there is."""
    number = SEED_LIMIT if len(digits.text) > len(str(SEED_LIMIT)) else int(digits.text)
    if number > SEED_LIMIT or len(digits.text) > len(str(SEED_LIMIT)):
        message = (
            f"Styles behind {written.title} are numbered from 0 to {SEED_LIMIT}; "
            f"the nearest to `{cut(digits.text)}` is {SEED_LIMIT}."
        )
        problems.add(ErrorCode.OUT_OF_RANGE, message, digits.span, Edit(*digits.span, str(SEED_LIMIT)))
    return min(number, SEED_LIMIT)


def read_codes(written: Written, problems: Problems) -> Found:
    """``codes = [ CODE { CODE } ]``. Of several words only those with a digit: the others may be text."""
    lone = len(written.words) == 1

    def code(word: Token) -> str | None:
        text = word.trimmed().text.lower()
        return text if CODE.fullmatch(text) and (lone or tells(text)) else None

    if lone or (written.words and code(written.words[0])):
        return _several(written, code, problems)
    return Found((written.row.alone,), 0)


def _several(
    written: Written, read: Callable[[Token], str | StyleReference | None], problems: Problems
) -> Found:
    """Read words as long as they are values; words of text may follow."""
    values: list[str | StyleReference] = []
    for word in written.words:
        value = read(word)
        if value is None:
            break
        values.append(value)
    if not values:
        return written.refuse(problems)
    most = written.row.most
    if len(values) > most:
        place = written.words[most].start, written.words[len(values) - 1].stop
        message = f"{written.title} takes {'one' if most == 1 else f'at most {most}'}; leave the others out."
        problems.add(ErrorCode.OUT_OF_RANGE, message, place, Edit(*place))
    return Found(tuple(values[:most]), len(values))
