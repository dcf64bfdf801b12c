"""Weights: the numbers behind ``::``."""

from parser.errors import ErrorCode
from parser.reading import Edit, Problems
from parser.scanner import PUNCTUATION, Token

WEIGHT_LIMIT = 10_000  # on either side of zero; only ratios of weights count, so more says nothing more


def weight_of(token: Token) -> Token:
    """Return the number in a ``::`` with its weight."""
    number = token.text[2:].rstrip(PUNCTUATION)
    return Token(number, token.start + 2, token.start + 2 + len(number))


def read_weight(number: Token, problems: Problems) -> float:
    """``NUMBER``, at most ``WEIGHT_LIMIT`` on either side of zero."""
    weight = float(number.text) + 0.0  # minus zero becomes zero
    if abs(weight) <= WEIGHT_LIMIT:
        return weight
    nearest = WEIGHT_LIMIT if weight > 0 else -WEIGHT_LIMIT
    message = (
        f"A weight lies between -{WEIGHT_LIMIT} and {WEIGHT_LIMIT}, and only ratios of weights count; "
        f"the nearest is {nearest}."
    )
    problems.add(ErrorCode.WEIGHT_OUT_OF_RANGE, message, number.span, Edit(*number.span, str(nearest)))
    return float(nearest)


def read_positive(number: Token, what: str, problems: Problems) -> float:
    """``[ NUMBER ]``, above 0 and 1 if not written; *what* bears the weight, in a message."""
    weight = read_weight(number, problems) if number.text else 1.0
    if weight > 0:
        return weight
    message = f"The weight of {what} has to be above 0; `{number.text}` is not."
    problems.add(ErrorCode.WEIGHT_OUT_OF_RANGE, message, number.span, Edit(*number.span, "1"))
    return 1.0
