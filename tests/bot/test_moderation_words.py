"""The word gate: what it must find, what it must not, and that disguise does not help."""

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.moderation.folding import fold
from bot.moderation.lists import Word, build, expanded, read, readable, shipped
from bot.moderation.verdict import Verdict, explain
from worker.api import Category

DATA = Path(__file__).parent.parent / "data" / "moderation"
LOOKALIKES = {
    "a": "аɑ@4",  # noqa: RUF001
    "e": "еɛ3",  # noqa: RUF001
    "o": "оο0",  # noqa: RUF001
    "i": "іι1!",  # noqa: RUF001
    "c": "сⅽ",  # noqa: RUF001
    "p": "рⓟ",
    "n": "ոⓝ",
    "u": "υ",  # noqa: RUF001
    "d": "ԁ",  # noqa: RUF001
}
INVISIBLE = ("\u200b", "\u200d", "\u2060", "\u00ad", "\ufe0f", "\u0301", "\u202e")


def cases(name: str) -> list[tuple[str, str, str]]:
    lines = (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [(category, language, text) for category, language, text in (line.split("\t") for line in lines)]


def seen(text: str, *, without: tuple[str, ...] = ()) -> Verdict:
    return explain(text, [shipped()], without=without)


@pytest.mark.parametrize(("category", "language", "text"), cases("true"))
def test_what_must_be_found_is_found_in_its_category(category: str, language: str, text: str) -> None:
    assert Category(category) in seen(text).categories


@pytest.mark.parametrize(("category", "language", "text"), cases("false"))
def test_what_only_sounds_like_it_is_left_alone(category: str, language: str, text: str) -> None:
    assert seen(text).findings == ()


def test_the_two_sets_are_equally_long_and_cover_every_category_in_two_languages() -> None:
    true, false = cases("true"), cases("false")
    assert len(true) == len(false) >= 120
    for each in (true, false):
        assert len({text for _, _, text in each}) == len(each)
        counted = Counter((category, language) for category, language, _ in each)
        for category in Category:
            assert counted[category, "en"] >= 7
            assert counted[category, "es"] >= 3


WORDS = st.sampled_from(["nude", "naked", "hentai", "swastika", "cocaine", "vomit", "decapitation"])
STRETCHABLE = st.sampled_from(["nude", "naked", "hentai", "swastika", "cocaine", "boobs"])


@settings(max_examples=60)
@given(WORDS, st.data())
def test_letters_that_only_look_alike_change_nothing(word: str, data: st.DataObject) -> None:
    disguised = "".join(
        data.draw(st.sampled_from(letter + LOOKALIKES[letter])) if letter in LOOKALIKES and place else letter
        for place, letter in enumerate(word)
    )
    assert (
        disguised.endswith("!")
        or seen(f"a {disguised} thing").categories == seen(f"a {word} thing").categories
    )


@settings(max_examples=60)
@given(WORDS, st.lists(st.sampled_from(INVISIBLE), min_size=1), st.data())
def test_invisible_characters_change_nothing(word: str, invisible: list[str], data: st.DataObject) -> None:
    disguised = word
    for each in invisible:
        place = data.draw(st.integers(1, len(disguised)))
        disguised = disguised[:place] + each + disguised[place:]
    [finding] = seen(f"a {disguised} thing").findings
    assert finding.matched.startswith(disguised[0])
    assert fold(finding.matched).text == word


@settings(max_examples=60)
@given(WORDS, st.sampled_from([" ", ".", "-", "_", " . ", "*", "/", "·"]))
def test_spelling_a_word_out_changes_nothing(word: str, between: str) -> None:
    disguised = between.join(word)
    [finding] = seen(f"one {disguised} thing").findings
    assert finding.matched == disguised


@settings(max_examples=60)
@given(STRETCHABLE, st.data())
def test_stretching_letters_changes_nothing(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    times = data.draw(st.integers(3, 30))
    disguised = word[:place] + word[place] * times + word[place + 1 :]
    assert seen(f"a {disguised} thing").categories == seen(f"a {word} thing").categories


@settings(max_examples=60)
@given(WORDS, st.sampled_from(["upper", "title", "swapcase"]), st.booleans())
def test_case_and_width_change_nothing(word: str, change: str, wide: bool) -> None:
    disguised = getattr(word, change)()
    if wide:
        disguised = "".join(chr(ord(letter) + 0xFEE0) for letter in disguised)
    assert seen(f"a {disguised} thing").categories == seen(word).categories


@settings(max_examples=60)
@given(WORDS, st.data())
def test_a_word_in_two_pieces_is_still_the_word(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(word) - 2))
    joint = data.draw(st.sampled_from("-._/~"))
    assert seen(f"a {word[:place]}{joint}{word[place:]} thing").categories == seen(word).categories


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_any_text_is_answered_and_every_place_lies_in_it(text: str) -> None:
    for finding in seen(text).findings:
        assert 0 <= finding.span[0] < finding.span[1] <= len(text)
        assert finding.matched == text[slice(*finding.span)]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_folding_is_lower_case_and_knows_where_each_letter_was(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.places)
    assert list(folded.places) == sorted(folded.places)
    assert fold(folded.text).text == folded.text


def lines_run(work: Callable[[], Any]) -> int:
    """Return how many lines of the moderation package *work* runs: a measure that no machine changes."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "moderation" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


HEAVY = [
    "a",
    "n a ",
    "-a",
    "a$",
    "naked mole ",
    "white power ",
    "a!",
    "@",
    "nude",
    "é",
    "1",
    "🇳",
    "x.",
    "sex with ",
]


@pytest.mark.parametrize("unit", HEAVY)
def test_the_work_grows_with_the_length_of_the_text_and_no_faster(unit: str) -> None:
    shipped()
    half, whole = ((unit * 6000)[:length] for length in (600, 1200))
    first, second = lines_run(lambda: seen(half)), lines_run(lambda: seen(whole))
    assert second <= 2.2 * first + 500
    assert second <= 100 * len(whole)


def test_negatives_are_not_held_against_a_prompt_unless_they_take_clothes_away() -> None:
    assert seen("a woman on a beach", without=("nudity", "naked people", "blood")).findings == ()
    [finding] = seen("a woman on a beach", without=("trees", "clothes")).findings
    assert finding.category is Category.SEXUAL
    assert seen("una mujer", without=("ropa",)).categories == {Category.SEXUAL}


def test_minors_count_only_together_with_something_sexual() -> None:
    assert seen("children playing in a park").findings == ()
    verdict = seen("a nude child")
    assert verdict.minors
    assert verdict.categories == {Category.SEXUAL}


def test_a_servers_words_are_found_with_their_place_and_its_exceptions_count_for_the_shipped_ones() -> None:
    own = build([Word("political", "blue door"), Word("sexual", "naked lamp", allow=True)])
    verdict = explain("the BLUE  dóor and a naked lamp", [shipped(), own])
    [finding] = verdict.findings
    assert (finding.category, finding.span, finding.matched) == (Category.POLITICAL, (4, 14), "BLUE  dóor")
    assert finding.phrase == "blue door"


def test_an_exception_excuses_only_what_lies_inside_it() -> None:
    [finding] = seen("a naked mole rat and a naked woman").findings
    assert finding.span == (23, 28)


def test_an_entry_is_expanded_by_its_groups_and_nonsense_is_named() -> None:
    assert list(expanded("a (red|blue(|ish)) fox(|es)")) == [
        "a red fox", "a red foxes", "a blue fox", "a blue foxes", "a blueish fox", "a blueish foxes",
    ]  # fmt: skip
    for wrong in ("(a", "a)", "a|(b"):
        with pytest.raises(ValueError, match=re.escape(wrong)):
            list(expanded(wrong))
    with pytest.raises(ValueError, match="stem"):
        list(read("*abc*", "sexual"))
    assert not readable("🍆")
    assert readable("a fox")
