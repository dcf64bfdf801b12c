"""Several checkpoints in one configuration."""

import json
import struct
from pathlib import Path

import pytest

from cli.checkpoint import catalogue
from cli.config import Settings, load
from cli.failures import Failure
from worker.catalogue import Adapter, Build, Embedding, PictureAdapter

HOME = {"HOME": "/home/ada"}


def loaded(text: str, folder: Path, **environ: str) -> Settings:
    file = folder / "journeyman.toml"
    file.write_text(text, encoding="utf-8")
    return load(HOME | environ, file=file)


def refusal(text: str, folder: Path, **environ: str) -> str:
    with pytest.raises(Failure) as failure:
        loaded(text, folder, **environ)
    return str(failure.value)


def single(file: Path, *names: str) -> Path:
    """Write a file that says it has tensors of these *names*."""
    head = json.dumps(
        {name: {"shape": [1], "dtype": "F32", "data_offsets": [0, 4]} for name in names}
    ).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head)
    return file


def test_without_a_word_the_embedded_model_is_the_only_one(tmp_path: Path) -> None:
    [only] = catalogue(loaded("", tmp_path)).entries
    assert (only.name, only.profile.size, only.profile.guidance, only.flags) == ("embedded", 128, 3, ())
    assert only.build == Build()


def test_a_table_of_models_is_read_whole(tmp_path: Path) -> None:
    settings = loaded(
        """
        [[models]]
        name = "painter"
        source = "owner/painter"
        versions = [6, "6.1", 7.0]
        size = 768
        scheduler = "EulerDiscreteScheduler"
        scheduler_options = { use_karras_sigmas = true }
        vae = "owner/vae"
        loras = [{ source = "owner/ink", weight = 0.5 }]
        embeddings = [{ source = "owner/fox", token = "<fox>" }]
        dtype = "bfloat16"
        licence = "CreativeML Open RAIL-M"

        [[models]]
        name = "inker"
        default = true
        niji = [6]
        steps = 4
        guidance = 1

        [engine]
        offline = true
        """,
        tmp_path,
    )
    inker, painter = catalogue(settings).entries
    assert (inker.name, inker.niji, inker.profile.steps, inker.profile.guidance) == ("inker", ("6",), 4, 1)
    assert (painter.versions, painter.profile.size, painter.licence) == (
        ("6", "6.1", "7"),
        768,
        "CreativeML Open RAIL-M",
    )
    assert painter.build == Build(
        dtype="bfloat16",
        scheduler="EulerDiscreteScheduler",
        scheduler_options={"use_karras_sigmas": True},
        vae="owner/vae",
        loras=(Adapter(source="owner/ink", weight=0.5),),
        embeddings=(Embedding(source="owner/fox", token="<fox>"),),
        offline=True,
    )


def test_one_model_takes_every_key_too(tmp_path: Path) -> None:
    [only] = catalogue(loaded('[model]\nversions = ["6"]\nniji = ["5"]\n', tmp_path)).entries
    assert only.flags == ("--v 6", "--niji 5")


def test_names_come_from_the_sources(tmp_path: Path) -> None:
    file = single(tmp_path / "Ink v2.safetensors", "model.diffusion_model.input_blocks.0.0.bias")
    text = f'[[models]]\nsource = "owner/painter"\n[[models]]\nsource = "{file}"\n[[models]]\n'
    assert catalogue(loaded(text, tmp_path)).names == ("painter", "Ink v2", "embedded")


def test_every_mistake_is_told_at_once_and_where_it_is(tmp_path: Path) -> None:
    told = refusal(
        """
        [[models]]
        stepps = 3
        [[models]]
        name = "b"
        steps = 0
        versions = ["9"]
        loras = [{ source = "x", weigth = 1 }]
        embeddings = [{ source = "x", token = "two words" }]
        """,
        tmp_path,
    )
    for part in (
        "models.1.stepps: there is no such setting; did you mean models.1.steps?",
        "models.2.steps: input should be greater than or equal to 1",
        "models.2.versions: value error, there is no version 9; there are 1, 2,",
        "models.2.loras.1.weigth: there is no such setting",
        "models.2.embeddings.1.token",
    ):
        assert part in told


def test_two_of_one_name_or_version_or_two_defaults_are_refused_together(tmp_path: Path) -> None:
    entry = '[[models]]\nname = "a"\ndefault = true\nversions = ["6"]\nniji = ["6"]\n'
    told = refusal(entry * 2, tmp_path)
    for part in (
        "2 are called 'a': give each a name",
        "2 answer to --version 6: one may",
        "2 answer to --niji 6: one may",
        "a and a are both the default: one may be",
    ):
        assert part in told


def test_model_and_models_do_not_go_together(tmp_path: Path) -> None:
    words = "model: with [[models]] there is no [model]; make it one more [[models]]"
    assert words in refusal("[model]\nsteps = 3\n[[models]]\n", tmp_path)
    assert words in refusal("[[models]]\n", tmp_path, JOURNEYMAN_MODEL__STEPS="3")


def test_models_can_come_from_the_environment(tmp_path: Path) -> None:
    told = loaded("", tmp_path, JOURNEYMAN_MODELS='[{"name": "a", "versions": ["6"]}]')
    assert catalogue(told).names == ("a",)


def test_of_several_a_missing_one_leaves_the_others(tmp_path: Path) -> None:
    gone = f'[[models]]\nname = "gone"\nsource = "{tmp_path}/gone"\nsize = 640\n'
    found = catalogue(loaded(gone + "[[models]]\n", tmp_path))
    assert [(each.name, each.profile.size) for each in found.entries] == [("gone", 640), ("embedded", 128)]
    with pytest.raises(Failure, match="gone does not exist"):
        catalogue(loaded(gone, tmp_path))


def test_a_single_file_takes_its_sizes_from_its_description(tmp_path: Path) -> None:
    file = tmp_path / "one.safetensors"
    text = f'[model]\nsource = "{file}"\ndescription = "models/embedded"\n'
    with pytest.raises(Failure, match=r"one\.safetensors does not exist"):
        catalogue(loaded(text, tmp_path))
    single(file, "model.diffusion_model.input_blocks.0.0.bias")
    [only] = catalogue(loaded(text, tmp_path)).entries
    assert (only.name, only.profile.size, only.profile.source) == ("one", 128, str(file))
    assert only.build.description is not None
    assert Path(only.build.description).is_absolute()


def test_an_adapter_is_where_it_says_or_on_the_hub(tmp_path: Path) -> None:
    text = """
    [[models]]
    name = "here"
    ip_adapter = { source = "adapters/ip.safetensors", encoder = "~/encoder" }
    [[models]]
    name = "hub"
    source = "owner/painter"
    ip_adapter = { source = "owner/adapters/sd15/ip.safetensors" }
    """
    (tmp_path / "adapters").mkdir()
    here, hub = catalogue(loaded(text, tmp_path)).entries
    assert hub.build.ip_adapter == PictureAdapter(source="owner/adapters/sd15/ip.safetensors")
    assert hub.profile.adapter
    assert here.build.ip_adapter is not None
    assert Path(str(here.build.ip_adapter.encoder)).is_absolute()
    assert not here.profile.adapter


def test_an_adapter_without_a_source_is_told(tmp_path: Path) -> None:
    assert "model.ip_adapter.source" in refusal('[model]\nip_adapter = { encoder = "x" }\n', tmp_path)
