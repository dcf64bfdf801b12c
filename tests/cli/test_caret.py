from typing import Any

from cli.caret import columns, printable, underlined


def error(start: int, stop: int, suggestion: str | None = None) -> dict[str, Any]:
    return {"code": "x", "message": "Wrong.", "span": [start, stop], "suggestion": suggestion}


def test_carets_stand_under_the_mistake() -> None:
    first, second, third, fourth = underlined("a cat --q 9", error(10, 11, "--q 5")).splitlines()
    assert first.index("9") == second.index("^")
    assert second.strip() == "^"
    assert "Wrong." in third
    assert "--q 5" in fourth


def test_wide_letters_take_two_columns() -> None:
    shown, carets, _ = underlined("猫猫 --q 9", error(7, 8)).splitlines()
    assert columns(shown[: shown.index("9")]) == carets.index("^")


def test_an_empty_span_at_the_end_gets_a_caret() -> None:
    shown, carets, _ = underlined("a cat --q", error(9, 9)).splitlines()
    assert carets.index("^") == len(shown)


def test_a_long_prompt_is_shown_around_the_mistake() -> None:
    text = "x" * 3000 + "!" + "y" * 3000
    shown, carets, _ = underlined(text, error(3000, 3001)).splitlines()
    assert len(shown) < 200
    assert shown[carets.index("^")] == "!"


def test_control_characters_cannot_repaint_the_terminal() -> None:
    assert "\x1b" not in printable("a\x1b[31mb\r\n")
