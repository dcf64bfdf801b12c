"""Values of a parameter that are worth trying, drawn from its row in the table."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from parser.closed import OPEN, Closed, ranged
from parser.parameter import Kind, Parameter

SHARES = (Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal(1))  # of a range, from its low end
ENDLESS = 100_000  # in a range of more values than this, such as a seed's, none is typical
COARSE = 20  # from this span on values are multiples of five
# The shapes that screens, prints and films have, in the order of their use.
RATIOS = ("1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "5:4", "4:5", "2:1", "1:2", "21:9", "9:21")


def typical(row: Parameter, closed: Closed = OPEN) -> tuple[str, ...]:
    """Return values of *row* in prompt notation: the choices that are open, or a few of its range, rising.

    Flags, lists and addresses have none.
    """
    row = ranged(row, closed)
    if row.choices:
        open_ = closed.choices.get(row.name, row.choices)
        return tuple(choice for choice in row.choices if choice in open_)
    if not row.low:
        return ()
    if row.kind is Kind.RATIO:
        return tuple(ratio for ratio in RATIOS if row.spans(Fraction(ratio.replace(":", "/"))))
    if row.kind not in (Kind.INTEGER, Kind.NUMBER) or Decimal(row.high) - Decimal(row.low) > ENDLESS:
        return ()
    return tuple(f"{value:f}" for value in sorted(set(_numbers(row))))


def _numbers(row: Parameter) -> Iterator[Decimal]:
    """Yield the ends of a range, two values between, and the default if it is a number."""
    low, high = Decimal(row.low), Decimal(row.high)
    for share in SHARES:
        value = low + share * (high - low)
        if share not in (0, 1):
            value = _rounded(value, high - low, row.kind)
        yield value.normalize() + 0 if value == value.to_integral_value() else value.normalize()
    if row.default.replace(".", "", 1).isdecimal():
        yield Decimal(row.default)


def _rounded(value: Decimal, span: Decimal, kind: Kind) -> Decimal:
    """Return *value* as people would type it."""
    if span >= COARSE:
        return (value / 5).quantize(Decimal(1), ROUND_HALF_EVEN) * 5
    return value.quantize(Decimal(1) if kind is Kind.INTEGER else Decimal("0.01"), ROUND_HALF_EVEN)
