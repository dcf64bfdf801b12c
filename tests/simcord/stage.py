"""The same bot in somebody else's Discord: a disagreement with the playground is a finding."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import TypeVar

import discord
import simcord

from bot.client import Journeyman
from bot.outlet import custom_ids
from bot.settings import Settings
from tests.bot.easel import Easel
from tests.bot.studio import QUICK
from worker.api import Limits
from worker.catalogue import Catalogue
from worker.database import Database
from worker.images import ImageStore
from worker.queue.desk import SqliteDesk
from worker.recipe import ModelProfile

T = TypeVar("T")


class Settling(Journeyman):
    """The bot without its courier, which never rests: SimCord waits until everything a bot started has."""

    def start_courier(self) -> None:
        """Leave it to the stage."""


class Stage:
    """A guild with a channel and a member, the bot in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Stage"]:
        async with Database(self.folder / "bot.sqlite3") as database:
            images = ImageStore(self.folder)
            self.desk = SqliteDesk(
                database,
                images,
                limits=Limits(),
                catalogue=Catalogue.of(ModelProfile(name="tiny", source="tiny", size=64)),
                clock=time.time,
                random=Random(7),
                locks=self.folder,
            )
            self.settings = Settings(database)
            async with (
                Easel(database, images, self.folder) as self.easel,
                simcord.run(self.bot()) as self.env,
            ):
                self.guild = self.env.create_guild()
                self.channel = self.guild.create_text_channel("imagine")
                self.alice = self.guild.add_member(self.env.create_user("alice"))
                async with self.courier():
                    yield self

    def bot(self) -> Settling:
        self.journeyman = Settling(self.desk, self.settings, clock=time.time, pace=QUICK)
        return self.journeyman

    @asynccontextmanager
    async def courier(self) -> AsyncIterator[None]:
        """Run the courier of the bot as it is now."""
        task = asyncio.create_task(self.journeyman.courier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, what: Callable[[], T | None]) -> T:
        """Wait until *what* returns something."""
        async with asyncio.timeout(20):
            while not (found := what()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # the courier works on its own
        return found

    def shown(self, *words: str, having: str = "") -> discord.Message | None:
        """Return the newest message of the channel with all *words* and a button that does *having*."""
        for message in reversed(self.channel.history()):
            ids = " ".join(custom_ids(message))
            if all(word in message.content for word in words) and having in ids:
                return message
        return None
