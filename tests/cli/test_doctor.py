import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cli.config import load
from cli.doctor import Finding, Verdict, examined
from migrations import shipped
from tests.worker.house import House, house_in
from worker.api import ErrorCode
from worker.database import Database
from worker.lock import FileLock, worker_lock

NOW = 1_800_000_000.0
ROOT = Path(__file__).resolve().parents[2]


def findings(data: Path, *, now: float = NOW, **environ: str) -> dict[str, Finding]:
    settings = load({"HOME": "/home/ada", "JOURNEYMAN_DATA": str(data), **environ})
    return {each.subject: each for each in examined(settings, now=now)}


def problems(found: dict[str, Finding]) -> set[str]:
    return {each.subject for each in found.values() if each.verdict is Verdict.PROBLEM}


@asynccontextmanager
async def lived_in(root: Path) -> AsyncIterator[House]:
    """A data folder with jobs in it, as `journeyman` lays it out."""
    async with house_in(root) as house:
        yield house
    root.joinpath("jobs.db").rename(root / "journeyman.sqlite3")


def test_a_sound_machine_has_no_problem_and_nothing_is_changed(tmp_path: Path) -> None:
    found = findings(tmp_path / "new")
    assert not [each for each in found.values() if each.verdict is Verdict.PROBLEM]
    assert "128x128" in found["model"].words
    assert "none yet" in found["database"].words
    assert not (tmp_path / "new").exists()


def test_every_finding_is_a_sentence(tmp_path: Path) -> None:
    assert all(each.words.endswith(".") for each in findings(tmp_path).values())


def test_problems_are_told_in_words(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journeyman.sqlite3") as database:
        database.execute("PRAGMA user_version = 9999")
    found = findings(
        tmp_path, DISCORD_TOKEN="not a token", JOURNEYMAN_MODEL__SOURCE=str(tmp_path / "nothing")
    )
    assert problems(found) == {"database", "token", "model"}
    assert "not a token" not in found["token"].words


def test_a_data_folder_below_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert findings(tmp_path / "file" / "data")["data folder"].verdict is Verdict.PROBLEM


def test_who_runs_is_seen_from_the_locks(tmp_path: Path) -> None:
    assert "none runs" in findings(tmp_path)["bot"].words
    with FileLock(tmp_path / "bot.lock"), FileLock(worker_lock(tmp_path, "w")):
        found = findings(tmp_path)
    assert "one runs" in found["bot"].words
    assert "at least one" in found["worker"].words


async def test_what_failed_lately_is_told_with_what_helps(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        await house.submit()
        [claim] = await house.claim()
        await house.store.fail((claim.job.id, 1), ErrorCode.OUT_OF_MEMORY, retryable=False)
        now = house.clock.now + 3600
    found = findings(tmp_path, now=now)
    assert not problems(found)
    assert "1 out_of_memory, last 1 h ago (use a smaller model" in found["failures"].words
    assert "no job failed" in findings(tmp_path, now=now + 86400)["failures"].words


async def test_a_ledger_that_does_not_balance_is_told_with_an_example(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        job = await house.drawn()
        await house.database.write(lambda db: db.execute("DELETE FROM ledger WHERE kind = 'charge'"))
    found = findings(tmp_path)
    assert problems(found) == {"ledger"}
    assert f"over without having been settled, or by another amount than was reserved, such as {job.id}" in (
        found["ledger"].words
    )


async def test_a_database_from_before_the_ledger_is_no_problem(tmp_path: Path) -> None:
    async with Database(tmp_path / "journeyman.sqlite3", migrations=shipped()[:3]):
        pass
    found = findings(tmp_path)
    assert not problems(found)
    assert "ledger" not in found


async def test_waiting_jobs_without_a_worker_are_a_problem_and_lost_ones_are_not(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        await house.submit()
        await house.submit(2)
        await house.claim("dead")
        await house.submit(3)
        worker_lock(tmp_path, "dead").write_text("pid 1\n")
    found = findings(tmp_path)
    assert problems(found) == {"worker"}
    assert "jobs that wait: 1" in found["worker"].words
    assert "died: 2;" in found["jobs"].words
    assert "killed workers: 1;" in found["locks"].words


async def test_messages_to_people_that_no_bot_sends_are_told(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        await house.database.write(
            lambda db: (
                db.execute(
                    "INSERT INTO letters (user_id, guild_id, text, created_at) VALUES (1, 0, 'Hello.', ?)",
                    (house.clock.now,),
                ).rowcount
            )
        )
        now = house.clock.now
    assert "messages" not in findings(tmp_path, now=now + 60)
    told = findings(tmp_path, now=now + 3 * 3600)["messages"]
    assert (told.verdict, told.words[:51]) == (
        Verdict.NOTE,
        "to people wait for the bot: 1, the oldest since 3 h",
    )


async def test_a_clock_behind_the_database_is_a_problem(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        await house.drawn()
        now = house.clock.now
    assert "3 h behind" in findings(tmp_path, now=now - 3 * 3600)["clock"].words
    assert problems(findings(tmp_path, now=0.0)) == {"clock"}


async def test_pictures_without_a_job_are_told_and_left(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        job = await house.drawn()
        await house.desk.delete(job.id)
        [name] = house.images.write(job.id, {"1.png": b"left behind"})
    os.utime(house.images.folder / name[:2] / job.id, (NOW, NOW))
    assert "every folder" in findings(tmp_path)["pictures"].words
    assert "without a job: 1;" in findings(tmp_path, now=NOW + 7200)["pictures"].words
    assert house.images.holds(name)


async def test_a_damaged_database_is_told_with_the_way_back(tmp_path: Path) -> None:
    async with lived_in(tmp_path) as house:
        for owner in range(30):
            await house.drawn(owner)
    path = tmp_path / "journeyman.sqlite3"
    body = bytearray(path.read_bytes())
    for page in range(3, len(body) // 4096):
        body[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(body)
    found = findings(tmp_path)
    damaged = [each for each in found.values() if each.verdict is Verdict.PROBLEM]
    assert damaged
    assert all("journeyman restore" in each.words for each in damaged)


async def test_an_edited_history_is_a_problem(tmp_path: Path) -> None:
    async with lived_in(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "journeyman.sqlite3") as database:
        database.execute("UPDATE schema_history SET checksum = 'other' WHERE version = 2")
    assert "another 0002_bot.sql" in findings(tmp_path)["database"].words


@pytest.mark.parametrize("harm", ["cut short", "placeholder"])
def test_a_model_whose_weights_are_not_whole_is_a_problem(tmp_path: Path, harm: str) -> None:
    model = tmp_path / "model"
    shutil.copytree(ROOT / "models" / "embedded", model)
    weights = model / "vae" / "diffusion_pytorch_model.safetensors"
    body = weights.read_bytes()
    weights.write_bytes(
        body[:-100] if harm == "cut short" else b"version https://git-lfs.github.com/spec/v1\n"
    )
    found = findings(tmp_path / "data", JOURNEYMAN_MODEL__SOURCE=str(model))["model"]
    assert found.verdict is Verdict.PROBLEM
    assert "Copy the model again" in found.words


def test_a_folder_that_others_may_read_is_noted(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert "chmod 700" in findings(tmp_path)["data folder"].words
    tmp_path.chmod(0o700)
    assert findings(tmp_path)["data folder"].verdict is Verdict.FINE


def test_scripts_get_json_and_an_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json", "--data", str(tmp_path)],
        cwd=ROOT,
        env={"HOME": str(tmp_path), "DISCORD_TOKEN": "nothing"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = {each["subject"]: each["verdict"] for each in json.loads(done.stdout)}
    assert (done.returncode, found["token"], found["model"]) == (1, "problem", "ok")
