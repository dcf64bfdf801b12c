"""`journeyman simulate`."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import outcome
from cli.simulate import duration, load_of
from worker.queue.demand import Demand
from worker.queue.simulation import Machines

SMALL = ["simulate", "--people", "60", "--devices", "1", "--jobs-per-hour", "2.5", "--hours", "1"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep away from configuration files of the working folder."""
    monkeypatch.chdir(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert outcome([*SMALL, *arguments]) == 0
    return capsys.readouterr().out


def facts(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(printed(capsys, "--json", *arguments))


def test_the_table_names_every_rule_and_what_to_plan_by(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    for words in ("fair", "first come", "round robin", "light members", "flooder", "P99", "Jain's index"):
        assert words in text
    assert "60 people order 2.5 times an hour" in text
    assert "load 35%" in text


def test_scripts_get_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys)
    assert found["load"] == pytest.approx(0.347, abs=0.001)
    assert set(found["rules"]) == {"fair", "first come", "round robin"}
    fair = found["rules"]["fair"]
    assert fair["members"]["percentiles"]["50"] <= fair["members"]["percentiles"]["99"]
    assert 0 < fair["used"] <= 1


def test_the_same_seed_prints_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--seed", "7") == printed(capsys, "--seed", "7")
    assert printed(capsys, "--seed", "7") != printed(capsys, "--seed", "8")


def test_more_devices_and_no_flooder_make_waits_shorter(capsys: pytest.CaptureFixture[str]) -> None:
    def mean(*arguments: str) -> float:
        return float(facts(capsys, *arguments)["rules"]["fair"]["members"]["mean"])

    few = mean()
    assert mean("--no-flooder") < few
    assert mean("--devices", "4") < few


def test_the_limits_of_the_configuration_count(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "tight.toml").write_text("[limits]\nrunning = 1\nwaiting = 1\n", encoding="utf-8")
    loose, tight = facts(capsys), facts(capsys, "--config", "tight.toml")
    assert tight["rules"]["fair"]["refused"] > loose["rules"]["fair"]["refused"]


@pytest.mark.parametrize(
    "wrong",
    [["--people", "0"], ["--devices", "-1"], ["--seconds", "nan"], ["--burst", "2"], ["--hours", "x"]],
)
def test_a_value_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    assert outcome([*SMALL, *wrong]) == 2
    assert wrong[0] in capsys.readouterr().err


def test_a_run_that_would_not_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["simulate", "--people", "100000", "--jobs-per-hour", "1000"]) == 2
    assert "take fewer --hours" in capsys.readouterr().err


def test_a_run_with_next_to_no_orders_has_nothing_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--jobs-per-hour", "0.001", "--burst", "0", "--no-flooder")
    assert "Jain's index - of 0 busy people" in text


def test_load_is_what_members_ask_for() -> None:
    demand = Demand(people=3600, jobs_per_hour=1, hours=1, mix=((1.0, 1.0),))
    assert load_of(demand, Machines(devices=2, seconds=1)) == 0.5


def test_waits_are_worded_by_their_size() -> None:
    assert [duration(value) for value in (None, 0, 89, 91, 5000, 6000)] == [
        "-",
        "0 s",
        "89 s",
        "2 min",
        "83 min",
        "1.7 h",
    ]
