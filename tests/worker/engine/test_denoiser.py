import dataclasses
import io
import time

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from parser import Part, Speed
from tests.fakes import Clock
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from worker.api import ErrorCode
from worker.device import Failed
from worker.engine import pictures
from worker.engine.checkpoint import Checkpoint, Hardware
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.recipe import ModelProfile, Start, picture_seed

FOX = ("a fox on a green background", 1.0)
CAR = ("a red car", 1.0)


def stock(checkpoint: Checkpoint) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline(
        vae=checkpoint.vae,
        text_encoder=checkpoint.text_encoder,
        tokenizer=checkpoint.tokenizer,
        unet=checkpoint.unet,
        scheduler=checkpoint.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def png(pixels: np.ndarray) -> bytes:
    return pictures.png(pixels, {})


def test_a_plain_prompt_gives_the_stock_pipelines_picture(studio: Studio, checkpoint: Checkpoint) -> None:
    ours = studio.draw(job("a", painted(FOX, steps=6, seed=7, pictures=2)))
    theirs = stock(checkpoint)(
        FOX[0],
        num_inference_steps=6,
        guidance_scale=3.0,
        num_images_per_prompt=2,
        generator=[torch.Generator().manual_seed(picture_seed(7, i)) for i in range(2)],
        output_type="np",
    ).images
    assert distance(ours, (theirs * 255).round().astype(np.uint8)) <= SAME


def test_a_variation_gives_the_stock_image_to_image_pipelines_picture(
    studio: Studio, checkpoint: Checkpoint
) -> None:
    source = studio.draw(job("s", painted(FOX)))[0]
    start = Start(picture="s", strength=0.6)
    ours = studio.draw(job("a", painted(FOX, steps=5, seed=3, start=start), source=png(source)))
    pipeline = StableDiffusionImg2ImgPipeline(**stock(checkpoint).components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    latents = checkpoint.vae.encode(pictures.tensor(png(source))).latent_dist.mode()
    theirs = pipeline(
        FOX[0],
        image=latents * checkpoint.vae.config.scaling_factor,
        strength=0.6,
        num_inference_steps=5,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(picture_seed(3, 0)),
        output_type="np",
    ).images
    assert distance(ours, (theirs * 255).round().astype(np.uint8)) <= SAME


COMPANY = {
    "plain": painted(CAR, steps=5, seed=2),
    "weird": painted(("zzqx ((((]] ::", 1.0), ("%$# 🦊 \x00", 0.01), steps=7, seed=3),
    "extreme": painted(("a fox", 1e300), ("a cat", 1e-300), steps=3, seed=4, guidance=30.0),
    "against": painted(
        FOX, negative=(Part(text="green background", weight=1e9),), negative_pull=1.0, steps=6, seed=5
    ),
    "stopped": painted(CAR, steps=8, stop_after=3, seed=6),
}


def test_a_picture_in_company_equals_the_picture_alone(studio: Studio) -> None:
    alone = {name: studio.draw(job(name, recipe)) for name, recipe in COMPANY.items()}
    together = studio.play(
        job("plain", COMPANY["plain"], owner=1),
        job("weird", COMPANY["weird"], owner=2),
        notes={
            1: lambda engine: engine.submit(job("extreme", COMPANY["extreme"], owner=3)),
            2: lambda engine: [
                *engine.submit(job("against", COMPANY["against"], owner=4)),
                *engine.submit(job("leaves", painted(FOX, steps=9), owner=5)),
            ],
            3: lambda engine: [
                *engine.submit(job("stopped", COMPANY["stopped"], owner=6)),
                *engine.cancel(job("leaves").job_id),
            ],
        },
    )
    assert set(together) == set(COMPANY)
    assert max(distance(alone[name], cells(together[name])) for name in COMPANY) <= SAME
    assert max(studio.engine.passes) >= 4


def test_a_preempted_picture_equals_the_undisturbed_one(studio: Studio) -> None:
    recipe = painted(FOX, steps=5)
    undisturbed = studio.draw(job("slow", recipe))
    turbo = job("quick", painted(CAR, steps=3), owner=2, speed=Speed.TURBO)
    ends = studio.play(job("slow", recipe, speed=Speed.RELAX), notes={2: lambda engine: engine.submit(turbo)})
    assert list(ends) == ["quick", "slow"]
    assert distance(undisturbed, cells(ends["slow"])) <= SAME


def test_two_sizes_are_drawn_side_by_side(studio: Studio) -> None:
    ends = studio.play(job("square", painted(FOX)), job("wide", painted(CAR, width=176, height=88), owner=2))
    assert cells(ends["square"]).shape == (1, 128, 128, 3)
    assert cells(ends["wide"]).shape == (1, 88, 176, 3)


def test_a_fresh_engine_draws_the_same_picture(studio: Studio, profile: ModelProfile) -> None:
    recipe = painted(FOX, ("a cat", 0.5), seed=11)
    before = studio.draw(job("a", recipe))
    restarted = Studio(Engine(Models([profile], Hardware.named("cpu", "float32")), time.monotonic))
    assert distance(before, restarted.draw(job("a", recipe))) <= SAME


def test_another_seed_is_another_picture(studio: Studio) -> None:
    first = studio.draw(job("a", painted(FOX, seed=1)))
    assert distance(first, studio.draw(job("a", painted(FOX, seed=2)))) > 20


def test_stopping_early_takes_fewer_steps_and_is_softer_but_the_same_picture(studio: Studio) -> None:
    whole = studio.draw(job("a", painted(FOX, steps=6, pictures=4))).astype(float)
    studio.engine.passes.clear()
    early = studio.draw(job("a", painted(FOX, steps=6, pictures=4, stop_after=1))).astype(float)
    assert sum(studio.engine.passes.values()) == 1

    def detail(grid: np.ndarray) -> float:
        return float(np.abs(np.diff(grid, axis=1)).mean() + np.abs(np.diff(grid, axis=2)).mean())

    assert detail(early) < detail(whole)
    assert np.abs(early - whole).mean() < 40
    for one, other in zip(early, whole, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.85


def test_a_subtle_variation_stays_closer_than_a_strong_one(studio: Studio) -> None:
    source = studio.draw(job("s", painted(FOX, steps=6)))[0]

    def away(strength: float) -> float:
        start = Start(picture="s", strength=strength)
        varied = studio.draw(job("v", painted(FOX, steps=6, seed=9, start=start), source=png(source)))[0]
        return float(np.abs(varied.astype(int) - source.astype(int)).mean())

    assert away(0.01) < away(1.0)


def test_one_negative_at_full_pull_is_the_stock_pipelines_negative_prompt(
    studio: Studio, checkpoint: Checkpoint
) -> None:
    recipe = painted(FOX, seed=7, negative=(Part(text="white", weight=0.5),), negative_pull=1.0)
    theirs = stock(checkpoint)(
        FOX[0],
        negative_prompt="white",
        num_inference_steps=4,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(picture_seed(7, 0)),
        output_type="np",
    ).images
    ours = studio.draw(job("a", recipe))
    assert distance(ours, (theirs * 255).round().astype(np.uint8)) <= SAME
    assert distance(ours, studio.draw(job("b", painted(FOX, seed=7)))) > SAME


def test_without_guidance_the_model_runs_one_row_a_picture(studio: Studio) -> None:
    ends = studio.play(job("a", painted(FOX, guidance=1.0)), job("b", painted(FOX), owner=2))
    assert max(studio.engine.passes) == 1
    assert distance(cells(ends["a"]), cells(ends["b"])) > SAME


def test_what_is_not_a_number_fails_its_job_and_not_the_engine(studio: Studio) -> None:
    broken = painted(FOX, guidance=1e38)
    ends = studio.play(job("broken", broken), job("sound", painted(CAR), owner=2))
    broken_end = ends["broken"]
    assert isinstance(broken_end, Failed)
    assert broken_end.code is ErrorCode.ENGINE_FAILED
    assert cells(ends["sound"]).std() > 5


def test_previews_resemble_the_picture(studio: Studio) -> None:
    studio.engine.submit(job("a", painted(FOX, steps=8)))
    for _ in range(7):
        studio.engine.step()
    [work] = studio.engine._works.values()
    preview = work.backend.preview(work.ids)[0].astype(int)
    [drawn] = [o for o in studio.engine.step() if o.job_id == "a"]
    other = studio.play(job("b", painted(CAR, steps=8)))["b"]
    own, foreign = (np.abs(preview - cells(each)[0].astype(int)).mean() for each in (drawn, other))
    assert own < foreign / 2


def test_a_png_tells_its_story(studio: Studio, checkpoint: Checkpoint) -> None:
    drawn = studio.play(job("a", painted(FOX, pictures=4, seed=5)))["a"]
    files = pictures.files(drawn.cells, drawn.text)  # type: ignore[union-attr]
    assert list(files) == ["grid.png", "1.png", "2.png", "3.png", "4.png"]
    said = Image.open(io.BytesIO(files["2.png"])).info
    assert said["prompt"] == "a red fox"
    assert said["seed"] == "1"
    assert said["job_id"] == "a"
    assert said["model_hash"] == checkpoint.hash
    assert f"Seed: {picture_seed(5, 1)}" in said["parameters"]
    grid = np.asarray(Image.open(io.BytesIO(files["grid.png"])))
    second = np.asarray(Image.open(io.BytesIO(files["2.png"])))
    assert (grid[:128, 128:] == second).all()


@pytest.mark.parametrize("name", ["DDIMScheduler", "EulerAncestralDiscreteScheduler", "PNDMScheduler"])
def test_every_usual_schedule_works_alike_alone_and_in_company(checkpoint: Checkpoint, name: str) -> None:
    scheduler = getattr(diffusers, name).from_config(
        checkpoint.scheduler.config, rescale_betas_zero_snr=False, skip_prk_steps=True
    )
    denoiser = Denoiser(dataclasses.replace(checkpoint, scheduler=scheduler))

    class One:
        preload = staticmethod(lambda: denoiser.key(128, 128))
        backend = staticmethod(lambda _recipe: denoiser)

    with torch.inference_mode():
        subject = Studio(Engine(One(), Clock()))
        alone = subject.draw(job("a", painted(FOX)))
        together = subject.play(job("a", painted(FOX)), job("b", painted(CAR, steps=6), owner=2))
    assert distance(alone, cells(together["a"])) <= SAME
    assert alone.std() > 5


def test_a_job_whose_third_picture_cannot_be_laid_out_leaves_no_rows_behind(checkpoint: Checkpoint) -> None:
    denoiser = Denoiser(checkpoint)
    with pytest.raises((RuntimeError, ValueError), match=r"(?i)overflow"):
        denoiser.open(job("a", painted(FOX, seeds=(1, 2, 2**70))))
    assert denoiser._rows == {}
