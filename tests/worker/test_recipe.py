"""From what was said to what is drawn."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser import ImagineRequest, Part, Speed
from tests.worker.house import PROFILE, request
from worker.api import ErrorCode, Rejected
from worker.recipe import ModelProfile, Start, aspects_of, enlarge, lane, picture_seed, resolve, sides, split


def weighted(*parts: tuple[str, float], negative: tuple[str, ...] = ()) -> ImagineRequest:
    return ImagineRequest(
        text="", parts=tuple(Part(text=text, weight=weight) for text, weight in parts), negative=negative
    )


@pytest.mark.parametrize(("quality", "steps"), [(None, 20), (0.25, 5), (0.5, 10), (1, 20), (2, 40), (5, 100)])
def test_quality_scales_the_steps(quality: float | None, steps: int) -> None:
    recipe = resolve(request(quality=quality), PROFILE, seed=1)
    assert (recipe.steps, recipe.stop_after) == (steps, steps)


@pytest.mark.parametrize(("stop", "taken"), [(None, 20), (100, 20), (50, 10), (51, 11), (10, 2), (99, 20)])
def test_stop_ends_the_schedule_early_and_keeps_its_length(stop: int | None, taken: int) -> None:
    recipe = resolve(request(stop=stop), PROFILE, seed=1)
    assert (recipe.steps, recipe.stop_after) == (20, taken)


def test_there_is_always_a_step() -> None:
    quick = PROFILE.model_copy(update={"steps": 1})
    recipe = resolve(request(quality=0.25, stop=10), quick, seed=1)
    assert (recipe.steps, recipe.stop_after) == (1, 1)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ((1, 1), (128, 128)),
        ((3, 2), (144, 96)),
        ((2, 3), (96, 144)),
        ((16, 9), (168, 96)),
        ((2, 1), (176, 88)),
    ],
)
def test_the_aspect_ratio_changes_the_sides(aspect: tuple[int, int], size: tuple[int, int]) -> None:
    assert sides(aspect, PROFILE) == size


@given(
    st.tuples(st.integers(1, 100), st.integers(1, 100)).filter(
        lambda a: a[0] <= 2 * a[1] and a[1] <= 2 * a[0]
    ),
    st.sampled_from([128, 256, 512, 768, 1024]),
)
def test_every_ratio_to_two_to_one_is_near_and_fits(aspect: tuple[int, int], size: int) -> None:
    width, height = sides(aspect, ModelProfile(name="m", source="m", size=size))
    assert width % 8 == height % 8 == 0
    assert 0.8 <= width * height / size**2 <= 1.05
    assert abs(log(width / height / (aspect[0] / aspect[1]))) < 0.05


@pytest.mark.parametrize("aspect", [(3, 1), (1, 3), (201, 100)])
def test_wider_than_two_to_one_is_refused(aspect: tuple[int, int]) -> None:
    with pytest.raises(Rejected) as caught:
        resolve(request(aspect=aspect), PROFILE, seed=1)
    assert caught.value.code is ErrorCode.ASPECT_UNAVAILABLE
    assert (caught.value.detail["low"], caught.value.detail["high"]) == ("1:2", "2:1")


@pytest.mark.parametrize(
    ("aspect", "size"), [((7, 2), (1904, 544)), ((1, 4), (512, 2048)), ((2, 1), (1456, 728))]
)
def test_a_model_that_learnt_longer_shapes_draws_them(aspect: tuple[int, int], size: tuple[int, int]) -> None:
    long = ModelProfile(name="m", source="m", size=1024, widest=4)
    assert sides(aspect, long) == size
    with pytest.raises(Rejected) as caught:
        sides((9, 2), long)
    assert caught.value.detail == {"asked": "9:2", "low": "1:4", "high": "4:1", "model": "m"}


def test_a_range_between_whole_numbers_is_told_as_people_type_it() -> None:
    assert aspects_of(ModelProfile(name="m", source="m", size=512, widest=2.5)) == ("2:5", "5:2")


def test_a_part_of_minus_half_is_the_same_as_no() -> None:
    by_weight = split(weighted(("tulips", 1), ("red", -0.5)))
    assert by_weight == split(weighted(("tulips", 1), negative=("red",)))
    assert by_weight == ((Part(text="tulips", weight=1),), (Part(text="red", weight=0.5),), 1.0)


def test_the_weight_of_the_text_does_not_change_what_no_means() -> None:
    for weight in (0.1, 1, 2, 50):
        _, [item], pull = split(weighted(("cat", weight), negative=("dog",)))
        assert item.weight == pytest.approx(weight / 2)
        assert pull == 1


def test_a_no_list_shares_half_the_weight() -> None:
    _, negative, pull = split(weighted(("cat", 2), negative=("dog", "mouse")))
    assert [part.weight for part in negative] == [0.5, 0.5]
    assert pull == 1


def test_little_negative_weight_pulls_little() -> None:
    _, _, pull = split(weighted(("cat", 4), ("dog", -1)))
    assert pull == 0.5
    assert split(weighted(("cat", 1)))[1:] == ((), 0)


def test_parts_without_weight_are_left_out() -> None:
    positive, negative, pull = split(weighted(("cat", 1), ("dog", 0)))
    assert ([part.text for part in positive], negative, pull) == (["cat"], (), 0)


def test_every_picture_has_a_seed_of_its_own_and_always_the_same() -> None:
    seeds = resolve(request(), PROFILE, seed=42).seeds
    assert seeds == tuple(picture_seed(42, index) for index in range(4))
    assert len(set(seeds)) == 4
    assert seeds[0] == 901809044142535273  # printf 42:0 | b2sum -l 64, without its last bit
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_start_is_passed_on() -> None:
    start = Start(picture="ab/x/1.png", strength=0.5)
    assert resolve(request(), PROFILE, seed=1, start=start).start == start


def test_a_prompt_without_a_speed_is_fast() -> None:
    assert [lane(request(speed=speed)) for speed in (None, *Speed)] == [Speed.FAST, *Speed]


@pytest.mark.parametrize("size", [128, 512, 768, 1024])
def test_a_prompt_without_an_aspect_gets_the_model_s_own_square(size: int) -> None:
    assert sides((1, 1), ModelProfile(name="m", source="m", size=size)) == (size, size)


def test_enlarging_doubles_the_sides() -> None:
    recipe = enlarge("ab/x/1.png", (128, 96))
    assert (recipe.factor, recipe.width, recipe.height) == (2, 256, 192)
