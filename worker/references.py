"""What pictures and styles beside the text ask of a drawing, as numbers. Pure."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Annotated

from pydantic import Field

from parser import ImagineRequest
from worker.api import ErrorCode, Frozen, JobId, PictureGone, Rejected

IMAGE_WEIGHT = 1.0  # of all image prompts against the text's 1, where `--iw` is not typed
STYLE_WEIGHT = 100  # `--sw` where it is not typed
STYLE_VERSION = 6
KEPT = 0.8  # share of the schedule that a drawing of pictures alone would skip
HALF_WAY = 300  # `--sw` at which each step moves a picture half of the way
CHARACTER_WEIGHT = 100  # `--cw` where it is not typed
FACE_SCALE, CHARACTER_SCALE = 0.3, 0.8  # of an IP-Adapter at `--cw` 0 and 100; 1 as it was trained
THING_WEIGHT = 100  # `--ow` where it is not typed
MOST_THING = 1.2  # scale of an IP-Adapter that a large `--ow` comes near to
SHORT = 40  # hexadecimal digits of a file's hash that are its name

Code = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, le=1)]


class Ingredient(Frozen):
    """One picture among several; their weights add up to 1."""

    picture: str  # name in the picture folder
    weight: float = Field(gt=0, le=1)


class StyleCode(Frozen):
    """One numbered style, likewise."""

    code: Code
    weight: float = Field(gt=0, le=1)


class Blend(Frozen):
    """Image prompts: what is drawn starts from these pictures, laid over each other."""

    pictures: tuple[Ingredient, ...] = Field(min_length=1)
    strength: float = Field(gt=0, le=1)  # share of the schedule that is drawn; the rest is the pictures'


class Style(Frozen):
    """Style references: toward what, and how far, colours and light are moved; see `worker.engine.style`."""

    pictures: tuple[Ingredient, ...] = ()
    codes: tuple[StyleCode, ...] = ()  # with the pictures, the weights add up to 1
    share: float = Field(gt=0, le=1)
    version: int


class Likeness(Frozen):
    """Pictures of one person or thing that a drawing looks at; see `worker.engine.ip_attention`."""

    pictures: tuple[str, ...] = Field(min_length=1)  # names in the picture folder
    scale: float = Field(ge=0)  # how much what is seen is added to what is read; 1 as the adapter was trained


def links_of(request: ImagineRequest) -> tuple[str, ...]:
    """Return the addresses of the pictures that *request* names, each once, in the order typed."""
    named = [image.url for image in request.images]
    named += [str(each.source) for each in request.sref or () if each.kind == "url"]
    named += [*(request.cref or ()), *(request.oref or ())]
    return tuple(dict.fromkeys(named))


def file_of(picture: bytes) -> str:
    """Return the name of a picture's file, by its content."""
    return f"{blake2b(picture, digest_size=SHORT // 2).hexdigest()}.png"


def housed(picture: str, job_id: JobId) -> str:
    """Return the name of *picture*, or of a file alone, in the folder of *job_id*."""
    return f"{job_id[:2]}/{job_id}/{picture.rpartition('/')[2]}"


def blend_of(request: ImagineRequest, names: Mapping[str, str]) -> Blend | None:
    """Return what the image prompts ask for, None where there are none or they count for nothing.

    Text and pictures share the picture: the pictures' part is ``iw / (1 + iw)``, which is how Midjourney's
    third model divided it (20 % at 0.25, half at 1). So much of the schedule, times `KEPT`, is not drawn but
    taken from the pictures (Meng et al. 2021, SDEdit). Weights of the pictures divide that among them.

    Args:
        request: The prompt.
        names: Of the stored pictures, by address.

    Raises:
        PictureGone: One is not among *names*.
    """
    weight = IMAGE_WEIGHT if request.iw is None else request.iw
    if not request.images or weight == 0:
        return None
    share = weight / (1 + weight)
    total = sum(image.weight for image in request.images)
    pictures = tuple(
        Ingredient(picture=_named(image.url, names), weight=image.weight / total) for image in request.images
    )
    return Blend(pictures=pictures, strength=1 - KEPT * share)


def style_of(request: ImagineRequest, names: Mapping[str, str]) -> Style | None:
    """Return what the style references ask for, None where there are none or they count for nothing.

    Each step moves what the picture will be ``sw / (sw + 300)`` of the way: a quarter by default.

    Args:
        request: The prompt; a style still to be drawn was replaced by its number.
        names: Of the stored pictures, by address.

    Raises:
        PictureGone: One is not among *names*.
    """
    weight = STYLE_WEIGHT if request.sw is None else request.sw
    if not request.sref or weight == 0:
        return None
    total = sum(each.weight for each in request.sref)
    return Style(
        pictures=tuple(
            Ingredient(picture=_named(str(each.source), names), weight=each.weight / total)
            for each in request.sref
            if each.kind == "url"
        ),
        codes=tuple(
            StyleCode(code=int(each.source), weight=each.weight / total)
            for each in request.sref
            if each.kind == "code"
        ),
        share=weight / (weight + HALF_WAY),
        version=STYLE_VERSION if request.sv is None else request.sv,
    )


def check_adapter(request: ImagineRequest, model: str, *, adapter: bool, served: str = "") -> None:
    """Refuse a person or thing from a picture where the checkpoint *model* has no IP-Adapter.

    Args:
        request: The prompt.
        model: What the checkpoint is called.
        adapter: Whether it has one.
        served: How to ask for a checkpoint that has.

    Raises:
        Rejected: ``ADAPTER_UNAVAILABLE``.
    """
    asked = [name for name in ("cref", "oref") if request.said(name)]
    if asked and not adapter:
        raise Rejected(ErrorCode.ADAPTER_UNAVAILABLE, asked=f"--{asked[0]}", model=model, served=served)


def likenesses_of(request: ImagineRequest, names: Mapping[str, str]) -> tuple[Likeness, ...]:
    """Return which persons and things of pictures the drawing shall have, those of ``--cref`` first.

    What this comes to is up to the IP-Adapter that the operator chose: a general one takes what a picture
    shows with its colours and its composition, one made for faces takes the face. None of them tells a
    person's face from their clothes. So ``--cw 0`` cannot leave the clothes out, as Midjourney's does: it
    takes little of everything. The scale is linear from `FACE_SCALE`, where the text decides, to
    `CHARACTER_SCALE`, where it still has a say (diffusers' documentation of IP-Adapters: 0.5 is a balance of
    text and picture, 1 is the picture alone). All pictures of one ``--cref`` count alike.

    ``--ow`` has no upper end of its own: the scale is `MOST_THING` times ``ow / (ow + 100)``, 0.6 at the
    usual 100, 0.96 at 400 (Midjourney advises to stay below), 1.09 at 1000.

    Args:
        request: The prompt.
        names: Of the stored pictures, by address.

    Raises:
        PictureGone: One is not among *names*.
    """
    found = []
    if request.cref:
        share = (CHARACTER_WEIGHT if request.cw is None else request.cw) / 100
        scale = FACE_SCALE + (CHARACTER_SCALE - FACE_SCALE) * share
        found.append(Likeness(pictures=tuple(_named(each, names) for each in request.cref), scale=scale))
    if request.oref:
        weight = THING_WEIGHT if request.ow is None else request.ow
        scale = MOST_THING * weight / (weight + THING_WEIGHT)
        found.append(Likeness(pictures=tuple(_named(each, names) for each in request.oref), scale=scale))
    return tuple(found)


def numbered(request: ImagineRequest, draw: Callable[[], int]) -> ImagineRequest:
    """Return *request* with a number of *draw* (0..4294967295) in place of every style still to be drawn."""
    if not any(each.kind == "random" for each in request.sref or ()):
        return request
    styles = tuple(
        each.model_copy(update={"source": draw()}) if each.kind == "random" else each
        for each in request.sref or ()
    )
    return request.model_copy(update={"sref": styles})


def _named(address: str, names: Mapping[str, str]) -> str:
    if address not in names:
        raise PictureGone("")
    return names[address]
