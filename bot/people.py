"""What the bot remembers of people: what they prefer, and their own options."""

from collections.abc import Mapping
from typing import Any, Final

from bot.preferences import OPTIONS_LIMIT, Preferences
from parser import Speed
from worker.api import Strength
from worker.database import Database

_ROW = (
    "SELECT suffix, speed, raw, stylize, version, strength, auto_dm FROM bot_preferences WHERE owner_id = ?"
)
_OPTIONS = "SELECT name, value FROM bot_options WHERE owner_id = ? ORDER BY name"
_COLUMNS: Final = ("suffix", "speed", "raw", "stylize", "version", "strength", "auto_dm")
_SET: Final = {name: f"UPDATE bot_preferences SET {name} = ? WHERE owner_id = ?" for name in _COLUMNS}  # noqa: S608
_SAY = "INSERT INTO bot_options (owner_id, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = ?"


class People:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def preferences(self, owner_id: int) -> Preferences:
        """Return what a person prefers; what they never said is as usual."""

        def work(db: Any) -> Preferences:
            options = {row["name"]: row["value"] for row in db.execute(_OPTIONS, (owner_id,))}
            return _preferences(db.execute(_ROW, (owner_id,)).fetchone(), options)

        return await self._database.read(work)

    async def prefer(self, owner_id: int, **said: object) -> Preferences:
        """Change what is *said*, by the fields of `Preferences`, and return all of it."""
        strange = said.keys() - _SET.keys()
        if strange:
            raise ValueError(f"no such preference: {strange}")

        def work(db: Any) -> Preferences:
            db.execute(
                "INSERT INTO bot_preferences (owner_id) VALUES (?) ON CONFLICT DO NOTHING", (owner_id,)
            )
            for name, value in said.items():
                db.execute(_SET[name], (value, owner_id))
            options = {row["name"]: row["value"] for row in db.execute(_OPTIONS, (owner_id,))}
            return _preferences(db.execute(_ROW, (owner_id,)).fetchone(), options)

        return await self._database.write(work)

    async def reset(self, owner_id: int) -> Preferences:
        """Let a person's settings be as usual; suffix and own options stay."""
        usual = Preferences()
        return await self.prefer(
            owner_id,
            **{name: getattr(usual, name) for name in _COLUMNS if name not in {"suffix", "auto_dm"}},
        )

    async def define(self, owner_id: int, name: str, value: str) -> bool:
        """Let the own option *name* stand for *value*; an empty one takes it away.

        Returns:
            False if there are too many already.
        """

        def work(db: Any) -> bool:
            if not value:
                db.execute("DELETE FROM bot_options WHERE owner_id = ? AND name = ?", (owner_id, name))
                return True
            known = {row["name"] for row in db.execute(_OPTIONS, (owner_id,))}
            if name not in known and len(known) >= OPTIONS_LIMIT:
                return False
            db.execute(_SAY, (owner_id, name, value, value))
            return True

        return await self._database.write(work)


def _preferences(row: Any, options: Mapping[str, str]) -> Preferences:
    if row is None:
        return Preferences(options=options)
    return Preferences(
        suffix=row["suffix"],
        speed=None if row["speed"] is None else Speed(row["speed"]),
        raw=bool(row["raw"]),
        stylize=row["stylize"],
        version=row["version"],
        strength=Strength(row["strength"]),
        auto_dm=bool(row["auto_dm"]),
        options=options,
    )
