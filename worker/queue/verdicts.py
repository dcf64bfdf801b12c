"""What admins decide about people, credits, servers, words and models, in the caller's transaction."""

import sqlite3
from collections.abc import Collection
from pathlib import Path

from pydantic import JsonValue

from worker.accounts import Allowance, Whose, Window
from worker.admin import AdminCode, AdminError, Restriction
from worker.cost import GRAINS, grains
from worker.deeds import (
    Block,
    Contact,
    Grant,
    ResetQuota,
    SetChannel,
    SetLog,
    SetModel,
    SetNsfw,
    SetPower,
    SetQuota,
    SetRole,
    SetWord,
    Timeout,
    Unblock,
    Verb,
    Which,
)
from worker.queue import ledger, quota
from worker.queue.control import Effect, stop, under_way

WHOSE = {Whose.PERSON: "user", Whose.ROLE: "role", Whose.SERVER: "server"}

_RESTRICT = """
INSERT INTO restrictions (user_id, kind, until, reason, created_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET kind = excluded.kind, until = excluded.until, reason = excluded.reason,
    created_at = excluded.created_at
"""


def restrict(db: sqlite3.Connection, deed: Block | Timeout, now: float, locks: Path) -> Effect:
    """Keep a person from ordering; a block also stops what they have under way, a timeout lets it stand."""
    before = _restriction(db, deed.user_id)
    kind = "block" if isinstance(deed, Block) else "timeout"
    until = None if isinstance(deed, Block) else now + deed.seconds
    db.execute(_RESTRICT, (deed.user_id, kind, until, deed.reason, now))
    after: dict[str, JsonValue] = {"kind": kind, "until": until, "reason": deed.reason}
    touched = 0
    if isinstance(deed, Block):
        found = under_way(db, Which(owner_id=deed.user_id), running=True)
        stopped = stop(db, found, now, locks)[1]
        touched = len(found)
        after |= {"jobs": stopped}
    return Effect(f"user {deed.user_id}", _told(before), after, touched=touched)


def release(db: sqlite3.Connection, deed: Unblock) -> Effect:
    """Let a person order again."""
    before = _restriction(db, deed.user_id)
    db.execute("DELETE FROM restrictions WHERE user_id = ?", (deed.user_id,))
    return Effect(f"user {deed.user_id}", _told(before), _told(None))


def contacted(deed: Contact) -> Effect:
    """Note that a person was written to."""
    return Effect(f"user {deed.user_id}", {}, {"characters": deed.characters})


def grant(db: sqlite3.Connection, deed: Grant, actor: str, now: float) -> Effect:
    """Give a person credits, or take back."""
    before = ledger.purse(db, deed.user_id)
    after = ledger.grant(db, deed.user_id, grains(deed.credits), actor=actor, now=now)
    return Effect(f"user {deed.user_id}", {"granted": before / GRAINS}, {"granted": after / GRAINS})


def set_quota(db: sqlite3.Connection, deed: SetQuota) -> Effect:
    """Say how much somebody may use."""
    before = quota.allow(db, deed.whose, deed.subject, deed.allowance)
    target = f"{WHOSE[deed.whose]} {deed.subject}"
    return Effect(target, _allowance(before), _allowance(deed.allowance))


def reset_quota(db: sqlite3.Connection, deed: ResetQuota, actor: str, now: float) -> Effect:
    """Let a person's windows begin anew."""
    target = f"user {deed.user_id}"
    month = ledger.since(db, Window.MONTH, deed.user_id, now=now)
    if ledger.used(db, Whose.PERSON, deed.user_id, month) <= 0:
        return Effect(target)
    used = ledger.reset(db, deed.user_id, actor=actor, now=now)
    return Effect(target, {"used in 30 days": used / GRAINS}, {"used in 30 days": 0})


def _allowance(said: Allowance | None) -> dict[str, JsonValue]:
    """Return what was said, without what was not."""
    return {} if said is None else said.model_dump(exclude_defaults=True)


def set_role(db: sqlite3.Connection, deed: SetRole) -> Effect:
    """Give or take a rank."""
    key = (deed.guild_id, deed.rank, deed.role_id)
    row = db.execute(
        "SELECT 1 FROM admin_roles WHERE guild_id = ? AND rank = ? AND role_id = ?", key
    ).fetchone()
    if deed.held:
        db.execute("INSERT INTO admin_roles VALUES (?, ?, ?) ON CONFLICT DO NOTHING", key)
    else:
        db.execute("DELETE FROM admin_roles WHERE guild_id = ? AND rank = ? AND role_id = ?", key)
    return Effect(f"role {deed.role_id}", {deed.rank.value: row is not None}, {deed.rank.value: deed.held})


def set_power(db: sqlite3.Connection, deed: SetPower) -> Effect:
    """Say which rank a verb takes in a server."""
    key = (deed.guild_id, deed.power)
    row = db.execute("SELECT rank FROM admin_powers WHERE guild_id = ? AND verb = ?", key).fetchone()
    if deed.rank is None:
        db.execute("DELETE FROM admin_powers WHERE guild_id = ? AND verb = ?", key)
    else:
        db.execute(
            "INSERT INTO admin_powers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rank = excluded.rank",
            (*key, deed.rank),
        )
    return Effect(f"verb {deed.power}", {"rank": row and row["rank"]}, {"rank": deed.rank})


def set_channel(db: sqlite3.Connection, deed: SetChannel) -> Effect:
    """Open or close a channel."""
    allowed = deed.verb is Verb.CHANNEL_ALLOW
    row = _rule(db, deed.guild_id, deed.channel_id)
    before = None if row is None or row["allowed"] is None else bool(row["allowed"])
    db.execute(
        "INSERT INTO channel_rules (guild_id, channel_id, allowed) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET allowed = excluded.allowed",
        (deed.guild_id, deed.channel_id, allowed),
    )
    return Effect(_channel(deed.channel_id), {"allowed": before}, {"allowed": allowed})


def set_nsfw(db: sqlite3.Connection, deed: SetNsfw) -> Effect:
    """Say whether adult pictures may be shown."""
    row = _rule(db, deed.guild_id, deed.channel_id)
    db.execute(
        "INSERT INTO channel_rules (guild_id, channel_id, nsfw) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET nsfw = excluded.nsfw",
        (deed.guild_id, deed.channel_id, deed.nsfw),
    )
    return Effect(_channel(deed.channel_id), {"nsfw": bool(row and row["nsfw"])}, {"nsfw": deed.nsfw})


def set_log(db: sqlite3.Connection, deed: SetLog) -> Effect:
    """Choose a server's log channel; what was recorded before is not posted there."""
    row = db.execute("SELECT channel_id FROM audit_channels WHERE guild_id = ?", (deed.guild_id,)).fetchone()
    before = None if row is None else row["channel_id"]
    if deed.channel_id is None:
        db.execute("DELETE FROM audit_channels WHERE guild_id = ?", (deed.guild_id,))
    elif row is None:
        db.execute(
            "INSERT INTO audit_channels (guild_id, channel_id, posted)"
            " SELECT ?, ?, coalesce(max(id), 0) FROM audit",
            (deed.guild_id, deed.channel_id),
        )
    else:
        db.execute(
            "UPDATE audit_channels SET channel_id = ? WHERE guild_id = ?", (deed.channel_id, deed.guild_id)
        )
    told = None if deed.channel_id is None else str(deed.channel_id)
    return Effect("log channel", {"channel": None if before is None else str(before)}, {"channel": told})


def set_word(db: sqlite3.Connection, deed: SetWord) -> Effect:
    """Add or remove a phrase."""
    phrase = " ".join(deed.phrase.split())
    key = (deed.guild_id, deed.category, phrase)
    row = db.execute(
        "SELECT allow FROM words WHERE guild_id = ? AND category = ? AND phrase = ?", key
    ).fetchone()
    before = None if row is None else _kind(allow=bool(row["allow"]))
    if deed.verb is Verb.WORDS_REMOVE:
        db.execute("DELETE FROM words WHERE guild_id = ? AND category = ? AND phrase = ?", key)
        after = None
    else:
        db.execute(
            "INSERT INTO words VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET allow = excluded.allow",
            (*key, deed.allow),
        )
        after = _kind(allow=deed.allow)
    return Effect(f"{deed.category}: {phrase}", {"phrase": before}, {"phrase": after})


def set_model(db: sqlite3.Connection, deed: SetModel, installed: Collection[str]) -> Effect:
    """Switch a model on or off, or make it the default; what waits for it is touched, and stays.

    Raises:
        AdminError: ``UNKNOWN_MODEL``, ``LAST_MODEL`` or ``MODEL_IS_OFF``.
    """
    if deed.name not in installed:
        raise AdminError(AdminCode.UNKNOWN_MODEL, name=deed.name, known=", ".join(sorted(installed)))
    rows = {row["name"]: row for row in db.execute("SELECT name, enabled, is_default FROM models")}
    enabled = {name for name in installed if name not in rows or rows[name]["enabled"]}
    before = _model(deed.name in enabled, deed.name in rows and bool(rows[deed.name]["is_default"]))
    waiting = db.execute(
        "SELECT count(*) FROM jobs WHERE state = 'queued' AND model = ?", (deed.name,)
    ).fetchone()[0]
    match deed.verb:
        case Verb.MODELS_ENABLE:
            after = before | {"enabled": True}
        case Verb.MODELS_DISABLE:
            if enabled <= {deed.name}:
                raise AdminError(AdminCode.LAST_MODEL, name=deed.name)
            after = _model(False, False)
        case _:
            if deed.name not in enabled:
                raise AdminError(AdminCode.MODEL_IS_OFF, name=deed.name)
            db.execute("UPDATE models SET is_default = 0 WHERE is_default")
            after = _model(True, True)
    db.execute(
        "INSERT INTO models (name, enabled, is_default) VALUES (:name, :enabled, :default)"
        " ON CONFLICT DO UPDATE SET enabled = excluded.enabled, is_default = excluded.is_default",
        {"name": deed.name, **after},
    )
    return Effect(f"model {deed.name}", before, after, touched=waiting)


def _model(enabled: bool, default: bool) -> dict[str, JsonValue]:  # noqa: FBT001 - two columns
    return {"enabled": enabled, "default": default}


def _kind(*, allow: bool) -> str:
    return "allowed" if allow else "refused"


def _channel(channel_id: int) -> str:
    return f"channel {channel_id}" if channel_id else "every channel"


def _rule(db: sqlite3.Connection, guild_id: int, channel_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT allowed, nsfw FROM channel_rules WHERE guild_id = ? AND channel_id = ?",
        (guild_id, channel_id),
    ).fetchone()
    return row


def _restriction(db: sqlite3.Connection, user_id: int) -> Restriction | None:
    """Return what was said of a person, over or not."""
    row = db.execute(
        "SELECT user_id, kind, until, reason, created_at FROM restrictions WHERE user_id = ?", (user_id,)
    ).fetchone()
    return None if row is None else Restriction(**row)


def _told(found: Restriction | None) -> dict[str, JsonValue]:
    if found is None:
        return {"kind": None}
    return {"kind": found.kind, "until": found.until, "reason": found.reason}
