"""The life of an interaction: begun by a person, answered once within 3 s, followed up for 15 minutes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from . import composer, message_wire, permissions, wire
from . import interaction_payload as payloads
from .component_rules import normalised
from .core import Core
from .errors import Json, already_acknowledged, bad_request, invalid_webhook_token, unknown
from .form import Form
from .models import (
    Application,
    CallbackType,
    Channel,
    Command,
    Interaction,
    InteractionType,
    Message,
    MessageFlag,
    MessageReference,
    MessageType,
)
from .permissions import Permission
from .rules import check_callback_type, check_choices, check_modal
from .state import TOKEN_SECONDS, World

FIRST_RESPONSE_SECONDS = 3.0
_FOLLOWUPS_OF_USER_APPS = 5
_CHAT_INPUT = 1
_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _MODAL = (int(one) for one in CallbackType)
_ANSWERS = {
    InteractionType.COMMAND: (_MESSAGE, _DEFERRED, _MODAL),
    InteractionType.COMPONENT: (_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _MODAL),
    InteractionType.AUTOCOMPLETE: (_CHOICES,),
    InteractionType.MODAL: (_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE),
}


@dataclass(frozen=True)
class Begun:
    """What a person did, checked: the fields of an interaction that differ by kind."""

    kind: InteractionType
    application: Application
    channel: Channel
    user_id: str
    nonce: str | None
    data: Json
    message_id: str | None = None
    parent_metadata: Json | None = None


def owners_of(world: World, application: Application, channel: Channel, user_id: str) -> dict[str, str]:
    """`authorizing_integration_owners`: 0 is the guild that installed the app, 1 the user who did.

    Empty when the application is not installed here at all.
    """
    owners: dict[str, str] = {}
    if channel.guild_id and world.member(channel.guild_id, application.bot_id):
        owners["0"] = channel.guild_id
    elif application.bot_id in channel.recipients:
        owners["0"] = "0"
    if user_id in application.user_installs:
        owners["1"] = user_id
    return owners


def begin(core: Core, begun: Begun) -> Interaction:
    """Store the interaction, tell the application, start the three seconds."""
    world = core.world
    row = Interaction(
        id=world.mint(),
        token=secrets.token_urlsafe(48),
        type=begun.kind,
        application_id=begun.application.id,
        user_id=begun.user_id,
        channel_id=begun.channel.id,
        guild_id=begun.channel.guild_id,
        created=core.clock.now(),
        nonce=begun.nonce,
        data=begun.data,
        message_id=begun.message_id,
        owners=owners_of(world, begun.application, begun.channel, begun.user_id),
        parent_metadata=begun.parent_metadata,
    )
    world.interactions.put(row)
    if row.type is not InteractionType.AUTOCOMPLETE:
        core.events.to_user(row.user_id, "INTERACTION_CREATE", {"id": row.id, "nonce": row.nonce})
    told = payloads.payload(core, row)
    core.events.to_bot(begun.application.bot_id, row.guild_id, "INTERACTION_CREATE", told)
    core.clock.call_later(FIRST_RESPONSE_SECONDS, lambda: _expire(core, row.id))
    core.clock.call_later(TOKEN_SECONDS, lambda: _forget(core, row.id))
    return row


def _forget(core: Core, interaction_id: str) -> None:
    core.world.interactions.delete(interaction_id)


def _expire(core: Core, interaction_id: str) -> None:
    row = core.world.interactions.get(interaction_id)
    if row is None or row.callback is not None:
        return
    core.world.interactions.put(row.model_copy(update={"failed": True}))
    body = {"id": row.id, "nonce": row.nonce, "reason_code": 2}
    core.events.to_user(row.user_id, "INTERACTION_FAILURE", body)


def with_token(world: World, application_id: str, token: str) -> Interaction:
    """The answered interaction of a webhook path.

    Raises 10015 for an unknown application or an interaction without a first response, 50027 for a token
    that is wrong or older than 15 minutes.
    """
    if world.applications.get(application_id) is None:
        raise unknown("Webhook")
    row = next((one for one in world.interactions if one.token == token), None)
    if row is None or row.application_id != application_id:
        raise invalid_webhook_token()
    if world.clock.now() - row.created > TOKEN_SECONDS:
        raise invalid_webhook_token()
    if row.callback is None:
        raise unknown("Webhook")
    return row


# -- the first response ----------------------------------------------------------------------------------


def respond(core: Core, interaction_id: str, token: str, form: Form) -> Json:
    """Take an application's first response and return the body of `with_response`.

    Raises 10062 after three seconds or for a stranger, 40060 for a second response, 50035 for a response
    that does not fit.
    """
    world = core.world
    row = world.interactions.get(interaction_id)
    if row is None or not secrets.compare_digest(row.token, token) or row.failed:
        raise unknown("Interaction")
    if row.callback is not None:
        raise already_acknowledged()
    check_callback_type(form.fields.get("type"), _ANSWERS[row.type])
    kind = CallbackType(form.fields["type"])
    if kind in {CallbackType.UPDATE, CallbackType.DEFERRED_UPDATE} and row.message_id is None:
        check_callback_type(int(kind), (_MESSAGE, _DEFERRED))
    inner = Form(form.fields.get("data") or {}, form.files)
    message = _ANSWER[kind](core, row, inner)
    row = world.interactions.get(row.id) or row
    response_id = message.id if message else None
    world.interactions.put(row.model_copy(update={"callback": kind, "response_id": response_id}))
    if kind is not CallbackType.AUTOCOMPLETE:
        core.events.to_user(row.user_id, "INTERACTION_SUCCESS", {"id": row.id, "nonce": row.nonce})
    return _response_body(core, row, kind, message)


def _response_body(core: Core, row: Interaction, kind: CallbackType, message: Message | None) -> Json:
    bot_id = core.world.application(row.application_id).bot_id
    summary: Json = {"id": row.id, "type": int(row.type), "channel_id": row.channel_id}
    if row.guild_id:
        summary["guild_id"] = row.guild_id
    body: Json = {"interaction": summary}
    if message is not None:
        summary["response_message_id"] = message.id
        summary["response_message_loading"] = message.loading
        summary["response_message_ephemeral"] = message.ephemeral
    if message is not None and kind in {CallbackType.MESSAGE, CallbackType.UPDATE}:
        shown = message_wire.message(core.world, message, bot_id, core.links.sign)
        body["resource"] = {"type": int(kind), "message": shown}
    return body


def _answer_message(core: Core, row: Interaction, form: Form) -> Message:
    return _post(core, row, form, first=True)


def _answer_deferred(core: Core, row: Interaction, form: Form) -> Message:
    """A message that says that an answer is being worked on; only EPHEMERAL may be chosen."""
    world = core.world
    channel = world.channel(row.channel_id)
    wanted = form.fields.get("flags") or 0
    flags = (wanted & MessageFlag.EPHEMERAL) | MessageFlag.LOADING
    values = _answer_values(core, row, first=True)
    values["flags"] = _forced_flags(core, row, channel) | flags
    if values["flags"] & MessageFlag.EPHEMERAL:
        values["only_for"] = row.user_id
    bot_id = world.application(row.application_id).bot_id
    message = Message(
        id=world.mint(),
        channel_id=channel.id,
        guild_id=channel.guild_id,
        author_id=bot_id,
        timestamp=core.clock.now(),
        **values,
    )
    world.put_message(message)
    core.events.message("MESSAGE_CREATE", message, nonce=row.nonce)
    return message


def _answer_deferred_update(core: Core, row: Interaction, _form: Form) -> Message:
    return core.world.message(row.channel_id, row.message_id or "", private=True)


def _answer_update(core: Core, row: Interaction, form: Form) -> Message:
    source = core.world.message(row.channel_id, row.message_id or "", private=True)
    limit = composer.file_limit(core, core.world.channel(row.channel_id))
    message = composer.change(core, source, form, limit=limit)
    core.events.message("MESSAGE_UPDATE", message)
    return message


def _answer_choices(core: Core, row: Interaction, form: Form) -> None:
    choices = form.fields.get("choices")
    check_choices(choices)
    body = {"choices": choices, "nonce": row.nonce}
    core.events.to_user(row.user_id, "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE", body)


def _answer_modal(core: Core, row: Interaction, form: Form) -> None:
    body = form.fields
    check_modal(body)
    modal = {
        "custom_id": body["custom_id"],
        "title": body["title"],
        "components": normalised(body["components"]),
    }
    core.world.interactions.put(row.model_copy(update={"modal": modal}))
    application = core.world.application(row.application_id)
    shown: Json = {
        "id": row.id,
        "nonce": row.nonce,
        "channel_id": row.channel_id,
        "application": wire.application(core.world, application),
        **modal,
    }
    if row.guild_id:
        shown["guild_id"] = row.guild_id
    core.events.to_user(row.user_id, "INTERACTION_MODAL_CREATE", shown)


_ANSWER: dict[CallbackType, Any] = {
    CallbackType.MESSAGE: _answer_message,
    CallbackType.DEFERRED_MESSAGE: _answer_deferred,
    CallbackType.DEFERRED_UPDATE: _answer_deferred_update,
    CallbackType.UPDATE: _answer_update,
    CallbackType.AUTOCOMPLETE: _answer_choices,
    CallbackType.MODAL: _answer_modal,
}


# -- messages that answer --------------------------------------------------------------------------------


def _command_of(core: Core, row: Interaction) -> Command | None:
    return core.world.commands.get(str(row.data.get("id"))) if row.type is InteractionType.COMMAND else None


def _answer_values(core: Core, row: Interaction, *, first: bool) -> Json:
    """The fields of an answer that its body cannot set.

    The first answer to a command has a type of its own; an answer to a click replies to the message
    clicked; a follow-up replies to the first answer.
    """
    command = _command_of(core, row)
    meta = payloads.metadata(core, row, command)
    values: Json = {"application_id": row.application_id, "via_interaction": True}
    target = row.message_id if first else (row.response_id or row.message_id)
    if not first and row.response_id:
        meta["original_response_message_id"] = row.response_id
    if first and command is not None:
        menu = command.body["type"] != _CHAT_INPUT
        values["type"] = MessageType.CONTEXT_MENU_COMMAND if menu else MessageType.CHAT_INPUT_COMMAND
        values["interaction"] = {
            "id": row.id,
            "type": int(row.type),
            "name": meta["name"],
            "user": meta["user"],
        }
    elif target is not None:
        values["type"] = MessageType.REPLY
        values["reference"] = MessageReference(
            message_id=target, channel_id=row.channel_id, guild_id=row.guild_id
        )
    return values | {"interaction_metadata": meta}


def _forced_flags(core: Core, row: Interaction, channel: Channel) -> int:
    """A user-installed app answers privately where the user may not use external apps."""
    held = permissions.in_channel(core.world, channel, row.user_id)
    if row.user_installed_only and row.guild_id and not held & Permission.USE_EXTERNAL_APPS:
        return int(MessageFlag.EPHEMERAL)
    return 0


def _post(core: Core, row: Interaction, form: Form, *, first: bool) -> Message:
    channel = core.world.channel(row.channel_id)
    values = _answer_values(core, row, first=first)
    values["flags"] = _forced_flags(core, row, channel)
    if (int(form.fields.get("flags") or 0) | values["flags"]) & MessageFlag.EPHEMERAL:
        values["only_for"] = row.user_id
    bot_id = core.world.application(row.application_id).bot_id
    draft = composer.Draft(channel, bot_id, values, limit=composer.file_limit(core, channel))
    message = composer.compose(core, draft, form)
    core.events.message("MESSAGE_CREATE", message, nonce=row.nonce if first else None)
    return message


def follow_up(core: Core, row: Interaction, form: Form) -> Message:
    """Post another message; while a deferred answer waits, the first follow-up becomes that answer.

    Raises 40094 beyond five for an app that only the user installed.
    """
    world = core.world
    waiting = world.find_message(row.channel_id, row.response_id or "", private=True)
    if waiting is not None and waiting.loading and row.callback is CallbackType.DEFERRED_MESSAGE:
        return edit(core, row, waiting, form)
    if row.user_installed_only and row.followups >= _FOLLOWUPS_OF_USER_APPS:
        raise bad_request(40094, "The maximum number of follow up messages has been reached.")
    message = _post(core, row, form, first=False)
    current = world.interactions.get(row.id) or row
    world.interactions.put(current.model_copy(update={"followups": current.followups + 1}))
    return message


def webhook_message(core: Core, row: Interaction, message_id: str) -> Message:
    """The message a webhook path names; raises 10008, or 10015 for `@original` that was never posted."""
    wanted = row.response_id if message_id == "@original" else message_id
    if wanted is None:
        raise unknown("Webhook")
    message = core.world.message(row.channel_id, wanted, private=True)
    if message.author_id != core.world.application(row.application_id).bot_id:
        raise unknown("Message")
    return message


def edit(core: Core, row: Interaction, message: Message, form: Form) -> Message:
    """Edit a message with the interaction's token."""
    limit = composer.file_limit(core, core.world.channel(row.channel_id))
    changed = composer.change(core, message, form, limit=limit)
    core.events.message("MESSAGE_UPDATE", changed)
    return changed
