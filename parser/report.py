"""What ``journeyman parse`` prints about one prompt, as JSON values."""

from typing import Literal, TypedDict

from parser.canonical import canonical
from parser.errors import PromptError, PromptErrors
from parser.prompt import read_batch
from parser.request import JSON, ImagineRequest


class WeightedText(TypedDict):
    """A part of the text."""

    text: str
    weight: float


class WeightedImage(TypedDict):
    """An image prompt."""

    url: str
    weight: float


class JobReport(TypedDict):
    """One job that the prompt asks for; ``parameters`` holds only those typed, by long name."""

    text: str
    parts: list[WeightedText]
    negative: list[str]
    parameters: dict[str, JSON]
    images: list[WeightedImage]
    echo: str


class ErrorReport(TypedDict):
    """One problem; ``span`` is half-open, in code points of the prompt, and so are those of ``also``.

    Those are the other places that it is about, as of what something contradicts.
    """

    code: str
    message: str
    span: list[int]
    also: list[list[int]]
    suggestion: str | None


class Accepted(TypedDict):
    """A prompt that parses."""

    prompt: str
    ok: Literal[True]
    jobs: list[JobReport]


class Refused(TypedDict):
    """A prompt that does not."""

    prompt: str
    ok: Literal[False]
    errors: list[ErrorReport]


ParseReport = Accepted | Refused


def report(text: str) -> ParseReport:
    """Return what parsing *text* comes to; raises nothing. Lone surrogates stay in ``prompt``."""
    try:
        batch = read_batch(text)
    except PromptErrors as refusal:
        return {"prompt": text, "ok": False, "errors": [_error(error) for error in refusal.errors]}
    return {"prompt": text, "ok": True, "jobs": [_job(request) for request in batch.prompts]}


def _job(request: ImagineRequest) -> JobReport:
    return {
        "text": request.text,
        "parts": [{"text": part.text, "weight": part.weight} for part in request.parts],
        "negative": list(request.negative),
        "parameters": request.typed(),
        "images": [{"url": image.url, "weight": image.weight} for image in request.images],
        "echo": canonical(request),
    }


def _error(error: PromptError) -> ErrorReport:
    return {
        "code": error.code.value,
        "message": error.message,
        "span": list(error.span),
        "also": [list(place) for place in error.also],
        "suggestion": error.suggestion,
    }
