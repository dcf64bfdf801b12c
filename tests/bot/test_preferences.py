"""What a prompt comes to with what its author prefers."""

from string import Formatter

import pytest

from bot.faults import BotCode, BotError
from bot.panel import Offer, chosen, panel, summary
from bot.preferences import (
    Preferences,
    Whence,
    checked_name,
    checked_suffix,
    checked_value,
    pieces,
    settings_text,
    whole,
)
from bot.render import Menu, Style
from bot.texts import Texts, es_prefer
from parser import Closed, PromptErrors, Speed, parse
from worker.api import Strength

OWN = {"mine": "in the snow --ar 1:2 --q 2", "cosy": "warm light"}


@pytest.mark.parametrize(
    ("prompt", "suffix", "expected"),
    [
        ("a fox", "--ar 3:2", "a fox --ar 3:2"),
        ("a fox --ar 1:1", "--ar 3:2", "a fox --ar 1:1"),
        ("a fox --aspect 1:1", "--ar 3:2 --q 2", "a fox --aspect 1:1 --q 2"),
        ("a fox --AR 1:1", "--ar 3:2", "a fox --AR 1:1"),
        ("a fox —ar 1:1", "--ar 3:2", "a fox —ar 1:1"),
        ("a fox --ar1:1", "--ar 3:2", "a fox --ar1:1"),
        ("a fox --fast", "--relax", "a fox --fast"),
        ("a fox --raw", "--style raw", "a fox --raw"),
        ("a fox --no hat", "--no text --q 2", "a fox --no hat --no text --q 2"),
        ("a fox", "", "a fox"),
        ("", "--ar 3:2", " --ar 3:2"),
    ],
)
def test_what_is_typed_goes_before_the_suffix(prompt: str, suffix: str, expected: str) -> None:
    assert whole(prompt, Preferences(suffix=suffix)).prompt == expected


def test_the_suffix_goes_before_the_settings_and_those_before_what_is_usual() -> None:
    settings = Preferences(suffix="--s 50", stylize=750, raw=True, speed=Speed.RELAX)
    found = whole("a fox", settings)
    assert found.prompt == "a fox --s 50 --raw --relax"
    assert [part.whence for part in found.added] == [Whence.SUFFIX, Whence.SETTINGS, Whence.SETTINGS]
    assert whole("a fox", Preferences(stylize=100, speed=Speed.FAST)).prompt == "a fox"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("tree --mine", "tree in the snow --ar 1:2 --q 2"),
        ("tree --MINE", "tree in the snow --ar 1:2 --q 2"),
        ("tree --seed 4 --mine --stop 50", "tree in the snow --seed 4 --ar 1:2 --q 2 --stop 50"),
        ("--mine", "in the snow --ar 1:2 --q 2"),
        ("tree --mine --cosy", "tree in the snow warm light --ar 1:2 --q 2"),
        ("tree --yours", "tree --yours"),
    ],
)
def test_an_own_option_stands_for_its_value(prompt: str, expected: str) -> None:
    assert whole(prompt, Preferences(options=OWN)).prompt == expected


def test_what_an_own_option_says_was_typed_as_far_as_the_suffix_is_concerned() -> None:
    found = whole("tree --mine", Preferences(suffix="--ar 3:2 --stop 90", options=OWN))
    assert found.prompt == "tree in the snow --ar 1:2 --q 2 --stop 90"


@pytest.mark.parametrize(
    "prompt", ["a fox", "tree --mine --cosy --q 5", "--mine", "x, --cosy, --seed 3", " --q"]
)
def test_every_added_part_stands_where_it_says(prompt: str) -> None:
    settings = Preferences(suffix="--no text --stop 90", raw=True, options=OWN)
    found = whole(prompt, settings)
    assert all(found.prompt[part.start : part.stop] == part.text for part in found.added)


def test_a_prompt_says_the_same_with_preferences_that_say_nothing() -> None:
    for prompt in ("a  fox", "hot::2 dog --no a, b", "x --foo", "{a, b} c", "a -- b well--known"):
        assert whole(prompt, Preferences()).prompt == prompt


@pytest.mark.parametrize(
    ("suffix", "code"),
    [
        ("in the snow", BotCode.SUFFIX_TEXT),
        ("snow --ar 3:2", BotCode.SUFFIX_TEXT),
        ("--repeat 4", BotCode.SUFFIX_BATCH),
        ("--ar {1:1, 3:2}", BotCode.SUFFIX_BATCH),
        ("--no " + "x" * 500, BotCode.TOO_LONG),
    ],
)
def test_a_suffix_is_parameters_for_one_job(suffix: str, code: BotCode) -> None:
    with pytest.raises(BotError) as refused:
        checked_suffix(suffix)
    assert refused.value.code is code


def test_a_wrong_suffix_is_shown_where_it_is_wrong() -> None:
    with pytest.raises(PromptErrors) as refused:
        checked_suffix("--seed 1 --ar 1.5:1")
    [error] = refused.value.errors
    assert error.source[slice(*error.span)] == "1.5:1"
    assert error.suggestion == "--seed 1 --ar 3:2"
    assert checked_suffix("  --ar 3:2 ") == "--ar 3:2"
    assert checked_suffix("") == ""


def test_the_name_of_an_own_option_is_a_word_that_is_no_parameter() -> None:
    assert checked_name(" --My-Style_2 ") == "my-style_2"
    for typed, code in (
        ("ar", BotCode.OPTION_TAKEN),
        ("2d", BotCode.OPTION_NAME),
        ("a b", BotCode.OPTION_NAME),
        ("x" * 33, BotCode.OPTION_NAME),
    ):
        with pytest.raises(BotError) as refused:
            checked_name(typed)
        assert refused.value.code is code


def test_a_name_that_is_taken_for_an_option_is_found_in_a_prompt() -> None:
    [piece] = pieces("tree --my-style_2")
    assert piece.name == checked_name("My-Style_2")
    assert whole("a --my-style_2", Preferences(options={"my-style_2": "--q 2"})).prompt == "a --q 2"


def test_an_own_option_may_hold_text_parameters_or_both_but_no_mistakes() -> None:
    for value in ("warm light", "--q 2", "warm --q 2", "{a, b}", ""):
        assert checked_value(value) == value
    with pytest.raises(PromptErrors):
        checked_value("warm --qqq 2")


# -- the panel -------------------------------------------------------------------------------------------

TEXTS = Texts()
ALL = Offer(Closed(choices={"version": ("6",), "niji": ("6",)}), turbo=True)
ONE = Offer(Closed(choices={"version": ("6",), "niji": ()}, parameters=frozenset({"raw"})))


def test_every_button_of_the_panel_makes_itself_green() -> None:
    known = Preferences()
    for row in panel(known, ALL, TEXTS).rows:
        for item in row:
            if isinstance(item, Menu):
                continue
            said = chosen(item.custom_id, ALL)
            assert said is not None
            after = Preferences(**said)  # type: ignore[arg-type]
            labels = {
                b.label: b.style for r in panel(after, ALL, TEXTS).rows for b in r if not isinstance(b, Menu)
            }
            assert labels[item.label] is Style.GREEN or item.label == "Reset Settings"


def test_the_panel_shows_only_what_works() -> None:
    assert "Turbo mode" not in str(panel(Preferences(), Offer(), TEXTS))
    assert "VersionSelector" not in str(panel(Preferences(), ONE, TEXTS))
    assert "RawMode" not in str(panel(Preferences(), ONE, TEXTS))
    assert "Remix" not in str(panel(Preferences(), ALL, TEXTS))
    assert chosen("MJ::Settings::TurboMode::on", Offer()) is None
    assert chosen("MJ::Settings::RemixMode::on", ALL) is None
    assert chosen("MJ::Settings::Stylize::51", ALL) is None
    assert chosen("MJ::Settings::VersionSelector", ALL, "8") is None


def test_a_version_is_chosen_in_a_menu_and_joins_the_prompt() -> None:
    assert chosen("MJ::Settings::VersionSelector", ALL, "niji 6") == {"version": "niji 6"}
    assert chosen("MJ::Settings::VersionSelector", ALL, "default") == {"version": ""}
    assert settings_text(Preferences(version="niji 6")) == "--niji 6"
    assert settings_text(Preferences(version="6.1")) == "--v 6.1"
    [menu] = panel(Preferences(version="6"), ALL, TEXTS).rows[0]
    assert isinstance(menu, Menu)
    assert [item.value for item in menu.items if item.chosen] == ["6"]


def test_the_panel_names_the_suffix_if_there_is_one() -> None:
    assert panel(Preferences(), ALL, TEXTS).content == "Adjust your settings here."
    with_suffix = panel(Preferences(suffix="--ar 3:2"), ALL, TEXTS)
    assert with_suffix.content == "Adjust your settings here. Current suffix: `--ar 3:2`"


def test_settings_in_a_line_say_what_is_not_as_usual() -> None:
    assert summary(Preferences(), TEXTS) == ""
    assert summary(Preferences(raw=True, strength=Strength.SUBTLE), TEXTS) == "`--raw` · Low Variation Mode"


def test_preferences_parse() -> None:
    request = parse(whole("a fox", Preferences(suffix="--ar 3:2 --no text", speed=Speed.RELAX)).prompt)
    assert (request.aspect, request.negative, request.speed) == ((3, 2), ("text",), Speed.RELAX)


def test_spanish_says_what_english_says_with_the_same_facts() -> None:
    spanish, english = Texts("es-ES"), Texts()
    for key, words in es_prefer.WORDS.items():
        assert key in english
        places = {name for _, name, _, _ in Formatter().parse(words) if name}
        assert spanish(key, **dict.fromkeys(places, "x"))
        assert english(key, **dict.fromkeys(places, "x"))
