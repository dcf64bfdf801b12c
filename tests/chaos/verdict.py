"""Judges a run: what every job came to, and what must not be. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.witness import Role, Sight


class End(StrEnum):
    """What people got from an order."""

    RESULT = "result"
    FAILURE = "failure"
    STOPPED = "stopped"
    REMOVED = "removed"  # it was shown, and then deleted with its message or channel
    TOLD = "told"  # there was no channel any more; the person was told privately
    LOST = "lost"
    DUPLICATED = "duplicated"


@dataclass(frozen=True, slots=True)
class Ordered:
    """A row of the jobs table."""

    id: str
    state: str
    error: str | None
    channel_id: str
    answered: bool  # a message that shows it under way was noted
    key: str = ""  # the interaction it was ordered by


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the tool itself took away."""

    messages: Collection[str] = ()
    channels: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be."""

    kind: str
    words: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All ends, and the findings."""

    ends: Mapping[str, End]
    findings: Sequence[Finding]

    def count(self) -> Counter[str]:
        """Return how many jobs came to each end."""
        return Counter(str(end) for end in self.ends.values())


def judge(orders: Sequence[Ordered], sight: Sight, deeds: Deeds) -> Judgement:
    """Return what became of *orders*, as *sight* shows it."""
    ends = {order.id: end_of(order, sight, deeds) for order in orders}
    findings = [
        Finding(end.value, f"{order.state} {order.error or ''}".strip(), order.id)
        for order in orders
        if (end := ends[order.id]) in {End.LOST, End.DUPLICATED}
    ]
    findings += _leftovers(orders, sight, deeds)
    findings += _unknown({order.id for order in orders}, sight)
    return Judgement(ends, findings)


def end_of(order: Ordered, sight: Sight, deeds: Deeds) -> End:
    """Return what *order* came to.

    A message that the tool deleted was shown all the same. What is shown twice at the end is a double even if
    one of both says why there is no picture.
    """
    mine = {m: s for m, s in sight.public.items() if s.job_id == order.id}
    final = {m: s for m, s in mine.items() if s.role in {Role.RESULT, Role.FAILURE, Role.STOPPED}}
    standing = [s for m, s in final.items() if not s.deleted and m not in deeds.messages]
    if len(standing) > 1:
        return End.DUPLICATED
    if standing:
        return _right(standing[0].role, order)
    if any(m in deeds.messages for m in final):
        return End.REMOVED
    if order.state == "cancelled" and _nothing_left(order, mine, deeds):
        return End.REMOVED
    if order.channel_id in deeds.channels:
        told = any(order.id in words or order.id[:8] in words for words in sight.told)
        return End.TOLD if told else End.LOST
    return End.LOST


def _right(role: Role, order: Ordered) -> End:
    """Return the end that a message in *role* is, if it fits the row."""
    fitting = {
        Role.RESULT: (End.RESULT, {"succeeded"}),
        Role.FAILURE: (End.FAILURE, {"failed", "succeeded"}),  # succeeded, and its pictures are gone
        Role.STOPPED: (End.STOPPED, {"cancelled"}),
    }
    end, states = fitting[role]
    return end if order.state in states else End.LOST


def _nothing_left(order: Ordered, mine: Mapping[str, object], deeds: Deeds) -> bool:
    """Tell whether there was no message on which to say that the job was stopped."""
    gone = order.channel_id in deeds.channels or any(m in deeds.messages for m in mine)
    return gone or not order.answered


def _leftovers(orders: Iterable[Ordered], sight: Sight, deeds: Deeds) -> Iterable[Finding]:
    """Yield messages that promise something for ever."""
    over = {order.id: order for order in orders if order.state in {"succeeded", "failed", "cancelled"}}
    seen = {order.key: order.id for order in over.values() if order.channel_id not in deeds.channels}
    for message_id, interaction_id in sight.thinking.items():
        if interaction_id in seen and message_id not in deeds.messages:
            yield Finding("leftover", f"message {message_id} still thinks about it", seen[interaction_id])
    for message_id, sighting in sight.public.items():
        gone = sighting.deleted or message_id in deeds.messages or sighting.channel_id in deeds.channels
        if sighting.role is Role.UNDER_WAY and sighting.job_id in over and not gone:
            words = f"message {message_id} still shows it under way ({over[sighting.job_id].state})"
            yield Finding("leftover", words, sighting.job_id)


def _unknown(known: Collection[str], sight: Sight) -> Iterable[Finding]:
    """Yield jobs that were shown to people, and are in no row: accepted, then forgotten."""
    for job_id in {s.job_id for s in sight.public.values()} - set(known):
        yield Finding("lost", "was shown, and is not in the database", job_id)
