"""Several jobs of one text: ``{a, b}`` and ``--repeat``."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parser import Batch, Closed, ErrorCode, PromptError, PromptErrors, Speed, canonical, parse, read_batch
from parser import report as report_
from parser.braces import MANY
from parser.permutations import template
from tests.parser.tables import EVERYTHING, FEW


def echoes(text: str, *, limit: int = 40) -> list[str]:
    return [canonical(each) for each in read_batch(text, limit=limit, table=EVERYTHING).prompts]


def refusals(text: str, *, limit: int = 40, lane: Speed | None = None) -> tuple[PromptError, ...]:
    with pytest.raises(PromptErrors) as caught:
        read_batch(text, limit=limit, lane=lane, table=FEW)
    return caught.value.errors


@pytest.mark.parametrize(
    ("text", "jobs"),
    [
        ("a cat", ["a cat"]),
        (
            "a {red, green} bird in the {jungle, desert}",
            [
                "a red bird in the jungle",
                "a red bird in the desert",
                "a green bird in the jungle",
                "a green bird in the desert",
            ],
        ),
        (
            "A {sculpture, painting} of a {seagull {on a pier, on a beach}, poodle {on a sofa, in a truck}}.",
            [
                f"A {what} of a {whom}."
                for what in ("sculpture", "painting")
                for whom in (
                    "seagull on a pier",
                    "seagull on a beach",
                    "poodle on a sofa",
                    "poodle in a truck",
                )
            ],
        ),
        ("{red, pastel, yellow} bird", ["red bird", "pastel bird", "yellow bird"]),
        (r"{red, pastel \, yellow} bird", ["red bird", "pastel, yellow bird"]),
        ("x --ar {3:2, 1:1, 2:3, 1:2}", [f"x --ar {ratio}" for ratio in ("3:2", "1:1", "2:3", "1:2")]),
        ("x --{v 5, niji, hd}", ["x --v 5.0", "x --niji", "x --hd"]),
        # a place of every kind
        ("a::{1, 2} b", ["a::1 b", "a::2 b"]),
        ("https://a.b/{x,y}.png cat", ["<https://a.b/x.png> cat", "<https://a.b/y.png> cat"]),
        ("a cat {--q 2, --seed 7}", ["a cat --q 2", "a cat --seed 7"]),
        ("a --no {hat\\, scarf, dog}", ["a --no hat, scarf", "a --no dog"]),
        ("{a::2 b, c} d", ["a::2 b d", "c d"]),
        ("b{a,e,i}t", ["bat", "bet", "bit"]),
        # edges
        ("{a}", ["a"]),
        ("{ a }", ["a"]),
        ("a {red,} bird", ["a red bird", "a bird"]),
        ("a {,,} bird", ["a bird"] * 3),
        ("{a, a}", ["a", "a"]),
        ("a {} bird", ["a bird"]),
        ("a {{b, c}} d", ["a b d", "a c d"]),
        ("{a,\n  b\tc}", ["a", "b c"]),
        ("a { lone, brace", ["a { lone, brace"]),
        ("a lone, brace }", ["a lone, brace }"]),
        ("} {a, b} {", ["} a {", "} b {"]),
        (r"\{a, b\}", [r"\{a, b\}"]),
        (r"{\{a\}, b}", [r"\{a\}", "b"]),
        (r"a\, {b, c}", [r"a\, b", r"a\, c"]),
        ("{猫, \N{DOG FACE}} \uff0c", ["猫 \uff0c", "\N{DOG FACE} \uff0c"]),
        # repeats
        ("a --repeat 3", ["a"] * 3),
        ("a --r 2 --seed 7", ["a --seed 7"] * 2),
        ("{a, b} --repeat 2", ["a", "a", "b", "b"]),
        ("{a --repeat 2, b}", ["a", "a", "b"]),
        ("a --repeat {2, 3}", ["a"] * 5),
    ],
)  # fmt: skip
def test_a_text_makes_its_jobs_in_order(text: str, jobs: list[str]) -> None:
    assert echoes(text) == jobs


def test_each_job_of_a_batch_is_as_its_prompt_alone() -> None:
    batch = read_batch("a {red::2, blue} cat --seed {1, 2}")
    texts = [
        f"a {colour} cat --seed {seed}"
        for colour, seed in (("red::2", 1), ("red::2", 2), ("blue", 1), ("blue", 2))
    ]
    assert batch == Batch(tuple(map(parse, texts)))
    assert not batch.single
    assert read_batch("a cat").single


def test_a_random_style_is_left_to_be_drawn_for_each_job() -> None:
    batch = read_batch("a --sref random --repeat 2", table=EVERYTHING)
    assert [each.sref[0].kind for each in batch.prompts if each.sref] == ["random", "random"]


@pytest.mark.parametrize(
    ("text", "limit", "places", "suggestion", "words"),
    [
        ("{a, b, c}", 2, ["{a, b, c}"], None, "This makes 3 jobs, and one command may make 2"),
        ("{a, b} {c, d}", 3, ["{a, b} {c, d}"], None, "4 jobs"),
        ("a --repeat 5", 4, ["--repeat 5"], "a --repeat 4", "the nearest is `--repeat 4`"),
        ("{a, b} --r 9", 10, ["--r 9"], "{a, b} --r 5", "18 jobs"),
        ("{a, b, c} --r 2", 4, ["--r 2"], "{a, b, c}", "leave `--repeat` out"),
        ("{a --r 3, b --r 3}", 4, ["--r 3", "--r 3"], "{a --r 2, b --r 2}", "6 jobs"),
        ("a --repeat 3", 1, ["--repeat 3"], "a", "leave `--repeat` out"),
        ("{a, b}" * 40, 40, ["{a, b}" * 40], None, "1000000 or more jobs"),
    ],
)
def test_more_jobs_than_allowed_are_refused(
    text: str, limit: int, places: list[str], suggestion: str | None, words: str
) -> None:
    errors = refusals(text, limit=limit)
    assert {error.code for error in errors} == {ErrorCode.TOO_MANY_JOBS}
    assert [text[slice(*error.span)] for error in errors] == places
    assert {error.suggestion for error in errors} == {suggestion}
    assert words in errors[0].message
    if suggestion is not None:
        assert 0 < len(read_batch(suggestion, limit=limit).prompts) <= limit


@pytest.mark.parametrize(
    ("text", "place", "suggestion"),
    [
        ("a --repeat 1", "1", "a --repeat 2"),
        ("a --repeat 41", "41", "a --repeat 40"),
        ("a --repeat two", "two", "a"),
        ("a --repeat", "--repeat", "a"),
        ("a --r3", "--r3", "a --r 3"),
        ("a --r 2 --repeat 3", "--repeat 3", "a --r 2"),
    ],
)
def test_a_wrong_number_of_repeats_has_its_nearest_right_one(text: str, place: str, suggestion: str) -> None:
    [error] = refusals(text)
    assert (text[slice(*error.span)], error.suggestion) == (place, suggestion)


@pytest.mark.parametrize(
    ("text", "lane", "places", "suggestion"),
    [
        ("{a, b} --relax", None, ["--relax"], "{a, b} --fast"),
        ("a --repeat 2 --relax", None, ["--relax"], "a --repeat 2 --fast"),
        ("a --repeat 2 --relax --seed 1", Speed.FAST, ["--relax"], "a --repeat 2 --fast --seed 1"),
        ("{a, b}", Speed.RELAX, [""], "{a, b} --fast"),
        ("a --repeat 2", Speed.RELAX, [""], "a --repeat 2 --fast"),
        ("a {--fast, --relax}", None, ["--relax"], "a {--fast, --fast}"),
    ],
)
def test_a_batch_does_not_run_in_the_relax_lane(
    text: str, lane: Speed | None, places: list[str], suggestion: str
) -> None:
    errors = refusals(text, lane=lane)
    assert {error.code for error in errors} == {ErrorCode.BATCH_IN_RELAX}
    assert [text[slice(*error.span)] for error in errors] == places
    assert {error.suggestion for error in errors} == {suggestion}
    assert all(each.speed is not Speed.RELAX for each in read_batch(suggestion, lane=lane).prompts)


@pytest.mark.parametrize(
    ("text", "lane"),
    [("a --relax", None), ("a", Speed.RELAX), ("{a, b} --turbo", Speed.RELAX), ("{a} --relax", Speed.RELAX)],
)
def test_one_job_runs_in_any_lane_and_a_batch_in_a_faster_one(text: str, lane: Speed | None) -> None:
    assert read_batch(text, lane=lane).prompts


@pytest.mark.parametrize(
    ("text", "places", "suggestion"),
    [
        # what every prompt has is told once and put right once
        ("{a, b} --q 3", ["3"], "{a, b} --q 2"),
        ("{a, b} --ar16:9 --sede 7", ["--ar16:9", "--sede"], "{a, b} --ar 16:9 --seed 7"),
        ("{a, b} --fast sky", ["sky"], "{a, b} sky --fast"),
        # what one prompt has is put right in its item alone
        ("a --ar {3:2, 15:1, 1:1}", ["15:1"], "a --ar {3:2, 14:1, 1:1}"),
        ("a --seed {1, x}", ["x"], None),  # the name before it belongs to the other prompt as well
        ("{a --q 3, b --stop 5}", ["3", "5"], "{a --q 2, b --stop 10}"),
        ("{a --q 3, b} --seed -1", ["3", "-1"], "{a --q 2, b} --seed 0"),
        ("a {--xyzzy, --fast}", ["--xyzzy"], "a {, --fast}"),
        # an empty one is nobody's to fill
        ("{a, } --q 2", [" --q 2"], None),
        ("{a::-1, b}", ["a::-1"], None),
    ],
)
def test_what_is_wrong_with_some_of_the_prompts_has_its_place_and_an_agreed_correction(
    text: str, places: list[str], suggestion: str | None
) -> None:
    errors = refusals(text)
    assert [text[slice(*error.span)] for error in errors] == places
    assert {error.suggestion for error in errors} == {suggestion}


def test_what_is_closed_is_closed_in_every_prompt() -> None:
    with pytest.raises(PromptErrors) as caught:
        read_batch("{a, b} --turbo", Closed(frozenset({"turbo"})))
    [error] = caught.value.errors
    assert (error.code, error.suggestion) == (ErrorCode.CLOSED_PARAMETER, "{a, b}")


def test_of_very_many_problems_the_first_hundred_will_do() -> None:
    text = "{" + ",".join(["a" + " --ar 9x9" * 14] * 40) + "}"
    errors = refusals(text)
    assert 100 < len(errors) < 120
    assert {error.suggestion for error in errors} == {None}


def test_prompts_are_counted_without_being_made() -> None:
    assert template("{a,b}" * 19).count == 2**19
    assert template("{a,b}" * 1200).count == MANY
    assert template("{" * 600 + ",a}" * 600).count == 601


def test_each_job_is_reported() -> None:
    found = report_("a {red, blue} cat --repeat 2")
    assert found["ok"] is True
    assert [job["text"] for job in found["jobs"]] == ["a red cat", "a red cat", "a blue cat", "a blue cat"]
    assert [job["echo"] for job in found["jobs"]] == [job["text"] for job in found["jobs"]]


LEAF = st.text(alphabet="abc \\", min_size=1, max_size=4).map(
    lambda text: text.replace("\\", "").strip() or "x"
)
TREE = st.recursive(
    LEAF,
    lambda inner: st.lists(st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=3),
    max_leaves=6,
)
Tree = str | list[list["Tree"]]


def typed(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    return "{" + ", ".join("".join(map(typed, item)) for item in tree) + "}"


def meant(tree: Tree) -> list[str]:
    """The texts of a tree, by the definition: item after item, and in an item the first varies slowest."""
    if isinstance(tree, str):
        return [tree]
    texts: list[str] = []
    for item in tree:
        made = [""]
        for piece in item:
            made = [before + after for before in made for after in meant(piece)]
        texts += made
    return texts


@settings(max_examples=60, deadline=None)
@given(st.lists(TREE, min_size=1, max_size=3))
@example([[["a"], ["b", [["c"], ["d"]]]]])
def test_any_nesting_makes_the_product_of_its_groups(trees: list[Tree]) -> None:
    texts = [""]
    for tree in trees:
        texts = [f"{before}{after}" for before in texts for after in meant(tree)]
    source = "".join(map(typed, trees))
    found = template(source)
    assert found.count == len(texts)
    assert [found.prompt(index).text.split() for index in range(found.count)] == [
        each.split() for each in texts
    ]
    for index in range(found.count):
        prompt = found.prompt(index)
        assert "".join(source[place] for place in prompt.offsets) == prompt.text
