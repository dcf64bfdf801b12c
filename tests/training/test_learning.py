import random
from pathlib import Path
from typing import Any

import pytest
import torch

from training import networks, tokenizer
from training.art import Sprites
from training.captions import Author
from training.diffusion import Painter, Schedule, Trainer, signal_and_noise, spread_times
from training.lexicon import Subject
from training.muon import orthogonalised
from training.pool import LatentPool
from training.workshop import looks_of

EMBEDDED = Path(__file__).parent.parent.parent / "models" / "embedded"


def test_muon_turns_every_singular_value_toward_one() -> None:
    generator = torch.Generator().manual_seed(0)
    for shape in ((48, 300), (300, 48), (64, 64)):
        values = torch.linalg.svdvals(orthogonalised(torch.randn(shape, generator=generator)))
        assert values[0] < 1.4
        assert values[len(values) // 2] > 0.6


def test_the_last_time_holds_no_signal_and_the_first_hardly_any_noise() -> None:
    signal, noise = signal_and_noise()
    assert signal[-1] == pytest.approx(0, abs=1e-6)
    assert noise[0] < 0.05
    assert torch.allclose(signal**2 + noise**2, torch.ones(1000), atol=1e-5)


@pytest.mark.parametrize(("members", "least"), [(1, 520), (3, 640)])
def test_times_cover_the_range_with_more_of_them_noisy(members: int, least: float) -> None:
    times = spread_times(torch.full((400,), members), torch.Generator().manual_seed(0))
    assert times.min() < 80
    assert times.max() > 990
    assert times.float().mean() > least
    early, late = times.float().view(2, 200).mean(1)
    assert abs(early - late) < 80, "no family has its time from its place in the batch"


def test_the_rate_warms_up_and_decays() -> None:
    schedule = Schedule(0.01, warmup=10, decay_from=100, decay_to=200)
    assert schedule.at(0, 0) == pytest.approx(0.001)
    assert schedule.at(50, 0) == pytest.approx(0.01)
    assert schedule.at(150, 0) == pytest.approx(0.005)
    assert schedule.at(200, 0) == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_text_reaches_the_picture_within_a_few_steps(
    four: tuple[Subject, ...], sprites: Sprites, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    vae = networks.load_autoencoder(EMBEDDED).eval().requires_grad_(False)
    words = tokenizer.build(four, tmp_path / "tokenizer")
    encoder = networks.new_text_encoder(words)
    networks.plant(encoder, words, networks.word_vectors(four, looks_of(vae, sprites), {}))
    painter = Painter(networks.new_unet(), encoder, words)
    author = Author(four, ("bridge", "moon"), random.Random(0))
    pool = LatentPool(sprites, vae, random.Random(0))
    assert told_apart(painter, four, sprites, vae) == pytest.approx(1, abs=0.01), "nothing is known yet"

    trainer = Trainer(painter, pool, author, tmp_path / "state.pt")
    trainer.train(120, 16, Schedule(0.02, warmup=10, decay_from=60, decay_to=120))

    assert told_apart(painter, four, sprites, vae) < 0.85
    resumed = Trainer(painter, pool, author, tmp_path / "state.pt")
    assert resumed.step == 120


@torch.no_grad()
def told_apart(painter: Painter, four: tuple[Subject, ...], sprites: Sprites, vae: Any) -> float:
    """Error where little of a picture is left but its caption, against the error with captions of others."""
    author, pool = (
        Author(four, ("bridge", "moon"), random.Random(99)),
        LatentPool(sprites, vae, random.Random(99)),
    )
    generator = torch.Generator().manual_seed(5)
    right = wrong = 0.0
    for _ in range(4):
        some = pool.batch(16)
        captions = [author.caption(scene) for scene in some.scenes]
        times = torch.full((len(captions),), 900)
        noise = torch.randn(some.latents.shape, generator=generator)
        right += painter.loss(some, captions, times, noise).item()
        wrong += painter.loss(some, captions[::-1], times, noise).item()
    return right / wrong
