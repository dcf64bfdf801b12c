"""`journeyman admin`: what `/admin` does in Discord, on the data folder, for when Discord is down."""

import json
from typing import Annotated

import typer

from cli import admin_people, admin_queue, admin_server, options
from cli.admin_desk import Limit, Skip, ask, facts, listed

app = typer.Typer(
    help="Do what /admin does in Discord, also when Discord is down.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for group, name in (
    (admin_queue.queue, "queue"),
    (admin_people.quota, "quota"),
    (admin_people.user, "user"),
    (admin_server.role, "role"),
    (admin_server.channel, "channel"),
    (admin_server.words, "words"),
    (admin_server.models, "models"),
):
    app.add_typer(group, name=name)


@app.command("status")
def status(data: options.Data = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """Show workers, queue, disk and the last failures."""
    found = ask(data, config, lambda desk: desk.status())
    if as_json:
        print(json.dumps(found.model_dump(mode="json")))
        return
    waiting = {lane.value: count for lane, count in found.queue.waiting.items()}
    running = {lane.value: count for lane, count in found.queue.running.items()}
    print(f"queue     {found.queue.mode}; waiting: {facts(waiting)}; running: {facts(running)}")
    disk = found.disk
    more = "" if disk.complete else "more than "
    print(
        f"disk      {disk.free / 1e9:.1f} GB free of {disk.total / 1e9:.1f}; "
        f"database {disk.database / 1e6:.1f} MB, pictures {more}{disk.pictures / 1e6:.1f} MB"
    )
    print("workers")
    rows = [worker.model_dump(mode="json") for worker in found.workers]
    listed(rows, as_json=False)
    print("last failures")
    listed(
        [
            {"job": line.id, "error": line.error and line.error.value, "at": line.finished_at}
            for line in found.failures
        ],
        as_json=False,
    )


@app.command("audit")
def audit(
    *,
    data: options.Data = None,
    config: options.Config = None,
    verbs: str = typer.Option("", help="Only verbs that begin like this, such as queue."),
    person: Annotated[
        int | None, typer.Option(metavar="USER_ID", min=1, help="Who did it, or to whom it was done.")
    ] = None,
    limit: Limit = 25,
    skip: Skip = 0,
    as_json: options.Json = False,
) -> None:
    """Show who did what, the newest first."""
    found, total = ask(
        data, config, lambda desk: desk.audit(None, verbs, person=person, skip=skip, limit=limit)
    )
    rows = [
        {
            "id": entry.id,
            "at": entry.at,
            "actor": entry.actor,
            "server": str(entry.guild_id) if entry.guild_id else None,
            "channel": str(entry.channel_id) if entry.channel_id else None,
            "verb": str(entry.verb),
            "target": entry.target,
            "before": dict(entry.before),
            "after": dict(entry.after),
        }
        for entry in found
    ]
    listed(rows, as_json=as_json, total=total)
