"""`journeyman privacy`: what is held about a person, when they ask you instead of the bot."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cli import options
from cli.config import load
from cli.failures import USAGE, Failure
from cli.folder import Folder
from worker.privacy import PrivacyDesk, Unstoppable

T = TypeVar("T")
LARGEST_ID = 2**63 - 1

app = typer.Typer(
    help="Hand out or forget what is held about a person.", no_args_is_help=True, rich_markup_mode=None
)
User = Annotated[
    int,
    typer.Argument(metavar="USER_ID", min=1, max=LARGEST_ID, help="Their Discord id, as `jobs show` has it."),
]


@app.command()
def export(
    user_id: User,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the zip file goes.")],
    data: options.Data = None,
    config: options.Config = None,
) -> None:
    """Write everything about a person into a zip file."""
    if out.exists():
        raise Failure(f"{out} is there already; choose another name, or remove it.", USAGE)
    os.close(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    handed = _ask(data, config, lambda desk: desk.export(user_id, out))
    print(f"{out}: {handed.jobs} jobs and {handed.pictures} pictures.")


@app.command()
def forget(
    user_id: User,
    data: options.Data = None,
    config: options.Config = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget everything about a person: jobs, pictures, settings, credits, strikes; a block stays."""
    jobs = _ask(data, config, lambda desk: desk.jobs_of(user_id))
    if not yes:
        typer.confirm(f"Forget {len(jobs)} jobs and everything else about {user_id}, for good?", abort=True)
    try:
        forgotten = _ask(data, config, lambda desk: desk.forget(user_id))
    except Unstoppable:
        raise Failure("One of their jobs has not stopped yet; nothing was forgotten. Try again.") from None
    print(f"Forgotten: {forgotten.jobs} jobs. Their messages in Discord stay; moderators can delete those.")
    if not forgotten.scrubbed:
        print("The database was in use: what is left in its free room is overwritten within the hour.")


def _ask(data: Path | None, config: Path | None, question: Callable[[PrivacyDesk], Awaitable[T]]) -> T:
    """Put one question to the data folder.

    Raises:
        Failure: There is none.
    """
    from cli.wiring import confidant_on, desk_on
    from worker.database import Database

    settings = load(os.environ, file=config, options={"data": data})
    folder = Folder(settings.data)
    if not folder.database.exists():
        raise Failure(f"There is no database in {folder.root}.", USAGE)

    async def asked() -> T:
        async with Database(folder.database) as database:
            desk = desk_on(database, folder, settings)
            return await question(confidant_on(database, folder, desk, settings))

    return asyncio.run(asked())
