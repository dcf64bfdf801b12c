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
    FluxPipeline,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3InpaintPipeline,
)

from parser import Part
from tests.fakes import Clock
from tests.worker.engine import tiny_flow
from tests.worker.engine.recipes import job
from tests.worker.engine.regions import START, redrawing, stays, stock
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from tests.worker.engine.test_suspension import gone_on, suspended
from worker.api import ErrorCode, WorkerError
from worker.effects import Displacement
from worker.engine import pictures
from worker.engine.autoencoder import decoded, encoded
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.flow import FlowDenoiser
from worker.engine.flow_checkpoint import FlowCheckpoint, assembled
from worker.engine.flow_patches import packed, places, unpacked
from worker.engine.flow_schedule import shift_of
from worker.family import Family
from worker.recipe import Drawing, ModelProfile, SecondPass, Start, picture_seed
from worker.references import Style, StyleCode

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
USUAL = ("SD 3", "FLUX dev")
PARTICULAR = tuple(name for name in KINDS if name not in USUAL)


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
    checkpoint = assembled(profile, Hardware.named("cpu", "float32"), pipeline, "0" * 10)
    return Subject(kind, pipeline, checkpoint, studio_of(checkpoint))


def studio_of(checkpoint: FlowCheckpoint) -> Studio:
    denoiser = FlowDenoiser(checkpoint)

    class One:
        preload = staticmethod(lambda: denoiser.key(SIZE, SIZE))
        backend = staticmethod(lambda _recipe: denoiser)

    return Studio(Engine(One(), Clock()))


def kinds(*usual: str, slowly: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Let a test see kinds of checkpoints as ``subject``, some of them among the slow tests."""
    params = [*usual, *(pytest.param(name, marks=pytest.mark.slow) for name in slowly)]
    return pytest.mark.parametrize("subject", params, indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with torch.inference_mode():
        yield subject_of(request.param)


def generators(seed: int, count: int = 1) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(picture_seed(seed, i)) for i in range(count)]


def source_of(subject: Subject) -> bytes:
    return pictures.png(subject.studio.draw(job("s", subject.recipe((CAR, 1.0), seed=9)))[0], {})


@kinds(*USUAL, slowly=PARTICULAR)
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


@kinds("SD 3", slowly=("FLUX dev", "SD 3, shifted by size"))
def test_a_picture_to_start_from_gives_the_stock_pipelines_picture(subject: Subject) -> None:
    """A started step counts: three of four at 60 %."""
    png = source_of(subject)
    recipe = subject.recipe((FOX, 1.0), seed=3, start=Start(picture="s", strength=0.6))
    ours = subject.studio.draw(job("a", recipe, source=png))
    theirs = subject.theirs(
        subject.kind.changing,
        prompt=FOX,
        image=encoded(subject.checkpoint, pictures.tensor(png)),
        strength=0.6,
        generator=generators(3)[0],
    )
    assert distance(ours, subject.shown(theirs)) <= SAME


@kinds("FLUX dev", slowly=("SD 3",))
def test_a_region_gives_the_stock_pipelines_picture_and_the_rest_stays(subject: Subject) -> None:
    png = source_of(subject)
    recipe = subject.recipe((FOX, 1.0), seed=3, start=START)
    ours = subject.studio.draw(redrawing(recipe, png))
    latents = encoded(subject.checkpoint, pictures.tensor(png))
    theirs = subject.theirs(
        subject.kind.filling, prompt=FOX, generator=generators(3)[0], **stock(latents, SIZE)
    )
    assert distance(ours, subject.shown(theirs)) <= SAME
    assert stays(ours[0], subject.shown(latents)[0])


@kinds(*USUAL, slowly=PARTICULAR)
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


@kinds(slowly=USUAL)
def test_weights_move_a_picture_between_its_parts(subject: Subject) -> None:
    def drawn(*parts: tuple[str, float]) -> np.ndarray:
        return subject.studio.draw(job("a", subject.recipe(*parts, seed=5))).astype(float)

    fox, between = drawn((FOX, 1.0)), drawn((FOX, 1.0), (CAR, 1.0))
    assert np.abs(fox - drawn((CAR, 1.0))).mean() > 0
    assert 0 < np.abs(drawn((FOX, 9.0), (CAR, 1.0)) - fox).mean() < np.abs(between - fox).mean()
    assert (drawn((CAR, 2.0), (FOX, 2.0)) == between).all()


@kinds(slowly=USUAL)
def test_effects_on_what_a_step_expects_change_a_picture(subject: Subject) -> None:
    """Chaos, added detail, and a style: none is lost on the way."""
    plain = subject.studio.draw(job("a", subject.recipe((FOX, 1.0), seed=5)))
    style = Style(codes=(StyleCode(code=7, weight=1.0),), share=0.8, version=6)
    for typed in (
        {"displacement": Displacement(chaos=1.0)},
        {"detail": 0.3},
        {"style": style},
    ):
        changed = subject.studio.draw(job("b", subject.recipe((FOX, 1.0), seed=5, **typed)))
        assert distance(plain, changed) > SAME, typed


@kinds(slowly=USUAL)
def test_stopping_early_takes_fewer_steps_toward_the_same_picture(subject: Subject) -> None:
    whole = subject.studio.draw(job("a", subject.recipe((FOX, 1.0), steps=8))).astype(float)
    subject.studio.engine.passes.clear()
    early = subject.studio.draw(job("a", subject.recipe((FOX, 1.0), steps=8, stop_after=6))).astype(float)
    other = subject.studio.draw(job("b", subject.recipe((FOX, 1.0), steps=8, seed=9))).astype(float)
    assert sum(subject.studio.engine.passes.values()) == 6 + 8
    assert np.abs(early - whole).mean() < np.abs(other - whole).mean() / 2


@kinds(slowly=USUAL)
def test_a_preview_is_of_what_the_picture_becomes(subject: Subject) -> None:
    subject.studio.engine.submit(job("a", subject.recipe((FOX, 1.0), steps=6)))
    for _ in range(5):
        subject.studio.engine.step()
    [work] = subject.studio.engine._works.values()
    assert work.backend.preview(work.ids)[0].shape == (SIZE, SIZE, 3)
    [row] = work.backend._rows.values()  # type: ignore[attr-defined]
    seen = row.clean
    subject.studio.engine.step()
    assert (seen - row.latents).abs().mean() < row.latents.std() / 4


@kinds(slowly=USUAL)
def test_a_second_pass_gone_on_with_after_a_stop_is_the_same(subject: Subject) -> None:
    """At twice the size, with a schedule shifted for that, and what is kept of the picture drawn over."""
    recipe = subject.recipe(
        (FOX, 1.0),
        steps=3,
        start=START,
        second=SecondPass(times=2, strength=0.5),
    )
    work = redrawing(recipe, source_of(subject))
    alone = subject.studio.draw(work)
    assert alone.shape == (1, 2 * SIZE, 2 * SIZE, 3)
    for after in (1, 3):
        kept = suspended(subject.studio.engine, work, after=after)
        assert distance(alone, cells(gone_on(subject.studio.engine, work, kept))) <= SAME


def test_what_was_accepted_for_another_family_fails_with_a_sentence() -> None:
    subject = subject_of("FLUX dev")
    with torch.inference_mode():
        for typed, told in (
            ({"tile": True}, "--tile"),
            ({"negative": (Part(text="red", weight=1.0),)}, "--no"),
            ({"width": SIZE + 2}, "squares of 4 pixels"),
        ):
            with pytest.raises(WorkerError) as caught:
                FlowDenoiser(subject.checkpoint).open(job("a", subject.recipe((FOX, 1.0), **typed)))
            assert caught.value.code is ErrorCode.MODEL_CHANGED
            assert told in str(caught.value.detail["reason"])


def test_one_negative_at_full_pull_is_the_stock_pipelines_negative_prompt() -> None:
    subject = subject_of("SD 3")
    recipe = subject.recipe((FOX, 1.0), seed=7, negative=(Part(text="red", weight=0.5),), negative_pull=1.0)
    with torch.inference_mode():
        ours = subject.studio.draw(job("a", recipe))
        theirs = subject.theirs(prompt=FOX, negative_prompt="red", generator=generators(7)[0])
        assert distance(ours, subject.shown(theirs)) <= SAME
        assert distance(ours, subject.studio.draw(job("b", subject.recipe((FOX, 1.0), seed=7)))) > 0


def test_a_long_prompt_is_read_to_its_end_and_a_typed_mark_ends_nothing() -> None:
    subject = subject_of("SD 3")
    told = subject.checkpoint.conditioner
    with torch.inference_mode():
        short, long = told.read(FOX), told.read("fox " * 300)
        other = told.read("fox " * 299 + "car ")
        window, words = short.clip.shape[1], short.t5.shape[1]
        assert (long.clip.shape[1] - 300) in range(window)
        assert long.t5.shape[1] == 2 * words
        assert torch.equal(long.t5[:, :words], other.t5[:, :words])
        assert not torch.equal(long.clip[:, -window:], other.clip[:, -window:])
        assert not torch.equal(long.t5[:, words:], other.t5[:, words:])
        assert torch.equal(told.read("a fox </s> red").t5, told.read("a fox      red").t5)
        assert torch.equal(told.read("a fox <|endoftext|> red").clip, told.read("a fox red").clip)


def test_a_mean_by_weight_is_of_words_and_summary_alike() -> None:
    told = subject_of("FLUX dev").checkpoint.conditioner
    with torch.inference_mode():
        fox, car = told.read(FOX), told.read(CAR)
        mean, _ = told.condition([Part(text=FOX, weight=1.0), Part(text=CAR, weight=3.0)])
        for got, one, other in zip(mean.parts, fox.parts, car.parts, strict=True):
            assert torch.allclose(got, one / 4 + other * 3 / 4, atol=1e-6)


def test_a_schedule_is_shifted_for_the_patches_as_flux_has_it() -> None:
    assert shift_of(256, {}, 1.15) == pytest.approx(0.5)
    assert shift_of(4096, {}, 1.15) == pytest.approx(1.15)
    assert shift_of(4096, {"max_shift": 0.9}, 1.15) == pytest.approx(0.9)


def test_packed_latents_are_those_of_the_stock_pipeline() -> None:
    latents = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).view(2, 3, 4, 6)
    ours = packed(latents)
    assert torch.equal(ours, FluxPipeline._pack_latents(latents, 2, 3, 4, 6))
    assert torch.equal(unpacked(ours, 4, 6), latents)
    stock = FluxPipeline._prepare_latent_image_ids(1, 2, 3, torch.device("cpu"), torch.float32)
    assert torch.equal(places(4, 6, torch.device("cpu")), stock)
