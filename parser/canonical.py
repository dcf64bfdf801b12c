"""A request written as a prompt again: what is repeated above every picture. The inverse of ``parse``."""

from collections.abc import Iterator
from decimal import Decimal

from parser.parameters import PARAMETERS
from parser.request import JSON, ImagePrompt, ImagineRequest


def canonical(request: ImagineRequest) -> str:
    """Return the prompt that parses to *request*: images, text, ``--no``, the rest in the table's order."""
    return " ".join(_pieces(request))


def written(number: float) -> str:
    """Return *number* in prompt notation: no exponent, no needless zeros, nothing lost."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _pieces(request: ImagineRequest) -> Iterator[str]:
    yield from map(_image, request.images)
    if request.text:
        yield request.text
    if request.negative:
        yield f"--no {', '.join(request.negative)}"
    typed = request.typed()
    for row in PARAMETERS:
        if row.name in typed:
            yield f"--{row.echo or row.name}{_value(typed[row.name])}"


def _image(image: ImagePrompt) -> str:
    weight = "" if image.weight == 1 else f"::{written(image.weight)}"
    return f"<{image.url}>{weight}"


def _value(value: JSON) -> str:
    if value is True:
        return ""
    if isinstance(value, list):
        return f" {':'.join(map(str, value))}"
    return f" {written(value)}" if isinstance(value, float) else f" {value}"
