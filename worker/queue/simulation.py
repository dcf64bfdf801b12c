"""A queue in virtual time: people, devices, and how long everybody waits under each rule."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import inf
from random import Random
from statistics import fmean, median

from worker.api import Limits
from worker.queue.demand import FLOODER, Demand
from worker.queue.memory import ArrivalQueue, FairQueue, Queue, Ticket, TurnQueue

RULES: Mapping[str, Callable[[int], Queue]] = {
    "fair": lambda limit: FairQueue(limit=limit),
    "first come": lambda limit: ArrivalQueue(limit=limit),
    "round robin": lambda limit: TurnQueue(limit=limit),
}
PERCENTILES = (50, 90, 95, 99)
WINDOW_SECONDS = 600.0  # over which service is compared
FLOOD_SECONDS = 2.0  # between two orders the flooder tries


@dataclass(frozen=True, slots=True)
class Machines:
    """What draws.

    Attributes:
        devices: How many; each draws one job after another.
        seconds: How long a device takes for a credit.
    """

    devices: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Waits:
    """How long jobs waited, in seconds; None where there were none."""

    jobs: int
    mean: float | None
    percentiles: Mapping[int, float | None]
    longest: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule came to.

    Attributes:
        members: Waits of everybody but the flooder.
        light: Those of people who ordered no more than the median person.
        flooder: Those of the flooder.
        jain: Jain's index of the credits for a weight of one that people got in ten minutes, of those who had
            jobs waiting all through it; 1 is perfectly even, 1/n the worst. The mean of all those times.
        busy: How many people that rests on, on average.
        refused: Orders of members that found their person's places taken.
        used: Share of the devices' time in which they drew, until the last order.
    """

    members: Waits
    light: Waits
    flooder: Waits
    jain: float | None
    busy: float
    refused: int
    used: float


@dataclass(slots=True)
class _Service:
    """What one person got."""

    weight: float = 1.0
    waiting: int = 0
    running: int = 0
    since: float = 0.0  # when the first of those came
    credits: float = 0.0  # of jobs that began in this window


@dataclass(slots=True)
class _Run:
    """One rule at work.

    Attributes:
        queue: The rule.
        machines: What draws.
        limits: What one person may have under way.
        end: When nobody orders any more.
    """

    queue: Queue
    machines: Machines
    limits: Limits
    end: float
    free: int = 0
    drawing: list[tuple[float, int, Ticket]] = field(default_factory=list)
    started: list[tuple[Ticket, float]] = field(default_factory=list)
    service: dict[int, _Service] = field(default_factory=dict)
    refused: int = 0
    drawn_seconds: float = 0.0
    windows: list[tuple[int, float | None]] = field(
        default_factory=list
    )  # people who were busy, Jain's index

    def advance(self, now: float) -> None:
        """Close the windows that end by then."""
        while min(now, self.end) >= (begin := len(self.windows) * WINDOW_SECONDS) + WINDOW_SECONDS:
            people = self.service.values()
            got = [each.credits / each.weight for each in people if each.waiting and each.since <= begin]
            self.windows.append((len(got), jain(got) if len(got) > 1 else None))
            for each in people:
                each.credits = 0.0

    def order(self, ticket: Ticket) -> None:
        """Let somebody order, if they have room."""
        owner_id = ticket.owner_id
        person = self.service.setdefault(owner_id, _Service(weight=ticket.weight))
        if person.waiting + person.running >= self.limits.running + self.limits.waiting:
            self.refused += owner_id != FLOODER
            return
        if not person.waiting:
            person.since = ticket.at
        person.waiting += 1
        self.queue.submit(ticket)

    def draw(self, now: float) -> None:
        """Give free devices what there is."""
        while self.free and (ticket := self.queue.claim(now)) is not None:
            self.free -= 1
            seconds = ticket.credits * self.machines.seconds
            heappush(self.drawing, (now + seconds, ticket.number, ticket))
            self.started.append((ticket, now - ticket.at))
            self.drawn_seconds += max(0.0, min(now + seconds, self.end) - now)
            person = self.service[ticket.owner_id]
            person.waiting -= 1
            person.running += 1
            person.credits += ticket.credits

    def finish(self, until: float) -> None:
        """Let devices finish what they have by then."""
        while self.drawing and self.drawing[0][0] <= until:
            now, _, ticket = heappop(self.drawing)
            self.advance(now)
            self.service[ticket.owner_id].running -= 1
            self.queue.finish(ticket, now)
            self.free += 1
            self.draw(now)


def simulate(
    demand: Demand,
    machines: Machines,
    *,
    limits: Limits,
    random: Random,
    rules: Mapping[str, Callable[[int], Queue]] = RULES,
) -> dict[str, Outcome]:
    """Return what each of the *rules* makes of the same orders on the same machines."""
    orders = _numbered([*demand.orders(random), *_flood(demand)])
    light = _light(orders)
    return {
        name: _outcome(_ran(rule(limits.running), demand, orders, machines, limits), light)
        for name, rule in rules.items()
    }


def _flood(demand: Demand) -> list[Ticket]:
    tries = int(3600 * demand.hours / FLOOD_SECONDS) if demand.flooder else 0
    return [Ticket(1.0, 0, FLOODER, at=index * FLOOD_SECONDS) for index in range(tries)]


def _numbered(orders: Iterable[Ticket]) -> list[Ticket]:
    ordered = sorted(orders, key=lambda each: (each.at, each.owner_id))
    return [replace(ticket, number=number) for number, ticket in enumerate(ordered, 1)]


def _light(orders: Iterable[Ticket]) -> frozenset[int]:
    """Return who ordered no more than the median person of those who did."""
    counts = Counter(ticket.owner_id for ticket in orders if ticket.owner_id != FLOODER)
    most = median(counts.values()) if counts else 0
    return frozenset(owner_id for owner_id, count in counts.items() if count <= most)


def _ran(queue: Queue, demand: Demand, orders: Sequence[Ticket], machines: Machines, limits: Limits) -> _Run:
    run = _Run(queue, machines, limits, end=3600 * demand.hours, free=machines.devices)
    for ticket in orders:
        run.finish(ticket.at)
        run.advance(ticket.at)
        run.order(ticket)
        run.draw(ticket.at)
    run.finish(inf)
    return run


def _outcome(run: _Run, light: Collection[int]) -> Outcome:
    compared = [(people, index) for people, index in run.windows if index is not None]
    busy = sum(people for people, _ in compared)
    return Outcome(
        members=_waits([wait for ticket, wait in run.started if ticket.owner_id != FLOODER]),
        light=_waits([wait for ticket, wait in run.started if ticket.owner_id in light]),
        flooder=_waits([wait for ticket, wait in run.started if ticket.owner_id == FLOODER]),
        jain=sum(people * index for people, index in compared) / busy if busy else None,
        busy=busy / len(compared) if compared else 0.0,
        refused=run.refused,
        used=run.drawn_seconds / (run.machines.devices * run.end),
    )


def _waits(seconds: list[float]) -> Waits:
    seconds.sort()
    found = {each: percentile(seconds, each) for each in PERCENTILES}
    return Waits(len(seconds), fmean(seconds) if seconds else None, found, seconds[-1] if seconds else None)


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest of the *ordered* values that so many percent do not exceed."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else None


def jain(values: Sequence[float]) -> float | None:
    """Return Jain's fairness index (Jain, Chiu and Hawe, 1984), None without anything to compare."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else None
