"""Checkpoints that draw through their own pipeline, beside that pipeline called by hand."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from parser import Part, Speed, parse
from tests.fakes import Clock
from tests.worker.engine import tiny, tiny_pixart
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import Studio, cells, painted
from tests.worker.engine.tiny_flow import saved
from worker.api import ErrorCode, Rejected, WorkerError
from worker.catalogue import Adapter, Build
from worker.device import Dropped, Failed
from worker.engine import pictures
from worker.engine.autoencoder import encoded
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.families import denoiser_of
from worker.engine.outcomes import Moved
from worker.engine.own_checkpoint import owned
from worker.engine.own_pipeline import OwnPipelineDenoiser
from worker.engine.stepwise import Stepwise
from worker.family import Family
from worker.recipe import Drawing, ModelProfile, Start, picture_seed, resolve

FOX, CAR = "a fox", "a red car"
SIZE = tiny.SIZE
STEPS = 4
WITHOUT_CLIPPING = {"clip_sample": False, "set_alpha_to_one": False}
FAMILIES = (Family.PIXART_ALPHA, Family.PIXART_SIGMA)


class Alone:
    """A pipeline, and an engine that draws with it alone."""

    def __init__(self, *, sigma: bool) -> None:
        self.pipeline = tiny_pixart.pixart(sigma=sigma)
        profile = ModelProfile(name="tiny", source="tiny", size=SIZE, grid=4)
        self.checkpoint = owned(profile, Hardware.named("cpu", "float32"), self.pipeline, "0" * 10)
        self.denoiser = denoiser = OwnPipelineDenoiser(self.checkpoint)

        class One:
            preload = staticmethod(lambda: denoiser.key(SIZE, SIZE))
            backend = staticmethod(lambda _recipe: denoiser)

        self.engine = Engine(One(), Clock())
        self.studio = Studio(self.engine)

    def recipe(self, *parts: tuple[str, float], **typed: Any) -> Drawing:
        return painted(*parts, **({"guidance": 4.0, "width": SIZE, "height": SIZE, "steps": STEPS} | typed))

    def theirs(self, prompt: str, seed: int, **typed: Any) -> np.ndarray:
        """Return the picture that the pipeline draws when it is called by hand."""
        asked: dict[str, Any] = {"height": SIZE, "width": SIZE, "guidance_scale": 4.0, "output_type": "np"}
        drawn = self.pipeline(
            prompt,
            num_inference_steps=STEPS,
            use_resolution_binning=False,
            clean_caption=False,
            generator=torch.Generator().manual_seed(picture_seed(seed, 0)),
            **(asked | typed),
        ).images[0]
        return np.asarray((drawn * 255).round(), np.uint8)


@pytest.fixture(scope="module", params=FAMILIES)
def both(request: pytest.FixtureRequest) -> Alone:
    return Alone(sigma=request.param is Family.PIXART_SIGMA)


@pytest.fixture(scope="module")
def made() -> Alone:
    return Alone(sigma=True)


@pytest.fixture(autouse=True)
def quietly() -> Iterator[None]:
    """No test leaves a thread behind."""
    with torch.inference_mode():
        yield
    assert "own pipeline" not in {thread.name for thread in threading.enumerate()}


def far(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_a_prompt_gives_the_pipelines_own_picture(both: Alone) -> None:
    ours = both.studio.draw(job("a", both.recipe((FOX, 1.0), seed=7)))[0]
    assert far(ours, both.theirs(FOX, 7)) <= 1  # of 255: rounding
    wide = both.studio.draw(job("b", both.recipe((FOX, 1.0), seed=7, width=SIZE + 8, height=SIZE - 8)))[0]
    assert far(wide, both.theirs(FOX, 7, width=SIZE + 8, height=SIZE - 8)) <= 1
    assert far(ours, both.theirs(CAR, 7)) > 1


def test_without_guidance_and_with_a_negative_it_does_too(made: Alone) -> None:
    plain = made.studio.draw(job("a", made.recipe((FOX, 1.0), seed=7, guidance=1.0)))[0]
    assert far(plain, made.theirs(FOX, 7, guidance_scale=1.0)) <= 1
    asked = {"negative": (Part(text=CAR),), "negative_pull": 1.0}
    away = made.studio.draw(job("b", made.recipe((FOX, 1.0), seed=7, **asked)))[0]
    assert far(away, made.theirs(FOX, 7, negative_prompt=CAR)) <= 1
    assert far(away, made.theirs(FOX, 7)) > 1


def test_weights_move_a_picture_between_its_parts(made: Alone) -> None:
    fox, foxlike, carlike = (
        made.studio.draw(job("a", made.recipe(*parts, seed=7)))[0].astype(int)
        for parts in ([(FOX, 1.0)], [(FOX, 9.0), (CAR, 1.0)], [(FOX, 1.0), (CAR, 9.0)])
    )
    assert 0 < np.abs(foxlike - fox).mean() < np.abs(carlike - fox).mean()


def test_a_picture_tells_after_every_step_how_far_it_is(made: Alone) -> None:
    engine = made.engine
    assert engine.submit(job("a", made.recipe((FOX, 1.0)))) == []
    told = [outcome for _ in range(STEPS - 1) for outcome in engine.step()]
    assert [outcome.fraction for outcome in told if isinstance(outcome, Moved)] == [0.25, 0.5, 0.75]
    assert made.denoiser.busy
    engine.step()
    assert not made.denoiser.busy


def test_cancelled_between_two_steps_it_ends_there(made: Alone) -> None:
    made.engine.submit(job("a", made.recipe((FOX, 1.0), pictures=2)))
    made.engine.step()
    assert made.engine.cancel(job("a").job_id) == [Dropped(job("a").job_id, 1)]
    assert not made.denoiser.busy
    assert not made.engine.busy


def test_many_at_once_and_in_turns_give_the_pictures_each_gives_alone(made: Alone) -> None:
    jobs = [
        job(name, made.recipe((text, 1.0), seed=seed, pictures=pictures), owner=seed, speed=speed)
        for name, text, seed, pictures, speed in (
            ("a", FOX, 1, 2, Speed.RELAX),
            ("b", CAR, 2, 1, Speed.FAST),
            ("c", FOX, 3, 1, Speed.FAST),
        )
    ]
    alone = {each.job_id: made.studio.draw(each) for each in jobs}
    together = made.studio.play(
        jobs[0], notes={3: lambda engine: engine.submit(jobs[1]) + engine.submit(jobs[2])}
    )
    assert max(made.engine.passes) == 1
    for each in jobs:
        assert np.array_equal(cells(together[each.job_id]), alone[each.job_id])


def test_a_variation_is_the_end_of_a_schedule_over_its_picture(made: Alone) -> None:
    source = pictures.png(made.studio.draw(job("s", made.recipe((CAR, 1.0), seed=9)))[0], {})
    recipe = made.recipe((FOX, 1.0), seed=7, start=Start(picture="s", strength=0.5))
    ours = made.studio.draw(job("v", recipe, source=source))[0]
    clean = encoded(made.checkpoint, pictures.tensor(source, (SIZE, SIZE)))
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(picture_seed(7, 0)))
    schedule = type(made.pipeline.scheduler).from_config(made.pipeline.scheduler.config)
    schedule.set_timesteps(STEPS)
    rest = schedule.timesteps[STEPS // 2 :]
    noisy = schedule.add_noise(clean, noise, rest[:1])
    assert far(ours, made.theirs(FOX, 7, timesteps=rest.tolist(), latents=noisy)) <= 1
    made.engine.submit(job("v", recipe, source=source))
    (moved,) = made.engine.step()
    assert isinstance(moved, Moved)
    assert moved.fraction == 0.5  # two of four steps are drawn
    made.engine.drop_all()


def test_a_schedule_that_takes_no_times_of_its_own_is_shortened_as_well(made: Alone) -> None:
    made.engine.drop_all()
    usual, made.pipeline.scheduler = made.pipeline.scheduler, DDIMScheduler(**WITHOUT_CLIPPING)
    try:
        source = pictures.png(made.studio.draw(job("s", made.recipe((CAR, 1.0), seed=9)))[0], {})
        recipe = made.recipe((FOX, 1.0), seed=7, start=Start(picture="s", strength=1.0))
        whole = made.studio.draw(job("v", recipe, source=source))[0]
        half = recipe.model_copy(update={"start": Start(picture="s", strength=0.5)})
        assert far(made.studio.draw(job("w", half, source=source))[0], whole) > 1
    finally:
        made.pipeline.scheduler = usual


def test_one_noise_for_all_and_a_noise_of_each(made: Alone) -> None:
    two = made.studio.draw(job("a", made.recipe((FOX, 1.0), pictures=2)))
    assert far(two[0], two[1]) > 1
    same = made.studio.draw(job("b", made.recipe((FOX, 1.0), pictures=2, noise=5)))
    assert far(same[0], same[1]) == 0


def test_an_error_in_the_pipeline_fails_its_job_alone(made: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, bad = type(made.pipeline.transformer).forward, made.recipe((CAR, 1.0), height=SIZE + 8)

    def failing(self: Any, latents: torch.Tensor, *given: Any, **named: Any) -> Any:
        if latents.shape[2] > SIZE // 2:
            raise RuntimeError("a kernel failed")
        return whole(self, latents, *given, **named)

    monkeypatch.setattr(type(made.pipeline.transformer), "forward", failing)
    ended = made.studio.play(job("a", made.recipe((FOX, 1.0), seed=7)), job("b", bad, owner=2))
    assert isinstance(ended[job("b").job_id], Failed)
    assert far(cells(ended[job("a").job_id])[0], made.theirs(FOX, 7)) <= 1


def test_a_folder_is_loaded_by_what_its_files_say(tmp_path: Path) -> None:
    folder = saved(tmp_path, tiny_pixart.pixart())
    profile = ModelProfile(name="p", source=str(folder), family=Family.PIXART_SIGMA, size=SIZE, grid=4)
    denoiser = denoiser_of(profile, Hardware.named("cpu", "float32"))
    assert isinstance(denoiser, OwnPipelineDenoiser)
    assert denoiser.bytes > 10_000
    assert denoiser.key(SIZE, SIZE).shared is False
    with pytest.raises(WorkerError) as refused:
        denoiser_of(profile, Hardware.named("cpu", "float32"), Build(loras=(Adapter(source="x"),)))
    assert "has loras, which PixArt-Sigma does not take" in str(refused.value.detail["reason"])
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"no")
    with pytest.raises(WorkerError) as damaged:
        denoiser_of(profile, Hardware.named("cpu", "float32"))
    assert "is damaged" in str(damaged.value.detail["reason"])


@pytest.mark.parametrize(
    "typed", ["--tile", "--chaos 10", "--weird 10", "--exp 10", "--hd", "--stop 50", "--sref 7"]
)
def test_what_it_cannot_do_is_refused_before_anything_is_queued(typed: str) -> None:
    profile = ModelProfile(name="p", source="p", family=Family.PIXART_SIGMA, size=1024, grid=16)
    with pytest.raises(Rejected) as refused:
        resolve(parse(f"a fox {typed}"), profile, seed=1)
    assert refused.value.code is ErrorCode.NOT_WITH_MODEL
    assert typed.split(maxsplit=1)[0] == f"--{refused.value.detail['parameter']}"
    resolve(parse("a fox::2 car::1 --no red --ar 3:2 --q 2 --sameseed 3 --stop 100"), profile, seed=1)


def test_what_was_accepted_for_another_family_fails_with_a_sentence(made: Alone) -> None:
    (failed,) = made.engine.submit(job("a", made.recipe((FOX, 1.0), tile=True)))
    assert isinstance(failed, Failed)
    assert failed.code is ErrorCode.MODEL_CHANGED


def test_a_call_that_was_left_takes_no_further_step() -> None:
    taken: list[int] = []

    def counting(rest: Any) -> str:
        for number in range(3):
            taken.append(number)
            rest()
        return "done"

    call, other, never = Stepwise(counting), Stepwise(counting), Stepwise(counting)
    call.step()
    call.leave()
    never.leave()
    assert taken == [0]
    assert other.result() == "done"
    assert taken == [0, 0, 1, 2]
    other.step()  # nothing is left to take
    assert other.result() == "done"
