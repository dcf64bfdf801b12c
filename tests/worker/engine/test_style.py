"""Styles as statistics: the sums alone, on latents made up."""

import numpy as np
import pytest
import torch

from worker.engine.references import overlay
from worker.engine.style import Palette, Pull, mixed, palette_of, pulled
from worker.engine.swatch import SIDE, swatch


def latents(seed: int, *, rows: int = 24) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(4, 4, generator=generator)
    pixels = mixing @ torch.randn(4, rows * rows, generator=generator)
    return (pixels + torch.randn(4, 1, generator=generator)).view(1, 4, rows, rows)


def close(one: Palette, other: Palette, tolerance: float = 0.02) -> bool:
    return torch.allclose(one.mean, other.mean, atol=tolerance) and torch.allclose(
        one.covariance, other.covariance, atol=tolerance, rtol=tolerance
    )


def test_gone_all_the_way_a_picture_has_the_colours_of_the_other() -> None:
    own, other = latents(1), palette_of(latents(2))
    assert not close(palette_of(own), other)
    assert close(palette_of(pulled(own, Pull(other, 1.0, 6), 1.0)), other)


def test_the_older_version_takes_each_channel_by_itself() -> None:
    own, other = latents(1), palette_of(latents(2))
    found = palette_of(pulled(own, Pull(other, 1.0, 4), 1.0))
    assert torch.allclose(found.mean, other.mean, atol=0.02)
    assert torch.allclose(found.covariance.diagonal(), other.covariance.diagonal(), rtol=0.02, atol=0.02)
    assert not close(found, other)


def test_how_far_it_goes_is_the_share_and_what_stands_out_of_the_noise() -> None:
    own, other = latents(1), palette_of(latents(2))
    assert torch.equal(pulled(own, Pull(other, 0.5, 6), 0.0), own)
    half = pulled(own, Pull(other, 0.5, 6), 1.0)
    assert torch.allclose(half, pulled(own, Pull(other, 1.0, 6), 0.5))
    whole = pulled(own, Pull(other, 1.0, 6), 1.0)
    assert torch.allclose(half, (own + whole) / 2, atol=1e-5)


@pytest.mark.parametrize("version", [4, 6])
def test_what_has_the_style_already_is_left_alone(version: int) -> None:
    own = latents(3)
    assert torch.allclose(pulled(own, Pull(palette_of(own), 1.0, version), 1.0), own, atol=1e-3)


@pytest.mark.parametrize("version", [4, 6])
def test_one_colour_alone_breaks_nothing(version: int) -> None:
    flat, other = torch.zeros(1, 4, 8, 8), palette_of(latents(2))
    assert torch.isfinite(pulled(flat, Pull(other, 1.0, version), 1.0)).all()
    assert torch.isfinite(pulled(latents(1), Pull(palette_of(flat), 1.0, version), 1.0)).all()


def test_styles_mix_by_weight() -> None:
    one, other = palette_of(latents(1)), palette_of(latents(2))
    assert close(mixed([one, other], [1.0, 0.0]), one, 1e-9)
    assert torch.allclose(mixed([one, other], [0.25, 0.75]).mean, one.mean / 4 + other.mean * 3 / 4)


def test_pictures_laid_over_each_other_keep_their_contrast() -> None:
    one, other = latents(1), latents(2)
    both = overlay([one, other], [0.5, 0.5])
    wanted = (one.std(dim=(2, 3)) + other.std(dim=(2, 3))) / 2
    assert torch.allclose(both.std(dim=(2, 3)), wanted, rtol=0.01)
    assert torch.allclose(overlay([one], [1.0]), one, atol=1e-5)
    likeness = [float((both * each).mean()) for each in (one, other, latents(9))]
    assert min(likeness[:2]) > abs(likeness[2])


def test_a_number_is_the_same_picture_for_ever_and_another_number_another() -> None:
    first = swatch(1)
    assert first.shape == (SIDE, SIDE, 3)
    assert np.array_equal(first, swatch(1))
    assert first.mean(axis=(0, 1)) == pytest.approx([30.1, 140.4, 95.4], abs=0.5)
    means = np.stack([swatch(code).mean(axis=(0, 1)) for code in (*range(30), 2**32 - 1)])
    apart = np.abs(means[:, None] - means[None]).max(axis=2) + 255 * np.eye(len(means))
    assert apart.min() > 1
    assert means.std(axis=0).min() > 30, "styles are spread over the colours there are"
