"""The record, as pages. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from bot import echo
from bot.commands.admin.pages import Sheet
from bot.render import number
from bot.texts import Texts
from worker.admin import Entry

FACT_ROOM = 120  # characters of what was so before or is so now, in a line


def audit(found: Sequence[Entry], total: int, texts: Texts) -> Sheet:
    """Return entries of the audit log."""
    return Sheet(texts("admin.title.audit"), (), tuple(entry(each, texts) for each in found), total)


def entry(found: Entry, texts: Texts) -> str:
    """Return one entry of the audit log."""
    kind, _, name = found.actor.partition(":")
    actor = {"discord": f"<@{name}>", "cli": texts("admin.audit.cli", name=echo.unticked(name))}.get(
        kind, kind
    )
    change = "\n> ".join(("", _change(found, texts)))
    return texts(
        "admin.audit.line",
        at=int(found.at),
        actor=actor,
        verb=found.verb,
        target=_target(found.target),
        change=change,
    )


def _change(found: Entry, texts: Texts) -> str:
    after = _facts(found.after)
    return texts("admin.audit.change", before=_facts(found.before), after=after) if found.before else after


def _target(text: str) -> str:
    """Return on what it was done, people and places as Discord names them."""
    parts = [_PART.fullmatch(part) for part in text.split(", ")]
    if not all(parts):
        return echo.escaped(text)
    return ", ".join(_MARKS[part["kind"]].format(part["id"]) for part in parts if part is not None)


_PART = re.compile(r"(?P<kind>user|role|channel|server|job|lane) (?P<id>[0-9a-z-]{1,40})")
_MARKS = {
    "user": "<@{}>",
    "role": "<@&{}>",
    "channel": "<#{}>",
    "server": "server `{}`",
    "job": "job `{}`",
    "lane": "lane {}",
}


def _facts(facts: Mapping[str, JsonValue]) -> str:
    text = ", ".join(f"{name}: {_value(name, value)}" for name, value in facts.items())
    return f"`{echo.cut(echo.unticked(text), FACT_ROOM)}`" if text else "-"


def _value(name: str, value: JsonValue) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float() if name == "until":
            return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"
        case float():
            return number(value)
        case dict():
            return " ".join(f"{count} {each}" for each, count in value.items()) or "-"
        case _:
            return str(value)
