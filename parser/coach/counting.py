"""How many there are of what is drawn: a plural alone leaves it open."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from parser.coach.advice import Advice, Facts, Language, Option, Rule
from parser.coach.draft import Draft
from parser.coach.language import vocabulary
from parser.coach.speech import denied
from parser.coach.words import words
from parser.scanner import Span

# Living beings and things of which one thinks one by one; not what fills a ground, such as leaves or stars.
_ENGLISH = {
    "cats": "a clowder of cats",
    "kittens": "a litter of kittens",
    "dogs": "a pack of dogs",
    "puppies": "a litter of puppies",
    "wolves": "a pack of wolves",
    "foxes": "a skulk of foxes",
    "lions": "a pride of lions",
    "tigers": "an ambush of tigers",
    "bears": "a sleuth of bears",
    "elephants": "a herd of elephants",
    "horses": "a herd of horses",
    "cows": "a herd of cows",
    "goats": "a herd of goats",
    "pigs": "a drove of pigs",
    "zebras": "a herd of zebras",
    "giraffes": "a tower of giraffes",
    "monkeys": "a troop of monkeys",
    "rabbits": "a colony of rabbits",
    "mice": "a nest of mice",
    "birds": "a flock of birds",
    "ducks": "a raft of ducks",
    "geese": "a gaggle of geese",
    "chickens": "a flock of chickens",
    "crows": "a murder of crows",
    "ravens": "an unkindness of ravens",
    "owls": "a parliament of owls",
    "eagles": "a convocation of eagles",
    "parrots": "a pandemonium of parrots",
    "flamingos": "a flamboyance of flamingos",
    "penguins": "a colony of penguins",
    "dolphins": "a pod of dolphins",
    "whales": "a pod of whales",
    "sharks": "a shiver of sharks",
    "fishes": "a school of fish",
    "turtles": "a bale of turtles",
    "frogs": "an army of frogs",
    "snakes": "a nest of snakes",
    "bees": "a swarm of bees",
    "ants": "a colony of ants",
    "butterflies": "a kaleidoscope of butterflies",
    "spiders": "a cluster of spiders",
    "dragons": "a flight of dragons",
    "unicorns": "a blessing of unicorns",
    "robots": "an army of robots",
    "aliens": "a party of aliens",
    "ghosts": "a fright of ghosts",
    "zombies": "a horde of zombies",
    "people": "a crowd of people",
    "men": "a group of men",
    "women": "a group of women",
    "children": "a group of children",
    "kids": "a bunch of kids",
    "boys": "a group of boys",
    "girls": "a group of girls",
    "soldiers": "a troop of soldiers",
    "knights": "a company of knights",
    "pirates": "a crew of pirates",
    "dancers": "a troupe of dancers",
    "cars": "a line of cars",
    "ships": "a fleet of ships",
    "boats": "a fleet of boats",
    "airplanes": "a squadron of airplanes",
    "balloons": "a bunch of balloons",
    "apples": "a bowl of apples",
    "mushrooms": "a cluster of mushrooms",
    "cupcakes": "a tray of cupcakes",
}
_SPANISH = {
    "gatos": "una colonia de gatos",
    "gatitos": "una camada de gatitos",
    "perros": "una jauría de perros",
    "cachorros": "una camada de cachorros",
    "lobos": "una manada de lobos",
    "zorros": "un grupo de zorros",
    "leones": "una manada de leones",
    "tigres": "un grupo de tigres",
    "osos": "un grupo de osos",
    "elefantes": "una manada de elefantes",
    "caballos": "una manada de caballos",
    "vacas": "un rebaño de vacas",
    "cabras": "un rebaño de cabras",
    "ovejas": "un rebaño de ovejas",
    "cerdos": "una piara de cerdos",
    "cebras": "una manada de cebras",
    "jirafas": "una manada de jirafas",
    "monos": "una tropa de monos",
    "conejos": "una colonia de conejos",
    "ratones": "un nido de ratones",
    "pájaros": "una bandada de pájaros",
    "aves": "una bandada de aves",
    "patos": "una bandada de patos",
    "gansos": "una bandada de gansos",
    "cuervos": "una bandada de cuervos",
    "búhos": "un grupo de búhos",
    "loros": "una bandada de loros",
    "flamencos": "una bandada de flamencos",
    "pingüinos": "una colonia de pingüinos",
    "delfines": "un grupo de delfines",
    "ballenas": "un grupo de ballenas",
    "tiburones": "un grupo de tiburones",
    "peces": "un banco de peces",
    "tortugas": "un grupo de tortugas",
    "ranas": "un coro de ranas",
    "abejas": "un enjambre de abejas",
    "hormigas": "una colonia de hormigas",
    "mariposas": "una nube de mariposas",
    "arañas": "un grupo de arañas",
    "dragones": "un grupo de dragones",
    "unicornios": "una manada de unicornios",
    "robots": "un ejército de robots",
    "extraterrestres": "un grupo de extraterrestres",
    "fantasmas": "un grupo de fantasmas",
    "zombis": "una horda de zombis",
    "personas": "una multitud de personas",
    "hombres": "un grupo de hombres",
    "mujeres": "un grupo de mujeres",
    "niños": "un grupo de niños",
    "niñas": "un grupo de niñas",
    "soldados": "una tropa de soldados",
    "caballeros": "una compañía de caballeros",
    "piratas": "una tripulación de piratas",
    "coches": "una fila de coches",
    "barcos": "una flota de barcos",
    "aviones": "una escuadrilla de aviones",
    "globos": "un racimo de globos",
    "manzanas": "una cesta de manzanas",
    "setas": "un grupo de setas",
}
COLLECTIVES: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {Language.ENGLISH: _ENGLISH, Language.SPANISH: _SPANISH}
)
_PLURAL = {
    language: re.compile(rf"(?<![\w'’-])(?:{'|'.join(found)})(?![\w-]|['’]\w)", re.IGNORECASE)
    for language, found in COLLECTIVES.items()
}
_THREE = {Language.ENGLISH: "three", Language.SPANISH: "tres"}
_QUANTITIES = vocabulary(
    "two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty fifty hundred "
    "thousand million dozen dozens hundreds thousands many several few some pair couple trio all both every "
    "countless multiple various numerous lots lot more most no without these those different "
    "dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cincuenta cien mil "
    "docena "
    "muchos muchas varios varias pocos pocas algunos algunas unos unas par trío todos todas ambos ambas "
    "cientos miles innumerables sin ningún ninguna estos estas cada"
)
_OF = frozenset(("of", "de"))
# In "a photo of cats" the word before "of" tells no number; in "a herd of cats" it does.
_MEDIA = vocabulary(
    "photo photograph photography picture pictures image painting portrait drawing sketch "
    "illustration render "
    "rendering view shot close-up closeup scene logo icon poster sticker pattern statue sculpture figurine "
    "watercolor watercolour style front made out head heads face faces cartoon collage selfie "
    "foto fotografía imagen pintura retrato dibujo boceto ilustración vista plano escena logotipo icono "
    "cartel "
    "estatua escultura acuarela estilo delante cabeza cara caricatura"
)
_BOUNDARIES = vocabulary(
    "of with and or in on at by near under over behind beside from to for like as a an the my his "
    "her their our "
    "de con y e o u en sobre bajo para por junto a los las mis sus el la"
)
_DETERMINERS = vocabulary("a an the my his her their our los las mis sus el la")
_ADJECTIVES = vocabulary(
    "red orange yellow green blue purple pink brown black white grey gray golden silver big large huge giant "
    "little small tiny young baby old cute happy sad angry wild fluffy furry fat thin tall short sleepy "
    "playful "
    "friendly colourful colorful robotic ghostly hungry wet"
)
_BEFORE = re.compile(r"[\w'’-]+|[^\w\s]")
_LOOK_BACK = 4  # words in which a quantity may stand before its noun


def count(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise a number or a collective noun for a plural that has neither."""
    of = draft.language
    away = {place for span in denied(draft) for place in range(*span)}
    plurals = (match for match in draft.find(_PLURAL[of]) if match.start() not in away)
    match = next((match for match in plurals if not _is_counted(draft.text, match.start())), None)
    if match is None:
        return None
    said = words(language, Rule.COUNT)
    phrases = _phrases(draft, match.span(), of)
    options = tuple(
        Option(
            said.label.format(phrase=phrase),
            draft.with_text(draft.text[:at] + phrase + draft.text[match.end() :]),
        )
        for at, phrase in phrases
    )
    return Advice(Rule.COUNT, said.reason.format(found=match.group()), said.example, options)


def _words_before(text: str, start: int) -> list[tuple[str, int]]:
    """Return the last words before *start* in its clause, the nearest first, with their places."""
    near = max(0, start - 80)
    found = [(match.group().casefold(), near + match.start()) for match in _BEFORE.finditer(text[near:start])]
    before: list[tuple[str, int]] = []
    for word, at in reversed(found):
        if not (word[0].isalnum()) or len(before) == _LOOK_BACK:
            break
        before.append((word, at))
    return before


def _is_counted(text: str, start: int) -> bool:
    """Return whether a quantity stands before the plural at *start*, or a word such as ``herd of``."""
    before = [word for word, _ in _words_before(text, start)]
    for index, word in enumerate(before):
        if word.isdigit() or word in _QUANTITIES:
            return True
        if word in _OF:
            return index + 1 < len(before) and before[index + 1] not in _MEDIA
        if word in _BOUNDARIES and word not in _DETERMINERS:
            return False
    return False


def _phrases(draft: Draft, span: Span, language: Language) -> list[tuple[int, str]]:
    """Return what to write in place of the plural, and from where on; nothing where that is unclear."""
    start, stop = span
    noun = draft.text[start:stop]
    at = start
    before = _words_before(draft.text, start)
    while before and before[0][0] in _ADJECTIVES:
        at = before.pop(0)[1]
    if before and before[0][0] not in _BOUNDARIES:
        return []
    described = draft.text[at:stop] if at else draft.text[0].lower() + draft.text[1:stop]
    three = (at, f"{_THREE[language]} {described}")
    if before and before[0][0] in _DETERMINERS:
        return [three]
    kind, _, name = COLLECTIVES[language][noun.casefold()].rpartition(" ")
    return [three, (at, f"{kind} {described[: -len(noun)]}{name}")]
