"""A queue in virtual time, over lists and over the database."""

import sqlite3
from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from parser import Speed
from tests.worker.stored import StoredQueue, job_id
from worker.api import JobState, Limits
from worker.queue.demand import FLOODER, Demand
from worker.queue.memory import ArrivalQueue, FairQueue, Queue, Ticket, TurnQueue
from worker.queue.simulation import RULES, Machines, jain, percentile, simulate

LIMITS = Limits(running=3, waiting=10)
QUALITIES = (0.25, 0.5, 1.0, 2.0, 5.0)  # credits of a grid as well
MIX = tuple((quality, 0.2) for quality in QUALITIES)


def test_the_database_and_the_lists_come_to_the_same_outcome(open_database: sqlite3.Connection) -> None:
    """Whole simulations, of which one runs the statements of the store."""
    demand = Demand(people=25, jobs_per_hour=6, hours=1, relaxed=0.2, mix=MIX, burst=0.5)
    rules: dict[str, Callable[[int], Queue]] = {
        "lists": lambda limit: FairQueue(limit=limit),
        "rows": lambda limit: StoredQueue(open_database, limit=limit),
    }
    found = simulate(demand, Machines(2, 30), limits=LIMITS, random=Random(3), rules=rules)
    assert found["rows"] == found["lists"]
    assert found["rows"].members.jobs > 100


@pytest.mark.parametrize("seed", range(4))
def test_the_database_and_the_lists_agree_on_any_history(
    open_database: sqlite3.Connection, seed: int
) -> None:
    random, now = Random(seed), 1e9
    stored, listed = StoredQueue(open_database, limit=2), FairQueue(limit=2)
    waiting: list[Ticket] = []
    running: list[Ticket] = []
    for number in range(1, 300):
        now += random.choice([0, 0, 1, 20, 400])
        match random.choices(["order", "claim", "finish", "drop"], [4, 4, 3, 0.5])[0]:
            case "order":
                credits_ = random.choice(QUALITIES)
                speed = random.choice([Speed.TURBO, Speed.FAST, Speed.FAST, Speed.RELAX])
                ticket = Ticket(credits_, number, random.randrange(6), speed, credits_, at=now)
                weight = 2.0 if ticket.owner_id == 1 else 1.0
                ticket = Ticket(
                    credits_,
                    number,
                    ticket.owner_id,
                    speed,
                    credits_,
                    weight,
                    at=now,
                    batch=random.random() < 0.2,
                )
                stored.submit(ticket)
                listed.submit(ticket)
                waiting.append(ticket)
            case "claim":
                claimed = stored.claim(now)
                assert claimed == listed.claim(now)
                if claimed is not None:
                    waiting.remove(claimed)
                    running.append(claimed)
            case "finish" if running:
                ticket = running.pop(random.randrange(len(running)))
                stored.finish(ticket, now)
                listed.finish(ticket, now)
            case "drop" if waiting:
                ticket = waiting.pop(random.randrange(len(waiting)))
                stored.drop(ticket, now)
                listed.drop(ticket)


def test_what_is_handed_back_is_not_held_against_anybody(open_database: sqlite3.Connection) -> None:
    stored = StoredQueue(open_database, limit=9)
    for number, owner in enumerate((1, 1, 2, 2), 1):
        stored.submit(Ticket(1.0, number, owner, at=float(number)))
    starts = "SELECT speed, start FROM people WHERE owner_id = 1 ORDER BY speed"
    first = stored.claim(10.0)
    assert first is not None
    charged = [row["start"] for row in open_database.execute(starts)]
    stored.give_back(first, 11.0)
    returned = [row["start"] for row in open_database.execute(starts)]
    assert returned == [start - 1.0 for start in charged]
    assert stored.claim(12.0) == first


def test_of_what_was_stopped_only_the_drawn_part_counts(open_database: sqlite3.Connection) -> None:
    stored = StoredQueue(open_database, limit=9)
    stored.submit(Ticket(1.0, 1, 1, credits=2.0, at=0.0))
    start = "SELECT start FROM people WHERE owner_id = 1 AND speed = 'fast'"
    before = open_database.execute(start).fetchone()[0]
    ticket = stored.claim(1.0)
    assert ticket is not None
    open_database.execute(
        "INSERT INTO progress (job_id, fraction, paused, at) VALUES (?, 0.25, 0, 1)", (job_id(1),)
    )
    stored.end(ticket, JobState.CANCELLED, 2.0)
    assert open_database.execute(start).fetchone()[0] == before + 0.5


FLOODED = Demand(people=150, jobs_per_hour=2.5, hours=2)
BRIEF = Demand(people=40, jobs_per_hour=2.5, hours=0.5)


def test_a_flooder_gets_less_and_others_wait_less_than_first_come_first_served() -> None:
    found = simulate(FLOODED, Machines(1, 8), limits=LIMITS, random=Random(1))
    fair, first_come, turns = found["fair"], found["first come"], found["round robin"]
    assert fair.jain is not None
    assert first_come.jain is not None
    assert fair.jain >= first_come.jain
    assert fair.flooder.jobs <= first_come.flooder.jobs
    for other in (first_come, turns):
        assert fair.members.mean is not None
        assert other.members.mean is not None
        assert fair.members.mean < other.members.mean / 1.5
        assert (fair.light.percentiles[95] or 0) < (other.light.percentiles[95] or 0)


def test_the_same_seed_gives_the_same_outcome_and_another_gives_another() -> None:
    run = partial(simulate, BRIEF, Machines(1, 8), limits=LIMITS)
    assert run(random=Random(1)) == run(random=Random(1))
    assert run(random=Random(1)) != run(random=Random(2))


@pytest.mark.parametrize("rule", RULES)
def test_every_order_that_was_taken_is_drawn(rule: str) -> None:
    orders = FLOODED.orders(Random(1))
    found = simulate(FLOODED, Machines(1, 8), limits=LIMITS, random=Random(1), rules={rule: RULES[rule]})[
        rule
    ]
    assert found.members.jobs + found.refused == len(orders)
    assert found.used == pytest.approx(1.0, abs=0.01)


def test_with_more_devices_than_work_nobody_but_the_flooder_waits() -> None:
    found = simulate(BRIEF, Machines(20, 8), limits=LIMITS, random=Random(1))
    for outcome in found.values():
        assert outcome.members.longest == 0
        assert (outcome.flooder.percentiles[50] or 0) > 0
        assert outcome.jain is None


def test_demand_is_as_large_as_asked_for() -> None:
    demand = Demand(people=2000, jobs_per_hour=1.0, hours=4, burst=0.0)
    orders = demand.orders(Random(5))
    assert len(orders) == pytest.approx(8000, rel=0.05)
    mean = sum(ticket.credits for ticket in orders) / len(orders)
    assert mean == pytest.approx(demand.mean_credits, rel=0.1)
    assert FLOODER not in {ticket.owner_id for ticket in orders}
    assert all(0 <= ticket.at < 4 * 3600 for ticket in orders)


def test_first_come_and_turns_serve_as_they_say() -> None:
    def order(queue: Queue) -> list[int]:
        for number, owner in enumerate((1, 1, 1, 2, 2, 3), 1):
            queue.submit(Ticket(1.0, number, owner))
        served = []
        while (ticket := queue.claim(0.0)) is not None:
            served.append(ticket.owner_id)
        return served

    assert order(ArrivalQueue(limit=9)) == [1, 1, 1, 2, 2, 3]
    assert order(TurnQueue(limit=9)) == [1, 2, 3, 1, 2, 1]
    assert order(ArrivalQueue(limit=2)) == [1, 1, 2, 2, 3]


def test_jains_index_is_one_for_equals_and_one_nth_where_one_has_it_all() -> None:
    assert jain([3.0, 3.0, 3.0]) == 1
    assert jain([5.0, 0, 0, 0]) == 0.25
    assert jain([]) is None
    assert jain([0.0, 0.0]) is None


def test_percentiles_are_the_smallest_values_that_suffice() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, each) for each in (1, 50, 99)] == [1, 50, 99]
    assert percentile([7.0], 50) == 7
    assert percentile([], 50) is None
