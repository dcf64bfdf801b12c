"""Which language a prompt is in, and in which one to answer."""

import re

from parser.coach.advice import Language

_WORD = re.compile(r"[^\W\d_]+")


def vocabulary(words: str) -> frozenset[str]:
    """Return the words between blanks."""
    return frozenset(words.split())


_ENGLISH = vocabulary(
    "a an the of in on at with without and or by from for to under over near is are his her its no not"
)
_SPANISH = vocabulary(
    "el la los las un una unos unas de del en con sin y o por para sobre bajo al su sus es son muy que no"
)
_SPANISH_LETTERS = re.compile("[ñáéíóú¿¡]", re.IGNORECASE)


def language_of(text: str) -> Language:
    """Return the language that *text* is rather in; English where nothing tells."""
    words = [word.casefold() for word in _WORD.findall(text)]
    english = sum(word in _ENGLISH for word in words)
    spanish = sum(word in _SPANISH for word in words) + len(_SPANISH_LETTERS.findall(text))
    return Language.SPANISH if spanish > english else Language.ENGLISH


def answer_in(locale: str, text: str) -> Language:
    """Return the language for somebody's Discord *locale*; where it is neither, that of the prompt."""
    try:
        return Language(locale.partition("-")[0].lower())
    except ValueError:
        return language_of(text)
