import platform

import pytest
import torch

from tests.fakes import Clock
from tests.worker.engine.fakes import FakeBackend
from tests.worker.engine.recipes import job
from worker.engine import memory
from worker.engine.engine import TIDYING_SECONDS, Engine

CPU = torch.device("cpu")


def test_what_lies_free_between_what_stays_is_given_back() -> None:
    pieces = [bytearray(60_000) for _ in range(2000)]
    kept = pieces[::40]
    del pieces
    before = memory.in_use(CPU) or 0
    memory.give_back()
    given_back = before - (memory.in_use(CPU) or 0)
    assert given_back > 50_000_000 or platform.libc_ver()[0] != "glibc"
    assert len(kept) == 50


def test_the_engine_gives_back_as_jobs_end_but_not_after_each(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    clock = Clock()
    engine = Engine(FakeBackend(), clock)
    monkeypatch.setattr(memory, "give_back", lambda: given.append(clock()))

    def drawn(name: str) -> None:
        engine.submit(job(name))
        while engine.busy:
            engine.step()

    drawn("a")
    clock.advance(TIDYING_SECONDS)
    drawn("b")
    drawn("c")
    clock.advance(TIDYING_SECONDS)
    drawn("d")
    assert len(given) == 2
