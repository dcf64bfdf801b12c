"""What a person prefers, and what a prompt comes to with it. Pure.

What stands in the prompt goes before the suffix, and the suffix before the settings; what none of them says
is left to the worker's defaults.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.faults import BotCode, BotError
from parser import Kind, Parameter, PromptErrors, Speed, find_parameter, parse
from parser.flags import split_name
from parser.scanner import Scanner, Token, shown
from worker.api import Strength

SUFFIX_LIMIT = 500  # characters
VALUE_LIMIT = 1000  # characters of an own option
OPTIONS_LIMIT = 20  # own options of one person
OPTION_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
STYLIZE = {"low": 50, "med": 100, "high": 250, "very_high": 750}  # Midjourney's presets
USUAL_STYLIZE = 100


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one person has said once for all their prompts.

    Attributes:
        suffix: Parameters appended to every prompt.
        speed: The lane; None where they never chose one.
        raw: Whether the house style is left out.
        stylize: How strong the house style is; None where they never chose.
        version: The model, as ``--v`` names it or with ``niji`` before; empty for the server's.
        strength: How far V1 to V4 go from their picture.
        auto_dm: Whether results are sent to them directly too.
        options: Their own options, by name without hyphens.
    """

    suffix: str = ""
    speed: Speed | None = None
    raw: bool = False
    stylize: int | None = None
    version: str = ""
    strength: Strength = Strength.STRONG
    auto_dm: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


NONE = Preferences()


class Whence(StrEnum):
    """Where a part of a prompt comes from that its author did not type. The text is kept with jobs."""

    OPTION = "option"
    SUFFIX = "suffix"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Added:
    """A part of the whole prompt that was not typed.

    Attributes:
        whence: From where.
        text: As it stands in the prompt.
        start: Where, in code points of the whole prompt.
        option: The name of the own option, if it is one.
    """

    whence: Whence
    text: str
    start: int
    option: str = ""

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Whole:
    """A prompt with everything that its author prefers, and which parts of it those are."""

    prompt: str
    added: tuple[Added, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One parameter in a text: its row, if the name is known, and its own text from the hyphens on."""

    name: str
    row: Parameter | None
    start: int
    text: str


def pieces(text: str) -> Iterator[Piece]:
    """Yield the parameters of *text*, wrong ones too."""
    scanner = Scanner(shown(text))
    scanner.until("FLAG")
    while flag := scanner.take("FLAG"):
        word = (scanner.take("WORD") or Token("", flag.stop, flag.stop)).trimmed()
        stop = scanner.until("FLAG").stop
        name = split_name(word.text)[0].lower()
        yield Piece(word.text.lower(), find_parameter(name), flag.start, text[flag.start : stop].rstrip())


def whole(prompt: str, preferences: Preferences) -> Whole:
    """Return *prompt* with own options replaced, and what of suffix and settings it does not overrule."""
    text, added = _expanded(prompt.rstrip(), preferences.options)
    for whence, more in ((Whence.SUFFIX, preferences.suffix), (Whence.SETTINGS, settings_text(preferences))):
        said = [piece.row for piece in pieces(text) if piece.row is not None]
        kept = [piece for piece in pieces(more) if not _overruled(piece, said)]
        for piece in kept:
            added.append(Added(whence, piece.text, len(text) + 1))
            text = f"{text} {piece.text}"
    return Whole(text, tuple(added))


def settings_text(preferences: Preferences) -> str:
    """Return what a person's settings say, as parameters; what is usual is not said."""
    model, _, niji = preferences.version.partition("niji ")
    said = {
        "--raw": preferences.raw,
        f"--s {preferences.stylize}": preferences.stylize not in {None, USUAL_STYLIZE},
        f"--v {model}": bool(model),
        f"--niji {niji}": bool(niji),
        f"--{preferences.speed}": preferences.speed not in {None, Speed.FAST},
    }
    return " ".join(text for text, holds in said.items() if holds)


def _overruled(piece: Piece, said: list[Parameter]) -> bool:
    """Tell whether *said* has the same parameter, or one that excludes it; lists add up instead."""
    row = piece.row
    if row is None or row.kind is Kind.LIST:
        return False
    return any(other.name == row.name or (row.group and other.group == row.group) for other in said)


def _expanded(prompt: str, options: Mapping[str, str]) -> tuple[str, list[Added]]:
    """Put the value of each own option in its place: its text before the parameters, the rest where it stood.

    A value's own options are not looked for.
    """
    used = [piece for piece in pieces(prompt) if piece.name in options] if options else []
    if not used:
        return prompt, []
    head_stop = next(pieces(prompt)).start
    inserts: list[tuple[int, int, str, str]] = []  # start and stop of what goes, text, option
    for piece in used:
        text, parameters = _halves(options[piece.name])
        stop = piece.start + len(shown(prompt)[piece.start :].split(" ")[0])
        if text:
            inserts.append((head_stop, head_stop, text, piece.name))
        inserts.append((piece.start, stop, parameters, piece.name))
    return _inserted(prompt, inserts)


def _halves(value: str) -> tuple[str, str]:
    """Return the text of *value*, and its parameters."""
    first = next(pieces(value), None)
    if first is None:
        return value.strip(), ""
    return value[: first.start].strip(), value[first.start :].strip()


def _inserted(prompt: str, inserts: list[tuple[int, int, str, str]]) -> tuple[str, list[Added]]:
    built, added, position = "", list[Added](), 0
    for start, stop, text, option in sorted(inserts, key=lambda insert: insert[:2]):
        built += prompt[position:start]
        if text:
            built = f"{built.rstrip()} " if built.strip() else ""
            added.append(Added(Whence.OPTION, text, len(built), option))
            built += text + (" " if start == stop else "")
        position = stop
    return (built + prompt[position:]).rstrip(), added


_PROBE = "x "  # a text to hang parameters on


def checked_suffix(typed: str) -> str:
    """Return *typed* as a suffix.

    Raises:
        BotError: ``TOO_LONG``, ``SUFFIX_TEXT`` or ``SUFFIX_BATCH``.
        PromptErrors: Its parameters are wrong; spans are those of *typed*.
    """
    suffix = _within(typed.strip(), SUFFIX_LIMIT)
    first = next(pieces(suffix), None)
    if suffix and (first is None or first.start > 0):
        text = suffix if first is None else suffix[: first.start].strip()
        raise BotError(BotCode.SUFFIX_TEXT, text=_shown(text))
    for piece in pieces(suffix):
        if (piece.row is not None and piece.row.name == "repeat") or "{" in piece.text:
            raise BotError(BotCode.SUFFIX_BATCH, text=_shown(piece.text))
    if suffix:
        _check(suffix)
    return suffix


def checked_name(typed: str) -> str:
    """Return *typed* as the name of an own option, without hyphens.

    Raises:
        BotError: ``OPTION_NAME`` or ``OPTION_TAKEN``.
    """
    name = typed.strip().lstrip("-\N{EM DASH}\N{EN DASH}").lower()
    if not OPTION_NAME.fullmatch(name):
        raise BotError(BotCode.OPTION_NAME, name=_shown(typed))
    if find_parameter(name) is not None:
        raise BotError(BotCode.OPTION_TAKEN, name=name)
    return name


def checked_value(typed: str) -> str:
    """Return *typed* as what an own option stands for.

    Raises:
        BotError: ``TOO_LONG``.
        PromptErrors: Its parameters are wrong; spans are those of *typed*.
    """
    value = _within(typed.strip(), VALUE_LIMIT)
    if value and "{" not in value:  # braces are read with the prompt around them
        _check(value)
    return value


def _within(text: str, limit: int) -> str:
    if len(text) > limit:
        raise BotError(BotCode.TOO_LONG, length=len(text), limit=limit)
    return text


def _check(text: str) -> None:
    """Refuse what is wrong behind any text."""
    try:
        parse(_PROBE + text)
    except PromptErrors as refused:
        raise PromptErrors(
            tuple(
                replace(
                    error,
                    source=text,
                    span=_unprobed(error.span),
                    also=tuple(map(_unprobed, error.also)),
                    suggestion=None if error.suggestion is None else error.suggestion.removeprefix(_PROBE),
                )
                for error in refused.errors
            )
        ) from None


def _unprobed(span: tuple[int, int]) -> tuple[int, int]:
    start, stop = span
    return max(0, start - len(_PROBE)), max(0, stop - len(_PROBE))


def _shown(text: str) -> str:
    """Return *text* for a place between backticks in a sentence."""
    return text.replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")[:40]
