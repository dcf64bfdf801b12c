import pytest

from parser import ErrorCode, PromptError, PromptErrors, parse


def pointer(source: str, start: int, stop: int) -> list[str]:
    return PromptError(ErrorCode.OUT_OF_RANGE, "No.", source, (start, stop)).pointer().split("\n")


def test_the_mistake_is_underlined() -> None:
    with pytest.raises(PromptErrors) as caught:
        parse("a cat --quality 3")
    assert caught.value.errors[0].pointer() == "a cat --quality 3\n                ^"


def test_a_place_without_width_is_still_marked() -> None:
    assert pointer("", 0, 0) == ["", "^"]
    assert pointer("ab", 2, 2) == ["ab", "  ^"]


def test_several_lines_become_one() -> None:
    assert pointer("a\n\tb --x", 4, 7)[0] == "a  b --x"


def test_wide_characters_count_two_columns_and_marks_none() -> None:
    assert pointer("\u732b e\u0301 --x", 5, 8) == ["\u732b e\u0301 --x", "     ^^^"]


def test_of_a_long_prompt_the_neighbourhood_is_shown() -> None:
    line, mark = pointer("x" * 500 + " --quality 3 " + "y" * 500, 511, 512)
    assert line.startswith("\N{HORIZONTAL ELLIPSIS}x")
    assert line.endswith("y\N{HORIZONTAL ELLIPSIS}")
    assert len(line) == 52
    assert line[mark.index("^")] == "3"
    assert mark.count("^") == 1


def test_a_mistake_longer_than_the_window_is_cut_with_it() -> None:
    line, mark = pointer("x" * 6001, 6000, 6001)
    assert line[mark.index("^")] == "x"
    line, mark = pointer("--" + "x" * 300, 0, 302)
    assert len(mark) == 50
    assert line.endswith("\N{HORIZONTAL ELLIPSIS}")


def test_a_line_fits_in_an_embed_however_wide_its_characters() -> None:
    line, mark = pointer("\u732b" * 60 + " --x", 61, 64)
    assert line == "\N{HORIZONTAL ELLIPSIS}" + "\u732b" * 23 + " --x"
    assert mark == " " * 48 + "^^^"


def test_other_places_are_shown_as_long_as_all_fit() -> None:
    source = "a " * 20 + "--tile " + "b " * 10 + "--hd"
    error = PromptError(ErrorCode.CONFLICTING_PARAMETERS, "No.", source, (67, 71), also=((40, 46),))
    line, mark = error.pointer().split("\n")
    assert line.startswith("\N{HORIZONTAL ELLIPSIS} a a")
    assert (line[mark.index("~") :][:6], line[mark.index("^") :]) == ("--tile", "--hd")


def test_places_too_far_apart_leave_the_mistake_alone() -> None:
    source = "--tile " + "b " * 40 + "--hd"
    error = PromptError(ErrorCode.CONFLICTING_PARAMETERS, "No.", source, (87, 91), also=((0, 6),))
    line, mark = error.pointer().split("\n")
    assert line[mark.index("^") :] == "--hd"
    assert "~" not in mark
