"""REST: application commands, for the application that defines them and the people who look for them."""

from __future__ import annotations

from typing import Any

from . import permissions, wire
from .command_rules import check_bulk, check_command, check_total, resolved
from .core import Call
from .errors import ApiError, Json, missing_access, unknown
from .interaction_payload import context_of
from .interactions import owners_of
from .models import Application, Channel, Command
from .permissions import Permission
from .state import World


def _scope(call: Call) -> tuple[str, str | None]:
    """Application and guild of the path; the caller must be that application."""
    application_id, guild_id = call.params["application_id"], call.params.get("guild_id")
    if call.bot.id != application_id:
        raise ApiError(403, 20012, "You are not authorized to perform this action on this application")
    if guild_id is not None and call.world.member(guild_id, call.bot.bot_id) is None:
        raise missing_access()
    return application_id, guild_id


def _found(call: Call) -> Command:
    application_id, guild_id = _scope(call)
    row = call.world.commands.get(call.params["command_id"])
    if row is None or row.application_id != application_id or row.guild_id != guild_id:
        raise unknown("Application Command")
    return row


def _save(call: Call, body: Json, old: Command | None) -> Command:
    """Store a definition; an unchanged one keeps its version."""
    application_id, guild_id = _scope(call)
    version = call.world.mint()
    new = resolved(body, version, in_guild=guild_id is not None)
    if old is not None and new | {"version": ""} == old.body | {"version": ""}:
        return old
    key = old.id if old is not None else version
    row = Command(id=key, application_id=application_id, guild_id=guild_id, body=new)
    return call.world.commands.put(row)


def _named(call: Call, body: Json) -> Command | None:
    kind = body.get("type") or 1
    rows = call.world.commands_of(*_scope(call))
    return next((r for r in rows if r.body["name"] == body["name"] and r.body["type"] == kind), None)


def _tell(call: Call) -> None:
    """Let people's clients fetch the commands again: GUILD_APPLICATION_COMMAND_INDEX_UPDATE."""
    application_id, guild_id = _scope(call)
    guilds = call.world.guilds_of(call.bot.bot_id)
    for guild in [one for one in guilds if guild_id in {None, one.id}]:
        rows = [
            *call.world.commands_of(application_id, None),
            *call.world.commands_of(application_id, guild.id),
        ]
        counts = {str(kind): sum(row.body["type"] == kind for row in rows) for kind in (1, 2, 3)}
        call.core.events.to_people(
            guild,
            "GUILD_APPLICATION_COMMAND_INDEX_UPDATE",
            {"guild_id": guild.id, "application_command_counts": counts},
        )


async def list_commands(call: Call) -> list[Json]:
    """All commands of the scope."""
    return [wire.command(row) for row in call.world.commands_of(*_scope(call))]


async def get_command(call: Call) -> Json:
    """One command."""
    return wire.command(_found(call))


async def create_command(call: Call) -> Json:
    """Create, or replace the one of that name."""
    check_command(call.form.body)
    old = _named(call, call.body)
    if old is None:
        rows = [row.body for row in call.world.commands_of(*_scope(call))]
        check_total([*rows, call.body])
    saved = _save(call, call.body, old)
    _tell(call)
    return wire.command(saved)


async def replace_commands(call: Call) -> list[Json]:
    """Make the list the whole truth of the scope; commands that keep their name keep their id."""
    scope = _scope(call)
    bodies = call.form.body
    check_bulk(bodies)
    saved = [_save(call, body, _named(call, body)) for body in bodies]
    kept = {row.id for row in saved}
    for row in call.world.commands_of(*scope):
        if row.id not in kept:
            call.world.commands.delete(row.id)
    _tell(call)
    return [wire.command(row) for row in saved]


async def edit_command(call: Call) -> Json:
    """Change some fields."""
    old = _found(call)
    merged = old.body | call.body
    check_command(merged)
    saved = _save(call, merged, old)
    _tell(call)
    return wire.command(saved)


async def delete_command(call: Call) -> None:
    """Remove one."""
    call.world.commands.delete(_found(call).id)
    _tell(call)


# -- for people ------------------------------------------------------------------------------------------


def usable(world: World, command: Command, channel: Channel, user_id: str) -> bool:
    """Whether a person may use a command in a channel."""
    application = world.application(command.application_id)
    owners = owners_of(world, application, channel, user_id)
    if command.guild_id is not None:
        return (
            command.guild_id == channel.guild_id
            and "0" in owners
            and _permitted(world, command, channel, user_id)
        )
    installs = {str(kind) for kind in command.body["integration_types"]}
    contexts = command.body["contexts"]
    here = context_of(channel, application.bot_id)
    if not installs & owners.keys() or (contexts is not None and here not in contexts):
        return False
    return _permitted(world, command, channel, user_id)


def _permitted(world: World, command: Command, channel: Channel, user_id: str) -> bool:
    held = permissions.in_channel(world, channel, user_id)
    if not held & Permission.USE_APPLICATION_COMMANDS:
        return False
    default = command.body["default_member_permissions"]
    if default is None or channel.is_direct or held & Permission.ADMINISTRATOR:
        return True
    needed = Permission(int(default))
    return bool(needed) and not needed & ~held


def _index_entry(command: Command) -> Json:
    body = wire.command(command) | {"global_popularity_rank": 1}
    body.pop("dm_permission", None)
    return body


def _application_entry(world: World, row: Application) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "icon": None,
        "bot_id": row.bot_id,
        "bot": wire.user(world.user(row.bot_id)),
        "flags": 0,
    }


def _index(call: Call, channels: list[Channel]) -> Json:
    user_id = call.person.id
    rows = [c for c in call.world.commands if any(usable(call.world, c, one, user_id) for one in channels)]
    names = dict.fromkeys(row.application_id for row in rows)
    applications = [call.world.application(one) for one in names]
    return {
        "applications": [_application_entry(call.world, row) for row in applications],
        "application_commands": [_index_entry(row) for row in rows],
        "version": max((row.body["version"] for row in rows), key=int, default="0"),
    }


async def guild_index(call: Call) -> Json:
    """The commands a person can use somewhere in a guild."""
    call.may_see_guild(call.params["guild_id"])
    rows = call.world.channels_of(call.params["guild_id"])
    return _index(call, [row for row in rows if permissions.sees(call.world, row, call.user.id)])


async def channel_index(call: Call) -> Json:
    """The commands a person can use in a channel."""
    return _index(call, [call.channel()])


async def user_index(call: Call) -> Json:
    """The commands of the applications a person installed for themselves, wherever they are."""
    user_id = call.person.id
    mine = {row.id for row in call.world.applications if user_id in row.user_installs}
    guilds = [c for g in call.world.guilds_of(user_id) for c in call.world.channels_of(g.id)]
    index = _index(call, [*guilds, *call.world.direct_channels_of(user_id)])
    index["applications"] = [row for row in index["applications"] if row["id"] in mine]
    rows = [row for row in index["application_commands"] if row["application_id"] in mine]
    index["application_commands"] = [row for row in rows if 1 in row.get("integration_types", [])]
    return index


_GLOBAL = "/applications/{application_id}/commands"
_IN_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/guilds/{guild_id}/application-command-index", guild_index),
    ("GET", "/channels/{channel_id}/application-command-index", channel_index),
    ("GET", "/users/@me/application-command-index", user_index),
    *(
        route
        for base in (_GLOBAL, _IN_GUILD)
        for route in (
            ("GET", base, list_commands),
            ("POST", base, create_command),
            ("PUT", base, replace_commands),
            ("GET", base + "/{command_id}", get_command),
            ("PATCH", base + "/{command_id}", edit_command),
            ("DELETE", base + "/{command_id}", delete_command),
        )
    ),
]
