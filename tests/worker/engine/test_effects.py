"""What the parameters of look and variety do to pictures of the embedded model, measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from parser import ImagineRequest, Part, parse
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import PROFILE as EMBEDDED
from tests.worker.engine.studio import SAME, Studio, cells, distance
from worker.effects import Displacement
from worker.engine.detail import detailed
from worker.engine.displacement import displaced
from worker.engine.tiling import convolutions, seamless
from worker.recipe import Drawing, resolve

PROFILE = EMBEDDED.model_copy(update={"steps": 6, "house_style": "3d render"})
Pictures = NDArray[np.float64]  # (pictures, height, width, 3), 0..1


def recipe(text: str, **typed: Any) -> Drawing:
    return resolve(ImagineRequest(text=text, parts=(Part(text=text),), **typed), PROFILE, seed=3)


def drawn(studio: Studio, text: str, *, pictures: int = 4, **typed: Any) -> Pictures:
    """Return the first *pictures* of what is typed: each is as it would be beside the others."""
    return studio.draw(job(f"{text} {typed}", first(recipe(text, **typed), pictures))) / 255


def written(studio: Studio, prompt: str) -> Pictures:
    """Return the grid of what a person types."""
    return studio.draw(job(prompt, resolve(parse(prompt), PROFILE, seed=3))) / 255


def first(recipe: Drawing, pictures: int) -> Drawing:
    return recipe.model_copy(update={"seeds": recipe.seeds[:pictures]})


def apart(pictures: Pictures) -> float:
    """Mean difference between any two pictures of a grid."""
    return float(np.mean([np.abs(one - other).mean() for one, other in combinations(pictures, 2)]))


def roughness(pictures: Pictures) -> float:
    """Energy of the finest detail: the mean square of the Laplacian."""
    grey = pictures.mean(axis=3)
    inner = grey[:, 1:-1, 1:-1]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return float(((4 * inner - around) ** 2).mean())


def contrast(pictures: Pictures) -> float:
    """Energy of details as large as a latent: of what lies between the means over 5 and 17 pixels."""
    grey = torch.from_numpy(pictures.mean(axis=3))
    narrow, wide = (
        torch.nn.functional.avg_pool2d(grey, side, stride=1, padding=side // 2, count_include_pad=False)
        for side in (5, 17)
    )
    return float(((narrow - wide) ** 2).mean())


def seam(pictures: Pictures) -> float:
    """Difference across opposite edges, beside that of neighbours inside."""
    across = (
        np.abs(pictures[:, 0] - pictures[:, -1]).mean()
        + np.abs(pictures[:, :, 0] - pictures[:, :, -1]).mean()
    )
    inside = np.abs(np.diff(pictures, axis=1)).mean() + np.abs(np.diff(pictures, axis=2)).mean()
    return float(across / inside)


def leaning(pictures: Pictures, channel: int) -> NDArray[np.float64]:
    """How much of a colour each picture's ground has beyond the two others: -1..1."""
    rim = np.concatenate([pictures[:, :6], pictures[:, -6:]], axis=1).mean(axis=(1, 2))
    others = (rim.sum(axis=1) - rim[:, channel]) / 2
    return rim[:, channel] - others


def red(pictures: Pictures) -> float:
    """Share of the pixels that are red and nothing else."""
    return float((pictures[..., 0] - pictures[..., 1:].max(axis=3) > 0.35).mean())


def resized(pictures: Pictures, side: int, way: Image.Resampling) -> Pictures:
    sized = [
        Image.fromarray((each * 255).round().astype(np.uint8)).resize((side, side), way) for each in pictures
    ]
    return np.stack([np.asarray(each) for each in sized]) / 255


def likeness(one: Pictures, other: Pictures) -> float:
    """Correlation of the two pictures that are least alike."""
    return float(min(np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(one, other, strict=True)))


def test_no_takes_a_colour_off_the_ground(studio: Studio) -> None:
    plain, without = (
        drawn(studio, "a fox", pictures=2, negative=negative) for negative in ((), ("green background",))
    )
    assert (leaning(without, 1) < leaning(plain, 1) - 0.1).all()


@pytest.mark.slow
@pytest.mark.parametrize(("colour", "channel"), [("blue", 2), ("green", 1)])
def test_no_takes_a_colour_off_the_ground_of_every_picture(studio: Studio, colour: str, channel: int) -> None:
    plain, without = (
        drawn(studio, "a fox", negative=negative) for negative in ((), (f"{colour} background",))
    )
    assert (leaning(without, channel) < leaning(plain, channel)).all()
    assert leaning(without, channel).mean() < leaning(plain, channel).mean() - 0.1


@pytest.mark.slow
def test_a_negative_part_takes_the_thing_away_and_more_of_it_the_more_it_weighs(studio: Studio) -> None:
    both, one = "a fox and an apple on a white background", "a fox on a white background"
    prompts = (one, both, f"{both}:: an apple::-0.2", f"{both}:: an apple::-0.5")
    alone, plain, less, least = (red(written(studio, prompt)) for prompt in prompts)
    assert least < less < plain
    assert least - alone < 2 / 3 * (plain - alone)  # a fox has some red itself


@pytest.mark.slow
def test_a_second_pass_is_the_same_picture_with_detail_of_its_size(studio: Studio) -> None:
    plain, hd = (drawn(studio, "a fox on a green background", pictures=3, **t) for t in ({}, {"hd": True}))
    assert hd.shape == (3, 256, 256, 3)
    enlarged = resized(plain, 256, Image.Resampling.BICUBIC)
    for number in range(3):
        assert roughness(hd[number : number + 1]) > 2 * roughness(enlarged[number : number + 1])
    # Two pictures of the grid are less alike than either is to itself in another size.
    assert likeness(resized(hd, 128, Image.Resampling.BOX), plain) > 0.97 > likeness(plain[1:], plain[:-1])


def test_chaos_parts_two_pictures_of_a_grid(studio: Studio) -> None:
    plain, much = (drawn(studio, "a fox on a blue background", pictures=2, chaos=value) for value in (0, 100))
    assert apart(plain) < 0.8 * apart(much)


@pytest.mark.slow
def test_chaos_makes_the_pictures_of_a_grid_differ_more(studio: Studio) -> None:
    plain, some, much = (drawn(studio, "a fox on a blue background", chaos=value) for value in (0, 40, 100))
    assert apart(plain) < 0.8 * apart(some)
    assert apart(some) < apart(much)


@pytest.mark.slow
def test_weird_leads_away_from_the_plain_reading_and_all_four_the_same_way(studio: Studio) -> None:
    plain, some, much = (drawn(studio, "a fox on a blue background", weird=value) for value in (0, 500, 3000))
    assert 0 < np.abs(some - plain).mean() < np.abs(much - plain).mean()
    assert apart(much) < 2 * apart(plain)


@pytest.mark.slow
def test_stylize_leads_toward_the_house_style_and_raw_leaves_it_out(studio: Studio) -> None:
    house = drawn(studio, "a 3d render of a cat on a white background")
    none, usual, most, raw = (
        drawn(studio, "a cat on a white background", **typed)
        for typed in ({"stylize": 0}, {}, {"stylize": 1000}, {"stylize": 1000, "raw": True})
    )
    assert none.std() < usual.std()  # paler: less guidance
    assert np.abs(most - house).mean() < np.abs(usual - house).mean()
    assert np.array_equal(raw, usual)


def test_tile_lets_opposite_edges_meet(studio: Studio) -> None:
    plain, tiled = (drawn(studio, "a fox at sunset", pictures=1, **typed) for typed in ({}, {"tile": True}))
    assert seam(plain) > 3
    assert seam(tiled) < 1.5


@pytest.mark.slow
def test_exp_adds_contrast_to_the_details(studio: Studio) -> None:
    plain, some, much = (
        contrast(drawn(studio, "a fox on a blue background", pictures=2, exp=value)) for value in (0, 50, 100)
    )
    assert plain < 1.2 * plain < some < much
    assert much > 1.5 * plain


@pytest.mark.slow
def test_stop_leaves_a_softer_picture(studio: Studio) -> None:
    levels = [roughness(drawn(studio, "a fox on a blue background", stop=value)) for value in (30, 60, 100)]
    assert levels == sorted(levels)


def test_sameseed_starts_all_four_from_one_noise(studio: Studio) -> None:
    alike = drawn(studio, "a fox", pictures=2, sameseed=4)
    assert apart(alike) * 255 <= SAME
    assert apart(drawn(studio, "a fox", pictures=2, sameseed=4, chaos=60)) > 0.02


@pytest.mark.slow
def test_a_draft_is_a_whole_picture_on_a_smaller_canvas(studio: Studio) -> None:
    assert drawn(studio, "a fox", draft=True).shape == (4, 104, 104, 3)


def test_effects_draw_the_same_alone_and_in_company(studio: Studio) -> None:
    # A batch in which rows with joined edges meet others makes two passes of one step.
    typed: list[dict[str, Any]] = [
        {},
        {"chaos": 70},
        {"weird": 900},
        {"stylize": 700},
        {"tile": True},
        {"exp": 80},
    ]
    jobs = [
        job(f"j{number}", first(recipe("a fox at sunset", **each), 1)) for number, each in enumerate(typed)
    ]
    together = studio.play(*jobs)
    for each in jobs:
        assert distance(cells(together[each.job_id]), studio.draw(each)) <= SAME, each.recipe


# --- the sums alone ---------------------------------------------------------------------------------------


def test_a_displacement_is_as_long_as_asked_and_across_what_the_prompt_says() -> None:
    generator = torch.Generator().manual_seed(0)
    empty, said = torch.randn(2, 1, 8, 32, generator=generator)
    encoding = empty + said
    moved = displaced(encoding, empty, Displacement(chaos=0.5), seed=1) - encoding
    assert torch.allclose(moved.norm(dim=-1), 0.5 * said.norm(dim=-1), rtol=1e-4)
    assert (moved * said).sum(dim=-1).abs().max() < 1e-3
    assert displaced(encoding, empty, Displacement(), seed=1) is encoding
    assert not torch.equal(moved, displaced(encoding, empty, Displacement(chaos=0.5), seed=2) - encoding)


def test_an_empty_prompt_is_not_moved_and_breaks_nothing() -> None:
    empty = torch.randn(1, 8, 32)
    assert torch.equal(displaced(empty, empty, Displacement(chaos=1, weird=1), seed=1), empty)


def test_detail_grows_and_flat_areas_stay_flat() -> None:
    flat = torch.full((1, 4, 8, 8), 0.7)
    assert torch.allclose(detailed(flat, 0.5, 1.0), flat)
    rough = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert detailed(rough, 0.5, 1.0).std() > rough.std()
    assert torch.equal(detailed(rough, 0.5, 0.0), rough)


@contextmanager
def failing(looking: list[torch.nn.Conv2d]) -> Iterator[None]:
    with seamless(looking, wanted=True):
        yield
        raise RuntimeError


def test_a_network_gets_its_edges_back_even_when_a_pass_fails() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3, padding=1), torch.nn.Conv2d(1, 1, 1))
    looking = convolutions(network)
    assert looking == [network[0]]
    with pytest.raises(RuntimeError), failing(looking):
        assert network[0].padding_mode == "circular"
    assert network[0].padding_mode == "zeros"


def test_what_leaves_a_seamless_network_on_one_side_comes_in_on_the_other() -> None:
    network = torch.nn.Conv2d(1, 1, 3, padding=1)
    picture = torch.randn(1, 1, 6, 6)
    with torch.no_grad(), seamless(convolutions(network), wanted=True):
        rolled = network(picture.roll((2, 3), dims=(2, 3)))
        assert torch.allclose(rolled, network(picture).roll((2, 3), dims=(2, 3)), atol=1e-5)
