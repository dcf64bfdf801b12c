"""What one look at this machine found."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cli.failures import Failure


class Verdict(StrEnum):
    """How bad a finding is."""

    FINE = "ok"
    NOTE = "note"  # good to know; nothing is broken
    PROBLEM = "problem"  # something will not work until it is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """What it is about, and a sentence; after a problem one that says how to mend it."""

    verdict: Verdict
    subject: str
    words: str


def fine(subject: str, words: str) -> Finding:
    """Return that nothing is wrong."""
    return Finding(Verdict.FINE, subject, words)


def note(subject: str, words: str) -> Finding:
    """Return something good to know."""
    return Finding(Verdict.NOTE, subject, words)


def problem(subject: str, words: str) -> Finding:
    """Return something to be mended."""
    return Finding(Verdict.PROBLEM, subject, words)


def attempted(subject: str, look: Callable[[], str]) -> Finding:
    """Return what *look* says, or why it could not."""
    try:
        return fine(subject, look())
    except Failure as failure:
        return problem(subject, str(failure))
