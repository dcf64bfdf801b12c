"""`journeyman playground`: a Discord on this machine, with the bot and the artist in it."""

import asyncio
import contextlib
import json
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import checkpoint, logs, options
from cli.config import Settings, load
from cli.doctor import PLAYGROUND_PORT
from cli.folder import opened
from cli.serve import inherited, program, until_stopped
from cli.supervisor import Child, Supervisor, log_death

if TYPE_CHECKING:
    from playground.models import Facts

DATA = Path(".journeyman")
WHO = {"bot": "The bot", "worker": "The artist"}
BOT_SECONDS = 20.0  # after this the address is told even without a bot


def playground(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes any free port.")
    ] = PLAYGROUND_PORT,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
    discord_only: Annotated[
        bool, typer.Option("--discord-only", help="Start the local Discord without bot and worker.")
    ] = False,
) -> None:
    """Try everything out: no token, no account, nothing leaves this machine."""
    defaults = {"data": DATA, "log": {"level": "warning"}}
    settings = load(os.environ, file=config, options={"data": data}, defaults=defaults)
    logs.setup(settings.log, process="playground")
    if not discord_only:
        checkpoint.catalogue(settings)
    show = Screen(as_json=as_json)
    asyncio.run(until_stopped(_serve(settings, port, config, show, alone=discord_only)))
    show.line("Stopped.")


class Screen:
    """What the person at the terminal reads; with ``--json`` scripts read the first line instead."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def line(self, text: str) -> None:
        """Say something to people."""
        if not self._as_json:
            # The terminal may have been closed; that is no reason to leave anything running.
            with contextlib.suppress(OSError):
                print(text, flush=True)

    def facts(self, facts: "Facts") -> None:
        """Tell where the local Discord is."""
        if self._as_json:
            print(json.dumps(facts.model_dump(mode="json")), flush=True)
        else:
            self.line(f"\n  Open {facts.url} and type  /imagine a red fox\n\n  Ctrl-C stops everything.\n")

    def died(self, name: str, exit_code: int, pause: float) -> None:
        """Tell that a child is gone; scripts find it in the log."""
        if self._as_json:
            log_death(name, exit_code, pause)
        else:
            ended = (
                f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
            )
            self.line(f"  {WHO[name]} {ended} and is started again …")

    def lonely(self, facts: "Facts", data: Path, config: Path | None) -> None:
        """Tell where the local Discord is, and how a bot and a worker come to it."""
        if self._as_json:
            self.facts(facts)
        else:
            lines = "\n".join(f"  {line}" for line in completing(facts, data, config))
            self.line(
                f"\n  The local Discord is at {facts.url}, without bot and worker. What adds them, in\n"
                f"  terminals of their own, each with the export:\n\n{lines}\n\n  Ctrl-C stops it.\n"
            )


def completing(facts: "Facts", data: Path, config: Path | None) -> list[str]:
    """Return the lines, for any POSIX shell, that bring a bot and a worker to a local Discord."""
    places = ["--data", str(data.absolute())] + (
        [] if config is None else ["--config", str(config.absolute())]
    )
    settings = {"JOURNEYMAN_DISCORD_API": facts.api, "DISCORD_TOKEN": facts.bot_token}
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    return [f"export {exports}", *(shlex.join(["journeyman", each, *places]) for each in ("bot", "worker"))]


async def _serve(settings: Settings, port: int, config: Path | None, show: Screen, *, alone: bool) -> None:
    from playground.server import Playground

    folder = opened(settings.data)
    async with Playground(folder.discord, port=port) as local:
        if alone:
            show.lonely(local.facts(), folder.root, config)
            await asyncio.Event().wait()
        facts = local.facts()
        environ = inherited(
            os.environ, settings, DISCORD_TOKEN=facts.bot_token, JOURNEYMAN_DISCORD_API=facts.api
        )
        keeper = Supervisor(
            [program("bot", config, environ), program("worker", config, environ)],
            clock=time.monotonic,
            died=show.died,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(keeper.run())
            group.create_task(_announce(keeper, facts, show))
            for child in keeper.children.values():
                group.create_task(_returns(child, show))


async def _announce(keeper: Supervisor, facts: "Facts", show: Screen) -> None:
    """Tell the address once the page and the bot are there; the artist may take a moment longer."""
    show.line("Starting the local Discord, the bot and the artist …")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BOT_SECONDS):
            await keeper.children["bot"].ready.wait()
    show.facts(facts)
    await keeper.children["worker"].ready.wait()
    show.line("  The artist is ready.")


async def _returns(child: Child, show: Screen) -> None:
    """Tell each time that a child is back after it was lost."""
    while True:
        await child.lost.wait()
        await child.ready.wait()
        show.line(f"  {WHO[child.program.name]} is back.")
