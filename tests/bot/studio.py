"""A bot with all its parts real but the drawing: local Discord, discord.py, SQLite, desk."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from bot.actions import job_named
from bot.answers import texts_for
from bot.client import Journeyman
from bot.endpoint import aim
from bot.facts import NOTHING
from bot.moderation.gate import Moderation
from bot.moderation.rules import Sanctions
from bot.pace import Pace
from bot.settings import Settings
from playground.server import Playground
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.easel import Easel
from worker.accounts import Credits
from worker.api import Job, JobId, Limits
from worker.catalogue import Catalogue
from worker.database import Database
from worker.guard import Guard
from worker.images import ImageStore
from worker.links import Links
from worker.queue.confidant import Confidant
from worker.queue.desk import SqliteDesk
from worker.queue.office import SqliteAdminDesk
from worker.queue.quota import Rules
from worker.recipe import ModelProfile

QUICK = Pace(
    pulse=0.02,
    edit_gap=0.05,
    channel_gap=0.01,
    standing=0.1,
    retry_first=0.05,
)


class Studio:
    """One bot's data folder and the Discord it talks to."""

    def __init__(self, folder: Path, playground: Playground, *, limits: Limits | None = None) -> None:
        self.folder = folder
        self.playground = playground
        self.facts: dict[str, Any] = playground.facts().model_dump()
        self.limits = limits or Limits()
        self.skew = 0.0  # seconds by which the bot's clock runs ahead
        self.catalogue = Catalogue.of(ModelProfile(name="tiny", source="tiny", size=64))
        self.moderation: Moderation | None = None  # for bots that start after it was set
        self.facts_of_machine = NOTHING  # likewise
        self.bot: Journeyman

    def clock(self) -> float:
        return time.time() + self.skew

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Studio"]:
        async with Database(self.folder / "bot.sqlite3") as self.database:
            self.images = ImageStore(self.folder)
            self.desk = SqliteDesk(
                self.database,
                self.images,
                limits=self.limits,
                catalogue=self.catalogue,
                links=Links(Guard(local=self.playground.api.removesuffix("/api/v10"))),
                clock=time.time,
                random=Random(7),
                locks=self.folder,
            )
            self.office = SqliteAdminDesk(
                self.database,
                models=self.catalogue.names,
                flags={entry.name: entry.flags for entry in self.catalogue.entries},
                rules=Rules(self.limits, Credits()),
                pictures=self.folder,
                clock=time.time,
                random=Random(8),
                locks=self.folder,
            )
            self.settings = Settings(self.database)
            self.confidant = Confidant(
                self.database,
                self.images,
                self.desk,
                clock=time.time,
                random=Random(11),
                sentence=Sanctions(strikes=2).timeout_until,
            )
            async with Easel(self.database, self.images, self.folder) as self.easel:
                yield self

    @asynccontextmanager
    async def running(
        self, pace: Pace = QUICK, *, trace: aiohttp.TraceConfig | None = None
    ) -> AsyncIterator[Journeyman]:
        """Run a bot, as one process would, until the block ends."""
        await aim(self.playground.api, texts_for("en-US"))
        self.bot = Journeyman(
            self.desk,
            self.settings,
            clock=self.clock,
            pace=pace,
            trace=trace,
            office=self.office,
            moderation=self.moderation,
            confidant=self.confidant,
            facts=self.facts_of_machine,
        )
        life = asyncio.create_task(self.bot.serve(self.facts["bot_token"]))
        try:
            ready = asyncio.create_task(self.ready(self.bot))
            await asyncio.wait({life, ready}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                ready.cancel()
                await life
            yield self.bot
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    @staticmethod
    async def ready(bot: Journeyman) -> None:
        event = asyncio.Event()

        async def on_ready() -> None:
            event.set()

        bot.add_listener(on_ready)
        await event.wait()

    @asynccontextmanager
    async def member(self, token: str | None = None) -> AsyncIterator[Member]:
        async with Member(self.facts, token) as member:
            yield member


def job_of(message: Message) -> JobId:
    """Return the job that a message's buttons are about."""
    job_id = job_named(custom_ids(message))
    assert job_id is not None
    return job_id


async def drawn(easel: Easel, person: Member, prompt: str) -> Message:
    """Order a grid and wait for it."""
    before = set(person.messages)
    await person.command("imagine", prompt=prompt)
    await easel.finish(await easel.take())
    return await person.until(
        lambda: next(
            (m for i, m in person.messages.items() if i not in before and "MJ::JOB::reroll" in str(m)), None
        )
    )


def blue(message: Message) -> list[str]:
    """Return the labels of the used buttons."""
    items = (item for row in message["components"] for item in row["components"])
    return [item.get("label") or item["emoji"]["name"] for item in items if item["style"] == 1]


def private(person: Member) -> list[Message]:
    """Return what the bot told *person* alone."""
    return [message for message in person.messages.values() if message.get("flags", 0) & 64]


async def menu(person: Member, name: str, message: Message) -> str:
    """Choose a command of a message's "Apps" menu."""
    index = await person.rest("GET", f"/guilds/{person.facts['guild_id']}/application-command-index")
    command = next(c for c in index["application_commands"] if c["name"] == name and c["type"] == 3)
    data = {
        "version": command["version"],
        "id": command["id"],
        "name": name,
        "type": 3,
        "options": [],
        "attachments": [],
        "target_id": message["id"],
    }
    return await person._interact(2, data)


def labelled(message: Message, label: str) -> str:
    """Return the custom id of the button with that label."""
    items = (item for row in message["components"] for item in row["components"])
    return next(item["custom_id"] for item in items if item.get("label") == label)


def grids(person: Member) -> list[Message]:
    created = (m for kind, m in person.seen if kind == "MESSAGE_CREATE")
    return [m for m in created if any("reroll" in custom_id for custom_id in custom_ids(m))]


async def ordered(person: Member, easel: Easel, prompt: str = "a fox") -> tuple[Message, Job]:
    """Order a grid; return the waiting message and the job, claimed."""
    nonce = await person.command("imagine", prompt=prompt)
    waiting = await person.until(lambda: person.answer(nonce))
    return waiting, await easel.take()


async def settled(live: Studio) -> None:
    """Wait until the courier has nothing left to do."""
    async with asyncio.timeout(20):
        while await live.settings.unfinished():  # noqa: ASYNC110 - the courier tells nobody
            await asyncio.sleep(0.01)
