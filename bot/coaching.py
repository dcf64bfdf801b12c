"""The coach's lesson on one prompt as a message, and what its buttons mean. Pure.

A button carries the rule and which of its options; the prompt stands in the message itself, whole: in the
footer, or in ``prompt.txt`` where it does not fit. So a press needs nothing that the bot remembers.
"""

import re
from dataclasses import dataclass

from bot import echo, errors
from bot.facts import Facts
from bot.render import Button, Letter, Rows, Style
from bot.texts import Texts
from parser.coach import Advice, Language, answer_in, coach

PREFIX = "JM::coach::"
IMAGINE = f"{PREFIX}imagine"
COMMAND = "imagine"  # what the footer begins with, so that it can be pasted
BLUE = 0x5865F2
ROWS = 4  # of buttons for advice; the fifth is the one that draws
BUTTONS = 5  # of a row
LABEL = 80  # characters
SHOWN_PROMPT = 1000  # characters of the prompt in the description
HINT = 180  # characters of the line under a refusal

_ID = re.compile(rf"{PREFIX}(?P<rule>[a-z]+)::(?P<index>[0-4])")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which option of which rule a press chose."""

    rule: str
    index: int


def lesson(prompt: str, language: Language, facts: Facts, texts: Texts) -> Letter:
    """Return what can be said about *prompt*, with a button for every way to follow it."""
    advice = coach(prompt, language, facts.coach)
    shown = echo.cut(echo.unticked(prompt), SHOWN_PROMPT)
    said = [_said(each) for each in advice] or [texts("coach.good")]
    description = "\n\n".join([f"`{shown}`", *said])
    letter = Letter(rows=(*_rows(advice, texts), (_imagine(texts),)))
    return errors.with_prompt(letter, texts("coach.title"), description, prompt, color=BLUE, command=COMMAND)


def _said(advice: Advice) -> str:
    return f"**·** {advice.reason}\n-# {advice.example}"


def _rows(advice: tuple[Advice, ...], texts: Texts) -> Rows:
    """Return a row for each of the first pieces of advice that can be followed with a button."""
    helpful = [each for each in advice if each.options][:ROWS]
    return tuple(
        tuple(
            Button(f"{PREFIX}{each.rule}::{index}", echo.cut(texts("coach.apply", what=option.label), LABEL))
            for index, option in enumerate(each.options[:BUTTONS])
        )
        for each in helpful
    )


def _imagine(texts: Texts) -> Button:
    return Button(IMAGINE, texts("coach.imagine"), style=Style.GREEN)


def chosen(custom_id: str) -> Chosen | None:
    """Return what a button means; None if it is none that gives a better prompt."""
    match = _ID.fullmatch(custom_id)
    return None if match is None else Chosen(match["rule"], int(match["index"]))


def followed(prompt: str, choice: Chosen, facts: Facts) -> str:
    """Return *prompt* after the option that was chosen, or as it is where the coach has it no more."""
    advice = next((each for each in coach(prompt, facts=facts.coach) if each.rule == choice.rule), None)
    if advice is None or choice.index >= len(advice.options):
        return prompt
    return advice.options[choice.index].prompt


def prompt_in(footer: str) -> str | None:
    """Return the prompt that a lesson's footer holds whole; None if it was cut, or is no lesson's."""
    start = f"/{COMMAND} "
    if not footer.startswith(start) or footer.endswith(echo.ELLIPSIS):
        return None
    return footer.removeprefix(start)


def hint(prompt: str, locale: str, facts: Facts) -> str:
    """Return the quiet line that stands under a refused prompt; empty where the coach has no complaint."""
    language = answer_in(locale, prompt)
    advice = coach(prompt, language, facts.coach)
    first = next((each for each in advice if not each.offer), None)
    return "" if first is None else echo.cut(Texts(language.value)("coach.hint", reason=first.reason), HINT)
