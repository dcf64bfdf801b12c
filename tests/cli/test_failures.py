"""Whatever stops a command is one sentence on standard error, an exit code, and no trace."""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.endpoint import aim
from bot.faults import Stopped
from bot.texts import Texts
from cli.failures import Failure, lasting, worded
from cli.serve import told as told_to
from cli.tether import Tether
from worker.api import ErrorCode, Rejected, WorkerError
from worker.lock import FileLock, LockHeld
from worker.schema import DatabaseUnusable

ROOT = Path(__file__).resolve().parents[2]


def journeyman(*arguments: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("journeyman: ")
    return done.stderr


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = journeyman("playground", "--discord-only", "--port", port, "--data", str(tmp_path))
    assert port in told(done, 1)


def test_no_token(tmp_path: Path) -> None:
    done = journeyman("run", "--data", str(tmp_path), DISCORD_TOKEN="")
    assert "DISCORD_TOKEN" in told(done, 2)


def test_a_second_bot_on_the_same_data_folder(tmp_path: Path) -> None:
    with FileLock(tmp_path / "bot.lock"):
        done = journeyman("bot", "--data", str(tmp_path), DISCORD_TOKEN="a.b.c")
    assert "already runs" in told(done, 1)
    assert f"pid {os.getpid()}" in done.stderr


def test_a_token_is_never_sent_to_another_machine(tmp_path: Path) -> None:
    done = journeyman(
        "bot",
        "--data",
        str(tmp_path),
        DISCORD_TOKEN="a.b.c",
        JOURNEYMAN_DISCORD_API="http://discord.example.org/api/v10",
    )
    assert "discord.example.org" in told(done, 1)


def test_a_local_discord_that_is_not_there(tmp_path: Path) -> None:
    done = journeyman(
        "bot",
        "--data",
        str(tmp_path),
        DISCORD_TOKEN="a.b.c",
        JOURNEYMAN_DISCORD_API="http://127.0.0.1:9/api/v10",
    )
    assert "127.0.0.1:9" in told(done, 1)


def test_a_broken_configuration_tells_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "journeyman.toml").write_text("[model]\nsteps = 'many'\n[limts]\n")
    text = told(journeyman("jobs", "list", cwd=tmp_path), 2)
    assert "model.steps" in text
    assert "limts" in text


def test_a_database_from_the_future(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journeyman.sqlite3") as database:
        database.execute("PRAGMA user_version = 9999")
    assert "newer" in told(journeyman("jobs", "list", "--data", str(tmp_path)), 1)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "journeyman.sqlite3").write_bytes(b"nonsense " * 1000)
    assert "damaged" in told(journeyman("jobs", "list", "--data", str(tmp_path)), 1)


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "a file is in its place" in told(journeyman("jobs", "list", "--data", str(tmp_path / "data")), 1)


def test_an_empty_data_folder_is_refused_and_the_working_folder_stays_clean(tmp_path: Path) -> None:
    done = journeyman("jobs", "list", "--data", "", cwd=tmp_path)
    assert done.returncode == 2
    assert "must name a folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_folder_that_is_not_there(tmp_path: Path) -> None:
    done = journeyman("worker", "--data", str(tmp_path), JOURNEYMAN_MODEL__SOURCE=str(tmp_path / "nothing"))
    assert "does not exist" in told(done, 1)


@pytest.mark.slow
def test_a_damaged_model_is_told_when_it_is_loaded(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(ROOT / "models" / "embedded", model)
    (model / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 100)
    done = journeyman("imagine", "a cat", "--out", str(tmp_path / "out"), JOURNEYMAN_MODEL__SOURCE=str(model))
    assert str(model) in told(done, 1)


def test_an_unknown_job_and_a_text_that_is_no_id(tmp_path: Path) -> None:
    assert "not a job id" in told(journeyman("jobs", "show", "12", "--data", str(tmp_path)), 2)
    unknown = "00000000-0000-4000-8000-000000000000"
    assert "Job not found" in told(journeyman("jobs", "show", unknown, "--data", str(tmp_path)), 1)


def test_a_wrong_prompt_shows_every_mistake_and_draws_nothing(tmp_path: Path) -> None:
    done = journeyman("imagine", "a cat --qualty 2 --seed x", "--out", str(tmp_path / "out"))
    text = told(done, 1)
    assert text.count("^") >= 2
    assert "--quality" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_of_the_worker_has_words(code: ErrorCode) -> None:
    credit = {"cost": 1.0, "left": 0.0, "allowed": 5.0, "missing": 1.0, "window": "day", "refill_at": 9}
    facts = {"running": 3, "waiting": 10, "model": "tiny", "until": 9, **credit}
    facts |= {"host": "example.org", "seconds": 10, "error": "", "limit": "10 MB", "most": 8}
    facts |= {"parameter": "tile", "low": "1:2", "high": "2:1"}
    facts |= {"asked": "cute", "served": "`--v 6`", "versions": "6", "niji": ""}
    failure = worded(Rejected(code, reason="", **facts))
    assert isinstance(failure, Failure)
    assert len(str(failure)) > 10
    assert "{" not in str(failure)


def test_why_somebody_is_kept_out_is_part_of_a_sentence() -> None:
    failure = worded(Rejected(ErrorCode.BLOCKED, until=0, reason=" Spam."))
    assert str(failure).startswith("You cannot order here: ")
    assert "Spam." in str(failure)


@pytest.mark.parametrize("number", [28, 13, 30, 98, 24])
def test_what_the_system_refuses_has_words(number: int) -> None:
    failure = worded(OSError(number, os.strerror(number), "/some/file"))
    assert failure is not None
    assert str(failure).endswith(".")


def test_failures_of_a_group_are_worded_and_defects_are_not() -> None:
    failure = worded(ExceptionGroup("g", [ExceptionGroup("h", [Failure("It broke.")])]))
    assert str(failure) == "It broke."
    assert worded(ExceptionGroup("g", [Failure("It broke."), KeyError("x")])) is None
    assert worded(KeyError("x")) is None


@pytest.mark.parametrize(
    ("error", "stops"),
    [
        (Failure("No bot token."), True),
        (Stopped("Discord does not accept the token."), True),
        (DatabaseUnusable("It is newer."), True),
        (LockHeld(Path("bot.lock"), "pid 1"), True),
        (WorkerError(ErrorCode.MODEL_MISSING), True),
        (ExceptionGroup("g", [DatabaseUnusable("It is newer.")]), True),
        (WorkerError(ErrorCode.DATABASE_BUSY), False),
        (WorkerError(ErrorCode.DISK_FULL), False),
        (OSError(5, "Input/output error"), False),
        (Failure("Discord could not be reached.", passing=True), False),
        (Stopped("Discord could not be reached.", passing=True), False),
        (ExceptionGroup("g", [sqlite3.OperationalError("disk I/O error")]), False),
        (KeyError("a defect"), False),
    ],
    ids=str,
)
def test_only_what_another_start_would_meet_again_stops_the_supervisor(
    error: Exception, *, stops: bool
) -> None:
    reader, writer = os.pipe()
    with pytest.raises(type(error)), told_to(Tether(writer)):
        raise error
    os.close(writer)
    with os.fdopen(reader) as words:
        assert words.read() == ("failed\n" if stops else "")


def test_a_discord_that_is_away_at_the_start_may_come_back() -> None:
    with pytest.raises(Stopped) as caught:
        asyncio.run(aim("http://127.0.0.1:9/api/v10", Texts()))
    assert not lasting(caught.value)
