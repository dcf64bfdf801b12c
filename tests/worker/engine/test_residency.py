"""Which networks stay in memory, and which jobs wait for that."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser import Speed
from tests.fakes import Clock
from tests.worker.engine.fakes import FakeBackend
from tests.worker.engine.recipes import drawing, job
from worker.api import ErrorCode, WorkerError
from worker.device import Advanced, DeviceEvent, Dropped, Failed, Finished
from worker.engine.local import InProcessDevice
from worker.engine.outcomes import Drawn, Outcome
from worker.engine.plan import BatchKey
from worker.engine.residency import Residency
from worker.engine.swapping import SwappingEngine
from worker.recipe import Drawing, Recipe, Upscaling


def test_what_was_used_longest_ago_leaves_first() -> None:
    shelf = Residency({"a": 2, "b": 2, "c": 2}, 4)
    for name in ("a", "b"):
        assert shelf.leaving(name, ()) == ()
        shelf.came(name, 2)
    shelf.used("a")
    assert shelf.leaving("c", ()) == ("b",)
    assert shelf.leaving("a", ()) == ()


def test_what_is_busy_never_leaves() -> None:
    shelf = Residency({"a": 2, "b": 2, "c": 2}, 4)
    shelf.came("a", 2)
    shelf.came("b", 2)
    assert shelf.leaving("c", {"a"}) == ("b",)
    assert shelf.leaving("c", {"a", "b"}) is None


def test_what_is_too_large_comes_alone() -> None:
    shelf = Residency({"a": 2, "huge": 9}, 4)
    shelf.came("a", 2)
    assert shelf.leaving("huge", ()) == ("a",)
    assert shelf.leaving("huge", {"a"}) is None


def test_what_turns_out_larger_makes_others_leave_afterwards() -> None:
    shelf = Residency({"a": 2, "hub": 0}, 4)
    shelf.came("a", 2)
    assert shelf.leaving("hub", ()) == ()
    shelf.came("hub", 3)
    assert shelf.excess("hub", {"a"}) == ()
    assert shelf.excess("hub", ()) == ("a",)


def test_where_all_fit_nothing_is_ever_said_to_need_a_swap() -> None:
    assert Residency({"a": 2, "b": 2}, 4).ready() is None
    assert Residency({"a": 2, "b": 2}, None).ready() is None
    shelf = Residency({"a": 2, "b": 2, "small": 1}, 3)
    shelf.came("a", 2)
    assert shelf.ready() == {"a", "small"}


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 5), min_size=1),
    st.integers(1, 9),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=30),
)
def test_the_budget_holds_whatever_is_asked_for(
    sizes: dict[str, int], budget: int, asked: Sequence[tuple[str, bool]]
) -> None:
    """But for one alone that is larger than all of it."""
    shelf, busy = Residency(sizes, budget), set[str]()
    for name, stays in asked:
        if name not in sizes:
            continue
        gone = shelf.leaving(name, busy)
        if gone is None:
            busy.clear()  # they came to their end
            gone = shelf.leaving(name, busy)
        assert gone is not None
        assert not busy & set(gone)
        for each in gone:
            shelf.left(each)
        shelf.came(name, sizes[name])
        if stays:
            busy.add(name)
        large = [each for each in shelf.present if sizes[each]]
        assert shelf.taken <= budget or len(large) == 1


class Limited:
    """Networks a, b and c, of which one fits; d cannot be loaded."""

    def __init__(self, budget: int = 1) -> None:
        self.residency = Residency(dict.fromkeys("abc", 1), budget)
        self.networks = {name: FakeBackend() for name in "abc"}
        self.upscaler = FakeBackend()
        self.loads: list[str] = []

    def preload(self) -> BatchKey:
        return BatchKey("a", 1, 1, 0, guided=False)

    @property
    def busy(self) -> set[str]:
        return {name for name, network in self.networks.items() if network.steps}

    def admits(self, recipe: Recipe) -> bool:
        if not isinstance(recipe, Drawing) or recipe.model not in self.networks:
            return True
        return self.residency.leaving(recipe.model, self.busy) is not None

    @property
    def loaded(self) -> tuple[str, ...]:
        return self.residency.present

    def ready(self) -> frozenset[str] | None:
        return self.residency.ready()

    def backend(self, recipe: Recipe) -> FakeBackend:
        if isinstance(recipe, Upscaling):
            return self.upscaler
        if recipe.model not in self.networks:
            raise WorkerError(ErrorCode.MODEL_MISSING, reason="It is damaged.")
        for gone in self.residency.leaving(recipe.model, self.busy) or ():
            assert not self.networks[gone].steps
            self.residency.left(gone)
        if recipe.model not in self.residency.present:
            self.loads.append(recipe.model)
        self.residency.came(recipe.model, 1)
        return self.networks[recipe.model]


def work(name: str, *, speed: Speed = Speed.FAST, steps: int = 4):  # noqa: ANN201
    """Return a job drawn by the network its name begins with."""
    return job(name, drawing(model=name[0], pictures=1, steps=steps), speed=speed)


def to_the_end(engine: SwappingEngine) -> list[Outcome]:
    outcomes = []
    while engine.busy:
        outcomes += engine.step()
    return [each for each in outcomes if isinstance(each, Drawn | Failed | Dropped)]


@pytest.fixture
def limited() -> Limited:
    return Limited()


@pytest.fixture
def engine(limited: Limited) -> SwappingEngine:
    return SwappingEngine(limited, Clock())


def test_a_job_waits_until_there_is_room_for_its_network_and_nobody_slips_in(
    engine: SwappingEngine, limited: Limited
) -> None:
    for name in ("a1", "b1", "a2", "b2"):
        assert engine.submit(work(name)) == []
    assert [each.job_id for each in to_the_end(engine)] == ["a1", "b1", "a2", "b2"]
    assert limited.loads == ["a", "b", "a", "b"]


def test_networks_that_fit_together_draw_side_by_side(limited: Limited) -> None:
    limited.residency = Residency(dict.fromkeys("abc", 1), 3)
    engine = SwappingEngine(limited, Clock())
    for name in ("a1", "b1", "a2"):
        engine.submit(work(name))
    assert len(engine._works) == 3
    to_the_end(engine)
    assert limited.loads == ["a", "b"]


def test_what_waits_takes_places_and_says_which_network_comes_next(engine: SwappingEngine) -> None:
    before = engine.capacity()
    engine.submit(work("a1"))
    engine.submit(work("b1"))
    after = engine.capacity()
    assert after.free[Speed.FAST] == before.free[Speed.FAST] - 2
    assert (after.resident, after.ready) == (2, {"b"})
    to_the_end(engine)
    assert engine.capacity().ready == {"b"}


def test_a_higher_lane_goes_first_and_the_lower_one_comes_back_with_what_was_drawn(
    engine: SwappingEngine, limited: Limited
) -> None:
    engine.submit(work("a1", speed=Speed.RELAX, steps=9))
    engine.step()
    engine.step()
    [handed] = engine.submit(work("b1", speed=Speed.TURBO))
    assert isinstance(handed, Dropped)
    assert handed.job_id == "a1"
    assert handed.kept is not None
    assert [each.job_id for each in to_the_end(engine)] == ["b1"]


def test_of_those_that_wait_the_higher_lane_goes_first(engine: SwappingEngine) -> None:
    engine.submit(work("a1", speed=Speed.FAST))
    engine.submit(work("b1", speed=Speed.RELAX))
    engine.submit(work("c1", speed=Speed.FAST))
    engine.submit(work("a2", speed=Speed.TURBO))
    assert [each.job_id for each in to_the_end(engine)] == ["a2", "a1", "c1", "b1"]


def test_an_enlargement_waits_for_no_network(engine: SwappingEngine, limited: Limited) -> None:
    engine.submit(work("a1"))
    engine.submit(work("b1"))
    limited.upscaler.open = lambda job: []  # type: ignore[method-assign]
    recipe = Upscaling(picture="x/1.png", width=8, height=8)
    engine.submit(job("u", recipe))
    assert "u" in engine._works


def test_a_network_that_cannot_be_loaded_fails_its_own_jobs(engine: SwappingEngine) -> None:
    engine.submit(work("a1"))
    [failed] = engine.submit(work("d1"))
    assert isinstance(failed, Failed)
    assert (failed.job_id, failed.code, failed.retryable) == ("d1", ErrorCode.MODEL_MISSING, False)
    assert [each.job_id for each in to_the_end(engine)] == ["a1"]


@pytest.mark.parametrize("end", ["cancel", "suspend", "drop_all", "fail_all"])
def test_what_waits_is_given_back_when_it_is_not_to_be_drawn(engine: SwappingEngine, end: str) -> None:
    engine.submit(work("a1"))
    engine.submit(work("b1"))
    arguments = {"cancel": ("b1",), "fail_all": (RuntimeError("broken"),)}.get(end, ())
    outcomes = getattr(engine, end)(*arguments)
    assert Dropped("b1", 1) in outcomes
    assert [each.job_id for each in to_the_end(engine)] == (["a1"] if end == "cancel" else [])


async def test_a_device_ends_every_job_although_their_networks_take_turns() -> None:
    device = InProcessDevice(Limited, time.monotonic)
    await device.open()
    names = ["a1", "b1", "c1", "a2", "d1"]
    for name in names:
        await device.submit(work(name))
    ended: dict[str, DeviceEvent] = {}
    async with asyncio.timeout(60):
        async for _, event in device.watch():
            if not isinstance(event, Advanced):
                ended[event.job_id] = event
            if len(ended) == len(names):
                break
    await device.close()
    assert isinstance(ended.pop("d1"), Failed)
    assert all(isinstance(event, Finished) for event in ended.values())
    assert device.use().loaded == ("a",)
