"""What the bot remembers between its lives."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.batch import Batches
from bot.people import People
from worker.api import EventId, JobId
from worker.database import STORE_FAILURES, Database

__all__ = ["STORE_FAILURES", "Arrival", "Fix", "Place", "Post", "Settings", "Shown", "Stage"]

FIX_DAYS = 30  # corrected prompts are kept so long
PRUNED = 1000  # rows forgotten at once, so that nobody waits long for the lock

_CURSOR = "courier_cursor"


class Stage(StrEnum):
    """How far the showing of a job is. The text is the database value."""

    OPEN = "open"  # under way
    DUE = "due"  # over; its outcome is not yet shown
    INTENDED = "intended"  # the outcome's POST may have happened
    POSTED = "posted"  # it has; the progress message is still there
    DONE = "done"  # nothing is left to do


@dataclass(frozen=True, slots=True)
class Post:
    """Which messages show a job."""

    job_id: JobId
    channel_id: int
    stage: Stage
    progress_id: int | None
    result_id: int | None
    intended_at: float | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message shows of a job: its outcome, or how far it is."""

    job_id: JobId
    outcome: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is."""

    channel_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """News of a job, as the courier takes it from the outbox."""

    job_id: JobId
    channel_id: int
    final: bool


@dataclass(frozen=True, slots=True)
class Fix:
    """A corrected prompt, who may order it, and whether all that its author prefers is in it."""

    prompt: str
    owner_id: int
    whole: bool


_COLUMNS = "job_id, channel_id, stage, progress_id, result_id, intended_at, trouble"
_ARRIVE = """
INSERT INTO bot_posts (job_id, channel_id, stage) VALUES (?, ?, ?)
ON CONFLICT (job_id) DO UPDATE SET stage = excluded.stage WHERE stage = 'open'
"""
_ANSWER = """
INSERT INTO bot_posts (job_id, channel_id, progress_id) VALUES (?, ?, ?)
ON CONFLICT (job_id) DO UPDATE SET progress_id = excluded.progress_id
"""
_PLACES = """
SELECT channel_id, progress_id AS message_id FROM bot_posts WHERE job_id = ? AND progress_id IS NOT NULL
UNION SELECT channel_id, result_id FROM bot_posts WHERE job_id = ? AND result_id IS NOT NULL
UNION SELECT channel_id, message_id FROM bot_copies WHERE job_id = ?
"""
_OLD_POSTS = """
DELETE FROM bot_posts WHERE job_id IN (SELECT job_id FROM bot_posts WHERE stage = 'done'
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = bot_posts.job_id) LIMIT ?)
"""
_OLD_COPIES = """
DELETE FROM bot_copies WHERE message_id IN (SELECT message_id FROM bot_copies
    WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = bot_copies.job_id) LIMIT ?)
"""
_SET = """
INSERT INTO bot_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


class Settings:
    """The bot's own tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.people = People(database)
        self.batches = Batches(database)

    async def value(self, name: str) -> str | None:
        """Return a small fact."""
        found = await self._one("SELECT value FROM bot_settings WHERE name = ?", name)
        return None if found is None else str(found["value"])

    async def remember(self, name: str, value: str) -> None:
        """Keep a small fact."""
        await self._run(_SET, name, value)

    async def cursor(self) -> EventId:
        """Return the event up to which news was taken."""
        return EventId(int(await self.value(_CURSOR) or 0))

    async def take(self, arrivals: Sequence[Arrival], cursor: EventId) -> None:
        """Note what is to be shown and move the cursor, both or neither."""
        rows = [(a.job_id, a.channel_id, Stage.DUE if a.final else Stage.OPEN) for a in arrivals]

        await self._database.write(
            lambda db: (db.executemany(_ARRIVE, rows), db.execute(_SET, (_CURSOR, str(cursor)))),
            durable=False,
        )

    async def post(self, job_id: JobId) -> Post | None:
        """Return which messages show *job_id*."""
        row = await self._one(f"SELECT {_COLUMNS} FROM bot_posts WHERE job_id = ?", job_id)  # noqa: S608
        return None if row is None else _post(row)

    async def unfinished(self) -> Sequence[Post]:
        """Return every job that is not wholly shown."""
        sql = f"SELECT {_COLUMNS} FROM bot_posts WHERE stage <> 'done' ORDER BY rowid"  # noqa: S608
        rows = await self._database.read(lambda db: db.execute(sql).fetchall())
        return [_post(row) for row in rows]

    async def shown_by(self, message_id: int) -> Shown | None:
        """Return what a message shows."""
        sql = (
            "SELECT job_id, coalesce(result_id = ?, 0) AS outcome FROM bot_posts"
            " WHERE progress_id = ? OR result_id = ?"
            " UNION ALL SELECT job_id, 1 FROM bot_copies WHERE message_id = ? LIMIT 1"
        )
        row = await self._one(sql, *[message_id] * 4)
        return None if row is None else Shown(JobId(row["job_id"]), bool(row["outcome"]))

    async def copied(self, job_id: JobId, channel_id: int, message_id: int) -> None:
        """Note a message that shows the outcome of *job_id* once more; the same again changes nothing."""
        sql = "INSERT OR IGNORE INTO bot_copies (message_id, channel_id, job_id) VALUES (?, ?, ?)"
        await self._run(sql, message_id, channel_id, job_id)

    async def forget(self, job_id: JobId) -> Sequence[Place]:
        """Note that *job_id* is deleted and return the messages that show it."""

        def work(db: Any) -> list[Place]:
            db.execute("UPDATE bot_posts SET stage = 'done' WHERE job_id = ?", (job_id,))
            rows = db.execute(_PLACES, (job_id, job_id, job_id)).fetchall()
            return [Place(row["channel_id"], row["message_id"]) for row in rows]

        return await self._database.write(work)

    async def places_of(self, job_ids: Collection[JobId]) -> Sequence[Place]:
        """Return every message that shows one of *job_ids*."""

        def work(db: Any) -> list[Place]:
            found = [row for job_id in job_ids for row in db.execute(_PLACES, (job_id, job_id, job_id))]
            return [Place(row["channel_id"], row["message_id"]) for row in found]

        return await self._database.read(work)

    async def answered(self, job_id: JobId, channel_id: int, progress_id: int) -> None:
        """Note the message that shows *job_id* under way."""
        await self._run(_ANSWER, job_id, channel_id, progress_id)

    async def intend(self, job_id: JobId, now: float) -> bool:
        """Note, before the POST, that the outcome may be about to appear; the first time counts.

        Returns:
            False if nothing is to be posted any more.
        """
        sql = (
            "UPDATE bot_posts SET stage = 'intended', intended_at = coalesce(intended_at, ?)"
            " WHERE job_id = ? AND stage IN ('open', 'due', 'intended')"
        )
        return await self._run(sql, now, job_id, durable=True)

    async def withdraw(self, job_id: JobId) -> None:
        """Note that Discord refused the POST: the outcome has certainly not appeared."""
        sql = "UPDATE bot_posts SET stage = 'due', intended_at = NULL WHERE job_id = ? AND stage = 'intended'"
        await self._run(sql, job_id)

    async def posted(self, job_id: JobId, result_id: int) -> bool:
        """Note the message that shows the outcome.

        Returns:
            False if the job was deleted meanwhile, so that the message must go.
        """
        sql = "UPDATE bot_posts SET stage = 'posted', result_id = ? WHERE job_id = ? AND stage <> 'done'"
        return await self._run(sql, result_id, job_id, durable=True)

    async def done(self, job_id: JobId, trouble: str | None = None) -> None:
        """Note that nothing is left to do, and why if the outcome could not be shown."""
        await self._run("UPDATE bot_posts SET stage = 'done', trouble = ? WHERE job_id = ?", trouble, job_id)

    async def prune(self) -> int:
        """Forget some messages of jobs that are no longer there; return how many."""
        return await self._database.write(
            lambda db: sum(db.execute(sql, (PRUNED,)).rowcount for sql in (_OLD_POSTS, _OLD_COPIES)),
            durable=False,
        )

    async def keep_fix(
        self, fix_id: str, prompt: str, now: float, *, owner_id: int, whole: bool = True
    ) -> None:
        """Keep a corrected prompt for its button, and drop those that are too old.

        *whole* says whether everything that its author prefers is in it.
        """
        oldest = now - FIX_DAYS * 86400
        await self._database.write(
            lambda db: (
                db.execute("DELETE FROM bot_fixes WHERE created_at < ?", (oldest,)),
                db.execute(
                    "INSERT INTO bot_fixes (id, prompt, created_at, owner_id, whole) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    (fix_id, prompt, now, owner_id, whole),
                ),
            ),
            durable=False,
        )

    async def fix(self, fix_id: str) -> Fix | None:
        """Return a corrected prompt."""
        row = await self._one("SELECT prompt, owner_id, whole FROM bot_fixes WHERE id = ?", fix_id)
        return None if row is None else Fix(str(row["prompt"]), row["owner_id"], bool(row["whole"]))

    async def _one(self, sql: str, *values: object) -> Any:
        return await self._database.read(lambda db: db.execute(sql, values).fetchone())

    async def _run(self, sql: str, *values: object, durable: bool = False) -> bool:
        """Run one statement; True if it changed a row."""
        return await self._database.write(lambda db: db.execute(sql, values).rowcount > 0, durable=durable)


def _post(row: Any) -> Post:
    return Post(
        job_id=JobId(row["job_id"]),
        channel_id=row["channel_id"],
        stage=Stage(row["stage"]),
        progress_id=row["progress_id"],
        result_id=row["result_id"],
        intended_at=row["intended_at"],
        trouble=row["trouble"],
    )
