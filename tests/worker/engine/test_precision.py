import platform
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worker.engine.recipes import job
from tests.worker.engine.studio import Studio, cells, painted
from worker.catalogue import Build
from worker.engine import precision
from worker.engine.checkpoint import Hardware, load
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.precision import LARGE_BYTES
from worker.recipe import ModelProfile

TWO = Hardware(torch.device("cpu"), torch.float32, torch.bfloat16)


def weights(file: Path, size: int) -> None:
    """Make a file of so many bytes that takes no room."""
    file.parent.mkdir(parents=True)
    with file.open("wb") as stream:
        stream.truncate(size)


def test_large_networks_have_a_type_of_their_own_and_small_ones_do_not(tmp_path: Path) -> None:
    weights(tmp_path / "large" / "unet" / "a.safetensors", LARGE_BYTES)
    weights(tmp_path / "small" / "unet" / "a.safetensors", LARGE_BYTES - 1)
    weights(tmp_path / "single" / "all.safetensors", LARGE_BYTES)
    assert TWO.suiting(tmp_path / "large", "unet").dtype == torch.bfloat16
    assert TWO.suiting(tmp_path / "small", "unet").dtype == torch.float32
    assert TWO.suiting(tmp_path / "single" / "all.safetensors", "unet").dtype == torch.bfloat16


def test_a_type_that_the_operator_names_holds_for_all(tmp_path: Path) -> None:
    weights(tmp_path / "unet" / "a.safetensors", LARGE_BYTES)
    for named in (Hardware.named("cpu", "float32"), TWO.of("float32")):
        assert named.suiting(tmp_path, "unet").dtype == torch.float32


def test_people_are_told_both_types() -> None:
    assert TWO.title == "cpu, float32, large models bfloat16"
    assert TWO.of("float16").title == "cpu, float16"


@pytest.mark.parametrize("there", [True, False])
def test_a_cpu_draws_large_networks_in_bfloat16_where_it_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: there)
    monkeypatch.setattr(precision, "multiplies_tiles", lambda: False)
    chosen = Hardware.named("cpu")
    assert (chosen.dtype, chosen.large) == (torch.float32, torch.bfloat16 if there else None)


def test_a_cpu_that_multiplies_tiles_draws_everything_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "multiplies_tiles", lambda: True)
    chosen = Hardware.named("cpu")
    assert (chosen.dtype, chosen.large) == (torch.bfloat16, None)


def test_channels_come_last_but_in_small_networks_on_a_cpu(profile: ModelProfile) -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    last = torch.channels_last
    assert [precision.layout(cpu, large=True), precision.layout(cuda, large=False)] == [last, last]
    assert load(profile, Hardware.named("cpu")).layout == torch.contiguous_format


@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"), reason="reads Linux's flags")
def test_a_cpu_multiplies_bfloat16_where_its_flags_say_so() -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    assert precision.multiplies_bfloat16() == bool(flags & {"avx512_bf16", "amx_bf16"})


def test_the_embedded_model_is_drawn_in_float32(profile: ModelProfile) -> None:
    assert load(profile, TWO).hardware.dtype == torch.float32


@pytest.mark.slow
def test_a_picture_in_bfloat16_is_the_same_in_company(profile: ModelProfile) -> None:
    builds = {profile.name: Build(dtype="bfloat16")}
    texts = {"a": "a red fox", "b": "a blue car on green", "c": "two yellow suns"}
    with torch.inference_mode():
        studio = Studio(Engine(Models([profile], TWO, builds=builds), time.monotonic))
        orders = [
            job(name, painted((text, 1), steps=10), owner=number)
            for number, (name, text) in enumerate(texts.items())
        ]
        together = studio.play(*orders)
        for order in orders:
            off = np.abs(cells(together[order.job_id]).astype(int) - studio.draw(order).astype(int))
            assert off.mean() <= 1
            assert (off <= 8).mean() >= 0.999
