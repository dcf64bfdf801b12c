"""What a person said in one prompt: frozen values with no defaults filled in."""

import re
from enum import StrEnum
from math import gcd
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

SEED_LIMIT = 2**32 - 1  # inclusive; the seed of Midjourney is an unsigned 32-bit number
QUALITIES = (0.25, 0.5, 1.0, 2.0, 5.0)
PARTS_LIMIT = 64  # parts and negative items together: each is read by the model on its own
VERSIONS = ("1", "2", "3", "4", "5", "5.1", "5.2", "6", "6.1", "7", "8", "8.1", "8.2")
LATEST = "latest"  # what `--niji` alone asks for
NIJIS = ("4", "5", "6", "7", LATEST)
STYLES = ("raw", "cute", "expressive", "original", "scenic", "4a", "4b", "4c")
LINKS_LIMIT = 16  # addresses behind one parameter
OWN = "default"  # the code that `--personalize` alone stands for: the person's own taste
RANDOM = "random"  # a style still to be drawn
CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


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


Seed = Annotated[int, Field(ge=0, le=SEED_LIMIT)]
Percent = Annotated[int, Field(ge=0, le=100)]
Thousand = Annotated[int, Field(ge=0, le=1000)]
Flag = Literal[True]
Link = Annotated[str, Field(pattern=r"^[hH][tT][tT][pP][sS]?://[^ ]+$")]
Links = Annotated[tuple[Link, ...], Field(min_length=1, max_length=LINKS_LIMIT)]


def coded(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return *codes* if they are told from text: of several each has a digit, or is ``OWN``.

    Raises:
        ValueError: They are not.
    """
    if not all(CODE.fullmatch(code) and (len(codes) == 1 or tells(code)) for code in codes):
        raise ValueError("a code is made of letters, digits and hyphens; of several each has a digit")
    return codes


def tells(code: str) -> bool:
    """Return whether *code* is a code among words of text."""
    return code == OWN or any(character in "0123456789" for character in code)


Codes = Annotated[tuple[str, ...], AfterValidator(coded), Field(min_length=1, max_length=LINKS_LIMIT)]


class StyleReference(Value):
    """A style to follow, with its weight as typed; only ratios of weights matter.

    Attributes:
        source: The URL of a picture, the number of a style, or ``RANDOM`` where the number is to be drawn.
        weight: Above 0.
    """

    source: Seed | Literal["random"] | Link
    weight: Annotated[float, Field(gt=0)] = 1.0

    @property
    def kind(self) -> Literal["url", "code", "random"]:
        """Which of the three it is."""
        if isinstance(self.source, int):
            return "code"
        return "random" if self.source == RANDOM else "url"


class Speed(StrEnum):
    """The lane asked for. The text is the parameter's name."""

    TURBO = "turbo"
    FAST = "fast"
    RELAX = "relax"


class Visibility(StrEnum):
    """Who shall see the picture. The text is the parameter's name."""

    STEALTH = "stealth"
    PUBLIC = "public"


class ImagineRequest(Value):
    """One prompt, understood. ``None`` means "not typed"; the worker's recipe holds the defaults.

    Attributes:
        text: The prompt without images and parameters, verbatim but for white space.
        parts: The text split at ``::``; empty only for a prompt made of images.
        negative: The items of every ``--no``, in order; with the parts at most ``PARTS_LIMIT``.
        images: The image prompts, in order.
        aspect: Width and height in lowest terms.
        chaos: How different the four pictures shall be, 0 to 100.
        stylize: How strong the house style shall be, 0 to 1000.
        weird: How far from the obvious, 0 to 3000.
        seed: 0 to 4294967295.
        sameseed: Likewise; the seed that all four pictures share.
        quality: One of ``QUALITIES``.
        stop: Percent of the steps to run, 10 to 100.
        tile: Whether opposite edges shall meet.
        style: One of ``STYLES``.
        raw: Says the same as the style ``raw``; ``plain`` tells of both.
        exp: Experimental detail, 0 to 100.
        hd: Whether a second pass shall draw at high resolution; never with *sd*.
        sd: Whether standard resolution was asked for outright.
        draft: Whether a quick sketch will do.
        iw: Weight of all image prompts against the text, 0 to 3.
        cref: URLs of pictures of one character.
        cw: How much of the character to keep, 0 to 100.
        sref: Styles to follow.
        sw: How much those styles count, 0 to 1000.
        sv: Version of the style reference, 1 to 6.
        oref: URL of the picture of a thing or person; one.
        ow: How much that counts, 1 to 1000.
        personalize: Codes of profiles or moodboards; ``OWN`` for the person's own.
        speed: The lane asked for.
        visibility: Who shall see the picture.
        version: One of ``VERSIONS``; never with *niji*.
        niji: One of ``NIJIS``.
    """

    text: str
    parts: tuple[Part, ...]
    negative: tuple[str, ...] = ()
    images: tuple[ImagePrompt, ...] = ()
    aspect: Annotated[tuple[int, int], AfterValidator(reduced)] | None = None
    chaos: Percent | None = None
    stylize: Thousand | None = None
    weird: Annotated[int, Field(ge=0, le=3000)] | None = None
    seed: Seed | None = None
    sameseed: Seed | None = None
    quality: Annotated[float, AfterValidator(listed)] | None = None
    stop: Annotated[int, Field(ge=10, le=100)] | None = None
    tile: Flag | None = None
    style: Literal["raw", "cute", "expressive", "original", "scenic", "4a", "4b", "4c"] | None = None
    raw: Flag | None = None
    exp: Percent | None = None
    hd: Flag | None = None
    sd: Flag | None = None
    draft: Flag | None = None
    iw: Annotated[float, Field(ge=0, le=3)] | None = None
    cref: Links | None = None
    cw: Percent | None = None
    sref: Annotated[tuple[StyleReference, ...], Field(min_length=1, max_length=LINKS_LIMIT)] | None = None
    sw: Thousand | None = None
    sv: Annotated[int, Field(ge=1, le=6)] | None = None
    oref: Annotated[tuple[Link, ...], Field(min_length=1, max_length=1)] | None = None
    ow: Annotated[int, Field(ge=1, le=1000)] | None = None
    personalize: Codes | None = None
    speed: Speed | None = None
    visibility: Visibility | None = None
    version: str | None = None
    niji: str | None = None

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

    @model_validator(mode="after")
    def _names_one_known_model(self) -> Self:
        if self.version is not None and (self.version not in VERSIONS or self.niji is not None):
            raise ValueError(f"version is one of {VERSIONS}, and alone")
        if self.niji is not None and self.niji not in NIJIS:
            raise ValueError(f"niji is one of {NIJIS}")
        return self

    @property
    def plain(self) -> bool:
        """True if the house style shall stay out: ``--raw`` or ``--style raw``."""
        return self.raw is True or self.style == "raw"

    def said(self, name: str) -> object:
        """Return the value of the parameter with that long name, ``True`` for a flag; ``None``: not typed."""
        if name in (self.speed, self.visibility):
            return True
        return getattr(self, name) if name in _PARAMETERS else None

    def typed(self) -> dict[str, JSON]:
        """Return the parameters that were typed, by long name, as JSON values; ``--no`` is not one.

        Versions are numbers, addresses and codes lists, styles objects of ``url``, ``code`` or ``random`` and
        ``weight``; a parameter that stands alone is ``True``.
        """
        values: dict[str, JSON] = self.model_dump(mode="json", include=_PARAMETERS, exclude_none=True)
        for word in (self.speed, self.visibility):
            values |= {} if word is None else {word.value: True}
        if self.version is not None:
            values["version"] = _numeral(self.version)
        if self.niji is not None:
            values["niji"] = self.niji == LATEST or _numeral(self.niji)
        if self.sref is not None:
            values["sref"] = [_style(each) for each in self.sref]
        if self.personalize == (OWN,):
            values["personalize"] = True
        return values


_CONTENT = {"text", "parts", "negative", "images", "speed", "visibility"}
_PARAMETERS = set(ImagineRequest.model_fields) - _CONTENT


def _numeral(version: str) -> JSON:
    return float(version) if "." in version else int(version)


def _style(reference: StyleReference) -> JSON:
    source: JSON = True if reference.kind == "random" else reference.source
    return {reference.kind: source, "weight": reference.weight}
