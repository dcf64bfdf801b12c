"""The words of the captions, in English and Spanish: subjects, colours, scenes, styles and how they agree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

STYLES = ("3d", "flat", "cartoon")

STYLE_NAMES: dict[str, tuple[str, ...]] = {
    "3d": ("3d render", "3d render style", "glossy 3d render", "3d"),
    "flat": ("flat icon", "flat vector icon", "flat design", "minimal flat icon", "flat"),
    "cartoon": ("cartoon", "cartoon style", "cartoon illustration", "cartoon sticker"),
}
STYLE_NAMES_ES: dict[str, tuple[str, ...]] = {
    "3d": ("render 3d", "estilo 3d", "imagen 3d brillante"),
    "flat": ("icono plano", "diseño plano", "icono plano minimalista"),
    "cartoon": ("dibujo animado", "estilo de dibujo animado", "caricatura"),
}


@dataclass(frozen=True)
class Colour:
    """A named colour: `rgb` in 0-255, names best first; Spanish as (masculine, feminine)."""

    key: str
    rgb: tuple[int, int, int]
    english: tuple[str, ...]
    spanish: tuple[tuple[str, str], ...]


COLOURS: dict[str, Colour] = {
    colour.key: colour
    for colour in (
        Colour("white", (250, 250, 250), ("white",), (("blanco", "blanca"),)),
        Colour("black", (18, 18, 20), ("black",), (("negro", "negra"),)),
        Colour("gray", (128, 128, 130), ("gray", "grey"), (("gris", "gris"),)),
        Colour("red", (222, 40, 40), ("red",), (("rojo", "roja"),)),
        Colour("orange", (250, 140, 20), ("orange",), (("naranja", "naranja"),)),
        Colour("yellow", (252, 218, 40), ("yellow",), (("amarillo", "amarilla"),)),
        Colour("green", (50, 168, 70), ("green",), (("verde", "verde"),)),
        Colour("teal", (30, 170, 168), ("turquoise", "teal"), (("turquesa", "turquesa"),)),
        Colour("sky", (135, 206, 245), ("light blue", "sky blue"), (("celeste", "celeste"),)),
        Colour("blue", (40, 80, 215), ("blue",), (("azul", "azul"),)),
        Colour(
            "purple", (135, 60, 190), ("purple", "violet"), (("morado", "morada"), ("violeta", "violeta"))
        ),
        Colour("pink", (250, 140, 185), ("pink",), (("rosa", "rosa"), ("rosado", "rosada"))),
        Colour("brown", (125, 78, 45), ("brown",), (("marrón", "marrón"),)),
    )
}

SCENES: dict[str, tuple[str, ...]] = {
    "night": ("at night", "in the night", "under the night sky", "with a night sky background"),
    "space": ("in space", "in outer space", "with a space background"),
    "grass": ("on the grass", "in the grass", "in a green meadow", "on a grass field"),
    "beach": ("on the beach", "at the beach", "on a sandy beach"),
    "snow": ("in the snow", "in winter", "on a snowy field"),
    "underwater": ("underwater", "under the sea", "under water"),
    "sunset": ("at sunset", "with a sunset background", "in the sunset"),
    "desert": ("in the desert", "in a desert", "on a desert dune"),
}
SCENES_ES: dict[str, tuple[str, ...]] = {
    "night": ("de noche", "por la noche", "bajo el cielo nocturno"),
    "space": ("en el espacio", "en el espacio exterior"),
    "grass": ("en la hierba", "en el césped", "en un prado verde"),
    "beach": ("en la playa", "en una playa"),
    "snow": ("en la nieve", "en invierno"),
    "underwater": ("bajo el agua", "bajo el mar"),
    "sunset": ("al atardecer", "en la puesta de sol"),
    "desert": ("en el desierto", "en un desierto"),
}

PLACES: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left side", "at the left", "left"),
    "right": ("on the right", "on the right side", "at the right", "right"),
    "top": ("at the top", "on the top", "in the upper part", "top"),
    "bottom": ("at the bottom", "on the bottom", "in the lower part", "bottom"),
}
PLACES_ES: dict[str, tuple[str, ...]] = {
    "left": ("a la izquierda", "en el lado izquierdo"),
    "right": ("a la derecha", "en el lado derecho"),
    "top": ("arriba", "en la parte superior"),
    "bottom": ("abajo", "en la parte inferior"),
}

COUNTS: dict[int, tuple[str, ...]] = {
    1: ("one", "1", "a single"),
    2: ("two", "2", "a pair of"),
    3: ("three", "3"),
    4: ("four", "4"),
}
COUNTS_ES: dict[int, tuple[str, ...]] = {
    1: ("un solo", "1"),
    2: ("dos", "2"),
    3: ("tres", "3"),
    4: ("cuatro", "4"),
}

SIZES: dict[str, tuple[str, ...]] = {"small": ("small", "tiny", "little"), "large": ("large", "big", "huge")}
SIZES_ES: dict[str, tuple[tuple[str, str], ...]] = {
    "small": (("pequeño", "pequeña"), ("diminuto", "diminuta")),
    "large": (("grande", "grande"), ("enorme", "enorme")),
}

# English words and those, mostly Spanish, that take over their vector when the text encoder starts.
_SAME_MEANING = {
    "a": "un una",
    "the": "el la los las",
    "of": "de",
    "with": "con",
    "on": "sobre",
    "in": "en",
    "background": "fondo",
    "and": "y",
    "above": "encima",
    "next": "junto",
    "at": "al",
    "under": "bajo",
    "night": "noche nocturno",
    "space": "espacio",
    "grass": "hierba césped prado meadow",
    "beach": "playa",
    "snow": "nieve invierno winter",
    "underwater": "agua mar sea",
    "sunset": "atardecer puesta",
    "desert": "desierto",
    "left": "izquierda izquierdo",
    "right": "derecha derecho",
    "top": "arriba superior upper",
    "bottom": "abajo inferior lower",
    "two": "dos 2 par pair",
    "three": "tres 3",
    "four": "cuatro 4",
    "single": "solo",
    "small": "pequeño pequeña pequeños pequeñas",
    "tiny": "diminuto diminuta",
    "large": "grande grandes",
    "huge": "enorme enormes",
    "icon": "icono",
    "flat": "plano",
    "design": "diseño",
    "cartoon": "dibujo animado caricatura",
    "minimal": "minimalista",
    "gradient": "degradado",
    "grayscale": "grises",
    "monochrome": "monocromo",
}
TRANSLATIONS = {word: source for source, words in _SAME_MEANING.items() for word in words.split()}


@dataclass(frozen=True)
class Name:
    """One name of a subject; `feminine` is grammatical gender and means nothing in English."""

    singular: str
    plural: str
    feminine: bool = False


@dataclass(frozen=True)
class Subject:
    """One thing the model can draw. `code` is its code point in lower-case hexadecimal."""

    code: str
    english: tuple[Name, ...]
    spanish: tuple[Name, ...]

    @property
    def emoji(self) -> str:
        """The character itself."""
        return chr(int(self.code, 16))

    @property
    def emoji_forms(self) -> tuple[str, ...]:
        """The character, and with the variation selector keyboards add to those that may also be text."""
        selected = len(self.code) == 4 or self.code in {
            "1f577",
            "1f336",
            "1f3cd",
            "1f56f",
            "1f5e1",
            "1f6e1",
            "1f576",
        }
        return (self.emoji, self.emoji + "\ufe0f") if selected else (self.emoji,)

    @property
    def name(self) -> str:
        """The best English name."""
        return self.english[0].singular


def plural_en(word: str) -> str:
    """Regular English plural."""
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def plural_es(word: str) -> str:
    """Regular Spanish plural; nouns in -z change to -ces."""
    if word.endswith("z"):
        return word[:-1] + "ces"
    return word + ("s" if word[-1] in "aeiouáéíóú" else "es")


def _english(field: str) -> tuple[Name, ...]:
    pairs = (item.strip().partition("/") for item in field.split(","))
    return tuple(Name(one, many or plural_en(one)) for one, _, many in pairs)


def _spanish(field: str) -> tuple[Name, ...]:
    names = []
    for item in field.split(","):
        gender, _, words = item.strip().partition(" ")
        one, _, many = words.partition("/")
        names.append(Name(one, many or plural_es(one), feminine=gender == "f"))
    return tuple(names)


@lru_cache(maxsize=1)
def subjects() -> tuple[Subject, ...]:
    """Every subject, in the order of `subjects.txt`; the order is the subject's number everywhere."""
    lines = (Path(__file__).parent / "subjects.txt").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line and not line.startswith("#")]
    return tuple(Subject(code.lower(), _english(en), _spanish(es)) for code, en, es in rows)
