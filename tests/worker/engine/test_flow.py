"""Stable Diffusion 3 and FLUX beside the pipelines of diffusers, with small networks of the real classes."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    FluxImg2ImgPipeline,
    FluxInpaintPipeline,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3InpaintPipeline,
)
from PIL import Image

from parser import Part
from tests.fakes import Clock
from tests.worker.engine import tiny_flow
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from worker.engine import pictures
from worker.engine.autoencoder import decoded, encoded
from worker.engine.checkpoint import Hardware
from worker.engine.flow import FlowDenoiser
from worker.engine.flow_checkpoint import FlowCheckpoint, assembled
from worker.engine.flow_patches import unpacked
from worker.family import Family
from worker.recipe import Drawing, ModelProfile, Start, picture_seed

FOX = "a fox on a green background"
CAR = "a red car"
SIZE = tiny_flow.SIZE


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of checkpoint: how it is made, and what its stock pipeline is asked besides the usual."""

    family: Family
    made: Callable[[], Any]
    changing: Any
    filling: Any
    asked: dict[str, Any]
    guidance: float = 3.5


SD3_KIND = Kind(
    Family.STABLE_DIFFUSION_3,
    tiny_flow.stable_diffusion_3,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3InpaintPipeline,
    {},
)
DEV_KIND = Kind(Family.FLUX, tiny_flow.flux, FluxImg2ImgPipeline, FluxInpaintPipeline, {})
KINDS = {
    "SD 3": SD3_KIND,
    "SD 3, no T5": dataclasses.replace(SD3_KIND, made=lambda: tiny_flow.stable_diffusion_3(t5=False)),
    "SD 3, shifted by size": dataclasses.replace(
        SD3_KIND, made=lambda: tiny_flow.stable_diffusion_3(schedule={"use_dynamic_shifting": True})
    ),
    "SD 3, no guidance": dataclasses.replace(SD3_KIND, guidance=1.0),
    "FLUX dev": DEV_KIND,
    "FLUX schnell": dataclasses.replace(
        DEV_KIND,
        made=lambda: tiny_flow.flux(guided=False),
        asked={"max_sequence_length": 256},
        guidance=1.0,
    ),
}
SELDOM = {"SD 3, no T5", "SD 3, shifted by size", "SD 3, no guidance", "FLUX schnell"}


@dataclasses.dataclass(frozen=True)
class Subject:
    """A checkpoint of one kind, the pipeline it was made of, and an engine that draws with it alone."""

    kind: Kind
    pipeline: Any
    checkpoint: FlowCheckpoint
    studio: Studio

    def recipe(self, *parts: tuple[str, float], **typed: Any) -> Drawing:
        facts = {"guidance": self.kind.guidance, "width": SIZE, "height": SIZE, "steps": 4}
        return painted(*parts, **(facts | typed))

    def theirs(self, made: Any = None, **typed: Any) -> torch.Tensor:
        """Return the latents that the stock pipeline ends with."""
        pipeline = self.pipeline if made is None else made(**self.pipeline.components)
        pipeline.set_progress_bar_config(disable=True)
        asked: dict[str, Any] = {
            "num_inference_steps": 4,
            "guidance_scale": self.kind.guidance,
            "output_type": "latent",
            "height": SIZE,
            "width": SIZE,
        }
        asked |= self.kind.asked | typed
        latents: torch.Tensor = pipeline(**asked).images
        grid = self.checkpoint.grid
        if self.kind.family is Family.FLUX:
            return unpacked(latents, asked["height"] // grid, asked["width"] // grid)
        return latents

    def shown(self, latents: torch.Tensor) -> np.ndarray:
        return np.stack(pictures.pixels(decoded(self.checkpoint, latents)))


@cache
def subject_of(name: str) -> Subject:
    kind = KINDS[name]
    pipeline = kind.made()
    profile = ModelProfile(name="tiny", source="tiny", size=SIZE, grid=4)
    checkpoint = assembled(profile, Hardware.named("cpu"), pipeline, "0" * 10)
    return Subject(kind, pipeline, checkpoint, studio_of(checkpoint))


def studio_of(checkpoint: FlowCheckpoint) -> Studio:
    from worker.engine.engine import Engine

    denoiser = FlowDenoiser(checkpoint)

    class One:
        preload = staticmethod(lambda: denoiser.key(SIZE, SIZE))
        backend = staticmethod(lambda _recipe: denoiser)

    return Studio(Engine(One(), Clock()))


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] if name in SELDOM else []) for name in KINDS]
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with torch.inference_mode():
        yield subject_of(request.param)


def generators(seed: int, count: int = 1) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(picture_seed(seed, i)) for i in range(count)]


def source_of(subject: Subject) -> bytes:
    return pictures.png(subject.studio.draw(job("s", subject.recipe((CAR, 1.0), seed=9)))[0], {})


def test_a_prompt_gives_the_stock_pipelines_picture(subject: Subject) -> None:
    wide = subject.recipe((FOX, 1.0), seed=7, pictures=2, width=SIZE + 16, height=SIZE - 8)
    ours = subject.studio.draw(job("a", wide))
    theirs = subject.theirs(
        prompt=FOX,
        num_images_per_prompt=2,
        generator=generators(7, 2),
        width=SIZE + 16,
        height=SIZE - 8,
    )
    assert ours.std() > 2
    assert distance(ours, subject.shown(theirs)) <= SAME


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_a_picture_to_start_from_gives_the_stock_pipelines_picture(subject: Subject, strength: float) -> None:
    png = source_of(subject)
    recipe = subject.recipe((FOX, 1.0), seed=3, start=Start(picture="s", strength=strength))
    ours = subject.studio.draw(job("a", recipe, source=png))
    theirs = subject.theirs(
        subject.kind.changing,
        prompt=FOX,
        image=encoded(subject.checkpoint, pictures.tensor(png)),
        strength=strength,
        generator=generators(3)[0],
    )
    assert distance(ours, subject.shown(theirs)) <= SAME


def test_a_region_gives_the_stock_pipelines_picture_and_the_rest_stays(subject: Subject) -> None:
    png = source_of(subject)
    white = np.zeros((SIZE, SIZE, 3), np.uint8)
    white[8:20, 4:] = 255
    mask = pictures.png(white, {})
    recipe = subject.recipe((FOX, 1.0), seed=3, start=Start(picture="s", strength=0.75, mask="m"))
    told = dataclasses.replace(job("a", recipe, source=png), references={"m": mask})
    ours = subject.studio.draw(told)
    theirs = subject.theirs(
        subject.kind.filling,
        prompt=FOX,
        image=encoded(subject.checkpoint, pictures.tensor(png)),
        mask_image=Image.fromarray(white),
        masked_image_latents=encoded(subject.checkpoint, pictures.tensor(png)),
        strength=0.75,
        generator=generators(3)[0],
    )
    assert distance(ours, subject.shown(theirs)) <= SAME
    kept = subject.shown(encoded(subject.checkpoint, pictures.tensor(png)))
    assert distance(ours[:, 26:], kept[:, 26:]) < distance(ours[:, 8:20], kept[:, 8:20])


def test_a_picture_in_company_equals_the_picture_alone(subject: Subject) -> None:
    """At other steps of other schedules, with other guidance, weights and starts."""
    png = source_of(subject)
    recipes = {
        "plain": (subject.recipe((FOX, 1.0), seed=2), None),
        "weighed": (subject.recipe((FOX, 0.3), (CAR, 1.7), seed=3, steps=6), None),
        "stronger": (subject.recipe((CAR, 1.0), guidance=subject.kind.guidance * 1.3, seed=4), None),
        "begun": (subject.recipe((CAR, 1.0), seed=5, start=Start(picture="s", strength=0.7)), png),
    }
    jobs = {
        name: job(name, recipe, owner=i, source=source)
        for i, (name, (recipe, source)) in enumerate(recipes.items())
    }
    alone = {name: subject.studio.draw(each) for name, each in jobs.items()}
    subject.studio.engine.passes.clear()
    together = subject.studio.play(
        jobs["plain"],
        jobs["stronger"],
        notes={1: lambda engine: engine.submit(jobs["weighed"]) + engine.submit(jobs["begun"])},
    )
    assert max(distance(alone[name], cells(together[name])) for name in jobs) <= SAME
    shared = 2 if subject.kind is KINDS["SD 3, no guidance"] else 4
    assert max(subject.studio.engine.passes) >= shared


def test_weights_move_a_picture_between_its_parts(subject: Subject) -> None:
    def drawn(*parts: tuple[str, float]) -> np.ndarray:
        return subject.studio.draw(job("a", subject.recipe(*parts, seed=5))).astype(float)

    fox, between = drawn((FOX, 1.0)), drawn((FOX, 1.0), (CAR, 1.0))
    assert np.abs(fox - drawn((CAR, 1.0))).mean() > 0
    assert 0 < np.abs(drawn((FOX, 9.0), (CAR, 1.0)) - fox).mean() < np.abs(between - fox).mean()
    assert (drawn((CAR, 2.0), (FOX, 2.0)) == between).all()


def with_sd3() -> Subject:
    return subject_of("SD 3")


def test_one_negative_at_full_pull_is_the_stock_pipelines_negative_prompt() -> None:
    subject = with_sd3()
    recipe = subject.recipe((FOX, 1.0), seed=7, negative=(Part(text="red", weight=0.5),), negative_pull=1.0)
    with torch.inference_mode():
        ours = subject.studio.draw(job("a", recipe))
        theirs = subject.theirs(prompt=FOX, negative_prompt="red", generator=generators(7)[0])
        assert distance(ours, subject.shown(theirs)) <= SAME
        assert distance(ours, subject.studio.draw(job("b", subject.recipe((FOX, 1.0), seed=7)))) > 0
