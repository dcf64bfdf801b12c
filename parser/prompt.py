"""From a text to the jobs it asks for, or to everything that is wrong with it."""

from dataclasses import dataclass

from parser.closed import OPEN, Closed
from parser.draft import Draft, Terms, corrected, draft
from parser.errors import PromptError, PromptErrors
from parser.parameters import TABLE
from parser.reader import PROMPT_LIMIT
from parser.request import ImagineRequest, Speed
from parser.table import Table

__all__ = ["BATCH_LIMIT", "PROMPT_LIMIT", "Batch", "parse", "read_batch"]

BATCH_LIMIT = 40  # jobs of one command, where nobody says how many


@dataclass(frozen=True, slots=True)
class Batch:
    """The jobs of one text.

    Attributes:
        prompts: One request a job, in order; a repeated one several times. At least one.
    """

    prompts: tuple[ImagineRequest, ...]

    @property
    def single(self) -> bool:
        """True if there is one job."""
        return len(self.prompts) == 1


def parse(text: str, closed: Closed = OPEN, *, table: Table = TABLE) -> ImagineRequest:
    """Return the one job that *text* asks for.

    Any text is answered, in time linear in its length. Parameters are those of the *table*.

    Raises:
        PromptErrors: It cannot be understood, asks for several jobs, or uses what is *closed*; holds every
            problem, in the order of the text.
    """
    return _understood(text, Terms(closed=closed, table=table)).prompts[0]


def read_batch(
    text: str,
    closed: Closed = OPEN,
    *,
    limit: int = BATCH_LIMIT,
    lane: Speed | None = None,
    table: Table = TABLE,
) -> Batch:
    """Return the jobs that *text* asks for, by ``{a, b}`` and ``--repeat``; *limit* is how many it may.

    They are counted before anything is written out: a text is answered in time linear in its length times the
    limit. The first of several groups varies slowest. *lane* is the speed of prompts that name none.

    Raises:
        PromptErrors: As from ``parse``, with the problems of every prompt, each once.
    """
    return _understood(text, Terms(limit=limit, lane=lane, closed=closed, table=table))


def _understood(text: str, terms: Terms) -> Batch:
    found = draft(text, terms)
    problems = found.placed
    if problems:
        suggestion = corrected(found, terms)
        raise PromptErrors(
            tuple(
                PromptError(each.code, each.message, text, each.span, suggestion, each.also)
                for each in problems
            )
        )
    return Batch(tuple(_jobs(found)))


def _jobs(found: Draft) -> list[ImagineRequest]:
    return [
        reading.request
        for reading in found.readings
        for _ in range(reading.repeats)
        if reading.request is not None
    ]
