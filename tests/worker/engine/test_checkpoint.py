import json
import pickle
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests.worker.engine.recipes import drawing
from worker.api import ErrorCode, WorkerError
from worker.engine.checkpoint import Hardware, load
from worker.engine.models import Models
from worker.recipe import ModelProfile


def reason(source: Path | str) -> str:
    with pytest.raises(WorkerError) as caught:
        load(ModelProfile(name="m", source=str(source), size=128), Hardware.named("cpu", "float32"))
    assert caught.value.code is ErrorCode.MODEL_MISSING
    return str(caught.value.detail["reason"])


@pytest.fixture
def copied(profile: ModelProfile, tmp_path: Path) -> Path:
    return shutil.copytree(profile.source, tmp_path / "model")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert reason(tmp_path / "gone").endswith("gone does not exist.")


def test_a_folder_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    assert "no model_index.json" in reason(tmp_path)


def test_a_hub_id_that_was_not_fetched_is_one_sentence() -> None:
    sentence = reason("nobody/nothing-of-this-name")
    assert sentence.startswith("The model nobody/nothing-of-this-name is not on this machine yet")
    assert "`journeyman models pull` fetches it" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_cut_off_weights_are_one_sentence(copied: Path, part: str) -> None:
    weights = copied / part / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    sentence = reason(copied)
    assert "is damaged or incomplete" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("part", "lacking", "told"),
    [
        ("unet", "conv_in.bias", "its unet lacks conv_in.bias"),
        ("vae", "decoder.", "its vae lacks decoder."),
        (
            "text_encoder",
            "embeddings.",
            "its text_encoder lacks embeddings.position_embedding.weight and 1 more",
        ),
    ],
)
def test_what_the_files_lack_is_not_made_up(copied: Path, part: str, lacking: str, told: str) -> None:
    [file] = (copied / part).glob("*.safetensors")
    weights = {
        name: tensor
        for name, tensor in load_file(file).items()
        if not name.removeprefix("text_model.").startswith(lacking)
    }
    save_file(weights, file, metadata={"format": "pt"})
    assert f"is damaged or incomplete ({told}" in reason(copied)


def test_missing_weights_are_one_sentence(copied: Path) -> None:
    (copied / "text_encoder" / "model.safetensors").unlink()
    assert "is damaged or incomplete" in reason(copied)


def test_pickles_are_never_opened(copied: Path) -> None:
    """A pickle runs what it likes when it is read; this one would leave a file behind."""

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (open, (str(copied / "run"), "w"))

    (copied / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (copied / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    assert "is damaged or incomplete" in reason(copied)
    assert not (copied / "run").exists()


@pytest.mark.parametrize("library", ["evil", "os", "subprocess"])
def test_a_checkpoint_brings_no_code_of_its_own(copied: Path, library: str) -> None:
    (copied / "unet" / "evil.py").write_text(f"open({str(copied / 'run')!r}, 'w')\nclass Evil: pass")
    index = json.loads((copied / "model_index.json").read_text())
    (copied / "model_index.json").write_text(json.dumps({**index, "unet": [library, "Evil"]}))
    assert f"wants its unet made by {library}" in reason(copied)
    assert not (copied / "run").exists()


def test_a_part_of_another_class_is_named(copied: Path) -> None:
    index = json.loads((copied / "model_index.json").read_text())
    (copied / "model_index.json").write_text(
        json.dumps({**index, "unet": ["diffusers", "Transformer2DModel"]})
    )
    assert "has a Transformer2DModel as its unet, where Stable Diffusion 1" in reason(copied)


def test_another_family_is_named(copied: Path) -> None:
    index = json.loads((copied / "model_index.json").read_text())
    index["_class_name"] = "KolorsPipeline"
    (copied / "model_index.json").write_text(json.dumps(index))
    assert "is a KolorsPipeline; only StableDiffusionPipeline" in reason(copied)


def test_the_hash_is_that_of_the_unets_weights(copied: Path) -> None:
    hardware = Hardware.named("cpu", "float32")
    profile = ModelProfile(name="m", source=str(copied), size=128)
    before = load(profile, hardware).hash
    assert len(before) == 10
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(bytes(changed))
    assert load(profile, hardware).hash != before


def test_a_recipe_for_other_weights_is_refused_and_the_loaded_ones_are_told(profile: ModelProfile) -> None:
    told: list[tuple[str, str]] = []
    models = Models(
        [profile], Hardware.named("cpu", "float32"), lambda name, weights: told.append((name, weights))
    )
    models.preload()
    [(name, weights)] = told
    assert name == profile.name
    assert models.backend(drawing(model=name, weights=weights)) is models.denoiser(name)
    with pytest.raises(WorkerError) as caught:
        models.backend(drawing(model=name, weights="0" * 10))
    assert caught.value.code is ErrorCode.MODEL_CHANGED
