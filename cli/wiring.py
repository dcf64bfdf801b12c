"""How the parts fit together: the only place that constructs them."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom

from cli import checkpoint
from cli.config import Settings
from cli.folder import Folder, opened
from worker.api import JobDesk
from worker.database import Database
from worker.images import ImageStore
from worker.queue.confidant import Confidant
from worker.queue.desk import SqliteDesk
from worker.queue.office import SqliteAdminDesk
from worker.queue.quota import Rules


@asynccontextmanager
async def desk_of(settings: Settings) -> AsyncIterator[JobDesk]:
    """Open the data folder and hand out its desk."""
    folder = opened(settings.data)
    async with Database(folder.database) as database:
        yield desk_on(database, folder, settings)


def desk_on(database: Database, folder: Folder, settings: Settings) -> SqliteDesk:
    """Return the desk over an open database."""
    return SqliteDesk(
        database,
        ImageStore(folder.pictures),
        limits=settings.limits,
        credits=settings.credits,
        catalogue=checkpoint.catalogue(settings),
        clock=time.time,
        random=SystemRandom(),
        locks=folder.root,
    )


def confidant_on(database: Database, folder: Folder, desk: JobDesk, settings: Settings) -> Confidant:
    """Return who knows what is held about people, over an open database."""
    return Confidant(
        database,
        ImageStore(folder.pictures),
        desk,
        clock=time.time,
        random=SystemRandom(),
        sentence=settings.moderation.sanctions.timeout_until,
    )


def office_on(database: Database, folder: Folder, settings: Settings) -> SqliteAdminDesk:
    """Return the admins' desk over an open database."""
    return SqliteAdminDesk(
        database,
        models=checkpoint.catalogue(settings).names,
        rules=Rules(settings.limits, settings.credits),
        pictures=folder.pictures,
        clock=time.time,
        random=SystemRandom(),
        locks=folder.root,
    )
