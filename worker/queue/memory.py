"""Queues without a database: the rule over sorted lists, beside first come first served and taking turns.

All three have the store's interface in small: people with enough under way are passed over, a person's short
jobs go first. They are for simulations, which compare them, and for tests, which compare the first one with
the store.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush, merge
from math import inf
from typing import Any, Protocol

from parser import Speed
from worker.api import LANES
from worker.queue.fairness import (
    BATCH_SECONDS,
    RULES,
    LaneTime,
    Line,
    Offer,
    Rules,
    charged,
    entered,
    offers,
    open_to,
    share,
)


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A job that waits. Tickets of one line sort by who is served first.

    Attributes:
        work: How long it keeps a device busy, in any unit.
        number: Order of acceptance, from 1.
        owner_id: Discord user id.
        speed: Its lane.
        credits: What it costs.
        weight: Its owner's.
        at: When it was accepted, seconds.
        batch: Whether it belongs to a permutation batch.
    """

    work: float
    number: int
    owner_id: int = field(compare=False)
    speed: Speed = field(compare=False, default=Speed.FAST)
    credits: float = field(compare=False, default=1.0)
    weight: float = field(compare=False, default=1.0)
    at: float = field(compare=False, default=0.0)
    batch: bool = field(compare=False, default=False)


class Queue(Protocol):
    """Who is next, by some rule."""

    def submit(self, ticket: Ticket) -> None:
        """Let *ticket* wait; numbers and times only grow."""
        ...

    def claim(self, now: float) -> Ticket | None:
        """Take out the job whose turn it is and count it as running, None where there is none to claim."""
        ...

    def finish(self, ticket: Ticket, now: float) -> None:
        """End a job that was claimed."""
        ...


@dataclass(slots=True)
class _Person:
    """One person in one lane."""

    start: float = 0.0
    since: float = -inf
    joined: int = 0
    weight: float = 1.0
    ripe: list[Ticket] = field(default_factory=list)
    behind: list[Ticket] = field(default_factory=list)


class _Lane:
    """The lines of a lane, in both orders."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.time = LaneTime()
        self.people: dict[int, _Person] = {}
        self._ripe: list[Line] = []
        self._behind: list[Line] = []  # lines that have nothing else
        self._since: list[tuple[float, int, Line]] = []

    def aged(self, before: float) -> Iterator[Line]:
        """Yield the lines that wait since then or longer."""
        for since, _, line in self._since:
            if since > before:
                return
            yield line

    def ripe(self) -> Iterator[Line]:
        """Yield the lines with a job that stands behind nothing."""
        return iter(self._ripe)

    def all(self) -> Iterator[Line]:
        """Yield all lines."""
        return merge(self._ripe, self._behind)

    def take_out(self, owner_id: int) -> _Person:
        """Return a person, out of the order until `put_back`."""
        person = self.people.setdefault(owner_id, _Person())
        line = self._line(owner_id, person)
        if person.ripe:
            _remove(self._ripe, line)
            _remove(self._since, (line.since, line.joined, line))
        elif person.behind:
            _remove(self._behind, line)
        return person

    def put_back(self, owner_id: int) -> None:
        """Put a person's line where it belongs."""
        person = self.people[owner_id]
        line = self._line(owner_id, person)
        if person.ripe:
            insort(self._ripe, line)
            insort(self._since, (line.since, line.joined, line))
        elif person.behind:
            insort(self._behind, line)

    @staticmethod
    def _line(owner_id: int, person: _Person) -> Line:
        return Line(person.start, person.joined, owner_id, person.since)


class FairQueue:
    """The rule of `worker.queue.fairness`, applied to lists."""

    def __init__(self, *, limit: int, rules: Mapping[Speed, Rules] = RULES) -> None:
        """Let nobody have more than *limit* jobs running."""
        self.running: dict[int, int] = {}
        self._limit = limit
        self._lanes = {speed: _Lane(rules[speed]) for speed in LANES}
        self._ripening: list[tuple[float, int, Ticket]] = []
        self._moved: dict[int, float] = {}  # by how far each running job moved its person's lines

    def submit(self, ticket: Ticket) -> None:
        """Let *ticket* wait."""
        lane = self._lanes[ticket.speed]
        person = lane.take_out(ticket.owner_id)
        if not person.ripe and not person.behind:
            person.start = entered(person.start, ticket.at - person.since, lane.time.clock, lane.rules)
            person.joined, person.since = ticket.number, ticket.at
        person.weight = ticket.weight
        insort(person.behind if ticket.batch else person.ripe, ticket)
        lane.put_back(ticket.owner_id)
        if ticket.batch:
            heappush(self._ripening, (ticket.at + BATCH_SECONDS, ticket.number, ticket))

    def claim(self, now: float, *, lanes: Iterable[Speed] = LANES, limit: int | None = None) -> Ticket | None:
        """Take out the job whose turn it is, of some *lanes*, of who has fewer than *limit* running."""
        self._ripen(now)
        for speed in lanes:
            lane = self._lanes[speed]
            offered = offers(lane, lane.time, lane.rules, now)
            most = self._limit if limit is None else limit
            offer = next(open_to(offered, self.running, limit=most), None)
            if offer is not None:
                return self._serve(lane, offer, now)
        return None

    def finish(self, ticket: Ticket, now: float) -> None:  # noqa: ARG002 - as others need it
        """End a job that was claimed."""
        self.running[ticket.owner_id] -= 1

    def waiting(self, owner_id: int) -> int:
        """Return how many jobs of *owner_id* wait."""
        people = [lane.people.get(owner_id) for lane in self._lanes.values()]
        return sum(len(person.ripe) + len(person.behind) for person in people if person is not None)

    def drop(self, ticket: Ticket) -> None:
        """Forget a waiting job."""
        lane = self._lanes[ticket.speed]
        person = lane.take_out(ticket.owner_id)
        _remove(person.ripe if ticket in person.ripe else person.behind, ticket)
        lane.put_back(ticket.owner_id)

    def give_back(self, ticket: Ticket, part: float) -> None:
        """Take back *part* (0..1) of what was counted for a job that ended unfinished."""
        for speed in {ticket.speed, Speed.RELAX}:
            person = self._lanes[speed].take_out(ticket.owner_id)
            person.start -= part * self._moved[ticket.number]
            self._lanes[speed].put_back(ticket.owner_id)

    def _ripen(self, now: float) -> None:
        while self._ripening and self._ripening[0][0] <= now:
            *_, ticket = heappop(self._ripening)
            lane = self._lanes[ticket.speed]
            person = lane.take_out(ticket.owner_id)
            if ticket in person.behind:
                person.behind.remove(ticket)
                insort(person.ripe, ticket)
            lane.put_back(ticket.owner_id)

    def _serve(self, lane: _Lane, offer: Offer, now: float) -> Ticket:
        owner_id = offer.line.owner_id
        lane.time = lane.time.after(offer)
        person = lane.take_out(owner_id)
        ticket = min(person.ripe, key=_number) if offer.by_age else (person.ripe or person.behind)[0]
        _remove(person.ripe or person.behind, ticket)
        self._moved[ticket.number] = moved = share(ticket.credits, person.weight)
        person.start = charged(person.start, moved, lane.time.clock, lane.rules)
        person.since = now
        lane.put_back(owner_id)
        if ticket.speed is not Speed.RELAX:
            self._count_in_relax(owner_id, moved, now)
        self.running[owner_id] = self.running.get(owner_id, 0) + 1
        return ticket

    def _count_in_relax(self, owner_id: int, moved: float, now: float) -> None:
        lane = self._lanes[Speed.RELAX]
        person = lane.take_out(owner_id)
        if not person.ripe and not person.behind:
            person.start = entered(person.start, now - person.since, lane.time.clock, lane.rules)
            person.since = now
        person.start += moved
        lane.put_back(owner_id)


class ArrivalQueue:
    """First come, first served."""

    def __init__(self, *, limit: int) -> None:
        """Let nobody have more than *limit* jobs running."""
        self.running: dict[int, int] = {}
        self._limit = limit
        self._lines: dict[tuple[Speed, int], list[Ticket]] = {}
        self._heads: dict[Speed, list[tuple[int, int]]] = {speed: [] for speed in LANES}

    def submit(self, ticket: Ticket) -> None:
        """Let *ticket* wait."""
        line = self._lines.setdefault((ticket.speed, ticket.owner_id), [])
        line.append(ticket)
        if len(line) == 1:
            insort(self._heads[ticket.speed], (self._rank(ticket), ticket.owner_id))

    def claim(self, now: float) -> Ticket | None:  # noqa: ARG002 - as the rule has it
        """Take out the job that waits longest."""
        for speed in LANES:
            heads = self._heads[speed]
            for index, (_, owner_id) in enumerate(heads):
                if self.running.get(owner_id, 0) < self._limit:
                    del heads[index]
                    return self._serve(self._lines[speed, owner_id])
        return None

    def finish(self, ticket: Ticket, now: float) -> None:  # noqa: ARG002 - as others need it
        """End a job that was claimed."""
        self.running[ticket.owner_id] -= 1

    def _rank(self, head: Ticket) -> int:
        """Return where a line with this head stands."""
        return head.number

    def _serve(self, line: list[Ticket]) -> Ticket:
        ticket = line.pop(0)
        self.running[ticket.owner_id] = self.running.get(ticket.owner_id, 0) + 1
        if line:
            insort(self._heads[ticket.speed], (self._rank(line[0]), ticket.owner_id))
        return ticket


class TurnQueue(ArrivalQueue):
    """People take turns, a job each, whatever their jobs cost."""

    def __init__(self, *, limit: int) -> None:
        """Let nobody have more than *limit* jobs running."""
        super().__init__(limit=limit)
        self._turn = 0

    def _rank(self, head: Ticket) -> int:  # noqa: ARG002 - whoever comes or comes back stands last
        self._turn += 1
        return self._turn


def _number(ticket: Ticket) -> int:
    return ticket.number


def _remove(items: list[Any], item: object) -> None:
    """Remove *item* from a sorted list that has it."""
    index = bisect_left(items, item)
    if items[index] != item:
        raise KeyError(item)
    del items[index]
