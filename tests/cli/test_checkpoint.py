import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.checkpoint import EMBEDDED_FOLDER, folder_of, profile
from cli.config import Model
from cli.failures import Failure

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(EMBEDDED_FOLDER, tmp_path / "my-model")
    return tmp_path / "my-model"


def test_the_embedded_model_is_the_default_and_reads_its_own_sizes() -> None:
    found = profile(Model())
    assert (found.name, found.size, found.grid, found.steps, found.guidance) == ("embedded", 128, 8, 12, 3)
    assert Path(found.source).is_absolute()


def test_a_folder_is_read_and_the_configuration_wins(copy: Path) -> None:
    found = profile(Model(source=str(copy)))
    assert (found.name, found.size, found.guidance) == ("my-model", 128, 7.5)
    asked = profile(Model(source=str(copy), name="mine", size=256, steps=30, guidance=5))
    assert (asked.name, asked.size, asked.steps, asked.guidance) == ("mine", 256, 30, 5)


def test_a_hub_id_is_no_folder() -> None:
    assert folder_of("owner/model") is None
    assert profile(Model(source="owner/model", size=768)).size == 768


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("model_index.json", "has no model_index.json"),
        ("unet/config.json", "has no unet/config.json"),
        ("vae/diffusion_pytorch_model.safetensors", "vae has no weights"),
    ],
)
def test_what_is_missing_is_named(copy: Path, name: str, told: str) -> None:
    (copy / name).unlink()
    with pytest.raises(Failure, match=told):
        profile(Model(source=str(copy)))


def test_weights_that_could_run_programs_are_refused_in_one_sentence(copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(Failure, match="weights of its unet as a pickle"):
        profile(Model(source=str(copy)))


@pytest.mark.parametrize("content", ["{", "[]", '{"sample_size": "large"}'])
def test_a_damaged_description_is_told(copy: Path, content: str) -> None:
    (copy / "unet" / "config.json").write_text(content)
    with pytest.raises(Failure, match="damaged"):
        profile(Model(source=str(copy)))


def test_another_family_is_refused_by_name(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "_class_name": "KolorsPipeline"}))
    with pytest.raises(Failure, match="KolorsPipeline"):
        profile(Model(source=str(copy)))


def test_reading_a_profile_loads_no_tensor_library() -> None:
    script = (
        "import sys\nfrom cli.checkpoint import profile\nfrom cli.config import Model\n"
        "profile(Model())\nassert not {'torch', 'diffusers', 'safetensors', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
