"""What is shipped for running it: as far as it can be checked without systemd and Docker running."""

import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.config import load
from cli.main import COMMANDS
from cli.wiring import desk_of
from parser import parse
from tests.acceptance.stage import Stage
from worker.api import Imagine

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*"))
PATIENCE = 240.0  # seconds; a start on a busy machine


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_such_as_systemd_understands(tmp_path: Path, unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    program = tmp_path / "journeyman"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for each in UNITS:  # an instance of its own, and the timer's service beside it
        name = each.name.replace("@.", "@0.")
        text = each.read_text().replace("/srv/journeyman/.venv/bin/journeyman", str(program))
        (tmp_path / name).write_text(text)
    copy = tmp_path / unit.name.replace("@.", "@0.")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if copy.name in line]
    assert not said, done.stderr


@pytest.mark.parametrize(
    "unit", [each for each in UNITS if each.suffix == ".service"], ids=lambda unit: unit.name
)
def test_services_have_no_privileges_and_keep_the_token_out(unit: Path) -> None:
    text = unit.read_text()
    for line in (
        "User=journeyman",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=\n",
    ):
        assert line in text
    assert "DISCORD_TOKEN" not in text
    [command] = re.findall(r"bin/journeyman (\w+)", text)
    assert command in COMMANDS


def test_the_image_holds_every_package_and_nothing_that_is_not_there() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    assert packages | {"models"} <= copied
    context = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    for name in copied:
        assert f"!{name}" in context or (name.startswith("constraints") and "!constraints*.txt" in context), (
            name
        )
    assert re.search(r"^USER journeyman$", text, re.MULTILINE)
    assert "TOKEN" not in text


def environment_of_the_image() -> dict[str, str]:
    text = (DEPLOY / "docker" / "Dockerfile").read_text().partition("COPY --from=build")[2]
    [block] = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    return dict(word.split("=", 1) for word in block.replace("\\\n", " ").split())


def test_what_the_image_holds_is_enough_to_start(tmp_path: Path) -> None:
    """Laid out in a folder as the image lays it out, without Docker."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    root, data = tmp_path / "opt", tmp_path / "data"
    data.mkdir()
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        *names, target = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / target, ignore=shutil.ignore_patterns("__pycache__"))
            elif not target.startswith("/"):
                (root / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / target)
    env = environment_of_the_image() | {
        "HOME": str(data),
        "JOURNEYMAN_DATA": str(data),
        "PYTHONPATH": str(root),
    }
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)
    _, *start = json.loads(entry)
    done = subprocess.run(
        [sys.executable, *start, "migrate"],
        cwd=data,
        env=env | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (data / "journeyman.sqlite3").exists()


@pytest.mark.parametrize("build", ["cpu", "cuda"])
@pytest.mark.parametrize("extras", [(), ("safety", "meaning")])
def test_the_image_installs_what_the_project_asks_for(
    build: str, extras: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[list[str]] = []

    def note(command: list[str], *, check: bool) -> None:
        assert check
        installed.append(command[command.index("install") + 1 :])

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(subprocess, "run", note)
    runpy.run_path(str(DEPLOY / "docker" / "libraries.py"))["main"](build, *extras)
    for command in installed:
        limits = command[command.index("--constraint") + 1]
        assert (ROOT / limits).exists()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = set(project["dependencies"])
    for extra in ("engine", *extras):
        wanted |= set(project["optional-dependencies"][extra])
    assert set(installed[-1][2:]) == wanted
    assert len(installed) == (2 if build == "cpu" else 1)


def test_the_containers_share_the_data_have_no_privileges_and_ask_for_their_health_where_it_is() -> None:
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())
    ports = dict(
        re.findall(r"JOURNEYMAN_MONITOR__(\w+)=(\d+)", (DEPLOY / "docker" / "Dockerfile").read_text())
    )
    assert set(compose["services"]) == {"bot", "worker"}
    for name, service in compose["services"].items():
        assert service["volumes"] == ["data:/data"]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["command"] == [name]
        assert name in COMMANDS
        assert service["restart"] == "unless-stopped"
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
        assert ((DEPLOY / "docker" / service["build"]["context"]) / service["build"]["dockerfile"]).exists()
        *_, code = service["healthcheck"]["test"]
        compile(code, name, "exec")
        assert f"127.0.0.1:{ports[name.upper()]}/" in code
        assert (ROOT / compose["services"][name]["build"]["context"]).name == ".."
        arguments = re.findall(r"^ARG (\w+)", (DEPLOY / "docker" / "Dockerfile").read_text(), re.MULTILINE)
        assert set(service["build"]["args"]) == set(arguments)
    load(
        {
            "HOME": "/data",
            "JOURNEYMAN_MONITOR__BOT": ports["BOT"],
            "JOURNEYMAN_MONITOR__WORKER": ports["WORKER"],
        }
    )


def test_prometheus_is_pointed_at_the_files_the_processes_leave() -> None:
    from cli.monitor import FOLDER

    found = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    [job] = found["scrape_configs"]
    assert job["file_sd_configs"][0]["files"] == [f"/var/lib/journeyman/{FOLDER}/*.json"]
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    assert all(rule["annotations"]["summary"] for group in alerts["groups"] for rule in group["rules"])


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_worker_that_is_asked_to_stop_loses_no_attempt_and_at_most_the_step_it_is_in(
    stage: Stage,
) -> None:
    settings = load({**os.environ, "JOURNEYMAN_DATA": str(stage.data)})
    async with desk_of(settings) as desk:
        order = Imagine(request=parse("a fox --q 5"))
        job = await desk.submit(order, owner_id=1, key="k", origin="")
    worker = await stage.worker()
    begun = "SELECT fraction FROM progress WHERE fraction > 0.1"
    await stage.until(lambda: stage.rows(begun), worker, PATIENCE)
    [(shown,)] = stage.rows(begun)
    worker.process.send_signal(signal.SIGTERM)
    assert await worker.process.wait() == 0
    [(state, used)] = stage.rows("SELECT state, attempt - spared FROM jobs WHERE id = ?", job.id)
    assert (state, used) == ("queued", 0)
    assert not list(stage.data.glob("worker-*.lock"))

    worker = await stage.worker()
    done = "SELECT json_extract(recipe, '$.steps') FROM jobs WHERE state = 'succeeded'"
    await stage.until(lambda: stage.rows(done), worker, PATIENCE)
    [(steps,)] = stage.rows(done)
    said = [json.loads(line) for line in worker.said().splitlines() if line.startswith("{")]
    [gone_on] = [line for line in said if line["event"] == "gone_on"]
    [finished] = [line for line in said if line["event"] == "job_finished"]
    assert gone_on["fraction"] >= shown
    assert finished["passes"] == round(steps * (1 - gone_on["fraction"]))
