"""Who is next."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parser import Speed
from worker.queue.fairness import (
    BATCH_SECONDS,
    RULES,
    LaneTime,
    Line,
    Offer,
    charged,
    entered,
    open_to,
    starting_before,
    wait_seconds,
)
from worker.queue.memory import FairQueue, Ticket

FAST = RULES[Speed.FAST]
PLENTY = 10**6
CREDITS = st.sampled_from([0.1, 0.25, 1.0, 2.0, 5.0])
HISTORIES = st.lists(  # (owner, credits, jobs they order, jobs drawn then, seconds that pass then)
    st.tuples(
        st.integers(1, 5), CREDITS, st.integers(1, 6), st.integers(0, 4), st.sampled_from([0, 30, 900])
    ),
    max_size=12,
)
History = list[tuple[int, float, int, int, int]]


class Lane:
    """A queue with a clock, where jobs end as soon as they are drawn."""

    def __init__(self, *, limit: int = PLENTY) -> None:
        self.queue = FairQueue(limit=limit)
        self.now = 1000.0
        self.numbers = iter(range(1, PLENTY))

    def order(self, owner: int, credits_: float = 1.0, *, weight: float = 1.0, batch: bool = False) -> Ticket:
        ticket = Ticket(
            credits_, next(self.numbers), owner, credits=credits_, weight=weight, at=self.now, batch=batch
        )
        self.queue.submit(ticket)
        return ticket

    def draw(self) -> Ticket | None:
        ticket = self.queue.claim(self.now)
        if ticket is not None:
            self.queue.running[ticket.owner_id] -= 1
        return ticket

    def owners(self) -> list[int]:
        """Draw all that waits and return whose it was."""
        drawn = []
        while (ticket := self.draw()) is not None:
            drawn.append(ticket.owner_id)
        return drawn

    def live(self, history: History) -> list[Ticket]:
        drawn = []
        for owner, credits_, ordered, served, seconds in history:
            for _ in range(ordered):
                self.order(owner, credits_)
            drawn += [ticket for _ in range(served) if (ticket := self.draw()) is not None]
            self.now += seconds
        return drawn


@given(HISTORIES)
def test_nobody_delays_somebody_who_used_nothing_by_more_than_one_job(history: History) -> None:
    lane = Lane()
    lane.live(history)
    lane.order(9)
    before = lane.owners()
    before = before[: before.index(9)]
    assert len(before) == len(set(before))


@given(HISTORIES, st.integers(0, 50))
def test_a_flood_delays_whoever_used_no_more_by_one_job_at_most(history: History, drawn: int) -> None:
    lane = Lane()
    lane.live(history)
    lane.owners()
    for _ in range(50):
        lane.order(7)
    for _ in range(drawn):
        lane.draw()
    lane.order(8)
    assert lane.owners().index(8) <= 1


@given(HISTORIES, st.integers(1, 3))
def test_as_long_as_somebody_may_be_served_somebody_is(history: History, limit: int) -> None:
    lane = Lane(limit=limit)
    lane.live(history)
    while lane.queue.claim(lane.now) is not None:
        pass
    for owner in range(1, 6):
        assert not lane.queue.waiting(owner) or lane.queue.running[owner] == limit


@given(HISTORIES)
def test_every_job_is_drawn_once_and_the_same_history_gives_the_same_order(history: History) -> None:
    def all_of(lane: Lane) -> list[int]:
        drawn = lane.live(history)
        while (ticket := lane.draw()) is not None:
            drawn.append(ticket)
        return [ticket.number for ticket in drawn]

    order = all_of(Lane())
    assert order == all_of(Lane())
    assert sorted(order) == list(range(1, len(order) + 1))


@given(st.permutations(range(1, 9)))
def test_equal_people_are_served_as_they_came(arrivals: list[int]) -> None:
    lane = Lane()
    for owner in arrivals:
        lane.order(owner)
        lane.now += 1
    assert lane.owners() == arrivals


@given(
    st.lists(st.tuples(CREDITS, CREDITS), min_size=20, max_size=40),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, 10.0]),
    st.sampled_from([1.0, 2.0]),
)
@settings(max_examples=40)
def test_people_get_by_weight_to_within_one_job_each(
    jobs: list[tuple[float, float]], first: float, second: float
) -> None:
    lane, weights = Lane(), {1: first, 2: second}
    for pair in jobs:
        for owner, credits_ in enumerate(pair, 1):
            replaced = lane.order(owner, credits_, weight=weights[owner])
            assert replaced.weight == weights[owner]
    got = {1: 0.0, 2: 0.0}
    while lane.queue.waiting(1) and lane.queue.waiting(2):
        ticket = lane.draw()
        assert ticket is not None
        got[ticket.owner_id] += ticket.credits / weights[ticket.owner_id]
        largest = 5.0 / first + 5.0 / second
        assert abs(got[1] - got[2]) <= largest + 1e-9


@given(st.integers(0, 6), st.integers(0, 40))
def test_nobody_starves_however_many_come_who_used_nothing(older: int, used: int) -> None:
    """Who waited longer than the patience is behind those who did so before, and every second other."""
    lane = Lane()
    for owner in range(1, older + 2):
        for _ in range(used):
            lane.order(owner)
    lane.owners()
    for owner in range(1, older + 2):
        lane.order(owner)
        lane.now += 1
    lane.now += FAST.patience
    for claims in range(1, 2 * (older + 1) + 1):
        for _ in range(3):
            lane.order(next(lane.numbers) + 100)  # somebody nobody saw before
        ticket = lane.draw()
        assert ticket is not None
        if ticket.owner_id == older + 1:
            return
        assert claims < 2 * (older + 1)


def test_a_long_job_of_somebody_who_keeps_ordering_short_ones_is_drawn_when_its_line_aged() -> None:
    lane = Lane()
    long = lane.order(1, 5.0)
    lane.order(1, 0.1)
    assert lane.draw() != long
    lane.now += FAST.patience
    lane.order(1, 0.1)
    assert lane.draw() == long


def test_who_used_less_lately_goes_first() -> None:
    lane = Lane()
    for owner, jobs in ((1, 3), (2, 1), (3, 2)):
        for _ in range(jobs):
            lane.order(owner)
    lane.owners()
    for owner in (1, 2, 3, 4):
        lane.order(owner)
    assert lane.owners() == [4, 2, 3, 1]


def test_what_was_used_is_forgotten_by_halves() -> None:
    left = entered(100.0, 0.0, 100.0, FAST)
    assert left == 100.0
    assert entered(100.0, FAST.half_life, 100.0, FAST) == 100 - FAST.lead / 2
    assert entered(100.0, 1e12, 100.0, FAST) == 100 - FAST.lead
    assert entered(100.0, -50.0, 100.0, FAST) == left  # the clock was set back


@given(st.floats(-10, 1e6), st.floats(0, 1e6), st.floats(-1e6, 1e9))
def test_a_line_begins_neither_before_the_lead_nor_after_what_it_used(
    start: float, clock: float, idle: float
) -> None:
    begin = entered(start, idle, clock, FAST)
    assert clock - FAST.lead <= begin <= max(start, clock - FAST.lead) + 1e-6


def test_who_could_not_be_served_saves_nothing_up() -> None:
    assert charged(0.0, 1.0, 100.0, FAST) == 100 - FAST.lead + 1
    assert charged(99.0, 1.0, 100.0, FAST) == 100.0


def test_service_by_age_leaves_the_clock_and_is_followed_by_one_in_turn() -> None:
    line = Line(7.0, 1, 1, 0.0)
    aged = LaneTime(3.0).after(Offer(line, by_age=True, ripe=True))
    assert aged == LaneTime(3.0, by_age=True)
    assert aged.after(Offer(line, by_age=False, ripe=True)) == LaneTime(7.0)
    assert aged.after(Offer(replace(line, start=1.0), by_age=False, ripe=True)) == LaneTime(3.0)


def test_a_batch_stands_behind_everybodys_single_jobs_until_it_has_aged() -> None:
    lane = Lane()
    batch = [lane.order(1, batch=True) for _ in range(3)]
    lane.order(2)
    lane.order(3)
    lane.order(3)
    assert [ticket.owner_id for _ in range(3) if (ticket := lane.draw())] == [2, 3, 3]
    assert lane.draw() == batch[0]  # nothing else waits
    lane.now += BATCH_SECONDS
    lane.order(3)
    assert lane.draw() == batch[1]  # by now 3 used more


def test_a_persons_own_single_job_goes_before_their_batch() -> None:
    lane = Lane()
    lane.order(1, 0.1, batch=True)
    single = lane.order(1, 5.0)
    assert lane.draw() == single


def test_what_was_used_in_another_lane_counts_in_relax() -> None:
    lane = Lane()
    lane.order(1)
    lane.owners()
    for owner in (1, 2):
        lane.queue.submit(Ticket(1, next(lane.numbers), owner, Speed.RELAX, at=lane.now))
    assert lane.owners() == [2, 1]


def test_what_was_not_drawn_is_given_back() -> None:
    lane = Lane()
    for _ in range(2):
        lane.order(1, 4.0)
    ticket = lane.draw()
    assert ticket is not None
    lane.order(2, 2.0)
    lane.order(2, 2.0)
    lane.queue.give_back(ticket, 1.0)
    assert lane.owners() == [1, 2, 2]


def test_who_has_enough_running_is_passed_over() -> None:
    offered = [
        Offer(Line(start, 1, owner, 0.0), by_age=False, ripe=True) for start, owner in ((1, 7), (2, 8))
    ]

    def open_owners(running: dict[int, int], limit: int, *, own: bool = True) -> list[int]:
        return [offer.line.owner_id for offer in open_to(offered, running, limit=limit, own=own)]

    assert open_owners({7: 2}, 3) == [7, 8]
    assert open_owners({7: 3}, 3) == [8]
    assert open_owners({7: 3, 8: 3}, 3) == []
    offered[0] = replace(offered[0], line=replace(offered[0].line, may_run=5))
    assert open_owners({7: 4, 8: 3}, 3) == [7]
    assert open_owners({7: 4}, 1, own=False) == [8]


@given(st.lists(st.sampled_from([0.25, 0.5, 1.0]), max_size=8), st.integers(0, 20), st.booleans())
def test_jobs_that_begin_before_a_time_are_counted_one_by_one(
    shares: list[float], end: int, tie: bool
) -> None:
    starts = [sum(shares[:index]) for index in range(len(shares))]
    expected = sum(start < end / 4 or (tie and start == end / 4) for start in starts)
    assert starting_before(0.0, shares, end / 4, tie=tie) == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_long_history_keeps_the_order_of_its_lists(seed: int) -> None:
    random, lane, waiting = Random(seed), Lane(limit=2), set()
    for _ in range(2000):
        lane.now += random.choice([0, 1, 300])
        if random.random() < 0.5:
            waiting.add(
                lane.order(random.randrange(20), random.choice([0.1, 1.0]), batch=random.random() < 0.2)
            )
        elif waiting and random.random() < 0.2:
            dropped = min(waiting)
            waiting.remove(dropped)
            lane.queue.drop(dropped)
        elif (ticket := lane.draw()) is not None:
            waiting.remove(ticket)
    assert len(lane.owners()) == len(waiting)


def test_waiting_time_counts_jobs_ahead_and_what_is_left_of_running_ones() -> None:
    assert wait_seconds(2, [0.5, 0.75], [4.0, 6.0]) == 13.75
    assert wait_seconds(0, [], [4.0]) == 0
    assert wait_seconds(3, [], []) is None


def test_waiting_time_is_shared_by_the_devices_there_are() -> None:
    assert wait_seconds(8, [], [3.0], devices=4) == 6
    assert wait_seconds(8, [], [3.0], devices=0) == 24  # nobody is there: as long as one would take
