"""REST: what people do (`POST /interactions`), how applications answer, and the webhook of an interaction."""

from __future__ import annotations

from typing import Any

from . import attachments as files
from . import interaction_payload as payloads
from . import interactions, message_wire, permissions, wire
from .command_routes import usable
from .core import Call
from .errors import ApiError, Json, missing_access, missing_permissions, unknown
from .interaction_payload import Resolver
from .interactions import Begun
from .models import Application, Attachment, Channel, Command, InteractionType
from .problems import Problems, invalid

_CHAT_INPUT, _USER_MENU, _MESSAGE_MENU = 1, 2, 3


async def interact(call: Call) -> None:
    """A person used a command, a component or a modal; the answer comes over the gateway."""
    body, user = call.body, call.person
    problems = Problems()
    for key in ("type", "application_id", "channel_id", "data", "session_id"):
        if body.get(key) is None:
            problems.required((key,))
    problems.choice(("type",), body.get("type"), tuple(int(kind) for kind in InteractionType))
    problems.raise_any()
    channel = call.world.channel(str(body["channel_id"]))
    if not permissions.sees(call.world, channel, user.id):
        raise missing_access()
    application = call.world.application(str(body["application_id"]))
    kind = InteractionType(body["type"])
    begun = _BEGIN[kind](call, kind, application, channel)
    interactions.begin(call.core, begun)


def _nonce(call: Call) -> str | None:
    nonce = call.body.get("nonce")
    return None if nonce is None else str(nonce)


def _uploaded(call: Call, channel: Channel) -> dict[str, Attachment]:
    """The files of an interaction by the index its options use."""
    listed = call.body["data"].get("attachments") or []
    found = files.collect(call.core.uploads, call.form, listed)
    limit = wire.upload_limit(call.world.guilds.get(channel.guild_id or ""))
    rows = files.store(call.world, channel.id, found, limit=limit, ephemeral=True)
    keys = [str(entry.get("id", index)) for index, (entry, _) in enumerate(found)]
    return dict(zip(keys, rows, strict=True))


def _begin_command(call: Call, kind: InteractionType, application: Application, channel: Channel) -> Begun:
    data = call.body["data"]
    command = _usable_command(call, application, channel)
    options = data.get("options") or []
    typing = kind is InteractionType.AUTOCOMPLETE
    resolver = Resolver(call.world, channel, call.user.id, call.core.links.sign)
    result: Json = {"id": command.id, "name": command.body["name"], "type": command.body["type"]}
    if command.guild_id:
        result["guild_id"] = command.guild_id
    if command.body["type"] == _CHAT_INPUT:
        payloads.check_options(command.body, options, typing=typing)
        by_index = {} if typing else _uploaded(call, channel)
        result["options"] = list(payloads.with_attachments(options, by_index)) if not typing else options
        for option in [] if typing else payloads.leaf_options(result["options"]):
            resolver.add(option["type"], str(option.get("value")))
        for row in by_index.values():
            resolver.attachment(row)
    else:
        result["target_id"] = str(data.get("target_id"))
        _resolve_target(call, command, channel, resolver)
    if resolver.found:
        result["resolved"] = resolver.found
    return Begun(kind, application, channel, call.user.id, _nonce(call), result)


def _usable_command(call: Call, application: Application, channel: Channel) -> Command:
    data = call.body["data"]
    command = call.world.commands.get(str(data.get("id")))
    if command is None or command.application_id != application.id:
        raise unknown("Application Command")
    if not usable(call.world, command, channel, call.user.id):
        raise missing_permissions()
    if "version" in data and str(data["version"]) != command.body["version"]:
        message = "This command is outdated, please try again in a few minutes"
        raise invalid(("data",), "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION", message)
    return command


def _resolve_target(call: Call, command: Command, channel: Channel, resolver: Resolver) -> None:
    target = str(call.body["data"].get("target_id"))
    if command.body["type"] == _USER_MENU:
        resolver.add(6, target)
    else:
        resolver.message(call.world.message(channel.id, target, private=True))


def _begin_component(call: Call, kind: InteractionType, application: Application, channel: Channel) -> Begun:
    message = call.world.message(channel.id, str(call.body.get("message_id")), private=True)
    if message.author_id != application.bot_id or message.only_for not in {None, call.user.id}:
        raise unknown("Message")
    component = payloads.pressed(message, call.body["data"])
    resolver = Resolver(call.world, channel, call.user.id, call.core.links.sign)
    data = payloads.component_data(component, call.body["data"], resolver)
    return Begun(kind, application, channel, call.user.id, _nonce(call), data, message_id=message.id)


def _begin_modal(call: Call, kind: InteractionType, application: Application, channel: Channel) -> Begun:
    given = call.body["data"]
    opener = call.world.interactions.get(str(given.get("id")))
    mine = opener is not None and (opener.user_id, opener.application_id) == (call.user.id, application.id)
    if opener is None or not mine or opener.modal is None:
        raise unknown("Interaction")
    resolver = Resolver(call.world, channel, call.user.id, call.core.links.sign)
    data = payloads.modal_data(opener.modal, given, resolver, _uploaded(call, channel))
    command = call.world.commands.get(str(opener.data.get("id")))
    parent = payloads.metadata(call.core, opener, command)
    return Begun(
        kind,
        application,
        channel,
        call.user.id,
        _nonce(call),
        data,
        message_id=opener.message_id,
        parent_metadata=parent,
    )


_BEGIN: dict[InteractionType, Any] = {
    InteractionType.COMMAND: _begin_command,
    InteractionType.AUTOCOMPLETE: _begin_command,
    InteractionType.COMPONENT: _begin_component,
    InteractionType.MODAL: _begin_modal,
}


# -- answers of applications -----------------------------------------------------------------------------


async def callback(call: Call) -> Json | None:
    """The first response; a body comes back only with `?with_response=1`."""
    result = interactions.respond(call.core, call.params["interaction_id"], call.params["token"], call.form)
    wanted = call.query.get("with_response", "").lower()
    return result if wanted in {"1", "true"} else None


def _reply(call: Call, message: Any, application_id: str) -> Json:
    bot_id = call.world.application(application_id).bot_id
    return message_wire.message(call.world, message, bot_id, call.core.links.sign)


async def follow_up(call: Call) -> Json:
    """Another message of an answered interaction."""
    row = interactions.with_token(call.world, call.params["application_id"], call.params["token"])
    return _reply(call, interactions.follow_up(call.core, row, call.form), row.application_id)


async def get_answer(call: Call) -> Json:
    """A message of an interaction, or `@original`."""
    row = interactions.with_token(call.world, call.params["application_id"], call.params["token"])
    message = interactions.webhook_message(call.core, row, call.params["message_id"])
    return _reply(call, message, row.application_id)


async def edit_answer(call: Call) -> Json:
    """Edit a message of an interaction, or `@original`."""
    row = interactions.with_token(call.world, call.params["application_id"], call.params["token"])
    message = interactions.webhook_message(call.core, row, call.params["message_id"])
    return _reply(call, interactions.edit(call.core, row, message, call.form), row.application_id)


async def delete_answer(call: Call) -> None:
    """Delete a message of an interaction, or `@original`."""
    row = interactions.with_token(call.world, call.params["application_id"], call.params["token"])
    message = interactions.webhook_message(call.core, row, call.params["message_id"])
    call.world.delete_message(message)
    call.core.events.message_deleted(message)


async def refresh_links(call: Call) -> Json:
    """Fresh links for attachments whose links may have expired."""
    call.user  # noqa: B018 - callers must be somebody
    refreshed = []
    for url in call.body.get("attachment_urls") or []:
        parts = str(url).split("?", maxsplit=1)[0].rstrip("/").split("/")
        row = next((a for part in parts if (a := call.world.attachments.get(part))), None)
        if row is None:
            raise ApiError(404, 10008, "Unknown Message")
        refreshed.append({"original": url, "refreshed": call.core.links.sign(row)})
    return {"refreshed_urls": refreshed}


_WEBHOOK = "/webhooks/{application_id}/{token}"
ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/interactions", interact),
    ("POST", "/interactions/{interaction_id}/{token}/callback", callback),
    ("POST", _WEBHOOK, follow_up),
    ("GET", _WEBHOOK + "/messages/{message_id}", get_answer),
    ("PATCH", _WEBHOOK + "/messages/{message_id}", edit_answer),
    ("DELETE", _WEBHOOK + "/messages/{message_id}", delete_answer),
    ("POST", "/attachments/refresh-urls", refresh_links),
]
