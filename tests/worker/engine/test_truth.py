"""A picture in company equals the picture alone, whatever happens around it and to it."""

import time
from collections.abc import Callable, Iterator
from random import Random

import numpy as np
import pytest
import torch

from tests.worker.engine import tiny
from tests.worker.engine.schedules import Alone, Kinds, Schedule, recipe
from tests.worker.engine.studio import SAME, distance
from worker.engine import pictures
from worker.engine.checkpoint import Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.plan import BatchKey, StepScheduler
from worker.recipe import ModelProfile

HAPPENED = {"shared", "paused", "left", "gone on", "begun anew"}


def source(side: int) -> bytes:
    """Return a picture to start from: a gradient, and a square in it."""
    ramp = np.linspace(0, 255, side).astype(np.uint8)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], ramp[::-1, None]), axis=-1).copy()
    picture[side // 4 : side // 2, side // 4 : side // 2] = (200, 30, 30)
    return pictures.png(picture, {})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Engine]]:
    """Engines with random weights, a cap on the batch each; a solver that looks back a step."""
    folder = tiny.saved(tmp_path_factory.mktemp("truth"), scheduler="DPMSolverMultistepScheduler")
    checkpoint = load(
        ModelProfile(name="tiny", source=str(folder), size=tiny.SIZE), Hardware.named("cpu", "float32")
    )

    class One:
        def __init__(self) -> None:
            self.denoiser = Denoiser(checkpoint)

        def preload(self) -> BatchKey:
            return self.denoiser.key(tiny.SIZE, tiny.SIZE)

        def backend(self, _recipe: object) -> Denoiser:
            return self.denoiser

    with torch.inference_mode():
        yield lambda cap: Engine(One(), time.monotonic, StepScheduler(first_cap=cap, most=cap))


def check(schedule: Schedule, alone: Alone) -> None:
    """Play a schedule and compare its pictures."""
    schedule.play()
    assert set(schedule.drawn) == set(schedule.orders) - schedule.left, "everybody is served"
    for job_id, drawn in schedule.drawn.items():
        expected = alone.pictures(schedule.orders[job_id].recipe)  # type: ignore[arg-type]
        assert len(drawn.cells) == len(expected)
        for cell, picture in enumerate(drawn.cells):
            assert distance(picture, expected[cell]) <= SAME, (job_id, cell, schedule.orders[job_id].recipe)


KINDS = Kinds(
    model="tiny",
    sizes=((32, 32), (32, 32), (32, 48), (64, 32)),
    steps=(1, 2, 3, 5),
    guidance=(1.0, 3.0, 7.5),
)


def played(
    make: Callable[[int], Engine], chance: Random, *, kinds: Kinds, recipes: int, schedules: int, jobs: int
) -> set[str]:
    """Compare all pictures of some schedules of *jobs*, ordered of so many recipes; return what happened."""
    start = source(min(kinds.sizes)[0])
    alone = Alone(make, start)
    orders = [recipe(kinds, chance) for _ in range(recipes)]
    happened: set[str] = set()
    for _ in range(schedules):
        schedule = Schedule(make, orders, start, chance, jobs)
        check(schedule, alone)
        happened |= schedule.seen
    return happened


def test_pictures_of_a_random_schedule_equal_those_drawn_alone(small: Callable[[int], Engine]) -> None:
    happened = played(small, Random(5), kinds=KINDS, recipes=4, schedules=1, jobs=10)
    assert happened >= HAPPENED


@pytest.mark.slow
def test_pictures_of_many_random_schedules_equal_those_drawn_alone(small: Callable[[int], Engine]) -> None:
    happened = played(small, Random(2), kinds=KINDS, recipes=10, schedules=6, jobs=12)
    assert happened >= HAPPENED


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pictures_of_the_embedded_model_equal_those_drawn_alone_in_random_schedules(models: Models) -> None:
    kinds = Kinds(model="embedded", sizes=((128, 128), (128, 192)), steps=(2, 4), guidance=(3.0,))

    def make(cap: int) -> Engine:
        return Engine(models, time.monotonic, StepScheduler(first_cap=cap, most=cap))

    with torch.inference_mode():
        happened = played(make, Random(3), kinds=kinds, recipes=4, schedules=2, jobs=8)
    assert happened >= {"shared", "paused", "gone on"}
