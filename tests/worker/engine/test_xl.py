"""Stable Diffusion XL and what was distilled of it, each beside the pipeline of diffusers."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    LatentConsistencyModelPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

from parser import Part
from tests.fakes import Clock
from tests.worker.engine import tiny, tiny_xl
from tests.worker.engine.recipes import job
from tests.worker.engine.regions import START, redrawing, stays, stock
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from worker.api import ErrorCode, WorkerError
from worker.catalogue import Adapter, Build, Embedding
from worker.device import Dropped, Failed
from worker.effects import Displacement
from worker.engine import pictures
from worker.engine.autoencoder import decoded, encoded
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.families import denoiser_of
from worker.engine.pair_prompts import PairConditioner
from worker.recipe import Drawing, ModelProfile, SecondPass, Start, picture_seed

FOX = "a fox on a green background"
CAR = "a red car"
LONG = ", ".join(f"a fox number {i}" for i in range(40))  # three chunks
CPU = Hardware.named("cpu", "float32")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of checkpoint: its scheduler, its UNet, and how it is drawn with."""

    scheduler: str
    steps: int
    guidance: float
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    unet: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    asked: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # of the stock pipeline besides


KINDS = {
    "base": Kind("EulerDiscreteScheduler", 4, 5.0),
    "Turbo": Kind("EulerAncestralDiscreteScheduler", 2, 1.0, {"timestep_spacing": "trailing"}),
    "Lightning": Kind("EulerDiscreteScheduler", 4, 1.0, {"timestep_spacing": "trailing"}),
    "LCM": Kind("LCMScheduler", 4, 8.5, unet={"time_cond_proj_dim": 12}),
    # The stock pipeline takes the schedule's own share of noise away unless it is told that one.
    "Hyper": Kind("TCDScheduler", 4, 1.0, asked={"eta": 0.3}),
}


@dataclasses.dataclass(frozen=True)
class Subject:
    """A checkpoint of one kind, an engine that draws with it alone, and the pipeline of diffusers."""

    kind: Kind
    checkpoint: Checkpoint
    studio: Studio

    def recipe(self, *parts: tuple[str, float], **typed: Any) -> Drawing:
        facts = {"steps": self.kind.steps, "guidance": self.kind.guidance, "model": "tiny"}
        return painted(*parts, **(facts | {"width": tiny_xl.SIZE, "height": tiny_xl.SIZE} | typed))

    def theirs(self, made: Callable[..., Any] = StableDiffusionXLPipeline, **typed: Any) -> np.ndarray:
        second = self.checkpoint.second
        assert second is not None
        names = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
        stock = made(
            **{name: getattr(self.checkpoint, name) for name in names},
            text_encoder_2=second.text_encoder,
            tokenizer_2=second.tokenizer,
            add_watermarker=False,
        )
        stock.set_progress_bar_config(disable=True)
        facts = {
            "num_inference_steps": self.kind.steps,
            "guidance_scale": self.kind.guidance,
            "output_type": "np",
            **self.kind.asked,
        }
        images: np.ndarray = stock(**(facts | typed)).images
        return (images * 255).round().astype(np.uint8)


def loaded(source: Path, hardware: Hardware = CPU, **build: Any) -> Checkpoint:
    profile = ModelProfile(name="tiny", source=str(source), size=tiny_xl.SIZE)
    return load(profile, hardware, Build(offline=True, **build))


def studio_of(denoiser: Any) -> Studio:
    class One:
        preload = staticmethod(lambda: denoiser.key(tiny_xl.SIZE, tiny_xl.SIZE))
        backend = staticmethod(lambda _recipe: denoiser)

    return Studio(Engine(One(), Clock()))


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def made(name: str) -> Path:
        kind = KINDS[name]
        folder = tmp_path_factory.mktemp("kind")
        return tiny_xl.saved(folder, scheduler=kind.scheduler, unet=kind.unet, **kind.options)

    return cache(made)


@pytest.fixture(scope="module")
def checkpoint_of(folder_of: Callable[[str], Path]) -> Callable[[str], Checkpoint]:
    return cache(lambda name: loaded(folder_of(name)))


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def subject_of(name: str, checkpoint_of: Callable[[str], Checkpoint]) -> Subject:
    checkpoint = checkpoint_of(name)
    return Subject(KINDS[name], checkpoint, studio_of(Denoiser(checkpoint)))


DAILY = {"base", "LCM"}  # the others differ from these in what diffusers does alone


@pytest.fixture(
    params=[pytest.param(name, marks=[] if name in DAILY else [pytest.mark.slow]) for name in KINDS]
)
def subject(request: pytest.FixtureRequest, checkpoint_of: Callable[[str], Checkpoint]) -> Subject:
    return subject_of(request.param, checkpoint_of)


@pytest.fixture
def base(checkpoint_of: Callable[[str], Checkpoint]) -> Subject:
    return subject_of("base", checkpoint_of)


def generators(seed: int, count: int = 1) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(picture_seed(seed, i)) for i in range(count)]


def test_a_prompt_gives_the_stock_pipelines_picture(subject: Subject) -> None:
    wide: dict[str, Any] = {"width": tiny_xl.SIZE + 8, "height": tiny_xl.SIZE - 8}
    ours = subject.studio.draw(job("a", subject.recipe((FOX, 1.0), seed=7, pictures=2, **wide)))
    theirs = subject.theirs(prompt=FOX, num_images_per_prompt=2, generator=generators(7, 2), **wide)
    assert ours.std() > 2
    assert distance(ours, theirs) <= SAME


def test_a_picture_to_start_from_gives_the_stock_pipelines_picture(base: Subject) -> None:
    source = base.studio.draw(job("s", base.recipe((FOX, 1.0))))[0]
    png = pictures.png(source, {})
    ours = base.studio.draw(
        job("a", base.recipe((CAR, 1.0), seed=3, start=Start(picture="s", strength=0.6)), source=png)
    )
    latents = base.checkpoint.vae.encode(pictures.tensor(png)).latent_dist.mode()
    theirs = base.theirs(
        StableDiffusionXLImg2ImgPipeline,
        prompt=CAR,
        image=latents * base.checkpoint.vae.config.scaling_factor,
        strength=0.6,
        generator=generators(3)[0],
    )
    assert distance(ours, theirs) <= SAME


def test_a_region_gives_the_stock_pipelines_picture_and_the_rest_stays(base: Subject) -> None:
    png = pictures.png(base.studio.draw(job("s", base.recipe((FOX, 1.0))))[0], {})
    recipe = base.recipe((CAR, 1.0), seed=3, start=START)
    ours = base.studio.draw(redrawing(recipe, png))
    latents = encoded(base.checkpoint, pictures.tensor(png))
    theirs = base.theirs(
        StableDiffusionXLInpaintPipeline,
        prompt=CAR,
        generator=generators(3)[0],
        **stock(latents, tiny_xl.SIZE),
    )
    assert distance(ours, theirs) <= SAME
    kept = pictures.pixels(decoded(base.checkpoint, latents))[0]
    assert stays(ours[0], kept)


@pytest.mark.slow
def test_a_region_drawn_over_at_twice_the_size_goes_on_after_a_stop(base: Subject) -> None:
    png = pictures.png(base.studio.draw(job("s", base.recipe((FOX, 1.0))))[0], {})
    recipe = base.recipe(
        (CAR, 1.0),
        start=START,
        second=SecondPass(times=2, strength=0.5),
    )
    work = redrawing(recipe, png)
    alone = base.studio.draw(work)
    for after in (1, 4):
        engine = base.studio.engine
        engine.submit(work)
        for _ in range(after):
            engine.step()
        [dropped] = engine.suspend()
        assert isinstance(dropped, Dropped)
        again = base.studio.draw(dataclasses.replace(work, kept=dropped.kept))
        assert distance(alone, again) <= SAME


@pytest.mark.slow
def test_a_lora_for_the_unet_and_both_encoders_is_added(
    folder_of: Callable[[str], Path], base: Subject, tmp_path: Path
) -> None:
    made = tiny_xl.pipeline()
    layers = {}
    for name, targets in (("unet", ["to_q"]), ("text_encoder", ["q_proj"]), ("text_encoder_2", ["q_proj"])):
        part = getattr(made, name)
        part.add_adapter(LoraConfig(r=2, target_modules=targets, init_lora_weights=False))
        layers[f"{name}_lora_layers"] = convert_state_dict_to_diffusers(get_peft_model_state_dict(part))
    StableDiffusionXLPipeline.save_lora_weights(tmp_path, **layers)
    file = tmp_path / "pytorch_lora_weights.safetensors"
    found = loaded(folder_of("base"), loras=(Adapter(source=str(file), weight=0.5),))
    assert found.second is not None
    assert base.checkpoint.second is not None
    assert not _same(found.unet, base.checkpoint.unet)
    assert not _same(found.text_encoder, base.checkpoint.text_encoder)
    assert not _same(found.second.text_encoder, base.checkpoint.second.text_encoder)


def test_what_is_led_away_from_is_the_stock_pipelines_negative_prompt(base: Subject) -> None:
    recipe = base.recipe((FOX, 1.0), seed=7, negative=(Part(text=CAR, weight=1.0),), negative_pull=1.0)
    theirs = base.theirs(prompt=FOX, negative_prompt=CAR, generator=generators(7))
    assert distance(base.studio.draw(job("a", recipe)), theirs) <= SAME


@pytest.mark.slow
def test_a_picture_in_company_equals_the_picture_alone(subject: Subject) -> None:
    recipes = {
        "plain": subject.recipe((FOX, 1.0), seed=2),
        "weighed": subject.recipe((FOX, 0.3), (CAR, 1.7), seed=3, steps=subject.kind.steps + 2),
        "guided": subject.recipe((CAR, 1.0), seed=4, guidance=max(1.0, subject.kind.guidance - 2)),
    }
    alone = {name: subject.studio.draw(job(name, recipe)) for name, recipe in recipes.items()}
    together = subject.studio.play(
        job("plain", recipes["plain"], owner=1),
        job("guided", recipes["guided"], owner=2),
        notes={1: lambda engine: engine.submit(job("weighed", recipes["weighed"], owner=3))},
    )
    assert max(distance(alone[name], cells(together[name])) for name in recipes) <= SAME
    assert max(subject.studio.engine.passes) >= 2


def test_weights_blend_words_and_summary_alike(base: Subject) -> None:
    conditioner = PairConditioner(base.checkpoint)

    def told(*parts: tuple[str, float]) -> Any:
        return conditioner.told(base.recipe(*parts))[0][0]

    fox, car, both = told((FOX, 1.0)), told((CAR, 1.0)), told((FOX, 3.0), (CAR, 1.0))
    assert fox.pooled.shape == (1, tiny_xl.SUMMARY)
    assert torch.allclose(both.context, 0.75 * fox.context + 0.25 * car.context, atol=1e-6)
    assert torch.allclose(both.pooled, 0.75 * fox.pooled + 0.25 * car.pooled, atol=1e-6)
    assert not torch.allclose(fox.pooled, car.pooled)


def test_long_prompts_are_read_in_chunks_to_their_end(base: Subject) -> None:
    conditioner = PairConditioner(base.checkpoint)
    (long, away), (other, _) = (
        conditioner.told(base.recipe((text, 1.0)))[0] for text in (LONG, f"{LONG}, a car at the very end")
    )
    assert long.context.shape[1] == away.context.shape[1] >= 3 * conditioner.tokens
    assert not bool(away.context.any())  # where nothing is led away from, nothing is said
    assert not torch.equal(long.context, other.context)
    assert torch.equal(long.pooled, other.pooled)  # of the first chunk


def test_each_picture_is_displaced_in_its_own_direction_in_words_and_summary(base: Subject) -> None:
    recipe = base.recipe((FOX, 1.0), pictures=2, displacement=Displacement(chaos=0.5))
    (one, _), (other, _) = PairConditioner(base.checkpoint).told(recipe)
    assert not torch.equal(one.context, other.context)
    assert not torch.equal(one.pooled, other.pooled)


@pytest.mark.slow
def test_tiles_details_and_second_passes_are_drawn_as_with_any_unet(base: Subject) -> None:
    plain = base.studio.draw(job("a", base.recipe((FOX, 1.0))))
    tiled = base.studio.draw(job("a", base.recipe((FOX, 1.0), tile=True, detail=0.3)))
    large = base.studio.draw(job("a", base.recipe((FOX, 1.0), second=SecondPass(times=2, strength=0.5))))
    assert distance(plain, tiled) > 0
    assert large.shape[1:3] == (2 * tiny_xl.SIZE, 2 * tiny_xl.SIZE)


def test_guidance_as_an_input_takes_one_row_and_changes_the_picture(
    checkpoint_of: Callable[[str], Checkpoint],
) -> None:
    subject = subject_of("LCM", checkpoint_of)
    rows: list[int] = []
    hook = subject.checkpoint.unet.register_forward_pre_hook(
        lambda _module, given: rows.append(len(given[0]))
    )
    try:
        strong, weak = (
            subject.studio.draw(job("a", subject.recipe((FOX, 1.0), guidance=guidance)))
            for guidance in (8.5, 3.0)
        )
    finally:
        hook.remove()
    assert set(rows) == {1}
    assert distance(strong, weak) > 0
    against = subject.recipe((FOX, 1.0), negative=(Part(text=CAR),), negative_pull=1.0)
    outcome = subject.studio.play(job("b", against))["b"]
    assert isinstance(outcome, Failed)
    assert outcome.code is ErrorCode.MODEL_CHANGED


@pytest.mark.slow
def test_stable_diffusion_1_takes_guidance_as_an_input_as_well(tmp_path: Path) -> None:
    made = tiny.pipeline(scheduler="LCMScheduler", unet={"time_cond_proj_dim": 12})
    parts = {name: part for name, part in made.components.items() if name != "image_encoder"}
    stock = LatentConsistencyModelPipeline(**parts, requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    stock.save_pretrained(tmp_path, safe_serialization=True)
    studio = studio_of(Denoiser(loaded(tmp_path)))
    recipe = painted((FOX, 1.0), seed=7, guidance=8.5, model="tiny", width=tiny.SIZE, height=tiny.SIZE)
    theirs = stock(
        prompt=FOX,
        num_inference_steps=4,
        guidance_scale=8.5,
        generator=generators(7),
        output_type="np",
        original_inference_steps=None,
    ).images
    assert distance(studio.draw(job("a", recipe)), (theirs * 255).round().astype(np.uint8)) <= SAME


def test_one_file_holds_the_same_checkpoint(
    folder_of: Callable[[str], Path], base: Subject, tmp_path: Path
) -> None:
    file = tiny_xl.single(tmp_path / "xl.safetensors", tiny_xl.pipeline())
    found = loaded(file, description=str(folder_of("base")))
    assert found.second is not None
    assert base.checkpoint.second is not None
    for part in ("unet", "vae", "text_encoder"):
        assert _same(getattr(found, part), getattr(base.checkpoint, part)), part
    assert _same(found.second.text_encoder, base.checkpoint.second.text_encoder)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("conditioner.embedders.0.model.ln_final.weight", "refiner of Stable Diffusion XL"),
        (
            "conditioner.embedders.1.model.ln_final.weight",
            "its `description` of Stable Diffusion 1.x and 2.x",
        ),
    ],
)
def test_one_file_that_does_not_fit_is_one_sentence(tmp_path: Path, name: str, told: str) -> None:
    file = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(1)}, file)
    with pytest.raises(WorkerError) as caught:
        loaded(file, description=str(tiny.TOKENIZER.parent))
    assert told in str(caught.value.detail["reason"])


def test_a_unet_that_is_told_other_numbers_is_refused(tmp_path: Path) -> None:
    odd = {"projection_class_embeddings_input_dim": 5 * tiny_xl.NUMBER + tiny_xl.SUMMARY}
    with pytest.raises(WorkerError) as caught:
        loaded(tiny_xl.saved(tmp_path, unet=odd))
    assert "is told more than a prompt" in str(caught.value.detail["reason"])


@pytest.mark.slow
def test_a_learnt_word_is_learnt_by_both_encoders(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    file, widths = tmp_path / "fox.safetensors", tiny_xl.WIDTHS
    save_file({"clip_l": torch.ones(2, widths[0]), "clip_g": torch.ones(2, widths[1])}, file)
    found = loaded(folder_of("base"), embeddings=(Embedding(source=str(file), token="<fox>"),))
    subject = Subject(KINDS["base"], found, studio_of(Denoiser(found)))
    ours = subject.studio.draw(job("a", subject.recipe(("a <fox>", 1.0), seed=7)))
    assert distance(ours, subject.theirs(prompt="a <fox>", generator=generators(7))) <= SAME
    alone = tmp_path / "alone.safetensors"
    save_file({"emb_params": torch.ones(2, widths[0])}, alone)
    with pytest.raises(WorkerError) as caught:
        loaded(folder_of("base"), embeddings=(Embedding(source=str(alone), token="<fox>"),))
    assert "was not taught to the two encoders" in str(caught.value.detail["reason"])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_smaller_type_draws_nearly_the_same(
    folder_of: Callable[[str], Path], base: Subject, dtype: str
) -> None:
    found = loaded(folder_of("base"), dtype=dtype)
    assert found.second is not None
    assert found.unet.dtype == found.second.text_encoder.dtype == getattr(torch, dtype)
    # In float16 autoencoders of this family overflow.
    assert found.vae.dtype == (torch.float32 if dtype == "float16" else torch.bfloat16)
    less = studio_of(Denoiser(found)).draw(job("a", base.recipe((FOX, 1.0))))
    full = base.studio.draw(job("a", base.recipe((FOX, 1.0))))
    assert np.abs(less.astype(int) - full).mean() <= 2


@pytest.mark.slow
def test_latents_that_were_centred_channel_by_channel_are_decoded_so(base: Subject, tmp_path: Path) -> None:
    made = tiny_xl.pipeline()
    made.vae.register_to_config(latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[0.5, 2.0, 1.0, 1.5])
    made.save_pretrained(tmp_path, safe_serialization=True)
    found = loaded(tmp_path)
    subject = Subject(KINDS["base"], found, studio_of(Denoiser(found)))
    ours = subject.studio.draw(job("a", subject.recipe((FOX, 1.0), seed=7)))
    assert distance(ours, subject.theirs(prompt=FOX, generator=generators(7))) <= SAME
    assert distance(ours, base.studio.draw(job("a", base.recipe((FOX, 1.0), seed=7)))) > SAME


def test_the_family_is_found_by_the_checkpoints_own_files(folder_of: Callable[[str], Path]) -> None:
    profile = ModelProfile(name="tiny", source=str(folder_of("base")), size=tiny_xl.SIZE)
    found = denoiser_of(profile, CPU, Build(offline=True))
    assert isinstance(found, Denoiser)
    assert found.key(tiny_xl.SIZE, tiny_xl.SIZE).context == 64  # as its tokenizers have it


def _same(one: Any, other: Any) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)
