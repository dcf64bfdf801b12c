from worker.batches import BatchShape, KeptCap
from worker.engine.batching import FIRST, Caps, shape_of
from worker.engine.plan import BatchCap, BatchKey, StepScheduler

KEY = BatchKey("painter", 64, 64, 77, guided=True)
SHAPE = BatchShape("painter", 64, 64, 77, guided=True)


def halved(cap: BatchCap, *, upto: int) -> None:
    """Measure passes each of which costs half as much a row as those of half its size."""
    rows = cap.rows
    while rows <= upto:
        cap.measured(rows, rows / rows**0.99)
        rows *= 2


def test_a_key_of_which_nothing_is_known_begins_as_all_do() -> None:
    assert StepScheduler(caps=Caps()).cap(KEY).rows == FIRST


def test_a_cap_goes_on_from_what_an_earlier_start_learned() -> None:
    told: list[tuple[BatchShape, KeptCap]] = []
    cap = StepScheduler(caps=Caps({SHAPE: KeptCap(16)}, lambda *each: told.append(each))).cap(KEY)
    assert cap.rows == 16
    cap.measured(16, 1.0)
    assert cap.rows == 32
    assert told == [(SHAPE, KeptCap(32))]


def test_what_was_measured_on_purpose_is_not_tried_beyond() -> None:
    told: list[tuple[BatchShape, KeptCap]] = []
    caps = Caps({SHAPE: KeptCap(2, settled=True)}, lambda *each: told.append(each))
    cap = StepScheduler(caps=caps).cap(KEY)
    halved(cap, upto=32)
    assert (cap.rows, told) == (2, [])


def test_memory_that_was_short_when_measured_bounds_every_batch() -> None:
    cap = StepScheduler(caps=Caps({SHAPE: KeptCap(4, most=8)})).cap(KEY)
    halved(cap, upto=32)
    assert cap.rows == 8


def test_an_hour_of_little_memory_is_no_measurement() -> None:
    told: list[KeptCap] = []
    cap = Caps({}, lambda _, kept: told.append(kept))(KEY)
    cap.lower(4)
    assert cap.rows == 4
    assert told == []


def test_the_database_knows_a_key_by_all_of_its_parts() -> None:
    assert shape_of(KEY) == SHAPE
