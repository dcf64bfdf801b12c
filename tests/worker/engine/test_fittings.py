"""Checkpoints in one file, and what they are fitted with, beside what diffusers makes of the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from tests.worker.engine import tiny
from worker.api import ErrorCode, WorkerError
from worker.catalogue import Adapter, Build, Embedding
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.conditioning import Conditioner
from worker.engine.denoiser import Denoiser
from worker.engine.models import Models, on_disk
from worker.engine.plan import BatchKey
from worker.recipe import ModelProfile

CPU = Hardware.named("cpu", "float32")
OFFLINE = Build(offline=True)
PARTS = ("unet", "vae", "text_encoder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.saved(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Checkpoint:
    return loaded(folder)


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def loaded(source: Path | str, **build: Any) -> Checkpoint:
    profile = ModelProfile(name="tiny", source=str(source), size=tiny.SIZE)
    return load(profile, CPU, OFFLINE.model_copy(update=build))


def reason(source: Path | str, **build: Any) -> str:
    with pytest.raises(WorkerError) as caught:
        loaded(source, **build)
    assert caught.value.code is ErrorCode.MODEL_MISSING
    told = str(caught.value.detail["reason"])
    assert told.startswith(f"The model {source} ")
    assert "\n" not in told
    return told


def same(one: Checkpoint, other: Checkpoint, part: str) -> bool:
    mine, theirs = (getattr(each, part).state_dict() for each in (one, other))
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_one_file_holds_the_same_checkpoint(folder: Path, plain: Checkpoint, tmp_path: Path) -> None:
    file = tiny.single(tmp_path / "tiny.safetensors", tiny.pipeline())
    found = loaded(file, description=str(folder))
    assert all(same(plain, found, part) for part in PARTS)
    assert found.grid == plain.grid
    assert type(found.scheduler) is type(plain.scheduler)
    assert found.hash != plain.hash
    assert on_disk(str(file)) > 0


@pytest.mark.parametrize(
    ("extra", "notes", "told"),
    [
        ({}, None, ("epsilon", False)),
        ({"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, None, ("v_prediction", True)),
        ({}, {"modelspec.prediction_type": "v"}, ("v_prediction", False)),
    ],
)
def test_one_file_says_itself_what_its_network_predicts(
    folder: Path,
    tmp_path: Path,
    extra: dict[str, torch.Tensor],
    notes: dict[str, str] | None,
    told: tuple[str, bool],
) -> None:
    """Its description is that of a model with other training."""
    file = tiny.single(tmp_path / "tiny.safetensors", tiny.pipeline())
    save_file(load_file(file) | extra, file, metadata=notes)
    config = loaded(file, description=str(folder)).scheduler.config
    assert (config.prediction_type, config.rescale_betas_zero_snr) == told


def test_one_file_without_description_is_refused_offline(tmp_path: Path) -> None:
    file = tiny.single(tmp_path / "tiny.safetensors", tiny.pipeline())
    assert "name a folder as its `description`" in reason(file)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        (
            {"conditioner.embedders.0.x": 1},
            "is a refiner of Stable Diffusion XL, which only finishes",
        ),
        ({"lora_unet_down.weight": 1}, "holds no whole checkpoint; a LoRA goes under `loras`"),
    ],
)
def test_one_file_of_something_else_says_what_it_is(
    tmp_path: Path, tensors: dict[str, int], told: str
) -> None:
    file = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(size) for name, size in tensors.items()}, file)
    assert told in reason(file, description=str(tmp_path))


def test_pickles_and_damaged_files_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "old.ckpt").write_bytes(b"\x80\x04.")
    assert "is a pickle" in reason(tmp_path / "old.ckpt")
    (tmp_path / "cut.safetensors").write_bytes(b"\x00" * 20)
    assert "is damaged or incomplete" in reason(tmp_path / "cut.safetensors", description=str(folder))


def test_a_hub_id_is_not_fetched_offline() -> None:
    assert "is not on this machine, and `offline` forbids fetching it" in reason("nobody/no-such-model")


@pytest.mark.parametrize(
    "asked",
    [
        {"scheduler": "LMSDiscreteScheduler"},
        {"scheduler": "EulerDiscreteScheduler", "scheduler_options": {"use_beta_sigmas": True}},
    ],
)
def test_schedules_that_need_a_package_of_their_own_find_it(folder: Path, asked: dict[str, Any]) -> None:
    assert type(loaded(folder, **asked).scheduler).__name__ == asked["scheduler"]


def test_a_scheduler_of_another_class_takes_over_what_the_own_one_says(
    folder: Path, plain: Checkpoint
) -> None:
    found = loaded(folder, scheduler="EulerDiscreteScheduler", scheduler_options={"use_karras_sigmas": True})
    assert type(found.scheduler).__name__ == "EulerDiscreteScheduler"
    assert found.scheduler.config.beta_start == plain.scheduler.config.beta_start
    assert found.scheduler.config.use_karras_sigmas
    assert found.hash != plain.hash


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ({"scheduler": "EulerDiscretScheduler"}, "which diffusers does not have"),
        ({"scheduler": "UNet2DConditionModel"}, "which diffusers does not have"),
        ({"scheduler": "FlowMatchEulerDiscreteScheduler"}, "which is for another kind of network"),
        ({"scheduler_options": {"use_carrot": True}}, "sets use_carrot, which the scheduler DDIMScheduler"),
        (
            {"scheduler": "EulerDiscreteScheduler", "scheduler_options": {"timestep_spacing": "wide"}},
            "sets up the scheduler EulerDiscreteScheduler in a way that it does not take (wide is not",
        ),
        ({"vae": "/no/such/folder"}, "wants the vae /no/such/folder, which does not exist"),
        (
            {"loras": (Adapter(source="/no/lora.safetensors"),)},
            "wants the LoRA /no/lora.safetensors, which does not exist",
        ),
        (
            {"embeddings": (Embedding(source="/no/word.safetensors", token="<fox>"),)},
            "wants the embedding /no/word.safetensors, which does not exist",
        ),
    ],
)
def test_what_does_not_exist_or_fit_is_one_sentence(folder: Path, build: dict[str, Any], told: str) -> None:
    assert told in reason(folder, **build)


@pytest.mark.slow
def test_an_autoencoder_from_elsewhere_is_the_one_that_is_used(
    folder: Path, plain: Checkpoint, tmp_path: Path
) -> None:
    torch.manual_seed(9)
    other = tiny.autoencoder()
    other.save_pretrained(tmp_path / "vae")
    found = loaded(folder, vae=str(tmp_path / "vae"))
    assert all(torch.equal(v, found.vae.state_dict()[k]) for k, v in other.state_dict().items())
    assert same(plain, found, "unet")
    whole = tiny.saved(tmp_path / "whole", seed=4)
    from_whole = loaded(folder, vae=str(whole))
    assert same(loaded(whole), from_whole, "vae")
    assert len({plain.hash, found.hash, from_whole.hash}) == 3


def test_an_autoencoder_of_other_latents_is_refused(folder: Path, tmp_path: Path) -> None:
    AutoencoderKL(latent_channels=8, block_out_channels=(8,), norm_num_groups=4).save_pretrained(tmp_path)
    assert "whose latents are of another shape" in reason(folder, vae=str(tmp_path))


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA that changes what it is added to, as diffusers saves it."""
    unet = tiny.pipeline().unet
    torch.manual_seed(3)
    unet.add_adapter(LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    path = tmp_path_factory.mktemp("lora")
    StableDiffusionPipeline.save_lora_weights(path, layers, safe_serialization=True)
    return path / "pytorch_lora_weights.safetensors"


def test_a_lora_is_added_to_the_weights_as_strongly_as_is_said(
    folder: Path, plain: Checkpoint, lora: Path
) -> None:
    half, whole = (loaded(folder, loras=(Adapter(source=str(lora), weight=weight),)) for weight in (0.5, 1.0))
    theirs = StableDiffusionPipeline.from_pretrained(str(folder), safety_checker=None)
    theirs.load_lora_weights(str(lora.parent), weight_name=lora.name)
    given = (torch.randn(1, 4, 16, 16), torch.tensor([500]), torch.randn(1, 77, tiny.WIDTH))
    expected = theirs.unet(*given, cross_attention_kwargs={"scale": 0.5}).sample
    torch.testing.assert_close(half.unet(*given).sample, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(whole.unet(*given).sample, theirs.unet(*given).sample, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(plain.unet(*given).sample, expected, atol=1e-4)
    assert half.unet.state_dict().keys() == plain.unet.state_dict().keys()
    assert len({plain.hash, half.hash, whole.hash}) == 3


@pytest.mark.slow
def test_two_loras_add_up(folder: Path, plain: Checkpoint, lora: Path) -> None:
    twice = loaded(folder, loras=(Adapter(source=str(lora), weight=0.5),) * 2)
    once = loaded(folder, loras=(Adapter(source=str(lora.parent), weight=1.0),))
    for name, tensor in once.unet.state_dict().items():
        torch.testing.assert_close(twice.unet.state_dict()[name], tensor, atol=1e-6, rtol=1e-5)


def test_a_lora_or_a_word_for_another_network_is_refused(folder: Path, tmp_path: Path) -> None:
    save_file(
        {"unet.nowhere.lora_A.weight": torch.zeros(2, 3), "unet.nowhere.lora_B.weight": torch.zeros(3, 2)},
        tmp_path / "odd.safetensors",
    )
    wide = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_"
    save_file(
        {f"{wide}A.weight": torch.zeros(2, 320), f"{wide}B.weight": torch.zeros(320, 2)},
        tmp_path / "wide.safetensors",
    )
    save_file({"word": torch.zeros(1, 768)}, tmp_path / "word.safetensors")
    for name in ("odd", "wide"):
        told = reason(folder, loras=(Adapter(source=str(tmp_path / f"{name}.safetensors")),))
        assert told.endswith(f"{name}.safetensors, which is for another kind of network.")
    word = Embedding(source=str(tmp_path / "word.safetensors"), token="<fox>")
    assert "which was taught to another text encoder" in reason(folder, embeddings=(word,))


def test_a_learnt_word_reaches_the_encoder_with_all_its_vectors(
    folder: Path, plain: Checkpoint, tmp_path: Path
) -> None:
    vectors = torch.randn(2, tiny.WIDTH)
    file = tmp_path / "fox.safetensors"
    save_file({"emb_params": vectors}, file)
    found = loaded(folder, embeddings=(Embedding(source=str(file), token="<fox>"),))
    assert found.words == {"<fox>": "<fox> <fox>_1"}
    ids = found.tokenizer(found.words["<fox>"], add_special_tokens=False).input_ids
    assert len(ids) == 2
    torch.testing.assert_close(found.text_encoder.get_input_embeddings().weight[ids], vectors)
    theirs = StableDiffusionPipeline.from_pretrained(str(folder), safety_checker=None)
    theirs.load_textual_inversion(str(tmp_path), weight_name=file.name, token="<fox>")
    expected, _ = theirs.encode_prompt("a <fox> on a hill", "cpu", 1, do_classifier_free_guidance=False)
    ours = Conditioner(found).encode("a <fox> on a hill")
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(ours, Conditioner(plain).encode("a <fox> on a hill"), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"in_channels": 9}, "made for filling in pictures"),
        ({"class_embed_type": "timestep"}, "is told more than a prompt"),
    ],
)
def test_a_network_that_wants_more_than_it_would_be_told_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    pipeline = tiny.pipeline()
    pipeline.register_modules(unet=type(pipeline.unet).from_config(pipeline.unet.config, **change))
    pipeline.save_pretrained(tmp_path)
    assert told in reason(tmp_path)


def test_a_type_of_its_own_holds_for_one_checkpoint(folder: Path, plain: Checkpoint) -> None:
    found = loaded(folder, dtype="bfloat16")
    assert found.unet.dtype is found.vae.dtype is torch.bfloat16
    assert found.text_encoder.dtype is torch.float32
    assert found.bytes < plain.bytes


def test_models_load_when_needed_and_leave_when_others_need_the_room(folder: Path, tmp_path: Path) -> None:
    other = tiny.saved(tmp_path / "other", seed=2)
    told: list[str] = []
    profiles = [
        ModelProfile(name=name, source=str(source), size=tiny.SIZE)
        for name, source in (("one", folder), ("two", other), ("gone", tmp_path / "gone"))
    ]
    later = profiles[1].model_copy(update={"guidance": 1.0})
    models = Models(
        profiles,
        CPU,
        lambda name, _: told.append(name),
        budget=on_disk(str(folder)),
        described={"two": later}.get,
        clock=lambda: 0.0,
    )
    models.preload()
    assert models.ready() == {"gone", "one"}
    first = models.denoiser("one")
    assert not models.denoiser("two").key(tiny.SIZE, tiny.SIZE).guided  # as it is known by now
    assert models.denoiser("one") is not first
    assert told == ["one", "two", "one"]


def test_a_broken_default_keeps_nobody_from_the_others_and_is_not_tried_again_at_once(
    folder: Path, tmp_path: Path
) -> None:
    now = [0.0]
    profiles = [
        ModelProfile(name=name, source=str(source), size=tiny.SIZE)
        for name, source in (("late", tmp_path / "late"), ("one", folder))
    ]
    models = Models(profiles, CPU, clock=lambda: now[0])
    assert models.preload() == BatchKey("late", 4, 4, 77, guided=True)
    assert isinstance(models.denoiser("one"), Denoiser)
    tiny.saved(tmp_path / "late")
    with pytest.raises(WorkerError, match="model_missing"):
        models.denoiser("late")
    now[0] = 100.0
    assert isinstance(models.denoiser("late"), Denoiser)
    with pytest.raises(WorkerError):
        Models(profiles[:1], CPU).denoiser("unknown")


def test_what_changes_no_picture_changes_no_hash(folder: Path, plain: Checkpoint) -> None:
    assert load(ModelProfile(name="t", source=str(folder), size=8), CPU).hash == plain.hash
