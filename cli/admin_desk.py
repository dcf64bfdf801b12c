"""How `journeyman admin` puts questions and deeds to a data folder's desk, and prints what comes back."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cli.config import Settings, load
from cli.failures import USAGE, Failure
from cli.jobs import shown
from worker.admin import Actor, AdminDesk, Done
from worker.deeds import CONFIRMED, Deed

T = TypeVar("T")

Person = Annotated[int, typer.Argument(metavar="USER_ID", min=1, help="A person's Discord id.")]
Server = Annotated[
    int | None,
    typer.Option("--server", metavar="ID", min=1, help="A Discord server; by default the configured one."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")]
Skip = Annotated[int, typer.Option(min=0, help="How many lines to leave out.")]


def ask(data: Path | None, config: Path | None, question: Callable[[AdminDesk], Awaitable[T]]) -> T:
    """Put one question to the desk of the data folder; neither bot nor worker need run."""
    from cli.folder import opened
    from cli.wiring import office_on
    from worker.database import Database

    settings = settings_of(data, config)
    folder = opened(settings.data)

    async def asked() -> T:
        async with Database(folder.database) as database:
            return await question(office_on(database, folder, settings))

    return asyncio.run(asked())


def settings_of(data: Path | None, config: Path | None) -> Settings:
    """Return the configuration."""
    return load(os.environ, file=config, options={"data": data})


def server_of(server: int | None, data: Path | None, config: Path | None) -> int:
    """Return the server that is meant.

    Raises:
        Failure: None was named, and the configuration does not name exactly one.
    """
    if server is not None:
        return server
    known = settings_of(data, config).admin.servers
    if len(known) == 1:
        return known[0]
    raise Failure("Say which server: --server ID, its Discord id.", USAGE)


def do(
    data: Path | None, config: Path | None, deed: Deed, *, server: int = 0, yes: bool = False, as_json: bool
) -> None:
    """Do *deed* on the record, asking first where something is destroyed, and print what came of it.

    Raises:
        Failure: It was not confirmed.
    """
    actor = Actor(name=f"cli:{getpass.getuser()}", guild_id=server)

    async def done(desk: AdminDesk) -> Done:
        if not isinstance(deed, CONFIRMED):
            return await desk.do(deed, actor)
        pending = await desk.propose(deed, user_id=0, guild_id=server)
        if not yes and not _sure(pending.touches):
            await desk.withdraw(pending.id)
            raise Failure("Nothing was changed.")
        return await desk.do(deed, actor, pending=pending)

    told = ask(data, config, done)
    if as_json:
        print(json.dumps(told.model_dump(mode="json", include={"entry", "touched"})))
        return
    if told.entry is None:
        print("It was so before; nothing was changed.")
        return
    change = f"{facts(told.entry.before)} -> {facts(told.entry.after)}"
    print(printable(f"Done: {told.entry.verb}, {told.entry.target}: {change}"))


def _sure(touches: int) -> bool:
    if not sys.stdin.isatty():
        raise Failure(f"This would stop {touches} jobs. Say --yes to do it without being asked.", USAGE)
    return typer.confirm(f"This stops {touches} jobs. Go on?")


def facts(values: Mapping[str, Any]) -> str:
    """Return facts for people, such as ``mode open``."""
    return ", ".join(f"{key} {'-' if value is None else value}" for key, value in values.items()) or "-"


def listed(rows: Sequence[Mapping[str, Any]], *, as_json: bool, total: int | None = None) -> None:
    """Print *rows* as a table, or as JSON; one key is one column."""
    if as_json:
        print(json.dumps([dict(row) for row in rows]))
        return
    if not rows:
        print("Nothing.")
        return
    head = [key.upper() for key in rows[0]]
    cells = [head, *([_cell(key, value) for key, value in row.items()] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    for line in cells:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
    if total is not None and total > len(rows):
        print(f"{len(rows)} of {total}; --skip and --limit show the others.")


def _cell(key: str, value: Any) -> str:
    if isinstance(value, float) and key not in TIMES:
        return f"{value:g}"
    if isinstance(value, Mapping):
        return facts(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(shown(value))


def printable(text: str) -> str:
    """Return *text* without what could steer a terminal: others may have typed it."""
    return "".join(each if each.isprintable() else "?" for each in text)


TIMES = {"at", "created_at", "until", "seen_at", "started_at"}
