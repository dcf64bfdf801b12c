from hypothesis import given, settings
from hypothesis import strategies as st

from parser import Speed
from worker.api import LANES, JobId
from worker.engine.plan import BatchCap, BatchKey, Sample, SampleId, StepScheduler

SQUARE = BatchKey("m", 16, 16, 32, guided=True)
WIDE = BatchKey("m", 12, 20, 32, guided=True)


def grid(
    name: str,
    *,
    owner: int = 1,
    lane: Speed = Speed.FAST,
    key: BatchKey = SQUARE,
    steps: int = 10,
    cells: int = 4,
) -> list[Sample]:
    return [Sample(SampleId(JobId(name), 1, i), key, lane, owner, steps) for i in range(cells)]


def jobs(batch: list[Sample]) -> set[str]:
    return {sample.id.job_id for sample in batch}


def step(scheduler: StepScheduler) -> list[Sample]:
    batch = scheduler.schedule()
    scheduler.remove([sample.id for sample in scheduler.update(batch)])
    return batch


def test_nothing_admitted_means_no_step() -> None:
    assert StepScheduler().schedule() == []


def test_a_job_added_after_a_step_joins_the_very_next_one() -> None:
    scheduler = StepScheduler()
    scheduler.add(grid("a"))
    assert jobs(step(scheduler)) == {"a"}
    scheduler.add(grid("b", owner=2))
    assert jobs(step(scheduler)) == {"a", "b"}


def test_jobs_of_different_people_and_lengths_share_a_batch() -> None:
    scheduler = StepScheduler()
    scheduler.add(grid("a", owner=1, steps=5))
    scheduler.add(grid("b", owner=2, steps=40))
    assert len(scheduler.schedule()) == 8


def test_two_sizes_take_turns() -> None:
    scheduler = StepScheduler()
    scheduler.add(grid("square"))
    scheduler.add(grid("wide", key=WIDE, owner=2))
    assert [jobs(step(scheduler)) for _ in range(4)] == [{"square"}, {"wide"}, {"square"}, {"wide"}]


def test_a_higher_lane_has_the_device_to_itself_and_the_lower_one_goes_on_where_it_was() -> None:
    scheduler = StepScheduler()
    scheduler.add(grid("relaxed", lane=Speed.RELAX))
    step(scheduler)
    scheduler.add(grid("turbo", lane=Speed.TURBO, owner=2, steps=2))
    assert jobs(step(scheduler)) == {"turbo"}
    assert scheduler.paused() == {"relaxed"}
    step(scheduler)
    assert scheduler.paused() == set()
    assert {sample.step for sample in scheduler.schedule()} == {1}


def test_one_person_with_many_jobs_gets_no_more_than_another_with_one() -> None:
    scheduler = StepScheduler(first_cap=4, most=4)
    for number in range(10):
        scheduler.add(grid(f"flood{number}", owner=1, steps=20))
    scheduler.add(grid("single", owner=2, steps=20))
    turns = [owner for _ in range(20) for owner in {s.owner_id for s in step(scheduler)}]
    assert turns.count(2) == 10


def test_a_shared_step_carries_no_more_of_one_person_than_of_another() -> None:
    scheduler = StepScheduler(first_cap=32)
    for number in range(6):
        scheduler.add(grid(f"flood{number}", owner=1))
    assert len(scheduler.schedule()) == 24
    scheduler.add(grid("single", owner=2))
    batch = scheduler.schedule()
    assert [sum(s.owner_id == owner for s in batch) for owner in (1, 2)] == [4, 4]


def test_more_people_than_fit_take_turns() -> None:
    scheduler = StepScheduler(first_cap=8, most=8)
    for owner in range(5):
        scheduler.add(grid(f"j{owner}", owner=owner, steps=20))
    turns = [owner for _ in range(20) for owner in {s.owner_id for s in step(scheduler)}]
    assert [turns.count(owner) for owner in range(5)] == [8] * 5


def test_who_comes_late_is_not_repaid_for_the_time_away() -> None:
    scheduler = StepScheduler(first_cap=4, most=4)
    scheduler.add(grid("early", owner=1, steps=100))
    for _ in range(50):
        step(scheduler)
    scheduler.add(grid("late", owner=2, steps=100))
    turns = [owner for _ in range(10) for owner in {s.owner_id for s in step(scheduler)}]
    assert turns.count(1) == 5


def test_within_a_person_the_job_with_least_left_goes_first() -> None:
    scheduler = StepScheduler(first_cap=4, most=4)
    scheduler.add(grid("long", steps=50))
    scheduler.add(grid("short", steps=5))
    assert jobs(step(scheduler)) == {"short"}


def steps_of_a_long_job(lane: Speed, key: BatchKey = SQUARE) -> int:
    """Return after how many steps, of four seconds each, a job of 20 is done beside ever new short ones."""
    scheduler = StepScheduler(first_cap=4, most=4)
    long = grid("long", lane=lane, steps=20)
    scheduler.add(long)
    for taken in range(400):
        if all(sample.done for sample in long):
            return taken
        if len(scheduler) < 8:
            scheduler.add(grid(f"short{taken}", lane=lane, key=key, steps=5))
        batch = scheduler.schedule()
        scheduler.took(batch, 4.0)
        scheduler.remove([sample.id for sample in scheduler.update(batch)])
    return 400


def test_a_job_that_somebody_waits_for_is_done_about_four_times_as_late_as_alone() -> None:
    assert 60 <= steps_of_a_long_job(Speed.FAST) <= 82
    assert steps_of_a_long_job(Speed.RELAX) == 400, "nobody looks on"


def test_who_presses_gets_every_second_step_and_no_more() -> None:
    scheduler = StepScheduler(first_cap=4, most=4)
    for name in ("late", "later"):
        scheduler.add(grid(name, owner=1, steps=30))
    scheduler.took(grid("measured"), 1000.0)
    scheduler.add(grid("new", owner=2, steps=30))
    scheduler.took(grid("measured"), 0.4)
    turns = [jobs(step(scheduler)) for _ in range(6)]
    assert turns[::2] == [{"late"}] * 3
    assert turns[1::2] == [{"new"}] * 3


def test_a_pass_that_failed_in_part_says_nothing_of_the_next() -> None:
    scheduler = StepScheduler(first_cap=4, most=4)
    samples = grid("a", steps=5)
    scheduler.add(samples)
    scheduler.took(samples, 100.0, whole=False)
    assert scheduler.cap(SQUARE).rows == 4
    assert scheduler._deadlines.pressing(samples) == ()


def test_a_job_larger_than_the_cap_keeps_its_pictures_together() -> None:
    scheduler = StepScheduler(first_cap=3, most=3)
    scheduler.add(grid("a", steps=30))
    for _ in range(12):
        step(scheduler)
    steps = [sample.step for sample in scheduler._samples.values()]
    assert max(steps) - min(steps) <= 1


def test_removed_samples_take_no_further_step() -> None:
    scheduler = StepScheduler()
    samples = grid("a")
    scheduler.add(samples)
    scheduler.add(grid("b"))
    scheduler.remove([sample.id for sample in samples])
    assert jobs(step(scheduler)) == {"b"}


def test_the_cap_doubles_while_doubling_pays() -> None:
    cap = BatchCap(first=4, most=64)
    cap.measured(4, 4.0)
    assert cap.rows == 8
    cap.measured(8, 5.0)
    assert cap.rows == 16
    cap.measured(16, 9.8)  # two per cent less a row: more people wait longer for nothing
    assert cap.rows == 16
    cap.measured(16, 8.0)  # the bad one was a hiccup
    assert cap.rows == 32


def test_the_cap_never_grows_past_what_memory_allowed() -> None:
    cap = BatchCap(first=8, most=64)
    cap.lower(4)
    cap.measured(4, 1.0)
    assert cap.rows == 4
    cap.lower(0)
    assert cap.rows == 1


def test_a_lane_counts_only_itself_and_those_above_it() -> None:
    scheduler = StepScheduler(first_cap=8, resident_limit=12)
    scheduler.add(grid("r1", lane=Speed.RELAX))
    scheduler.add(grid("r2", lane=Speed.RELAX))
    free = {lane: scheduler.free(lane, SQUARE) for lane in LANES}
    assert free == {Speed.TURBO: 4, Speed.FAST: 4, Speed.RELAX: 0}
    scheduler.add(grid("f", lane=Speed.FAST))
    assert scheduler.free(Speed.TURBO, SQUARE) == 0  # the resident limit


def test_a_full_device_keeps_places_for_people_who_have_nothing_running() -> None:
    scheduler = StepScheduler(first_cap=8)
    for number in range(2):
        scheduler.add(grid(f"flood{number}"))
    assert scheduler.free(Speed.FAST, SQUARE) == 0
    assert scheduler.free_for_newcomers(SQUARE) == 8
    for owner in (2, 3):
        scheduler.add(grid(f"single{owner}", owner=owner))
    assert scheduler.free_for_newcomers(SQUARE) == 0


def test_the_newest_waiting_relax_job_is_the_one_to_hand_back() -> None:
    scheduler = StepScheduler()
    scheduler.add(grid("old", lane=Speed.RELAX))
    scheduler.add(grid("new", lane=Speed.RELAX))
    assert scheduler.newest_paused_relax() is None
    scheduler.add(grid("fast", owner=2))
    assert scheduler.newest_paused_relax() == "new"


ADMISSIONS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(LANES),
        st.sampled_from((SQUARE, WIDE)),
        st.integers(1, 6),
        st.integers(1, 4),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(ADMISSIONS, st.integers(1, 8))
def test_every_sample_takes_exactly_its_steps_whatever_the_company(
    admissions: list[tuple[int, Speed, BatchKey, int, int, int]], cap: int
) -> None:
    scheduler = StepScheduler(first_cap=cap, most=cap)
    owed = 0
    pending = [
        (wait, grid(f"j{i}", owner=owner, lane=lane, key=key, steps=steps, cells=cells))
        for i, (owner, lane, key, steps, cells, wait) in enumerate(admissions)
    ]
    owed = sum(sample.steps for _, samples in pending for sample in samples)
    everyone = [sample for _, samples in pending for sample in samples]
    for turn in range(owed + 6):
        for _, samples in [entry for entry in pending if entry[0] == turn]:
            scheduler.add(samples)
        batch = step(scheduler)
        assert len(batch) <= cap
        assert len({(sample.key, sample.lane) for sample in batch}) <= 1
    assert [sample.step for sample in everyone] == [sample.steps for sample in everyone]
    assert len(scheduler) == 0
