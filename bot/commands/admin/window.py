"""A page of a list, or a question to confirm, as a `custom_id`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from worker.deeds import Verb

PREFIX = "JA::"
_PAGE = re.compile(
    r"JA::page::(?P<verb>[a-z ]{4,20})::(?P<number>\d{1,5})::(?P<user>\d{1,20})::(?P<filters>[^:]{0,60})"
)
_ANSWER = re.compile(r"JA::(?P<answer>yes|no)::(?P<pending>[0-9a-f]{16})::(?P<user>\d{1,20})")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        verb: Which list.
        user_id: Whose.
        number: 0 is the first.
        filters: What it is narrowed to, by one-letter names.
    """

    verb: Verb
    user_id: int
    number: int = 0
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def custom_id(self) -> str:
        """The text that `read` turns back into this page."""
        filters = ",".join(f"{name}={value}" for name, value in self.filters.items())
        return f"JA::page::{self.verb}::{self.number}::{self.user_id}::{filters}"

    def turned(self, number: int) -> "Page":
        """Return another page of the same list."""
        return Page(self.verb, self.user_id, number, self.filters)


class Reply(StrEnum):
    """What somebody says to a question."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to the question that *pending* waits for."""

    reply: Reply
    pending: str
    user_id: int

    @property
    def custom_id(self) -> str:
        """The text that `read` turns back into this answer."""
        return f"JA::{self.reply}::{self.pending}::{self.user_id}"


def read(custom_id: str) -> Page | Answer | None:
    """Return what *custom_id* means, or None where it means nothing (any more)."""
    match = _ANSWER.fullmatch(custom_id)
    if match is not None:
        return Answer(Reply(match["answer"]), match["pending"], int(match["user"]))
    match = _PAGE.fullmatch(custom_id)
    if match is None or match["verb"] not in set(Verb):
        return None
    pairs = (pair.partition("=") for pair in match["filters"].split(",") if pair)
    filters = {name: value for name, _, value in pairs}
    return Page(Verb(match["verb"]), int(match["user"]), int(match["number"]), filters)
