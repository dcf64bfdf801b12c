"""The bot's process."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import discord

from bot.client import Journeyman
from bot.endpoint import aim
from bot.settings import Settings as BotSettings
from bot.texts import Texts
from cli.config import Settings
from cli.failures import Failure
from cli.folder import opened
from cli.wiring import desk_on
from worker.database import Database
from worker.lock import FileLock, LockHeld
from worker.queue.upkeep import Upkeep


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
            async with Database(folder.database) as database:
                client = Journeyman(
                    desk_on(database, folder, settings), BotSettings(database), clock=time.time
                )
                upkeep = Upkeep(database, None, clock=time.time, monotonic=time.monotonic, locks=folder.root)
                # Here too: with no worker left, somebody must notice that its jobs are waiting again.
                async with asyncio.TaskGroup() as group:
                    chores = group.create_task(upkeep.run())
                    await _connected(client, token, ready)
                    chores.cancel()
    except LockHeld as error:
        raise Failure(
            f"A bot already runs on the data folder {folder.root} ({error.holder}), and two would answer "
            "everything twice: stop it first, or use another folder with --data."
        ) from None


async def _connected(client: Journeyman, token: str, ready: Callable[[], None]) -> None:
    async def tell() -> None:
        ready()

    client.add_listener(tell, "on_ready")
    try:
        await client.serve(token)
    except (aiohttp.ClientError, discord.DiscordServerError, discord.GatewayNotFound) as error:
        sentence = f"Discord could not be reached: {error}. Check the network and try again."
        raise Failure(sentence, passing=True) from error
