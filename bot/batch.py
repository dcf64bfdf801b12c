"""Batches: several jobs ordered by one command, kept from the question to the last of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.origin import Addition, Origin
from worker.api import Frozen, Membership
from worker.database import Database

KEPT_SECONDS = 30 * 86400.0  # as long as a question may be answered


class BatchState(StrEnum):
    """How far a batch is. The text is the database value."""

    ASKED = "asked"  # nothing is queued
    ORDERED = "ordered"  # its jobs are being queued
    DONE = "done"  # as many as could be are
    DROPPED = "dropped"  # none shall be


class BatchJob(Frozen):
    """One job of a batch: its whole prompt, and what of it was not typed."""

    prompt: str
    added: tuple[Addition, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch.

    Attributes:
        id: Of the interaction that asked for it.
        owner_id: Who may order it.
        prompt: The command as typed.
        jobs: In order.
        state: How far it is.
        origin: Of the press that ordered it.
        membership: Of its owner at that time.
        queued: How many of its jobs were queued when it last ended.
    """

    id: str
    owner_id: int
    prompt: str
    jobs: tuple[BatchJob, ...]
    state: BatchState = BatchState.ASKED
    origin: Origin | None = None
    membership: Membership | None = None
    queued: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is left to queue."""
        return self.state is BatchState.DONE and self.queued >= len(self.jobs)

    def key(self, index: int) -> str:
        """Return what job number *index* is queued under, however often."""
        return f"batch:{self.id}:{index}"


_JOBS: TypeAdapter[tuple[BatchJob, ...]] = TypeAdapter(tuple[BatchJob, ...])
_SELECT = "SELECT id, owner_id, prompt, jobs, state, origin, membership, queued FROM bot_batches WHERE "


class Batches:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, batch: Batch, now: float) -> None:
        """Keep a question, and forget those that are too old."""
        row = (batch.id, batch.owner_id, batch.prompt, _JOBS.dump_json(batch.jobs).decode(), now)
        await self._database.write(
            lambda db: (
                db.execute("DELETE FROM bot_batches WHERE created_at < ?", (now - KEPT_SECONDS,)),
                db.execute(
                    "INSERT INTO bot_batches (id, owner_id, prompt, jobs, created_at) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    row,
                ),
            )
        )

    async def find(self, batch_id: str) -> Batch | None:
        """Return a batch, None if it is not known any more."""
        row = await self._database.read(lambda db: db.execute(_SELECT + "id = ?", (batch_id,)).fetchone())
        return None if row is None else _batch(row)

    async def under_way(self) -> Sequence[Batch]:
        """Return those whose jobs were being queued when the bot stopped."""
        rows = await self._database.read(
            lambda db: db.execute(_SELECT + "state = 'ordered' ORDER BY created_at").fetchall()
        )
        return [_batch(row) for row in rows]

    async def order(self, batch_id: str, origin: Origin, membership: Membership) -> bool:
        """Note, before the first job is queued, that all of them shall be; False if none shall any more."""
        sql = (
            "UPDATE bot_batches SET state = 'ordered', origin = ?, membership = ?"
            " WHERE id = ? AND state <> 'dropped'"
        )
        return await self._run(sql, origin.text, membership.model_dump_json(), batch_id)

    async def ordered(self, batch_id: str) -> bool:
        """Tell whether the jobs of a batch are still wanted; not if its person was forgotten."""
        sql = "SELECT 1 FROM bot_batches WHERE id = ? AND state = 'ordered'"
        return await self._database.read(lambda db: db.execute(sql, (batch_id,)).fetchone() is not None)

    async def end(self, batch_id: str, queued: int) -> None:
        """Note that nothing more is to be queued by itself; what keeps a secret goes."""
        sql = (
            "UPDATE bot_batches SET state = 'done', origin = NULL, queued = ?"
            " WHERE id = ? AND state = 'ordered'"
        )
        await self._run(sql, queued, batch_id)

    async def drop(self, batch_id: str, owner_id: int) -> bool:
        """Note that none shall be queued; False if it is too late for that."""
        sql = (
            "UPDATE bot_batches SET state = 'dropped'"
            " WHERE id = ? AND owner_id = ? AND state IN ('asked', 'dropped')"
        )
        return await self._run(sql, batch_id, owner_id)

    async def _run(self, sql: str, *values: object) -> bool:
        return await self._database.write(lambda db: db.execute(sql, values).rowcount > 0)


def _batch(row: Any) -> Batch:
    membership = row["membership"]
    return Batch(
        id=row["id"],
        owner_id=row["owner_id"],
        prompt=row["prompt"],
        jobs=_JOBS.validate_json(row["jobs"]),
        state=BatchState(row["state"]),
        origin=None if row["origin"] is None else Origin.model_validate_json(row["origin"]),
        membership=None if membership is None else Membership.model_validate_json(membership),
        queued=row["queued"],
    )
