"""The dashboard and the alerts ask for nothing that the processes do not tell."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.metrics import DiscordMetrics
from cli.discord_process import watch
from cli.folder import Folder
from cli.monitor import Monitor, announced
from playground.faults import Fault, FaultKind
from playground.server import Playground
from tests.acceptance.member import Member
from tests.acceptance.stage import Part, Stage
from tests.bot.studio import QUICK, Studio, drawn
from tests.cli.test_monitor import HERE, Bench, fetched, free_port, values
from worker.metrics import DatabaseMetrics, DeviceMetrics

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "deploy" / "grafana" / "journeyman.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
OF_PROMETHEUS_ITSELF = {"up"}
NAME = re.compile(r"\b(?:journeyman|process)_[a-z_]+\b|\bup\b")


def asked() -> set[str]:
    """Return every metric that the dashboard and the alerts name."""
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    expressions += re.findall(r"expr: (.*)", ALERTS.read_text(encoding="utf-8"))
    assert len(expressions) > 30
    return {name for each in expressions for name in NAME.findall(each)} - OF_PROMETHEUS_ITSELF


def told(text: str) -> set[str]:
    """Return the names that Prometheus stores of a page, labels or not."""
    named = {name.partition(" ")[0] for name in values(text)}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        # One with labels has no line before the first thing it counts.
        named |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return named


@asynccontextmanager
async def observed(studio: Studio) -> AsyncIterator[str]:
    """Run a bot that is watched as its process watches it; yield its address."""
    monitor = Monitor("bot")
    DatabaseMetrics(monitor.registry)
    metrics = DiscordMetrics(monitor.registry)
    async with studio.running(QUICK, trace=metrics.trace) as bot:
        watch(monitor, bot, studio.database, Folder(studio.folder), metrics)
        async with monitor.serving(HERE, free_port(), studio.folder):
            yield f"http://{announced(studio.folder)[0]}"


async def test_every_metric_of_the_dashboard_and_the_alerts_is_told(tmp_path: Path) -> None:
    async with (
        Playground(None, page=False) as local,
        Studio(tmp_path, local).open() as studio,
        observed(studio) as url,
    ):
        names = told((await fetched(f"{url}/metrics"))[1])
    monitor = Monitor("worker")
    DeviceMetrics(monitor.registry, Bench())
    DatabaseMetrics(monitor.registry)
    async with monitor.serving(HERE, free_port(), tmp_path):
        names |= told((await fetched(f"http://{announced(tmp_path)[0]}/metrics"))[1])
    assert asked() <= names


async def test_calls_answers_and_the_gateway_are_told(tmp_path: Path) -> None:
    async with (
        Playground(None, page=False) as local,
        Studio(tmp_path, local).open() as studio,
        observed(studio) as url,
    ):
        async with studio.member() as person:
            await drawn(studio.easel, person, "a fox")
        page = values((await fetched(f"{url}/metrics"))[1])
        assert (await fetched(f"{url}/readyz"))[0] == 200
        assert page["journeyman_answer_seconds_count command"] == 1
        assert page["journeyman_answer_seconds_sum command"] < 3
        assert page["journeyman_gateway_connected"] == 1
        assert page["journeyman_discord_servers"] == 1
        assert page["journeyman_discord_calls_total POST 200"] >= 1
        await studio.bot.close()
        status, text = await fetched(f"{url}/readyz")
    assert status == 503
    assert "discord" in json.loads(text)["wrong"]


async def test_rate_limits_are_told_with_what_they_are_for(tmp_path: Path) -> None:
    async with (
        Playground(None, page=False) as local,
        Studio(tmp_path, local).open() as studio,
        observed(studio) as url,
    ):
        local.faults.add(Fault(kind=FaultKind.RATE_LIMIT, seconds=0.05, method="POST", route="/channels/*"))
        async with studio.member() as person:
            await drawn(studio.easel, person, "a fox")
        page = values((await fetched(f"{url}/metrics"))[1])
    assert sum(n for name, n in page.items() if name.startswith("journeyman_discord_rate_limited_total")) == 1


@pytest.mark.slow
async def test_real_processes_tell_what_the_dashboard_asks_for(stage: Stage) -> None:
    bot_port, worker_port = free_port(), free_port()
    env = {"JOURNEYMAN_MONITOR__BOT": str(bot_port), "JOURNEYMAN_MONITOR__WORKER": str(worker_port)}
    bot = await stage.bot(**env)
    worker = await stage.worker(**env)
    await ready(bot_port, bot)
    await ready(worker_port, worker)
    async with Member(stage.facts) as member:
        await member.command("imagine", prompt="a fox")
        await member.until(lambda: member.find("a fox", having="reroll"), 60)
    pages = [(await fetched(f"http://{HERE}:{port}/metrics"))[1] for port in (bot_port, worker_port)]
    assert asked() <= told(pages[0]) | told(pages[1])
    worked: dict[str, Any] = values(pages[1])
    assert worked["journeyman_step_batch_rows_sum"] >= 4
    assert worked["journeyman_device_busy_seconds_total"] > 0


async def ready(port: int, part: Part) -> None:
    async with asyncio.timeout(60):
        while True:
            assert part.process.returncode is None, part.said()
            try:
                if (await fetched(f"http://{HERE}:{port}/readyz"))[0] == 200:
                    return
            except OSError:
                pass
            await asyncio.sleep(0.2)  # another process's state has no event to wait for
