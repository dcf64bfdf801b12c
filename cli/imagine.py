"""`journeyman imagine`: one prompt through queue and engine, without Discord."""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from bot.closures import closed_by
from bot.texts import Texts
from cli import checkpoint, logs, options
from cli.caret import underlined
from cli.config import Settings, load
from cli.failures import Failure
from cli.folder import opened
from cli.serve import quiet_libraries
from cli.wiring import desk_on
from parser import Closed, ImagineRequest, PromptErrors, parse
from worker.api import Imagine, Job, JobDesk, JobState, Membership, Rejected, WorkerError

if TYPE_CHECKING:
    from rich.progress import Progress

OWNER = 0  # nobody on Discord: ids there are larger
LOOK_SECONDS = 0.1  # between two looks at the job


def imagine(
    prompt: Annotated[str, typer.Argument(help="What to draw, with parameters as on Discord.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the pictures go.")],
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Draw a prompt and write grid.png and 1.png to 4.png."""
    request = understood(prompt)
    with tempfile.TemporaryDirectory(prefix="journeyman-") as own:
        defaults = {"data": Path(own), "log": {"level": "warning"}}
        settings = load(os.environ, file=config, options={"data": data or Path(own)}, defaults=defaults)
        logs.setup(settings.log, process="imagine")
        checkpoint.catalogue(settings)
        out.mkdir(parents=True, exist_ok=True)
        with bar() as progress:
            task = progress.add_task("Loading the model", total=1.0)
            work = draw(settings, request, out, lambda **change: progress.update(task, **change))
            try:
                result = asyncio.run(to_the_end(work))
            except Rejected as error:
                understood(prompt, closed_by(error, Texts()))  # shows the place, if it has one
                raise
    print(json.dumps(result) if as_json else "\n".join(result["files"]))


def understood(prompt: str, closed: Closed | None = None) -> ImagineRequest:
    """Return the request that *prompt* asks for where some things are *closed*.

    Raises:
        Failure: It has mistakes, all of which are shown.
    """
    try:
        return parse(prompt, closed or Closed())
    except PromptErrors as errors:
        shown = [
            underlined(
                prompt,
                {"span": error.span, "message": error.message, "suggestion": error.suggestion},
            )
            for error in errors.errors
        ]
        raise Failure("that prompt cannot be drawn.\n" + "\n".join(shown)) from None


def bar() -> "Progress":
    """Return a progress bar on standard error; on none but a terminal it stays silent."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


async def to_the_end(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Return what *work* returns; told to end by SIGTERM or a closed terminal, end it as Ctrl-C does.

    Raises:
        Exit: It was told to, with the code that shells give a program ended by that signal.
    """
    working = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def end(by: signal.Signals) -> None:
        received.append(by)
        working.cancel()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, end, each)
    try:
        return await working
    except asyncio.CancelledError:
        if not received:
            raise
        raise typer.Exit(128 + received[0]) from None


async def draw(
    settings: Settings, request: ImagineRequest, out: Path, show: Callable[..., None]
) -> dict[str, Any]:
    """Queue the request, draw it here, write its pictures to *out* and return the facts.

    Raises:
        WorkerError: It was refused, or failed.
    """
    started = time.monotonic()
    os.environ.update(quiet_libraries(os.environ))
    from worker.database import Database

    folder = opened(settings.data)
    await fetched(settings, request)
    async with Database(folder.database) as database:
        desk = desk_on(database, folder, settings)
        order = Imagine(request=request)
        key = f"command line {uuid4()}"
        job = await desk.submit(order, owner_id=OWNER, key=key, origin="", membership=Membership(exempt=True))
        from cli.worker_process import drawing  # takes seconds, for which nobody who is refused shall wait

        work = drawing(settings, database, folder, lambda: show(description="Drawing"))
        working = asyncio.create_task(work)
        following = asyncio.create_task(followed(desk, job, show))
        try:
            await asyncio.wait({working, following}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
            job = await following
        finally:
            working.cancel()
            following.cancel()
            await asyncio.gather(working, following, return_exceptions=True)
            await desk.cancel(job.id)  # nobody waits for it any more; a finished one stays as it is
        files = [await written(desk, name, out) for name in job.files]
    seconds = round(time.monotonic() - started, 3)
    return {"job_id": job.id, "seed": job.seed, "files": files, "seconds": seconds}


async def fetched(settings: Settings, request: ImagineRequest) -> None:
    """Fetch the model that *request* asks for, if nothing is known of it yet.

    Raises:
        Failure: It did not come.
        Rejected: There is none.
    """
    catalogue = checkpoint.catalogue(settings)
    wanted = catalogue.asked_for(request) or catalogue.entries[0]
    if wanted.ready or settings.engine.offline:
        return
    from cli.worker_process import stocked
    from worker.hub.trouble import Trouble

    async with stocked(settings) as fetching:
        try:
            await fetching.first(wanted.name)
        except Trouble as trouble:
            raise Failure(str(trouble), passing=trouble.passing) from trouble


async def followed(desk: JobDesk, job: Job, show: Callable[..., None]) -> Job:
    """Return the job once it is final.

    Raises:
        Failure: It was cancelled.
        WorkerError: It failed.
    """
    while not job.state.final:
        await asyncio.sleep(LOOK_SECONDS)
        latest = (await desk.progress([job.id])).get(job.id)
        if latest is not None:
            show(completed=latest.fraction)
        job = await desk.get(job.id)
    if job.error is not None:
        raise WorkerError(job.error)
    if job.state is not JobState.SUCCEEDED:
        raise Failure("The job was cancelled.")
    return job


async def written(desk: JobDesk, name: str, out: Path) -> str:
    """Write one picture and return its path."""
    path = out / name.rpartition("/")[2]
    content = await desk.picture(name)
    await asyncio.to_thread(path.write_bytes, content)
    return str(path)
