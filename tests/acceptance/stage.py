"""The product as its operator starts it: each part its own process, on a data folder of the test's."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp

ROOT = Path(__file__).parents[2]


class Part:
    """One process of ours."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)

    async def stop(self, seconds: float = 10) -> int:
        """Ask it to end, as Ctrl-C does, and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), seconds)

    def peak_megabytes(self) -> float:
        """Return the most memory it has held (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000

    def said(self) -> str:
        """Return what it wrote so far."""
        return self.log.read_text()


class Stage:
    """A local Discord, and a bot and workers that tests start, stop and kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.parts: list[Part] = []
        self.facts: dict[str, str] = {}
        self.program: Sequence[str] = (
            "-m",
            "cli",
        )  # what Python runs; the local Discord is always the plain one

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        discord = await self.start(
            "playground", "--discord-only", "--json", "--port", "0", "--data", str(self.folder / "discord")
        )
        self.facts = json.loads(await self._first_line(discord))
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for part in reversed(self.parts):
            if part.process.returncode is None:
                part.kill()
                await part.process.wait()
        await self._http.close()

    async def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Part:
        """Start `journeyman …`; its output goes to a file of its own."""
        log = self.folder / f"{len(self.parts)}-{arguments[0]}.log"
        with log.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.program,
                *arguments,
                cwd=ROOT,
                env=dict(os.environ) | self.environment() | dict(env or {}),
                stdout=output,
                stderr=output,
                stdin=asyncio.subprocess.DEVNULL,
            )
        part = Part(arguments[0], process, log)
        self.parts.append(part)
        return part

    def environment(self) -> dict[str, str]:
        """Return what points our processes at the local Discord."""
        fixed = {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        if not self.facts:
            return fixed
        return fixed | {"JOURNEYMAN_DISCORD_API": self.facts["api"], "DISCORD_TOKEN": self.facts["bot_token"]}

    async def bot(self, **env: str) -> Part:
        """Start a bot and wait until Discord shows its commands."""
        part = await self.start("bot", "--data", str(self.data), env=env)
        await self.until(lambda: "ready" in part.said().lower(), part)
        return part

    async def worker(self, **env: str) -> Part:
        """Start a worker; it may still be loading the model when this returns."""
        return await self.start("worker", "--data", str(self.data), env=env)

    async def until(self, what: Any, part: Part, seconds: float = 60) -> None:
        """Poll *what*, a fact outside this process, while *part* lives."""
        async with asyncio.timeout(seconds):
            while not what():
                assert part.process.returncode is None, f"{part.name} ended:\n{part.said()}"
                await asyncio.sleep(0.05)  # another process's state has no event to wait for

    async def _first_line(self, part: Part) -> str:
        await self.until(lambda: "\n" in part.said(), part)
        return part.said().splitlines()[0]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the job database from outside."""
        with sqlite3.connect(self.data / "journeyman.sqlite3") as database:
            return database.execute(sql, values).fetchall()

    async def discord(self, verb: str, path: str, /, **body: object) -> Any:
        """Do something to the local Discord's world, such as setting a fault."""
        async with self._http.request(verb, f"{self.facts['url']}/playground{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.status != 204 else None
