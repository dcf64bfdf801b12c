"""A request written as a prompt again: what is repeated above every picture. The inverse of ``parse``."""

from collections.abc import Iterator
from decimal import Decimal

from parser.parameter import Parameter
from parser.parameters import PARAMETERS
from parser.request import ImagePrompt, ImagineRequest, StyleReference


def canonical(request: ImagineRequest) -> str:
    """Return the prompt that parses to *request*: images, text, ``--no``, the rest in the table's order."""
    return " ".join(_pieces(request))


def written(number: float) -> str:
    """Return *number* in prompt notation: no exponent, no needless zeros, nothing lost."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def spelt(value: object) -> str:
    """Return the value of a parameter as it is typed; a flag has none."""
    match value:
        case (int() as width, int() as height):
            return f"{width}:{height}"
        case tuple():
            return " ".join(spelt(each) for each in value)
        case StyleReference(source=source, weight=weight):
            return f"{spelt(source)}{_weight(weight)}"
        case float():
            return written(value)
        case _:
            return "" if value is True else _link(str(value))


def flag(row: Parameter, value: object) -> str:
    """Return one parameter with its value, by the name that an echo shows."""
    text = spelt(value)
    if row.alone and text == row.alone:
        text = ""
    if row.name == "version" and "." not in text:
        text += ".0"  # as Midjourney shows it
    return f"--{row.echo or row.name} {text}".rstrip()


def _pieces(request: ImagineRequest) -> Iterator[str]:
    yield from map(_image, request.images)
    if request.text:
        yield request.text
    if request.negative:
        yield f"--no {', '.join(request.negative)}"
    for row in PARAMETERS:
        value = request.said(row.name)
        if value is not None:
            yield flag(row, value)


def _image(image: ImagePrompt) -> str:
    return f"<{image.url}>{_weight(image.weight)}"


def _link(source: str) -> str:
    return f"<{source}>" if "://" in source else source


def _weight(weight: float) -> str:
    return "" if weight == 1 else f"::{written(weight)}"
