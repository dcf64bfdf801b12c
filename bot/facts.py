"""What the bot knows of the machine that draws, told to it when it is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from parser import Closed
from parser.coach import Facts as CoachFacts

Price = tuple[str, float]  # how a parameter is written, without its name, and what a grid costs then


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known.

    Attributes:
        coach: What the coach needs of the model.
        closed: What this server does not do, and why.
        prices: For long names of parameters: what a grid costs, in credits, at a few of its values.
    """

    coach: CoachFacts = field(default_factory=CoachFacts)
    closed: Closed = field(default_factory=Closed)
    prices: Mapping[str, tuple[Price, ...]] = field(default_factory=dict)


NOTHING = Facts()
