"""What drawing costs, in credits. Pure.

One credit is a default grid: four pictures of the model's own size and steps at ``--quality 1``. Everything
else costs in proportion to pictures, steps and pixels, which is how long a device is busy with it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from parser import Speed
from worker.recipe import PICTURES, Drawing, ModelProfile, Recipe, begin_of, picture_count, sides

GRAINS = 1000  # in a credit; costs are whole grains, so that sums are exact
UPSCALING_STEPS = 2  # denoising steps that take about as long, a pixel, as one pass of super-resolution
LANES: Mapping[Speed, int] = MappingProxyType(
    {
        Speed.TURBO: 2,  # as Midjourney's; it goes before everybody else's
        Speed.FAST: 1,
        Speed.RELAX: 1,  # recorded like the others, but no allowance pays for it
    }
)


def credits(recipe: Recipe, profile: ModelProfile, speed: Speed = Speed.FAST) -> float:
    """Return what *recipe*, drawn by *profile* in the lane *speed*, costs: a positive multiple of 1/`GRAINS`.

    ``--quality`` and ``--stop`` change the steps, ``--aspect`` the pixels; what starts from a picture takes
    only a part of the schedule, as the second pass of ``--hd`` does at its own size. A picture taken out of a
    grid has no recipe, and is free.
    """
    width, height = sides((1, 1), profile)
    whole = PICTURES * profile.steps * width * height
    return max(1, round(GRAINS * LANES[speed] * work(recipe) / whole)) / GRAINS


def work(recipe: Recipe) -> int:
    """Return how long *recipe* keeps a device busy, in denoised pixels: a person's short jobs go first."""
    pixels = steps(recipe) * recipe.width * recipe.height
    if isinstance(recipe, Drawing) and recipe.second is not None:
        width, height = recipe.size
        pixels += _taken(recipe, recipe.second.strength) * width * height
    return picture_count(recipe) * pixels


def steps(recipe: Recipe) -> int:
    """Return the denoising steps each picture of *recipe* takes at its first size, or would in the time."""
    if not isinstance(recipe, Drawing):
        return UPSCALING_STEPS
    given = recipe.start or recipe.blend
    return recipe.stop_after if given is None else _taken(recipe, given.strength)


def _taken(recipe: Drawing, strength: float) -> int:
    """Return the steps of a pass that draws the last *strength* of the schedule: at least one."""
    return max(1, recipe.stop_after - begin_of(recipe.steps, strength))


def grains(amount: float) -> int:
    """Return an amount of credits as the ledger keeps it."""
    return round(amount * GRAINS)


def metered(speed: Speed) -> bool:
    """Tell whether allowances pay for jobs in the lane *speed*."""
    return speed is not Speed.RELAX
