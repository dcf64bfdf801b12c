"""The grammar, by recursive descent: each function reads one rule, and its docstring begins with that rule.

Nothing here raises: a problem is noted where it is met, and reading goes on behind it. Blanks may stand
between any two things that are not glued by definition.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from parser.braces import unescaped
from parser.canonical import written
from parser.closed import Closed, Use, check_closed, check_links, put_right_here
from parser.errors import ErrorCode
from parser.flags import Parameters, read_parameters
from parser.reading import Edit, Problems
from parser.references import address
from parser.request import PARTS_LIMIT, ImagePrompt, Part
from parser.scanner import Scanner, Span, collapsed
from parser.table import Table
from parser.weights import read_positive, read_weight, weight_of

COMMA_WEIGHT = re.compile(r"::(?P<whole>[+-]?[0-9]{1,5}),(?P<part>[0-9]{1,3})(?= |$|::)")


@dataclass(slots=True)
class Head:
    """What stands before the parameters."""

    images: list[ImagePrompt] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)  # of the images
    text: str = ""
    span: Span = (0, 0)  # of the text
    parts: list[Part] = field(default_factory=list)
    places: list[Span] = field(default_factory=list)  # of the parts


def read_prompt(
    scanner: Scanner, closed: Closed, table: Table, problems: Problems
) -> tuple[Head, Parameters]:
    """``prompt = { image | "::" | COMMAND } text { parameter }``."""
    head_stop = scanner.until("FLAG").stop
    head = Head()
    front = Scanner(scanner.text, stop=head_stop)
    front.skip_blanks()
    while read_image(front, head, problems) or front.take("BARE") or front.take("COMMAND"):
        front.skip_blanks()
    read_text(front, head, problems)
    parameters = read_parameters(scanner, table, problems)
    check_content(head, parameters, scanner.text, problems)
    check_commas(scanner.text[:head_stop], problems)
    check_count([*head.places, *parameters.places], problems)
    check_closed(closed, parameters.uses, head.uses, problems)
    for wrong in parameters.wrong:
        found = problems.found[wrong.problem]
        problems.found[wrong.problem] = put_right_here(closed, wrong.row, wrong.removal, found, scanner.text)
    check_links(closed, [*head.uses, *parameters.uses], scanner.text, problems)
    return head, parameters


def read_image(scanner: Scanner, head: Head, problems: Problems) -> bool:
    """``image = ( URL | "<" URL ">" ) [ "::" [ NUMBER ] ]``; the URL begins with ``http://`` or ``https://``."""
    word = scanner.peek("WORD") if scanner.peek("IMAGE") else None
    if word is None:
        return False
    found = address(word)
    if found is None:
        return False
    url, place = found
    scanner.take("WORD")
    stop = scanner.position
    scanner.skip_blanks()
    if not place.text and (token := scanner.take("WEIGHTED")):
        place, stop = weight_of(token), token.stop
    value = read_positive(place, "an image", problems)
    head.images.append(ImagePrompt(url=url, weight=value))
    span = (word.start, max(word.trimmed().stop, place.stop))
    head.uses.append(Use("image", span, Edit(word.start, stop), url))
    return True


def read_text(scanner: Scanner, head: Head, problems: Problems) -> None:
    """``text = part { "::" [ NUMBER ] part }``; a weight belongs to the part before it."""
    start = scanner.position
    while not scanner.done:
        words = scanner.until("SEPARATOR").stripped()
        text = unescaped(collapsed(words.text))
        token = scanner.take("WEIGHTED")
        if token is None:
            scanner.take("BARE")
        if text:
            weight = read_weight(weight_of(token), problems) if token else 1.0
            head.parts.append(Part(text=text, weight=weight))
            head.places.append(words.span)
        elif token:
            message = (
                f"No text stands before `{token.text}`; write the weight after its text, as in `fox::2`."
            )
            problems.add(ErrorCode.WEIGHT_WITHOUT_TEXT, message, token.span, Edit(*token.span, " "))
    head.text = collapsed(scanner.text[start : scanner.stop])
    head.span = (start, start + len(scanner.text[start : scanner.stop].rstrip()))


def check_content(head: Head, parameters: Parameters, text: str, problems: Problems) -> None:
    """Say so if nothing is left to draw."""
    if head.parts:
        check_total(head, len(text), problems)
    elif parameters.strays:
        return  # there is text, and its problem is where it stands
    elif not head.images:
        message = "There is nothing to draw: describe the picture in words, before any parameters."
        problems.add(ErrorCode.EMPTY_PROMPT, message, (0, len(text)))
    elif len(head.images) == 1:
        message = "One image alone says too little: add some text or a second image."
        problems.add(ErrorCode.SINGLE_IMAGE, message, (0, len(text[: parameters.head].rstrip())))


def check_count(places: Sequence[Span], problems: Problems) -> None:
    """Say so if there are too many parts and negative items."""
    if len(places) <= PARTS_LIMIT:
        return
    message = (
        f"The prompt has {len(places)} parts, what `--no` lists among them, and may have {PARTS_LIMIT}; "
        "join some of them or leave them out."
    )
    problems.add(ErrorCode.TOO_MANY_PARTS, message, places[PARTS_LIMIT])


def check_commas(text: str, problems: Problems) -> None:
    """Say so of every weight with a comma in it, which would end the weight and begin the next part."""
    for match in COMMA_WEIGHT.finditer(text):
        right = f"::{match['whole']}.{match['part']}"
        message = f"Write a weight with a point, as in `{right}`, not with a comma."
        problems.add(ErrorCode.INVALID_VALUE, message, match.span(), Edit(*match.span(), right))


def check_total(head: Head, end: int, problems: Problems) -> None:
    """Say so if the weights of the parts do not add up to more than 0; ``--no`` does not count."""
    total = sum((Decimal(repr(part.weight)) for part in head.parts), Decimal())
    if total > 0:
        return
    message = (
        f"The weights add up to {total.normalize():f}; their sum has to be above 0. "
        "Raise a weight, or name what should not be there after `--no`."
    )
    wanted = [part for part in head.parts if part.weight > 0]
    unwanted = ", ".join(part.text for part in head.parts if part.weight < 0)
    edits: tuple[Edit, ...] = ()
    if wanted:
        text = " ".join(f"{part.text}::{written(part.weight)}" for part in wanted)
        edits = (
            Edit(*head.span, wanted[0].text if len(wanted) == 1 else text),
            Edit(end, end, f" --no {unwanted}"),
        )
    problems.add(ErrorCode.WEIGHTS_NOT_POSITIVE, message, head.span, *edits)
