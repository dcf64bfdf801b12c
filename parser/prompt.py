"""From the text of a prompt to a request, or to everything that is wrong with it."""

from dataclasses import dataclass

from parser.braces import Plain, plain
from parser.canonical import canonical
from parser.closed import OPEN, Closed
from parser.errors import ErrorCode, PromptError, PromptErrors
from parser.flags import Parameters
from parser.grammar import Head, read_prompt
from parser.links import unlinked
from parser.parameters import TABLE
from parser.reading import Edit, Problem, Problems, edited
from parser.request import ImagineRequest, Speed, Visibility
from parser.scanner import Scanner
from parser.table import Table

PROMPT_LIMIT = 6000  # code points; also the longest text that an option of a Discord command holds
ROUNDS = 8  # of correction: putting one thing right may bring another to light, as in `--sed -5`


@dataclass(frozen=True, slots=True)
class Reading:
    """One prompt as far as it could be understood; the request is there if there are no problems."""

    plain: Plain
    request: ImagineRequest | None
    problems: tuple[Problem, ...]


def parse(text: str, closed: Closed = OPEN, *, table: Table = TABLE) -> ImagineRequest:
    """Return what *text* asks for.

    Any text is answered, in time linear in its length. Parameters are those of the *table*.

    Raises:
        PromptErrors: It cannot be understood, or uses what is *closed*; holds every problem, in the order of
            the text.
    """
    reading = read(text, closed, table)
    if reading.request is not None:
        return reading.request
    suggestion = corrected(reading, closed, table)
    errors = (
        PromptError(problem.code, problem.message, text, reading.plain.place(problem.span), suggestion)
        for problem in reading.problems
    )
    raise PromptErrors(tuple(sorted(errors, key=lambda error: error.span)))


def read(source: str, closed: Closed, table: Table) -> Reading:
    """Read *source* once, without looking for a correction."""
    problems = Problems()
    if len(source) > PROMPT_LIMIT:
        unread = Plain(source, source, range(len(source)), ())
        return Reading(unread, None, (too_long(len(source), (PROMPT_LIMIT, len(source))),))
    ready = unlinked(plain(source))
    head, parameters = read_prompt(Scanner(ready.text), closed, table, problems)
    found = [*without_permuted(problems.found, ready), *permutations(ready)]
    if found:
        return Reading(ready, None, tuple(found))
    request = build(head, parameters)
    length = len(canonical(request))
    if length > PROMPT_LIMIT:
        return Reading(ready, None, (too_long(length, (0, len(ready.text)), "Written out in full, the"),))
    return Reading(ready, request, ())


def corrected(reading: Reading, closed: Closed, table: Table) -> str | None:
    """Return the prompt with every problem put right, or ``None`` where only the author can do that."""
    renamed = False
    for _ in range(ROUNDS):
        if not all(problem.edits for problem in reading.problems):
            return None
        edits = [edit for problem in reading.problems for edit in problem.edits]
        if renamed and not all(edit.text for edit in edits):
            return None  # "did you mean …?" offered a parameter that would now vanish unsaid
        renamed = any(problem.code is ErrorCode.UNKNOWN_PARAMETER for problem in reading.problems)
        text = edited(reading.plain.text, edits)
        reading = read(text, closed, table)
        if reading.request is not None:
            return text
    return None


def build(head: Head, parameters: Parameters) -> ImagineRequest:
    """Return the request that a prompt without problems makes."""
    typed = parameters.values
    return ImagineRequest.model_validate(
        {
            **{name: value for name, value in typed.items() if name in ImagineRequest.model_fields},
            "text": head.text,
            "parts": head.parts,
            "negative": parameters.negative,
            "images": head.images,
            "speed": next((speed for speed in Speed if speed in typed), None),
            "visibility": next((seen for seen in Visibility if seen in typed), None),
        }
    )


def permutations(ready: Plain) -> list[Problem]:
    """Return a problem for each ``{a, b}``; it is put right by its first item."""
    message = (
        "Several prompts in one, as in `{a, b}`, are not available yet; write one of them, "
        "or put a backslash before the braces to keep them."
    )
    problems = Problems()
    for group in ready.groups:
        first = ready.text[group.start + 1 : group.comma].strip()
        span = (group.start, group.stop)
        problems.add(ErrorCode.UNAVAILABLE_PERMUTATIONS, message, span, Edit(*span, first))
    return problems.found


def without_permuted(problems: list[Problem], ready: Plain) -> list[Problem]:
    """Return the problems that have nothing to do with an ``{a, b}``, whose wording is not final."""
    return [problem for problem in problems if not ready.permuted(problem.span)]


def too_long(length: int, span: tuple[int, int], subject: str = "The") -> Problem:
    """Return the problem of a prompt of so many characters."""
    message = f"{subject} prompt has {length} characters and may have {PROMPT_LIMIT}; shorten it."
    return Problem(ErrorCode.PROMPT_TOO_LONG, message, span)
