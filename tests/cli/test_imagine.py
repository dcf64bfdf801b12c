"""`journeyman imagine`: queue, engine and files, with the embedded model."""

import asyncio
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from cli.imagine import to_the_end
from cli.main import outcome

ROOT = Path(__file__).resolve().parents[2]


def test_a_prompt_becomes_a_grid_and_four_pictures_and_is_not_logged(tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    prompt = "a zebra::2 on a green background --no hat --seed 7 --quality .25"
    done = subprocess.run(
        [sys.executable, "-m", "cli", "imagine", prompt, f"--out={out}", f"--data={tmp_path}", "--json"],
        cwd=ROOT,
        env={**os.environ, "JOURNEYMAN_LOG__LEVEL": "debug", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"job_id", "seed", "files", "seconds"}
    assert found["seed"] == 7
    assert [Path(each).name for each in found["files"]] == ["grid.png", "1.png", "2.png", "3.png", "4.png"]
    pictures = [Image.open(io.BytesIO(Path(each).read_bytes())) for each in found["files"]]
    sizes = [each.size for each in pictures]
    assert sizes == [(256, 256), *[(128, 128)] * 4]
    assert "zebra" in str(pictures[1].info)
    with closing(sqlite3.connect(tmp_path / "journeyman.sqlite3")) as database:
        both = database.execute("SELECT model_hash, hash FROM jobs JOIN checkpoints ON name = model")
        [(drawn_by, loaded)] = both
    assert drawn_by == loaded
    assert drawn_by in str(pictures[1].info)
    assert found["job_id"] in done.stderr
    assert "zebra" not in done.stderr
    assert not list(tmp_path.glob("journeyman-*"))


def test_what_is_not_open_is_shown_under_the_prompt_and_nothing_is_queued(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        outcome(["imagine", "a fox --turbo --seed 4", "--out", str(tmp_path), "--data", str(tmp_path)]) == 1
    )
    lines = capsys.readouterr().err.splitlines()
    [place] = [number for number, line in enumerate(lines) if "^" in line]
    assert lines[place - 1] == "  a fox --turbo --seed 4"
    assert lines[place] == "        ^^^^^^^"
    assert "`--turbo` is not open on this server; leave it out." in lines[place + 1]
    assert lines[place + 2] == "  Did you mean: a fox --seed 4"
    with closing(sqlite3.connect(tmp_path / "journeyman.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_a_picture_of_elsewhere_is_refused_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = "https://example.org/a.png a fox"
    assert outcome(["imagine", prompt, "--out", str(tmp_path), "--data", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    place = lines.index(f"  {prompt}")
    assert lines[place + 1] == f"  {'^' * 25}"
    assert "No pictures are taken from example.org." in lines[place + 2]


def test_an_interrupted_order_does_not_stay_in_a_shared_queue(tmp_path: Path) -> None:
    command = ["imagine", "a zebra", "--out", str(tmp_path / "out"), "--data", str(tmp_path)]
    process = subprocess.Popen([sys.executable, "-m", "cli", *command], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not states(tmp_path):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)  # another process's doing
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.wait()
    assert states(tmp_path) == ["cancelled"]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
async def test_work_that_is_told_to_end_cleans_up_first(sent: signal.Signals) -> None:
    cancelled: list[str] = []

    async def work() -> dict[str, Any]:
        try:
            os.kill(os.getpid(), sent)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cancelled.append("the job")
        return {}

    with pytest.raises(typer.Exit) as ended:
        await to_the_end(work())
    assert ended.value.exit_code == 128 + sent
    assert cancelled == ["the job"]


def states(data: Path) -> list[str]:
    if not (data / "journeyman.sqlite3").exists():
        return []
    with closing(sqlite3.connect(data / "journeyman.sqlite3")) as database:
        try:
            return [state for (state,) in database.execute("SELECT state FROM jobs")]
        except sqlite3.OperationalError:
            return []  # not made yet
