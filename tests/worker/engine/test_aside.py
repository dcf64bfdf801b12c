"""Finished pictures are decoded on a thread of their own while steps go on."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import torch

from parser import Speed
from tests.fakes import Clock
from tests.worker.engine.fakes import Check, FakeBackend, fine
from tests.worker.engine.recipes import drawing, job
from tests.worker.engine.schedules import Kinds
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from tests.worker.engine.test_engine import at_most, culprit, ends
from tests.worker.engine.test_residency import Limited
from tests.worker.engine.test_residency import work as ordered
from tests.worker.engine.test_truth import played, small
from worker.api import ErrorCode
from worker.device import DeviceEvent, Dropped, Failed, Finished
from worker.engine.aside import Aside, pays
from worker.engine.engine import Engine
from worker.engine.local import InProcessDevice
from worker.engine.models import Models
from worker.engine.outcomes import Drawn, Moved, Outcome
from worker.engine.plan import SampleId, StepScheduler
from worker.engine.swapping import SwappingEngine

__all__ = ["small"]  # a fixture
PATIENCE = 60.0
CPU = torch.device("cpu")


class Gate:
    """Decoding of one job that does not end before it is let; *then* it may raise."""

    def __init__(self, name: str, then: Check = fine) -> None:
        self.name = name
        self.begun, self.let = threading.Event(), threading.Event()
        self._then = then

    def __call__(self, ids: Sequence[SampleId]) -> None:
        if ids[0].job_id == self.name:
            self.begun.set()
            assert self.let.wait(PATIENCE)
            self._then(ids)


@pytest.fixture
def made() -> Iterator[Callable[..., Engine]]:
    """Engines that decode aside, which are closed in the end."""
    engines: list[Engine] = []

    def make(backend: Any, clock: Any = None, **scheduler: int) -> Engine:
        clock = clock or Clock()
        engines.append(Engine(backend, clock, StepScheduler(**scheduler), Aside(clock)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.drop_all()
        engine.close()


def run(engine: Engine, *, until: Callable[[], bool] = lambda: False) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while engine.busy and not until():
        outcomes += engine.step()
    return outcomes


def waiting(made: Callable[..., Engine], gate: Gate, **typed: int) -> tuple[Engine, FakeBackend]:
    """Return an engine whose job ``a`` is done with its steps and is being decoded."""
    backend = FakeBackend(decode=gate)
    engine = made(backend, **typed)
    engine.submit(job("a"))
    while engine.ready:
        engine.step()
    assert gate.begun.wait(PATIENCE)
    return engine, backend


def test_steps_go_on_while_a_finished_job_is_decoded(made: Callable[..., Engine]) -> None:
    gate = Gate("a")
    engine, backend = waiting(made, gate)
    engine.submit(job("b", drawing(steps=6), owner=2))
    moved = run(engine, until=lambda: backend.batches[-1] == ["b0", "b1", "b2", "b3"] and not engine.ready)
    assert len(backend.batches) == 10
    assert "a" not in ends(moved)
    gate.let.set()
    end = ends(run(engine))
    assert set(end) == {"a", "b"}
    for name, steps in (("a", 4), ("b", 6)):
        drawn = end[name]
        assert isinstance(drawn, Drawn)
        assert [cell[0, 0, 0] for cell in drawn.cells] == [steps] * 4
    assert backend.steps == {}


def test_pictures_of_one_job_that_end_apart_come_together(made: Callable[..., Engine]) -> None:
    engine = made(FakeBackend(), first_cap=3, most=3)
    engine.submit(job("a", drawing(steps=5)))
    outcomes = run(engine)
    drawn = ends(outcomes)["a"]
    assert isinstance(drawn, Drawn)
    assert [cell[0, 0, 0] for cell in drawn.cells] == [5] * 4
    fractions = [outcome.fraction for outcome in outcomes if isinstance(outcome, Moved)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_what_is_decoded_aside_leaves_its_places_up_to_a_batch(made: Callable[..., Engine]) -> None:
    gate = Gate("a")
    engine, _ = waiting(made, gate, first_cap=8, most=8)
    assert engine.capacity().free[Speed.FAST] == 8
    assert engine.capacity().resident == 4
    for name in ("b", "c"):
        engine.submit(job(name))
    while engine.ready:
        engine.step()
    assert engine.capacity().free[Speed.FAST] == 4
    gate.let.set()
    run(engine)
    assert engine.capacity().free[Speed.FAST] == 8


def test_cancelling_what_is_being_decoded_keeps_its_network_busy_until_that_is_over(
    made: Callable[..., Engine],
) -> None:
    gate = Gate("a")
    engine, backend = waiting(made, gate)
    engine.submit(job("b"))  # decoded behind it
    while engine.ready:
        engine.step()
    assert [engine.cancel(job(name).job_id) for name in ("a", "b")] == [
        [Dropped(job("a").job_id, 1)],
        [Dropped(job("b").job_id, 1)],
    ]
    assert not engine.busy
    assert {sample_id.job_id for sample_id in backend.steps} == {"a"}
    gate.let.set()
    engine.close()
    assert backend.steps == {}


def test_a_new_attempt_is_not_given_the_pictures_of_the_old_one(made: Callable[..., Engine]) -> None:
    gate = Gate("a")
    engine, backend = waiting(made, gate)
    [dropped] = engine.submit(job("a", drawing(steps=7), attempt=2))
    assert dropped == Dropped(job("a").job_id, 1)
    gate.let.set()
    drawn = ends(run(engine))["a"]
    assert isinstance(drawn, Drawn)
    assert (drawn.attempt, [cell[0, 0, 0] for cell in drawn.cells]) == (2, [7] * 4)
    assert backend.steps == {}


def test_what_is_not_decoded_yet_is_kept_at_a_stop_and_decoded_after_it(made: Callable[..., Engine]) -> None:
    gate = Gate("a")
    engine, _ = waiting(made, gate)
    [dropped] = engine.suspend()
    gate.let.set()
    assert isinstance(dropped, Dropped)
    assert dropped.kept is not None
    backend = FakeBackend()
    later = made(backend)
    outcomes = later.submit(replace(job("a", attempt=2), kept=dropped.kept))
    drawn = ends([*outcomes, *run(later)])["a"]
    assert isinstance(drawn, Drawn)
    assert backend.batches == []
    assert [cell[0, 0, 0] for cell in drawn.cells] == [4] * 4


def test_a_job_whose_decoding_fails_aside_fails_alone(made: Callable[..., Engine]) -> None:
    backend = FakeBackend(decode=culprit("bad", RuntimeError("no")))
    engine = made(backend)
    for name in ("bad", "good"):
        engine.submit(job(name, owner=ord(name[0])))
    end = ends(run(engine))
    assert end["bad"] == Failed(job("bad").job_id, 1, ErrorCode.ENGINE_FAILED, retryable=True)
    assert isinstance(end["good"], Drawn)
    assert backend.steps == {}


def test_what_had_no_memory_beside_a_step_is_decoded_between_two(made: Callable[..., Engine]) -> None:
    threads: list[str] = []

    def short(ids: Sequence[SampleId]) -> None:
        threads.append(threading.current_thread().name)
        if len(threads) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    engine = made(FakeBackend(decode=short))
    engine.submit(job("a"))
    assert isinstance(ends(run(engine))["a"], Drawn)
    assert threads[0].startswith("decoder")
    assert threads[1] == threading.current_thread().name


def test_a_step_that_has_no_memory_beside_a_decoding_waits_for_it_and_stays_whole(
    made: Callable[..., Engine],
) -> None:
    gate, failed = Gate("a"), []

    def short(ids: Sequence[SampleId]) -> None:
        if ids[0].job_id == "b" and not failed:
            failed.append(len(ids))
            gate.let.set()
            raise torch.OutOfMemoryError("CUDA out of memory")

    backend = FakeBackend(forward=short, decode=gate)
    engine = made(backend)
    engine.submit(job("a"))
    while engine.ready:
        engine.step()
    assert gate.begun.wait(PATIENCE)
    engine.submit(job("b", owner=2))
    end = ends(run(engine))
    assert failed == [4]
    assert all(isinstance(end[name], Drawn) for name in ("a", "b"))
    assert {len(batch) for batch in backend.batches} == {4}
    assert engine.capacity().free[Speed.FAST] == 8


def test_without_a_decoding_a_step_that_has_no_memory_is_halved_as_ever(made: Callable[..., Engine]) -> None:
    backend = FakeBackend(forward=at_most(2))
    engine = made(backend)
    engine.submit(job("a"))
    assert isinstance(ends(run(engine))["a"], Drawn)
    assert max(map(len, backend.batches)) == 2


def test_time_of_decoding_aside_is_the_jobs_own(made: Callable[..., Engine]) -> None:
    clock = Clock()

    def tick(_ids: Sequence[SampleId]) -> None:
        clock.advance(1)

    gate = Gate("a", then=tick)
    engine = made(FakeBackend(forward=tick, decode=gate), clock)
    engine.submit(job("a", drawing(steps=3)))
    while engine.ready:
        engine.step()
    gate.let.set()
    drawn = ends(run(engine))["a"]
    assert isinstance(drawn, Drawn)
    assert drawn.device_seconds == pytest.approx(4)


def test_networks_change_places_only_when_the_pictures_of_one_are_decoded() -> None:
    backends, clock = Limited(), Clock()
    engine = SwappingEngine(backends, clock, StepScheduler(), Aside(clock))
    drawn: list[str] = []
    for name in ("a1", "b1", "a2", "b2"):
        drawn += ends(engine.submit(ordered(name)))
    while engine.busy:
        drawn += ends(engine.step())
    engine.close()
    assert sorted(drawn) == ["a1", "a2", "b1", "b2"]


def test_who_may_have_the_device_waits_for_what_is_drawn_but_not_decoded() -> None:
    """Drawn pictures are not handed back for the sake of a higher lane: they would be loaded for again."""
    backends, clock = Limited(), Clock()
    engine = SwappingEngine(backends, clock, StepScheduler(), Aside(clock))
    outcomes = engine.submit(ordered("a1", speed=Speed.RELAX))
    while engine.ready:
        outcomes += engine.step()
    outcomes += engine.submit(ordered("b1", speed=Speed.TURBO))
    while engine.busy:
        outcomes += engine.step()
    engine.close()
    assert {name: type(end) for name, end in ends(outcomes).items()} == {"a1": Drawn, "b1": Drawn}


async def test_a_device_tells_of_pictures_decoded_while_there_is_no_step_to_take() -> None:
    gate = Gate("a")
    device = InProcessDevice(lambda: FakeBackend(decode=gate), time.monotonic, threads=1, aside=CPU)
    await device.open()
    await device.submit(job("a"))
    assert await asyncio.to_thread(gate.begun.wait, PATIENCE)
    gate.let.set()
    ended: list[DeviceEvent] = []
    async with asyncio.timeout(PATIENCE):
        async for _, event in device.watch():
            ended.append(event)
            if isinstance(event, Finished):
                break
    await device.close()
    assert ended[-1].job_id == "a"


async def test_a_device_that_is_closed_waits_for_what_is_being_decoded_and_says_that_it_was_dropped() -> None:
    gate = Gate("a")
    device = InProcessDevice(lambda: FakeBackend(decode=gate), time.monotonic, aside=CPU)
    await device.open()
    await device.submit(job("a"))
    assert await asyncio.to_thread(gate.begun.wait, PATIENCE)
    closing = asyncio.create_task(device.close())
    async with asyncio.timeout(PATIENCE):
        async for _, event in device.watch():
            if isinstance(event, Dropped):
                gate.let.set()
    await closing


def test_pictures_of_a_random_schedule_decoded_aside_equal_those_drawn_alone(
    small: Callable[[int], Engine],
) -> None:
    engines: list[Engine] = []

    def make(cap: int) -> Engine:
        plain = small(cap)
        scheduler = StepScheduler(first_cap=cap, most=cap)
        engines.append(Engine(plain._backends, time.monotonic, scheduler, Aside(time.monotonic, threads=1)))
        return engines[-1]

    kinds = Kinds(model="tiny", sizes=((32, 32), (64, 32)), steps=(1, 2, 3), guidance=(1.0, 3.0))
    assert played(make, Random(7), kinds=kinds, recipes=3, schedules=1, jobs=8) >= {"shared"}
    for engine in engines:
        engine.close()


def test_edges_that_meet_and_edges_that_do_not_are_decoded_at_once_each_as_alone(models: Models) -> None:
    fox = ("a fox at sunset", 1.0)
    orders = [job(f"j{n}", painted(fox, tile=n % 2 == 0, steps=2 + n), owner=n) for n in range(4)]
    with torch.inference_mode():
        alone = [Studio(Engine(models, time.monotonic)).draw(order) for order in orders]
        engine = Engine(models, time.monotonic, aside=Aside(time.monotonic, threads=1))
        together = Studio(engine).play(*orders)
        engine.close()
    for order, picture in zip(orders, alone, strict=True):
        assert distance(cells(together[order.job_id]), picture) <= SAME


def test_only_where_a_device_has_streams_is_decoding_taken_aside() -> None:
    assert pays(torch.device("cuda"))
    assert not pays(CPU)  # its cores are those of the steps
    assert not pays(torch.device("mps"))  # two threads at once end the process
