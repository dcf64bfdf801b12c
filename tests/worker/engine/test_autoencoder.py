from dataclasses import dataclass
from typing import Any

import pytest
import torch

from tests.worker.engine import tiny
from worker.engine import autoencoder
from worker.engine.autoencoder import decoded
from worker.engine.checkpoint import Hardware
from worker.engine.tiling import convolutions, seamless


@dataclass
class Coded:
    """An autoencoder alone; `seen` are the pictures of each call."""

    vae: Any
    hardware: Hardware
    grid: int
    seen: list[int]


@pytest.fixture
def coded(monkeypatch: pytest.MonkeyPatch) -> Coded:
    torch.manual_seed(0)
    made = Coded(tiny.autoencoder().eval(), Hardware.named("cpu", "float32"), 2, [])
    decode = made.vae.decode

    def counted(latents: torch.Tensor, **typed: Any) -> Any:
        made.seen.append(len(latents))
        return decode(latents, **typed)

    monkeypatch.setattr(made.vae, "decode", counted)
    return made


def test_many_pictures_are_decoded_a_few_at_a_time_and_come_out_the_same(
    coded: Coded, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents = torch.randn(5, 4, 16, 16)
    with torch.inference_mode():
        whole = decoded(coded, latents)
        monkeypatch.setattr(autoencoder, "AT_ONCE", 2 * 32 * 32)
        parts = decoded(coded, latents)
    assert coded.seen == [5, 2, 2, 1]
    assert whole.shape == (5, 3, 32, 32)
    assert float((whole - parts).abs().max()) < 1e-5


def test_a_huge_picture_is_decoded_in_tiles_unless_its_edges_are_to_meet(
    coded: Coded, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiled: list[bool] = []
    decode = coded.vae.decode

    def noted(latents: torch.Tensor, **typed: Any) -> Any:
        tiled.append(coded.vae.use_tiling)
        return decode(latents, **typed)

    monkeypatch.setattr(coded.vae, "decode", noted)
    latents = torch.randn(1, 4, 32, 32)
    with torch.inference_mode():
        decoded(coded, latents)
        monkeypatch.setattr(autoencoder, "WHOLE", 32 * 32)
        huge = decoded(coded, latents)
        with seamless(convolutions(coded.vae), wanted=True):
            decoded(coded, latents)
    assert tiled == [False, True, False]
    assert huge.shape == (1, 3, 64, 64)
    assert not coded.vae.use_tiling


def test_what_memory_does_not_suffice_for_is_decoded_in_halves_and_at_last_in_tiles(
    coded: Coded, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, tried = torch.randn(3, 4, 32, 32), list[tuple[int, bool]]()
    decode = coded.vae.decode

    def scarce(latents: torch.Tensor, **typed: Any) -> Any:
        tried.append((len(latents), coded.vae.use_tiling))
        if len(latents) > 1 or (latents.mean() > 0.5 and not coded.vae.use_tiling):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(latents, **typed)

    with torch.inference_mode():
        expected = decoded(coded, latents)
        monkeypatch.setattr(coded.vae, "decode", scarce)
        assert float((decoded(coded, latents) - expected).abs().max()) < 1e-5
        assert tried == [(3, False), (2, False), (1, False), (1, False), (1, False)]
        tried.clear()
        decoded(coded, latents[:1] + 1)
        assert tried == [(1, False), (1, True)]
        with seamless(convolutions(coded.vae), wanted=True), pytest.raises(torch.OutOfMemoryError):
            decoded(coded, latents[:1] + 1)
    assert not coded.vae.use_tiling
