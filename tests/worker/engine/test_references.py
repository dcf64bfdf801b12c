"""What image prompts and styles do to the embedded model's pictures."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from parser import Speed, parse
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import PROFILE, SAME, Studio, cells, distance
from worker.api import ErrorCode, JobId
from worker.device import DeviceJob, Failed
from worker.foreign import naturalized
from worker.recipe import Drawing, resolve
from worker.references import links_of

CDN = "https://cdn.discordapp.com"
SUBJECTS = ("a red fox", "a blue car")
Picture = NDArray[np.uint8]  # (height, width, 3)


def png(picture: Picture) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def order(
    name: str, text: str, shown: Sequence[Picture] = (), *, seeds: int = 1, steps: int = 12
) -> DeviceJob:
    """Return the job that *text* makes; ``{0}`` in it is the address of the first of *shown*."""
    request = parse(text.format(*(f"{CDN}/{n}.png" for n in range(len(shown)))))
    names = {f"{CDN}/{n}.png": f"ab/x/{n}.png" for n in range(len(shown))}
    assert set(links_of(request)) <= set(names)
    recipe = resolve(request, PROFILE.model_copy(update={"steps": steps}), seed=7, names=names)
    recipe = recipe.model_copy(update={"seeds": recipe.seeds[:1]})
    bodies = {f"ab/x/{n}.png": naturalized(png(picture)) for n, picture in enumerate(shown)}
    return DeviceJob(JobId(name), 1, Speed.FAST, 1, recipe, None, {}, references=bodies)


def drawn(studio: Studio, jobs: Sequence[DeviceJob]) -> dict[str, Picture]:
    """Return the first picture of each job, all drawn together."""
    return {name: cells(outcome)[0] for name, outcome in studio.play(*jobs).items()}


def apart(one: Picture, other: Picture) -> float:
    """Return how far two pictures are from each other: the mean difference of a pixel, 0..255."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def colours(one: Picture, other: Picture) -> float:
    """Return how far the means and deviations of three colours are from each other."""
    found = []
    for picture in (one, other):
        pixels = picture.reshape(-1, 3).astype(float)
        found.append(np.concatenate([pixels.mean(axis=0), pixels.std(axis=0)]))
    return float(np.linalg.norm(found[0] - found[1]))


def shapes(one: Picture, other: Picture) -> float:
    """Return how alike two pictures are in what is light and dark where: the correlation, -1..1."""
    grey = [picture.astype(float) @ (0.299, 0.587, 0.114) for picture in (one, other)]
    flat = [(each - each.mean()) / (each.std() + 1e-6) for each in grey]
    return float((flat[0] * flat[1]).mean())


def sunset() -> Picture:
    """A picture of nothing: yellow above, purple below, some grain."""
    rows = np.linspace(0, 1, 128)[:, None, None]
    picture = (1 - rows) * np.array([250.0, 200.0, 40.0]) + rows * np.array([60.0, 10.0, 90.0])
    grain = np.random.default_rng(1).normal(0, 12, (128, 128, 1))
    return (np.broadcast_to(picture, (128, 128, 3)) + grain).clip(0, 255).astype(np.uint8)


@pytest.mark.slow
def test_the_more_an_image_prompt_weighs_the_more_is_drawn_like_it(studio: Studio) -> None:
    shown = list(drawn(studio, [order("a", "a snowman"), order("b", "a sunflower")]).values())
    weights = (0, 0.5, 1, 3)
    jobs = [
        order(f"{weight} {n} {text}", f"{{{n}}} {text} --iw {weight}", shown)
        for weight in weights
        for n in range(2)
        for text in SUBJECTS
    ]
    found = drawn(studio, jobs)
    far = [
        float(
            np.mean([apart(found[f"{weight} {n} {text}"], shown[n]) for n in range(2) for text in SUBJECTS])
        )
        for weight in weights
    ]
    assert far == sorted(far, reverse=True)
    assert far[-1] < far[0] / 2
    assert far[1] > far[-1] * 1.2


@pytest.mark.slow
def test_a_blend_is_like_both_and_like_neither_alone(studio: Studio) -> None:
    shown = list(drawn(studio, [order("a", "a snowman"), order("b", "a sunflower")]).values())
    found = drawn(
        studio,
        [order("even", "{0} {1}", shown), order("first", "{0}::3 {1}", shown), order("other", "a blue car")],
    )
    likeness = {name: [shapes(picture, each) for each in shown] for name, picture in found.items()}
    assert min(likeness["even"]) > max(likeness["other"]) + 0.1
    assert likeness["first"][0] > likeness["even"][0]
    assert likeness["first"][1] < likeness["even"][1]


@pytest.mark.slow
@pytest.mark.parametrize("version", [4, 6])
def test_a_style_brings_its_colours_and_not_its_shapes(studio: Studio, version: int) -> None:
    reference = sunset()
    jobs = [
        order(f"{weight} {text}", f"{text} --sref {{0}} --sw {weight} --sv {version}", [reference])
        for weight in (0, 100, 1000)
        for text in SUBJECTS
    ]
    found = drawn(studio, jobs)
    far, own, foreign = (
        [float(np.mean([look(weight, text) for text in SUBJECTS])) for weight in (0, 100, 1000)]
        for look in (
            lambda weight, text: colours(found[f"{weight} {text}"], reference),
            lambda weight, text: shapes(found[f"{weight} {text}"], found[f"0 {text}"]),
            lambda weight, text: shapes(found[f"{weight} {text}"], reference),
        )
    )
    assert far[0] > far[1] > far[2]
    assert far[2] < far[0] * 0.6
    assert own[1] > 0.7
    assert own[2] > 0.5
    assert own[2] > abs(foreign[2]) + 0.2


@pytest.mark.slow
def test_a_numbered_style_looks_alike_on_every_prompt_and_numbers_look_different(studio: Studio) -> None:
    jobs = [
        order(f"{code} {text}", f"{text} --sref {code} --sw 1000")
        for code in (1, 10, 17)
        for text in SUBJECTS
    ]
    found = drawn(studio, jobs)
    same = [colours(found[f"{code} {SUBJECTS[0]}"], found[f"{code} {SUBJECTS[1]}"]) for code in (1, 10, 17)]
    different = [
        colours(found[f"{one} {text}"], found[f"{other} {text}"])
        for one, other in ((1, 10), (10, 17), (1, 17))
        for text in SUBJECTS
    ]
    assert max(same) < min(different)
    again = drawn(studio, [order("again", f"{SUBJECTS[0]} --sref 10 --sw 1000")])["again"]
    assert distance(again, found[f"10 {SUBJECTS[0]}"]) <= SAME


def test_with_pictures_and_without_share_a_pass_and_nothing_else(studio: Studio) -> None:
    reference = sunset()
    jobs = [
        order("styled", "a fox --sref {0} --sw 400", [reference], steps=3),
        order("plain", "a fox", steps=3),
        order("given", "{0} a fox", [reference], steps=3),
    ]
    together = drawn(studio, jobs)
    assert max(studio.engine.passes) == 3
    for each in jobs[:2]:
        [alone] = drawn(studio, [each]).values()
        assert distance(alone, together[each.job_id]) <= SAME
    assert distance(together["styled"], together["plain"]) > 20


def test_a_picture_that_is_missing_fails_its_job_alone(studio: Studio) -> None:
    whole = order("whole", "a fox --sref 3", steps=1)
    recipe = order("other", "{0} a fox", [sunset()], steps=1).recipe
    assert isinstance(recipe, Drawing)
    outcome = studio.play(job("lost", recipe), whole)
    assert isinstance(outcome["lost"], Failed)
    assert outcome["lost"].code is ErrorCode.PICTURE_GONE
    assert not isinstance(outcome["whole"], Failed)
