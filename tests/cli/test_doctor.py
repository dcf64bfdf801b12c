import sqlite3
from pathlib import Path

from cli.config import load
from cli.doctor import Finding, Verdict, examined
from worker.lock import FileLock, worker_lock


def findings(data: Path, **environ: str) -> dict[str, Finding]:
    settings = load({"HOME": "/home/ada", "JOURNEYMAN_DATA": str(data), **environ})
    return {each.subject: each for each in examined(settings)}


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
    problems = {each.subject for each in found.values() if each.verdict is Verdict.PROBLEM}
    assert problems == {"database", "token", "model"}
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
