"""Who orders what and when, for simulations: the same seed gives the same orders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from parser import Speed
from worker.queue.memory import Ticket

FLOODER = 0  # owner id; the others count from 1
MIX = (  # credits of a job, and how often it is ordered
    (1.0, 0.70),  # a default grid
    (0.5, 0.08),
    (2.0, 0.07),
    (5.0, 0.03),
    (0.1, 0.12),  # enlarging
)
UNEVENNESS = 1.0  # sigma of the log-normal distribution of how much people order
SITTING = 3.0  # orders in one sitting, on average
GAP_SECONDS = 45.0  # between two of them, on average
BURST_SECONDS = 120.0  # in which an announcement is answered


@dataclass(frozen=True, slots=True)
class Demand:
    """What people want.

    Attributes:
        people: How many may order.
        jobs_per_hour: Orders of one of them, on average; some order many times as much.
        hours: How long they do.
        burst: Share of the people who order at once, in the middle of it.
        flooder: Whether somebody more orders as fast as they are let.
        favoured: Share of the people whose weight is 2.
        relaxed: Share of the orders for the relax lane.
        mix: Credits of an order, and its share; the shares sum to 1.
    """

    people: int
    jobs_per_hour: float
    hours: float
    burst: float = 0.05
    flooder: bool = True
    favoured: float = 0.1
    relaxed: float = 0.0
    mix: Sequence[tuple[float, float]] = MIX

    @property
    def mean_credits(self) -> float:
        """Credits of an order, on average."""
        return sum(credits_ * part for credits_, part in self.mix)

    @property
    def expected(self) -> float:
        """About how many orders there will be, the flooder's apart."""
        return self.people * (self.jobs_per_hour * self.hours + self.burst)

    def orders(self, chance: Random) -> list[Ticket]:
        """Return everybody's orders but the flooder's, in no order and not yet numbered."""
        activity = [chance.lognormvariate(0, UNEVENNESS) for _ in range(self.people)]
        weights = [2.0 if chance.random() < self.favoured else 1.0 for _ in range(self.people)]
        return [
            self._ticket(chance, owner, at, weights[owner - 1])
            for owner, at in self._moments(chance, activity)
        ]

    def _moments(self, chance: Random, activity: Sequence[float]) -> Iterator[tuple[int, float]]:
        """Yield owners and the seconds at which they order."""
        end = 3600 * self.hours
        wanted = self.people * self.jobs_per_hour * self.hours
        shares = list(accumulate(activity))
        owners = chance.choices(range(1, self.people + 1), cum_weights=shares, k=round(wanted / SITTING))
        for owner in owners:
            at = chance.random() * end
            while at < end:
                yield owner, at
                at += chance.expovariate(1 / GAP_SECONDS)
                if chance.random() < 1 / SITTING:
                    break
        for owner in chance.sample(range(1, self.people + 1), round(self.people * self.burst)):
            yield owner, end / 2 + chance.random() * BURST_SECONDS

    def _ticket(self, chance: Random, owner_id: int, at: float, weight: float) -> Ticket:
        credits_ = chance.choices([each for each, _ in self.mix], [part for _, part in self.mix])[0]
        speed = Speed.RELAX if chance.random() < self.relaxed else Speed.FAST
        return Ticket(credits_, 0, owner_id, speed, credits=credits_, weight=weight, at=at)
