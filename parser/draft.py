"""A text on its way to jobs: its prompts as read, what is wrong with them, and the text put right."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from parser.closed import OPEN, Closed
from parser.errors import ErrorCode
from parser.limits import check_lane, check_repeats, too_many
from parser.parameters import TABLE
from parser.permutations import Plain, Template, template
from parser.reader import PROMPT_LIMIT, Reading, read, too_long
from parser.reading import Edit, Problem, edited
from parser.request import Speed
from parser.scanner import Span
from parser.table import Table

PROBLEMS_LIMIT = 100  # of one text; where there are more, further prompts of it are not read
ROUNDS = 8  # of correction: putting one thing right may bring another to light, as in `--sed -5`

CONTRADICTIONS = (ErrorCode.REPEATED_PARAMETER, ErrorCode.CONFLICTING_PARAMETERS)
SEVERAL = ErrorCode.UNAVAILABLE_PERMUTATIONS
ONE_JOB = "Here is room for one job; leave `--repeat` out."
ONE_PROMPT = (
    "Here is room for one prompt, and `{a, b}` makes several; write one of them, "
    "or put a backslash before the braces to keep them."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text is read under.

    Attributes:
        limit: How many jobs it may make; ``None`` where it is one job's prompt, and nothing else.
        lane: The speed of prompts that name none; ``None`` where that is not known.
        closed: What the server does not do.
        table: The parameters there are.
    """

    limit: int | None = None
    lane: Speed | None = None
    closed: Closed = OPEN
    table: Table = TABLE


@dataclass(frozen=True, slots=True)
class Draft:
    """A text, read.

    Attributes:
        template: The text as groups.
        readings: Its prompts, in order; one alone where the text is too long, or makes too many of them.
        problems: What is wrong with the text as a whole, at places of the source.
        whole: False if there are so many problems that further prompts were not read.
    """

    template: Template
    readings: tuple[Reading, ...]
    problems: tuple[Problem, ...] = ()
    whole: bool = True

    @property
    def placed(self) -> tuple[Problem, ...]:
        """Every problem once, at its place in the source, by place; without edits."""
        inside = (
            Problem(
                problem.code,
                problem.message,
                reading.plain.place(problem.span),
                also=tuple(map(reading.plain.place, problem.also)),
            )
            for reading in self.readings
            for problem in reading.problems
        )
        around = (replace(problem, edits=()) for problem in self.problems)
        return tuple(sorted(dict.fromkeys((*around, *inside)), key=lambda problem: problem.span))

    @property
    def solvable(self) -> bool:
        """False if some problem is for the author to solve."""
        inside = chain.from_iterable(reading.problems for reading in self.readings)
        return self.whole and all(problem.edits for problem in chain(self.problems, inside))

    def edits(self) -> Iterator[Edit]:
        """Yield the edits of all prompts, each in the text of its own."""
        for reading in self.readings:
            yield from chain.from_iterable(problem.edits for problem in reading.problems)

    def mended(self) -> str | None:
        """Return the text after the edits, or ``None`` where they do not agree."""
        if len(self.readings) == 1:
            return edited(self.readings[0].plain.text, self.edits())
        edits = agreed(self.template.text, self.readings)
        return None if edits is None else edited(self.template.text, edits)


def draft(source: str, terms: Terms) -> Draft:
    """Read *source* once, without looking for a correction; nothing is written out that is not allowed."""
    if len(source) > PROMPT_LIMIT:
        problem = too_long(len(source), (PROMPT_LIMIT, len(source)))
        return Draft(template(""), (), (problem,))
    found = template(source)
    if terms.limit is None:
        return draft_of_one(found, terms)
    if found.count > terms.limit:
        first = read(found.prompt(0), terms.closed, terms.table)
        return Draft(found, (first,), (too_many(found, terms.limit),))
    readings = read_all(found, terms)
    if len(readings) < found.count:
        return Draft(found, tuple(readings), whole=False)
    readings = check_repeats(readings, terms.limit)
    return Draft(found, tuple(check_lane(readings, terms.lane)))


def read_all(found: Template, terms: Terms) -> list[Reading]:
    """Read the prompts of *found* up to the first after which there are too many problems to go on."""
    readings: list[Reading] = []
    different: set[tuple[ErrorCode, Span]] = set()
    for index in range(found.count):
        if len(different) > PROBLEMS_LIMIT:
            break
        reading = read(found.prompt(index), terms.closed, terms.table)
        different.update((each.code, reading.plain.place(each.span)) for each in reading.problems)
        readings.append(reading)
    return readings


def draft_of_one(found: Template, terms: Terms) -> Draft:
    """Read the first prompt of *found*, and say so of what would make more than one.

    Groups hide the problems inside them: their wording is not final.
    """
    reading = read(found.prompt(0), terms.closed, terms.table)
    groups = found.groups
    kept = [each for each in reading.problems if not touches(reading.plain.place(each.span), groups)]
    kept += [Problem(SEVERAL, ONE_JOB, use.span, (use.removal,)) for use in reading.uses_of("repeat")]
    whole = tuple(Problem(SEVERAL, ONE_PROMPT, group, (Edit(*group),)) for group in groups)
    request = None if kept or whole else reading.request
    return Draft(found, (replace(reading, request=request, problems=tuple(kept)),), whole)


def corrected(found: Draft, terms: Terms) -> str | None:
    """Return the text with every problem put right, or ``None`` where only the author can do that."""
    renamed = False
    for round_ in range(ROUNDS):
        if not found.solvable:
            return None
        if round_ and any(problem.code in CONTRADICTIONS for problem in found.placed):
            return None  # what was put right contradicts what is there, and one of the two would go unsaid
        if renamed and not all(edit.text for edit in found.edits()):
            return None  # "did you mean …?" offered a parameter that would now vanish unsaid
        renamed = any(problem.code is ErrorCode.UNKNOWN_PARAMETER for problem in found.placed)
        text = found.mended()
        if text is None:
            return None
        found = draft(text, terms)
        if not found.placed:
            return text
    return None


def touches(span: Span, groups: Sequence[Span]) -> bool:
    """Return whether *span* touches one of *groups*, which are in order and apart."""
    start, stop = span
    index = bisect_left(groups, max(start + 1, stop), key=lambda group: group[0])
    return index > 0 and groups[index - 1][1] > start


def agreed(source: str, readings: Sequence[Reading]) -> list[Edit] | None:
    """Return the edits of all *readings* as edits of the *source*.

    ``None`` if one of them reaches across a brace, or changes what another prompt has as well and would keep.
    """
    askers: dict[tuple[Edit, int], set[int]] = defaultdict(set)
    for number, reading in enumerate(readings):
        seen: Counter[Edit] = Counter()  # a prompt may ask for the same edit twice
        for edit in chain.from_iterable(problem.edits for problem in reading.problems):
            moved = in_source(edit, reading.plain, source)
            if moved is None:
                return None
            seen[moved] += 1
            askers[moved, seen[moved]].add(number)
    for (edit, _), asking in askers.items():
        others = (reading.plain for number, reading in enumerate(readings) if number not in asking)
        if any(has(plain, edit.start, len(source)) for plain in others):
            return None
    return [edit for edit, _ in askers]


def in_source(edit: Edit, plain: Plain, source: str) -> Edit | None:
    """Return *edit* at its place in the *source*; ``None`` if that is not in one piece."""
    start, stop = plain.place((edit.start, edit.stop))
    whole = source[start:stop] == plain.text[edit.start : edit.stop]
    return Edit(start, stop, edit.text) if whole else None


def has(plain: Plain, place: int, end: int) -> bool:
    """Return whether *plain* has the character at *place* of the source; every prompt has its *end*."""
    index = bisect_left(plain.offsets, place)
    return place == end or (index < len(plain.offsets) and plain.offsets[index] == place)
