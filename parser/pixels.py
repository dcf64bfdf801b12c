"""Width and height in pixels, as Midjourney took them in 2022: a shape says the same today."""

import re
from dataclasses import replace
from decimal import Decimal

from parser.closed import Use
from parser.errors import ErrorCode
from parser.flags import Parameters
from parser.reading import Edit, Problem, Problems
from parser.values import RATIO_DIGITS, nearest_ratio

HEIGHT = re.compile(rf"[^A-Za-z]+h +0*(?P<height>[1-9][0-9]{{0,{RATIO_DIGITS - 1}}})", re.IGNORECASE)


def translate_pixels(parameters: Parameters, text: str, problems: Problems) -> None:
    """Make a shape of ``--w 1024 --h 512``; ``--w`` alone is how weird a picture shall be."""
    width = next((use for use in parameters.uses if use.name == "weird" and use.value), None)
    if width is None or "h" not in parameters.named:
        return
    for index, problem in enumerate(problems.found):
        height = HEIGHT.fullmatch(text, *problem.span)
        if height and problem.code is ErrorCode.UNAVAILABLE_PARAMETER:
            problems.found[index] = as_shape(problem, width, height["height"], parameters)
            return


def as_shape(problem: Problem, width: Use, height: str, parameters: Parameters) -> Problem:
    """Return the *problem* of a height beside a *width* as one that a shape puts right."""
    row = parameters.table.find("aspect")
    if row is None or "aspect" in parameters.named:
        return problem
    shape = "{}:{}".format(*nearest_ratio(row, Decimal(str(width.value)), Decimal(height)))
    message = f"Width and height in pixels are a thing of 2022; write a shape instead, `--ar {shape}`."
    edits = (Edit(*problem.span, f"--ar {shape}"), width.removal)
    return replace(problem, message=message, edits=edits, also=(width.span,))
