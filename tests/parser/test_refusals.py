import pytest

from parser import Closed, ErrorCode, PromptError, PromptErrors, parse, read_batch
from tests.parser.tables import FEW

FIVE_DIGITS = "1" * 5000


def refusals(text: str) -> tuple[PromptError, ...]:
    with pytest.raises(PromptErrors) as caught:
        parse(text, table=FEW)
    return caught.value.errors


@pytest.mark.parametrize(
    ("text", "code", "place", "suggestion"),
    [
        # values
        ("a --quality 3", "out_of_range", "3", "a --quality 2"),
        ("a --q 3.5", "out_of_range", "3.5", "a --q 2"),
        ("a --q 0", "out_of_range", "0", "a --q 0.25"),
        ("a --q high", "invalid_value", "high", "a"),
        ("a --q 2x", "invalid_value", "2x", "a --q 2"),
        ("a --stop 5", "out_of_range", "5", "a --stop 10"),
        ("a --stop 50%", "invalid_value", "50%", "a --stop 50"),
        ("a --stop 49.7", "invalid_value", "49.7", "a --stop 50"),
        ("a --seed -5", "out_of_range", "-5", "a --seed 0"),
        ("a --seed 4294967296", "out_of_range", "4294967296", "a --seed 4294967295"),
        (f"a --seed {FIVE_DIGITS}", "out_of_range", FIVE_DIGITS, "a --seed 4294967295"),
        ("a --seed 1e3", "invalid_value", "1e3", "a --seed 1"),
        ("a --seed random,", "invalid_value", "random", "a"),
        ("a --seed", "missing_value", "--seed", "a"),
        ("a --seed , --fast", "missing_value", "--seed", "a --fast"),
        ("a --seed --fast", "missing_value", "--seed", "a --fast"),
        # ratios
        ("a --ar 1.5:1", "invalid_value", "1.5:1", "a --ar 3:2"),
        ("a --ar 1.39:1", "invalid_value", "1.39:1", "a --ar 139:100"),
        ("a --ar 0:1", "invalid_value", "0:1", "a --ar 1:14"),
        ("a --ar 1:0", "invalid_value", "1:0", "a --ar 14:1"),
        ("a --ar 16x9", "invalid_value", "16x9", "a --ar 16:9"),
        ("a --ar 16\N{FULLWIDTH COLON}9", "invalid_value", "16\N{FULLWIDTH COLON}9", "a --ar 16:9"),
        ("a --ar 16/9", "invalid_value", "16/9", "a --ar 16:9"),
        ("a --ar 16 9,", "invalid_value", "16 9", "a --ar 16:9"),
        ("a --ar wide", "invalid_value", "wide", "a --ar 16:9"),
        ("a --ar soon", "invalid_value", "soon", "a"),
        ("a --ar 15:1", "out_of_range", "15:1", "a --ar 14:1"),
        ("a --ar 1:21.", "out_of_range", "1:21", "a --ar 1:14"),
        (f"a --ar {FIVE_DIGITS}:1", "out_of_range", f"{FIVE_DIGITS}:1", "a --ar 14:1"),
        ("a --ar 1234567:1234567", "out_of_range", "1234567:1234567", "a --ar 1:1"),
        ("a --ar", "missing_value", "--ar", "a"),
        # a missing space
        ("a --ar16:9", "missing_space", "--ar16:9", "a --ar 16:9"),
        ("a --ar=16:9", "missing_space", "--ar=16:9", "a --ar 16:9"),
        ("a --ar= 16:9", "missing_space", "--ar=", "a --ar 16:9"),
        ("a --seed-5", "missing_space", "--seed-5", "a --seed 0"),
        ("a --q2", "missing_space", "--q2", "a --q 2"),
        ("a --seed=", "missing_space", "--seed=", "a"),
        ("a --no=hat, scarf", "missing_space", "--no=hat", "a --no hat, scarf"),
        ("a --fast=true", "invalid_value", "--fast=true", "a --fast"),
        # names
        ("a --aspct 3:2", "unknown_parameter", "--aspct", "a --aspect 3:2"),
        ("a --sede 7", "unknown_parameter", "--sede", "a --seed 7"),
        ("a --sed=7", "unknown_parameter", "--sed=7", "a --seed 7"),
        ("a --qulaity 3", "unknown_parameter", "--qulaity", "a --quality 2"),
        ("a --negative hat", "unknown_parameter", "--negative", "a --no hat"),
        ("a --xyzzy", "unknown_parameter", "--xyzzy", "a"),
        ("a --xyzzy 5", "unknown_parameter", "--xyzzy", "a"),
        ("a --by greg rutkowski", "unknown_parameter", "--by", None),
        ("a --" + "z" * 40, "unknown_parameter", "--" + "z" * 40, "a"),
        ("a man —tired and old", "unknown_parameter", "—tired", "a man — tired and old"),
        ("a --repeat 4", "unavailable_permutations", "--repeat 4", "a"),
        ("a --chaos 20 --q 2", "unavailable_parameter", "--chaos 20", "a --q 2"),
        ("a --c20", "unavailable_parameter", "--c20", "a"),
        ("a --style raw", "unavailable_parameter", "--style raw", "a"),
        ("a --sref random 1 http://x/y", "unavailable_parameter", "--sref random 1 http://x/y", "a"),
        ("a --p abc", "unavailable_parameter", "--p abc", "a"),
        ("a --p abc, --q 2", "unavailable_parameter", "--p abc,", "a --q 2"),
        ("a --p abc def", "unavailable_parameter", "--p abc def", None),
        ("a --niji cute", "text_after_parameter", "cute", "a cute --niji"),
        ("a --iw high", "unavailable_parameter", "--iw high", "a"),
        ("a --wallpaper", "unavailable_parameter", "--wallpaper", "a --ar 15:8"),
        ("a --uplight", "unavailable_parameter", "--uplight", "a"),
        ("a --tile, --q 2", "unavailable_parameter", "--tile", "a --q 2"),
        ("a --tile", "unavailable_parameter", "--tile", "a"),
        # text behind parameters
        ("a --fast cat", "text_after_parameter", "cat", "a cat --fast"),
        ("--ar 3:2 a cat", "text_after_parameter", "a cat", "a cat --ar 3:2"),
        ("a --seed 7 blue sky, --fast", "text_after_parameter", "blue sky,", "a blue sky, --seed 7 --fast"),
        # against each other
        ("a --fast --relax", "conflicting_parameters", "--relax", "a --fast"),
        ("a --seed 1 --seed 2", "repeated_parameter", "--seed 2", "a --seed 1"),
        ("a --q .5 --quality 2", "repeated_parameter", "--quality 2", "a --q .5"),
        ("a --ar 3:2 --ar 2:3", "repeated_parameter", "--ar 2:3", "a --ar 3:2"),
        # weights
        ("fruit::-2", "weights_not_positive", "fruit::-2", None),
        ("hot dog animal::-1", "weights_not_positive", "hot dog animal::-1", None),
        ("a::0", "weights_not_positive", "a::0", None),
        ("a::.1 b::.2 c::-.3", "weights_not_positive", "a::.1 b::.2 c::-.3", "a::0.1 b::0.2 --no c"),
        ("a:: b::-3 --no x --q 2", "weights_not_positive", "a:: b::-3", "a --no x --q 2 --no b"),
        ("a::10001 b", "weight_out_of_range", "10001", "a::10000 b"),
        ("a::" + "9" * 5000, "weight_out_of_range", "9" * 5000, "a::10000"),
        ("::2 dog", "weight_without_text", "::2", "dog"),
        ("a::2::3 b", "weight_without_text", "::3", "a::2 b"),
        ("https://x.example/a::0 cat", "weight_out_of_range", "0", "https://x.example/a::1 cat"),
        ("https://x.example/a ::-1 cat", "weight_out_of_range", "-1", "https://x.example/a ::1 cat"),
        ("a --no cat::2 dog", "weight_in_negative", "--no cat::2 dog", "a --no cat dog"),
        ("a --no", "missing_value", "--no", "a"),
        ("a --no , --q 2", "missing_value", "--no", "a --q 2"),
        ("a --no .. ; --q 2", "missing_value", "--no", "a --q 2"),
        # nothing to draw
        ("", "empty_prompt", "", None),
        ("  ", "empty_prompt", "  ", None),
        ("{}", "empty_prompt", "", None),
        ("::", "empty_prompt", "::", None),
        ("--ar 3:2 --no cat", "empty_prompt", "--ar 3:2 --no cat", None),
        ("https://x.example/a.png", "single_image", "https://x.example/a.png", None),
        ("https://x.example/a.png --q 2", "single_image", "https://x.example/a.png", None),
        ("x" * 6001, "prompt_too_long", "x", None),
        # too much to weigh
        ("a::" * 64 + " one too:: many", "too_many_parts", "one too", None),
        ("a::" * 62 + " --no b --no c, d, e", "too_many_parts", "--no c, d, e", None),
        # several prompts in one
        ("a {red, green} bird", "unavailable_permutations", "{red, green}", "a red bird"),
        ("{ {b, c} }", "unavailable_permutations", "{b, c}", "b"),
        ("a {x {1, 2}, y} b", "unavailable_permutations", "{x {1, 2}, y}", "a x 1 b"),
        ("a --ar {3:2, 1:1}", "unavailable_permutations", "{3:2, 1:1}", "a --ar 3:2"),
        ("a --{v 5, niji, test}", "unavailable_permutations", "{v 5, niji, test}", "a --v 5"),
        ("a --seed {x, 7}", "unavailable_permutations", "{x, 7}", "a"),
        ("{a::-1, b}", "unavailable_permutations", "{a::-1, b}", None),
        ("a {b \\, c, d}", "unavailable_permutations", "{b \\, c, d}", "a b, c"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_code_its_place_and_its_correction(
    text: str, code: str, place: str, suggestion: str | None
) -> None:
    [error] = refusals(text)
    start, stop = error.span
    assert (error.code, text[start:stop], error.suggestion) == (ErrorCode(code), place, suggestion)
    assert error.source == text
    assert error.message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a --chaos 30", "`--chaos` is not available yet"),
        ("a --c 30", "`--chaos` is not available yet"),
        ("a --quality 3", "the nearest to `3` is 2"),
        ("a --ar 15:1", "the nearest to `15:1` is 14:1"),
        ("a --ar wide", "two whole numbers with a colon between them, as in `--ar 3:2`"),
        ("a --fast --relax", "`--fast` and `--relax` exclude each other"),
        ("a --seed 1 --seed 2", "`--seed` is given as `1` and as `2`"),
        ("a --ar 3:2 --ar 1:1", "as `3:2` and as `1:1`"),
        ("a --q .5 --q 2", "as `0.5` and as `2`"),
        ("a --qulity 2", "did you mean `--quality`?"),
        ("a --seed", "a whole number from 0 to 4294967295, as in `--seed 42`"),
        ("a::-2 b", "The weights add up to -1; their sum has to be above 0"),
        ("a --hq", "write `--q 2` instead"),
        ("a --seed " + "7" * 60, "the nearest to `77777777777777777777777…` is 4294967295"),
    ],
)
def test_the_message_names_the_fix(text: str, words: str) -> None:
    assert words in refusals(text)[0].message


def test_all_problems_come_at_once_in_the_order_of_the_text_with_one_correction_of_all() -> None:
    errors = refusals("a:: b::-3 --seeed -5 --ar16:9 --chaos 30 sky --q 3")
    assert [error.code.value for error in errors] == [
        "weights_not_positive",
        "unknown_parameter",
        "missing_space",
        "unavailable_parameter",
        "text_after_parameter",
        "out_of_range",
    ]
    assert {error.suggestion for error in errors} == {"a sky --seed 0 --ar 16:9 --q 2 --no b"}


def test_where_one_problem_is_for_the_author_to_solve_no_correction_is_offered() -> None:
    assert {error.suggestion for error in refusals("fruit::-2 --q 3")} == {None}


def test_a_name_that_a_slip_away_from_two_is_taken_for_the_available_one() -> None:
    assert "`--seed`" in refusals("a --sed 7")[0].message


def test_a_weight_below_the_limit_is_refused_beside_the_sum_it_spoils() -> None:
    errors = refusals("a b::-99999")
    assert [error.code.value for error in errors] == ["weights_not_positive", "weight_out_of_range"]
    assert errors[1].message.endswith("the nearest is -10000.")


def test_of_corrections_that_overlap_the_wider_is_made() -> None:
    assert {error.suggestion for error in refusals("a:: b::-99999")} == {"a --no b"}


def test_groups_hide_the_problems_inside_them_but_no_others() -> None:
    errors = refusals("a {--q 3, --seed x} --stop 5")
    assert [error.code.value for error in errors] == ["unavailable_permutations", "out_of_range"]


def test_spans_count_characters_as_typed() -> None:
    source = "\N{DOG FACE} {x}\n\n—ar 15:1"
    [error] = refusals(source)
    assert source[slice(*error.span)] == "15:1"


def test_nesting_of_any_depth_is_corrected_to_its_first_item() -> None:
    text = "{" * 20 + "x" + ", y}" * 20
    assert refusals("b " + text)[0].suggestion == "b x"


def test_an_echo_longer_than_the_limit_is_refused_like_a_prompt_longer_than_it() -> None:
    text = "a --no " + ",".join(["x" * 98] * 60)
    assert len(text) < 6000
    [error] = refusals(text)
    assert error.code is ErrorCode.PROMPT_TOO_LONG
    assert error.span == (0, len(text))


def test_the_exception_reads_as_its_messages() -> None:
    with pytest.raises(PromptErrors, match=r"the nearest to `3` is 2\.\n`--seed` needs"):
        parse("a --q 3 --seed")


@pytest.mark.parametrize("source", ["cat --aspct soon", "a --see x"])
def test_a_name_that_was_offered_does_not_vanish_from_the_correction(source: str) -> None:
    with pytest.raises(PromptErrors) as caught:
        parse(source)
    (error,) = caught.value.errors
    assert error.suggestion is None


def test_a_prompt_that_grows_beyond_the_limit_when_written_out_says_so() -> None:
    with pytest.raises(PromptErrors) as caught:
        parse("a" * 5993 + " --q .5")
    (error,) = caught.value.errors
    assert error.message.startswith("Written out in full, the prompt has 6001 characters")


@pytest.mark.parametrize(
    ("text", "places", "suggestion"),
    [
        ("a --turbo --q 2", ["--turbo"], "a --q 2"),
        ("a --TURBO, --turbo", ["--TURBO", "--turbo"], "a"),
        ("http://a/b ::2, <http://c/d> a cat", ["http://a/b ::2", "<http://c/d>"], "a cat"),
        ("http://a/b http://c/d", ["http://a/b", "http://c/d"], None),
        ("http://a/b a --turbo --seeed 3", ["http://a/b", "--turbo", "--seeed"], "a --seed 3"),
    ],
)
def test_what_is_closed_is_refused_with_its_place(
    text: str, places: list[str], suggestion: str | None
) -> None:
    with pytest.raises(PromptErrors) as caught:
        parse(text, Closed(parameters=frozenset({"turbo"}), images=True))
    assert [text[slice(*error.span)] for error in caught.value.errors] == places
    assert {error.suggestion for error in caught.value.errors} == {suggestion}


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("a --ar 3:1 --q 2", "a --ar 2:1 --q 2"),
        ("a --aspect 9:21.", "a --aspect 1:2"),
        ("a --ar {3:2, 4:1}", "a --ar {3:2, 2:1}"),
    ],
)
def test_a_shape_beyond_what_the_model_draws_becomes_the_nearest_it_does(text: str, suggestion: str) -> None:
    with pytest.raises(PromptErrors) as caught:
        read_batch(text, Closed(ranges={"aspect": ("1:2", "2:1")}), limit=4)
    [error] = caught.value.errors
    assert (error.code, error.suggestion) == (ErrorCode.CLOSED_PARAMETER, suggestion)
    assert error.message.startswith("`--ar` goes from 1:2 to 2:1 here")


def test_shapes_that_the_model_draws_pass() -> None:
    assert parse("a --ar 7:2", Closed(ranges={"aspect": ("1:4", "4:1")})).aspect == (7, 2)
