"""Messages as Discord's JSON. Pure: the same values give the same JSON, but for the signed links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .attachments import safe_name
from .errors import Json
from .models import Attachment, Message, MessageType
from .state import World
from .wire import channel, stamp, user

Sign = Callable[[Attachment], str]


def attachment(row: Attachment, sign: Sign) -> Json:
    """An attachment with fresh links."""
    url = sign(row)
    body: Json = {
        "id": row.id,
        "filename": row.filename,
        "size": row.size,
        "url": url,
        "proxy_url": url,
        "content_type": row.content_type,
    }
    optional: Json = {
        "title": row.title,
        "description": row.description,
        "width": row.width,
        "height": row.height,
        "ephemeral": row.ephemeral or None,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def _named(name: str, attachments: tuple[Attachment, ...]) -> Attachment | None:
    wanted = safe_name(name.removeprefix("attachment://"))
    return next((a for a in attachments if a.filename == wanted), None)


def _medium(found: Attachment, sign: Sign) -> Json:
    url = sign(found)
    return {
        "url": url,
        "proxy_url": url,
        "width": found.width,
        "height": found.height,
        "content_type": found.content_type,
    }


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("attachment://")


def embed(body: Json, attachments: tuple[Attachment, ...], sign: Sign) -> Json:
    """An embed whose `attachment://name` pictures have become links."""
    result = dict(body)
    for part, key in (("image", "url"), ("thumbnail", "url"), ("footer", "icon_url"), ("author", "icon_url")):
        value = result.get(part)
        if isinstance(value, dict) and _is_reference(value.get(key)):
            found = _named(value[key], attachments)
            if found is None:
                result.pop(part) if key == "url" else None
            elif key == "url":
                result[part] = value | _medium(found, sign)
            else:
                link = sign(found)
                result[part] = value | {"icon_url": link, "proxy_icon_url": link}
    return result


def component(body: Any, attachments: tuple[Attachment, ...], sign: Sign) -> Any:
    """A component tree whose `attachment://name` media have become links."""
    if isinstance(body, list):
        return [component(one, attachments, sign) for one in body]
    if not isinstance(body, dict):
        return body
    found = _named(body["url"], attachments) if _is_reference(body.get("url")) else None
    if found is not None:
        return body | _medium(found, sign) | {"attachment_id": found.id, "loading_state": 2}
    return {key: component(value, attachments, sign) for key, value in body.items()}


def _in_embeds(row: Message) -> set[str]:
    """Names of the files that embeds show; Discord leaves those out of `attachments`."""
    shown = (e.get(part, {}).get("url", "") for e in row.embeds for part in ("image", "thumbnail"))
    return {safe_name(url.removeprefix("attachment://")) for url in shown if _is_reference(url)}


def reactions(row: Message, viewer_id: str) -> list[Json]:
    """The counts under a message, with the viewer's own marked."""
    return [
        {
            "emoji": one.emoji,
            "count": len(one.user_ids),
            "count_details": {"burst": 0, "normal": len(one.user_ids)},
            "burst_colors": [],
            "me_burst": False,
            "burst_me": False,
            "burst_count": 0,
            "me": viewer_id in one.user_ids,
        }
        for one in row.reactions
    ]


def message(world: World, row: Message, viewer_id: str, sign: Sign, *, nested: bool = False) -> Json:
    """A message as one user gets it from REST; `nested` leaves out what it replies to."""
    hidden = _in_embeds(row)
    body: Json = {
        "id": row.id,
        "channel_id": row.channel_id,
        "type": int(row.type),
        "content": row.content,
        "author": user(world.user(row.author_id)),
        "attachments": [attachment(a, sign) for a in row.attachments if a.filename not in hidden],
        "embeds": [embed(e, row.attachments, sign) for e in row.embeds],
        "components": component(list(row.components), row.attachments, sign),
        "mentions": [user(world.user(one)) for one in row.mentions],
        "mention_roles": list(row.mention_roles),
        "mention_everyone": row.mention_everyone,
        "pinned": row.pinned,
        "tts": row.tts,
        "timestamp": stamp(row.timestamp),
        "edited_timestamp": stamp(row.edited) if row.edited is not None else None,
        "flags": row.flags,
    }
    optional: Json = {
        "reactions": reactions(row, viewer_id),
        "application_id": row.application_id,
        "webhook_id": row.application_id if row.via_interaction else None,
        "interaction": row.interaction,
        "interaction_metadata": row.interaction_metadata,
    }
    body |= {name: value for name, value in optional.items() if value}
    if row.reference is not None:
        body["message_reference"] = {"type": 0, **row.reference.model_dump(exclude_none=True)}
        if row.type in {MessageType.REPLY, MessageType.THREAD_STARTER_MESSAGE} and not nested:
            body["referenced_message"] = _referenced(world, row, viewer_id, sign)
    thread = world.channels.get(row.id)
    if thread is not None:
        body["thread"] = channel(world, thread, viewer_id)
    return body


def _referenced(world: World, row: Message, viewer_id: str, sign: Sign) -> Json | None:
    if row.reference is None:
        return None
    private = row.only_for is not None
    found = world.find_message(row.channel_id, row.reference.message_id, private=private)
    return message(world, found, viewer_id, sign, nested=True) if found else None
