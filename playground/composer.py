"""A request body becomes a message, new or changed; the same for posts, replies to interactions and edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import attachments as files
from . import permissions, wire
from .component_rules import Kind, normalised, walk
from .core import Core
from .errors import Json, missing_permissions
from .form import Form
from .mentions import Pinged, pinged
from .models import Attachment, Channel, Guild, Message, MessageFlag, MessageType
from .permissions import Permission
from .problems import Problems
from .rules import SETTABLE, check_message, check_not_empty, keep_v2


@dataclass(frozen=True)
class Draft:
    """Where a message will stand and on whose behalf; `values` are fields that no body can set."""

    channel: Channel
    author_id: str
    values: Json
    replied: Message | None = None
    limit: int = 10 * 1024 * 1024


def file_limit(core: Core, channel: Channel) -> int:
    """Bytes per file in a channel."""
    guild: Guild | None = core.world.guilds.get(channel.guild_id or "")
    return wire.upload_limit(guild)


def compose(core: Core, draft: Draft, form: Form) -> Message:
    """Check the body, store its files and the message. Raises 50035, 50006, 40005."""
    world, body = core.world, form.fields
    settable = SETTABLE if "via_interaction" in draft.values else SETTABLE & ~MessageFlag.EPHEMERAL
    flags = int(draft.values.get("flags", 0)) | (_flags(body) & settable)
    v2 = bool(flags & MessageFlag.COMPONENTS_V2)
    check_message(body, v2=v2)
    components = normalised(body.get("components") or [])
    new = files.collect(core.uploads, form, body.get("attachments") or [])
    shown = components if v2 else []
    check_not_empty(_text(body), body.get("embeds"), shown, new, body.get("sticker_ids"))
    names = {files.safe_name(str(entry.get("filename") or part.filename)) for entry, part in new}
    _check_references(components, names)
    ephemeral = bool(flags & MessageFlag.EPHEMERAL)
    stored = files.store(world, draft.channel.id, new, limit=draft.limit, ephemeral=ephemeral)
    message = Message(
        id=world.mint(),
        channel_id=draft.channel.id,
        guild_id=draft.channel.guild_id,
        author_id=draft.author_id,
        content=_text(body),
        embeds=_embeds(body),
        components=tuple(components),
        attachments=stored,
        flags=flags,
        timestamp=core.clock.now(),
        tts=bool(body.get("tts")),
        **{key: value for key, value in draft.values.items() if key != "flags"},
    )
    pings = pinged(world, draft.channel, message, body.get("allowed_mentions"), draft.replied)
    return world.put_message(_with(message, pings))


def change(core: Core, message: Message, form: Form, *, limit: int) -> Message:
    """Apply a PATCH: an absent key keeps, null clears, `attachments` lists what stays. Raises as `compose`.

    The first edit of a deferred answer clears its loading flag and does not count as an edit.
    """
    world, body = core.world, form.fields
    flags = _changed_flags(message.flags, body)
    v2 = bool(flags & MessageFlag.COMPONENTS_V2)
    merged = _merged(message, body)
    check_message(body | merged, v2=v2)
    new = files.collect(core.uploads, form, body.get("attachments") or [])
    kept = _kept(message, body.get("attachments") if "attachments" in body else None)
    components = normalised(merged["components"])
    check_not_empty(merged["content"], merged["embeds"], components if v2 else [], new, kept)
    names = {files.safe_name(str(entry.get("filename") or part.filename)) for entry, part in new}
    _check_references(components, names | {one.filename for one in kept})
    stored = files.store(world, message.channel_id, new, limit=limit, ephemeral=message.ephemeral)
    for dropped in message.attachments:
        if dropped.id not in {one.id for one in kept}:
            world.delete_attachment(dropped.id)
    edited = message.model_copy(
        update={
            "content": merged["content"],
            "embeds": _embeds(merged),
            "components": tuple(components),
            "attachments": (*kept, *stored),
            "flags": flags,
            "edited": None if message.loading else core.clock.now(),
        }
    )
    channel = world.channel(message.channel_id)
    if {"content", "allowed_mentions", "components"} & body.keys():
        replied = world.messages.get(message.reference.message_id) if message.reference else None
        edited = _with(edited, pinged(world, channel, edited, body.get("allowed_mentions"), replied))
    return world.put_message(edited)


def demand_content(core: Core, channel: Channel, user_id: str, form: Form) -> None:
    """Raise 50013 when the author may not attach files or embed here."""
    held = permissions.in_channel(core.world, channel, user_id)
    body = form.fields
    uploaded = any("uploaded_filename" in one for one in body.get("attachments") or [])
    if (form.files or uploaded) and not held & Permission.ATTACH_FILES:
        raise missing_permissions()
    if body.get("embeds") and not held & Permission.EMBED_LINKS:
        raise missing_permissions()


def _changed_flags(old: int, body: Json) -> int:
    """The flags after an edit: whether a message is ephemeral was decided when it was posted."""
    settable = int(SETTABLE & ~MessageFlag.EPHEMERAL)
    new = _flags(body) if body.get("flags") is not None else None
    return (keep_v2(old, new) & settable) | (old & ~settable & ~MessageFlag.LOADING)


def _flags(body: Json) -> int:
    flags = body.get("flags") or 0
    return flags if isinstance(flags, int) else 0


def _text(body: Json) -> str:
    content = body.get("content")
    return content.strip() if isinstance(content, str) else ""


def _embeds(body: Json) -> tuple[Json, ...]:
    """Embeds as Discord returns them: always a type, no nulls."""
    rows = []
    for one in body.get("embeds") or []:
        kept = {key: value for key, value in one.items() if value is not None}
        rows.append({"type": "rich", **kept})
    return tuple(rows)


def _merged(message: Message, body: Json) -> Json:
    return {
        "content": _text(body) if "content" in body else message.content,
        "embeds": (body["embeds"] or []) if "embeds" in body else list(message.embeds),
        "components": (body["components"] or []) if "components" in body else list(message.components),
    }


def _kept(message: Message, listed: list[Json] | None) -> tuple[Attachment, ...]:
    """The old attachments that stay; new descriptions are taken over."""
    if listed is None:
        return message.attachments
    wanted = {str(one["id"]): one for one in listed if "uploaded_filename" not in one}
    return tuple(
        one.model_copy(update={"description": wanted[one.id].get("description", one.description)})
        for one in message.attachments
        if one.id in wanted
    )


def _check_references(components: list[Any], names: set[str]) -> None:
    """Raise 50035 for media of components that name a file the message does not have."""
    problems = Problems()
    for one in walk(components):
        media = [one.get("media"), one.get("file")] if one.get("type") != Kind.GALLERY else []
        media += [item.get("media") for item in one.get("items") or [] if isinstance(item, dict)]
        for medium in media:
            url = str(medium.get("url", "")) if isinstance(medium, dict) else ""
            if url.startswith("attachment://") and files.safe_name(url[13:]) not in names:
                message = f"The referenced attachment was not found: {url[13:]}"
                problems.add(("components",), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", message)
    problems.raise_any()


def _with(message: Message, pings: Pinged) -> Message:
    update = {"mentions": pings.users, "mention_roles": pings.roles, "mention_everyone": pings.everyone}
    return message.model_copy(update=update)


def reply_type(replied: Message | None) -> MessageType:
    """What a message with this reference is."""
    return MessageType.REPLY if replied is not None else MessageType.DEFAULT
