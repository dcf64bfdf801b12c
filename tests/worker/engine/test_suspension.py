"""What was drawn before a stop is gone on with after it, and comes out the same."""

import dataclasses
import time
from typing import Any

import diffusers
import pytest
import torch

from parser import Speed
from tests.fakes import Clock
from tests.worker.engine.fakes import FakeBackend
from tests.worker.engine.recipes import drawing, job
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from tests.worker.engine.test_engine import at_most, ends
from tests.worker.engine.test_upscaler import Only, scene
from worker.device import DeviceJob, Dropped
from worker.engine import bookmark, pictures
from worker.engine.checkpoint import Checkpoint
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.outcomes import Drawn
from worker.engine.plan import StepScheduler
from worker.engine.upscaler import Upscaler
from worker.recipe import Start, Upscaling

FOX = ("a fox on a green background", 1.0)


def suspended(engine: Engine, work: DeviceJob, *, after: int) -> bytes:
    """Draw *work* for some steps and return what was kept of it."""
    assert engine.submit(work) == []
    for _ in range(after):
        engine.step()
    [dropped] = engine.suspend()
    assert isinstance(dropped, Dropped)
    assert dropped.kept is not None
    assert not engine.busy
    return dropped.kept


def gone_on(engine: Engine, work: DeviceJob, kept: bytes) -> Drawn:
    """Return how *work* ends when it is gone on with."""
    outcomes = engine.submit(dataclasses.replace(work, attempt=2, kept=kept))
    while engine.busy:
        outcomes += engine.step()
    [drawn] = [outcome for outcome in outcomes if isinstance(outcome, Drawn)]
    return drawn


class Alone:
    """Backends of one denoiser."""

    def __init__(self, denoiser: Denoiser) -> None:
        self._denoiser = denoiser

    def preload(self) -> Any:
        return self._denoiser.key(128, 128)

    def backend(self, _recipe: object) -> Denoiser:
        return self._denoiser


def test_only_the_steps_that_were_left_are_taken() -> None:
    work = job("a", drawing(steps=7))
    kept = suspended(Engine(FakeBackend(), Clock()), work, after=5)
    backend = FakeBackend()
    drawn = gone_on(Engine(backend, Clock()), work, kept)
    assert len(backend.batches) == 2
    assert [cell[0, 0, 0] for cell in drawn.cells] == [7, 7, 7, 7]


def test_pictures_of_one_job_that_are_not_equally_far_go_on_each_from_where_it_is() -> None:
    work = job("a", drawing(steps=2))
    first = Engine(FakeBackend(), Clock(), StepScheduler(first_cap=2, most=2))
    kept = suspended(first, work, after=3)  # two are done, two are half done
    backend = FakeBackend()
    drawn = gone_on(Engine(backend, Clock()), work, kept)
    assert backend.batches == [["a2", "a3"]]
    assert [cell[0, 0, 0] for cell in drawn.cells] == [2, 2, 2, 2]


def test_time_spent_before_counts() -> None:
    clock = Clock()

    def tick(_: object) -> None:
        clock.advance(1)

    work = job("a", drawing(steps=4))
    kept = suspended(Engine(FakeBackend(forward=tick), clock), work, after=3)
    drawn = gone_on(Engine(FakeBackend(forward=tick), clock), work, kept)
    assert drawn.device_seconds == pytest.approx(4)


def test_what_was_not_begun_leaves_nothing() -> None:
    engine = Engine(FakeBackend(), Clock())
    engine.submit(job("a"))
    assert engine.suspend() == [Dropped(job("a").job_id, 1, None)]


@pytest.mark.parametrize("kept", [b"", b"\0" * 40, bookmark.written({"else": 1}), bookmark.written(None)])
def test_what_cannot_be_read_is_drawn_from_the_start(kept: bytes) -> None:
    backend = FakeBackend()
    drawn = gone_on(Engine(backend, Clock()), job("a", drawing(steps=4)), kept)
    assert len(backend.batches) == 4
    assert [cell[0, 0, 0] for cell in drawn.cells] == [4, 4, 4, 4]


def test_a_job_that_gives_way_when_memory_is_short_keeps_its_steps() -> None:
    engine = Engine(FakeBackend(forward=at_most(4)), Clock(), StepScheduler(first_cap=8))
    engine.submit(job("patient", drawing(steps=9), speed=Speed.RELAX))
    engine.step()
    engine.submit(job("a", owner=2))
    engine.submit(job("b", owner=3))
    dropped = ends(engine.step())["patient"]
    assert isinstance(dropped, Dropped)
    assert dropped.kept is not None


GOING_ON = {
    "weighted": painted(FOX, ("a red car", 0.5), steps=5, pictures=2, seed=2),
    "stopped": painted(FOX, steps=8, stop_after=5, seed=6),
    "varied": painted(FOX, steps=7, seed=9, start=Start(picture="s", strength=0.8)),
}


@pytest.mark.parametrize("name", GOING_ON)
def test_a_picture_gone_on_with_equals_the_undisturbed_one(studio: Studio, models: Models, name: str) -> None:
    source = pictures.png(studio.draw(job("s", painted(FOX)))[0], {})
    work = job(name, GOING_ON[name], source=source)
    undisturbed = studio.draw(work)
    kept = suspended(studio.engine, work, after=3)
    after = Studio(Engine(models, time.monotonic))
    drawn = gone_on(after.engine, work, kept)
    assert distance(undisturbed, cells(drawn)) <= SAME
    assert sum(after.engine.passes.values()) < sum(studio.engine.passes.values()) / 2


SCHEDULES = (
    "EulerAncestralDiscreteScheduler",  # adds noise of its own
    "UniPCMultistepScheduler",  # remembers outputs and samples
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("DDIMScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler", "PNDMScheduler")
    ),
)


@pytest.mark.parametrize("name", SCHEDULES)
def test_it_does_so_with_every_usual_schedule(checkpoint: Checkpoint, name: str) -> None:
    scheduler = getattr(diffusers, name).from_config(
        checkpoint.scheduler.config, rescale_betas_zero_snr=False, skip_prk_steps=True
    )
    changed = dataclasses.replace(checkpoint, scheduler=scheduler)
    work = job("a", painted(FOX, steps=4))
    with torch.inference_mode():
        undisturbed = Studio(Engine(Alone(Denoiser(changed)), Clock())).draw(work)
        kept = suspended(Engine(Alone(Denoiser(changed)), Clock()), work, after=3)
        drawn = gone_on(Engine(Alone(Denoiser(changed)), Clock()), work, kept)
    assert distance(undisturbed, cells(drawn)) <= SAME


def test_another_recipe_begins_anew(studio: Studio, models: Models) -> None:
    kept = suspended(studio.engine, job("a", painted(FOX, seed=1)), after=2)
    other = job("a", painted(FOX, seed=2))
    drawn = gone_on(Engine(models, time.monotonic), other, kept)
    assert distance(studio.draw(other), cells(drawn)) <= SAME


def test_an_enlargement_goes_on_from_its_tiles() -> None:
    source = scene(120, 150)
    work = job("up", Upscaling(picture="p", factor=2, width=300, height=240), source=pictures.png(source, {}))

    def engine() -> Engine:
        return Engine(Only(Upscaler(2, torch.device("cpu"))), Clock())

    with torch.inference_mode():
        undisturbed = Studio(engine()).draw(work)
        kept = suspended(engine(), work, after=3)
        after = engine()
        drawn = gone_on(after, work, kept)
    assert distance(undisturbed, cells(drawn)) <= 1
    assert sum(after.passes.values()) == 3


def test_a_bookmark_brings_back_what_was_written() -> None:
    told = {
        "none": None,
        "many": [1, 2.5, True, "ä", None],
        "tensors": [torch.arange(4.0), torch.zeros(2, 3, dtype=torch.uint8)],
        "one": torch.tensor(7),
    }
    again = bookmark.read(bookmark.written(told))
    assert again["many"] == told["many"]
    assert again["none"] is None
    assert torch.equal(again["tensors"][0], torch.arange(4.0))
    assert again["tensors"][1].dtype == torch.uint8
    assert int(again["one"]) == 7


@pytest.mark.parametrize("value", [object(), {"a": b"bytes"}, [print]])
def test_a_bookmark_holds_no_objects(value: Any) -> None:
    with pytest.raises(TypeError):
        bookmark.written(value)
