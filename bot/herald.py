"""Posts the audit log to the servers' log channels. The record itself is in the database; this is a copy."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import discord
import structlog

from bot import payload
from bot.commands.admin import pages, record
from bot.outlet import FAILURES
from bot.pace import Pace
from bot.render import Card, Letter
from bot.rights import at_home
from bot.settings import STORE_FAILURES
from bot.texts import Texts
from worker.admin import AdminDesk

log = structlog.get_logger()

PAUSE_MOST = 600.0  # seconds between two attempts at a channel that refuses


class Herald:
    """Follows the record for every log channel; what could not be posted is tried again, in order."""

    def __init__(
        self,
        client: discord.Client,
        office: AdminDesk,
        *,
        home: frozenset[int],
        texts: Texts,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        """Post through *client*; servers of *home* see what was done to what all servers share."""
        self._client = client
        self._office = office
        self._home = home
        self._texts = texts
        self._pace = pace
        self._clock = clock
        # By server and channel: not before when, and the pause until then. Another channel is tried at once.
        self._refused: dict[tuple[int, int], tuple[float, float]] = {}

    async def run(self) -> None:
        """Post until cancelled; a database that is busy or a Discord that is away is waited for."""
        while True:
            with suppress(*STORE_FAILURES):
                await self.post()
            await asyncio.sleep(self._pace.standing)

    async def post(self) -> None:
        """Post what is new, at most one message a server."""
        channels = await self._office.log_channels()
        known = {(guild_id, channel_id) for guild_id, channel_id, _ in channels}
        self._refused = {place: until for place, until in self._refused.items() if place in known}
        for guild_id, channel_id, posted in channels:
            if self._clock() < self._refused.get((guild_id, channel_id), (0.0, 0.0))[0]:
                continue
            servers = frozenset(guild.id for guild in self._client.guilds)
            home = at_home(self._home, guild_id, servers=servers)
            entries, _ = await self._office.audit(None if home else guild_id, after=posted, limit=pages.LINES)
            if not entries:
                continue
            text = "\n".join(record.entry(entry, self._texts) for entry in entries)
            letter = Letter(card=Card(self._texts("admin.title.audit"), pages.within(text), pages.GREY))
            try:
                async with asyncio.timeout(self._pace.call):
                    # Sent again after a crash, the same nonce makes Discord return the first message.
                    await self._client.get_partial_messageable(channel_id).send(
                        nonce=f"audit {entries[-1].id}", **payload.to_send(letter)
                    )
            except FAILURES as error:
                self._put_off((guild_id, channel_id), error)
                continue
            self._refused.pop((guild_id, channel_id), None)
            await self._office.logged(guild_id, entries[-1].id)

    def _put_off(self, place: tuple[int, int], error: Exception) -> None:
        pause = min(PAUSE_MOST, 2 * self._refused.get(place, (0.0, self._pace.retry_first))[1])
        self._refused[place] = (self._clock() + pause, pause)
        log.info("record not posted", action="audit_post", guild_id=place[0], error=repr(error))
