"""Benchmarks: each draws charts of its tables and ends with one line for scripts."""

import json
from pathlib import Path

import pytest

from benchmarks import parser as parsing

MODULES = sorted(Path(parsing.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_benchmark_draws_its_tables(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    assert "draw(" in source
    assert "bars(" in source


def test_a_table_becomes_a_chart_and_the_last_line_is_for_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parsing, "ROUNDS", 1)
    monkeypatch.setattr(parsing, "HARD", ("--a ",))
    parsing.main()
    *_, chart, last = capsys.readouterr().out.splitlines()
    assert "'--a '" in Path(chart).read_text(encoding="utf-8").replace("&#x27;", "'")
    assert json.loads(last)["parser"]["hard"]["--a "]["ms"] > 0
