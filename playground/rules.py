"""What Discord accepts as a message: content, embeds, mentions, nonce, flags. Pure."""

from __future__ import annotations

from typing import Any

from .component_rules import ComponentCheck
from .errors import Json, empty_message
from .models import MessageFlag
from .problems import Path, Problems

MAX_CONTENT = 2000
MAX_FILES = 10
MAX_EMBEDS = 10
MAX_EMBED_TEXT = 6000
_EMBED_TEXTS = (("title", 256), ("description", 4096))
# What an author may set; anything else a body carries in `flags` is dropped.
SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.EPHEMERAL
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.COMPONENTS_V2
)


def check_message(body: Json, *, v2: bool) -> None:
    """Raise 50035 with every violation of a message body, new or edit."""
    problems = Problems()
    content = body.get("content")
    if content is not None:
        problems.length(("content",), content, 0, MAX_CONTENT)
    if body.get("embeds"):
        _embeds(problems, body["embeds"])
    if body.get("components") is not None:
        ComponentCheck(problems).message(body["components"], v2=v2)
    if v2:
        _only_components(problems, body)
    _attachments(problems, body.get("attachments"))
    _allowed_mentions(problems, body.get("allowed_mentions"))
    nonce = body.get("nonce")
    if nonce is not None and not isinstance(nonce, int):
        problems.length(("nonce",), nonce, 0, 25)
    flags = body.get("flags")
    if flags is not None and (isinstance(flags, bool) or not isinstance(flags, int)):
        problems.add(("flags",), "NUMBER_TYPE_COERCE", f'Value "{flags}" is not int.')
    problems.raise_any()


def _only_components(problems: Problems, body: Json) -> None:
    for key in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(key):
            message = "This field cannot be used with the IS_COMPONENTS_V2 flag"
            problems.add((key,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)


def check_not_empty(*parts: Any) -> None:
    """Raise 50006 when a message would show nothing."""
    if not any(parts):
        raise empty_message()


def _embeds(problems: Problems, embeds: Any) -> None:
    if not problems.count(("embeds",), embeds, 0, MAX_EMBEDS):
        return
    total = 0
    for index, embed in enumerate(embeds):
        path: Path = ("embeds", index)
        if not isinstance(embed, dict):
            problems.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        total += _embed(problems, path, embed)
    if total > MAX_EMBED_TEXT:
        message = f"Embed size exceeds maximum size of {MAX_EMBED_TEXT}"
        problems.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", message)


def _embed(problems: Problems, path: Path, embed: Json) -> int:
    """Check one embed and return how many of the 6000 characters it uses."""
    for key, most in _EMBED_TEXTS:
        problems.optional(path, embed, key, most)
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    problems.optional((*path, "footer"), footer, "text", 2048)
    problems.optional((*path, "author"), author, "name", 256)
    fields = embed.get("fields") or []
    if problems.count((*path, "fields"), fields, 0, 25):
        for index, field in enumerate(fields):
            for key, most in (("name", 256), ("value", 1024)):
                where = (*path, "fields", index, key)
                if not field.get(key):
                    problems.required(where)
                else:
                    problems.length(where, field[key], 1, most)
    if embed.get("color") is not None:
        problems.number((*path, "color"), embed["color"], 0, 0xFFFFFF)
    for part in ("image", "thumbnail"):
        _link(problems, (*path, part, "url"), (embed.get(part) or {}).get("url"))
    _link(problems, (*path, "url"), embed.get("url"))
    texts = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
    texts += [field.get(key) for field in fields for key in ("name", "value")]
    return sum(len(text) for text in texts if isinstance(text, str))


def _link(problems: Problems, path: Path, url: Any) -> None:
    if url and not str(url).startswith(("http://", "https://", "attachment://")):
        message = f"Scheme of \"{str(url)[:40]}\" is not supported. Scheme must be one of ('http', 'https')."
        problems.add(path, "URL_TYPE_INVALID_SCHEME", message)


def _attachments(problems: Problems, attachments: Any) -> None:
    if attachments is None or not problems.count(("attachments",), attachments, 0, MAX_FILES):
        return
    for index, one in enumerate(attachments):
        path: Path = ("attachments", index)
        if not isinstance(one, dict) or one.get("id") is None:
            problems.required((*path, "id"))
        else:
            problems.optional(path, one, "description", 1024)
            problems.optional(path, one, "filename", 1024)


def _allowed_mentions(problems: Problems, allowed: Any) -> None:
    if not isinstance(allowed, dict):
        return
    parse = allowed.get("parse") or []
    for index, kind in enumerate(parse):
        problems.choice(("allowed_mentions", "parse", index), kind, ("everyone", "users", "roles"))
    for kind in ("users", "roles"):
        listed = allowed.get(kind) or []
        problems.count(("allowed_mentions", kind), listed, 0, 100)
        if listed and kind in parse:
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            problems.add(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def check_file_count(count: int) -> None:
    """Raise 50035 for more files than a message holds."""
    problems = Problems()
    problems.count(("attachments",), [None] * count, 0, MAX_FILES)
    problems.raise_any()


def check_callback_type(given: Any, allowed: tuple[int, ...]) -> None:
    """Raise 50035 for an interaction response that does not fit the interaction."""
    problems = Problems()
    problems.choice(("type",), given, allowed)
    problems.raise_any()


def check_choices(choices: Any) -> None:
    """Raise 50035 for an autocomplete answer of more than 25, or with empty or long names."""
    problems = Problems()
    path: Path = ("data", "choices")
    if problems.count(path, choices, 0, 25):
        for index, choice in enumerate(choices):
            problems.length((*path, index, "name"), choice.get("name"), 1, 100)
            value = choice.get("value")
            if isinstance(value, str):
                problems.length((*path, index, "value"), value, 1, 100)
            elif not isinstance(value, (int, float)):
                problems.required((*path, index, "value"))
    problems.raise_any()


def check_modal(body: Json) -> None:
    """Raise 50035 for a modal Discord would not open."""
    problems = Problems()
    ComponentCheck(problems).modal(body)
    problems.raise_any()


def keep_v2(old: int, new: int | None) -> int:
    """The flags after an edit: version 2 can be added, never removed."""
    if new is None:
        return old
    if old & MessageFlag.COMPONENTS_V2 and not new & MessageFlag.COMPONENTS_V2:
        return (new & SETTABLE) | MessageFlag.COMPONENTS_V2
    return new & SETTABLE
