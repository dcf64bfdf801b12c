"""`journeyman admin user …` and `journeyman admin quota …`."""

import json
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Annotated

import typer

from cli import options
from cli.admin_desk import Limit, Person, Server, Skip, Yes, ask, do, listed, settings_of
from cli.failures import USAGE, Failure
from worker.accounts import LEAST_WEIGHT, MOST_BATCH, MOST_CREDITS, MOST_WEIGHT, Allowance, Whose
from worker.admin import AdminDesk, RestrictionKind
from worker.allotment import allotted
from worker.api import DIRECT
from worker.deeds import (
    LETTER_LIMIT,
    MOST_GRANT,
    REASON_LIMIT,
    Block,
    Grant,
    ResetQuota,
    Timeout,
    Unblock,
    Write,
)

user = typer.Typer(help="Deal with people.", no_args_is_help=True, rich_markup_mode=None)
quota = typer.Typer(help="Say how much people may use.", no_args_is_help=True, rich_markup_mode=None)
Reason = Annotated[str, typer.Option(help="What the person is told.")]
Id = Annotated[int | None, typer.Option(metavar="ID", min=1)]
Credits = Annotated[float | None, typer.Option(min=0, max=MOST_CREDITS)]
Places = Annotated[int | None, typer.Option(min=1)]
HOURS = 3600.0


@user.command("show")
def show(
    *,
    person: Annotated[int | None, typer.Argument(metavar="[USER_ID]", min=1)] = None,
    data: options.Data = None,
    config: options.Config = None,
    kind: Annotated[RestrictionKind | None, typer.Option(help="Only those.")] = None,
    limit: Limit = 25,
    skip: Skip = 0,
    as_json: options.Json = False,
) -> None:
    """Show one person, or all who may not order."""
    if person is None:
        found, total = ask(data, config, lambda desk: desk.restricted(kind, skip=skip, limit=limit))
        rows = [{**each.model_dump(), "user_id": str(each.user_id)} for each in found]
        listed(rows, as_json=as_json, total=total)
        return
    view = ask(data, config, lambda desk: desk.person(person))
    restriction = None if view.restriction is None else view.restriction.model_dump(exclude={"user_id"})
    row = {**view.model_dump(exclude={"restriction"}), "user_id": str(person), "restriction": restriction}
    listed([row], as_json=as_json)


@user.command("block")
def block(
    *,
    person: Person,
    reason: Reason = "",
    yes: Yes = False,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Keep a person from ordering, and stop their jobs."""
    do(data, config, Block(user_id=person, reason=_fitting(reason)), yes=yes, as_json=as_json)


@user.command("unblock")
def unblock(
    person: Person, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Let a person order again."""
    do(data, config, Unblock(user_id=person), as_json=as_json)


@user.command("timeout")
def timeout(
    *,
    person: Person,
    hours: Annotated[float, typer.Argument(min=0.01, max=9600, help="How long.")],
    reason: Reason = "",
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Keep a person from ordering for a while; their jobs stay."""
    deed = Timeout(user_id=person, seconds=hours * HOURS, reason=_fitting(reason))
    do(data, config, deed, as_json=as_json)


@user.command("contact")
def contact(
    *,
    person: Person,
    text: Annotated[str, typer.Argument(help=f"At most {LETTER_LIMIT} characters.")],
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Leave a direct message with the bot, which sends it in the server's name once it is up.

    The record says what came of it: journeyman admin audit --verbs "user contact".
    """
    if not 1 <= len(text.strip()) <= LETTER_LIMIT:
        raise Failure(f"A message has 1 to {LETTER_LIMIT} characters.", USAGE)
    known = settings_of(data, config).admin.servers if server is None else (server,)
    guild = known[0] if len(known) == 1 else 0
    do(data, config, Write(user_id=person, text=text.strip()), server=guild, as_json=as_json)
    if not as_json:
        print("The bot sends it once it is up, within a week; the record says what came of it.")


@quota.command("show")
def show_quota(
    *,
    person: Annotated[int | None, typer.Argument(metavar="[USER_ID]", min=1)] = None,
    kind: Annotated[Whose | None, typer.Option(help="Only what was said of those.")] = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Show what a person uses, or what was said of people, roles and servers."""
    if person is not None:
        account = ask(data, config, lambda desk: desk.account(person, DIRECT))
        if as_json:
            print(json.dumps(account.model_dump(mode="json")))
            return
        for window, use in account.person.items():
            print(
                f"{window:<8} {use.used:g} of {'any number' if use.allowed is None else f'{use.allowed:g}'}"
            )
        print(f"granted  {account.granted:g}")
        print(
            f"places   {account.running} running, {account.waiting} waiting, {account.batch} by one command"
        )
        return
    rows = [
        {"whose": whose.value, "id": str(subject), "said": said.model_dump(exclude_defaults=True)}
        for whose in Whose
        if kind in {None, whose}
        for subject, said in sorted(ask(data, config, partial(_allowances, whose)).items())
    ]
    listed(rows, as_json=as_json)


@quota.command("grant")
def grant(
    person: Person,
    credits: Annotated[
        float, typer.Argument(min=-MOST_GRANT, max=MOST_GRANT, help="A negative number takes back.")
    ],
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Give a person credits beyond every allowance, or take back."""
    do(data, config, Grant(user_id=person, credits=credits), as_json=as_json)


@quota.command("set")
def assign(
    *,
    person: Id = None,
    role: Id = None,
    server: Id = None,
    day: Credits = None,
    month: Credits = None,
    unlimited: bool = False,
    running: Places = None,
    waiting: Places = None,
    weight: Annotated[
        float | None,
        typer.Option(min=LEAST_WEIGHT, max=MOST_WEIGHT, help="Share of a busy device; 1 for others."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, max=MOST_BATCH, help="Jobs one command may make.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Say nothing any more.")] = False,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Say how much a person, each holder of a role, or a server may use."""
    said = Allowance(
        unlimited=unlimited,
        day=day,
        month=month,
        running=running,
        waiting=waiting,
        weight=weight,
        batch=batch,
    )
    deed = allotted(said, person=person, role=role, server=server, clear=clear)
    do(data, config, deed, as_json=as_json)


@quota.command("reset")
def reset(
    person: Person,
    yes: Yes = False,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Let a person's day and month begin anew."""
    do(data, config, ResetQuota(user_id=person), yes=yes, as_json=as_json)


def _allowances(whose: Whose, desk: AdminDesk) -> Awaitable[Mapping[int, Allowance]]:
    return desk.allowances(whose)


def _fitting(reason: str) -> str:
    if len(reason) > REASON_LIMIT:
        raise Failure(f"The reason has at most {REASON_LIMIT} characters.", USAGE)
    return reason
