"""Servers' own rules and words."""

from dataclasses import dataclass
from typing import Any

from bot.moderation.lists import Lists, Word, build
from bot.moderation.rules import Outcome, Rules
from bot.moderation.trail import Facts, note
from worker.api import Category, Frozen
from worker.database import Database


class Deed(Frozen):
    """Who changes a server's rules, and when."""

    guild_id: int
    by: int
    now: float  # Unix seconds


@dataclass(frozen=True, slots=True)
class Server:
    """A server's rules and words, and the version they are."""

    version: int
    rules: Rules
    lists: Lists


class Servers:
    """The tables of rules; every change is on the record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def server(self, guild_id: int, defaults: Rules) -> Server:
        """Return a server's rules, over *defaults*, and its words."""
        return await self._database.read(lambda db: _server(db, guild_id, defaults))

    async def set_category(
        self, deed: Deed, category: Category, outcome: Outcome | None, nsfw: Outcome | None = None
    ) -> None:
        """Set what *category* leads to there; None goes back to the operator's default."""
        if outcome is None:
            sql = "DELETE FROM moderation_categories WHERE guild_id = ? AND category = ?"
            values: tuple[object, ...] = (deed.guild_id, category)
        else:
            sql = (
                "INSERT INTO moderation_categories (guild_id, category, outcome, nsfw_outcome)"
                " VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET outcome = excluded.outcome, nsfw_outcome = excluded.nsfw_outcome"
            )
            values = (deed.guild_id, category, outcome, nsfw)
        await self._change(deed, sql, values, f"category {category}", {"outcome": outcome, "nsfw": nsfw})

    async def set_pictures(self, deed: Deed, outcome: Outcome, threshold: float | None = None) -> None:
        """Set what becomes of pictures that the picture gate takes for adult; None keeps the threshold."""
        sql = (
            "INSERT INTO moderation_servers (guild_id, picture_outcome, picture_threshold) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET picture_outcome = excluded.picture_outcome,"
            " picture_threshold = coalesce(excluded.picture_threshold, picture_threshold)"
        )
        facts = {"outcome": outcome, "threshold": threshold}
        await self._change(deed, sql, (deed.guild_id, outcome, threshold), "pictures", facts)

    async def set_moderators(self, deed: Deed, channel_id: int | None) -> None:
        """Set where appeals are posted; None for nowhere."""
        sql = (
            "INSERT INTO moderation_servers (guild_id, moderators_channel_id) VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET moderators_channel_id = excluded.moderators_channel_id"
        )
        facts = {"channel_id": channel_id}
        await self._change(deed, sql, (deed.guild_id, channel_id), "moderators' channel", facts)

    async def _change(
        self,
        deed: Deed,
        sql: str,
        values: tuple[object, ...],
        target: str,
        facts: Facts,
    ) -> None:
        def work(db: Any) -> None:
            db.execute(sql, values)
            note(db, deed.by, deed.guild_id, "moderation set", target=target, after=facts, now=deed.now)

        await self._database.write(work)


def _server(db: Any, guild_id: int, defaults: Rules) -> Server:
    version = db.execute(
        "SELECT coalesce(max(version), 0) FROM moderation_versions WHERE guild_id = ?", (guild_id,)
    ).fetchone()[0]
    row = db.execute("SELECT * FROM moderation_servers WHERE guild_id = ?", (guild_id,)).fetchone()
    rows = db.execute("SELECT * FROM moderation_categories WHERE guild_id = ?", (guild_id,)).fetchall()
    own = {Category(each["category"]): Outcome(each["outcome"]) for each in rows}
    adult = {
        Category(each["category"]): Outcome(each["nsfw_outcome"]) for each in rows if each["nsfw_outcome"]
    }
    changes: dict[str, object] = {
        "outcomes": {**defaults.outcomes, **own},
        "nsfw": {key: value for key, value in defaults.nsfw.items() if key not in own} | adult,
    }
    if row is not None:
        changes["moderators_channel_id"] = row["moderators_channel_id"]
        if row["picture_outcome"] is not None:
            changes["picture"] = Outcome(row["picture_outcome"])
        if row["picture_threshold"] is not None:
            changes["picture_threshold"] = row["picture_threshold"]
    return Server(version, defaults.model_copy(update=changes), build(_words(db, guild_id)))


def _words(db: Any, guild_id: int) -> list[Word]:
    """Return a server's own words; those of categories that nobody knows are left out."""
    known = frozenset(Category)
    rows = db.execute("SELECT category, phrase, allow FROM words WHERE guild_id = ?", (guild_id,))
    return [
        Word(row["category"], row["phrase"], allow=bool(row["allow"]))
        for row in rows
        if row["category"] in known
    ]
