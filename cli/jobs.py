"""`journeyman jobs`: look into the queue, and stop what should not run."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from cli import options
from cli.config import load
from cli.failures import USAGE, Failure
from worker.api import Job, JobDesk, JobId, JobState

T = TypeVar("T")

app = typer.Typer(
    help="Look into the queue, and stop what should not run.", no_args_is_help=True, rich_markup_mode=None
)
Id = Annotated[
    str, typer.Argument(metavar="JOB_ID", help="A job's id, as `jobs list` and file names show it.")
]


@app.command("list")
def list_(
    data: options.Data = None,
    config: options.Config = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 25,
    as_json: options.Json = False,
) -> None:
    """List the newest jobs."""
    found = _ask(data, config, lambda desk: desk.recent(limit=limit))
    if as_json:
        print(json.dumps([facts(job) for job in found]))
    else:
        print(table(found) if found else "No jobs yet.")


@app.command()
def show(
    job_id: Id, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Show one job."""
    job = _ask(data, config, lambda desk: desk.get(checked(job_id)))
    if as_json:
        print(json.dumps(facts(job)))
    else:
        print("\n".join(f"{key:<17} {shown(value)}" for key, value in facts(job).items()))


@app.command()
def cancel(job_id: Id, data: options.Data = None, config: options.Config = None) -> None:
    """Stop a job; a running one stops at its next step."""
    job = _ask(data, config, lambda desk: desk.cancel(checked(job_id)))
    print(verdict(job))


def checked(text: str) -> JobId:
    """Return a job id as it is stored.

    Raises:
        Failure: It is none.
    """
    try:
        return JobId(str(UUID(text)))
    except ValueError:
        raise Failure(
            f"{text!r} is not a job id, such as 1f9c0e7a-5d1b-4c7e-9b66-0c8a41d2a9f3.", USAGE
        ) from None


def verdict(job: Job) -> str:
    """Return what became of the wish to cancel *job*."""
    match job.state:
        case JobState.CANCELLED:
            return "Stopped."
        case JobState.QUEUED | JobState.RUNNING:
            return "It stops at its next step."
        case _:
            return f"It had already {job.state}; nothing was changed."


def facts(job: Job) -> dict[str, Any]:
    """Return what scripts may know about *job*, under stable names; times are Unix seconds."""
    return {
        "job_id": job.id,
        "kind": job.order.kind,
        "state": job.state.value,
        "speed": job.speed.value,
        "owner_id": str(job.owner_id),  # beyond what JSON readers keep exactly as a number
        "seed": job.seed,
        "attempt": job.attempt,
        "cancel_requested": job.cancel_requested,
        "model": job.model,
        "size": [job.width, job.height],
        "files": list(job.files),
        "error": job.error.value if job.error else None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def shown(value: Any) -> str:
    """Return one fact for people."""
    match value:
        case None:
            return "-"
        case float():
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        case list():
            return ", ".join(str(each) for each in value) or "-"
        case _:
            return str(value)


def table(jobs: Sequence[Job]) -> str:
    """Return *jobs* for people, one a line."""
    rows = [("JOB", "KIND", "STATE", "SPEED", "CREATED", "ERROR")]
    for job in jobs:
        error = job.error.value if job.error else ""
        rows.append((job.id, job.order.kind, job.state.value, job.speed.value, shown(job.created_at), error))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _ask(data: Path | None, config: Path | None, question: Callable[[JobDesk], Awaitable[T]]) -> T:
    """Put one question to the desk of the data folder."""
    from cli.wiring import desk_of

    settings = load(os.environ, file=config, options={"data": data})

    async def asked() -> T:
        async with desk_of(settings) as desk:
            return await question(desk)

    return asyncio.run(asked())
