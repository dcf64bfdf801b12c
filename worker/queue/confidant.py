"""The counter for what people ask about themselves."""

import asyncio
import json
import sqlite3
import zipfile
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import structlog

from worker.api import JobDesk, JobId, JobNotFound, PictureGone
from worker.database import Database
from worker.images import ImageStore
from worker.privacy import Forgotten, Handed, Sentence, Unstoppable
from worker.queue import privacy

PATIENCE_SECONDS = 20.0  # for running jobs to stop: a step of a large model takes seconds
SEEN_SECONDS = 3.0  # for a bot, if one runs, to see that they did
LOOK_SECONDS = 0.1
MARGIN_BYTES = 64 * 1024  # of an archive, for its own table of contents
SMALL_BYTES = 64 * 1024 * 1024  # overwritten within three seconds; upkeep does a larger file, once for all
BUSY_SECONDS = 30.0  # how long overwriting waits for its turn

log = structlog.get_logger(__name__)


class Confidant:
    """A `PrivacyDesk` over the queue's database and pictures."""

    def __init__(
        self,
        database: Database,
        images: ImageStore,
        desk: JobDesk,
        *,
        clock: Callable[[], float],
        random: Random,
        sentence: Sentence,
    ) -> None:
        """Put the parts together.

        Args:
            database: The queue's, open.
            images: Where the pictures are.
            desk: Stops jobs.
            clock: Tells Unix seconds.
            random: Where the numbers come from that take the place of people's.
            sentence: What follows from strikes; being forgotten does not end it.
        """
        self._database = database
        self._images = images
        self._desk = desk
        self._clock = clock
        self._random = random
        self._sentence = sentence

    async def jobs_of(self, owner_id: int) -> Collection[JobId]:
        """Return every job of theirs."""
        return await self._database.read(partial(privacy.job_ids, owner_id=owner_id))

    async def export(self, owner_id: int, file: Path, *, most_bytes: int | None = None) -> Handed:
        """Write everything about *owner_id* to *file*, a zip; the newest pictures that fit."""
        about, jobs = await self._database.read(
            lambda db: (privacy.rows_about(db, owner_id), list(privacy.jobs_about(db, owner_id)))
        )
        return await asyncio.to_thread(_written, file, about, jobs, self._images, most_bytes)

    async def forget(self, owner_id: int) -> Forgotten:
        """Stop their jobs, then remove rows, pictures, and what is left of both on the disk.

        Raises:
            Unstoppable: A job did not stop in time; nothing was forgotten yet.
            DatabaseBusy: Likewise.
        """
        await self._stop(owner_id)
        how = privacy.Oblivion(
            instead=self._random.randrange(1, 2**31),  # far below any id of Discord's
            key=f"{self._random.getrandbits(256):064x}",
            sentence=self._sentence,
        )
        work = partial(privacy.forget, owner_id=owner_id, how=how, now=self._clock())
        jobs = await self._database.write(work)
        if jobs is None:  # ordered in this very moment
            raise Unstoppable
        for job_id in jobs:
            await asyncio.to_thread(self._images.remove, job_id)
        return Forgotten(jobs=len(jobs), scrubbed=await scrub(self._database, most_bytes=SMALL_BYTES))

    async def _stop(self, owner_id: int) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while open_jobs := await self._database.read(partial(privacy.under_way, owner_id=owner_id)):
            if loop.time() > until:
                raise Unstoppable
            for job_id in open_jobs:
                with suppress(JobNotFound):
                    await self._desk.cancel(job_id)
            await asyncio.sleep(LOOK_SECONDS)
        until = loop.time() + SEEN_SECONDS  # else it would wait for news of a job that nobody knows any more
        unseen = partial(privacy.unseen, owner_id=owner_id)
        while loop.time() < until and await self._database.read(unseen):  # noqa: ASYNC110 - another process's
            await asyncio.sleep(LOOK_SECONDS)


async def scrub(database: Database, *, most_bytes: int | None = None) -> bool:
    """Overwrite what was forgotten, if anything was; False where the file was in use for too long.

    Deleting leaves the bytes in the file's free room and in its log. Copies of the database from before a
    schema change or a restore hold them too, and go. A file of more than *most_bytes* is left for later:
    nobody can write meanwhile.
    """
    due = await database.read(
        lambda db: db.execute("SELECT 1 FROM bot_settings WHERE name = ?", (privacy.DUE,)).fetchone()
    )
    if due is None:
        return True
    if most_bytes is not None and database.path.stat().st_size > most_bytes:
        return False
    try:
        await asyncio.to_thread(_overwrite, database.path)
    except (sqlite3.Error, OSError) as error:
        log.warning("not_scrubbed", reason=str(error))
        return False
    await database.write(lambda db: db.execute("DELETE FROM bot_settings WHERE name = ?", (privacy.DUE,)))
    return True


def _overwrite(path: Path) -> None:
    for copy in [
        *path.parent.glob(f"{path.name}.v*.bak*"),
        *path.parent.glob(f"{path.name}.before-restore*"),
    ]:
        copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
        db.execute("VACUUM")
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise sqlite3.OperationalError("the log is being read")


def _written(
    file: Path,
    about: Mapping[str, Any],
    jobs: Collection[Mapping[str, Any]],
    images: ImageStore,
    most_bytes: int | None,
) -> Handed:
    pictures, left_out = 0, 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("jobs.json", json.dumps(jobs, indent=1, ensure_ascii=False))
        archive.writestr("about.json", json.dumps(about, indent=1, ensure_ascii=False))
        for job in jobs:
            for name in dict.fromkeys((*job["files"], *job["inputs"].values())):
                with suppress(PictureGone):
                    body = images.read(name)
                    here = archive.fp.tell() if archive.fp else 0
                    if most_bytes is not None and here + len(body) + MARGIN_BYTES > most_bytes:
                        left_out += 1
                        continue
                    # PNGs do not shrink any further.
                    archive.writestr(name.partition("/")[2], body, zipfile.ZIP_STORED)
                    pictures += 1
    return Handed(jobs=len(jobs), pictures=pictures, left_out=left_out)
