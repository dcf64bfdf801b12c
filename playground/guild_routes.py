"""REST: users, guilds, members, channels, DMs, threads."""

from __future__ import annotations

from typing import Any

from . import permissions, wire
from .core import Call
from .errors import ApiError, Json, missing_access, missing_permissions, unknown
from .models import Channel, ChannelType, MessageFlag, Overwrite
from .permissions import Permission
from .places import remove_channel, remove_member
from .problems import Problems, invalid
from .seed import with_overwrite

# -- oneself ---------------------------------------------------------------------------------------------


async def me(call: Call) -> Json:
    """The caller."""
    return wire.own_user(call.user)


async def edit_me(call: Call) -> Json:
    """Change one's name."""
    update = {}
    for key, field in (("username", "username"), ("global_name", "global_name")):
        if key in call.body:
            update[field] = call.body[key]
    problems = Problems()
    if "username" in update:
        problems.length(("username",), update["username"], 2, 32)
    problems.raise_any()
    changed = call.world.users.put(call.user.model_copy(update=update))
    call.core.events.to_user(changed.id, "USER_UPDATE", wire.own_user(changed))
    return wire.own_user(changed)


async def my_application(call: Call) -> Json:
    """The calling bot's application."""
    return wire.application(call.world, call.bot)


async def public_application(call: Call) -> Json:
    """What anybody may know of an application."""
    row = call.world.application(call.params["application_id"])
    return wire.application(call.world, row)


async def my_guilds(call: Call) -> list[Json]:
    """The caller's guilds, in short."""
    return [_short_guild(call, guild.id) for guild in call.world.guilds_of(call.user.id)]


def _short_guild(call: Call, guild_id: str) -> Json:
    guild = call.world.guild(guild_id)
    member = call.world.member(guild_id, call.user.id)
    held = permissions.in_guild(call.world, member) if member else Permission(0)
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "banner": None,
        "owner": guild.owner_id == call.user.id,
        "permissions": str(int(held)),
        "features": [],
    }


async def my_channels(call: Call) -> list[Json]:
    """The caller's DMs."""
    rows = call.world.direct_channels_of(call.user.id)
    return [wire.channel(call.world, row, call.user.id) for row in rows]


async def open_direct(call: Call) -> Json:
    """Open a DM, or a group DM where several `recipients` are named."""
    listed = call.body.get("recipients") or [call.body.get("recipient_id")]
    others = [call.world.user(str(one)) for one in listed]
    if len(others) > 1:
        ids = (call.person.id, *(one.id for one in others))
        row = Channel(id=call.world.mint(), type=ChannelType.GROUP_DM, recipients=ids)
        channel = call.world.channels.put(row)
    else:
        if others[0].id == call.user.id or (call.user.bot and others[0].bot):
            raise ApiError(400, 50007, "Cannot send messages to this user")
        channel = call.world.direct_channel(call.user.id, others[0].id)
    call.core.events.channel("CHANNEL_CREATE", channel)
    return wire.channel(call.world, channel, call.user.id)


async def get_user(call: Call) -> Json:
    """Anybody."""
    call.user  # noqa: B018 - callers must be somebody
    return wire.user(call.world.user(call.params["user_id"]))


async def user_profile(call: Call) -> Json:
    """A profile as a client's popup shows it."""
    row = call.world.user(call.params["user_id"])
    mutual = [g.id for g in call.world.guilds_of(row.id) if call.world.member(g.id, call.person.id)]
    return {
        "user": wire.user(row),
        "user_profile": {"bio": "", "pronouns": "", "accent_color": None},
        "mutual_guilds": [{"id": one, "nick": None} for one in mutual],
        "connected_accounts": [],
        "badges": [],
        "premium_type": None,
        "premium_since": None,
    }


# -- guilds ----------------------------------------------------------------------------------------------


async def get_guild(call: Call) -> Json:
    """A guild of the caller's."""
    guild_id = call.params["guild_id"]
    call.may_see_guild(guild_id)
    count = len(call.world.members_of(guild_id))
    body = wire.guild(call.world, call.world.guild(guild_id), call.user.id)
    return body | {"approximate_member_count": count, "approximate_presence_count": count}


async def guild_channels(call: Call) -> list[Json]:
    """The channels the caller sees."""
    call.may_see_guild(call.params["guild_id"])
    rows = call.world.channels_of(call.params["guild_id"])
    seen = [row for row in rows if permissions.sees(call.world, row, call.user.id)]
    return [wire.channel(call.world, row, call.user.id) for row in seen]


async def guild_roles(call: Call) -> list[Json]:
    """All roles."""
    call.may_see_guild(call.params["guild_id"])
    return [wire.role(row) for row in call.world.roles_of(call.params["guild_id"])]


async def active_threads(call: Call) -> Json:
    """Threads that are not archived."""
    call.may_see_guild(call.params["guild_id"])
    rows = [t for t in call.world.threads_of(call.params["guild_id"]) if not t.archived]
    seen = [row for row in rows if permissions.sees(call.world, row, call.user.id)]
    mine = [row for row in seen if call.user.id in row.thread_members]
    return {
        "threads": [wire.channel(call.world, row, call.user.id) for row in seen],
        "members": [wire.thread_member(row, call.user.id) for row in mine],
    }


async def get_member(call: Call) -> Json:
    """A member; `@me` is the caller."""
    call.may_see_guild(call.params["guild_id"])
    user_id = call.params["user_id"].replace("@me", call.user.id)
    member = call.world.member(call.params["guild_id"], user_id)
    if member is None:
        raise unknown("Member")
    return wire.member(call.world, member)


async def list_members(call: Call) -> list[Json]:
    """Members after an id; for bots with the privileged switch, and for people."""
    call.may_see_guild(call.params["guild_id"])
    if call.application is not None and not call.application.guild_members:
        raise missing_access()
    after, limit = int(call.query.get("after", "0")), int(call.query.get("limit", "1"))
    rows = sorted(call.world.members_of(call.params["guild_id"]), key=lambda m: int(m.user_id))
    return [wire.member(call.world, m) for m in rows if int(m.user_id) > after][:limit]


async def remove_from_guild(call: Call) -> None:
    """Kick, or with `@me` on `/users/@me/guilds/{guild_id}` leave."""
    guild_id = call.params["guild_id"]
    call.may_see_guild(guild_id)
    user_id = call.params.get("user_id", call.user.id)
    own = call.world.member(guild_id, call.user.id)
    if user_id != call.user.id and own is not None:
        held = permissions.in_guild(call.world, own)
        if not held & Permission.KICK_MEMBERS:
            raise missing_permissions()
    member = call.world.member(guild_id, user_id)
    if member is None:
        raise unknown("Member")
    remove_member(call.core, member)


async def search_members(call: Call) -> list[Json]:
    """Members whose name begins with `query`."""
    call.may_see_guild(call.params["guild_id"])
    wanted, limit = call.query.get("query", "").lower(), int(call.query.get("limit", "1"))
    found = []
    for member in call.world.members_of(call.params["guild_id"]):
        user = call.world.user(member.user_id)
        names = (user.username, user.global_name or "", member.nick or "")
        if any(name.lower().startswith(wanted) for name in names if name):
            found.append(wire.member(call.world, member))
    return found[:limit]


# -- channels --------------------------------------------------------------------------------------------


async def get_channel(call: Call) -> Json:
    """One channel."""
    return wire.channel(call.world, call.channel(), call.user.id)


async def edit_channel(call: Call) -> Json:
    """Rename, change the topic, archive or lock."""
    channel = call.channel()
    own_thread = channel.is_thread and channel.owner_id == call.user.id
    if not own_thread:
        call.channel(Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS)
    names = {"name": "name", "topic": "topic", "nsfw": "nsfw", "archived": "archived", "locked": "locked"}
    update = {field: call.body[key] for key, field in names.items() if key in call.body}
    if "archived" in update:
        update["archive_changed"] = call.core.clock.now()
    changed = call.world.channels.put(channel.model_copy(update=update))
    call.core.events.channel("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", changed)
    return wire.channel(call.world, changed, call.user.id)


async def delete_channel(call: Call) -> Json:
    """Delete a channel or thread; a DM cannot be deleted and only closes."""
    channel = call.channel()
    body = wire.channel(call.world, channel, call.user.id)
    if channel.is_direct:
        return body
    call.channel(Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS)
    remove_channel(call.core, channel)
    return body


async def create_channel(call: Call) -> Json:
    """A new text channel or category."""
    guild_id = call.params["guild_id"]
    call.may_see_guild(guild_id)
    member = call.world.member(guild_id, call.user.id)
    if member is None or not permissions.in_guild(call.world, member) & Permission.MANAGE_CHANNELS:
        raise missing_permissions()
    kind = call.body.get("type") or 0
    if kind not in {ChannelType.TEXT, ChannelType.CATEGORY}:
        raise invalid(("type",), "BASE_TYPE_CHOICES", "The playground has text channels and categories.")
    row = Channel(
        id=call.world.mint(),
        type=ChannelType(kind),
        guild_id=guild_id,
        name=str(call.body.get("name")),
        topic=call.body.get("topic"),
        parent_id=call.body.get("parent_id"),
        position=len(call.world.channels_of(guild_id)),
    )
    channel = call.world.channels.put(row)
    call.core.events.channel("CHANNEL_CREATE", channel)
    return wire.channel(call.world, channel, call.user.id)


async def put_overwrite(call: Call) -> None:
    """Grant or take away permissions of a role or member in a channel."""
    channel = call.channel(Permission.MANAGE_ROLES)
    overwrite = Overwrite(
        id=call.params["target_id"],
        type=int(call.body.get("type", 0)),
        allow=int(call.body.get("allow") or 0),
        deny=int(call.body.get("deny") or 0),
    )
    changed = call.world.channels.put(with_overwrite(channel, overwrite))
    call.core.events.channel("CHANNEL_UPDATE", changed)


# -- threads ---------------------------------------------------------------------------------------------


async def thread_from_message(call: Call) -> Json:
    """A public thread whose id is that of the message it hangs on."""
    channel = call.channel(Permission.CREATE_PUBLIC_THREADS)
    message = call.world.message(channel.id, call.params["message_id"])
    if call.world.channels.get(message.id):
        raise ApiError(400, 160004, "A thread has already been created for this message")
    flags = message.flags | MessageFlag.HAS_THREAD
    changed = call.world.put_message(message.model_copy(update={"flags": flags}))
    body = _new_thread(call, channel, message.id, ChannelType.PUBLIC_THREAD)
    call.core.events.message("MESSAGE_UPDATE", changed)
    return body


async def thread_alone(call: Call) -> Json:
    """A thread without a message; private unless `type` is 11."""
    kind = ChannelType(call.body.get("type") or ChannelType.PRIVATE_THREAD)
    private = kind is ChannelType.PRIVATE_THREAD
    needed = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
    return _new_thread(call, call.channel(needed), call.world.mint(), kind)


def _new_thread(call: Call, parent: Channel, thread_id: str, kind: ChannelType) -> Json:
    problems = Problems()
    problems.length(("name",), call.body.get("name"), 1, 100)
    problems.raise_any()
    if parent.type is not ChannelType.TEXT:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    row = Channel(
        id=thread_id,
        type=kind,
        guild_id=parent.guild_id,
        name=call.body["name"],
        parent_id=parent.id,
        owner_id=call.user.id,
        auto_archive_minutes=int(call.body.get("auto_archive_duration") or 1440),
        archive_changed=call.core.clock.now(),
        thread_members=(call.user.id,),
    )
    thread = call.world.channels.put(row)
    call.core.events.to_channel(
        thread,
        "THREAD_CREATE",
        lambda session: wire.channel(call.world, thread, session.user_id) | {"newly_created": True},
    )
    return wire.channel(call.world, thread, call.user.id)


async def join_thread(call: Call) -> None:
    """Become a member of a thread; `@me` or, by a member, somebody else."""
    thread = call.channel()
    user_id = call.params["user_id"].replace("@me", call.user.id)
    call.world.user(user_id)
    if user_id not in thread.thread_members:
        members = (*thread.thread_members, user_id)
        changed = call.world.channels.put(thread.model_copy(update={"thread_members": members}))
        call.core.events.channel("THREAD_UPDATE", changed)


async def leave_thread(call: Call) -> None:
    """Leave a thread."""
    thread = call.channel()
    user_id = call.params["user_id"].replace("@me", call.user.id)
    members = tuple(one for one in thread.thread_members if one != user_id)
    changed = call.world.channels.put(thread.model_copy(update={"thread_members": members}))
    call.core.events.channel("THREAD_UPDATE", changed)


_GUILD, _CHANNEL = "/guilds/{guild_id}", "/channels/{channel_id}"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/users/@me", me),
    ("PATCH", "/users/@me", edit_me),
    ("GET", "/users/@me/guilds", my_guilds),
    ("GET", "/users/@me/channels", my_channels),
    ("POST", "/users/@me/channels", open_direct),
    ("GET", "/users/{user_id}", get_user),
    ("GET", "/users/{user_id}/profile", user_profile),
    ("GET", "/oauth2/applications/@me", my_application),
    ("GET", "/applications/@me", my_application),
    ("GET", "/applications/{application_id}/public", public_application),
    ("GET", _GUILD, get_guild),
    ("GET", _GUILD + "/channels", guild_channels),
    ("POST", _GUILD + "/channels", create_channel),
    ("GET", _GUILD + "/roles", guild_roles),
    ("GET", _GUILD + "/threads/active", active_threads),
    ("GET", _GUILD + "/members", list_members),
    ("GET", _GUILD + "/members/search", search_members),
    ("GET", _GUILD + "/members/{user_id}", get_member),
    ("DELETE", _GUILD + "/members/{user_id}", remove_from_guild),
    ("DELETE", "/users/@me/guilds/{guild_id}", remove_from_guild),
    ("GET", _CHANNEL, get_channel),
    ("PATCH", _CHANNEL, edit_channel),
    ("DELETE", _CHANNEL, delete_channel),
    ("PUT", _CHANNEL + "/permissions/{target_id}", put_overwrite),
    ("POST", _CHANNEL + "/messages/{message_id}/threads", thread_from_message),
    ("POST", _CHANNEL + "/threads", thread_alone),
    ("PUT", _CHANNEL + "/thread-members/{user_id}", join_thread),
    ("DELETE", _CHANNEL + "/thread-members/{user_id}", leave_thread),
]
