"""The table of parameters is what everything else is read from, so it has to be sound."""

from decimal import Decimal

import pytest

from parser import (
    PARAMETERS,
    ErrorCode,
    Kind,
    Parameter,
    PromptErrors,
    find_parameter,
    nearest_name,
    read_batch,
)
from parser.company import COMPANIONS
from parser.spelling import slips
from parser.values import needed

EVERY = pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
MIDJOURNEY = """
    no aspect ar chaos c stylize s weird w quality q seed sameseed stop tile style raw exp hd sd draft
    iw cref cw sref sw sv oref ow edit personalize p profile
    fast relax turbo stealth public repeat r version v niji video motion bs loop end
    test testp creative uplight upbeta upanime beta vibe hq newclip nostretch old h
    wallpaper sl ml ll sp mp lp
"""


def test_every_parameter_of_midjourney_has_a_row() -> None:
    assert sorted(name for row in PARAMETERS for name in row.names) == sorted(MIDJOURNEY.split())


def test_no_word_means_two_rows() -> None:
    words = [word for row in PARAMETERS for word in (*row.names, *row.mistaken)]
    assert len(words) == len(set(words))


@EVERY
def test_a_row_can_be_explained(row: Parameter) -> None:
    assert row.help.endswith(".")
    assert row.example.startswith("--")
    assert find_parameter(row.example.split()[0].removeprefix("--").upper()) is row
    assert needed(row).strip()
    assert row.default
    assert row.range or row.kind in (Kind.FLAG, Kind.LIST, Kind.LINKS, Kind.STYLES, Kind.CODES) or row.legacy


def beside(row: Parameter) -> str:
    """Return a prompt in which the example of *row* has what it speaks of."""
    other = find_parameter(COMPANIONS.get(row.name, ""))
    images = "https://example.com/a.png " if row.name == "iw" else ""
    return f"{images}a cat {row.example} {other.example if other else ''}"


@EVERY
def test_the_example_of_a_row_is_accepted_or_refused_as_unavailable(row: Parameter) -> None:
    if row.available:
        assert read_batch(beside(row)).prompts
        return
    with pytest.raises(PromptErrors) as caught:
        read_batch(f"a cat {row.example}")
    [error] = caught.value.errors
    assert error.code is ErrorCode.UNAVAILABLE_PARAMETER
    assert error.message.startswith(f"`--{row.name}` {row.refused or 'is not available'}")
    pictured = row.refused and row.kind is Kind.LINKS
    image = f"<{row.example.split()[1]}> " if pictured else ""
    assert error.suggestion == f"{image}a cat {row.instead}".strip()


@EVERY
def test_every_name_of_a_row_is_its_own_nearest(row: Parameter) -> None:
    assert all(nearest_name(name) == name for name in row.names if len(name) > 1)


@pytest.mark.parametrize(
    "row", [row for row in PARAMETERS if row.range and row.kind in (Kind.INTEGER, Kind.NUMBER)]
)
def test_the_nearest_to_a_valid_number_is_itself(row: Parameter) -> None:
    for number in map(Decimal, row.choices or (row.low, row.high)):
        assert row.nearest(number) == number


def test_the_nearest_value_of_a_range_of_fractions_may_be_a_fraction() -> None:
    weight = find_parameter("iw")
    assert weight is not None
    assert weight.nearest(Decimal("1.5")) == Decimal("1.5")
    assert weight.nearest(Decimal(9)) == 3


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(
            ("aspct", "aspect"),
            ("ASPECTT", "aspect"),
            ("sede", "seed"),
            ("sed", "seed"),
            ("qulity", "quality"),
        ),
        *(("ra", "ar"), ("arr", "ar"), ("stylise", "stylize"), ("size", "aspect"), ("without", "no")),
        *(("relaxed", "relax"), ("trubo", "turbo"), ("x", None), ("by", None), ("tired", None)),
        *(("xyzzy", None), ("q" * 17, None), ("", None)),
    ],
)
def test_a_slip_of_the_fingers_is_recognised(typed: str, meant: str | None) -> None:
    assert nearest_name(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant", "count"),
    [
        ("", "", 0),
        ("seed", "", 4),
        ("seed", "seed", 0),
        ("sede", "seed", 1),
        ("stp", "stop", 1),
        ("x", "yz", 2),
    ],
)
def test_slips_are_letters_added_left_out_replaced_or_swapped(typed: str, meant: str, count: int) -> None:
    assert slips(typed, meant) == count
