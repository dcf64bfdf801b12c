"""The record, as pages. Pure."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from bot import echo
from bot.commands.admin.pages import Sheet
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
    change = texts("admin.audit.change", before=_facts(found.before), after=_facts(found.after))
    target = echo.escaped(found.target)
    return texts(
        "admin.audit.line", at=int(found.at), actor=actor, verb=found.verb, target=target, change=change
    )


def _facts(facts: Mapping[str, JsonValue]) -> str:
    text = ", ".join(f"{name}: {'-' if value is None else value}" for name, value in facts.items())
    return f"`{echo.cut(echo.unticked(text), FACT_ROOM)}`" if text else "-"
