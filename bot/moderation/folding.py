"""Text as the word lists see it: a plain letter for everything that looks like one. Pure."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DROPPED = frozenset({"Mn", "Me", "Mc", "Cf", "Cc"})  # marks, zero-width and control characters
_TILDE = "\N{COMBINING TILDE}"

# Letters that decompose into nothing Latin but look like one, each under its Latin letter. Small capitals and
# the letters of phonetic alphabets are among them.
_LOOKALIKES = {
    "a": "аᴀɑαᗩ∂",
    "b": "вʙьᏼβ",
    "c": "сᴄϲⲥ",  # noqa: RUF001
    "d": "ԁᴅɗɖ",
    "e": "еᴇєεɛ℮ҽ",  # noqa: RUF001
    "f": "ғꜰƒϝ",
    "g": "ɡɢԍɠ",
    "h": "һнʜɦ",
    "i": "іɪιıɩ¡ӏ",  # noqa: RUF001
    "j": "јᴊϳ",
    "k": "кᴋκ",
    "l": "ʟⅼłɭ",
    "m": "мᴍϻ",
    "n": "пɴηոռ",
    "o": "оᴏοօσøө",
    "p": "рᴘρƿ",
    "q": "ԛզ",  # noqa: RUF001 - look-alikes are the point
    "r": "гʀяɾ",
    "s": "ѕꜱʂ",
    "t": "тᴛτƭ",
    "u": "цᴜυսʋ",
    "v": "ѵᴠν",  # noqa: RUF001
    "w": "шᴡωѡԝ",
    "x": "хχ×",  # noqa: RUF001
    "y": "уʏγүყ",  # noqa: RUF001
    "z": "ᴢʐƶ",
}
_LATIN: Mapping[str, str] = {
    **{each: letter for letter, group in _LOOKALIKES.items() for each in group},
    **{chr(0x1F1E6 + n): chr(ord("a") + n) for n in range(26)},  # regional indicators, as in flags
    **{chr(0x1F150 + n): chr(ord("a") + n) for n in range(26)},  # white on black circles
    **{chr(0x1F170 + n): chr(ord("a") + n) for n in range(26)},  # and squares
}


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: Lower case, without marks and invisible characters; ``ñ`` alone keeps its mark, since in Spanish
            it is another letter.
        places: For each character the index of the source's code point that it comes from.
    """

    text: str
    places: tuple[int, ...]


def fold(source: str) -> Folded:
    """Return *source* folded, in time linear in its length."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(source):
        if character.isascii():
            letters.append(character.lower())
            places.append(place)
            continue
        for letter in _letters(character):
            if letter == _TILDE:
                if letters and letters[-1] == "n":
                    letters[-1] = "ñ"
                continue
            letters.append(letter)
            places.append(place)
    return Folded("".join(letters), tuple(places))


def _letters(character: str) -> Iterator[str]:
    """Yield the folded letters of one character, and the tilde, which may make an ñ of the one before."""
    for part in unicodedata.normalize("NFKD", character).casefold():
        if part == _TILDE:
            yield part
        elif part in _LATIN:
            yield _LATIN[part]
        elif part == "\n" or unicodedata.category(part) not in _DROPPED:
            yield part
