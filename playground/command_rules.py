"""What Discord accepts as application commands, and the form in which it returns them. Pure."""

from __future__ import annotations

import re
from typing import Any

from .errors import Json, bad_request
from .problems import Path, Problems

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
_MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
_SUB_COMMAND, _GROUP, _STRING, _INTEGER, _NUMBER = 1, 2, 3, 4, 10
_NAME = re.compile(r"^[-_'\w]{1,32}$")
MAX_CHARACTERS = 8000
MAX_BULK = 130


def check_command(body: Any) -> None:
    """Raise 50035 with every violation of one command."""
    problems = Problems()
    _command(problems, (), body)
    problems.raise_any()


def check_bulk(bodies: Any) -> None:
    """Raise 50035 or 30032 for a list that replaces all commands of a scope."""
    problems = Problems()
    if problems.count((), bodies, 0, MAX_BULK):
        for index, body in enumerate(bodies):
            _command(problems, (index,), body)
        seen: set[tuple[int, str]] = set()
        for index, body in enumerate(bodies):
            key = (body.get("type") or CHAT_INPUT, str(body.get("name")))
            if key in seen:
                message = "Application command names must be unique"
                problems.add((index, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
            seen.add(key)
    problems.raise_any()
    check_total(bodies)


def check_total(bodies: list[Json]) -> None:
    """Raise 30032 for more commands of one type than a scope holds."""
    for kind, most in _MOST.items():
        if sum((body.get("type") or CHAT_INPUT) == kind for body in bodies) > most:
            raise bad_request(30032, f"Maximum number of application commands reached ({most}).")


def _command(problems: Problems, path: Path, body: Any) -> None:
    if not isinstance(body, dict):
        problems.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    kind = body.get("type") or CHAT_INPUT
    if not problems.choice((*path, "type"), kind, (1, 2, 3, 4)):
        return
    if kind != CHAT_INPUT:
        problems.length((*path, "name"), body.get("name"), 1, 32)
        if body.get("description"):
            message = "Context menu commands cannot have description"
            problems.add((*path, "description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", message)
        return
    _named(problems, path, body)
    _options(problems, path, body.get("options"), depth=0)
    if _characters(body) > MAX_CHARACTERS:
        message = f"Command exceeds maximum size ({MAX_CHARACTERS})"
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", message)


def _named(problems: Problems, path: Path, body: Json) -> None:
    where = (*path, "name")
    name = body.get("name")
    if not name:
        problems.required(where)
    elif problems.length(where, name, 1, 32) and (not _NAME.match(name) or name != name.lower()):
        message = "Command name is invalid"
        problems.add(where, "APPLICATION_COMMAND_INVALID_NAME", message)
    if not body.get("description"):
        problems.required((*path, "description"))
    else:
        problems.length((*path, "description"), body["description"], 1, 100)


def _options(problems: Problems, path: Path, options: Any, *, depth: int) -> None:
    where = (*path, "options")
    if not options or not problems.count(where, options, 0, 25):
        return
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(options):
        here = (*where, index)
        if not problems.choice((*here, "type"), option.get("type"), tuple(range(1, 12))):
            continue
        _named(problems, here, option)
        if option.get("name") in names:
            message = "Option names must be unique"
            problems.add((*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", message)
        names.add(str(option.get("name")))
        if option["type"] in {_SUB_COMMAND, _GROUP}:
            _nested(problems, here, option, depth)
            continue
        if option.get("required") and optional_seen:
            message = "Required options must be placed before non-required options"
            problems.add(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        optional_seen = optional_seen or not option.get("required")
        _value_option(problems, here, option)


def _nested(problems: Problems, path: Path, option: Json, depth: int) -> None:
    if depth > (0 if option["type"] == _GROUP else 1):
        message = "Sub-command option type cannot be nested here"
        problems.add((*path, "type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)
        return
    _options(problems, path, option.get("options"), depth=depth + 1)


def _value_option(problems: Problems, path: Path, option: Json) -> None:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        message = "choices may not be present when autocomplete is true"
        problems.add((*path, "autocomplete"), "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES", message)
    if option.get("autocomplete") and option["type"] not in {_STRING, _INTEGER, _NUMBER}:
        message = "autocomplete is only allowed for string, integer and number options"
        problems.add((*path, "autocomplete"), "APPLICATION_COMMAND_AUTOCOMPLETE_TYPE", message)
    if problems.count((*path, "choices"), choices, 0, 25):
        for index, choice in enumerate(choices):
            problems.length((*path, "choices", index, "name"), choice.get("name"), 1, 100)
            if option["type"] == _STRING:
                problems.length((*path, "choices", index, "value"), choice.get("value"), 1, 100)
    for key, least in (("min_length", 0), ("max_length", 1)):
        if option.get(key) is not None:
            problems.number((*path, key), option[key], least, 6000)


def _characters(body: Json) -> int:
    """Characters of name, description and values, each with its longest localisation."""
    total = 0
    for key in ("name", "description"):
        translated = (body.get(f"{key}_localizations") or {}).values()
        total += max((len(str(text)) for text in (body.get(key) or "", *translated)), default=0)
    total += sum(
        len(str(c.get("name", ""))) + len(str(c.get("value", ""))) for c in body.get("choices") or []
    )
    return total + sum(_characters(option) for option in body.get("options") or [])


def resolved(body: Json, version: str, *, in_guild: bool) -> Json:
    """The stored form: nulls that mean a default have become it."""
    kind = body.get("type") or CHAT_INPUT
    result: Json = {
        "type": kind,
        "version": version,
        "name": body["name"],
        "name_localizations": body.get("name_localizations"),
        "description": body.get("description") or "",
        "description_localizations": body.get("description_localizations"),
        "default_member_permissions": _bits(body.get("default_member_permissions")),
        "nsfw": bool(body.get("nsfw")),
        "options": [_option(option) for option in body.get("options") or []],
    }
    if in_guild:
        return result
    contexts = body.get("contexts")
    if contexts is None and body.get("dm_permission") is False:
        contexts = [0]
    return result | {
        "integration_types": body.get("integration_types") or [0],
        "contexts": contexts,
        "dm_permission": contexts is None or 1 in contexts,
    }


def _bits(value: Any) -> str | None:
    return None if value is None else str(value)


def _option(option: Json) -> Json:
    body = {key: value for key, value in option.items() if value is not None}
    if option.get("options"):
        body["options"] = [_option(one) for one in option["options"]]
    return body
