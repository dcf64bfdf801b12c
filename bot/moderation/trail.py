"""Lines of the audit log about moderation, written with the change they tell."""

import json
from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, str | int | float | None]


def note(
    db: Any,
    by: int,
    guild_id: int,
    verb: str,
    *,
    target: str,
    now: float,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Write a line; to be called in the transaction that makes the change.

    Args:
        db: In a write transaction.
        by: Discord's id of who did it.
        guild_id: Where.
        verb: What, such as ``moderation forgive``.
        target: On what; never a prompt.
        now: Unix seconds.
        before: What was so.
        after: What is so.
    """
    db.execute(
        "INSERT INTO audit (at, actor, guild_id, channel_id, verb, target, before, after)"
        " VALUES (?, ?, ?, 0, ?, ?, ?, ?)",
        (now, f"discord:{by}", guild_id, verb, target, json.dumps(before or {}), json.dumps(after or {})),
    )
