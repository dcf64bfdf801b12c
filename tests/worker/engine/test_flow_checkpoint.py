"""Stable Diffusion 3 and FLUX from folders and files, as their owners have them."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.worker.engine import tiny_flow
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import painted
from worker.api import ErrorCode, WorkerError
from worker.catalogue import Adapter, Build, Embedding, PictureAdapter
from worker.engine import flow_checkpoint
from worker.engine.checkpoint import Hardware, load
from worker.engine.families import denoiser_of
from worker.engine.flow import FlowDenoiser
from worker.engine.flow_checkpoint import load_flow
from worker.engine.models import on_disk
from worker.family import Family
from worker.recipe import ModelProfile

OFFLINE = Build(offline=True)
CPU = Hardware.named("cpu", "float32")
SD3, FLUX = "sd3", "flux"


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Callable[[], Any]] = {SD3: tiny_flow.stable_diffusion_3, FLUX: tiny_flow.flux}
    return cache(lambda name: tiny_flow.saved(tmp_path_factory.mktemp(name), made[name]()))


@pytest.fixture
def copied(folder_of: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: shutil.copytree(folder_of(name), tmp_path / name)


def profile(source: Path) -> ModelProfile:
    return ModelProfile(name="m", source=str(source), size=tiny_flow.SIZE, grid=4)


def reason(source: Path, **typed: Any) -> str:
    with pytest.raises(WorkerError) as caught:
        denoiser_of(profile(source), CPU, Build(offline=True, **typed))
    assert caught.value.code is ErrorCode.MODEL_MISSING
    sentence = str(caught.value.detail["reason"])
    assert "\n" not in sentence
    return sentence


def drawn(denoiser: Any) -> torch.Tensor:
    """Return the latents of one picture after a step."""
    with torch.inference_mode():
        recipe = painted(("a fox", 1.0), steps=1, width=tiny_flow.SIZE, height=tiny_flow.SIZE)
        ids = [sample.id for sample in denoiser.open(job("a", recipe))]
        [output] = denoiser.forward(ids)
        denoiser.close(ids)
    return output  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "family"), [(SD3, Family.STABLE_DIFFUSION_3), (FLUX, Family.FLUX)])
def test_a_folder_is_loaded_by_what_its_files_say(
    folder_of: Callable[[str], Path], name: str, family: Family
) -> None:
    denoiser = denoiser_of(profile(folder_of(name)), CPU, OFFLINE)
    assert isinstance(denoiser, FlowDenoiser)
    assert denoiser._checkpoint.family is family
    assert len(denoiser.weights) == 10
    assert 0 < on_disk(str(folder_of(name))) <= denoiser.bytes * 1.1
    assert torch.isfinite(drawn(denoiser)).all()


@pytest.mark.slow
def test_the_large_parts_alone_are_in_half_precision(folder_of: Callable[[str], Path]) -> None:
    checkpoint = load_flow(profile(folder_of(SD3)), Hardware.named("cpu", "bfloat16"), OFFLINE)
    types = [next(part.parameters()).dtype for part in checkpoint.parts]
    transformer, vae, clip, other, t5 = types
    assert (transformer, vae, t5) == (torch.bfloat16,) * 3
    assert (clip, other) == (torch.float32,) * 2
    output = drawn(FlowDenoiser(checkpoint))
    assert output.dtype is torch.float32
    plain = drawn(denoiser_of(profile(folder_of(SD3)), CPU, OFFLINE))
    assert (output - plain).abs().mean() < plain.std() / 20


@pytest.mark.slow
def test_t5_may_be_left_out_of_stable_diffusion_3_and_not_of_flux(copied: Callable[[str], Path]) -> None:
    there, missing = copied(SD3), copied(FLUX)
    shutil.rmtree(there / "text_encoder_3")
    assert torch.isfinite(drawn(denoiser_of(profile(there), CPU, OFFLINE))).all()
    shutil.rmtree(missing / "text_encoder_2")
    assert "is damaged or incomplete" in reason(missing)


def test_a_tokenizer_that_needs_a_package_says_which(
    copied: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(SD3)
    (folder / "tokenizer_3" / "tokenizer.json").rename(folder / "tokenizer_3" / "spiece.model")
    monkeypatch.setattr(flow_checkpoint, "find_spec", lambda _name: None)
    assert "has its tokenizer_3 as spiece.model, for which the package sentencepiece is missing" in reason(
        folder
    )


def test_what_the_family_does_not_take_is_refused(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    sd3 = folder_of(SD3)
    word = Embedding(source=str(tmp_path), token="<fox>")
    assert "has embeddings, which Stable Diffusion 3.x does not take" in reason(sd3, embeddings=(word,))
    adapter = PictureAdapter(source=str(tmp_path / "a.safetensors"))
    assert "has an ip_adapter, which FLUX does not take" in reason(folder_of(FLUX), ip_adapter=adapter)
    with pytest.raises(WorkerError):
        load(profile(sd3), CPU, OFFLINE)


@pytest.mark.slow
def test_other_schedules_are_refused(folder_of: Callable[[str], Path]) -> None:
    sd3 = folder_of(SD3)
    assert "the scheduler DDIMScheduler, which is for another kind" in reason(sd3, scheduler="DDIMScheduler")
    heun = "FlowMatchHeunDiscreteScheduler"
    assert f"the scheduler {heun}, which cannot be told where to begin" in reason(sd3, scheduler=heun)


@pytest.mark.slow
def test_a_network_that_changes_pictures_is_refused(copied: Callable[[str], Path]) -> None:
    folder = copied(FLUX)
    shutil.rmtree(folder / "transformer")
    torch.manual_seed(0)
    filling = tiny_flow.flux().transformer
    type(filling).from_config({**filling.config, "in_channels": 96, "out_channels": 64}).save_pretrained(
        folder / "transformer"
    )
    assert "is made for changing pictures" in reason(folder)


@pytest.mark.slow
def test_a_scheduler_of_flow_matching_with_few_steps_draws(folder_of: Callable[[str], Path]) -> None:
    build = Build(offline=True, scheduler="FlowMatchLCMScheduler", scheduler_options={"shift": 2.0})
    plain = denoiser_of(profile(folder_of(SD3)), CPU, OFFLINE)
    other = denoiser_of(profile(folder_of(SD3)), CPU, build)
    assert other.weights != plain.weights
    assert torch.isfinite(drawn(other)).all()


@pytest.mark.slow
def test_a_lora_is_fused_with_the_transformer(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    name = "transformer.single_transformer_blocks.0.attn.to_q"
    file = tmp_path / "lora.safetensors"
    save_file(
        {f"{name}.lora_A.weight": torch.randn(4, 32), f"{name}.lora_B.weight": torch.randn(32, 4)}, file
    )
    plain = denoiser_of(profile(folder_of(FLUX)), CPU, OFFLINE)
    fitted = denoiser_of(
        profile(folder_of(FLUX)), CPU, Build(offline=True, loras=(Adapter(source=str(file)),))
    )
    assert fitted.weights != plain.weights
    assert not torch.equal(drawn(plain), drawn(fitted))


@pytest.mark.slow
def test_one_file_takes_the_rest_from_its_description(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tiny_flow.single(tmp_path / "sd3.safetensors", tiny_flow.stable_diffusion_3())
    plain = denoiser_of(profile(folder_of(SD3)), CPU, OFFLINE)
    found = denoiser_of(profile(file), CPU, Build(offline=True, description=str(folder_of(SD3))))
    assert found.weights != plain.weights
    assert torch.allclose(drawn(found), drawn(plain), atol=1e-5)


def test_one_file_without_a_description_of_its_family_is_refused(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tmp_path / "flux.safetensors"
    save_file({"double_blocks.0.x": torch.zeros(1)}, file)
    assert "name a folder or a hub id with the rest of FLUX as its `description`" in reason(file)
    assert "is of FLUX, and its `description` of Stable Diffusion 3.x" in reason(
        file, description=str(folder_of(SD3))
    )


def test_what_is_nobodys_family_is_told(copied: Callable[[str], Path]) -> None:
    folder = copied(FLUX)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": "FluxFillPipeline"}))
    assert "is a FluxFillPipeline; only StableDiffusionPipeline" in reason(folder)
