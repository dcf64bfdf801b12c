"""Bringing a file to the newest schema."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from migrations import Migration, shipped
from worker.schema import DatabaseUnusable, migrate, statements

ROOT = Path(__file__).resolve().parents[2]
FIRST = Migration(1, "0001_a.sql", "CREATE TABLE a (x TEXT) STRICT;\nINSERT INTO a VALUES ('kept');\n")
SECOND = Migration(2, "0002_b.sql", "ALTER TABLE a ADD COLUMN y TEXT;\nCREATE TABLE b (x TEXT) STRICT;\n")


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    lines = list(db.iterdump())
    db.close()
    return lines


def version(path: Path) -> int:
    db = sqlite3.connect(path)
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    db.close()
    return found


def test_every_earlier_schema_upgrades_to_the_newest(tmp_path: Path) -> None:
    history = shipped()
    migrate(tmp_path / "fresh.db", history)
    for applied in range(len(history) + 1):
        path = tmp_path / f"{applied}.db"
        migrate(path, history[:applied])
        assert migrate(path, history) == tuple(migration.name for migration in history[applied:])
        assert dump(path) == dump(tmp_path / "fresh.db")


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert migrate(path, [FIRST, SECOND]) == ("0001_a.sql", "0002_b.sql")
    assert migrate(path, [FIRST, SECOND]) == ()


def test_a_broken_script_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate(path, [FIRST])
    before = dump(path)
    broken = Migration(
        2, "0002_b.sql", "CREATE TABLE b (x);\nDROP TABLE a;\nINSERT INTO nowhere VALUES (1);\n"
    )
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(path, [FIRST, broken])
    assert dump(path) == before
    assert version(path) == 1
    assert migrate(path, [FIRST, SECOND]) == ("0002_b.sql",)


def test_what_an_upgrade_changes_is_copied_aside_first(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate(path, [FIRST])
    before = dump(path)
    migrate(path, [FIRST, SECOND])
    assert dump(tmp_path / "a.db.v1.bak") == before
    assert dump(path) != before


def test_a_fresh_file_needs_no_copy(tmp_path: Path) -> None:
    migrate(tmp_path / "a.db", [FIRST, SECOND])
    assert not list(tmp_path.glob("*.bak*"))


def test_an_edited_history_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate(path, [FIRST])
    with pytest.raises(DatabaseUnusable, match=r"0001_a\.sql"):
        migrate(path, [Migration(1, "0001_a.sql", FIRST.script + "-- afterthought"), SECOND])
    assert version(path) == 1


def test_a_file_of_a_newer_program_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate(path, [FIRST, SECOND])
    with pytest.raises(DatabaseUnusable, match="newer version"):
        migrate(path, [FIRST])


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"once upon a time " * 100)
    with pytest.raises(DatabaseUnusable, match="damaged"):
        migrate(path, [FIRST])


def test_a_folder_that_is_missing_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="cannot be opened"):
        migrate(tmp_path / "nowhere" / "a.db", [FIRST])


def test_processes_that_start_at_once_all_find_the_schema(tmp_path: Path) -> None:
    program = f"""
import pathlib, sys
from migrations import shipped
from worker.schema import migrate
sys.stdin.read(1)
migrate(pathlib.Path({str(tmp_path / "jobs.db")!r}), shipped())
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.flush()
    for process in started:
        _, complaint = process.communicate(timeout=30)
        assert process.returncode == 0, complaint.decode()
    assert version(tmp_path / "jobs.db") == len(shipped())


def test_triggers_and_strings_are_not_split() -> None:
    script = (
        "-- a; b\nCREATE TABLE a (x);\n"
        "CREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n  SELECT 1;\n  SELECT 'x;\ny';\nEND;\n"
        "INSERT INTO a\nVALUES (1);\n-- the end\n"
    )
    found = [statement.strip() for statement in statements(script)]
    assert [statement.split()[0] for statement in found] == ["--", "CREATE", "INSERT", "--"]
    assert found[1].endswith("END;")
