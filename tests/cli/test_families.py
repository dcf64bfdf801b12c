"""What the files of a checkpoint say of its family, and what a server closes for it."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from cli.checkpoint import EMBEDDED_FOLDER, catalogue, profile
from cli.facts import closed_here
from cli.failures import Failure
from cli.measures import hub_folder
from cli.model_section import Model
from parser import parse
from tests.cli.test_model_section import loaded, single
from worker.family import Family
from worker.recipe import schedule


def written(
    folder: Path, family: str, network: dict[str, Any], *, weights: bool = True, part: str = "transformer"
) -> Path:
    """Write the description of a checkpoint whose network is *part*, and files instead of its weights."""
    parts = {
        "text_encoder": {},
        "text_encoder_2": {},
        part: network,
        "vae": {"block_out_channels": [128, 256, 512, 512]},
    }
    told = {f"{part}/config.json": config for part, config in parts.items()}
    told |= {f"{name}/tokenizer_config.json": {} for name in ("tokenizer", "tokenizer_2")}
    told |= {"model_index.json": {"_class_name": family}, "scheduler/scheduler_config.json": {}}
    for name, value in told.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value))
    for each in parts if weights else ():
        (folder / each / "model.safetensors").write_bytes(b"")
    return folder


def sd3(folder: Path, **typed: Any) -> Path:
    return written(folder, "StableDiffusion3Pipeline", {"sample_size": 128}, **typed)


def test_stable_diffusion_3_is_known_by_its_files(tmp_path: Path) -> None:
    found = profile(Model(source=str(sd3(tmp_path))))
    assert (found.family, found.size, found.grid) == (Family.STABLE_DIFFUSION_3, 1024, 16)
    assert (found.steps, found.guidance) == (28, 7.0)


@pytest.mark.parametrize(("guided", "steps", "guidance"), [(True, 28, 3.5), (False, 4, 1.0)])
def test_flux_is_given_what_suits_its_edition(
    tmp_path: Path, guided: bool, steps: int, guidance: float
) -> None:
    folder = written(tmp_path, "FluxPipeline", {"guidance_embeds": guided})
    found = profile(Model(source=str(folder)))
    assert (found.family, found.size, found.grid) == (Family.FLUX, 1024, 16)
    assert (found.steps, found.guidance) == (steps, guidance)
    chosen = profile(Model(source=str(folder), steps=9, guidance=2.0, size=512))
    assert (chosen.steps, chosen.guidance, chosen.size) == (9, 2.0, 512)


def test_pixart_is_known_by_its_files_and_what_its_pipeline_cannot_is_closed(tmp_path: Path) -> None:
    folder = written(tmp_path / "pixart", "PixArtSigmaPipeline", {"sample_size": 128})
    found = profile(Model(source=str(folder)))
    assert (found.family, found.size, found.grid) == (Family.PIXART_SIGMA, 1024, 16)
    assert (found.steps, found.guidance) == (20, 4.5)
    alone = loaded(f'[model]\nsource = "{folder}"\n', tmp_path)
    closed = closed_here(alone, catalogue(alone))
    assert {"tile", "chaos", "weird", "exp", "hd", "sref", "stop"} <= closed.parameters
    assert not {"no", "sameseed", "quality", "draft", "stylize", "iw"} & closed.parameters
    assert closed.reasons["chaos"].startswith("The model pixart cannot do `--chaos`: its own pipeline draws")


@pytest.mark.parametrize(
    ("schedule", "unet", "steps", "guidance"),
    [
        ("EulerDiscreteScheduler", {}, 30, 5.0),
        ("LCMScheduler", {}, 4, 1.0),
        ("LCMScheduler", {"time_cond_proj_dim": 256}, 4, 8.5),
    ],
)
def test_stable_diffusion_xl_is_given_what_suits_its_form(
    tmp_path: Path, schedule: str, unet: dict[str, Any], steps: int, guidance: float
) -> None:
    folder = written(tmp_path, "StableDiffusionXLPipeline", {"sample_size": 128} | unet, part="unet")
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps({"_class_name": schedule}))
    found = profile(Model(source=str(folder)))
    assert (found.family, found.size, found.grid) == (Family.STABLE_DIFFUSION_XL, 1024, 8)
    assert (found.steps, found.guidance, found.steered) == (steps, guidance, bool(unet))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="incomplete: text_encoder has no weights"):
        profile(Model(source=str(sd3(tmp_path, weights=False))))
    (tmp_path / "text_encoder_2" / "config.json").unlink()
    with pytest.raises(Failure, match=r"has no text_encoder_2/config\.json"):
        profile(Model(source=str(tmp_path)))


def test_a_checkpoint_of_the_hub_is_known_once_its_description_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    cache = tmp_path / "models--owner--sd3"
    sd3(cache / "snapshots" / "coming", weights=False)
    assert profile(Model(source="owner/sd3")).family is Family.STABLE_DIFFUSION_3
    assert not cache.joinpath("refs").exists()
    settings = loaded('[[models]]\nsource = "owner/sd3"\n[[models]]\nsource = "owner/other"\n', tmp_path)
    assert catalogue(settings).unready == {"other"}


def test_where_the_hub_is_kept_is_known_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub_folder({"HF_HUB_CACHE": "/elsewhere"}) == Path(constants.HF_HUB_CACHE)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert hub_folder({}) == Path.home() / ".cache" / "huggingface" / "hub"
    assert hub_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert hub_folder({"XDG_CACHE_HOME": "/c", "HF_HOME": "/h"}) == Path("/h/hub")
    assert hub_folder({"HF_HOME": "/h", "HF_HUB_CACHE": "/hub"}) == Path("/hub")


def test_a_single_file_is_of_the_family_of_its_tensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    file = single(tmp_path / "xl.safetensors", "conditioner.embedders.1.model.ln_final.bias")
    text = f'[model]\nsource = "{file}"\n'
    assert catalogue(loaded(text, tmp_path)).unready == {"xl"}
    cache = tmp_path / "hub" / "models--stabilityai--stable-diffusion-xl-base-1.0" / "snapshots" / "a"
    written(cache, "StableDiffusionXLPipeline", {"sample_size": 128}, weights=False, part="unet")
    [known] = catalogue(loaded(text, tmp_path)).entries
    assert (known.ready, known.profile.family, known.profile.size) == (True, Family.STABLE_DIFFUSION_XL, 1024)
    with pytest.raises(
        Failure, match="is of Stable Diffusion XL, and its `description` of Stable Diffusion 1"
    ):
        catalogue(loaded(f'{text}description = "embedded"\n', tmp_path))
    for name, told in (
        ("lora_up.weight", "holds no whole checkpoint"),
        ("conditioner.embedders.0.x", "is a refiner"),
    ):
        single(file, name)
        with pytest.raises(Failure, match=told):
            catalogue(loaded(text, tmp_path))


def test_what_no_model_can_is_closed_and_what_one_can_is_open(tmp_path: Path) -> None:
    flux = written(tmp_path / "flux", "FluxPipeline", {"guidance_embeds": True})
    alone = loaded(f'[model]\nsource = "{flux}"\n', tmp_path)
    closed = closed_here(alone, catalogue(alone))
    assert {"tile", "no"} <= closed.parameters
    assert closed.reasons["tile"].startswith("The model flux cannot do `--tile`: ")
    several = loaded(
        f'[[models]]\nsource = "{flux}"\n[[models]]\nsource = "embedded"\nversions = ["6"]\n', tmp_path
    )
    assert not {"tile", "no"} & closed_here(several, catalogue(several)).parameters


def test_steps_end_where_a_distilled_schedule_has_no_more(tmp_path: Path) -> None:
    """Asked for more, diffusers raises an error in the middle of drawing."""
    described = profile(Model(source=str(EMBEDDED_FOLDER), scheduler="LCMScheduler", steps=30))
    assert (described.steps, described.most_steps) == (30, 50)
    best = parse("a fox --quality 5")
    assert schedule(best, described) == 50
    assert schedule(best, profile(Model(source=str(EMBEDDED_FOLDER), steps=30))) == 150
    options = {"original_inference_steps": 100}
    more = Model(source=str(EMBEDDED_FOLDER), scheduler="TCDScheduler", scheduler_options=options, steps=150)
    assert (profile(more).steps, profile(more).most_steps) == (100, 100)
    own = shutil.copytree(EMBEDDED_FOLDER, tmp_path / "own")
    file = own / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({"_class_name": "LCMScheduler", "original_inference_steps": 40}))
    assert profile(Model(source=str(own), steps=60)).steps == 40
