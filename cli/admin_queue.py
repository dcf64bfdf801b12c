"""`journeyman admin queue …`."""

from typing import Annotated

import typer

from cli import options
from cli.admin_desk import Limit, Skip, Yes, ask, do, facts, listed
from cli.jobs import checked
from parser import Speed
from worker.api import JobState
from worker.deeds import Cancel, Clear, Promote, Retry, SetMode, Verb, Which

queue = typer.Typer(help="Look at the queue and steer it.", no_args_is_help=True, rich_markup_mode=None)
Id = Annotated[str, typer.Argument(metavar="JOB_ID", help="A job's id.")]
Whose = Annotated[int | None, typer.Option("--person", metavar="USER_ID", min=1, help="Only this person's.")]
Lane = Annotated[Speed | None, typer.Option(help="Only of this lane.")]


@queue.command("show")
def show(
    *,
    data: options.Data = None,
    config: options.Config = None,
    state: Annotated[JobState | None, typer.Option(help="Those under way if left out.")] = None,
    lane: Lane = None,
    person: Whose = None,
    limit: Limit = 25,
    skip: Skip = 0,
    as_json: options.Json = False,
) -> None:
    """List jobs, without their prompts."""
    which = Which(owner_id=person, speed=lane)
    found = ask(data, config, lambda desk: desk.jobs(which, state, skip=skip, limit=limit))
    if not as_json:
        view = ask(data, config, lambda desk: desk.queue())
        waiting = {speed.value: count for speed, count in view.waiting.items()}
        print(f"The queue is {view.mode}. Waiting: {facts(waiting)}. Running: {sum(view.running.values())}.")
    rows = [
        {
            "job": line.id,
            "state": line.state.value,
            "first": line.promoted,
            "lane": line.speed.value,
            "kind": line.kind,
            "person": str(line.owner_id),
            "created_at": line.created_at,
            "error": line.error and line.error.value,
        }
        for line in found.lines
    ]
    listed(rows, as_json=as_json, total=found.total)


@queue.command("pause")
def pause(data: options.Data = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """Take orders but start nothing."""
    do(data, config, SetMode(verb=Verb.QUEUE_PAUSE), as_json=as_json)


@queue.command("resume")
def resume(data: options.Data = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """Open the queue again."""
    do(data, config, SetMode(verb=Verb.QUEUE_RESUME), as_json=as_json)


@queue.command("drain")
def drain(data: options.Data = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """Finish what is being drawn; start nothing, refuse orders."""
    do(data, config, SetMode(verb=Verb.QUEUE_DRAIN), as_json=as_json)


@queue.command("promote")
def promote(
    job_id: Id, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Put a waiting job first."""
    do(data, config, Promote(job_id=checked(job_id)), as_json=as_json)


@queue.command("cancel")
def cancel(
    *,
    job_id: Annotated[str | None, typer.Argument(metavar="[JOB_ID]", help="A job's id.")] = None,
    person: Whose = None,
    lane: Lane = None,
    yes: Yes = False,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Stop one job, or those of a person or a lane, waiting and running."""
    which = Which(job_id=None if job_id is None else checked(job_id), owner_id=person, speed=lane)
    do(data, config, Cancel(which=which), yes=yes, as_json=as_json)


@queue.command("retry")
def retry(
    job_id: Id, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Order a failed or stopped job once more, for its owner."""
    do(data, config, Retry(job_id=checked(job_id)), as_json=as_json)


@queue.command("clear")
def clear(
    *,
    person: Whose = None,
    lane: Lane = None,
    yes: Yes = False,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Cancel what waits; what is being drawn goes on."""
    do(data, config, Clear(which=Which(owner_id=person, speed=lane)), yes=yes, as_json=as_json)
