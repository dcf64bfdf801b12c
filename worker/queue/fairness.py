"""Who is next: the rule, without the rows it is applied to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from worker.recipe import Drawing, Recipe

UPSCALING_STEPS = 2  # denoising steps that take about as long as one pass of super-resolution per pixel


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One person's waiting jobs in one lane. Lines sort by who is served first.

    Attributes:
        turn: When this person was last served in the lane; 0 for never. It only grows.
        joined: When the line last stopped being empty, to put the never served in order.
        owner_id: Discord user id.
        waiting: Jobs in it.
        may_run: How many jobs this person may have under way; None where nothing special holds.
    """

    turn: int
    joined: int
    owner_id: int
    waiting: int
    may_run: int | None = field(default=None, compare=False)


def owners(
    lines: Iterable[Line], running: Mapping[int, int], *, limit: int, newcomers: bool = False
) -> Iterator[int]:
    """Yield who may be served, those first who were served longest ago: all who have a place left.

    Args:
        lines: The lane's lines in their order; read no further than needed.
        running: Jobs under way, by owner.
        limit: How many of those people may have of whom nothing special holds.
        newcomers: Whether only those are served who have none under way.
    """
    for line in lines:
        most = 1 if newcomers else limit if line.may_run is None else line.may_run
        if running.get(line.owner_id, 0) < most:
            yield line.owner_id


def wait_seconds(ahead: int, under_way: Sequence[float], measured: Sequence[float]) -> float | None:
    """Estimate how long until a job starts, or return None where nothing was measured yet.

    Args:
        ahead: Jobs that start before it.
        under_way: How far each running job is, 0..1.
        measured: Device seconds of the last finished jobs.
    """
    if not measured:
        return None
    jobs = ahead + sum(1 - fraction for fraction in under_way)
    return jobs * sum(measured) / len(measured)


def work(recipe: Recipe) -> float:
    """Return how long *recipe* keeps a device busy, in an arbitrary unit: a person's short jobs go first."""
    pixels = recipe.width * recipe.height / 1e6
    if isinstance(recipe, Drawing):
        return pixels * recipe.stop_after * len(recipe.seeds)
    return pixels * UPSCALING_STEPS
