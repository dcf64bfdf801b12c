"""What drawing costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser import Speed
from tests.worker.house import PROFILE, request
from worker.api import Strength
from worker.cost import GRAINS, credits, grains, metered, steps, work
from worker.recipe import STRENGTHS, Drawing, ModelProfile, Start, Upscaling, enlarge, resolve

BIG = ModelProfile(name="big", source="models/big", size=1024, steps=30)


def drawn(profile: ModelProfile = PROFILE, start: Start | None = None, **typed: object) -> Drawing:
    return resolve(request(**typed), profile, seed=1, start=start)


@pytest.mark.parametrize("profile", [PROFILE, BIG], ids=lambda profile: profile.name)
def test_one_credit_is_a_default_grid_of_any_model(profile: ModelProfile) -> None:
    assert credits(drawn(profile), profile) == 1


@pytest.mark.parametrize("quality", [0.25, 0.5, 1, 2, 5])
def test_quality_is_the_factor_it_says(quality: float) -> None:
    assert credits(drawn(quality=quality), PROFILE) == quality


def test_stopping_early_costs_the_steps_that_are_taken() -> None:
    assert credits(drawn(stop=50), PROFILE) == 0.5


def test_a_shape_costs_as_its_area() -> None:
    wide, square = drawn(aspect=(3, 2)), drawn()
    area = wide.width * wide.height / (square.width * square.height)
    assert area != 1
    assert credits(wide, PROFILE) == pytest.approx(area, abs=0.001)


def test_one_picture_costs_a_quarter_of_a_grid() -> None:
    grid = drawn()
    assert credits(grid.model_copy(update={"seeds": grid.seeds[:1]}), PROFILE) == 0.25


@pytest.mark.parametrize(("strength", "cost"), [(Strength.STRONG, 0.75), (Strength.SUBTLE, 0.45)])
def test_a_variation_costs_the_part_of_the_schedule_it_draws(strength: Strength, cost: float) -> None:
    start = Start(picture="p.png", strength=STRENGTHS[strength])
    assert credits(drawn(start=start), PROFILE) == cost


def test_a_variation_that_stops_before_it_begins_takes_one_step() -> None:
    start = Start(picture="p.png", strength=0.25)
    assert steps(drawn(stop=10, start=start)) == 1


def test_an_upscale_costs_two_steps_of_a_picture_of_its_size() -> None:
    assert credits(enlarge("p.png", (128, 128)), PROFILE) == 0.1
    assert credits(enlarge("p.png", (256, 256)), PROFILE) == 0.4


def test_turbo_costs_double_and_relax_is_recorded_but_free_of_allowances() -> None:
    assert [credits(drawn(), PROFILE, speed) for speed in (Speed.TURBO, Speed.FAST, Speed.RELAX)] == [2, 1, 1]
    assert [metered(speed) for speed in (Speed.TURBO, Speed.FAST, Speed.RELAX)] == [True, True, False]


@given(
    st.sampled_from(list(Speed)),
    st.integers(1, 200),
    st.integers(8, 256),
    st.sampled_from([0.25, 0.5, 1, 2, 5]),
    st.integers(10, 100),
)
def test_every_cost_is_a_whole_number_of_grains_and_at_least_one(
    speed: Speed, length: int, size: int, quality: float, stop: int
) -> None:
    profile = ModelProfile(name="any", source="any", size=size, steps=length, grid=1)
    cost = credits(drawn(profile, quality=quality, stop=stop), profile, speed)
    assert grains(cost) >= 1
    assert grains(cost) / GRAINS == cost


def test_work_grows_with_steps_and_pixels() -> None:
    small = work(resolve(request(quality=0.25), PROFILE, seed=1))
    assert work(resolve(request(quality=5), PROFILE, seed=1)) == 20 * small
    assert work(resolve(request(stop=50), PROFILE, seed=1)) == 2 * small
    assert 0 < work(Upscaling(picture="", width=256, height=256)) < 20 * small
