"""Captions for scenes, English and Spanish, tidy and messy: they name some of what is there, nothing else."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training import lexicon
from training.lexicon import COLOURS, Name, Subject
from training.scenes import Actor, Scene

_PHRASES = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text(encoding="utf-8"))
PRAISE: tuple[str, ...] = tuple(_PHRASES["praise"].split())
PRAISE_ES: tuple[str, ...] = tuple(_PHRASES["praise_es"].split())
CRAFT: tuple[str, ...] = tuple(_PHRASES["craft"])
OPENINGS: tuple[str, ...] = tuple(_PHRASES["openings"])
OPENINGS_ES: tuple[str, ...] = tuple(_PHRASES["openings_es"])
REMARKS: tuple[str, ...] = tuple(_PHRASES["remarks"])
SAMPLES: tuple[str, ...] = tuple(_PHRASES["samples"])


def unaccented(text: str) -> str:
    """The text as people in a hurry type it: *arbol*, *raton*, but the ñ stays."""
    return text.translate(str.maketrans("áéíóúü", "aeiouu"))


@dataclass
class Author:
    """Writes captions. `fillers` are words that name nothing in the lexicon."""

    subjects: Sequence[Subject]
    fillers: Sequence[str]
    rng: random.Random

    def caption(self, scene: Scene, *, styled: bool = False) -> str:
        """One caption for `scene`; another call gives another. A `styled` one always names the style."""
        roll = self.rng.random()
        if roll < 0.3:
            text = self._spanish(scene, styled=styled)
            if self.rng.random() < 0.15:
                text = unaccented(text)
        elif roll < 0.36:
            text = self._emoji(scene, styled=styled)
        else:
            text = self._english(scene, styled=styled)
        if self.rng.random() < 0.1:
            text = text.capitalize() if self.rng.random() < 0.6 else text.upper()
        return text

    def fragment(self, scene: Scene) -> str:
        """A caption of one thing only, as the parts of a weighted prompt are: ground, style or object."""
        spanish = self.rng.random() < 0.3
        ground = self._ground_es(scene) if spanish else self._ground_en(scene)
        roll = self.rng.random()
        if ground and roll < 0.6:
            return ground
        if roll < 0.75:
            names = lexicon.STYLE_NAMES_ES if spanish else lexicon.STYLE_NAMES
            return self.rng.choice(names[scene.style])
        return self._core_es(scene, messy=False) if spanish else self._core_en(scene, messy=False)

    # --- English -------------------------------------------------------------------------------------------

    def _english(self, scene: Scene, *, styled: bool = False) -> str:
        messy = self.rng.random() < 0.6
        core = self._core_en(scene, messy=messy)
        parts = [part for part in (self._place_en(scene), self._ground_en(scene)) if part]
        if self.rng.random() < 0.3:
            self.rng.shuffle(parts)
        commas = self.rng.random() < 0.25
        text = (", " if commas else " ").join([core, *parts])
        text = self._styled(text, scene, lexicon.STYLE_NAMES, "of", styled=styled)
        if scene.mono and self.rng.random() < 0.9:
            text += self.rng.choice((", black and white", ", monochrome", ", grayscale"))
        return self._messy(text, self._craft, OPENINGS) if messy else text

    def _core_en(self, scene: Scene, *, messy: bool) -> str:
        actors = scene.actors
        praise = self._praise(PRAISE) if messy else ""
        if scene.kind == "count":
            return self._counted_en(int(scene.word), actors[0], praise)
        if scene.kind in {"and", "above", "beside"}:
            first, second = (
                self._one_en(actor, "", praise if i == 0 else "") for i, actor in enumerate(actors)
            )
            if scene.kind == "above":
                return self.rng.choice(
                    (f"{first} above {second}", f"{second} below {first}", f"{first} over {second}")
                )
            if scene.kind == "beside":
                return (
                    f"{first} {self.rng.choice(('beside', 'next to', 'left of', 'to the left of'))} {second}"
                )
            pair = [first, second]
            self.rng.shuffle(pair)
            return " and ".join(pair)
        size = self.rng.choice(lexicon.SIZES[scene.word]) if scene.kind == "size" else ""
        return self._one_en(actors[0], size, praise)

    def _one_en(self, actor: Actor, size: str, praise: str) -> str:
        name = self._name(self.subjects[actor.subject].english).singular
        tint = self.rng.choice(COLOURS[actor.tint].english) if actor.tint else ""
        words = " ".join(word for word in (praise, size, tint, name) if word)
        roll = self.rng.random()
        if roll < 0.12:
            return words
        if roll < 0.22:
            return f"the {words}"
        if roll < 0.3:
            return f"one {words}"
        if praise and roll < 0.4:
            return f"{self.rng.choice(OWNERS)} {words}"
        vowel = words[0] in "aeiou" and not words.startswith(("uni", "ufo"))
        return f"{'an' if vowel else 'a'} {words}"

    def _counted_en(self, count: int, actor: Actor, praise: str) -> str:
        number = self.rng.choice(lexicon.COUNTS[count])
        name = self._name(self.subjects[actor.subject].english)
        tint = self.rng.choice(COLOURS[actor.tint].english) if actor.tint else ""
        words = (number, praise, tint, name.singular if count == 1 else name.plural)
        return " ".join(word for word in words if word)

    def _place_en(self, scene: Scene) -> str:
        return self.rng.choice(lexicon.PLACES[scene.word]) if scene.kind == "place" else ""

    def _ground_en(self, scene: Scene) -> str:
        ground = scene.ground
        if ground.kind == "soft" or self.rng.random() < 0.08:
            return ""
        if ground.kind == "scene":
            return self.rng.choice(lexicon.SCENES[ground.names[0]])
        names = [self.rng.choice(COLOURS[key].english) for key in ground.names]
        if ground.kind == "gradient":
            return f"on a {names[0]} and {names[1]} gradient background"
        forms = ("on a {} background", "on a {} background", "with a {} background", "on {}", "{} background",
                 "against a {} background", "on a plain {} background", "on a {} backdrop")  # fmt: skip
        return self.rng.choice(forms).format(names[0])

    # --- Spanish -------------------------------------------------------------------------------------------

    def _spanish(self, scene: Scene, *, styled: bool = False) -> str:
        messy = self.rng.random() < 0.5
        core = self._core_es(scene, messy=messy)
        parts = [part for part in (self._place_es(scene), self._ground_es(scene)) if part]
        commas = self.rng.random() < 0.25
        text = (", " if commas else " ").join([core, *parts])
        text = self._styled(text, scene, lexicon.STYLE_NAMES_ES, "de", styled=styled)
        if scene.mono and self.rng.random() < 0.9:
            text += self.rng.choice((", blanco y negro", ", en blanco y negro", ", escala de grises"))
        return self._messy(text, self._craft_es, OPENINGS_ES) if messy else text

    def _core_es(self, scene: Scene, *, messy: bool) -> str:
        actors = scene.actors
        if scene.kind == "count" and scene.word != "1":
            return self._counted_es(int(scene.word), actors[0])
        praise = self._praise(PRAISE_ES) if messy else ""
        if scene.kind in {"and", "above", "beside"}:
            first, second = (
                self._one_es(actor, "", praise if i == 0 else "") for i, actor in enumerate(actors)
            )
            link = {"and": "y", "above": "encima de", "beside": "junto a"}[scene.kind]
            return f"{first} {link} {second}"
        return self._one_es(actors[0], scene.word if scene.kind == "size" else "", praise)

    def _one_es(self, actor: Actor, size: str, praise: str) -> str:
        name = self._name(self.subjects[actor.subject].spanish)
        article = ("una", "la") if name.feminine else ("un", "el")
        words = [name.singular]
        if actor.tint:
            words.append(self.rng.choice(COLOURS[actor.tint].spanish)[name.feminine])
        if size:
            words.append(self.rng.choice(lexicon.SIZES_ES[size])[name.feminine])
        if praise:
            words.append(praise)
        roll = self.rng.random()
        start = "" if roll < 0.15 else f"{article[1]} " if roll < 0.25 else f"{article[0]} "
        return start + " ".join(words)

    def _counted_es(self, count: int, actor: Actor) -> str:
        name = self._name(self.subjects[actor.subject].spanish)
        words = [self.rng.choice(lexicon.COUNTS_ES[count]), name.plural]
        if actor.tint:
            words.append(lexicon.plural_es(self.rng.choice(COLOURS[actor.tint].spanish)[name.feminine]))
        return " ".join(words)

    def _place_es(self, scene: Scene) -> str:
        return self.rng.choice(lexicon.PLACES_ES[scene.word]) if scene.kind == "place" else ""

    def _ground_es(self, scene: Scene) -> str:
        ground = scene.ground
        if ground.kind == "soft" or self.rng.random() < 0.08:
            return ""
        if ground.kind == "scene":
            return self.rng.choice(lexicon.SCENES_ES[ground.names[0]])
        names = [self.rng.choice(COLOURS[key].spanish)[0] for key in ground.names]
        if ground.kind == "gradient":
            return f"sobre un fondo degradado {names[0]} y {names[1]}"
        forms = (
            "sobre un fondo {}",
            "sobre un fondo {}",
            "sobre fondo {}",
            "con un fondo {}",
            "en un fondo {}",
            "fondo {}",
        )
        return self.rng.choice(forms).format(names[0])

    # --- both ----------------------------------------------------------------------------------------------

    def _emoji(self, scene: Scene, *, styled: bool = False) -> str:
        glyphs = [self.rng.choice(self.subjects[actor.subject].emoji_forms) for actor in scene.actors]
        if scene.kind == "count" and self.rng.random() < 0.5:
            core = f"{scene.word} {glyphs[0]}"
        else:
            core = self.rng.choice(("", " ")).join(glyphs)
        tint = scene.actors[0].tint
        if tint and scene.kind != "and":
            core = f"{COLOURS[tint].english[0]} {core}"
        parts = [part for part in (self._place_en(scene), self._ground_en(scene)) if part]
        return self._styled(" ".join([core, *parts]), scene, lexicon.STYLE_NAMES, "of", styled=styled)

    def _name(self, names: tuple[Name, ...]) -> Name:
        return names[0] if self.rng.random() < 0.6 else self.rng.choice(names)

    def _styled(
        self, text: str, scene: Scene, names: dict[str, tuple[str, ...]], of: str, *, styled: bool
    ) -> str:
        roll = self.rng.random()
        if roll < 0.15:
            if not styled:
                return text
            roll = self.rng.random()
        # One number whatever the style, so that all that follows stays the same for another one.
        name = names[scene.style][int(self.rng.random() * len(names[scene.style]))]
        if roll < 0.5:
            return f"{text}, {name}"
        if roll < 0.65:
            return f"{name}, {text}"
        return f"{name} {of} {text}"

    def _praise(self, words: Sequence[str]) -> str:
        return " ".join(
            self.rng.choice(words) if self.rng.random() < 0.6 else self._filler()
            for _ in range(self.rng.randint(0, 3))
        )

    def _filler(self) -> str:
        """A word that means nothing: a real one without a place in the lexicon, or letters at random."""
        if self.rng.random() < 0.6:
            return self.rng.choice(self.fillers)
        length = self.rng.randint(2, 9)
        pairs = ("bcdfghjklmnprstvwz", "aeiou")
        return "".join(self.rng.choice(pairs[i % 2]) for i in range(length))

    def _craft(self) -> str:
        roll = self.rng.random()
        if roll < 0.35:
            return self.rng.choice(CRAFT)
        if roll < 0.75:
            return self._aside()
        return " ".join(self._filler() for _ in range(self.rng.randint(1, 3)))

    def _craft_es(self) -> str:
        return self._aside() if self.rng.random() < 0.3 else self._filler()

    def _aside(self) -> str:
        """What looks as if it asked for something: names joined by *and*, years, lenses, a *with* or *in*."""
        rng, roll = self.rng, self.rng.random()
        if roll < 0.25:
            more = f" {rng.choice(('and', '&', 'y'))} {self._run(1, 2)}" if rng.random() < 0.6 else ""
            return f"{rng.choice(CREDITS)} {self._run(1, 2)}{more}".strip()
        if roll < 0.45:
            return f"{rng.choice(DATES)} {rng.randint(1400, 2099)}".strip()
        if roll < 0.65:
            size = rng.choice((rng.randint(0, 9), rng.randint(10, 99), rng.randint(100, 1000)))
            return rng.choice(MEASURES).format(size, rng.randint(0, 9))
        if roll < 0.85:
            return f"{rng.choice(JOINTS)} {self._run(1, 3)}"
        return rng.choice(REMARKS)

    def _messy(self, text: str, more: Callable[[], str], openings: Sequence[str]) -> str:
        """`text` among words that name nothing: before it, straight after it, and strung behind it."""
        rng = self.rng
        opening = rng.random()
        if opening < 0.2:
            text = f"{rng.choice(openings)} {text}"
        elif opening < 0.35:
            text = f"{more()}{rng.choice((', ', ' ', ': '))}{text}"
        elif opening < 0.5:
            text = f"{self._run(1, 4)} {rng.choice(LINKS)} {text}"
        if rng.random() < 0.4:
            text = f"{text} {self._run(1, 5)}"
        joint = rng.choice((", ", ", ", ", ", " | ", " ", ". "))
        text = joint.join([text, *(more() for _ in range(rng.randint(0, 6)))])
        return text + rng.choice(ENDINGS)

    def _run(self, least: int, most: int) -> str:
        """Words that name nothing, with the small words of a sentence among them."""
        words = [self._filler() for _ in range(self.rng.randint(least, most))]
        return " ".join(
            f"{self.rng.choice(SMALL_WORDS)} {word}" if self.rng.random() < 0.3 else word for word in words
        )


# Small words of sentences. They too mean nothing, and none is a token of its own.
OWNERS = ("my", "our", "her", "his", "this", "that", "some", "your", "my friend's", "another")
LINKS = ("of", "of", "about", "showing", "for", "from", "with")
SMALL_WORDS = (
    "as",
    "by",
    "from",
    "during",
    "its",
    "while",
    "so",
    "very",
    "such",
    "like",
    "through",
    "into",
    "is",
)
ENDINGS = ("", "", "", "", "", ".", "!", "!!", "...", "?", " :)")

CREDITS = ("by", "art by", "in the style of", "inspired by", "from", "after", "")
DATES = ("in", "from", "circa", "since", "around", "", "year", "the")
MEASURES = ("{}mm", "{}k", "f/{1}.{1}", "iso {}", "v{1}", "no. {}", "{}%", "{} fps", "{}px", "#{}", "{1}:{1}",
            "- {}k", "{} bit", "{}", "{}th", "chapter {1}", "${}", "{}s", "{1}.{1}")  # fmt: skip
JOINTS = (
    "with",
    "with a",
    "in",
    "in a",
    "in the",
    "on",
    "on a",
    "at",
    "at the",
    "and",
    "and a",
    "under",
    "to",
)

GRAMMAR = (
    "a an the one of on in with and or to next left above below beside over against plain background "
    "backdrop gradient monochrome grayscale draw single"
)
GRAMMAR_ES = "un una el la los las de y con sobre en al junto encima fondo degradado escala grises dibuja"


def english_words(subjects: Sequence[Subject]) -> frozenset[str]:
    """Every English word that means something in a caption."""
    phrases = [GRAMMAR]
    phrases += [
        form for subject in subjects for name in subject.english for form in (name.singular, name.plural)
    ]
    phrases += [name for colour in COLOURS.values() for name in colour.english]
    tables = (lexicon.STYLE_NAMES, lexicon.SCENES, lexicon.PLACES, lexicon.COUNTS, lexicon.SIZES)
    phrases += [phrase for table in tables for group in table.values() for phrase in group]
    return frozenset(word for phrase in phrases for word in phrase.split())


def spanish_words(subjects: Sequence[Subject]) -> frozenset[str]:
    """Every Spanish word that means something in a caption, with and without its accents."""
    phrases = [GRAMMAR_ES]
    phrases += [
        form for subject in subjects for name in subject.spanish for form in (name.singular, name.plural)
    ]
    pairs = [pair for colour in COLOURS.values() for pair in colour.spanish]
    pairs += [pair for group in lexicon.SIZES_ES.values() for pair in group]
    phrases += [form for pair in pairs for word in pair for form in (word, lexicon.plural_es(word))]
    tables = (lexicon.STYLE_NAMES_ES, lexicon.SCENES_ES, lexicon.PLACES_ES, lexicon.COUNTS_ES)
    phrases += [phrase for table in tables for group in table.values() for phrase in group]
    words = {word for phrase in phrases for word in phrase.split()}
    return frozenset(words | {unaccented(word) for word in words})


def known_words(subjects: Sequence[Subject]) -> frozenset[str]:
    """Every word that means something in a caption; fillers must not be among them."""
    return english_words(subjects) | spanish_words(subjects)


def filler_words(words: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """Those of `words` that cannot be mistaken for a known one, nor for a form of it."""
    stems = {word[:4] for word in known if len(word) > 3}
    return tuple(word for word in words if word not in known and word[:4] not in stems)
