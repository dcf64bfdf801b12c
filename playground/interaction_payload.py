"""What an application is told about an interaction, and the checks of what a person's client sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import message_wire, permissions, wire
from .component_rules import SELECTS, Kind, walk
from .core import Core
from .errors import ApiError, Json, unknown
from .models import Attachment, Channel, Command, Interaction, InteractionType, Message, User
from .problems import Path, Problems, invalid
from .state import World

_SUB_COMMANDS = (1, 2)
_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL, _ROLE, _MENTIONABLE, _NUMBER, _ATTACHMENT = range(3, 12)
_SELECT_RESOLVES = {
    Kind.USER_SELECT: _USER,
    Kind.ROLE_SELECT: _ROLE,
    Kind.MENTIONABLE_SELECT: _MENTIONABLE,
    Kind.CHANNEL_SELECT: _CHANNEL,
}


def payload(core: Core, row: Interaction) -> Json:
    """The `d` of INTERACTION_CREATE as a bot gets it."""
    world = core.world
    channel, user = world.channel(row.channel_id), world.user(row.user_id)
    application = world.application(row.application_id)
    guild = world.guild(row.guild_id) if row.guild_id else None
    held = permissions.interaction_permissions(world, channel, application.bot_id)
    body: Json = {
        "id": row.id,
        "application_id": row.application_id,
        "type": int(row.type),
        "token": row.token,
        "version": 1,
        "data": row.data,
        "channel_id": channel.id,
        "channel": wire.channel(world, channel, application.bot_id),
        "app_permissions": str(int(held)),
        "locale": "en-US",
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": row.owners,
        "context": context_of(channel, application.bot_id),
        "attachment_size_limit": wire.upload_limit(guild),
    }
    if guild is not None:
        member = world.member(guild.id, user.id)
        if member is None:
            raise unknown("Member")
        mine = permissions.in_channel(world, channel, user.id)
        body["member"] = wire.member(world, member) | {"permissions": str(int(mine))}
        body |= {"guild_id": guild.id, "guild_locale": "en-US"}
        body["guild"] = {"id": guild.id, "locale": "en-US", "features": []}
        body["channel"]["permissions"] = str(int(mine))
    else:
        body["user"] = wire.user(user)
    if row.message_id is not None:
        message = world.message(row.channel_id, row.message_id, private=True)
        body["message"] = message_wire.message(world, message, application.bot_id, core.links.sign)
    return body


def context_of(channel: Channel, bot_id: str) -> int:
    """0 a guild, 1 a DM with the bot itself, 2 any other DM."""
    if not channel.is_direct:
        return 0
    return 1 if bot_id in channel.recipients else 2


def metadata(core: Core, row: Interaction, command: Command | None) -> Json:
    """`interaction_metadata` of the messages that answer an interaction."""
    body: Json = {
        "id": row.id,
        "type": int(row.type),
        "user": wire.user(core.world.user(row.user_id)),
        "authorizing_integration_owners": row.owners,
    }
    if command is not None:
        body |= {"name": full_name(command, row), "command_type": command.body["type"]}
    if row.type is InteractionType.COMPONENT:
        body["interacted_message_id"] = row.message_id
    if row.type is InteractionType.MODAL and row.parent_metadata is not None:
        body["triggering_interaction_metadata"] = row.parent_metadata
    return body


def full_name(command: Command, row: Interaction) -> str:
    """The name with group and sub-command, as people type it: `prefer option set`."""
    name = [str(command.body["name"])]
    level: list[Json] = row.data.get("options") or []
    while level and level[0].get("type") in _SUB_COMMANDS:
        name.append(str(level[0]["name"]))
        level = level[0].get("options") or []
    return " ".join(name)


# -- slash commands --------------------------------------------------------------------------------------


def leaf_options(options: list[Json]) -> list[Json]:
    """The value options below any sub-command, as typed."""
    for option in options:
        if option.get("type") in _SUB_COMMANDS:
            return leaf_options(option.get("options") or [])
    return options


def _leaf_definition(command: Json, given: list[Json]) -> list[Json]:
    defined: list[Json] = command.get("options") or []
    for option in given:
        if option.get("type") in _SUB_COMMANDS:
            match = next((d for d in defined if d["name"] == option.get("name")), None)
            if match is None:
                raise invalid(
                    ("data", "options"), "APPLICATION_COMMAND_OPTION_UNKNOWN", "Unknown sub-command"
                )
            return _leaf_definition(match, option.get("options") or [])
    return defined


def check_options(command: Json, given: list[Json], *, typing: bool) -> None:
    """Raise 50035 for options that do not fit the command; while `typing`, unfinished ones pass."""
    defined = {d["name"]: d for d in _leaf_definition(command, given)}
    values = {str(option.get("name")): option for option in leaf_options(given)}
    problems = Problems()
    for name, option in values.items():
        path: Path = ("data", "options", name)
        if name not in defined or option.get("type") != defined[name]["type"]:
            problems.add(path, "APPLICATION_COMMAND_OPTION_UNKNOWN", "Unknown option")
        elif not typing:
            _check_value(problems, path, defined[name], option.get("value"))
    if not typing:
        for name, definition in defined.items():
            if definition.get("required") and name not in values:
                problems.required(("data", "options", name))
    problems.raise_any()


def _check_value(problems: Problems, path: Path, definition: Json, value: Any) -> None:
    kind = definition["type"]
    choices = [choice["value"] for choice in definition.get("choices") or []]
    if choices and value not in choices:
        problems.choice(path, value, tuple(choices))
    elif kind == _STRING:
        least = definition.get("min_length") or 0
        problems.length(path, value, least, definition.get("max_length") or 6000)
    elif kind in {_INTEGER, _NUMBER}:
        _check_number(problems, path, definition, value)
    elif kind == _BOOLEAN and not isinstance(value, bool):
        problems.add(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


def _check_number(problems: Problems, path: Path, definition: Json, value: Any) -> None:
    wanted = (int,) if definition["type"] == _INTEGER else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        problems.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')
        return
    low, high = definition.get("min_value"), definition.get("max_value")
    if low is not None and value < low:
        problems.add(path, "NUMBER_TYPE_MIN", f"Value should be greater than or equal to {low}.")
    if high is not None and value > high:
        problems.add(path, "NUMBER_TYPE_MAX", f"Value should be less than or equal to {high}.")


class Resolver:
    """Collects the objects that ids in options, selects and modals stand for."""

    def __init__(self, world: World, channel: Channel, viewer_id: str, sign: message_wire.Sign) -> None:
        self._world = world
        self._channel = channel
        self._viewer_id = viewer_id
        self._sign = sign
        self.found: Json = {}

    def add(self, kind: int, key: str) -> None:
        """Resolve one id by option type; raises 10013, 10011 or 10003 for one that does not exist."""
        if kind == _USER or (kind == _MENTIONABLE and self._world.users.get(key)):
            self._user(self._world.user(key))
        elif kind in {_ROLE, _MENTIONABLE}:
            role = self._world.roles.get(key)
            if role is None:
                raise unknown("Role")
            self._put("roles", key, wire.role(role))
        elif kind == _CHANNEL:
            channel = self._world.channel(key)
            held = permissions.in_channel(self._world, channel, self._viewer_id)
            body = wire.channel(self._world, channel, self._viewer_id)
            self._put("channels", key, body | {"permissions": str(int(held))})

    def _user(self, user: User) -> None:
        self._put("users", user.id, wire.user(user))
        member = self._world.member(self._channel.guild_id or "", user.id)
        if member is not None:
            held = permissions.in_channel(self._world, self._channel, user.id)
            body = wire.member(self._world, member, with_user=False)
            self._put("members", user.id, body | {"permissions": str(int(held))})

    def message(self, message: Message) -> None:
        """The target of a message command."""
        body = message_wire.message(self._world, message, self._viewer_id, self._sign)
        self._put("messages", message.id, body)

    def attachment(self, row: Attachment) -> None:
        """A file the person uploaded."""
        self._put("attachments", row.id, message_wire.attachment(row, self._sign))

    def _put(self, group: str, key: str, body: Json) -> None:
        self.found.setdefault(group, {})[key] = body


def with_attachments(options: list[Json], by_index: dict[str, Attachment]) -> Iterator[Json]:
    """The options with indexes of uploaded files replaced by their ids; raises 50035 for a missing file."""
    for option in options:
        if option.get("type") in _SUB_COMMANDS:
            inner = list(with_attachments(option.get("options") or [], by_index))
            yield option | {"options": inner}
        elif option.get("type") == _ATTACHMENT:
            row = by_index.get(str(option.get("value")))
            if row is None:
                message = "The file has not been uploaded."
                raise invalid(("data", "options"), "ATTACHMENT_NOT_FOUND", message)
            yield option | {"value": row.id}
        else:
            yield option


# -- components and modals -------------------------------------------------------------------------------


def pressed(message: Message, data: Json) -> Json:
    """The component of `message` that was used; raises 50035 when there is none, or it is disabled."""
    wanted = data.get("custom_id")
    for component in walk(list(message.components)):
        if component.get("custom_id") == wanted and not component.get("disabled"):
            return component
    raise invalid(("data",), "COMPONENT_VALIDATION_FAILED", "Component validation failed")


def component_data(component: Json, data: Json, resolver: Resolver) -> Json:
    """The `data` of a component interaction; raises 50035 for values the select does not offer."""
    result: Json = {
        "id": component.get("id"),
        "component_type": component["type"],
        "custom_id": component["custom_id"],
    }
    if component["type"] in SELECTS:
        result["values"] = _selected(component, data.get("values"), resolver)
        if component["type"] != Kind.STRING_SELECT:
            result["resolved"] = resolver.found
    return result


def _selected(component: Json, values: Any, resolver: Resolver) -> list[str]:
    low, high = component.get("min_values", 1), component.get("max_values", 1)
    problems = Problems()
    problems.count(("data", "values"), values, low, high)
    problems.raise_any()
    chosen = [str(value) for value in values]
    offered = {option["value"] for option in component.get("options") or []}
    if component["type"] == Kind.STRING_SELECT and not set(chosen) <= offered:
        raise invalid(("data",), "COMPONENT_VALIDATION_FAILED", "Component validation failed")
    if component["type"] in _SELECT_RESOLVES:
        for value in chosen:
            resolver.add(_SELECT_RESOLVES[component["type"]], value)
    return chosen


def modal_data(modal: Json, data: Json, resolver: Resolver, by_index: dict[str, Attachment]) -> Json:
    """The `data` of a modal submit; raises 50035 for fields that do not fit the modal."""
    if data.get("custom_id") != modal["custom_id"]:
        raise ApiError(404, 10062, "Unknown Interaction")
    asked = {c["custom_id"]: c for c in walk(modal["components"]) if c.get("custom_id")}
    given = {c["custom_id"]: c for c in walk(data.get("components") or []) if c.get("custom_id")}
    problems = Problems()
    for custom_id, field in asked.items():
        _check_field(problems, custom_id, field, given.get(custom_id, {}))
    problems.raise_any()
    tree = _answered(modal["components"], given, resolver, by_index)
    result: Json = {"custom_id": modal["custom_id"], "components": tree}
    return result | ({"resolved": resolver.found} if resolver.found else {})


def _check_field(problems: Problems, custom_id: str, field: Json, answer: Json) -> None:
    path: Path = ("data", "components", custom_id)
    required = field.get("required", True)
    if field["type"] == Kind.TEXT_INPUT:
        value = answer.get("value") or ""
        if required and not value:
            problems.required(path)
        elif value:
            problems.length(path, value, field.get("min_length") or 0, field.get("max_length") or 4000)
    elif field["type"] != Kind.CHECKBOX:
        values = answer.get("values")
        values = [answer["value"]] if values is None and answer.get("value") else values or []
        if required and len(values) < field.get("min_values", 1):
            problems.required(path)


def _answered(tree: Any, given: Json, resolver: Resolver, by_index: dict[str, Attachment]) -> Any:
    """The modal's tree with what the person entered, without labels and placeholders."""
    if isinstance(tree, list):
        return [_answered(one, given, resolver, by_index) for one in tree]
    body: Json = {"type": tree["type"], "id": tree.get("id")}
    for key in ("components", "component"):
        if key in tree:
            body[key] = _answered(tree[key], given, resolver, by_index)
    custom_id = tree.get("custom_id")
    if custom_id is None:
        return body
    body["custom_id"] = custom_id
    answer = given.get(custom_id, {})
    if tree["type"] == Kind.CHECKBOX:
        body["value"] = bool(answer.get("value"))
    elif "values" not in answer:
        body["value"] = answer.get("value") or ("" if tree["type"] == Kind.TEXT_INPUT else None)
    else:
        body["values"] = _values(tree["type"], answer["values"], resolver, by_index)
    return body


def _values(kind: int, values: list[Any], resolver: Resolver, by_index: dict[str, Attachment]) -> list[str]:
    chosen = [str(value) for value in values]
    if kind == Kind.FILE_UPLOAD:
        rows = [by_index[value] for value in chosen if value in by_index]
        for row in rows:
            resolver.attachment(row)
        return [row.id for row in rows]
    if kind in _SELECT_RESOLVES:
        for value in chosen:
            resolver.add(_SELECT_RESOLVES[Kind(kind)], value)
    return chosen
