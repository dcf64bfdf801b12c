"""What moderation remembers of people and jobs: refusals, appeals, strikes, what the worker found."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.moderation.trail import note
from worker.api import Category, Frozen, JobId
from worker.database import Database
from worker.privacy import ALIAS_KEY, alias

KEPT_SECONDS = 30 * 86400.0  # refused prompts, from the refusal or the decision on
SCREEN_SECONDS = 86400.0  # a screen whose job never came
DOUBT_SECONDS = 60.0  # after which a pardon whose job never came is free again

_REFUSAL = (
    "id, guild_id, channel_id, user_id, locale, category, gate, prompt, fingerprint, created_at, state,"
    " appeal_channel_id, appeal_message_id, decided_by"
)
_FREE = (  # a pardon that may be used: approved, or taken for a job that never came
    "guild_id = :guild AND user_id = :user AND fingerprint = :fingerprint AND (state = 'approved' OR"
    " (state = 'used' AND used_at < :doubt AND NOT EXISTS (SELECT 1 FROM jobs WHERE key = used_key)))"
)


class Gate(StrEnum):
    """Which gate refused. The text is the database value."""

    WORDS = "words"
    MEANING = "meaning"


class RefusalState(StrEnum):
    """How far a refusal is. The text is the database value."""

    REFUSED = "refused"
    FINAL = "final"
    APPEALED = "appealed"
    APPROVED = "approved"
    USED = "used"
    DENIED = "denied"


class Refusal(Frozen):
    """A prompt that was refused."""

    id: str  # of the interaction
    guild_id: int
    channel_id: int
    user_id: int
    locale: str
    category: Category
    gate: Gate
    prompt: str
    fingerprint: str
    created_at: float
    state: RefusalState = RefusalState.REFUSED
    appeal_channel_id: int | None = None
    appeal_message_id: int | None = None
    decided_by: int | None = None


class Strike(Frozen):
    """One strike of a person."""

    category: Category
    at: float
    forgiven_by: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """What counts for a person's order.

    Attributes:
        version: Of the server's rules and words.
        strikes: Times of those that count.
        adult: Whether the server's admins marked the channel as adult.
        kept: When a timeout ends that outlived being forgotten; None if there is none.
    """

    version: int
    strikes: tuple[float, ...]
    adult: bool
    kept: float | None


class Records:
    """The tables of moderation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- orders ------------------------------------------------------------------------------------------

    async def person(self, guild_id: int, channel_id: int, user_id: int, since: float) -> Person:
        """Return what counts for an order; strikes from before *since* do not."""

        def work(db: Any) -> Person:
            version = db.execute(
                "SELECT coalesce(max(version), 0) FROM moderation_versions WHERE guild_id = ?", (guild_id,)
            ).fetchone()[0]
            rows = db.execute(
                "SELECT at FROM moderation_strikes WHERE user_id = ? AND guild_id = ? AND at > ?"
                " AND forgiven_at IS NULL ORDER BY at",
                (user_id, guild_id, since),
            )
            strikes = tuple(row["at"] for row in rows)
            adult = db.execute(
                "SELECT 1 FROM channel_rules WHERE guild_id = ? AND channel_id = ? AND nsfw",
                (guild_id, channel_id),
            ).fetchone()
            return Person(version, strikes, adult is not None, _kept(db, guild_id, user_id))

        return await self._database.read(work)

    async def refuse(self, refusal: Refusal, *, strike: bool) -> Refusal:
        """Note a refusal, and its strike if it has one; the same again changes nothing.

        Returns:
            What is stored.
        """

        def work(db: Any) -> Refusal:
            db.execute(
                "INSERT INTO moderation_refusals (id, guild_id, channel_id, user_id, locale, category, gate,"
                " prompt, fingerprint, created_at, state) VALUES (:id, :guild_id, :channel_id, :user_id,"
                " :locale, :category, :gate, :prompt, :fingerprint, :created_at, :state)"
                " ON CONFLICT DO NOTHING",
                refusal.model_dump(mode="json"),
            )
            if strike:
                db.execute(
                    "INSERT INTO moderation_strikes (guild_id, user_id, category, refusal_id, at)"
                    " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (
                        refusal.guild_id,
                        refusal.user_id,
                        refusal.category,
                        refusal.id,
                        refusal.created_at,
                    ),
                )
            _prune(db, refusal.created_at)
            return _refusal(db, refusal.id) or refusal

        return await self._database.write(work)

    async def take_pardon(self, refusal: Refusal, key: str, now: float) -> str | None:
        """Use up what the moderators let pass, for the job that *key* will be; return its id if any."""
        facts = {
            "guild": refusal.guild_id,
            "user": refusal.user_id,
            "fingerprint": refusal.fingerprint,
            "doubt": now - DOUBT_SECONDS,
            "key": key,
            "now": now,
        }

        def look(db: Any) -> Any:
            sql = f"SELECT id FROM moderation_refusals WHERE {_FREE} LIMIT 1"  # noqa: S608 - our own words
            return db.execute(sql, facts).fetchone()

        def work(db: Any) -> str | None:
            row = look(db)
            if row is None:
                return None
            db.execute(
                "UPDATE moderation_refusals SET state = 'used', used_key = :key, used_at = :now"
                " WHERE id = :id",
                facts | {"id": row["id"]},
            )
            return str(row["id"])

        if await self._database.read(look) is None:  # as nearly always: reading keeps nobody waiting
            return None
        return await self._database.write(work)

    async def return_pardon(self, key: str) -> None:
        """Give back the pardon taken for an order that was then not accepted."""
        sql = (
            "UPDATE moderation_refusals SET state = 'approved', used_key = NULL, used_at = NULL"
            " WHERE used_key = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE key = used_key)"
        )
        await self._run(sql, key)

    # -- what the worker looks for and finds -------------------------------------------------------------

    async def screen(self, key: str, categories: Collection[Category], now: float) -> None:
        """Have the worker look for *categories* in the prompt of the job that *key* will be."""
        names = json.dumps([category.value for category in categories])
        sql = "INSERT OR IGNORE INTO prompt_screens (key, categories, created_at) VALUES (?, ?, ?)"
        await self._database.write(
            lambda db: (
                db.execute(
                    "DELETE FROM prompt_screens WHERE created_at < ? AND key NOT IN (SELECT key FROM jobs)",
                    (now - SCREEN_SECONDS,),
                ),
                db.execute(sql, (key, names, now)),
            ),
            durable=False,
        )

    async def screened_out(self, key: str) -> Category | None:
        """Return what the worker refused a job for."""
        row = await self._one("SELECT found FROM prompt_screens WHERE key = ?", key)
        return None if row is None or row["found"] is None else Category(row["found"])

    async def score(self, job_id: JobId) -> float | None:
        """Return how adult the picture gate found a job's pictures, None if it has not seen them."""
        row = await self._one("SELECT max(score) AS score FROM picture_scores WHERE job_id = ?", job_id)
        return None if row is None else row["score"]

    # -- appeals -----------------------------------------------------------------------------------------

    async def refusal(self, refusal_id: str) -> Refusal | None:
        """Return a refusal."""
        return await self._database.read(lambda db: _refusal(db, refusal_id))

    async def appeal(self, refusal_id: str, channel_id: int) -> None:
        """Note, before the POST, that a refusal goes before the moderators."""
        sql = (
            "UPDATE moderation_refusals SET state = 'appealed', appeal_channel_id = ?"
            " WHERE id = ? AND state IN ('refused', 'appealed') AND appeal_message_id IS NULL"
        )
        await self._run(sql, channel_id, refusal_id)

    async def lost(self, refusal_id: str, message_id: int) -> None:
        """Note that the message before the moderators was deleted, undecided."""
        sql = (
            "UPDATE moderation_refusals SET appeal_message_id = NULL"
            " WHERE id = ? AND appeal_message_id = ? AND state = 'appealed'"
        )
        await self._run(sql, refusal_id, message_id)

    async def withdraw(self, refusal_id: str) -> None:
        """Note that the moderators could not be reached."""
        sql = (
            "UPDATE moderation_refusals SET state = 'refused', appeal_channel_id = NULL"
            " WHERE id = ? AND state = 'appealed' AND appeal_message_id IS NULL"
        )
        await self._run(sql, refusal_id)

    async def posted(self, refusal_id: str, message_id: int) -> None:
        """Note the message before the moderators."""
        sql = "UPDATE moderation_refusals SET appeal_message_id = ? WHERE id = ?"
        await self._run(sql, message_id, refusal_id)

    async def decide(self, refusal_id: str, by: int, now: float, *, approve: bool) -> bool:
        """Decide an appeal, on the record; approval takes its strike back. False if that was done before."""
        state = RefusalState.APPROVED if approve else RefusalState.DENIED
        sql = (
            "UPDATE moderation_refusals SET state = ?, decided_by = ?, decided_at = ?"
            " WHERE id = ? AND state = 'appealed'"
        )

        def work(db: Any) -> bool:
            decided: bool = db.execute(sql, (state, by, now, refusal_id)).rowcount > 0
            refusal = _refusal(db, refusal_id)
            if decided and refusal is not None:
                verb = "moderation approve" if approve else "moderation deny"
                target = f"user {refusal.user_id} refusal {refusal_id}"
                note(db, by, refusal.guild_id, verb, target=target, now=now)
            if decided and approve:
                db.execute(
                    "UPDATE moderation_strikes SET forgiven_by = ?, forgiven_at = ?"
                    " WHERE refusal_id = ? AND forgiven_at IS NULL",
                    (by, now, refusal_id),
                )
            return decided

        return await self._database.write(work)

    async def told(self, refusal_id: str) -> None:
        """Note that the person knows of the decision, or cannot be told."""
        await self._run("UPDATE moderation_refusals SET told = 1 WHERE id = ?", refusal_id)

    async def untold(self) -> Sequence[Refusal]:
        """Return the decided refusals whose people do not know yet."""
        sql = (
            f"SELECT {_REFUSAL} FROM moderation_refusals"  # noqa: S608
            " WHERE told = 0 AND state IN ('approved', 'used', 'denied') ORDER BY decided_at"
        )
        rows = await self._database.read(lambda db: db.execute(sql).fetchall())
        return [Refusal(**dict(row)) for row in rows]

    # -- strikes -----------------------------------------------------------------------------------------

    async def strikes_of(self, guild_id: int, user_id: int) -> Sequence[Strike]:
        """Return every strike of a person there, oldest first, aged out and forgiven ones too."""
        sql = (
            "SELECT category, at, forgiven_by FROM moderation_strikes"
            " WHERE user_id = ? AND guild_id = ? ORDER BY at, id"
        )
        rows = await self._database.read(lambda db: db.execute(sql, (user_id, guild_id)).fetchall())
        return [Strike(**dict(row)) for row in rows]

    async def kept(self, guild_id: int, user_id: int) -> float | None:
        """Return when a person's timeout there ends that outlived being forgotten, None if there is none."""
        return await self._database.read(lambda db: _kept(db, guild_id, user_id))

    async def forgive(self, guild_id: int, user_id: int, by: int, now: float) -> int:
        """Take back every strike of a person there, and with them a timeout, on the record.

        The strikes stay in the table, with who forgave them.

        Returns:
            How many there were.
        """
        sql = (
            "UPDATE moderation_strikes SET forgiven_by = ?, forgiven_at = ?"
            " WHERE user_id = ? AND guild_id = ? AND forgiven_at IS NULL"
        )

        def work(db: Any) -> int:
            count: int = db.execute(sql, (by, now, user_id, guild_id)).rowcount
            kept = _kept(db, guild_id, user_id)
            if kept is not None:
                whom = alias(_alias_key(db) or "", guild_id, user_id)
                db.execute("DELETE FROM moderation_timeouts WHERE whom = ?", (whom,))
            if count or kept is not None:
                facts = {"strikes": count} | ({} if kept is None else {"timeout until": kept})
                note(db, by, guild_id, "moderation forgive", target=f"user {user_id}", before=facts, now=now)
            return count

        return await self._database.write(work)

    async def appeals_of(self, user_id: int) -> Sequence[tuple[int, int]]:
        """Return channel and message of every appeal of a person, which shows their prompt to moderators."""
        sql = (
            "SELECT appeal_channel_id, appeal_message_id FROM moderation_refusals"
            " WHERE user_id = ? AND appeal_message_id IS NOT NULL"
        )
        rows = await self._database.read(lambda db: db.execute(sql, (user_id,)).fetchall())
        return [(row["appeal_channel_id"], row["appeal_message_id"]) for row in rows]

    async def _one(self, sql: str, *values: object) -> Any:
        return await self._database.read(lambda db: db.execute(sql, values).fetchone())

    async def _run(self, sql: str, *values: object) -> None:
        await self._database.write(lambda db: db.execute(sql, values).rowcount)


def _refusal(db: Any, refusal_id: str) -> Refusal | None:
    sql = f"SELECT {_REFUSAL} FROM moderation_refusals WHERE id = ?"  # noqa: S608
    row = db.execute(sql, (refusal_id,)).fetchone()
    return None if row is None else Refusal(**dict(row))


def _kept(db: Any, guild_id: int, user_id: int) -> float | None:
    key = _alias_key(db)
    if key is None:  # nobody's timeout ever outlived them
        return None
    whom = alias(key, guild_id, user_id)
    row = db.execute("SELECT until FROM moderation_timeouts WHERE whom = ?", (whom,)).fetchone()
    return None if row is None else float(row["until"])


def _alias_key(db: Any) -> str | None:
    row = db.execute("SELECT value FROM bot_settings WHERE name = ?", (ALIAS_KEY,)).fetchone()
    return None if row is None else str(row["value"])


def _prune(db: Any, now: float) -> None:
    """Remove refusals that are over; those that wait for the moderators or for their person stay."""
    db.execute(
        "DELETE FROM moderation_refusals WHERE created_at < :old AND coalesce(decided_at, 0) < :old"
        " AND state <> 'appealed'",
        {"old": now - KEPT_SECONDS},
    )
