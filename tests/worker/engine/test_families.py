"""The kinds of Stable Diffusion 1.x and 2.x that people own, each beside the pipeline of diffusers."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline

from parser import Part
from tests.fakes import Clock
from tests.worker.engine import tiny
from tests.worker.engine.recipes import job
from tests.worker.engine.regions import START, redrawing, stays, stock
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from worker.engine import pictures
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.recipe import Drawing, ModelProfile, Start, picture_seed

FOX = "a fox on a green background"
CAR = "a red car"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of checkpoint: its scheduler, and how it is drawn with."""

    scheduler: str
    options: dict[str, Any]
    steps: int
    guidance: float


KINDS = {
    "1.x": Kind("PNDMScheduler", {"skip_prk_steps": True}, 5, 7.5),
    "2.x, v-prediction": Kind("DDIMScheduler", {"prediction_type": "v_prediction"}, 5, 7.5),
    "2.x, v-prediction, zero SNR": Kind(
        "EulerDiscreteScheduler",
        {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"},
        5,
        7.5,
    ),
    "LCM": Kind("LCMScheduler", {}, 4, 1.0),
    "Turbo": Kind("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}, 2, 1.0),
}


@dataclasses.dataclass(frozen=True)
class Subject:
    """A checkpoint of one kind, and an engine that draws with it alone."""

    kind: Kind
    checkpoint: Checkpoint
    studio: Studio

    def recipe(self, *parts: tuple[str, float], **typed: Any) -> Drawing:
        facts = {"steps": self.kind.steps, "guidance": self.kind.guidance, "model": "tiny"}
        return painted(*parts, **(facts | {"width": tiny.SIZE, "height": tiny.SIZE} | typed))

    def stock(self, made: Callable[..., Any] = StableDiffusionPipeline) -> Any:
        parts = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
        pipeline = made(
            **{name: getattr(self.checkpoint, name) for name in parts},
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def theirs(self, made: Callable[..., Any] = StableDiffusionPipeline, **typed: Any) -> np.ndarray:
        facts = {
            "num_inference_steps": self.kind.steps,
            "guidance_scale": self.kind.guidance,
            "output_type": "np",
        }
        images = self.stock(made)(**(facts | typed)).images
        return (images * 255).round().astype(np.uint8)


def loaded(folder: Path, kind: Kind) -> Checkpoint:
    source = tiny.saved(folder, scheduler=kind.scheduler, **kind.options)
    return load(
        ModelProfile(name="tiny", source=str(source), size=tiny.SIZE), Hardware.named("cpu", "float32")
    )


def studio_of(checkpoint: Checkpoint) -> Studio:
    denoiser = Denoiser(checkpoint)

    class One:
        preload = staticmethod(lambda: denoiser.key(tiny.SIZE, tiny.SIZE))
        backend = staticmethod(lambda _recipe: denoiser)

    return Studio(Engine(One(), Clock()))


@pytest.fixture(scope="module")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Checkpoint]:
    return cache(lambda name: loaded(tmp_path_factory.mktemp("kind"), KINDS[name]))


SELDOM = {"1.x", "2.x, v-prediction, zero SNR", "Turbo"}  # the others show what is particular already


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] if name in SELDOM else []) for name in KINDS]
)
def subject(request: pytest.FixtureRequest, checkpoint_of: Callable[[str], Checkpoint]) -> Iterator[Subject]:
    checkpoint = checkpoint_of(request.param)
    with torch.inference_mode():
        yield Subject(KINDS[request.param], checkpoint, studio_of(checkpoint))


def generators(seed: int, count: int = 1) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(picture_seed(seed, i)) for i in range(count)]


def test_a_prompt_gives_the_stock_pipelines_picture(subject: Subject) -> None:
    ours = subject.studio.draw(job("a", subject.recipe((FOX, 1.0), seed=7, pictures=2)))
    theirs = subject.theirs(prompt=FOX, num_images_per_prompt=2, generator=generators(7, 2))
    assert ours.std() > 2
    assert distance(ours, theirs) <= SAME


def test_a_picture_to_start_from_gives_the_stock_pipelines_picture(subject: Subject) -> None:
    source = subject.studio.draw(job("s", subject.recipe((FOX, 1.0))))[0]
    png = pictures.png(source, {})
    recipe = subject.recipe((CAR, 1.0), seed=3, start=Start(picture="s", strength=0.6))
    ours = subject.studio.draw(job("a", recipe, source=png))
    latents = subject.checkpoint.vae.encode(pictures.tensor(png)).latent_dist.mode()
    theirs = subject.theirs(
        StableDiffusionImg2ImgPipeline,
        prompt=CAR,
        image=latents * subject.checkpoint.vae.config.scaling_factor,
        strength=0.6,
        generator=generators(3)[0],
    )
    assert distance(ours, theirs) <= SAME


def test_a_region_gives_the_stock_pipelines_picture_and_the_rest_stays(subject: Subject) -> None:
    png = pictures.png(subject.studio.draw(job("s", subject.recipe((FOX, 1.0))))[0], {})
    recipe = subject.recipe((CAR, 1.0), seed=3, start=START)
    ours = subject.studio.draw(redrawing(recipe, png))
    mode = subject.checkpoint.vae.encode(pictures.tensor(png)).latent_dist.mode()
    latents = mode * subject.checkpoint.vae.config.scaling_factor
    theirs = subject.theirs(
        StableDiffusionInpaintPipeline,
        prompt=CAR,
        generator=generators(3)[0],
        **stock(latents, tiny.SIZE),
    )
    assert distance(ours, theirs) <= SAME
    [kept] = pictures.pixels(subject.checkpoint.vae.decode(mode).sample)
    assert stays(ours[0], kept)


@pytest.mark.slow
def test_a_picture_in_company_equals_the_picture_alone(subject: Subject) -> None:
    recipes = {
        "plain": subject.recipe((FOX, 1.0), seed=2),
        "weighed": subject.recipe((FOX, 0.3), (CAR, 1.7), seed=3, steps=subject.kind.steps + 2),
        "against": subject.recipe(
            (CAR, 1.0), negative=(Part(text="green", weight=1.0),), negative_pull=1.0, seed=4
        ),
    }
    alone = {name: subject.studio.draw(job(name, recipe)) for name, recipe in recipes.items()}
    together = subject.studio.play(
        job("plain", recipes["plain"], owner=1),
        job("against", recipes["against"], owner=2),
        notes={1: lambda engine: engine.submit(job("weighed", recipes["weighed"], owner=3))},
    )
    assert max(distance(alone[name], cells(together[name])) for name in recipes) <= SAME
    assert max(subject.studio.engine.passes) >= 2


@pytest.mark.slow
def test_weights_move_a_picture_between_its_parts(subject: Subject) -> None:
    def drawn(fox: float) -> np.ndarray:
        recipe = subject.recipe((FOX, fox), (CAR, 1.0), seed=5)
        return subject.studio.draw(job("a", recipe)).astype(float)

    one, other, between = (
        subject.studio.draw(job("a", subject.recipe((FOX, 1.0), seed=5))).astype(float),
        subject.studio.draw(job("a", subject.recipe((CAR, 1.0), seed=5))).astype(float),
        drawn(1.0),
    )
    assert np.abs(one - other).mean() > 0
    assert np.abs(drawn(9.0) - one).mean() < np.abs(between - one).mean()


def test_without_guidance_a_sample_costs_one_row(checkpoint_of: Callable[[str], Checkpoint]) -> None:
    with torch.inference_mode():
        studio = studio_of(checkpoint_of("LCM"))
        rows: list[int] = []
        unet = checkpoint_of("LCM").unet
        hook = unet.register_forward_pre_hook(lambda _module, given: rows.append(len(given[0])))
        try:
            recipe = painted((FOX, 1.0), steps=4, guidance=1.0, width=tiny.SIZE, height=tiny.SIZE)
            studio.draw(job("a", recipe))
        finally:
            hook.remove()
    assert rows == [1, 1, 1, 1]
