"""What pictures and styles beside the text ask of a drawing: the mappings alone."""

import pytest

from parser import ImagineRequest, parse
from worker.api import JobId, PictureGone
from worker.cost import credits, steps
from worker.recipe import ModelProfile, Start, resolve
from worker.references import blend_of, file_of, housed, links_of, numbered, style_of

A, B = "https://cdn.discordapp.com/a.png", "https://cdn.discordapp.com/b.png?ex=1&is=2&hm=3"
NAMES = {A: "ab/x/a.png", B: "ab/x/b.png"}
PROFILE = ModelProfile(name="tiny", source="tiny", size=128)


def strength(text: str) -> float:
    blend = blend_of(parse(text), NAMES)
    assert blend is not None
    return blend.strength


def test_links_are_named_once_in_their_order() -> None:
    assert links_of(parse(f"{A} {B}::2 {A} a fox --sref {B} 7 random")) == (A, B)
    assert links_of(parse("a fox --sref 7 random")) == ()


def test_the_more_a_picture_weighs_the_less_is_drawn() -> None:
    strengths = [strength(f"{A} a fox --iw {weight}") for weight in (0.25, 0.5, 1, 2, 3)]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths == pytest.approx([0.84, 1 - 0.8 / 3, 0.6, 1 - 1.6 / 3, 0.4])
    assert strength(f"{A} a fox") == strength(f"{A} a fox --iw 1")


def test_a_weight_of_nothing_is_nothing() -> None:
    assert blend_of(parse(f"{A} a fox --iw 0"), NAMES) is None
    assert style_of(parse("a fox --sref 7 --sw 0"), NAMES) is None


def test_weights_of_pictures_divide_what_all_of_them_have() -> None:
    blend = blend_of(parse(f"{A}::3 {B} a fox"), NAMES)
    same = blend_of(parse(f"{A}::6 {B}::2 a fox"), NAMES)
    assert blend == same
    assert blend is not None
    assert [(each.picture, each.weight) for each in blend.pictures] == [(NAMES[A], 0.75), (NAMES[B], 0.25)]


def test_styles_share_one_weight() -> None:
    style = style_of(parse(f"a fox --sref {A}::2 5 {B} --sw 300"), NAMES)
    assert style is not None
    assert [each.weight for each in style.pictures] == [0.5, 0.25]
    assert [(each.code, each.weight) for each in style.codes] == [(5, 0.25)]
    assert (style.share, style.version) == (0.5, 6)
    usual = style_of(parse("a fox --sref 5 --sv 4"), NAMES)
    assert usual is not None
    assert (usual.share, usual.version) == (0.25, 4)


def test_random_styles_get_numbers_and_others_keep_theirs() -> None:
    drawn = iter((11, 12))
    request = numbered(parse("a fox --sref random 5 random::2"), lambda: next(drawn))
    assert [(each.source, each.weight) for each in request.sref or ()] == [(11, 1), (5, 1), (12, 2)]
    assert numbered(request, lambda: pytest.fail("nothing is left to draw")) is request


def test_a_picture_that_is_not_stored_is_missed() -> None:
    for text in (f"{A} a fox", f"a fox --sref {A}"):
        with pytest.raises(PictureGone):
            resolve(parse(text), PROFILE, seed=1)


def test_pictures_without_text_are_drawn_from_an_empty_prompt() -> None:
    recipe = resolve(parse(f"{A} {B}"), PROFILE, seed=1, names=NAMES)
    assert [part.text for part in recipe.positive] == [""]
    assert recipe.blend is not None
    assert recipe.negative_pull == 0
    assert resolve(parse(f"{A} {B} --no red"), PROFILE, seed=1, names=NAMES).negative_pull == 1


def test_a_variation_starts_from_its_picture_and_keeps_the_style() -> None:
    request = parse(f"{A} a fox --sref {B}")
    recipe = resolve(request, PROFILE, seed=1, start=Start(picture="p", strength=0.5), names=NAMES)
    assert recipe.blend is None
    assert recipe.style == style_of(request, NAMES)


def test_what_starts_from_pictures_takes_and_costs_less() -> None:
    def recipe(request: ImagineRequest) -> tuple[int, float]:
        drawing = resolve(request, PROFILE, seed=1, names=NAMES)
        return steps(drawing), credits(drawing, PROFILE)

    assert recipe(parse("a fox")) == (20, 1.0)
    assert recipe(parse(f"{A} a fox")) == (12, 0.6)
    assert recipe(parse(f"a fox --sref {A}")) == (20, 1.0)


def test_files_are_named_by_what_is_in_them() -> None:
    assert file_of(b"one") == file_of(b"one") != file_of(b"two")
    job = JobId("abcdef00-0000-4000-8000-000000000000")
    assert housed(file_of(b"one"), job) == housed(f"xy/other/{file_of(b'one')}", job)
    assert housed("a.png", job) == f"ab/{job}/a.png"
