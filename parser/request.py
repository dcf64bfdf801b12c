"""What a person said in one prompt: frozen values with no defaults filled in."""

from enum import StrEnum
from math import gcd
from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

SEED_LIMIT = 2**32 - 1  # inclusive; the seed of Midjourney is an unsigned 32-bit number
QUALITIES = (0.25, 0.5, 1.0, 2.0, 5.0)
PARTS_LIMIT = 64  # parts and negative items together: each is read by the model on its own


def reduced(ratio: tuple[int, int]) -> tuple[int, int]:
    """Return the ratio in lowest terms; 1920:1280 is 3:2.

    Raises:
        ValueError: A side is not positive.
    """
    width, height = ratio
    if min(ratio) < 1:
        raise ValueError("both sides of an aspect ratio are at least 1")
    divisor = gcd(width, height)
    return width // divisor, height // divisor


def listed(quality: float) -> float:
    """Return *quality* if it is one of ``QUALITIES``.

    Raises:
        ValueError: It is not.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality is one of {QUALITIES}")
    return quality


class Value(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(Value):
    """One ``::`` part of the text, with its weight as typed; only ratios of weights matter."""

    text: str
    weight: float = 1.0


class ImagePrompt(Value):
    """An image named by its URL at the start of the prompt."""

    url: str
    weight: float = 1.0


class Speed(StrEnum):
    """The lane asked for. The text is the parameter's name."""

    TURBO = "turbo"
    FAST = "fast"
    RELAX = "relax"


class ImagineRequest(Value):
    """One prompt, understood. ``None`` means "not typed"; the worker's recipe holds the defaults.

    Attributes:
        text: The prompt without images and parameters, verbatim but for white space.
        parts: The text split at ``::``; empty only for a prompt made of images.
        negative: The items of every ``--no``, in order; with the parts at most ``PARTS_LIMIT``.
        images: The image prompts, in order.
        aspect: Width and height in lowest terms.
        seed: 0 to 4294967295.
        quality: One of ``QUALITIES``.
        stop: Percent of the steps to run, 10 to 100.
        speed: The lane asked for.
    """

    text: str
    parts: tuple[Part, ...]
    negative: tuple[str, ...] = ()
    images: tuple[ImagePrompt, ...] = ()
    aspect: Annotated[tuple[int, int], AfterValidator(reduced)] | None = None
    seed: Annotated[int, Field(ge=0, le=SEED_LIMIT)] | None = None
    quality: Annotated[float, AfterValidator(listed)] | None = None
    stop: Annotated[int, Field(ge=10, le=100)] | None = None
    speed: Speed | None = None

    @model_validator(mode="after")
    def _has_something_to_draw(self) -> Self:
        if not self.parts and not self.images:
            raise ValueError("a request has at least one part or one image")
        return self

    @model_validator(mode="after")
    def _has_few_parts(self) -> Self:
        if len(self.parts) + len(self.negative) > PARTS_LIMIT:
            raise ValueError(f"a request has at most {PARTS_LIMIT} parts and negative items together")
        return self

    def typed(self) -> dict[str, JSON]:
        """Return the parameters that were typed, by long name, as JSON values; ``--no`` is not one."""
        content = {"text", "parts", "negative", "images", "speed"}
        values: dict[str, JSON] = self.model_dump(mode="json", exclude=content, exclude_none=True)
        return values if self.speed is None else values | {self.speed.value: True}
