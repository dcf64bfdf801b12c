"""Who is next: the rule, without the rows it is applied to.

Start-time fair queueing (Goyal, Vin and Cheng, 1996), with a memory and with ageing. Each lane has a virtual
clock, in credits for a weight of one. Each person's line in it has a start: the virtual time at which the
next job begins. The smallest start is served first. A service moves the line's start on by the job's credits
divided by the person's weight, and the clock to where the start was. A line that was empty begins at most
`Rules.lead` before the clock, further on the more its person used lately. Nothing in this changes while time
passes, so that an index can hold the order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp2
from types import MappingProxyType
from typing import Protocol

from parser import Speed

LEAST = 0.05  # credits any job counts for in turns, also a free one
BATCH_SECONDS = 600.0  # how long a job of a permutation batch stands behind single ones


@dataclass(frozen=True, slots=True)
class Rules:
    """What a lane remembers of people.

    Attributes:
        lead: Credits, for a weight of one, by which people who used nothing lately may go before those who
            used much. What was used beyond it is not held against anybody.
        half_life: Seconds in which half of what somebody used is forgotten.
        patience: Seconds after which waiting itself counts: every second turn then goes to who waits longest.
    """

    lead: float
    half_life: float
    patience: float


RULES: Mapping[Speed, Rules] = MappingProxyType(
    {
        Speed.TURBO: Rules(lead=2, half_life=3600, patience=600),
        Speed.FAST: Rules(lead=2, half_life=3600, patience=600),
        Speed.RELAX: Rules(lead=20, half_life=24 * 3600, patience=3600),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One person's waiting jobs in one lane. Lines sort by who is served first.

    Attributes:
        start: Virtual time at which the next job begins.
        joined: Number of the job with which the line last stopped being empty: the first come of equal ones.
        owner_id: Discord user id.
        since: When the line was last joined or served, Unix seconds.
        may_run: Jobs its person may have running, None where nothing was said of them.
    """

    start: float
    joined: int
    owner_id: int
    since: float = field(compare=False)
    may_run: int | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class LaneTime:
    """How far a lane has come.

    Attributes:
        clock: Its virtual time: the furthest start served in turn.
        by_age: Whether the last service was owed to age instead.
    """

    clock: float = 0.0
    by_age: bool = False

    def after(self, offer: "Offer") -> "LaneTime":
        """Return it after *offer* was taken up."""
        if offer.by_age:
            return LaneTime(self.clock, by_age=True)
        return LaneTime(max(self.clock, offer.line.start))


class Lines(Protocol):
    """A lane's lines that are not empty; read no further than needed."""

    def aged(self, before: float) -> Iterator[Line]:
        """Yield those with a ripe job that were last joined or served before then, oldest first."""
        ...

    def ripe(self) -> Iterator[Line]:
        """Yield those with a job that stands behind nothing, in their order."""
        ...

    def all(self) -> Iterator[Line]:
        """Yield all, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A line that may be served next.

    Attributes:
        line: Whose turn it is.
        by_age: Whether it is because it waited so long.
        ripe: Whether only its ripe jobs are meant: single ones, and those of batches that have aged.
    """

    line: Line
    by_age: bool
    ripe: bool


def offers(lines: Lines, lane: LaneTime, rules: Rules, now: float) -> Iterator[Offer]:
    """Yield who may be served now, first those who should be. A line may come up more than once."""
    if not lane.by_age:
        for line in lines.aged(now - rules.patience):
            yield Offer(line, by_age=True, ripe=True)
    for line in lines.ripe():
        yield Offer(line, by_age=False, ripe=True)
    for line in lines.all():
        yield Offer(line, by_age=False, ripe=False)


def share(credits_: float, weight: float) -> float:
    """Return how far a job of so many credits moves the line of somebody of this weight."""
    return max(credits_, LEAST) / weight


def entered(start: float, idle: float, clock: float, rules: Rules) -> float:
    """Return the start of a line that is joined after it was empty.

    Args:
        start: Where the line was left.
        idle: Seconds since; a clock that was set back counts as none.
        clock: The lane's virtual time.
        rules: The lane's.
    """
    first = clock - rules.lead
    used = max(0.0, start - first)
    return first + used * exp2(-max(0.0, idle) / rules.half_life)


def charged(start: float, share_: float, clock: float, rules: Rules) -> float:
    """Return the start of a line after a service.

    One that could not be served for long, as its person had enough running, does not save up what it missed.
    """
    return max(start, clock - rules.lead) + share_


def starting_before(start: float, waiting: Sequence[float], end: float, *, tie: bool) -> int:
    """Return how many jobs of a line begin before the virtual time *end*.

    Args:
        start: Of the line.
        waiting: Shares of its jobs, in their order.
        end: Virtual time.
        tie: Whether one that begins at *end* exactly counts as well.
    """
    for index, each in enumerate(waiting):
        if start > end or (start == end and not tie):
            return index
        start += each
    return len(waiting)


def open_to(
    offered: Iterable[Offer], running: Mapping[int, int], *, limit: int, own: bool = True
) -> Iterator[Offer]:
    """Yield the offers to people who may have one more job under way.

    Args:
        offered: In their order.
        running: Jobs under way, by owner.
        limit: How many of those one person may have.
        own: Whether a limit of their own goes before that.
    """
    for offer in offered:
        said = offer.line.may_run if own else None
        if running.get(offer.line.owner_id, 0) < (limit if said is None else said):
            yield offer


def wait_seconds(
    ahead: int, under_way: Sequence[float], measured: Sequence[float], *, devices: int = 1
) -> float | None:
    """Estimate how long until a job starts, or return None where nothing was measured yet.

    Args:
        ahead: Jobs that start before it.
        under_way: How far each running job is, 0..1.
        measured: Device seconds of the last finished jobs.
        devices: How many share the work; without any, as long as one would take.
    """
    if not measured:
        return None
    jobs = ahead + sum(1 - fraction for fraction in under_way)
    return jobs * sum(measured) / len(measured) / max(1, devices)
