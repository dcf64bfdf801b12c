"""What a prompt says of things that should not be there, and to whom it speaks: moved out of the text."""

import re
from collections.abc import Iterator

from parser.coach.advice import Advice, Facts, Language, Option, Rule
from parser.coach.draft import Draft, tidied
from parser.coach.language import vocabulary
from parser.coach.words import words
from parser.scanner import Span

_WORD = r"[^\W\d_][\w'’-]*"
_STOPS = {
    Language.ENGLISH: vocabulary(
        "in on at by near under over above below behind beside beneath through with within from to "
        "into onto for "
        "while and or nor but that who which whose is are was were as during against around inside outside "
        "between among along across beyond like so because if when where before after than then"
    ),
    Language.SPANISH: vocabulary(
        "en con por para sobre bajo y e o u ni que al del junto frente desde hasta entre a ante tras "
        "mientras "
        "como cuando donde pero porque si es son está están"
    ),
}
_SKIPPED = {
    Language.ENGLISH: vocabulary("a an the any any of his her its their my your visible single one more"),
    Language.SPANISH: vocabulary(
        "un una unos unas el la los las ningún ningun ninguna ninguno ningunos ningunas su sus más "
        "mas nada de"
    ),
}
_OF = {Language.ENGLISH: "of", Language.SPANISH: "de"}
_OR = {Language.ENGLISH: frozenset(("or", "nor")), Language.SPANISH: frozenset(("ni", "o", "u"))}
_NEAR = 120  # characters in which the names of what is denied stand
_LONGEST = {Language.ENGLISH: 3, Language.SPANISH: 2}  # words of a thing's name
_ACTING = {  # a word that tells what somebody does ends the name of the thing before it
    Language.ENGLISH: re.compile(r"\w{2,}(?:ing)$", re.IGNORECASE),
    Language.SPANISH: re.compile(r"\w{2,}(?:[ai]d[oa]s?|ando|iendo)$", re.IGNORECASE),
}
_THINGS_IN_ING = vocabulary(
    "building buildings clothing painting lighting ceiling railing ring wing king string earring writing "
    "lettering packaging piercing"
)
# Not about something that is missing.
_IDIOMS = vocabulary(
    "one longer matter doubt man's man’s end entry parking smoking limits limit way problem go less "
    "more other "
    "words borders nonsense title background-check fin embargo techo título titulo duda límites limites "
    "palabras fronteras igual cesar"
)
_SIGNS = vocabulary("sign signs symbol symbols sticker stickers señal señales letrero cartel")
_TOKENS = re.compile(rf"{_WORD}|[^\s]")

_WITHOUT = {
    Language.ENGLISH: re.compile(
        r"\b(?:(?:that|which|who)\s+)?(?:(?:with|has|have|having|wearing|containing|showing|"
        r"there\s+(?:is|are)|"
        r"there['’]s|and)\s+)?(?:without|no|zero)\s+(?=[^\W\d_])",
        re.IGNORECASE,
    ),
    Language.SPANISH: re.compile(
        r"\b(?:(?:que|y|con)\s+)?(?:sin|no\s+(?:tiene|tienen|tenga|tengan|lleva|llevan|lleve|haya|hay)|"
        r"cero)\s+(?=[^\W\d_])",
        re.IGNORECASE,
    ),
}
_NEGATED = {
    Language.ENGLISH: re.compile(
        r"\b(?:(?:that|which|who|and|but|please)\s+)?(?:"
        r"(?:do\s+not|don['’]?t|never|must\s+not|should\s+not|shouldn['’]t|can\s+not|cannot)\s+"
        r"(?:draw|show|include|add|put|use|have|make|paint|want|contain|wear)|"
        r"(?:avoid|avoiding|exclude|excluding|leave\s+out|leaving\s+out|omit|omitting)|"
        r"(?:does\s+not|doesn['’]t|do\s+not|don['’]t)\s+have|"
        r"(?:is|are)\s+not(?:\s+wearing)?|(?:is|are)n['’]t(?:\s+wearing)?|"
        r"not(?!\s+(?:only|just|quite|too|so|very|even|yet|far|to|at|in|on)\b))\s+(?=[^\W\d_])",
        re.IGNORECASE,
    ),
    Language.SPANISH: re.compile(
        r"\b(?:(?:y|pero|que|por\s+favor)\s+)?(?:"
        r"(?:no|nunca)\s+(?:dibujes?|muestres?|incluyas?|pongas?|añadas?|agregues?|uses?|pintes?|quiero|"
        r"sea|sean|"
        r"debe\s+haber|debe\s+tener)(?:\s+que\s+haya)?|"
        r"evita(?:r|ndo)?|excluye|excluir|excluyendo|nada\s+de)\s+(?=[^\W\d_])",
        re.IGNORECASE,
    ),
}
_PICTURE = r"(?:picture|image|photo|pic|drawing|illustration|artwork|painting|render|sketch|logo|poster)"
_IMAGEN = r"(?:imagen|foto|fotografía|dibujo|ilustración|pintura|retrato|logo|logotipo|cartel)"
_PLAIN_EN = r"(?:(?:a|an|the|some|one)\s+)?(?:new\s+)?(?:picture|image|pic)\s+(?:of|with|showing)\s+"
_PLAIN_ES = r"(?:(?:una?|la)\s+)?imagen\s+(?:de|con|que\s+muestre)\s+"
_COMMAND = {
    Language.ENGLISH: re.compile(
        r"^(?:(?:hi|hello|hey)\b(?:\s+(?:bot|there))?[\s,!.]*)?(?:please[\s,]+)?"
        r"(?:(?:can|could|would|will)\s+you\s+(?:please\s+)?|i\s+(?:want|need|would\s+like|['’]d\s+like)\s+"
        r"(?:you\s+to\s+|to\s+see\s+)?|i['’]d\s+like\s+(?:you\s+to\s+|to\s+see\s+)?)?(?:please\s+)?(?:"
        rf"(?:draw|paint|sketch|generate|render|illustrate|design)\s+(?:(?:for\s+)?(?:me|"
        rf"us)\s+)?(?:{_PLAIN_EN})?"
        r"(?=(?:a|an|the|some|one|two|three|four|my|his|her|many|several)\b)|"
        rf"(?:draw|show|make|give|paint|create|generate)\s+(?:me|us)\s+(?:{_PLAIN_EN})?|"
        rf"(?:create|make|generate|produce)\s+(?:{_PLAIN_EN}|(?=(?:an?|the|some)\s+(?:\w+\s+)?{_PICTURE}\b))|"
        r"(?<=want )|(?<=need )|(?<=like )|(?<=see )|imagine\s+(?=(?:a|an|the)\b))",
        re.IGNORECASE,
    ),
    Language.SPANISH: re.compile(
        r"^[¡¿]?(?:hola[\s,!.]*)?(?:por\s+favor[\s,]+)?"
        r"(?:(?:puedes|podrías|quiero|quisiera|necesito|me\s+gustaría)\s+(?:que\s+|ver\s+)?)?(?:"
        r"(?:dib[uú]ja(?:r|me|nos|s)?|dibujes|p[ií]nta(?:r|me|nos)?|cr[eé]a(?:r|me)?|gen[eé]ra(?:r|me)?|"
        r"hac(?:er|erme)|haz(?:me)?|hagas|dise[ñn]a(?:r|me)?|ilustra(?:r|me)?|mu[eé]stra(?:me)?|imagina)\s+"
        rf"(?:{_PLAIN_ES})?|(?<=quiero )|(?<=quisiera )|(?<=necesito )|(?<=gustaría )|(?<=ver ))",
        re.IGNORECASE,
    ),
}
_COURTESY = re.compile(
    r"[\s,.]*\b(?:please|thanks|thank\s+you|por\s+favor|gracias)\b(?:\s+in\s+advance)?[\s!.?]*$|[?]$",
    re.IGNORECASE,
)


def without(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise ``--no`` for ``without an umbrella``, ``no hats``, ``sin sombrero``."""
    return _moved(draft, _WITHOUT[draft.language], Rule.WITHOUT, language)


def negation(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise ``--no`` for ``do not add text``, ``avoid blue``, ``not red``."""
    return _moved(draft, _NEGATED[draft.language], Rule.NEGATION, language)


def _moved(draft: Draft, pattern: re.Pattern[str], rule: Rule, language: Language) -> Advice | None:
    found = list(_denials(draft, pattern))
    if not found:
        return None
    spans = [span for span, _ in found]
    items = list(dict.fromkeys(item for _, names in found for item in names))
    said = words(language, rule)
    listed = ", ".join(items)
    prompt = draft.without(spans, f"--no {listed}")
    option = Option(said.label.format(items=listed), prompt)
    empty = not tidied(re.sub("::[^ ]*", "", draft.without(spans).removesuffix(draft.tail)))
    start, stop = spans[0]
    reason = said.reason.format(found=draft.text[start:stop].strip())
    return Advice(rule, reason, said.example, () if empty else (option,))


def denied(draft: Draft) -> list[Span]:
    """Return where the text says what should not be there."""
    patterns = (_WITHOUT[draft.language], _NEGATED[draft.language])
    return [span for pattern in patterns for span, _ in _denials(draft, pattern)]


def _denials(draft: Draft, pattern: re.Pattern[str]) -> Iterator[tuple[Span, list[str]]]:
    """Yield what to remove from the text, and the things it names."""
    for match in draft.find(pattern):
        items, stop = _things(draft.text, match.end(), draft.language)
        if items and not _is_idiom(draft.text, match, stop):
            yield (match.start(), stop), items


def _things(text: str, start: int, language: Language) -> tuple[list[str], int]:
    """Return the things named from *start* on, and where their names end."""
    items: list[str] = []
    name: list[str] = []
    stop = start
    tokens = list(_TOKENS.finditer(text, start, start + _NEAR))
    for index, token in enumerate(tokens):
        word = token.group().casefold()
        if not name and word in _SKIPPED[language] and token.group()[0].isalpha():
            continue
        if word in _OR[language] and name and index + 1 < len(tokens):
            items.append(" ".join(name))
            name = []
            continue
        if word == _OF[language] and name and index + 1 < len(tokens) and len(name) < _LONGEST[language] + 2:
            name.append(token.group())
            continue
        if _ends_name(word, name, language):
            break
        name.append(token.group())
        stop = token.end()
    if name and name[-1].casefold() == _OF[language]:
        name.pop()
    return ([*items, " ".join(name)] if name else items), stop


def _ends_name(word: str, name: list[str], language: Language) -> bool:
    """Return whether *word* no longer belongs to the *name* of a thing."""
    if not word[0].isalpha() or word in _STOPS[language]:
        return True
    if name and name[-1].casefold() == _OF[language]:
        return False
    acts = _ACTING[language].match(word) is not None and word not in _THINGS_IN_ING
    return len(name) >= _LONGEST[language] or (bool(name) and acts)


def _is_idiom(text: str, match: re.Match[str], stop: int) -> bool:
    """Return whether the words are a phrase of their own: ``no longer``, ``no parking sign``."""
    phrase = [token.group().casefold() for token in _TOKENS.finditer(text, match.end(), stop)]
    return phrase[0] in _IDIOMS or not _SIGNS.isdisjoint(phrase) or text[max(0, match.start() - 1)] == "-"


def command(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise to begin with the picture, not with ``please draw me``."""
    spans = list(_spoken(draft))
    if not spans:
        return None
    said = words(language, Rule.COMMAND)
    start, stop = spans[0]
    prompt = draft.without(spans)
    options = (Option(said.label, prompt),) if prompt.removesuffix(draft.tail).strip() else ()
    found = draft.text[start:stop].strip(" ,.!")
    return Advice(Rule.COMMAND, said.reason.format(found=found), said.example, options)


def _spoken(draft: Draft) -> Iterator[Span]:
    """Yield where the prompt speaks to the bot: at its beginning, and its courtesies at the end."""
    match = next(draft.find(_COMMAND[draft.language]), None)
    courtesy = next(draft.find(_COURTESY), None)
    if match is not None and match.group().strip():
        yield match.span()
    if courtesy is not None and (match is not None or courtesy.group().strip() != "?"):
        yield courtesy.span()
