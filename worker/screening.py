"""What a worker looks for on behalf of moderation: in prompts before drawing, in pictures before showing."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping

import structlog

from worker.api import Category, Job, JobId
from worker.database import Database
from worker.meaning import MeaningGate
from worker.safety import SafetyChecker

GRID = "grid.png"  # made of the others: not judged again
UNJUDGED = 1.0  # the score of a picture that the gate failed on: what cannot be judged is not shown off

log = structlog.get_logger()


class Screening:
    """The worker's gates; either may be absent."""

    def __init__(
        self,
        database: Database,
        *,
        pictures: SafetyChecker | None,
        meaning: MeaningGate | None,
        threshold: float,
    ) -> None:
        """Use what there is; *threshold* is the score from which a preview is not shown."""
        self._database = database
        self._pictures = pictures
        self._meaning = meaning
        self._threshold = threshold

    async def refuses(self, job: Job) -> bool:
        """Tell whether *job* must not be drawn, and note for which category.

        Raises:
            WorkerError: The database is busy, or the disk full.
        """
        if self._meaning is None:
            return False
        watched = await self._database.read(lambda db: _watched(db, job.id))
        if not watched:
            return False
        text = " ".join(part.text for part in job.request.parts if part.weight >= 0)
        found = await asyncio.to_thread(self._meaning.nearest, text, watched)
        if found is None:
            return False
        await self._database.write(
            lambda db: db.execute(
                "UPDATE prompt_screens SET found = ? WHERE key = (SELECT key FROM jobs WHERE id = ?)",
                (found, job.id),
            )
        )
        log.info("prompt_refused", job_id=job.id, category=found.value)
        return True

    async def judge(self, job_id: JobId, pictures: Mapping[str, bytes]) -> None:
        """Store how adult the finished *pictures* look, by file name.

        Raises:
            WorkerError: The database is busy, or the disk full.
        """
        if self._pictures is None:
            return
        singles = [name for name in pictures if name != GRID]
        rows = [(job_id, name, await self._score(job_id, pictures[name])) for name in singles]
        await self._database.write(
            lambda db: db.executemany(
                "INSERT INTO picture_scores (job_id, name, score) SELECT ?1, ?2, ?3"
                " WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1)"
                " ON CONFLICT DO UPDATE SET score = excluded.score",
                rows,
            )
        )

    async def may_preview(self, job_id: JobId, preview: bytes) -> bool:
        """Tell whether a half-drawn picture may be shown."""
        return self._pictures is None or await self._score(job_id, preview) < self._threshold

    async def _score(self, job_id: JobId, picture: bytes) -> float:
        assert self._pictures is not None  # noqa: S101 - the callers looked
        try:
            score = await asyncio.to_thread(self._pictures.score, picture)
        except Exception as error:  # noqa: BLE001 - whatever a foreign library raises on a picture
            log.warning("picture_not_judged", job_id=job_id, error=repr(error))
            return UNJUDGED
        return min(1.0, max(0.0, score))


def _watched(db: sqlite3.Connection, job_id: JobId) -> list[Category]:
    row = db.execute(
        "SELECT categories FROM prompt_screens WHERE key = (SELECT key FROM jobs WHERE id = ?)", (job_id,)
    ).fetchone()
    return [] if row is None else [Category(name) for name in json.loads(row["categories"])]
