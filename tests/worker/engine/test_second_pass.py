"""High resolution: a second pass over what the first drew, at a larger size."""

import dataclasses
import time
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from parser import Speed
from tests.fakes import Clock
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from tests.worker.engine.test_suspension import Alone, gone_on, suspended
from worker.engine import pictures
from worker.engine.checkpoint import Checkpoint
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.outcomes import Moved
from worker.engine.passes import broad, grown, held
from worker.engine.plan import BatchKey, Sample, SampleId, Stage, StepScheduler
from worker.recipe import Drawing, SecondPass

FOX = ("a fox on a green background", 1.0)
SECOND = SecondPass(times=2, strength=0.5)
SMALL, LARGE = (BatchKey("m", side, side, 77, guided=True) for side in (16, 32))


def large(**typed: Any) -> Drawing:
    """Return a recipe of two steps at 128 pixels and one at 256."""
    return painted(FOX, **{"steps": 2, "second": SECOND} | typed)


def sample(name: str, *, owner: int = 1, steps: int = 6, stage: Stage | None = None) -> Sample:
    return Sample(SampleId(name, 1, 0), SMALL, Speed.FAST, owner, steps=steps, stage=stage)  # type: ignore[arg-type]


# --- whose turn it is ---------------------------------------------------------------------------------------


def test_a_sample_leaves_the_batch_of_its_size_for_that_of_its_larger_one() -> None:
    plan = StepScheduler()
    plan.add([sample("plain", steps=3), sample("hd", owner=2, steps=3, stage=Stage(2, LARGE, 4.0))])
    batches = []
    while batch := plan.schedule():
        batches.append((batch[0].key, sorted(each.id.job_id for each in batch)))
        plan.remove([each.id for each in plan.update(batch)])
    assert batches[:2] == [(SMALL, ["hd", "plain"])] * 2
    assert sorted(batches[2:], key=str) == [(SMALL, ["plain"]), (LARGE, ["hd"])]


def test_work_counts_a_larger_step_by_its_pixels() -> None:
    hd = sample("hd", steps=6, stage=Stage(4, LARGE, 4.0))
    shares = []
    for step in range(7):
        hd.reach(step)
        shares.append(hd.taken / hd.whole)
    assert shares == pytest.approx([0, 1 / 12, 2 / 12, 3 / 12, 4 / 12, 8 / 12, 1])


def test_what_is_gone_on_with_in_its_second_pass_is_in_the_batch_of_that() -> None:
    hd = sample("hd", stage=Stage(4, LARGE, 4.0))
    hd.reach(5)
    assert hd.key == LARGE


# --- the same picture, whatever happens ---------------------------------------------------------------------


def test_a_second_pass_draws_the_same_alone_and_in_company(studio: Studio) -> None:
    jobs = [
        job("hd", large()),
        job("plain", painted(FOX, seed=5, steps=3), owner=3),
        job("late", large(seed=4), owner=2),
    ]
    together = studio.play(*jobs[:2], notes={1: lambda engine: engine.submit(jobs[2])})
    assert [cells(together[each.job_id]).shape[1] for each in jobs] == [256, 128, 256]
    for each in jobs[1:]:
        assert distance(cells(together[each.job_id]), studio.draw(each)) <= SAME


@pytest.mark.parametrize("after", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_it_is_gone_on_with_from_either_pass(studio: Studio, models: Models, after: int) -> None:
    # After two steps of three, the second pass is laid out and nothing of it is drawn.
    work = job("hd", large())
    undisturbed = studio.draw(work)
    kept = suspended(studio.engine, work, after=after)
    later = Engine(models, time.monotonic)
    assert distance(undisturbed, cells(gone_on(later, work, kept))) <= SAME
    assert sum(later.passes.values()) == 3 - after


SCHEDULES = (
    "EulerAncestralDiscreteScheduler",  # adds noise of its own
    "HeunDiscreteScheduler",  # two passes a step
    "DDIMScheduler",
    "PNDMScheduler",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_usual_schedule_has_a_second_pass(checkpoint: Checkpoint, name: str) -> None:
    scheduler = getattr(diffusers, name).from_config(
        checkpoint.scheduler.config, rescale_betas_zero_snr=False, skip_prk_steps=True
    )
    changed = dataclasses.replace(checkpoint, scheduler=scheduler)
    work = job("a", large(steps=4))
    with torch.inference_mode():
        undisturbed = Studio(Engine(Alone(Denoiser(changed)), Clock())).draw(work)
        kept = suspended(Engine(Alone(Denoiser(changed)), Clock()), work, after=5)
        drawn = gone_on(Engine(Alone(Denoiser(changed)), Clock()), work, kept)
    assert undisturbed.shape[1:3] == (256, 256)
    assert distance(undisturbed, cells(drawn)) <= SAME


def test_a_cancelled_job_leaves_nothing_behind_in_its_second_pass(studio: Studio, models: Models) -> None:
    studio.engine.submit(job("hd", large()))
    for _ in range(2):
        studio.engine.step()
    assert studio.engine.cancel(job("hd").job_id)
    assert not studio.engine.busy
    assert not models.denoiser("embedded").busy


@pytest.mark.slow
def test_progress_only_rises_and_previews_are_of_one_size(models: Models) -> None:
    clock = Clock()
    engine = Engine(models, clock, StepScheduler(first_cap=1, most=1))  # so that one is ahead of the other
    with torch.inference_mode():
        outcomes = engine.submit(job("hd", large(pictures=2, second=SecondPass(times=2, strength=1))))
        while engine.busy:
            clock.advance(2)
            outcomes += engine.step()
    moved = [outcome for outcome in outcomes if isinstance(outcome, Moved)]
    shown = [{picture.shape for picture in outcome.preview} for outcome in moved if outcome.preview]
    assert [outcome.fraction for outcome in moved] == sorted(outcome.fraction for outcome in moved)
    assert all(len(sizes) == 1 for sizes in shown)
    assert (shown[0], shown[-1]) == ({(128, 128, 3)}, {(256, 256, 3)})


def test_pictures_of_two_sizes_are_shown_at_the_larger() -> None:
    small, big = np.full((4, 6, 3), 9, np.uint8), np.zeros((8, 12, 3), np.uint8)
    assert [each.shape for each in pictures.alike([small, big])] == [(8, 12, 3)] * 2


# --- the sums alone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", ["replicate", "circular"])
def test_what_is_held_has_the_broad_shapes_of_the_first_pass_and_its_own_detail(edge: str) -> None:
    generator = torch.Generator().manual_seed(0)
    estimate, shape = torch.randn(1, 4, 16, 24, generator=generator), torch.zeros(1, 4, 8, 12)
    kept = held(estimate, shape, edge=edge)
    assert broad(kept, 8, 12).std() < 0.4 * broad(estimate, 8, 12).std()
    fine = estimate - grown(broad(estimate, 8, 12), 2, edge=edge)
    assert torch.allclose(kept, fine, atol=1e-6)


def test_enlarging_keeps_what_is_flat_and_goes_on_beyond_joined_edges() -> None:
    flat = torch.full((1, 3, 5, 7), 0.25)
    assert torch.allclose(grown(flat, 2, edge="replicate"), torch.full((1, 3, 10, 14), 0.25), atol=1e-6)
    drawn = torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    rolled = grown(drawn.roll((2, 3), dims=(2, 3)), 2, edge="circular")
    assert torch.allclose(rolled, grown(drawn, 2, edge="circular").roll((4, 6), dims=(2, 3)), atol=1e-5)
