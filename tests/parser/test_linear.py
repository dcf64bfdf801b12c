"""Reading takes work in proportion to the length of the text. Work is lines of code run, not time."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import parser
from parser import PromptErrors, parse, read_batch

PACKAGE = str(Path(parser.__file__).parent)
SHORT, LONG = 600, 2400  # characters
PIECES = [
    *(
        "{",
        "}",
        "{a,",
        "{}",
        "{a, b}",
        "\\,",
        "{ \\,",
        "::",
        ":::",
        "::1 ",
        "a::-1 ",
        "::1x",
        "--",
        "- ",
        ",--",
    ),
    *("-ar 1:1 ", "x--ar 1:1 ", "a--tile", "-- ", "--w 9 --h 9 ", "--iw 1 ", "--sw 1 ", "--fast https://a "),
    *("--q (2) ", "--fast -- ", "https://abcde --s 1 ", "/imagine prompt: ", "a::0,5 "),
    *("--a ", "--qualityx ", "--seed 1 ", "--seed x ", "--no a, ", "--no a::1 ", "--fast ", "--ar16:9 "),
    *(
        "\N{EM DASH}",
        "https://a ",
        "https://",
        "--sref 1 ",
        " ",
        ", ",
        "word ",
        "9",
        "\ud800",
        "\N{DOG FACE}",
    ),
]


def work(text: str, read: Callable[[str], object] = parse) -> int:
    """Count the lines of the package that run while *text* is read."""
    lines = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        read(text)
    except PromptErrors:
        pass
    finally:
        sys.settrace(before)
    return lines


def times(piece: str, length: int) -> str:
    return (piece * length)[:length]


@pytest.mark.parametrize("piece", PIECES)
def test_four_times_the_text_is_about_four_times_the_work(piece: str) -> None:
    fixed = work("")
    assert work(times(piece, LONG)) - fixed <= 4.5 * max(work(times(piece, SHORT)) - fixed, 100)


def test_nested_braces_are_matched_in_one_pass() -> None:
    def nested(length: int) -> str:
        return "{" * (length // 2) + "}" * (length // 2)

    assert work(nested(LONG)) <= 4.5 * work(nested(SHORT))


def test_a_text_beyond_the_limit_is_not_even_read() -> None:
    assert work("x --q 3 " * 100_000) < 200


BOMBS = ["{a,b}", "{a, {b, c}}", "{a{b,c}", "{,", "{{a,b},", "--repeat {2,3} ", "{--q 3,--q 4}"]


@pytest.mark.parametrize("piece", BOMBS)
def test_a_bomb_of_groups_is_refused_before_it_is_written_out(piece: str) -> None:
    short, long = (work(times(piece, length), read_batch) for length in (SHORT, LONG))
    assert long <= 4.5 * max(short, 100)


def test_a_nested_bomb_is_refused_before_it_is_written_out() -> None:
    def nested(length: int) -> str:
        return "{{a,b} " * (length // 8) + "}" * (length // 8)

    assert work(nested(LONG), read_batch) <= 4.5 * work(nested(SHORT), read_batch)


@pytest.mark.parametrize("piece", ["word ", "--q 3 ", "--sede -5 ", "--ar16:9 ", "--fast a ", "a::-1 "])
def test_forty_prompts_of_one_text_are_forty_times_the_work_at_most(piece: str) -> None:
    forty = "{" + ",".join("abcdefgh") + "}{" + ",".join("abcde") + "} "
    assert work(forty + times(piece, SHORT), read_batch) <= 45 * work("ab " + times(piece, SHORT), read_batch)
