"""How long people wait under a mixed load: our own rules against first in, first out.

    python -m benchmarks.waits [--people 30] [--hours 1] [--load 0.7] [--seeds 1 2 3]

In virtual time, with the rules the product runs: `worker.queue` says whose job is next, `worker.engine.plan`
which pictures share the next step. A step takes what the measured table says (`benchmarks.steps`). People
order grids of four at quality .25 to 5, in two sizes and three lanes; one more orders as fast as the limits
on what a person may have in the queue let them. *First in, first out* is a pipeline called once a job, in
line, on the same orders with the same limits. A wait ends with the pictures. Light people are those who order
no more than the median person. Prints a table and, as the last line, one JSON object; a chart goes to
`build/charts`.
"""

import argparse
import json
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from statistics import median

from benchmarks._chart import bars, draw, told
from parser import Speed
from worker.api import LANES, JobId, Limits
from worker.engine.plan import BatchKey, Sample, SampleId, StepScheduler
from worker.queue.memory import FairQueue, Ticket
from worker.recipe import PICTURES

TABLE = Path(__file__).with_name("steps.json")
FLOODER = 0  # owner id; the others count from 1
FLOOD_SECONDS = 2.0  # between two orders the flooder tries
STEPS = 20  # at quality 1
QUALITIES = ((0.25, 0.10), (0.5, 0.15), (1.0, 0.50), (2.0, 0.15), (5.0, 0.10))  # and how often
SPEEDS = ((Speed.TURBO, 0.05), (Speed.FAST, 0.75), (Speed.RELAX, 0.20))
SECOND_SIZE = 0.3  # share of the orders
LIMITS = Limits()


class StepTimes:
    """Seconds of a step of one size, by how many pictures share it."""

    def __init__(self, measured: Mapping[int, float]) -> None:
        """Take what was measured; at least one number of pictures."""
        self._known = sorted(measured.items())

    def seconds(self, rows: int) -> float:
        """Return what *rows* take: between two measured numbers on the line, beyond them at the last rate."""
        known = self._known
        if rows >= known[-1][0]:
            return rows * known[-1][1] / known[-1][0]
        index = max(1, bisect_left(known, (rows, 0.0)))
        if rows <= known[0][0] or index >= len(known):
            return known[0][1]
        (fewer, low), (more, high) = known[index - 1], known[index]
        return low + (high - low) * (rows - fewer) / (more - fewer)


@dataclass(frozen=True, slots=True)
class Order:
    """A grid that somebody wants."""

    at: float
    owner_id: int
    speed: Speed
    size: str
    quality: float

    @property
    def steps(self) -> int:
        """Of its schedule."""
        return max(1, round(STEPS * self.quality))


@dataclass(frozen=True, slots=True)
class Wait:
    """How long somebody waited for an order, in seconds."""

    order: Order
    begun: float  # until its first step
    done: float  # until its pictures were there


def orders(
    people: int, hours: float, load: float, table: Mapping[str, StepTimes], chance: Random
) -> list[Order]:
    """Return what everybody but the flooder orders, in the order of time.

    A device that draws in line would be busy with it for the share *load* of the time. Some people order many
    times as much as others.
    """
    end = 3600 * hours
    activity = [chance.lognormvariate(0, 1) for _ in range(people)]
    found: list[Order] = []
    wanted = load * end
    while wanted > 0:
        [owner] = chance.choices(range(1, people + 1), activity)
        made = _order(chance.random() * end, owner, tuple(table), chance)
        wanted -= made.steps * table[made.size].seconds(PICTURES)
        found.append(made)
    return sorted(found, key=lambda each: each.at)


def _order(at: float, owner: int, sizes: Sequence[str], chance: Random) -> Order:
    [quality] = chance.choices([each for each, _ in QUALITIES], [share for _, share in QUALITIES])
    [speed] = chance.choices([each for each, _ in SPEEDS], [share for _, share in SPEEDS])
    return Order(at, owner, speed, sizes[chance.random() < SECOND_SIZE], quality)


def flood(hours: float, size: str) -> list[Order]:
    """Return what the flooder tries to order."""
    return [
        Order(index * FLOOD_SECONDS, FLOODER, Speed.FAST, size, 1.0)
        for index in range(int(3600 * hours / FLOOD_SECONDS))
    ]


class Door:
    """Lets people order as far as the limits go."""

    def __init__(self, wanted: Iterable[Order]) -> None:
        """Expect *wanted*, sorted by time."""
        self._wanted = deque(wanted)
        self._under_way: Counter[int] = Counter()

    @property
    def next_at(self) -> float:
        """When the next one comes."""
        return self._wanted[0].at if self._wanted else inf

    def enter(self, now: float) -> Iterator[Order]:
        """Yield the orders that came by now and were taken."""
        while self._wanted and self._wanted[0].at <= now:
            order = self._wanted.popleft()
            if self._under_way[order.owner_id] < LIMITS.running + LIMITS.waiting:
                self._under_way[order.owner_id] += 1
                yield order

    def leave(self, order: Order) -> None:
        """Count one that is done."""
        self._under_way[order.owner_id] -= 1


def in_line(wanted: Sequence[Order], table: Mapping[str, StepTimes]) -> list[Wait]:
    """Return the waits where jobs are drawn one after another as they came."""
    door, line, waits, now = Door(wanted), deque[Order](), list[Wait](), 0.0
    while True:
        line.extend(door.enter(now))
        if not line:
            if door.next_at == inf:
                return waits
            now = door.next_at
            continue
        order = line.popleft()
        begun, end = now, now + order.steps * table[order.size].seconds(PICTURES)
        while door.next_at <= end:  # who comes meanwhile finds this one still under way
            line.extend(door.enter(door.next_at))
        now = end
        door.leave(order)
        waits.append(Wait(order, begun - order.at, now - order.at))


@dataclass(slots=True)
class Service:
    """The product's rules on one device.

    Attributes:
        table: Seconds a step, by size.
        scheduler: The engine's.
        queue: The queue's.
    """

    table: Mapping[str, StepTimes]
    scheduler: StepScheduler = field(default_factory=StepScheduler)
    queue: FairQueue = field(default_factory=lambda: FairQueue(limit=LIMITS.running))
    now: float = 0.0
    _orders: dict[int, Order] = field(default_factory=dict)
    _tickets: dict[int, Ticket] = field(default_factory=dict)
    _begun: dict[int, float] = field(default_factory=dict)
    _left: Counter[int] = field(default_factory=Counter)  # pictures to be drawn

    def run(self, wanted: Sequence[Order]) -> list[Wait]:
        """Return the waits."""
        door, waits = Door(wanted), list[Wait]()
        while True:
            for order in door.enter(self.now):
                self._submit(order)
            self._claim()
            batch = self.scheduler.schedule()
            if not batch:
                if door.next_at == inf:
                    return waits
                self.now = door.next_at
                continue
            for wait in self._step(batch):
                door.leave(wait.order)
                waits.append(wait)

    def _submit(self, order: Order) -> None:
        number = len(self._orders) + 1
        self._orders[number] = order
        self.queue.submit(
            Ticket(order.steps, number, order.owner_id, order.speed, credits=order.quality, at=order.at)
        )

    def _claim(self) -> None:
        """Fill the free places as `worker.queue.store.Store.claim` does."""
        usual = self._key(next(iter(self.table)))
        newcomers = self.scheduler.free_for_newcomers(usual)
        sittings = [(lane, self.scheduler.free(lane, usual), LIMITS.running) for lane in LANES]
        sittings += [(lane, newcomers, 1) for lane in LANES]
        taken = 0
        for lane, places, limit in sittings:
            while places > taken and (ticket := self.queue.claim(self.now, lanes=(lane,), limit=limit)):
                self.scheduler.add(self._samples(ticket))
                taken += PICTURES

    def _samples(self, ticket: Ticket) -> list[Sample]:
        order = self._orders[ticket.number]
        self._tickets[ticket.number] = ticket
        self._left[ticket.number] = PICTURES
        ids = (SampleId(JobId(str(ticket.number)), 1, cell) for cell in range(PICTURES))
        return [Sample(each, self._key(order.size), order.speed, order.owner_id, order.steps) for each in ids]

    def _step(self, batch: Sequence[Sample]) -> Iterator[Wait]:
        for sample in batch:
            self._begun.setdefault(int(sample.id.job_id), self.now)
        seconds = self.table[batch[0].key.model].seconds(len(batch))
        self.now += seconds
        self.scheduler.took(batch, seconds)
        done = self.scheduler.update(batch)
        self.scheduler.remove(sample.id for sample in done)
        for sample in done:
            number = int(sample.id.job_id)
            self._left[number] -= 1
            if not self._left[number]:
                self.queue.finish(self._tickets.pop(number), self.now)
                order = self._orders[number]
                yield Wait(order, self._begun.pop(number) - order.at, self.now - order.at)

    @staticmethod
    def _key(size: str) -> BatchKey:
        return BatchKey(size, 0, 0, 0, guided=True)


def shared(wanted: Sequence[Order], table: Mapping[str, StepTimes]) -> list[Wait]:
    """Return the waits under the product's rules."""
    return Service(table).run(wanted)


RULES: Mapping[str, Callable[[Sequence[Order], Mapping[str, StepTimes]], list[Wait]]] = {
    "first in, first out": in_line,
    "ours": shared,
}


def groups(waits: Iterable[Wait], light: frozenset[int]) -> dict[str, list[float]]:
    """Return the waits until done of those who are compared."""
    found: dict[str, list[float]] = {}
    for wait in waits:
        owner = wait.order.owner_id
        names = ["flooder"] if owner == FLOODER else ["members", wait.order.speed.value]
        if owner in light:
            names += ["light", f"light, {wait.order.speed.value}"]
        for name in names:
            found.setdefault(name, []).append(wait.done)
    return found


def light_people(wanted: Iterable[Order]) -> frozenset[int]:
    """Return who orders no more than the median person."""
    counts = Counter(order.owner_id for order in wanted)
    most = median(counts.values())
    return frozenset(owner for owner, count in counts.items() if count <= most)


def measured(
    table: Mapping[str, StepTimes], *, people: int, hours: float, load: float, seeds: Sequence[int]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return, by rule and group, median, 95th percentile, longest wait and how many; all seeds together."""
    pooled: dict[str, dict[str, list[float]]] = {rule: {} for rule in RULES}
    for seed in seeds:
        theirs = orders(people, hours, load, table, Random(seed))
        wanted = sorted([*theirs, *flood(hours, next(iter(table)))], key=lambda each: each.at)
        light = light_people(theirs)
        for rule, run in RULES.items():
            for name, waits in groups(run(wanted, table), light).items():
                pooled[rule].setdefault(name, []).extend(waits)
    return {
        rule: {name: _figures(sorted(waits)) for name, waits in found.items()}
        for rule, found in pooled.items()
    }


def _figures(waits: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(median(waits), 2),
        "p95": round(waits[int(0.95 * (len(waits) - 1))], 2),
        "longest": round(waits[-1], 2),
        "jobs": len(waits),
    }


def load_table(path: Path, model: str) -> dict[str, StepTimes]:
    """Read what `benchmarks.steps` wrote: times by size, the usual size first."""
    sizes = json.loads(path.read_text(encoding="utf-8"))["steps"][model]
    return {
        size: StepTimes({int(rows): seconds for rows, seconds in by_rows.items()})
        for size, by_rows in sizes.items()
    }


def main() -> None:
    """Simulate and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--people", type=int, default=30)
    options.add_argument("--hours", type=float, default=1.0)
    options.add_argument("--load", type=float, default=0.7)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--table", type=Path, default=TABLE)
    options.add_argument("--model", default="embedded")
    chosen = options.parse_args()
    table = load_table(chosen.table, chosen.model)
    found = measured(table, people=chosen.people, hours=chosen.hours, load=chosen.load, seeds=chosen.seeds)
    names = list(dict.fromkeys(name for by_group in found.values() for name in by_group))
    print(f"{'seconds until the pictures are there':<40}" + "  ".join(f"{rule:>30}" for rule in found))
    for name in names:
        cells = (found[rule][name] for rule in found)
        told_of = (
            f"{each['median']:9.1f} p95 {each['p95']:8.1f} max {each['longest']:8.1f}" for each in cells
        )
        print(f"{name:<40}" + "  ".join(told_of))
    first, ours = (found[rule]["light"]["median"] for rule in RULES)
    print(f"light people's median: {ours / first:.3f} of first in, first out (1/{first / ours:.1f})")
    medians = {name: {rule: found[rule][name]["median"] for rule in found} for name in names}
    print(draw("waits", bars("Median wait", "seconds until the pictures are there", medians)))
    told("waits", {"rules": found, "light_ratio": ours / first})


if __name__ == "__main__":
    main()
