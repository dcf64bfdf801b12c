"""How the parts fit together: the only place that constructs them."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom
from urllib.parse import urlsplit

from cli import checkpoint
from cli.config import Settings
from cli.folder import Folder, opened
from worker.api import JobDesk
from worker.catalogue import Catalogue
from worker.database import Database
from worker.guard import Guard, loopback
from worker.images import ImageStore
from worker.links import Links
from worker.queue.confidant import Confidant
from worker.queue.desk import SqliteDesk
from worker.queue.office import SqliteAdminDesk
from worker.queue.quota import Rules
from worker.queue.upkeep import Upkeep


@asynccontextmanager
async def desk_of(settings: Settings) -> AsyncIterator[JobDesk]:
    """Open the data folder and hand out its desk."""
    folder = opened(settings.data)
    async with Database(folder.database) as database:
        yield desk_on(database, folder, settings)


def desk_on(
    database: Database, folder: Folder, settings: Settings, catalogue: Catalogue | None = None
) -> SqliteDesk:
    """Return the desk over an open database; without *catalogue* it is read anew."""
    return SqliteDesk(
        database,
        ImageStore(folder.pictures),
        limits=settings.limits,
        credits=settings.credits,
        catalogue=catalogue or checkpoint.catalogue(settings),
        links=Links(Guard(settings.images.hosts, local_discord(settings))),
        clock=time.time,
        random=SystemRandom(),
        locks=folder.root,
    )


def local_discord(settings: Settings) -> str | None:
    """Return the origin of the Discord on this machine that the bot talks to, None if it is the real one."""
    if settings.discord_api is None:
        return None
    try:
        parts = urlsplit(settings.discord_api)
    except ValueError:  # the bot says so when it starts
        return None
    return f"{parts.scheme}://{parts.netloc}" if loopback(parts.hostname) else None


def upkeep_on(
    database: Database, folder: Folder, settings: Settings, images: ImageStore | None = None
) -> Upkeep:
    """Return the chores of a data folder; without *images* those that leave pictures alone."""
    return Upkeep(
        database,
        images,
        clock=time.time,
        monotonic=time.monotonic,
        locks=folder.root,
        retention=settings.retention,
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
    catalogue = checkpoint.catalogue(settings)
    return SqliteAdminDesk(
        database,
        models=catalogue.names,
        flags={entry.name: entry.flags for entry in catalogue.entries},
        rules=Rules(settings.limits, settings.credits),
        pictures=folder.pictures,
        clock=time.time,
        random=SystemRandom(),
        locks=folder.root,
    )
