"""REST: messages, reactions, typing, uploads."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from . import composer, message_wire, permissions, wire
from .core import Call
from .errors import ApiError, Json, bad_request, unknown
from .events import hide_content
from .models import Channel, Message, MessageReference, Reaction
from .permissions import Permission
from .problems import invalid

_MAX_PAGE = 100
_MAX_BULK = 100


def shown(call: Call, message: Message) -> Json:
    """A message as the caller may read it."""
    body = message_wire.message(call.world, message, call.user.id, call.core.links.sign)
    if call.application is not None and not call.application.message_content:
        return hide_content(body, message, call.user.id)
    return body


async def list_messages(call: Call) -> list[Json]:
    """Newest first; `before`, `after`, `around` and `limit` (1 to 100, 50)."""
    channel = call.channel()
    limit = _limit(call, 50)
    history = call.world.history(channel.id)
    if not permissions.in_channel(call.world, channel, call.user.id) & Permission.READ_MESSAGE_HISTORY:
        return []
    return [shown(call, message) for message in _page(history, call, limit)]


def _page(history: list[Message], call: Call, limit: int) -> list[Message]:
    ordered = sorted(history, key=lambda message: int(message.id))
    if "after" in call.query:
        after = int(call.query["after"])
        return [m for m in ordered if int(m.id) > after][:limit][::-1]
    if "around" in call.query:
        around = int(call.query["around"])
        earlier = [m for m in ordered if int(m.id) < around][-(limit // 2) or len(ordered) :]
        later = [m for m in ordered if int(m.id) >= around][: limit - limit // 2]
        return [*earlier, *later][::-1]
    before = int(call.query.get("before", 2**63))
    return [m for m in ordered if int(m.id) < before][-limit:][::-1]


def _limit(call: Call, default: int) -> int:
    text = call.query.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= _MAX_PAGE:
        raise invalid(("limit",), "NUMBER_TYPE_MAX", f"int value should be between 1 and {_MAX_PAGE}.")
    return int(text)


async def get_message(call: Call) -> Json:
    """One message."""
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    return shown(call, call.world.message(channel.id, call.params["message_id"]))


async def create_message(call: Call) -> Json:
    """Post; a nonce with `enforce_nonce` returns the message that was posted with it before."""
    core, world, user = call.core, call.world, call.user
    channel = call.channel(Permission.SEND_MESSAGES)
    _may_write(call, channel)
    nonce = call.body.get("nonce")
    if nonce is not None and call.body.get("enforce_nonce"):
        before = world.said_before(user.id, nonce)
        if before is not None and before.channel_id == channel.id:
            return shown(call, before) | {"nonce": nonce}
    composer.demand_content(core, channel, user.id, call.form)
    replied, reference = _reference(call, channel)
    values: Json = {"nonce": nonce, "reference": reference, "type": composer.reply_type(replied)}
    limit = composer.file_limit(core, channel)
    message = composer.compose(core, composer.Draft(channel, user.id, values, replied, limit), call.form)
    if channel.is_thread and user.id not in channel.thread_members:
        world.channels.put(channel.model_copy(update={"thread_members": (*channel.thread_members, user.id)}))
    core.events.message("MESSAGE_CREATE", message, nonce=nonce)
    return shown(call, message) | ({"nonce": nonce} if nonce is not None else {})


def _may_write(call: Call, channel: Channel) -> None:
    if channel.type == 4:  # noqa: PLR2004 - a category
        raise bad_request(50008, "Cannot send messages in a non-text channel")
    others = [call.world.user(one) for one in channel.recipients if one != call.user.id]
    if call.user.bot and any(one.refuses_direct for one in others):
        raise ApiError(403, 50007, "Cannot send messages to this user")
    if (
        channel.locked
        and not permissions.in_channel(call.world, channel, call.user.id) & Permission.MANAGE_THREADS
    ):
        raise bad_request(50083, "Thread is archived")
    if channel.archived:
        opened = call.world.channels.put(channel.model_copy(update={"archived": False}))
        call.core.events.channel("THREAD_UPDATE", opened)


def _reference(call: Call, channel: Channel) -> tuple[Message | None, MessageReference | None]:
    """The message replied to; raises 50035 for one that is gone, unless `fail_if_not_exists` is false."""
    given = call.body.get("message_reference")
    if not given:
        return None, None
    if given.get("type", 0) != 0:
        raise bad_request(50035, "Forwarding is not part of the playground.")
    found = call.world.find_message(channel.id, str(given.get("message_id")))
    if found is None:
        if given.get("fail_if_not_exists", True):
            raise invalid(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        return None, None
    held = permissions.in_channel(call.world, channel, call.user.id)
    if not held & Permission.READ_MESSAGE_HISTORY:
        raise bad_request(160002, "Cannot reply without permission to read message history")
    return found, MessageReference(message_id=found.id, channel_id=channel.id, guild_id=channel.guild_id)


async def edit_message(call: Call) -> Json:
    """Edit one's own message; others may, with MANAGE_MESSAGES, hide its embeds."""
    core, user = call.core, call.user
    channel = call.channel()
    message = call.world.message(channel.id, call.params["message_id"])
    if message.author_id != user.id:
        held = permissions.in_channel(call.world, channel, user.id)
        if set(call.body) != {"flags"} or not held & Permission.MANAGE_MESSAGES:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
    else:
        composer.demand_content(core, channel, user.id, call.form)
    changed = composer.change(core, message, call.form, limit=composer.file_limit(core, channel))
    core.events.message("MESSAGE_UPDATE", changed)
    return shown(call, changed)


async def delete_message(call: Call) -> None:
    """Delete one's own message, or with MANAGE_MESSAGES another's."""
    channel = call.channel()
    message = call.world.message(channel.id, call.params["message_id"])
    if message.author_id != call.user.id:
        if channel.is_direct:
            raise ApiError(403, 50003, "Cannot execute action on a DM channel")
        call.channel(Permission.MANAGE_MESSAGES)
    call.world.delete_message(message)
    call.core.events.message_deleted(message)


async def bulk_delete(call: Call) -> None:
    """Delete 2 to 100 messages at once."""
    channel = call.channel(Permission.MANAGE_MESSAGES)
    listed = call.body.get("messages") or []
    if not 2 <= len(listed) <= _MAX_BULK:  # noqa: PLR2004 - Discord's lower bound
        raise bad_request(50016, "Provided too few or too many messages to delete. Must be 2 to 100.")
    for message_id in listed:
        message = call.world.find_message(channel.id, str(message_id))
        if message is not None:
            call.world.delete_message(message)
            call.core.events.message_deleted(message)


async def acknowledge(call: Call) -> Json:
    """A person's client says how far it has read."""
    call.channel()
    return {"token": None}


async def typing(call: Call) -> None:
    """Show for ten seconds that the caller types."""
    channel = call.channel(Permission.SEND_MESSAGES)
    body: Json = {
        "channel_id": channel.id,
        "user_id": call.user.id,
        "timestamp": int(call.core.clock.now()),
    }
    if channel.guild_id:
        member = call.world.member(channel.guild_id, call.user.id)
        body["guild_id"] = channel.guild_id
        body["member"] = wire.member(call.world, member) if member else None
    call.core.events.to_channel(channel, "TYPING_START", lambda _: body)


async def offer_uploads(call: Call) -> Json:
    """Places to PUT files before the message or command that carries them."""
    call.channel(Permission.ATTACH_FILES)
    offered = []
    for entry in call.body.get("files") or []:
        offer = call.core.uploads.offer(str(entry.get("filename", "file")))
        offered.append({"id": entry.get("id"), **offer})
    return {"attachments": offered}


# -- reactions -------------------------------------------------------------------------------------------


def _emoji(text: str) -> Json:
    """`🔥` or `name:id`, as it stands in the path."""
    name, colon, emoji_id = unquote(text).rpartition(":")
    if colon and emoji_id.isdigit():
        return {"id": emoji_id, "name": name}
    if not text or text.isascii():
        raise bad_request(10014, "Unknown Emoji")
    return {"id": None, "name": unquote(text)}


def _reacted(message: Message, emoji: Json, users: tuple[str, ...]) -> Message:
    others = [one for one in message.reactions if one.emoji != emoji]
    place = next((i for i, one in enumerate(message.reactions) if one.emoji == emoji), len(others))
    if users:
        others.insert(place, Reaction(emoji=emoji, user_ids=users))
    return message.model_copy(update={"reactions": tuple(others)})


def _users(message: Message, emoji: Json) -> tuple[str, ...]:
    return next((one.user_ids for one in message.reactions if one.emoji == emoji), ())


def _target(call: Call, needed: Permission) -> tuple[Message, Json]:
    channel = call.channel(needed)
    message = call.world.message(channel.id, call.params["message_id"])
    return message, _emoji(call.params["emoji"])


async def add_reaction(call: Call) -> None:
    """React; a second time changes nothing."""
    message, emoji = _target(call, Permission.READ_MESSAGE_HISTORY)
    users = _users(message, emoji)
    if call.user.id in users:
        return
    if not users:
        call.channel(Permission.ADD_REACTIONS)
    changed = call.world.put_message(_reacted(message, emoji, (*users, call.user.id)))
    data: Json = {
        "user_id": call.user.id,
        "emoji": emoji,
        "message_author_id": message.author_id,
        "burst": False,
        "type": 0,
    }
    member = call.world.member(message.guild_id or "", call.user.id)
    if member is not None:
        data["member"] = wire.member(call.world, member)
    call.core.events.about_message("MESSAGE_REACTION_ADD", changed, data)


async def remove_reaction(call: Call) -> None:
    """Take back one's own reaction, or with MANAGE_MESSAGES another's."""
    message, emoji = _target(call, Permission.VIEW_CHANNEL)
    user_id = call.params.get("user_id", "@me")
    user_id = call.user.id if user_id == "@me" else user_id
    if user_id != call.user.id:
        call.channel(Permission.MANAGE_MESSAGES)
    users = _users(message, emoji)
    if user_id not in users:
        raise unknown("Emoji")
    left = tuple(one for one in users if one != user_id)
    changed = call.world.put_message(_reacted(message, emoji, left))
    data = {"user_id": user_id, "emoji": emoji, "burst": False, "type": 0}
    call.core.events.about_message("MESSAGE_REACTION_REMOVE", changed, data)


async def clear_reactions(call: Call) -> None:
    """Remove all reactions."""
    channel = call.channel(Permission.MANAGE_MESSAGES)
    message = call.world.message(channel.id, call.params["message_id"])
    changed = call.world.put_message(message.model_copy(update={"reactions": ()}))
    call.core.events.about_message("MESSAGE_REACTION_REMOVE_ALL", changed, {})


async def clear_emoji(call: Call) -> None:
    """Remove all reactions with one emoji."""
    message, emoji = _target(call, Permission.MANAGE_MESSAGES)
    changed = call.world.put_message(_reacted(message, emoji, ()))
    call.core.events.about_message("MESSAGE_REACTION_REMOVE_EMOJI", changed, {"emoji": emoji})


async def list_reactions(call: Call) -> list[Json]:
    """Who reacted with one emoji, by id; `after` and `limit` (1 to 100, 25)."""
    message, emoji = _target(call, Permission.READ_MESSAGE_HISTORY)
    after, limit = int(call.query.get("after", "0")), _limit(call, 25)
    rows = sorted((one for one in _users(message, emoji) if int(one) > after), key=int)
    return [wire.user(call.world.user(one)) for one in rows[:limit]]


_MESSAGES = "/channels/{channel_id}/messages"
_ONE = _MESSAGES + "/{message_id}"
_REACTIONS = _ONE + "/reactions"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", _MESSAGES, list_messages),
    ("POST", _MESSAGES, create_message),
    ("POST", _MESSAGES + "/bulk-delete", bulk_delete),
    ("GET", _ONE, get_message),
    ("PATCH", _ONE, edit_message),
    ("DELETE", _ONE, delete_message),
    ("POST", _ONE + "/ack", acknowledge),
    ("POST", "/channels/{channel_id}/typing", typing),
    ("POST", "/channels/{channel_id}/attachments", offer_uploads),
    ("DELETE", _REACTIONS, clear_reactions),
    ("GET", _REACTIONS + "/{emoji}", list_reactions),
    ("DELETE", _REACTIONS + "/{emoji}", clear_emoji),
    ("PUT", _REACTIONS + "/{emoji}/@me", add_reaction),
    ("DELETE", _REACTIONS + "/{emoji}/{user_id}", remove_reaction),
]
