"""What a picture is made of: medium, light, perspective and style; which are missing and which contradict."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from zlib import crc32

from parser.canonical import canonical
from parser.coach.advice import Advice, Facts, Language, Option, Rule
from parser.coach.draft import Draft
from parser.coach.words import words
from parser.scanner import Span


class Aspect(StrEnum):
    """What can be said of a picture besides what is in it."""

    MEDIUM = "medium"
    LIGHT = "light"
    PERSPECTIVE = "perspective"
    STYLE = "style"


OPEN = 2  # so many aspects may be left open without a word about it
_HINTS: Mapping[Aspect, str] = MappingProxyType(
    {
        Aspect.MEDIUM: (
            "photo|photograph|photography|photorealistic|painting|painted|watercolou?r|oil|gouache|"
            "acrylic|ink|sketch|"
            "drawing|illustration|render|rendering|3d|pixel art|sculpture|statue|poster|print|logo|icon|"
            "emoji|vector|"
            "mosaic|collage|comic|manga|anime|cartoon|engraving|woodcut|linocut|pencil|charcoal|pastel|"
            "mural|graffiti|"
            "stained glass|tapestry|embroidery|origami|clay|claymation|polaroid|film still|sticker|"
            "blueprint|diagram|"
            "tattoo|fresco|lego|papercut|low poly|sprite|"
            "foto|fotografía|pintura|acuarela|óleo|tinta|boceto|dibujo|ilustración|escultura|estatua|"
            "cartel|póster|"
            "grabado|mosaico|cómic|lápiz|carboncillo|mural|vidriera|icono|pegatina|caricatura"
        ),
        Aspect.LIGHT: (
            "light|lights|lit|lighting|sunlight|sunlit|moonlight|moonlit|candlelight|candlelit|backlit|"
            "backlight|"
            "golden hour|blue hour|sunset|sunrise|dawn|dusk|twilight|night|midnight|noon|daylight|"
            "morning|evening|"
            "shadow|shadows|shadowy|glow|glowing|neon|bright|dark|dim|foggy|fog|mist|misty|haze|hazy|"
            "overcast|sunny|"
            "rim light|chiaroscuro|silhouette|lamp|lantern|lanterns|fire|firelight|starry|storm|stormy|"
            "luz|luces|iluminad[oa]|iluminación|sol|soleado|luna|vela|velas|atardecer|amanecer|anochecer|"
            "noche|"
            "mediodía|mañana|tarde|sombra|sombras|contraluz|neón|niebla|brillante|oscur[oa]|penumbra|"
            "farol|fuego"
        ),
        Aspect.PERSPECTIVE: (
            "close[ -]?up|macro|wide[ -](?:shot|angle)|long shot|medium shot|full[ -]body|portrait|bust|"
            "headshot|"
            "aerial|bird['’]?s[ -]eye|worm['’]?s[ -]eye|from (?:above|below|behind|afar|the side|space)|"
            "(?:low|high|eye)[ -](?:angle|level)|top[ -](?:view|down)|side view|front view|back view|"
            "profile|isometric|"
            "panorama|panoramic|first[ -]person|over the shoulder|fisheye|symmetrical|centered|centred|"
            "flat lay|"
            "cross[ -]section|in the (?:distance|foreground|corner)|on the (?:left|right)|point of view|"
            "pov|telephoto|"
            "retrato|primer plano|plano general|plano medio|cuerpo entero|vista|desde (?:arriba|abajo|"
            "lejos|atrás)|"
            "cenital|contrapicado|picado|perfil|isométric[oa]|panorámic[oa]|a lo lejos|busto|macrofotografía"
        ),
        Aspect.STYLE: (
            "style|styled|impressionist|impressionism|expressionist|cubist|cubism|surreal|surrealist|"
            "baroque|rococo|"
            "renaissance|gothic|romantic|art deco|art nouveau|bauhaus|minimalist|minimalism|minimal|"
            "maximalist|abstract|"
            "pop art|cyberpunk|steampunk|solarpunk|vaporwave|synthwave|retro|vintage|noir|futuristic|"
            "medieval|"
            "fairy[ -]?tale|storybook|ukiyo-e|flat|realistic|photorealistic|hyperrealistic|geometric|"
            "psychedelic|"
            "cinematic|documentary|editorial|kawaii|cute|anime|manga|cartoon|comic|ghibli|victorian|"
            "brutalist|"
            "black and white|monochrome|sepia|pixel art|low poly|children['’]s book|"
            "estilo|impresionista|expresionista|cubista|surrealista|barroc[oa]|gótic[oa]|renacentista|"
            "minimalista|"
            "abstract[oa]|realista|futurista|geométric[oa]|cinematográfic[oa]|retro|blanco y negro|"
            "modernista|"
            "caricatura|cuento de hadas|medieval"
        ),
    }
)
_SAID = {
    aspect: re.compile(rf"(?<![\w-])(?:{hints})(?![\w-])", re.IGNORECASE) for aspect, hints in _HINTS.items()
}
_NAMES = {
    Language.ENGLISH: {aspect: aspect.value for aspect in Aspect},
    Language.SPANISH: {
        Aspect.MEDIUM: "la técnica",
        Aspect.LIGHT: "la luz",
        Aspect.PERSPECTIVE: "la perspectiva",
        Aspect.STYLE: "el estilo",
    },
}
_AND = {Language.ENGLISH: "and", Language.SPANISH: "y"}
_PHRASES: Mapping[Language, Mapping[Aspect, Sequence[str]]] = MappingProxyType(
    {
        Language.ENGLISH: {
            Aspect.MEDIUM: ("watercolor", "oil painting", "35mm photo", "ink drawing", "3d render"),
            Aspect.LIGHT: (
                "golden hour light",
                "soft morning light",
                "moonlight",
                "neon light",
                "candlelight",
            ),
            Aspect.PERSPECTIVE: ("close-up", "wide shot", "seen from above", "low angle", "isometric view"),
            Aspect.STYLE: (
                "art deco style",
                "minimalist style",
                "storybook style",
                "baroque style",
                "pop art style",
            ),
        },
        Language.SPANISH: {
            Aspect.MEDIUM: (
                "acuarela",
                "pintura al óleo",
                "foto de 35 mm",
                "dibujo a tinta",
                "ilustración en 3d",
            ),
            Aspect.LIGHT: ("luz dorada", "luz suave de mañana", "luz de luna", "luz de neón", "luz de velas"),
            Aspect.PERSPECTIVE: (
                "primer plano",
                "plano general",
                "vista desde arriba",
                "contrapicado",
                "vista isométrica",
            ),
            Aspect.STYLE: (
                "estilo modernista",
                "estilo minimalista",
                "estilo barroco",
                "estilo futurista",
                "estilo retro",
            ),
        },
    }
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things that cannot both hold of one picture."""

    first: re.Pattern[str]
    second: re.Pattern[str]
    nested: bool = False  # whether one may be of the other: a photo of a watercolor


def _pair(first: str, second: str, *, nested: bool = False) -> Pair:
    one, other = (re.compile(rf"(?<![\w-])(?:{each})(?![\w-])", re.IGNORECASE) for each in (first, second))
    return Pair(one, other, nested)


_PAIRS = (
    _pair(
        "at night|night(?:time)?|midnight|moonlit|de noche|medianoche",
        "noon|midday|daylight|a mediodía|mediodía",
    ),
    _pair("sunrise|dawn|amanecer", "sunset|dusk|atardecer|anochecer"),
    _pair(
        "black and white|black-and-white|monochrome|grayscale|greyscale|blanco y negro|monocromo|"
        "monocromátic[oa]",
        "colou?rful|vivid colou?rs|vibrant colou?rs|rainbow|full colou?r|coloridos?|coloridas?|colores vivos|"
        "colores vibrantes|arcoíris",
    ),
    _pair(
        "close[ -]?up|macro|primer plano|primerísimo plano",
        "wide[ -]shot|aerial view|aerial shot|bird['’]?s[ -]eye view|panorama|panoramic view|plano general|"
        "vista aérea|vista panorámica",
    ),
    _pair("from above|top[ -]down|desde arriba", "from below|low[ -]angle|desde abajo|contrapicado"),
    _pair(
        "minimalist|minimalism|minimal|minimalista",
        "maximalist|cluttered|ornate|intricate|highly detailed|overloaded|recargad[oa]|muy detallad[oa]|"
        "abarrotad[oa]",
    ),
    _pair(
        "photorealistic|photo|photograph|foto|fotografía|fotorrealista",
        "cartoon|anime|watercolou?r|oil painting|pixel art|line art|vector art|pencil sketch|caricatura|"
        "acuarela|"
        "pintura al óleo|dibujo a lápiz",
        nested=True,
    ),
    _pair(
        "empty street|deserted|calle vacía|desiert[oa]",
        "crowded|crowd of people|bustling|multitud|abarrotad[oa]",
    ),
    _pair("symmetrical|symmetric|simétric[oa]", "asymmetrical|asymmetric|asimétric[oa]"),
    _pair(
        "blurry|out of focus|borros[oa]|desenfocad[oa]",
        "tack[ -]sharp|razor[ -]sharp|in sharp focus|muy nítid[oa]",
    ),
)
# Both on purpose: "half day, half night", "from day to night".
_MEANT = re.compile(
    r"\b(?:half|versus|vs\.?|turning|becoming|turns|split|contrast|between|into|transition|juxtaposed|"
    r"mitad|contra|entre|convertido|contraste|transición)\b|\bto\b",
    re.IGNORECASE,
)
_NESTED = re.compile(r"\bof\b|\bde\b", re.IGNORECASE)
_ARTICLE = r"(?:(?<![\w-])(?:an?|the|una?|el|la|los|las)\s+)?"


def missing(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Offer a medium, a light, a perspective and a style, where most of them are left open."""
    open_ = [aspect for aspect in Aspect if not _SAID[aspect].search(draft.whole)]
    if len(open_) <= OPEN or not draft.text:
        return None
    said = words(language, Rule.MISSING)
    names = [_NAMES[language][aspect] for aspect in open_]
    listed = f"{', '.join(names[:-1])} {_AND[language]} {names[-1]}"
    turn = crc32(draft.text.encode())  # another prompt gets other ideas, the same one always the same
    phrases = [_PHRASES[draft.language][aspect][turn % 5] for aspect in open_]
    options: tuple[Option, ...] = ()
    if "::" not in draft.text:
        text = draft.text.rstrip(" ,.;")
        options = tuple(
            Option(said.label.format(phrase=phrase), draft.with_text(f"{text}, {phrase}"))
            for phrase in phrases
        )
    return Advice(Rule.MISSING, said.reason.format(aspects=listed), said.example, options, offer=True)


def contradiction(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise to keep one of two things that pull against each other."""
    for pair in _PAIRS:
        first, second = (next(draft.find(each), None) for each in (pair.first, pair.second))
        if first is None or second is None or _are_meant(draft.text, pair, first.span(), second.span()):
            continue
        return _either(draft, first.span(), second.span(), language)
    return _unwanted(draft, language)


def _are_meant(text: str, pair: Pair, first: Span, second: Span) -> bool:
    """Return whether the words between say that both are wanted, or the two stand in different parts."""
    start, stop = sorted((first, second))
    between = text[start[1] : stop[0]]
    if "::" in between or start[1] > stop[0] or _MEANT.search(text[max(0, start[0] - 10) : stop[0]]):
        return True
    return pair.nested and _NESTED.search(between) is not None


def _either(draft: Draft, first: Span, second: Span, language: Language) -> Advice:
    said = words(language, Rule.CONTRADICTION)
    one, other = draft.text[slice(*first)], draft.text[slice(*second)]
    options = tuple(
        Option(said.label.format(kept=kept), draft.without([dropped]))
        for kept, dropped in ((one, _with_joint(draft.text, second)), (other, _with_joint(draft.text, first)))
    )
    return Advice(Rule.CONTRADICTION, said.reason.format(first=one, second=other), said.example, options)


def _with_joint(text: str, span: Span) -> Span:
    """Return *span* with the preposition before it, which would be left hanging: ``at noon``."""
    start, stop = span
    alone = re.match(r"\s*(?:[,;.]|::|$)", text[stop:])
    joint = re.search(
        r"(?:(?<=\s)|^)(?:at|in|by|during|under|with|and|en|a|al|de|con|bajo|y)(?:\s+(?:the|el|la))?\s+$",
        text[:start],
    )
    return (joint.start(), stop) if joint is not None and alone is not None else span


def _unwanted(draft: Draft, language: Language) -> Advice | None:
    """Say so if ``--no`` keeps out what the text asks for in the same words."""
    if draft.request is None:
        return None
    for item in draft.request.negative:
        asked = re.compile(rf"{_ARTICLE}(?<![\w-])({re.escape(item)})(?![\w-])", re.IGNORECASE)
        match = next(draft.find(asked), None)
        if match is None:
            continue
        said = words(language, Rule.CONTRADICTION)
        left = tuple(each for each in draft.request.negative if each != item)
        kept = canonical(draft.request.model_copy(update={"negative": left}))
        rest = draft.without([match.span()])
        empty = not rest.removesuffix(draft.tail).removeprefix(draft.images).strip()
        options = (
            Option(said.label.format(kept=match.group(1)), kept),
            Option(said.label.format(kept=f"--no {item}"), rest),
        )
        reason = said.reason.format(first=match.group(1), second=f"--no {item}")
        return Advice(Rule.CONTRADICTION, reason, said.example, options[:1] if empty else options)
    return None
