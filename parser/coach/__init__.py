"""The prompt coach: advice drawn from rules, each with a reason, an example and a better prompt. Pure."""

from parser.coach.advice import Advice, Facts, Language, Option, Rule
from parser.coach.language import answer_in, language_of
from parser.coach.lesson import BUTTON_LABEL, coach

__all__ = [
    "BUTTON_LABEL",
    "Advice",
    "Facts",
    "Language",
    "Option",
    "Rule",
    "answer_in",
    "coach",
    "language_of",
]
