"""The bot's process."""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import aiohttp
import discord
import structlog

from bot.client import Journeyman
from bot.endpoint import aim
from bot.metrics import DiscordMetrics, is_connected
from bot.settings import Settings as BotSettings
from bot.texts import Texts
from cli import checkpoint
from cli.config import Settings
from cli.facts import facts
from cli.failures import Failure
from cli.folder import Folder, opened
from cli.moderation import moderation_on
from cli.monitor import Monitor, usable
from cli.wiring import confidant_on, desk_on, office_on, upkeep_on
from worker.api import JobDesk, WorkerError
from worker.catalogue import Catalogue
from worker.database import Database
from worker.lock import FileLock, LockHeld
from worker.metrics import DatabaseMetrics, QueueMetrics
from worker.queue.desk import SqliteDesk
from worker.queue.upkeep import PRUNE_SECONDS

LOOK_SECONDS = 3.0  # between two looks for the files of a model that is not ready

log = structlog.get_logger(__name__)


async def serve(settings: Settings, ready: Callable[[], None]) -> None:
    """Serve Discord until cancelled.

    Args:
        settings: The configuration.
        ready: Called whenever the bot is connected and its commands work.

    Raises:
        Failure: Another bot runs on the data folder, or Discord cannot be reached.
        Stopped: Discord refused the bot; the message is a sentence for the operator.
    """
    token = settings.token
    for silent in ("warn_nacl", "warn_dave"):  # the bot never speaks: missing voice libraries are no news
        setattr(discord.VoiceClient, silent, False)
    folder = opened(settings.data)
    try:
        with FileLock(folder.bot_lock):
            await aim(settings.discord_api, Texts())
            monitor = Monitor("bot")
            told, discords = DatabaseMetrics(monitor.registry), DiscordMetrics(monitor.registry)
            async with Database(folder.database, wrote=told.wrote) as database:
                catalogue = checkpoint.catalogue(settings)
                desk = desk_on(database, folder, settings, catalogue)
                client = client_on(database, folder, settings, discords, desk)
                # What is there now stays to the end: to search it for garbage again and again would hold up
                # everybody's answer for a tenth of a second each time.
                gc.freeze()
                watch(monitor, client, database, folder, discords)
                upkeep = upkeep_on(database, folder, settings)
                # Here too: with no worker left, somebody must notice that its jobs are waiting again.
                ports = settings.monitor
                async with (
                    monitor.serving(ports.address, ports.bot, folder.root),
                    asyncio.TaskGroup() as group,
                ):
                    chores = [
                        group.create_task(upkeep.run()),
                        group.create_task(tidied(BotSettings(database))),
                        group.create_task(restocked(settings, desk, client, catalogue)),
                    ]
                    await _connected(client, token, ready)
                    for chore in chores:
                        chore.cancel()
    except LockHeld as error:
        raise Failure(
            f"A bot already runs on the data folder {folder.root} ({error.holder}), and two would answer "
            "everything twice: stop it first, or use another folder with --data."
        ) from None


def client_on(
    database: Database, folder: Folder, settings: Settings, metrics: DiscordMetrics, desk: JobDesk
) -> Journeyman:
    """The bot on *database*, not connected yet."""
    return Journeyman(
        desk,
        BotSettings(database),
        clock=time.time,
        trace=metrics.trace,
        moderation=moderation_on(database, desk, settings.moderation),
        office=office_on(database, folder, settings),
        home=frozenset(settings.admin.servers),
        confidant=confidant_on(database, folder, desk, settings),
        facts=facts(settings),
    )


async def restocked(
    settings: Settings,
    desk: SqliteDesk,
    client: Journeyman,
    catalogue: Catalogue,
    pause: float = LOOK_SECONDS,
) -> None:
    """Take orders for each model of *catalogue* that is not ready as soon as its files say what it is."""
    while catalogue.unready:
        await asyncio.sleep(pause)
        try:
            found = await asyncio.to_thread(checkpoint.catalogue, settings)
            known = await asyncio.to_thread(facts, settings) if found != catalogue else client.facts
        except (Failure, OSError):  # files that are being changed: the next time will do
            continue
        if found != catalogue:
            catalogue, client.facts = found, known
            desk.restock(catalogue)
            log.info("models_ready", models=sorted({*catalogue.names} - catalogue.unready))


async def tidied(remembered: BotSettings) -> None:
    """Forget, once an hour, the messages of jobs that have aged out or were deleted."""
    while True:
        with suppress(WorkerError):  # the database is busy: the next time will do
            while await remembered.prune():
                pass
        await asyncio.sleep(PRUNE_SECONDS)


def watch(
    monitor: Monitor, client: Journeyman, database: Database, folder: Folder, metrics: DiscordMetrics
) -> None:
    """Have *monitor* tell of the bot and of the queue; a bot is ready while Discord and database answer."""
    queue = QueueMetrics(monitor.registry, database, folder.root, clock=time.time)
    remembered = BotSettings(database)
    metrics.listen(client)

    async def look() -> None:
        metrics.refresh(client, await remembered.unfinished())

    async def connection() -> str | None:
        return None if is_connected(client) else "Discord is not connected"

    monitor.readings += [look, queue.refresh]
    monitor.checks |= {"database": partial(usable, database), "discord": connection}


async def _connected(client: Journeyman, token: str, ready: Callable[[], None]) -> None:
    async def tell() -> None:
        ready()

    client.add_listener(tell, "on_ready")
    try:
        await client.serve(token)
    except (aiohttp.ClientError, discord.DiscordServerError, discord.GatewayNotFound) as error:
        sentence = f"Discord could not be reached: {error}. Check the network and try again."
        raise Failure(sentence, passing=True) from error
