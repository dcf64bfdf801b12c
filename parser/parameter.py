"""One row of the table of parameters: its facts and how a value relates to its range."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class Kind(StrEnum):
    """What follows the name of a parameter."""

    FLAG = "flag"  # nothing
    INTEGER = "whole number"
    NUMBER = "number"
    RATIO = "ratio"  # two whole numbers with a colon between
    CHOICE = "choice"  # one of some words
    LIST = "list"  # items between commas, up to the next parameter
    LINKS = "links"  # addresses of pictures between blanks
    STYLES = "styles"  # addresses, numbers or `random`, between blanks, each perhaps with a weight
    CODES = "codes"  # of profiles or moodboards, between blanks

    @property
    def greedy(self) -> bool:
        """True if several words may be the value."""
        return self in (Kind.LIST, Kind.LINKS, Kind.STYLES, Kind.CODES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What is known about one parameter.

    Attributes:
        name: The long name, without hyphens.
        aliases: Other names for it.
        kind: What follows the name.
        low: Least value, in prompt notation; empty without a range.
        high: Greatest value, likewise.
        choices: The values allowed, in prompt notation, where they can be listed.
        most: How many addresses it takes.
        default: What holds when it is not typed, in words.
        alone: The value it has when it stands alone; empty if it needs one.
        echo: The name shown in a repeated prompt, if not the long one.
        group: Rows of one group exclude each other.
        available: False if it is known by name only, and refused.
        mistaken: Words of other programs or of habit, by which people mean this row.
        help: What it does, in one sentence.
        example: How it is written.
        refused: Why it is not offered and what to do instead, to follow its name; empty for the others.
        legacy: What became of a parameter that Midjourney dropped; empty for the others.
        instead: What to write today in place of a dropped parameter.
    """

    name: str
    aliases: tuple[str, ...] = ()
    kind: Kind
    low: str = ""
    high: str = ""
    choices: tuple[str, ...] = ()
    most: int = 16
    default: str = "none"
    alone: str = ""
    echo: str = ""
    group: str = ""
    available: bool = False
    mistaken: tuple[str, ...] = ()
    help: str
    example: str
    refused: str = ""
    legacy: str = ""
    instead: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is accepted, the long one first."""
        return (self.name, *self.aliases)

    @property
    def range(self) -> str:
        """The values allowed, in words; empty for flags and free text."""
        if self.choices:
            return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        return f"{self.low} to {self.high}" if self.low else ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The choices that are numbers."""
        return tuple(choice for choice in self.choices if choice[-1].isdigit() and choice[0].isdigit())

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Least and greatest value of a row that has a range; of a ratio, width over height."""
        low, high = (Fraction(bound.replace(":", "/")) for bound in (self.low, self.high))
        return low, high

    def spans(self, value: Fraction) -> bool:
        """Return whether *value* lies in the range."""
        low, high = self.bounds
        return low <= value <= high

    def nearest(self, value: Decimal) -> Decimal:
        """Return the valid number next to *value*, the lower of two equally near."""
        if self.choices:
            return min(map(Decimal, self.numbers), key=lambda choice: abs(choice - value))
        within = min(max(value, Decimal(self.low)), Decimal(self.high))
        return within.to_integral_value() if self.kind is Kind.INTEGER else within
