"""Who is next."""

from hypothesis import given
from hypothesis import strategies as st

from tests.worker.house import PROFILE, request
from worker.queue.fairness import Line, owners, wait_seconds, work
from worker.recipe import Upscaling, resolve

LINES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6)), min_size=1, max_size=8)


def served(lines: list[Line]) -> list[int]:
    """Serve the lines to the end, one job at a time, and return whose turn it was."""
    order, turn = [], max(line.turn for line in lines)
    waiting = list(lines)
    while waiting:
        owner = next(owners(sorted(waiting), {}, limit=1))
        order.append(owner)
        turn += 1
        waiting = [
            Line(turn, line.joined, line.owner_id, line.waiting - 1) if line.owner_id == owner else line
            for line in waiting
        ]
        waiting = [line for line in waiting if line.waiting]
    return order


@given(LINES)
def test_nobody_is_served_twice_while_another_waits(turns: list[tuple[int, int]]) -> None:
    order = served([Line(turn, joined, joined, waiting) for joined, (turn, waiting) in enumerate(turns)])
    for index, owner in enumerate(order):
        until_next = order[index + 1 :]
        if owner in until_next:
            until_next = until_next[: until_next.index(owner)]
        still_waiting = {other for other in order[index + 1 :] if other != owner}
        assert still_waiting <= set(until_next) or owner not in order[index + 1 :]


def test_who_has_enough_running_is_passed_over() -> None:
    lines = [Line(1, 1, 7, 5), Line(2, 1, 8, 5)]
    assert list(owners(lines, {7: 2}, limit=3)) == [7, 8]
    assert list(owners(lines, {7: 3}, limit=3)) == [8]
    assert list(owners(lines, {7: 3, 8: 3}, limit=3)) == []


def test_waiting_time_counts_jobs_ahead_and_what_is_left_of_running_ones() -> None:
    assert wait_seconds(2, [0.5, 0.75], [4.0, 6.0]) == 13.75
    assert wait_seconds(0, [], [4.0]) == 0
    assert wait_seconds(3, [], []) is None


def test_work_grows_with_steps_and_pixels() -> None:
    small = work(resolve(request(quality=0.25), PROFILE, seed=1))
    assert work(resolve(request(quality=5), PROFILE, seed=1)) == 20 * small
    assert work(resolve(request(stop=50), PROFILE, seed=1)) == 2 * small
    assert 0 < work(Upscaling(picture="", width=256, height=256)) < 20 * small
