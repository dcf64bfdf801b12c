"""Sends what admins wrote to people on the command line, each letter once; the record tells its outcome."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import discord
import structlog

from bot.commands.admin import pages
from bot.outlet import FAILURES, Outlet, Trouble, trouble
from bot.pace import Pace
from bot.settings import STORE_FAILURES
from bot.texts import Texts
from worker.admin import Actor, AdminDesk, Letter
from worker.deeds import Fate, Settle

log = structlog.get_logger()

LETTERS = 10  # looked at by one round
LATEST_SECONDS = 7 * 86400.0  # a letter older than this is not worth sending any more
FATES = {Trouble.FORBIDDEN: Fate.CLOSED, Trouble.TRANSIENT: Fate.LATE}


class Postman:
    """Carries letters, the oldest first."""

    def __init__(
        self,
        client: discord.Client,
        office: AdminDesk,
        *,
        outlet: Outlet,
        texts: Texts,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        """Put the parts together; *client* knows the names of servers."""
        self._client = client
        self._office = office
        self._outlet = outlet
        self._texts = texts
        self._pace = pace
        self._clock = clock
        self._pauses = pace.retries()
        self._not_before = 0.0

    async def run(self) -> None:
        """Carry until cancelled; a database that is busy or a Discord that is away is waited for."""
        while True:
            with suppress(*STORE_FAILURES):
                await self.round()
            await asyncio.sleep(self._pace.standing)

    async def round(self) -> None:
        """Try what waits; where Discord is away, all of it waits for longer and longer."""
        if self._clock() < self._not_before:
            return
        away = False
        for letter in await self._office.letters(limit=LETTERS):
            try:
                fate = await self._carried(letter)
            except FAILURES as error:
                late = self._clock() - letter.created_at > LATEST_SECONDS
                if trouble(error) is Trouble.TRANSIENT and not late:
                    away = True
                    log.info("letter not sent", action="letter", letter=letter.id, error=repr(error))
                    continue
                fate = FATES.get(trouble(error), Fate.REFUSED)
            if fate is not None:
                actor = Actor(name="bot", guild_id=letter.guild_id)
                await self._office.do(Settle(letter_id=letter.id, outcome=fate), actor)
                log.info("letter settled", action="letter", letter=letter.id, outcome=fate.value)
        if away:
            self._not_before = self._clock() + next(self._pauses)
        else:
            self._pauses = self._pace.retries()

    async def _carried(self, letter: Letter) -> Fate | None:
        """Send *letter* unless it was sent before; None if it is gone."""
        server = self._client.get_guild(letter.guild_id) if letter.guild_id else None
        name = self._texts("admin.contact.bot") if server is None else server.name
        shown = pages.to_person(name, letter.text, self._texts)
        if letter.tried_at is not None:
            # A life that ended in between, or an answer that was lost: the nonce may have expired since.
            if await self._outlet.wrote(letter.user_id, shown, since=letter.tried_at):
                return Fate.SENT
        elif not await self._office.tried(letter.id):
            return None
        await self._outlet.direct(letter.user_id, shown, nonce=f"letter {letter.id}")
        return Fate.SENT
