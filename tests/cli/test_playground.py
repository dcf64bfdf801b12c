"""`journeyman playground` as its own process: what it prints, and that nothing is left of it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.playground import Screen
from playground.models import Facts

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "url",
    "api",
    "gateway",
    "guild_id",
    "channel_id",
    "application_id",
    "bot_user_id",
    "bot_token",
    "user_id",
    "user_token",
}


@contextmanager
def playground(data: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "playground", "--port", "0", "--data", str(data), "--json", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def first_line(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    facts: dict[str, str] = json.loads(process.stdout.readline())
    return facts


def test_the_first_line_is_what_a_script_needs_and_the_api_answers(tmp_path: Path) -> None:
    with playground(tmp_path, "--discord-only") as process:
        facts = first_line(process)
        assert set(facts) == KEYS
        assert facts["api"].endswith("/api/v10")
        with urllib.request.urlopen(f"{facts['api']}/gateway", timeout=10) as answer:
            assert json.load(answer)["url"].startswith("ws")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_alone_it_prints_what_to_type_to_complete_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "it's a folder"
    facts = Facts(
        url="http://127.0.0.1:1/",
        api="http://127.0.0.1:1/api/v10",
        gateway="ws://127.0.0.1:1/",
        guild_id="1",
        channel_id="2",
        application_id="3",
        bot_user_id="4",
        bot_token="a$b'c",
        user_id="5",
        user_token="6",
    )
    Screen(as_json=False).lonely(facts, data, None)
    export, *commands = [
        line for line in capsys.readouterr().out.splitlines() if "--data" in line or "TOKEN" in line
    ]
    script = f'{export}; journeyman() {{ printf \'%s|\' "$@" "$DISCORD_TOKEN" "$JOURNEYMAN_DISCORD_API"; }}\n'
    for command, name in zip(commands, ("bot", "worker"), strict=True):
        said = subprocess.run(
            ["sh", "-c", script + command], capture_output=True, text=True, check=True
        ).stdout
        assert said == f"{name}|--data|{data}|a$b'c|http://127.0.0.1:1/api/v10|"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed by Linux's /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_bot_and_worker_end_with_it(tmp_path: Path, sent: signal.Signals) -> None:
    with playground(tmp_path) as process:
        first_line(process)
        descriptors = [os.pidfd_open(pid) for pid in children(process.pid)]
        assert len(descriptors) == 2
        started = time.monotonic()
        process.send_signal(sent)
        for descriptor in descriptors:
            ended(descriptor)
        assert time.monotonic() - started < 10
        assert process.wait(timeout=10) == (0 if sent is signal.SIGINT else -signal.SIGKILL)


def ended(descriptor: int) -> None:
    import select

    try:
        assert select.select([descriptor], [], [], 20)[0]
    finally:
        os.close(descriptor)


def test_a_death_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False)
    screen.died("worker", -9, 0.5)
    screen.died("bot", 1, 0.5)
    assert capsys.readouterr().out == (
        "  The artist was killed by signal 9 and is started again …\n"
        "  The bot ended with exit code 1 and is started again …\n"
    )
