"""What the coach has to say: rules by name, and one piece of advice with the prompts it leads to."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

WINDOW = 75  # tokens that the text encoder of Stable Diffusion reads at once, without its two marks


class Rule(StrEnum):
    """What the advice is about. The text is stable: buttons carry it."""

    COMMAND = "command"  # "please draw me a fox"
    WITHOUT = "without"  # "without an umbrella"
    NEGATION = "negation"  # "do not add text"
    CONTRADICTION = "contradiction"  # "a night scene at noon"
    WEIGHTS = "weights"  # parts that nearly cancel each other
    WINDOW = "window"  # more words than the encoder reads at once
    DETAILS = "details"  # a dozen small details
    COUNT = "count"  # "cats": how many?
    PRAISE = "praise"  # "masterpiece, best quality"
    MISSING = "missing"  # no style, light, perspective or medium


class Language(StrEnum):
    """In which language advice is worded. The text begins Discord's name of the locale."""

    ENGLISH = "en"
    SPANISH = "es"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the model that draws.

    Attributes:
        window: Tokens that its text encoder reads at once, without marks of beginning and end.
        count: Counts the tokens of a text exactly; without it a cautious estimate is made.
    """

    window: int = WINDOW
    count: Callable[[str], int] | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One way to follow an advice: what it comes to in a few words, and the whole prompt after it."""

    label: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that would make a prompt better.

    Attributes:
        rule: Which rule says so.
        reason: One line: what the prompt does, and why another way is better.
        example: ``before → after``, of some other prompt.
        options: Ways to follow it; none where only the author can.
        offer: True if nothing is amiss and something could be added.
    """

    rule: Rule
    reason: str
    example: str
    options: tuple[Option, ...] = ()
    offer: bool = False
