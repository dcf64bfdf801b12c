from collections.abc import Sequence

import pytest
import torch

from parser import Speed
from tests.fakes import Clock
from tests.worker.engine.fakes import Check, FakeBackend, fine
from tests.worker.engine.recipes import drawing, job
from worker.api import ErrorCode
from worker.device import Dropped, Failed
from worker.engine.engine import Engine
from worker.engine.outcomes import Drawn, Moved, Outcome
from worker.engine.plan import SampleId, StepScheduler


def engine(backend: FakeBackend, clock: Clock | None = None, **scheduler: int) -> Engine:
    return Engine(backend, clock or Clock(), StepScheduler(**scheduler))


def run(engine: Engine) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while engine.busy:
        outcomes += engine.step()
    return outcomes


def ends(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {outcome.job_id: outcome for outcome in outcomes if not isinstance(outcome, Moved)}


def culprit(name: str, error: Exception) -> Check:
    def check(ids: Sequence[SampleId]) -> None:
        if any(sample_id.job_id == name for sample_id in ids):
            raise error

    return check


def at_most(rows: int) -> Check:
    def check(ids: Sequence[SampleId]) -> None:
        if len(ids) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory")

    return check


def test_two_people_share_every_forward_pass_and_both_know_it() -> None:
    backend = FakeBackend()
    subject = engine(backend)
    subject.submit(job("a", owner=1))
    subject.submit(job("b", owner=2))
    drawn = ends(run(subject))
    assert [len(batch) for batch in backend.batches] == [8, 8, 8, 8]
    assert all(isinstance(end, Drawn) and end.company.shared == 4 for end in drawn.values())
    assert all(isinstance(end, Drawn) and end.company.people == 2 for end in drawn.values())
    assert subject.passes == {8: 4}


def test_the_pictures_come_in_order_after_exactly_their_steps() -> None:
    subject = engine(FakeBackend())
    subject.submit(job("a", drawing(steps=7)))
    end = ends(run(subject))["a"]
    assert isinstance(end, Drawn)
    assert [cell[0, 0, 0] for cell in end.cells] == [7, 7, 7, 7]
    assert set(end.text) == {0, 1, 2, 3, None}


def test_progress_grows_to_the_end_and_the_first_step_brings_a_preview() -> None:
    subject = engine(FakeBackend())
    subject.submit(job("a"))
    moved = [outcome for outcome in run(subject) if isinstance(outcome, Moved)]
    assert [outcome.fraction for outcome in moved] == [0.25, 0.5, 0.75]
    assert [len(outcome.preview) for outcome in moved] == [4, 0, 0]


def test_a_preview_is_made_at_most_once_a_second() -> None:
    clock = Clock()
    subject = engine(FakeBackend(), clock)
    subject.submit(job("a", drawing(steps=12)))
    previews = 0
    while subject.busy:
        clock.advance(0.3)
        previews += sum(bool(o.preview) for o in subject.step() if isinstance(o, Moved))
    assert previews == 3


def test_cancelling_frees_the_job_and_says_so_once() -> None:
    backend = FakeBackend()
    subject = engine(backend)
    subject.submit(job("a"))
    subject.submit(job("b", owner=2))
    subject.step()
    assert [type(outcome) for outcome in subject.cancel(job("a").job_id)] == [Dropped]
    assert subject.cancel(job("a").job_id) == []
    assert set(ends(run(subject))) == {"b"}
    assert backend.steps == {}


def test_a_failing_job_is_found_and_the_others_go_on_undisturbed() -> None:
    subject = engine(FakeBackend(forward=culprit("bad", RuntimeError("a shape is wrong"))), first_cap=16)
    for name in ("a", "bad", "c"):
        subject.submit(job(name, owner=hash(name)))
    end = ends(run(subject))
    assert end["bad"] == Failed(job("bad").job_id, 1, ErrorCode.ENGINE_FAILED, retryable=True)
    for name in ("a", "c"):
        drawn = end[name]
        assert isinstance(drawn, Drawn)
        assert [cell[0, 0, 0] for cell in drawn.cells] == [4, 4, 4, 4]


def test_three_jobs_that_fail_in_a_row_condemn_the_engine_and_the_third_is_handed_back() -> None:
    def broken(_ids: Sequence[SampleId]) -> None:
        raise RuntimeError("every pass fails")

    subject = engine(FakeBackend(forward=broken), first_cap=16)
    for name in ("a", "b", "c", "d"):
        subject.submit(job(name, owner=ord(name)))
    assert [type(end) for end in ends(run(subject)).values()] == [Failed, Failed, Dropped, Dropped]
    assert subject.broken


def test_the_same_job_failing_again_and_again_does_not_condemn_the_engine() -> None:
    subject = engine(FakeBackend(forward=culprit("bad", RuntimeError("its own fault"))))
    for attempt in range(1, 5):
        subject.submit(job("bad", attempt=attempt))
        assert isinstance(ends(run(subject))["bad"], Failed)
    assert not subject.broken


def test_jobs_that_fail_while_others_succeed_do_not_condemn_the_engine() -> None:
    def unlucky(ids: Sequence[SampleId]) -> None:
        if any(sample_id.job_id.startswith("bad") for sample_id in ids):
            raise RuntimeError("its own fault")

    subject = engine(FakeBackend(forward=unlucky))
    for number in range(6):
        subject.submit(job(f"bad {number}"))
        assert isinstance(ends(run(subject))[f"bad {number}"], Failed)
        subject.submit(job("good", attempt=number + 1))
        assert isinstance(ends(run(subject))["good"], Drawn)
    assert not subject.broken


def test_a_job_whose_decoding_fails_fails_alone() -> None:
    subject = engine(FakeBackend(decode=culprit("bad", RuntimeError("no"))))
    subject.submit(job("bad"))
    subject.submit(job("good", owner=2))
    end = ends(run(subject))
    assert isinstance(end["bad"], Failed)
    assert isinstance(end["good"], Drawn)


def test_out_of_memory_halves_the_batch_and_everybody_still_gets_their_pictures() -> None:
    backend = FakeBackend(forward=at_most(4))
    subject = engine(backend)
    subject.submit(job("a", owner=1))
    subject.submit(job("b", owner=2))
    end = ends(run(subject))
    assert isinstance(end["a"], Drawn)
    assert isinstance(end["b"], Drawn)
    assert max(len(batch) for batch in backend.batches) == 4
    assert subject.capacity().free[Speed.FAST] >= 4


def test_a_lone_sample_without_room_fails_for_good() -> None:
    subject = engine(FakeBackend(forward=at_most(0)))
    subject.submit(job("a"))
    assert ends(run(subject))["a"] == Failed(job("a").job_id, 1, ErrorCode.OUT_OF_MEMORY, retryable=False)


def test_short_memory_hands_back_the_newest_job_that_only_waits() -> None:
    subject = engine(FakeBackend(forward=at_most(2)))
    subject.submit(job("waits", speed=Speed.RELAX))
    subject.submit(job("runs", owner=2))
    outcomes = ends(subject.step())
    assert isinstance(outcomes["waits"], Dropped)
    assert isinstance(ends(run(subject))["runs"], Drawn)


def test_a_lower_lane_is_marked_paused_once_and_ends_after_the_higher_one() -> None:
    subject = engine(FakeBackend())
    subject.submit(job("slow", speed=Speed.RELAX))
    subject.step()
    subject.submit(job("quick", owner=2, speed=Speed.TURBO))
    outcomes = run(subject)
    assert [o.paused for o in outcomes if isinstance(o, Moved) and o.job_id == "slow"][:2] == [True, False]
    assert list(ends(outcomes)) == ["quick", "slow"]


def test_an_unknown_model_fails_the_job_with_its_code() -> None:
    [outcome] = engine(FakeBackend()).submit(job("a", drawing(model="gone")))
    assert outcome == Failed(job("a").job_id, 1, ErrorCode.MODEL_MISSING, retryable=False)


def test_a_newer_attempt_takes_the_place_of_the_older() -> None:
    subject = engine(FakeBackend())
    subject.submit(job("a", attempt=1))
    subject.step()
    assert subject.submit(job("a", attempt=2)) == [Dropped(job("a").job_id, 1)]
    end = ends(run(subject))["a"]
    assert isinstance(end, Drawn)
    assert end.attempt == 2


def test_device_seconds_are_shared_by_pictures() -> None:
    clock = Clock()

    def slow(_ids: Sequence[SampleId]) -> None:
        clock.advance(1.0)

    subject = engine(FakeBackend(forward=slow), clock)
    subject.submit(job("a", owner=1))
    subject.submit(job("b", drawing(pictures=1), owner=2))
    end = ends(run(subject))
    assert isinstance(end["a"], Drawn)
    assert isinstance(end["b"], Drawn)
    assert end["a"].device_seconds == pytest.approx(3.2)
    assert end["b"].device_seconds == pytest.approx(0.8)


def test_places_are_counted_by_lane() -> None:
    subject = engine(FakeBackend(forward=fine), first_cap=8, resident_limit=16)
    subject.submit(job("a", speed=Speed.RELAX))
    capacity = subject.capacity()
    assert capacity.free == {Speed.TURBO: 8, Speed.FAST: 8, Speed.RELAX: 4}
    assert capacity.resident == 4
