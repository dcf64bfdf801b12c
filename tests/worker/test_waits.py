"""The rules at work together, in virtual time and with measured steps: who waits how long."""

from random import Random

import pytest

from benchmarks.waits import TABLE, Order, Service, StepTimes, Wait, in_line, light_people, load_table, orders
from parser import Speed

EVEN = {"square": StepTimes({1: 1.0, 4: 2.0, 8: 3.0}), "wide": StepTimes({1: 1.5, 4: 3.0, 8: 4.5})}


def order(
    at: float, owner: int, *, speed: Speed = Speed.FAST, size: str = "square", quality: float = 1
) -> Order:
    return Order(at, owner, speed, size, quality)


def served(*wanted: Order) -> dict[Order, Wait]:
    return {wait.order: wait for wait in Service(EVEN).run(sorted(wanted, key=lambda each: each.at))}


def test_a_step_between_two_measured_sizes_is_on_their_line_and_beyond_them_at_their_rate() -> None:
    times = StepTimes({1: 1.0, 4: 2.5, 8: 4.0})
    assert [times.seconds(rows) for rows in (1, 2, 4, 8, 16)] == [1.0, 1.5, 2.5, 4.0, 8.0]


def test_one_order_alone_takes_its_steps_under_either_rule() -> None:
    only = order(5, 1)
    assert served(only)[only].done == pytest.approx(40)
    assert in_line([only], EVEN) == [Wait(only, 0, 40)]


def test_a_size_that_one_person_has_alone_moves_beside_a_crowd_of_another() -> None:
    lonely = order(0, 9, size="wide", quality=0.5)
    crowd = [order(0, owner, quality=5) for owner in range(1, 5)]
    waits = served(lonely, *crowd)
    assert waits[lonely].done < 100, "every second step is its own"
    assert max(waits[each].done for each in crowd) > 300


def test_a_higher_lane_does_not_wait_for_what_is_drawn_in_a_lower_one() -> None:
    relaxed, hasty = order(0, 1, speed=Speed.RELAX, quality=5), order(50, 2, speed=Speed.TURBO)
    waits = served(relaxed, hasty)
    assert waits[hasty].done < 45
    assert waits[relaxed].done == pytest.approx(240)


def test_light_people_wait_a_fifth_as_long_as_in_line_beside_a_flood() -> None:
    table = load_table(TABLE, "embedded")
    theirs = orders(12, 0.12, 0.6, table, Random(4))
    flood = [order(2.0 * number, 0, size=next(iter(table))) for number in range(200)]
    light = light_people(theirs)
    medians = []
    for waits in (Service(table).run, lambda wanted: in_line(wanted, table)):
        done = sorted(
            wait.done
            for wait in waits(sorted([*theirs, *flood], key=lambda each: each.at))
            if wait.order.owner_id in light and wait.order.speed is not Speed.RELAX
        )
        medians.append(done[len(done) // 2])
    assert medians[0] < medians[1] / 5
