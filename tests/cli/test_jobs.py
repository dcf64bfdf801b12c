"""`journeyman jobs` and `journeyman migrate` on a real data folder."""

import asyncio
import json
from pathlib import Path

import pytest

from cli.config import load
from cli.failures import Failure
from cli.folder import opened
from cli.jobs import checked, facts, table
from cli.main import outcome
from cli.migrate import version_of
from cli.wiring import desk_of
from parser import parse
from worker.api import Imagine, Job


def queued(data: Path, *prompts: str) -> list[Job]:
    settings = load({"HOME": "/home/ada"}, options={"data": data})

    async def submit() -> list[Job]:
        async with desk_of(settings) as desk:
            return [
                await desk.submit(Imagine(request=parse(prompt)), owner_id=2**60 + 1, key=prompt, origin="")
                for prompt in prompts
            ]

    return asyncio.run(submit())


def test_a_new_data_folder_has_no_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["jobs", "list", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "No jobs yet.\n"


def test_jobs_are_listed_newest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = queued(tmp_path, "a cat", "a dog")
    assert outcome(["jobs", "list", "--data", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.index(second.id) < shown.index(first.id)
    assert outcome(["jobs", "list", "--data", str(tmp_path), "--limit", "1", "--json"]) == 0
    [only] = json.loads(capsys.readouterr().out)
    assert only["job_id"] == second.id
    assert only["owner_id"] == str(2**60 + 1)


def test_one_job_is_shown_to_people_and_to_scripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [job] = queued(tmp_path, "a cat --seed 42")
    assert outcome(["jobs", "show", job.id, "--data", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == facts(job)
    assert outcome(["jobs", "show", job.id.upper(), "--data", str(tmp_path)]) == 0
    assert "42" in capsys.readouterr().out


def test_a_queued_job_is_stopped_at_once_and_only_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [job] = queued(tmp_path, "a cat")
    assert outcome(["jobs", "cancel", job.id, "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Stopped.\n"
    assert outcome(["jobs", "show", job.id, "--data", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "cancelled"


def test_the_table_keeps_its_columns(tmp_path: Path) -> None:
    lines = table(queued(tmp_path, "a cat", "a dog --relax")).splitlines()
    assert lines[0].split() == ["JOB", "KIND", "STATE", "SPEED", "CREATED", "ERROR"]
    assert len({line.index("imagine") for line in lines[1:]}) == 1


@pytest.mark.parametrize("text", ["", "1", "x" * 36, "'; DROP TABLE jobs"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Failure, match="not a job id"):
        checked(text)


def test_a_dry_run_names_what_would_change_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert outcome(["migrate", "--dry-run", "--data", str(data)]) == 0
    assert "0001_jobs.sql would be applied" in capsys.readouterr().out
    assert not data.exists()
    assert outcome(["migrate", "--data", str(data)]) == 0
    assert "0001_jobs.sql applied" in capsys.readouterr().out
    assert version_of(opened(data).database) >= 1
    assert outcome(["migrate", "--data", str(data)]) == 0
    assert "up to date" in capsys.readouterr().out
