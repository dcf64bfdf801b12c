import os
from pathlib import Path

import pytest

from cli.config import Engine
from cli.model_section import Model
from cli.threads import cores, threads_for

FOREIGN = Model(source="/models/painter")


def quota(folder: Path, text: str) -> Path:
    file = folder / "cpu.max"
    file.write_text(text, encoding="ascii")
    return file


def test_what_is_configured_holds() -> None:
    assert threads_for((FOREIGN,), Engine(threads=7)) == 7


def test_other_models_get_every_core_and_the_embedded_one_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.threads.cores", lambda: 16)
    assert threads_for((Model(),), Engine()) == 4
    assert threads_for((Model(), FOREIGN), Engine()) == 16


@pytest.mark.parametrize(
    ("text", "expected"), [("max 100000\n", 8), ("200000 100000\n", 2), ("50000 100000\n", 1), ("junk", 8)]
)
def test_the_quota_of_a_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert cores(quota(tmp_path, text)) == expected
