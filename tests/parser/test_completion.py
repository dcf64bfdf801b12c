"""What is offered while a prompt is typed: it fits Discord, keeps the prompt, and says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser import PARAMETERS, Closed, Kind, PromptErrors, read_batch
from parser.coach.completion import CHOICES, LIMIT, complete, unhinted, units
from parser.coach.typical import typical


def values(typed: str, closed: Closed | None = None) -> list[str]:
    return [
        choice.value for choice in (complete(typed) if closed is None else complete(typed, closed=closed))
    ]


@pytest.mark.parametrize(
    "typed", ["", "a cat", "a cat --seed 4", "a cat --no hats, gl", "a cat --ar 3:2 --q 2"]
)
def test_a_prompt_that_is_right_is_left_alone(typed: str) -> None:
    assert complete(typed) == ()


@pytest.mark.parametrize(
    ("typed", "first", "shows"),
    [
        ("a cat --se", "a cat --seed", "💡 0 to 4294967295, default drawn"),
        ("a cat --Q", "a cat --q", "💡 0.25, 0.5, 1, 2 or 5, default 1"),
        ("a cat —sto", "a cat --stop", "💡 10 to 100, default 100"),
        ("a cat --stop ", "a cat --stop", "💡 10 to 100, default 100"),
        ("a cat --ar 16:", "a cat --ar 16:", "💡 1:14 to 14:1, default 1:1"),
        ("a cat --rela", "a cat --relax", "💡 Runs this one job in relax mode"),
        ("a cat --seeed 4", "a cat --seed 4", "⚠ Unrecognized parameter --seeed"),
        ("a cat --ar16:9", "a cat --ar 16:9", "⚠ Put a space"),
        ("a cat --q 3", "a cat --q 2", "⚠ --quality takes"),
        ("a cat --q 3 --se", "a cat --q 2 --se", "⚠ --quality takes"),
        ("a cat --relax --fast", "a cat --relax", "⚠ --relax and --fast exclude"),
        ("fox::2 fog::-2", "fox --no fog", "⚠ The weights add up to 0"),
    ],
)
def test_the_first_choice_is_the_likeliest_and_says_why(typed: str, first: str, shows: str) -> None:
    choice = complete(typed)[0]
    assert choice.value == first
    assert choice.name.startswith(f"{first} ⟨{shows}")


def test_values_follow_a_name_that_is_clear() -> None:
    assert values("a cat --q")[1:] == [f"a cat --q {value}" for value in ("0.25", "0.5", "1", "2", "5")]
    assert values("a cat --stop 5") == ["a cat --stop 10", "a cat --stop 55"]
    assert "a cat --ar 16:9" in values("a cat --ar 1")


def test_bare_hyphens_offer_every_parameter_that_works() -> None:
    working = [row for row in PARAMETERS if row.available]
    assert len(values("a cat --")) == min(CHOICES, len(working))


def test_what_was_said_is_not_offered_again_but_lists_are() -> None:
    assert not [value for value in values("a cat --seed 4 --se") if value.endswith("--seed")]
    assert "a cat --fast --relax" not in values("a cat --fast --re")
    assert values("a cat --no hat --n")[0] == "a cat --no hat --no"


def test_what_the_server_closes_is_flagged_and_not_offered() -> None:
    closed = Closed(parameters=frozenset({"stop"}), reasons={"stop": "Not here; leave `--stop` out."})
    assert "a cat --stop" not in values("a cat --st", closed)
    [choice] = complete("a cat --stop 50", closed=closed)
    assert choice.value == "a cat"
    assert "⚠ Not here" in choice.name


def test_a_hint_that_was_typed_on_is_taken_out() -> None:
    picked = complete("a cat --sto")[0].name
    assert unhinted(f"{picked} 60") == "a cat --stop 60"
    assert values(f"{picked} 60") == ["a cat --stop 60"]
    assert unhinted("⟨a⟩ cat") == "⟨a⟩ cat"


def test_a_prompt_that_a_choice_cannot_hold_gets_none() -> None:
    assert complete("x" * 92 + " --seed") != ()
    assert complete("x" * 96 + " --se") == ()
    assert complete("🦊" * 48 + " --se") == ()


@given(
    st.text(max_size=60),
    st.sampled_from(
        ["", *(f" --{name}" for row in PARAMETERS for name in row.names), " --", " --ar 1", " —w"]
    ),
    st.sampled_from(["", " ", "1", " 1", " x", " 16:9:2", "::", " --no"]),
)
def test_choices_fit_discord_begin_with_their_prompt_and_say_nothing_twice(
    text: str, name: str, value: str
) -> None:
    choices = complete(text + name + value)
    assert len(choices) <= CHOICES
    assert len({choice.value for choice in choices}) == len(choices)
    for choice in choices:
        assert 0 < units(choice.name) <= LIMIT
        assert 0 < units(choice.value) <= LIMIT
        assert choice.name.startswith(choice.value)
        assert unhinted(choice.name) == choice.value


@pytest.mark.parametrize("row", [row for row in PARAMETERS if row.available], ids=lambda row: row.name)
def test_typical_values_are_valid_and_few(row: object) -> None:
    from parser import Parameter

    assert isinstance(row, Parameter)
    found = typical(row)
    assert len(found) <= CHOICES
    if row.kind in (Kind.FLAG, Kind.LIST, Kind.LINKS, Kind.STYLES, Kind.CODES):
        assert found == ()
    for value in found:
        assert not [error for error in problems(f"a cat --{row.name} {value}") if f"`{value}`" in error]


def problems(prompt: str) -> list[str]:
    """Return what is wrong with *prompt*: a parameter may need another one beside it."""
    try:
        read_batch(prompt)
    except PromptErrors as refusal:
        return [error.message for error in refusal.errors]
    return []
