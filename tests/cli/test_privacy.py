"""`journeyman privacy`: the same without Discord."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.test_backup import house_at
from tests.worker.test_privacy import OTHER, PERSON, PROMPT, filled, traces

ROOT = Path(__file__).resolve().parents[2]


def journeyman(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "privacy", *arguments, "--data", str(folder)],
        cwd=ROOT,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
async def test_an_operator_hands_out_and_forgets(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with house_at(data) as house:
        await filled(house)
    file = tmp_path / "person.zip"
    out = journeyman(data, "export", str(PERSON), "--out", str(file))
    assert "3 jobs and 6 pictures" in out.stdout
    assert zipfile.is_zipfile(file)
    assert file.stat().st_mode & 0o077 == 0
    assert journeyman(data, "forget", str(PERSON)).returncode == 1  # nobody said yes
    assert traces(data, str(PERSON), PROMPT)
    done = journeyman(data, "forget", str(PERSON), "--yes")
    assert "Forgotten: 3 jobs" in done.stdout
    assert traces(data, str(PERSON), PROMPT) == []
    assert traces(data, str(OTHER))


def test_where_there_is_no_database_it_says_so_and_makes_none(tmp_path: Path) -> None:
    done = journeyman(tmp_path / "none", "forget", "5", "--yes")
    assert done.returncode == 2
    assert "no database" in done.stderr
    assert not (tmp_path / "none").exists()
