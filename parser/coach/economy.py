"""Words that cost more than they bring: praise, a dozen details, more than is read, weights that cancel."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from parser.coach.advice import Advice, Facts, Language, Option, Rule
from parser.coach.draft import Draft, clauses, tidied
from parser.coach.words import words
from parser.scanner import NUMBER, Span

DETAILS = 12  # fragments between commas from which on they compete
KEPT = 5  # of them that stay
SATURATED = Decimal(
    "0.5"
)  # share of the positive weights at which the negatives pull as strongly as they can
CANCELLING = Decimal("0.75")  # share from which on what is left is near zero
WORDS_PER_TOKEN = 0.75  # of English in vocabularies such as CLIP's
LETTERS = 9  # of a word that pass as one token; an estimate that is rather too small

_PRAISE = re.compile(
    r"(?<![\w-])(?:(?:absolutely|very|so|truly|really|extremely|most|stunningly|incredibly|amazingly|muy|tan|"
    r"realmente|increíblemente)\s+)?(?:"
    r"beautiful|gorgeous|stunning|amazing|awesome|incredible|breathtaking|magnificent|marvelous|marvellous|"
    r"wonderful|fantastic|spectacular|jaw[ -]dropping|mind[ -]blowing|eye[ -]catching|"
    r"masterpiece|master ?work|award[ -]winning|best[ -]quality|(?:high|top|highest|premium|"
    r"great)[ -]quality|"
    r"(?:ultra|super|hyper|highly|insanely|extremely)[ -]?(?:detailed|realistic|quality|res|resolution|hd)|"
    r"intricate details|extremely detailed|trending on (?:art ?station|deviant ?art|cg ?society|pixiv)|"
    r"art ?station|unreal engine(?: 5)?|octane render|professional quality|"
    r"(?:4|8|16)k(?:\s+(?:resolution|uhd|hd|wallpaper|photo|quality))?|u?hd|hdr|"
    r"hermos[oa]s?|bell[oa]s?|bonit[oa]s?|precios[oa]s?|increíbles?|impresionantes?|espectacular(?:es)?|"
    r"maravillos[oa]s?|asombros[oa]s?|fantástic[oa]s?|magnífic[oa]s?|obra maestra|galardonad[oa]s?|"
    r"(?:la )?(?:mejor|alta|máxima|excelente) calidad|(?:ultra|súper|hiper|muy) ?(?:detallad|"
    r"realista)[oa]?s?|"
    r"alta resolución)(?![\w-])(?!['’]s)",
    re.IGNORECASE,
)
_AND = re.compile(r"(?<=\s)(?:and|y|e)\s+$", re.IGNORECASE)
_AND_BEHIND = re.compile(r"\s+(?:and|y|e)(?=\s)", re.IGNORECASE)
_WEIGHT = re.compile(rf"::({NUMBER.pattern})")
_PIECE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d|[^\w\s]|_")
_PARTS = re.compile(r"::\S*")


def praise(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise to leave out words that only say how good it should be."""
    found = [match.span() for match in draft.find(_PRAISE) if not _is_named(draft.text, match)]
    if not found:
        return None
    said = words(language, Rule.PRAISE)
    ends = {stop for _, stop in found}
    spans = [_with_conjunction(draft.text, span, ends) for span in found]
    rest = draft.without(spans)
    options = (Option(said.label, rest),) if tidied(rest.removesuffix(draft.tail)) else ()
    names = ", ".join(dict.fromkeys(draft.text[start:stop] for start, stop in found[:4]))
    return Advice(Rule.PRAISE, said.reason.format(found=names), said.example, options)


def _is_named(text: str, match: re.Match[str]) -> bool:
    """Return whether the word belongs to a name, as in ``Beautiful Joe`` in the middle of a sentence."""
    word, after = match.group(), text[match.end() : match.end() + 2]
    return match.start() > 0 and word[0].isupper() and not word.isupper() and after[1:2].isupper()


def _with_conjunction(text: str, span: Span, praised: set[int]) -> Span:
    """Return *span* with the ``and`` behind it, or that before it where more praise ends: at *praised*."""
    start, stop = span
    joins = _AND_BEHIND.match(text, stop)
    if joins is not None:
        return start, joins.end()
    before = _AND.search(text, max(0, start - 6), start)
    if before is None or not {before.start() - 1, before.start()} & praised:
        return span
    return before.start(), stop


def details(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise one strong idea in place of a dozen fragments between commas."""
    places = clauses(_blotted(draft))
    if len(places) < DETAILS:
        return None
    said = words(language, Rule.DETAILS)
    options: tuple[Option, ...] = ()
    if "::" not in draft.text:
        options = (Option(said.label.format(kept=KEPT), draft.with_text(draft.text[: places[KEPT - 1][1]])),)
    return Advice(Rule.DETAILS, said.reason.format(n=len(places)), said.example, options)


def _blotted(draft: Draft) -> str:
    """Return the text with what stands in quotes and braces made unreadable, each character by one."""
    text = draft.text
    for start, stop in draft.kept:
        text = text[:start] + "x" * (stop - start) + text[stop:]
    return text


def window(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise to shorten a part that the text encoder does not read at once."""
    parts = [(start, stop, tokens(draft.text[start:stop], facts)) for start, stop in _parts(draft.text)]
    start, stop, most = max(parts, key=lambda part: part[2], default=(0, 0, 0))
    if most <= facts.window:
        return None
    said = words(language, Rule.WINDOW)
    near = round(facts.window * WORDS_PER_TOKEN / 5) * 5
    reason = said.reason.format(window=facts.window, words=near, tokens=most)
    fitting = _fitting(draft.text[start:stop], facts)
    option = Option(said.label, draft.with_text(draft.text[:start] + fitting + draft.text[stop:]))
    options = (option,) if fitting and not draft.kept else ()
    return Advice(Rule.WINDOW, reason, said.example, options)


def tokens(text: str, facts: Facts) -> int:
    """Return how many tokens *text* takes; without an exact count an estimate that is rather too small."""
    if facts.count is not None:
        return facts.count(text)
    return sum(1 + (len(match.group()) - 1) // LETTERS for match in _PIECE.finditer(text))


def _parts(text: str) -> Iterator[Span]:
    """Yield where the ``::`` parts stand."""
    edges = [0, *(at for match in _PARTS.finditer(text) for at in match.span()), len(text)]
    yield from list(pairwise(edges))[::2]


def _fitting(text: str, facts: Facts) -> str:
    """Return the longest beginning that the encoder reads at once, cut at a comma or else at a word."""
    ends = [match.end() for match in re.finditer(r"\S+(?=\s|$)", text)]
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        fits = tokens(text[: ends[middle - 1]], facts) <= facts.window
        low, high = (middle, high) if fits else (low, middle - 1)
    cut = text[: ends[low - 1]] if low else ""
    comma = max(cut.rfind(mark) for mark in ",;.")
    return (cut[:comma] if comma > len(cut) // 2 else cut).rstrip(" ,;.")


def weights(draft: Draft, facts: Facts, language: Language) -> Advice | None:
    """Advise weaker negative weights where they nearly cancel the positive ones.

    With P the sum of the positive weights and N that of the negative ones, the pull away from the negatives
    is min(1, 2N/P): from N = P/2 on more changes nothing, and at N = P the prompt is refused.
    """
    request = draft.request
    if request is None or draft.kept:
        return None
    typed = [Decimal(repr(part.weight)) for part in request.parts]
    positive = sum((each for each in typed if each > 0), Decimal())
    negative = -sum((each for each in typed if each < 0), Decimal())
    if negative < positive * CANCELLING or not negative:
        return None
    said = words(language, Rule.WEIGHTS)
    share = positive * SATURATED / negative

    def weaker(match: re.Match[str]) -> str:
        weight = Decimal(match.group(1))
        return f"::{short(weight * share)}" if weight < 0 else match.group()

    reason = said.reason.format(total=short(positive - negative), positive=short(positive))
    option = Option(said.label, draft.with_text(_WEIGHT.sub(weaker, draft.text)))
    return Advice(Rule.WEIGHTS, reason, said.example, (option,))


def short(number: Decimal) -> str:
    """Return *number* in prompt notation with at most three decimals: ``-.5``."""
    text = f"{round(number, 3):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"^(-?)0(?=\.)", r"\1", text)
