"""What goes together, what does not, and what was surely meant as a parameter."""

import pytest

from parser import ErrorCode, PromptError, PromptErrors, canonical, parse, read_batch
from tests.parser.tables import EVERYTHING, FEW

CUP, INK = "https://a.example/cup.png", "https://a.example/ink.png"


def refusals(text: str) -> tuple[PromptError, ...]:
    with pytest.raises(PromptErrors) as caught:
        read_batch(text, table=EVERYTHING)
    return caught.value.errors


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a --fast --q 2 --relax", "  ~~~~~~       ^^^^^^^"),
        ("a --seed 1 --seed 2", "  ~~~~~~~~ ^^^^^^^^"),
        ("a --draft --hd", "  ~~~~~~~ ^^^^"),
        ("a --niji --hd --v 6", "  ~~~~~~      ^^^^^"),
        ("https://a.b/1.png https://a.b/2.png --s 9", f"{'~' * 35} ^^^^^"),
        ("a --w 64 --h 32", "  ~~~~~~ ^^^^^^"),
        ("{a, b} --fast --relax", "       ~~~~~~ ^^^^^^^"),
    ],
)
def test_what_contradicts_shows_both_its_places(text: str, mark: str) -> None:
    [error] = refusals(text)
    assert error.pointer() == f"{text}\n{mark}"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        # what is wrong with a companion is not that it lacks
        ("a --srf 7 --sw 5", ["unknown_parameter"]),
        ("a --sref=7 --sw 5", ["missing_space"]),
        ("a --sref ink --sw 5", ["invalid_value"]),
        (f"a --iw 2 {CUP}", ["text_after_parameter"]),
        ("a --cref --cw 5", ["missing_value"]),
    ],
)
def test_a_companion_that_was_meant_is_no_lack(text: str, codes: list[str]) -> None:
    assert [error.code.value for error in refusals(text)] == codes


def test_what_goes_with_a_refused_parameter_goes_with_it() -> None:
    text = f"{CUP} {INK} --sref 7 --sw 5 --sv 4 --ar 3:2"
    [error] = refusals(text)
    assert (error.code, error.suggestion) == (ErrorCode.NEEDS_ANOTHER, f"{CUP} {INK} --ar 3:2")


def test_pictures_behind_parameters_go_to_the_front_and_text_behind_them() -> None:
    [error] = refusals(f"a cat --iw 2 {INK}, in a cup like <{CUP}> --seed 3")
    assert error.suggestion == f"{INK} <{CUP}> a cat in a cup like --iw 2 --seed 3"


@pytest.mark.parametrize(
    "text",
    [
        "a well--known cat",
        "not slow--fast and loud",
        "a -c",
        "a -seed of doubt",
        "a jet-v 5",
        "1890\N{EN DASH}c 1920",
        "turn to -ar",
        "a --5 -- 3:2",
        'he said "-v 5"',
        "code: x--",
    ],
)
def test_prose_with_hyphens_stays_prose(text: str) -> None:
    assert canonical(parse(text, table=EVERYTHING)) == text


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("a -AR 16:9, sky", "a sky --AR 16:9"),
        ("a -s=250", "a --s 250"),
        ("a -v6", "a --v 6"),
        ("a --  seed 7 --q 2", "a --seed 7 --q 2"),
        ("a\N{EM DASH}ar 16:9", "a --ar 16:9"),
        ("a -q 3", "a --q 2"),
        ("a -ar 3:2 -ar 3:2", "a --ar 3:2 --ar 3:2"),
        ("a cat--tile.", "a cat --tile"),
        ("-ar 3:2 a", "a --ar 3:2"),
        (f"{CUP} a -iw 2", f"{CUP} a --iw 2"),
        ("{a, b} -s 250", "{a, b} --s 250"),
    ],
)
def test_what_can_be_nothing_else_is_taken_for_a_parameter(text: str, suggestion: str) -> None:
    errors = refusals(text)
    assert {error.code for error in errors} == {ErrorCode.LOOKS_LIKE_PARAMETER}
    assert {error.suggestion for error in errors} == {suggestion}


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("a --w 1920 --h 1080", "a --ar 16:9"),
        ("a --h 1080 --w 1920 --q 2", "a --ar 16:9 --q 2"),
        ("a --w 3000 --h 100", "a --ar 14:1"),
        ("a --w 512 --h 512px", "a --ar 1:1"),
        ("a --w 0 --h 512", "a --w 0"),
        ("a --w 640 --h 480 --ar 3:2", "a --ar 3:2"),
        ("a --w640 --h480", "a --ar 4:3"),
        ("a --width 640 --height=480", "a --ar 4:3"),
        ("a --width 640 --tile", "a --tile"),
        ("a --wallpaper --ar 3:2", "a --ar 3:2"),
    ],
)
def test_width_and_height_in_pixels_become_a_shape(text: str, suggestion: str) -> None:
    assert {error.suggestion for error in refusals(text)} == {suggestion}


def test_width_and_height_become_a_shape_where_nothing_can_be_weird_either() -> None:
    with pytest.raises(PromptErrors) as caught:
        parse("a --w 1920 --h 1080", table=FEW)
    assert [error.suggestion for error in caught.value.errors] == ["a --ar 16:9", "a --ar 16:9"]
