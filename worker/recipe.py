"""What will be drawn, every number concrete. The only home of defaults; pure."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from math import ceil, log
from typing import Annotated, Literal

from pydantic import Field

from parser import ImagineRequest, Part, Speed
from worker.api import ErrorCode, Frozen, Rejected, Strength
from worker.effects import (
    DRAFT_AREA,
    DRAFT_STEPS,
    HD_SIDE,
    HD_STRENGTH,
    Displacement,
    detail_of,
    displacement_of,
    guidance_of,
    house_share,
    stylized,
)
from worker.family import Family, check_family, lacking
from worker.references import Blend, Likeness, Style, blend_of, check_adapter, likenesses_of, style_of

PICTURES = 4  # in a grid
SPEED = Speed.FAST  # the lane of a prompt that names none
MOST_PIXELS = 4096 * 4096  # of a picture that has passed twice: four of them are a file that still opens
ROOM = (0.8, 1.05)  # area of a picture, in parts of the square one's
STRENGTHS = {Strength.SUBTLE: 0.45, Strength.STRONG: 0.75}  # share of the schedule drawn again


class ModelProfile(Frozen):
    """What a checkpoint can do, as the configuration and its own files state it."""

    name: str
    source: str  # folder or hub id
    family: Family = Family.STABLE_DIFFUSION
    steered: bool = False  # guidance is an input of its network
    size: int = Field(gt=0)  # pixels of a square picture's side
    grid: int = Field(default=8, gt=0)  # pixels per latent; sides are multiples of it
    steps: int = Field(default=20, ge=1)  # at quality 1
    most_steps: int | None = Field(default=None, ge=1)  # its schedule has no more; None: any number
    guidance: float = Field(default=7.5, ge=1)
    widest: float = Field(default=2, ge=1, le=14)  # the longest shape it draws, long side over short
    house_style: str = ""  # words of the look that ``--stylize`` turns up
    house_share: float = Field(default=0, ge=0, le=0.5)  # of the prompt, at the usual ``--stylize 100``
    adapter: bool = False  # whether an IP-Adapter lets it look at pictures


class Start(Frozen):
    """A picture to start from instead of pure noise."""

    picture: str  # name in the picture folder
    strength: float = Field(gt=0, le=1)  # share of the schedule that is drawn again
    mask: str | None = None  # name of a picture, white where it is drawn again; None: everywhere


class SecondPass(Frozen):
    """What the first pass drew, drawn over at a larger size."""

    times: int = Field(ge=2)  # as long sides
    strength: float = Field(gt=0, le=1)  # share of the schedule that is drawn again


class Drawing(Frozen):
    """Pictures by denoising; one sample a seed."""

    kind: Literal["drawing"] = "drawing"
    model: str
    width: int  # pixels, a multiple of the model's grid; where there is a second pass, of the first
    height: int
    steps: int  # length of the schedule
    stop_after: int  # steps taken of it, 1..steps
    guidance: float
    positive: tuple[Part, ...]  # weights > 0
    negative: tuple[Part, ...]  # weights > 0: how much each counts among the negatives
    negative_pull: float  # 0..1: how far the unconditional encoding moves toward the negatives
    seeds: tuple[int, ...]  # one per picture: its generator's seed, 0..2**63-1
    noise: int | None = None  # seed of the noise that all start from, where each has not its own
    start: Start | None = None  # then there is no blend
    blend: Blend | None = None
    style: Style | None = None
    likenesses: tuple[Likeness, ...] = ()
    displacement: Displacement = Displacement()
    detail: float = Field(default=0, ge=0)  # added by each step, in parts of the fine detail there is
    tile: bool = False  # opposite edges meet
    second: SecondPass | None = None
    weights: str | None = None  # hash of the model's weights where no others will do

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the finished pictures, in pixels."""
        times = 1 if self.second is None else self.second.times
        return self.width * times, self.height * times


class Upscaling(Frozen):
    """A picture enlarged by a super-resolution network."""

    kind: Literal["upscaling"] = "upscaling"
    picture: str
    factor: int = 2
    width: int  # of the result, pixels
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result, in pixels."""
        return self.width, self.height


Recipe = Annotated[Drawing | Upscaling, Field(discriminator="kind")]


def picture_count(recipe: Recipe) -> int:
    """Return how many pictures *recipe* makes: as many places it takes on a device."""
    return len(recipe.seeds) if isinstance(recipe, Drawing) else 1


def picture_seed(seed: int, index: int) -> int:
    """Return the generator seed of picture *index* (0-based) of a job: 63 bits of BLAKE2b(``seed:index``)."""
    digest = blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def lane(request: ImagineRequest) -> Speed:
    """Return the lane *request* waits in."""
    return SPEED if request.speed is None else request.speed


def resolve(
    request: ImagineRequest,
    profile: ModelProfile,
    *,
    seed: int,
    start: Start | None = None,
    names: Mapping[str, str] | None = None,
) -> Drawing:
    """Make every number of a grid concrete.

    - Quality scales the length of the schedule, and with it the cost: a quarter of the model's steps at 0.25,
      five times as many at 5 (Midjourney's ``--quality``, "cost times N").
    - ``--stop`` ends the schedule early without changing it, so the same seed gives a softer version of the
      same picture; a started percent counts as a step.
    - The aspect ratio changes the sides and keeps the area: see `sides`.
    - Text and negatives: see `split`.
    - Picture *i* has a generator of its own, seeded by `picture_seed`; with ``--sameseed`` all start from one
      noise.
    - ``--draft`` halves the steps and takes a third off the area: a third of the cost.
    - ``--hd`` draws the last third of the schedule again, at `HD_SIDE` times the sides; so do variations.
    - Variety and look (``--chaos``, ``--weird``, ``--stylize``, ``--raw``, ``--exp``): see `worker.effects`.
      They shape grids; a variation follows its picture instead, as Midjourney's does.
    - Image prompts and style references: see `blend_of` and `style_of`. A variation starts from its picture
      and follows the style; the image prompts have had their say (Midjourney: ``--iw`` does not affect them).
    - Persons and things from pictures (``--cref``, ``--oref``): see `likenesses_of`; variations keep them.

    Args:
        request: With at least one part of positive weight, or an image.
        profile: The checkpoint that draws.
        seed: 0..4294967295, whether typed or drawn.
        start: The picture a variation starts from.
        names: Of the stored pictures that the request names, by address.

    Raises:
        Rejected: ``ASPECT_UNAVAILABLE``, ``STYLE_UNAVAILABLE``, ``ADAPTER_UNAVAILABLE`` or
            ``NOT_WITH_MODEL``.
        PictureGone: A picture that the request names is not stored.
    """
    _check(request, profile)
    drawing = _shared(request, profile, seed, start, names or {})
    if drawing.second is not None and drawing.size[0] * drawing.size[1] > MOST_PIXELS:
        reason = "its pictures are as large as they can be without"
        raise Rejected(ErrorCode.NOT_WITH_MODEL, model=profile.name, parameter="hd", reason=reason)
    if start is not None:
        return drawing
    return drawing.model_copy(update=_grid_only(request, profile, seed, names))


def _check(request: ImagineRequest, profile: ModelProfile) -> None:
    """Refuse what the checkpoint cannot do."""
    if request.style not in (None, "raw"):
        raise Rejected(ErrorCode.STYLE_UNAVAILABLE, asked=request.style)
    check_adapter(request, profile.name, adapter=profile.adapter)
    styled = bool(profile.house_style)
    lacks = lacking(profile.family, profile.guidance, steered=profile.steered, styled=styled)
    check_family(request, profile.name, lacks)


def _shared(
    request: ImagineRequest, profile: ModelProfile, seed: int, start: Start | None, names: Mapping[str, str]
) -> Drawing:
    """Return what grids and variations are alike in."""
    steps = schedule(request, profile)
    stop = 100 if request.stop is None else request.stop
    width, height = sides(request.aspect or (1, 1), profile, DRAFT_AREA if request.draft else 1)
    positive, negative, pull = split(request)
    return Drawing(
        model=profile.name,
        width=width,
        height=height,
        steps=steps,
        stop_after=ceil(steps * stop / 100),
        guidance=profile.guidance,
        positive=positive,
        negative=negative,
        negative_pull=pull,
        seeds=tuple(picture_seed(seed, index) for index in range(PICTURES)),
        noise=None if request.sameseed is None else picture_seed(request.sameseed, 0),
        start=start,
        style=style_of(request, names),
        likenesses=likenesses_of(request, names),
        tile=bool(request.tile),
        second=SecondPass(times=HD_SIDE, strength=HD_STRENGTH) if request.hd else None,
    )


def schedule(request: ImagineRequest, profile: ModelProfile) -> int:
    """Return the length of the schedule, in steps."""
    steps = profile.steps * (1 if request.quality is None else request.quality)
    wanted = max(1, round(steps * (DRAFT_STEPS if request.draft else 1)))
    return wanted if profile.most_steps is None else min(wanted, profile.most_steps)


def begin_of(steps: int, strength: float) -> int:
    """Return after how many of *steps* a drawing begins that takes the last *strength* of them, 0..1.

    At least a step is left, as in diffusers' image-to-image pipelines.
    """
    return steps - max(1, int(steps * strength))


def _grid_only(
    request: ImagineRequest, profile: ModelProfile, seed: int, names: Mapping[str, str] | None
) -> dict[str, object]:
    """Return what a prompt of its own asks for and a variation does not: variety, look, image prompts."""
    share = house_share(request, profile.house_share)
    return {
        "guidance": guidance_of(request, profile.guidance),
        "positive": stylized(split(request)[0], profile.house_style, share),
        "blend": blend_of(request, names or {}),
        # One seed beyond those of the pictures, so that their noise is what it would be without.
        "displacement": displacement_of(request, picture_seed(seed, PICTURES)),
        "detail": detail_of(request),
    }


def sides(aspect: tuple[int, int], profile: ModelProfile, area: float = 1) -> tuple[int, int]:
    """Return width and height, in pixels, of a picture of this *aspect*, and of *area* model's squares.

    Both are multiples of the model's grid. Among those whose area is within `ROOM` of the model's square the
    one nearest to the ratio is taken, and of equally near ones the one whose area is nearest to the square's.

    Raises:
        Rejected: ``ASPECT_UNAVAILABLE``: longer than the model draws, or too coarse a grid; with the range.
    """
    found = _nearest(aspect[0] / aspect[1], profile.size / profile.grid * area**0.5, profile.widest)
    if found is None:
        asked = f"{aspect[0]}:{aspect[1]}"
        low, high = aspects_of(profile)
        raise Rejected(ErrorCode.ASPECT_UNAVAILABLE, asked=asked, low=low, high=high, model=profile.name)
    return found[0] * profile.grid, found[1] * profile.grid


def aspects_of(profile: ModelProfile) -> tuple[str, str]:
    """Return the highest and the widest shape that *profile* draws, as ``--aspect`` has them."""
    long = Fraction(profile.widest).limit_denominator(100)
    return f"{long.denominator}:{long.numerator}", f"{long.numerator}:{long.denominator}"


@lru_cache(maxsize=1024)  # asked several times an order, and nearly always for the same few
def _nearest(wanted: float, cells: float, widest: float) -> tuple[int, int] | None:
    """Return the sides, in cells of the grid, that are nearest to a ratio; None if it is not to be had.

    Args:
        wanted: Width by height.
        cells: Of the side of a square of the model's area.
        widest: Long side over short that the model draws.
    """
    smallest, largest = (share * cells**2 for share in ROOM)
    shapes = [
        (width, height)
        for width in range(1, ceil(cells * widest))
        for height in {max(1, int(width / wanted)), int(width / wanted) + 1}
        if smallest <= width * height <= largest and max(width, height) <= widest * min(width, height)
    ]
    if not shapes or not 1 / widest <= wanted <= widest:
        return None
    return min(
        shapes,
        key=lambda shape: (abs(log(shape[0] / shape[1] / wanted)), abs(log(shape[0] * shape[1] / cells**2))),
    )


def split(request: ImagineRequest) -> tuple[tuple[Part, ...], tuple[Part, ...], float]:
    """Return the positive parts, the negatives with how much each counts, and how far those pull (0..1).

    With P the sum of positive weights and N that of all negatives, the pull is min(1, 2N/P). A ``--no`` list
    counts half of P in all, shared by its items, because Midjourney defines ``--no x`` as a part ``x::-.5``
    of a prompt that weighs 1: so ``a --no red`` is ``a:: red::-.5``, and the weight of ``a`` does not matter.
    """
    positive = tuple(part for part in request.parts if part.weight > 0) or (Part(text=""),)  # images alone
    total = sum(part.weight for part in positive)
    negative = tuple(
        Part(text=part.text, weight=-part.weight) for part in request.parts if part.weight < 0
    ) + tuple(Part(text=item, weight=total / 2 / len(request.negative)) for item in request.negative)
    return positive, negative, min(1.0, 2 * sum(part.weight for part in negative) / total)


def enlarge(picture: str, size: tuple[int, int], *, factor: int = 2) -> Upscaling:
    """Return the recipe that enlarges *picture*, of *size* (width, height) pixels."""
    return Upscaling(picture=picture, factor=factor, width=size[0] * factor, height=size[1] * factor)
