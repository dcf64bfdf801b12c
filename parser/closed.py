"""What the language knows and a server does not do: a use of it is a problem, put right by leaving it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from parser.errors import ErrorCode
from parser.reading import Edit, Problems
from parser.scanner import Span


@dataclass(frozen=True, slots=True)
class Closed:
    """What is closed.

    Attributes:
        parameters: Long names of parameters.
        images: Whether image prompts are.
    """

    parameters: frozenset[str] = frozenset()
    images: bool = False


OPEN = Closed()


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a parameter, by its long name, or of an image: where it stands, and how it is removed."""

    name: str
    span: Span
    removal: Edit


def check_closed(
    closed: Closed, parameters: Sequence[Use], images: Sequence[Use], problems: Problems
) -> None:
    """Say so of every use of what is *closed*."""
    for use in parameters:
        if use.name in closed.parameters:
            message = f"`--{use.name}` is not open on this server; leave it out."
            problems.add(ErrorCode.CLOSED_PARAMETER, message, use.span, use.removal)
    for use in images if closed.images else ():
        message = "Image prompts are not available yet; describe the picture in words."
        problems.add(ErrorCode.UNAVAILABLE_IMAGES, message, use.span, use.removal)
