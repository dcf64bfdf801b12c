"""Where tokens and prompts must not turn up."""

import io
import re
import time
from pathlib import Path

import pytest

from cli.config import Log, load
from cli.doctor import examined
from cli.logs import setup
from cli.serve import inherited, program
from playground.faults import Fault, FaultKind
from tests.acceptance.member import Member
from tests.bot.easel import Easel
from tests.bot.studio import Studio, ordered, settled

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.a-secret-that-must-not-be-told"
PROMPT = "a very private unicorn"


def interaction_tokens(studio: Studio) -> set[str]:
    """Return every token that stood in an address the bot called: each lets its holder answer for the bot."""
    paths = " ".join(entry.path for entry in studio.playground.journal)
    return set(re.findall(r"/(?:interactions|webhooks)/\d+/([^/?\s]+)", paths))


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR, FaultKind.MISSING_ACCESS])
async def test_neither_tokens_nor_prompts_are_logged_whatever_discord_answers(
    live: Studio, easel: Easel, person: Member, kind: FaultKind
) -> None:
    log = io.StringIO()
    setup(Log(level="debug", format="json"), log)
    waiting, job = await ordered(person, easel, PROMPT)
    for route in ("/webhooks/*", "/channels/*"):
        live.playground.faults.add(Fault(kind=kind, route=route, count=2, seconds=0.05))
    await person.press(waiting, waiting["components"][0]["components"][0]["custom_id"])
    await easel.finish(job)
    await settled(live)
    await person.command("imagine", prompt=f"{PROMPT} --nope")
    await person.until(lambda: "--nope" in str(list(person.messages.values())))
    told = log.getvalue()
    assert job.id in told
    tokens = interaction_tokens(live)
    assert tokens
    assert not [token for token in (*tokens, live.facts["bot_token"]) if token in told]
    assert "unicorn" not in told


async def test_the_bots_token_is_written_nowhere(live: Studio, easel: Easel, person: Member) -> None:
    """Nothing in the data folder, hence nothing in a backup, lets anybody be the bot."""
    _, job = await ordered(person, easel)
    await easel.finish(job)
    await settled(live)
    files = [path for path in live.folder.rglob("*") if path.is_file()]
    assert any(job.id.encode() in path.read_bytes() for path in files)
    assert not [path for path in files if live.facts["bot_token"].encode() in path.read_bytes()]


def test_a_process_list_tells_no_token(tmp_path: Path) -> None:
    """Everybody on a machine can read arguments; the environment only its owner."""
    settings = load({"HOME": str(tmp_path), "DISCORD_TOKEN": TOKEN})
    environ = inherited({"DISCORD_TOKEN": TOKEN}, settings)
    for name in ("bot", "worker"):
        for config in (None, tmp_path / "journeyman.toml"):
            assert TOKEN not in " ".join(program(name, config, environ).arguments)
    assert environ["DISCORD_TOKEN"] == TOKEN


def test_neither_the_configuration_nor_the_doctor_tells_the_token(tmp_path: Path) -> None:
    settings = load({"HOME": str(tmp_path), "DISCORD_TOKEN": TOKEN})
    assert settings.token == TOKEN
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert TOKEN not in shown
    findings = list(examined(settings, now=time.time()))
    assert "token" in {each.subject for each in findings}
    assert TOKEN not in str(findings)
