"""Width and height in pixels, as Midjourney took them in 2022: a shape says the same today."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from parser.errors import ErrorCode
from parser.flags import Parameters
from parser.reading import Edit, Problems
from parser.scanner import DASHES, HYPHENS, PUNCTUATION, Span
from parser.values import RATIO_DIGITS, nearest_ratio

SIDE = re.compile(
    rf"[{HYPHENS}{DASHES}-]+(?P<side>w|width|h|height)(?: *[=:] *| *)0*"
    rf"(?P<pixels>[1-9][0-9]{{0,{RATIO_DIGITS - 1}}})(?:px)?(?=[ {PUNCTUATION}]|$)",
    re.IGNORECASE,
)
REFUSED = (ErrorCode.UNAVAILABLE_PARAMETER, ErrorCode.UNKNOWN_PARAMETER, ErrorCode.MISSING_SPACE)


@dataclass(frozen=True, slots=True)
class Side:
    """A width or a height: its pixels, where it stands, and which of the problems refuses it, if any does."""

    pixels: Decimal
    span: Span
    problem: int | None = None


def translate_pixels(parameters: Parameters, text: str, problems: Problems) -> None:
    """Make a shape of ``--w 1024 --h 512``; ``--w`` alone is how weird a picture shall be."""
    sides: dict[str, Side] = {}
    for index, problem in enumerate(problems.found):
        match = SIDE.match(text, problem.span[0]) if problem.code in REFUSED else None
        if match is not None:
            side = Side(Decimal(match["pixels"]), match.span(), index)
            sides.setdefault(match["side"][0].lower(), side)
    weird = next((use for use in parameters.uses if use.name == "weird" and use.value), None)
    if weird is not None and "h" in sides and SIDE.match(text, weird.span[0]):  # not `--weird`
        place = weird.removal.start, weird.removal.stop
        sides.setdefault("w", Side(Decimal(str(weird.value)), place))
    if {"w", "h"} <= sides.keys():
        as_shape(sides["w"], sides["h"], parameters, problems)
    elif sides:
        [(name, side)] = sides.items()
        refuse_side(name, side, problems)


def refuse_side(name: str, side: Side, problems: Problems) -> None:
    """Say what became of a width or a height that stands alone, unless it was said already."""
    found = problems.found[side.problem] if side.problem is not None else None
    if found is None or side.problem is None or found.code is not ErrorCode.UNKNOWN_PARAMETER:
        return
    what = "Width" if name == "w" else "Height"
    message = f"{what} in pixels is a thing of 2022; write a shape instead, such as `--ar 3:2`."
    problems.found[side.problem] = replace(found, message=message, edits=(Edit(*side.span),))


def as_shape(width: Side, height: Side, parameters: Parameters, problems: Problems) -> None:
    """Let a shape put right what is said of a *width* and a *height*; one that is there already stands."""
    row = parameters.table.find("aspect")
    if row is None:
        return
    shape = "--ar {}:{}".format(*nearest_ratio(row, width.pixels, height.pixels))
    advice = f"write a shape instead, `{shape}`"
    if row.name in parameters.named:
        shape, advice = "", f"`--{row.name}` is there already; leave them out"
    message = f"Width and height in pixels are a thing of 2022; {advice}."
    edits = (Edit(*height.span, shape), Edit(*width.span))
    for side, other in ((height, width), (width, height)):
        if side.problem is not None:
            found = problems.found[side.problem]
            problems.found[side.problem] = replace(found, message=message, edits=edits, also=(other.span,))
