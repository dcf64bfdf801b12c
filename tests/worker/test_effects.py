"""What look and variety come to in numbers."""

from typing import Any

import pytest

from parser import Part
from tests.worker.house import PROFILE, request
from worker import cost
from worker.api import ErrorCode, Rejected
from worker.effects import MOST_HOUSE, Displacement, house_share
from worker.recipe import PICTURES, Start, picture_seed, resolve

HOUSE = PROFILE.model_copy(update={"house_style": "oil on canvas", "house_share": 0.1})


def test_a_prompt_that_types_none_of_them_is_drawn_as_it_is() -> None:
    recipe = resolve(request(), PROFILE, seed=5)
    assert recipe.displacement.none
    assert (recipe.guidance, recipe.detail, recipe.tile) == (PROFILE.guidance, 0, False)
    assert recipe.positive == (Part(text="a red fox"),)


@pytest.mark.parametrize(("name", "values"), [("chaos", (0, 10, 50, 100)), ("weird", (0, 300, 1000, 3000))])
def test_chaos_and_weird_move_further_the_more_is_asked(name: str, values: tuple[int, ...]) -> None:
    moves = [
        getattr(resolve(request(**{name: value}), PROFILE, seed=5).displacement, name) for value in values
    ]
    assert moves[0] == 0
    assert moves == sorted(set(moves))


def test_the_direction_of_weird_comes_from_the_seed_of_the_job_and_no_picture_has_it() -> None:
    recipe = resolve(request(weird=500), PROFILE, seed=5)
    assert recipe.displacement.seed not in recipe.seeds
    assert recipe.displacement.seed != resolve(request(weird=500), PROFILE, seed=6).displacement.seed
    assert recipe.seeds == resolve(request(), PROFILE, seed=5).seeds


@pytest.mark.parametrize(
    ("typed", "share"),
    [
        ({}, 0.1),
        ({"stylize": 0}, 0),
        ({"stylize": 50}, 0.05),
        ({"stylize": 1000}, MOST_HOUSE),
        ({"raw": True}, 0),
        ({"style": "raw", "stylize": 1000}, 0),
    ],
)
def test_stylize_sets_the_share_of_the_house_style(typed: dict[str, Any], share: float) -> None:
    assert house_share(request(**typed), 0.1) == pytest.approx(share)
    parts = {part.text: part.weight for part in resolve(request(**typed), HOUSE, seed=1).positive}
    assert parts.get("a red fox, oil on canvas", 0.0) == pytest.approx(share)
    assert sum(parts.values()) == pytest.approx(1)


def test_stylize_holds_more_tightly_to_the_text_and_raw_never_more_than_the_model_does() -> None:
    def guidance(**typed: Any) -> float:
        return resolve(request(**typed), PROFILE, seed=1).guidance

    assert guidance(stylize=0) < guidance(stylize=50) < guidance() == guidance(stylize=100)
    assert guidance() < guidance(stylize=400) < guidance(stylize=1000)
    assert guidance(stylize=1000, raw=True) == guidance()
    free = PROFILE.model_copy(update={"guidance": 1.0, "house_style": "ink"})
    assert resolve(request(stylize=1000), free, seed=1).guidance == 1.0


def test_a_style_of_midjourneys_own_models_is_refused_by_name() -> None:
    with pytest.raises(Rejected) as refused:
        resolve(request(style="cute"), PROFILE, seed=1)
    assert (refused.value.code, refused.value.detail) == (ErrorCode.STYLE_UNAVAILABLE, {"asked": "cute"})


def test_sameseed_gives_all_four_pictures_one_noise() -> None:
    recipe = resolve(request(sameseed=9), PROFILE, seed=5)
    assert recipe.noise == picture_seed(9, 0)
    assert len(set(recipe.seeds)) == PICTURES


def test_a_draft_is_smaller_takes_half_the_steps_and_a_third_of_the_credits() -> None:
    whole, draft = (resolve(request(**typed), PROFILE, seed=1) for typed in ({}, {"draft": True}))
    assert draft.steps == whole.steps / 2
    assert draft.width * draft.height < 0.7 * whole.width * whole.height
    assert cost.credits(draft, PROFILE) == pytest.approx(0.33, abs=0.03)


def test_a_second_pass_is_twice_as_wide_and_high_and_paid_by_its_pixels() -> None:
    plain, hd = (resolve(request(**typed), PROFILE, seed=1) for typed in ({}, {"hd": True}))
    assert (hd.width, hd.height, hd.size) == (plain.width, plain.height, (256, 256))
    assert plain.size == (128, 128)
    # 20 steps, and 7 of four times the pixels.
    assert cost.credits(hd, PROFILE) == pytest.approx(1 + 7 * 4 / 20)
    assert cost.work(hd) == cost.work(plain) + 4 * 7 * 256 * 256


def test_a_second_pass_left_early_still_takes_a_step() -> None:
    assert cost.credits(resolve(request(hd=True, stop=50), PROFILE, seed=1), PROFILE) == 0.5 + 4 / 20


def test_pictures_that_are_as_large_as_can_be_have_no_second_pass() -> None:
    huge = PROFILE.model_copy(update={"size": 2304})
    with pytest.raises(Rejected) as refused:
        resolve(request(hd=True), huge, seed=1)
    assert (refused.value.code, refused.value.detail["parameter"]) == (ErrorCode.NOT_WITH_MODEL, "hd")
    assert resolve(request(), huge, seed=1).size == (2304, 2304)


def test_a_variation_keeps_the_tile_and_leaves_out_what_shapes_grids() -> None:
    typed = {"chaos": 50, "weird": 500, "stylize": 900, "exp": 40, "tile": True, "hd": True}
    recipe = resolve(request(**typed), HOUSE, seed=1, start=Start(picture="a.png", strength=0.5))
    assert recipe.displacement == Displacement()
    assert (recipe.guidance, recipe.detail, recipe.tile) == (HOUSE.guidance, 0, True)
    assert recipe.positive == (Part(text="a red fox"),)
    assert recipe.size == (256, 256)


def test_a_recipe_written_before_there_were_effects_is_still_read() -> None:
    old = resolve(request(), PROFILE, seed=1).model_dump(exclude={"displacement", "detail", "tile", "second"})
    assert type(resolve(request(), PROFILE, seed=1)).model_validate(old).displacement.none
