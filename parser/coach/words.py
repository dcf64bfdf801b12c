"""What the coach says, in each language: for every rule a reason of one line, an example, a label."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from parser.coach.advice import Language, Rule


@dataclass(frozen=True, slots=True)
class Words:
    """The words for one rule; places in braces are filled by the rule.

    Attributes:
        reason: What the prompt does, and why another way is better.
        example: ``before → after``.
        label: What following it comes to, for a button.
    """

    reason: str
    example: str
    label: str


_ENGLISH = {
    Rule.COMMAND: Words(
        "“{found}” speaks to me; I draw what I read. Begin with the picture itself.",
        "please draw me a fox → a fox",
        "Begin with the picture",
    ),
    Rule.WITHOUT: Words(
        "What a prompt names tends to appear, even after “{found}”. `--no` really keeps it out.",
        "a man without an umbrella → a man --no umbrella",
        "--no {items}",
    ),
    Rule.NEGATION: Words(
        "“{found}” is read for its nouns, and the “not” is lost. Name it behind `--no`.",
        "a street, do not show cars → a street --no cars",
        "--no {items}",
    ),
    Rule.CONTRADICTION: Words(
        "“{first}” and “{second}” pull against each other; the picture ends up between them. Keep one.",
        "a night street at noon → a night street",
        "Keep “{kept}”",
    ),
    Rule.WEIGHTS: Words(
        "The weights nearly cancel each other ({total} is left of {positive}). Half of the positive ones is "
        "already the strongest pull; more only endangers the picture.",
        "a garden:: red::-.95 → a garden:: red::-.5",
        "Weaken the negatives",
    ),
    Rule.WINDOW: Words(
        "The model reads about {window} tokens (near {words} words) at a time, and this has about "
        "{tokens}: what "
        "stands behind counts less. Put what matters first and drop the rest.",
        "a very long tale about a fox … → a fox in a snowy forest at dusk",
        "Keep what fits",
    ),
    Rule.DETAILS: Words(
        "{n} small things compete here, and each gets little. One strong idea and a few details work better.",
        "a hall, chandelier, carpet, two mirrors, … → a ballroom lit by one great chandelier",
        "Keep the first {kept}",
    ),
    Rule.COUNT: Words(
        "“{found}” leaves open how many there are. Say a number, or use a collective noun.",
        "cats → three cats, a clowder of cats",
        "{phrase}",
    ),
    Rule.PRAISE: Words(
        "“{found}” says that it should be good, not what it looks like. Say what you see instead.",
        "a stunning, beautiful lake → a lake, mirror-still, at first light",
        "Leave praise out",
    ),
    Rule.MISSING: Words(
        "Nothing is said of {aspects}; what you leave open is left to chance.",
        "a fox → a fox, watercolor, golden hour light, close-up",
        "+ {phrase}",
    ),
}
_SPANISH = {
    Rule.COMMAND: Words(
        "«{found}» me habla a mí; yo dibujo lo que leo. Empieza por la imagen misma.",
        "por favor, dibújame un zorro → un zorro",
        "Empezar por la imagen",
    ),
    Rule.WITHOUT: Words(
        "Lo que el texto nombra suele aparecer, incluso tras «{found}». `--no` sí lo deja fuera.",
        "un hombre sin paraguas → un hombre --no paraguas",
        "--no {items}",
    ),
    Rule.NEGATION: Words(
        "De «{found}» se leen los sustantivos y el «no» se pierde. Nómbralo detrás de `--no`.",
        "una calle, no muestres coches → una calle --no coches",
        "--no {items}",
    ),
    Rule.CONTRADICTION: Words(
        "«{first}» y «{second}» tiran en sentidos opuestos; la imagen queda a medias. Deja una.",
        "una calle de noche a mediodía → una calle de noche",
        "Dejar «{kept}»",
    ),
    Rule.WEIGHTS: Words(
        "Los pesos casi se anulan (quedan {total} de {positive}). La mitad de los positivos ya es el "
        "tirón más "
        "fuerte; más solo pone en peligro la imagen.",
        "un jardín:: rojo::-.95 → un jardín:: rojo::-.5",
        "Suavizar los negativos",
    ),
    Rule.WINDOW: Words(
        "El modelo lee unos {window} tokens (cerca de {words} palabras) cada vez, y aquí hay unos "
        "{tokens}: lo "
        "que va detrás cuenta menos. Pon lo importante primero y quita el resto.",
        "un cuento muy largo de un zorro … → un zorro en un bosque nevado al atardecer",
        "Dejar lo que cabe",
    ),
    Rule.DETAILS: Words(
        "Aquí compiten {n} detalles y a cada uno le toca poco. Una idea fuerte y pocos detalles "
        "funcionan mejor.",
        "un salón, lámpara, alfombra, dos espejos, … → un salón de baile con una gran lámpara",
        "Dejar los {kept} primeros",
    ),
    Rule.COUNT: Words(
        "«{found}» no dice cuántos son. Di un número o usa un nombre colectivo.",
        "gatos → tres gatos, un grupo de gatos",
        "{phrase}",
    ),
    Rule.PRAISE: Words(
        "«{found}» dice que debe ser bueno, no cómo se ve. Di qué se ve.",
        "un lago hermoso e increíble → un lago en calma con la primera luz",
        "Quitar los elogios",
    ),
    Rule.MISSING: Words(
        "No se dice nada de {aspects}; lo que dejas abierto queda al azar.",
        "un zorro → un zorro, acuarela, luz dorada, primer plano",
        "+ {phrase}",
    ),
}
_WORDS: Mapping[Language, Mapping[Rule, Words]] = MappingProxyType(
    {Language.ENGLISH: _ENGLISH, Language.SPANISH: _SPANISH}
)


def words(language: Language, rule: Rule) -> Words:
    """Return the words for *rule*."""
    return _WORDS[language][rule]
