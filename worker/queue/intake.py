"""What an order comes to: its request, its recipe, and the picture it needs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from parser import ImagineRequest, Speed
from worker.api import Cell, ErrorCode, Imagine, Job, JobState, Limits, Order, Rejected, Reroll, Upscale, Vary
from worker.recipe import SPEED, STRENGTHS, Drawing, ModelProfile, Recipe, Start, enlarge, lane, resolve

LARGEST_SIDE = 4096  # pixels of an enlarged picture; Discord's limit on a file is near


@dataclass(frozen=True, slots=True)
class Source:
    """The job whose button was pressed, what was drawn for it, and the weights its model has now."""

    job: Job
    recipe: Recipe | None
    installed: str | None = None  # hash; None where no worker has told it
    inputs: Mapping[str, str] = field(default_factory=dict)  # stored pictures it names, by address


@dataclass(frozen=True, slots=True)
class Plan:
    """An order made concrete.

    Attributes:
        request: What is drawn, as it is echoed.
        recipe: How; None where the picture is there already and only copied.
        seed: 0..4294967295.
        model: Name of the checkpoint.
        width: Pixels of one picture.
        height: Pixels of one picture.
        needs: Name of the stored picture it is made from, if any.
        model_hash: Hash of the weights that drew it, if it is drawn already.
    """

    request: ImagineRequest
    recipe: Recipe | None
    seed: int
    model: str
    width: int
    height: int
    needs: str | None = None
    model_hash: str | None = None


def plan(
    order: Order,
    source: Source | None,
    *,
    profile: ModelProfile,
    seed: int,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Return what *order* comes to.

    - A re-roll draws the source's request with *seed*, which replaces a typed one, and starts from the
      picture the source started from, if any; else from the pictures that the request names.
    - A variation starts from one picture of the source. Seeds and quality of the source's prompt do not carry
      over (Midjourney: they do not affect variations); the rest of the prompt does.
    - A cell is one picture of the source, taken as it is.

    Args:
        order: The order.
        source: Its source's job; None for a prompt of its own.
        profile: The checkpoint that draws today, whatever drew the source.
        seed: Drawn for this job; a typed one wins in a prompt of its own.
        names: Of the stored pictures that the request names, by address.

    Raises:
        PictureGone: A picture that the request names is not stored.
        Rejected: What `resolve` refuses, ``SIZE_UNAVAILABLE``, ``SOURCE_UNFINISHED`` or ``NO_SUCH_PICTURE``.
    """
    if isinstance(order, Imagine):
        typed = order.request.seed if order.request.sameseed is None else order.request.sameseed
        return _drawn(order.request, profile, seed if typed is None else typed, None, names)
    if source is None:
        raise ValueError(f"an order of kind {order.kind} has a source")
    match order:
        case Reroll():
            request = _lane(order, source.job)
            if request.seed is not None:
                request = request.model_copy(update={"seed": seed})
            if request.sameseed is not None:
                request = request.model_copy(update={"sameseed": seed})
            start = source.recipe.start if isinstance(source.recipe, Drawing) else None
            return _drawn(request, profile, seed, start, names)
        case Vary():
            request = _lane(order, source.job).model_copy(
                update={"seed": None, "sameseed": None, "quality": None}
            )
            start = Start(picture=picture_of(source.job, order.index), strength=STRENGTHS[order.strength])
            return _drawn(request, profile, seed, start, names)
        case Cell():
            return _taken(source.job, picture_of(source.job, order.index))
        case Upscale():
            return _enlarged(_lane(order, source.job), source.job, picture_of(source.job, order.index))


def picture_of(job: Job, index: int) -> str:
    """Return the name of picture *index* (1-based) of *job*.

    Raises:
        Rejected: ``SOURCE_UNFINISHED`` or ``NO_SUCH_PICTURE``.
    """
    if job.state is not JobState.SUCCEEDED:
        raise Rejected(ErrorCode.SOURCE_UNFINISHED, state=job.state.value)
    pictures = job.files[1:] if len(job.files) > 1 else job.files  # a grid stands before its pictures
    if index > len(pictures):
        raise Rejected(ErrorCode.NO_SUCH_PICTURE, index=index, pictures=len(pictures))
    return pictures[index - 1]


def redrawn(cell: Plan, source: Source, *, index: int, profile: ModelProfile) -> Plan | None:
    """Return how to draw an aged-out cell again, or None where that would not give the same picture.

    A picture depends on its own seed alone, so the cell is drawn without its three neighbours. It takes the
    very weights: not only the model's name has to be the same now, the worker looks again when it draws.
    """
    drawn, weights = source.recipe, source.job.model_hash
    if not isinstance(drawn, Drawing) or index > len(drawn.seeds):
        return None
    if drawn.model != profile.name or weights != source.installed:
        return None
    recipe = drawn.model_copy(update={"seeds": (drawn.seeds[index - 1],), "weights": weights})
    return replace(cell, recipe=recipe, needs=None if drawn.start is None else drawn.start.picture)


def check_lane(request: ImagineRequest, limits: Limits) -> Speed:
    """Return the lane *request* waits in.

    Raises:
        Rejected: ``TURBO_OFF``.
    """
    speed = lane(request)
    if speed is Speed.TURBO and not limits.turbo:
        raise Rejected(ErrorCode.TURBO_OFF)
    return speed


def _drawn(
    request: ImagineRequest, profile: ModelProfile, seed: int, start: Start | None, names: Mapping[str, str]
) -> Plan:
    recipe = resolve(request, profile, seed=seed, start=start, names=names)
    needs = None if start is None else start.picture
    return Plan(request, recipe, seed, profile.name, *recipe.size, needs)


def _lane(order: Reroll | Vary | Upscale, job: Job) -> ImagineRequest:
    """Return the request of *job*, in the lane that *order* names if it does; the usual lane is not said."""
    if order.speed in {None, lane(job.request)}:
        return job.request
    said = None if order.speed is SPEED else order.speed
    return job.request.model_copy(update={"speed": said})


def _taken(job: Job, picture: str) -> Plan:
    return Plan(job.request, None, job.seed, job.model, job.width, job.height, picture, job.model_hash)


def _enlarged(request: ImagineRequest, job: Job, picture: str) -> Plan:
    recipe = enlarge(picture, (job.width, job.height))
    if max(recipe.width, recipe.height) > LARGEST_SIDE:
        raise Rejected(ErrorCode.SIZE_UNAVAILABLE, width=recipe.width, height=recipe.height)
    size = (recipe.width, recipe.height)
    return Plan(request, recipe, job.seed, job.model, *size, picture, job.model_hash)
