"""A mistake in a prompt, shown under the prompt."""

import unicodedata
from collections.abc import Mapping
from typing import Any

REACH = 60  # characters of the prompt shown on each side of a mistake


def underlined(prompt: str, error: Mapping[str, Any]) -> str:
    """Return the part of *prompt* around the error's span, carets under it, then message and suggestion.

    Args:
        prompt: As typed.
        error: ``code``, ``message``, ``span`` (half-open code points) and ``suggestion`` (text or None).
    """
    start, stop = error["span"]
    first, last = max(0, start - REACH), min(len(prompt), max(stop, start + 1) + REACH)
    before = ("…" if first else "") + printable(prompt[first:start])
    marked = printable(prompt[start : min(stop, last)])
    after = printable(prompt[max(stop, start) : last]) + ("…" if last < len(prompt) else "")
    lines = [
        "  " + before + marked + after,
        "  " + " " * columns(before) + "^" * max(1, columns(marked)),
        "  " + error["message"],
    ]
    if error["suggestion"]:
        lines.append(f"  Did you mean: {error['suggestion']}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """Return *text* with what would move the cursor or repaint the terminal made visible as U+FFFD."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char
        for char in text
    )


def columns(text: str) -> int:
    """Return how many terminal columns *text* takes."""
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
