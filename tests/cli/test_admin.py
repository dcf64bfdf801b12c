"""`journeyman admin` on a real data folder, with neither bot nor worker."""

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from cli.admin import app
from cli.main import outcome
from tests.cli.test_jobs import queued
from worker.deeds import Verb

Shown = pytest.CaptureFixture[str]


def run(data: Path, *words: str) -> int:
    return outcome(["admin", *words, "--data", str(data)])


def found(data: Path, capsys: Shown, *words: str) -> Any:
    capsys.readouterr()
    assert run(data, *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_every_verb_is_on_the_command_line() -> None:
    import typer

    root = typer.main.get_command(app)
    names = set()
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        names |= {f"{name} {each}" for each in getattr(command, "commands", {})} or {name}
    assert names == {verb.value for verb in Verb}


def test_the_queue_is_paused_and_who_did_it_is_on_the_record(tmp_path: Path, capsys: Shown) -> None:
    assert run(tmp_path, "queue", "pause") == 0
    assert "mode open -> mode paused" in capsys.readouterr().out
    assert run(tmp_path, "queue", "pause") == 0
    assert "nothing was changed" in capsys.readouterr().out
    [entry] = found(tmp_path, capsys, "audit")
    assert found(tmp_path, capsys, "audit", "--person", "5") == []
    assert (entry["actor"], entry["verb"]) == (f"cli:{getpass.getuser()}", "queue pause")
    assert run(tmp_path, "queue", "show") == 0
    assert "The queue is paused." in capsys.readouterr().out


def test_jobs_are_listed_promoted_stopped_and_ordered_again(tmp_path: Path, capsys: Shown) -> None:
    first, second = queued(tmp_path, "a cat", "a secret dog")
    assert run(tmp_path, "queue", "promote", second.id) == 0
    rows = found(tmp_path, capsys, "queue", "show")
    assert [row["job"] for row in rows] == [second.id, first.id]
    assert run(tmp_path, "queue", "show", "--limit", "1") == 0
    table = capsys.readouterr().out
    assert "1 of 2" in table
    assert "secret" not in table
    assert run(tmp_path, "queue", "cancel", second.id, "--yes") == 0
    assert run(tmp_path, "queue", "retry", second.id) == 0
    assert len(found(tmp_path, capsys, "queue", "show")) == 2


def test_nothing_is_cleared_by_a_script_that_does_not_say_yes(tmp_path: Path, capsys: Shown) -> None:
    queued(tmp_path, "a cat", "a dog")
    assert run(tmp_path, "queue", "clear") == 2
    assert "would stop 2 jobs" in capsys.readouterr().err
    assert len(found(tmp_path, capsys, "queue", "show")) == 2
    assert found(tmp_path, capsys, "queue", "clear", "--yes")["touched"] == 2
    assert found(tmp_path, capsys, "queue", "show") == []
    assert run(tmp_path, "queue", "cancel", "--yes") == 1
    assert "Name a job, a person or a lane" in capsys.readouterr().err


def test_people_are_blocked_paused_and_let_in_again(tmp_path: Path, capsys: Shown) -> None:
    person = str(2**60 + 1)
    queued(tmp_path, "a cat")
    assert found(tmp_path, capsys, "user", "block", person, "--reason", "Spam.", "--yes")["touched"] == 1
    [row] = found(tmp_path, capsys, "user", "show")
    assert (row["user_id"], row["kind"], row["reason"]) == (person, "block", "Spam.")
    assert run(tmp_path, "user", "timeout", person, "2") == 0
    [row] = found(tmp_path, capsys, "user", "show", person)
    assert row["restriction"]["kind"] == "timeout"
    assert found(tmp_path, capsys, "user", "show", "--kind", "block") == []
    assert len(found(tmp_path, capsys, "user", "show", "--kind", "timeout")) == 1
    verbs = [entry["verb"] for entry in found(tmp_path, capsys, "audit", "--person", person)]
    assert verbs == ["user timeout", "user block"]
    assert run(tmp_path, "user", "unblock", person) == 0
    assert found(tmp_path, capsys, "user", "show") == []


def test_a_message_to_a_person_is_left_with_the_bot_and_the_record_has_its_length(
    tmp_path: Path, capsys: Shown
) -> None:
    person = str(2**60 + 1)
    assert run(tmp_path, "user", "contact", person, " a secret word ", "--server", "5") == 0
    assert "The bot sends it once it is up" in capsys.readouterr().out
    [entry] = found(tmp_path, capsys, "audit", "--person", person)
    assert (entry["verb"], entry["server"]) == ("user contact", "5")
    assert entry["after"] == {"characters": 13, "letter": 1}
    assert run(tmp_path, "user", "contact", person, "x" * 1501) == 2
    assert run(tmp_path, "user", "contact", person, "  ") == 2
    assert len(found(tmp_path, capsys, "audit")) == 1


def test_credits_are_granted_and_limited(tmp_path: Path, capsys: Shown) -> None:
    assert run(tmp_path, "quota", "grant", "7", "3") == 0
    assert run(tmp_path, "quota", "set", "--role", "8", "--day", "5") == 0
    [row] = found(tmp_path, capsys, "quota", "show")
    assert (row["whose"], row["id"], row["said"]) == ("role", "8", {"day": 5.0})
    assert found(tmp_path, capsys, "quota", "show", "--kind", "person") == []
    assert found(tmp_path, capsys, "quota", "show", "7")["granted"] == 3
    assert run(tmp_path, "quota", "set", "--day", "5") == 2
    assert run(tmp_path, "quota", "set", "--person", "7") == 2
    assert run(tmp_path, "quota", "reset", "7", "--yes") == 0


def test_a_servers_rules_need_its_id_or_a_configured_one(
    tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, "words", "list") == 2
    assert "--server" in capsys.readouterr().err
    monkeypatch.setenv("JOURNEYMAN_ADMIN__SERVERS", "[5]")
    assert run(tmp_path, "words", "add", "hate", "some phrase") == 0
    assert run(tmp_path, "words", "add", "hate", "!?") == 2
    assert run(tmp_path, "words", "add", "health", "breast cancer", "--allow", "--server", "6") == 0
    assert [row["phrase"] for row in found(tmp_path, capsys, "words", "list")] == ["some phrase"]
    assert found(tmp_path, capsys, "words", "test", "SOME  phrase!")[0]["category"] == "hate"
    assert run(tmp_path, "role", "set", "admin", "--role", "8") == 0
    assert run(tmp_path, "role", "set", "owner", "--command", "queue clear") == 0
    rows = {row["rank"]: row for row in found(tmp_path, capsys, "role", "list")}
    assert rows["admin"]["roles"] == ["8"]
    assert "queue clear" in rows["owner"]["verbs"]
    assert run(tmp_path, "channel", "deny", "9") == 0
    assert run(tmp_path, "channel", "nsfw", "9", "--on") == 0
    assert run(tmp_path, "channel", "log", "10") == 0
    rules = found(tmp_path, capsys, "channel", "list")
    assert rules[0] == {"channel": "9", "open": False, "nsfw": True, "log": False}
    assert rules[1]["log"]


def test_the_last_model_stays_on(tmp_path: Path, capsys: Shown) -> None:
    on = {"name": "embedded", "enabled": True, "default": True, "flags": [], "waiting": 0, "workers": 0}
    assert found(tmp_path, capsys, "models", "list") == [on]
    assert run(tmp_path, "models", "disable", "embedded") == 1
    assert "only model" in capsys.readouterr().err


def test_status_is_readable_and_parsable(tmp_path: Path, capsys: Shown) -> None:
    queued(tmp_path, "a cat")
    assert run(tmp_path, "status") == 0
    shown = capsys.readouterr().out
    assert "waiting: turbo 0, fast 1, relax 0" in shown
    assert "GB free" in shown
    assert found(tmp_path, capsys, "status")["queue"]["mode"] == "open"


def test_what_others_typed_cannot_steer_the_terminal(tmp_path: Path, capsys: Shown) -> None:
    assert run(tmp_path, "words", "add", "hate", "a\x1b[2Jb", "--server", "5") == 0
    assert run(tmp_path, "audit") == 0
    assert "\x1b" not in capsys.readouterr().out
