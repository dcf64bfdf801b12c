"""What people ask about themselves: everything, or nothing any more."""

import asyncio
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import discord
import structlog

from bot import payload
from bot.actions import Action, Verb
from bot.answers import Interaction, defer, privately, texts_of
from bot.faults import BotCode, BotError
from bot.moderation.records import Records
from bot.outlet import FAILURES, Outlet
from bot.render import AMBER, Button, Card, File, Letter, Style
from bot.settings import Place, Settings
from worker.privacy import PrivacyDesk, Unstoppable

AGAIN_SECONDS = 86400.0  # credits begin anew with who was forgotten: not twice a day
FILE_NAME = "journeyman.zip"

log = structlog.get_logger()


class Privacy:
    """Does it."""

    def __init__(
        self,
        desk: PrivacyDesk,
        *,
        settings: Settings,
        records: Records | None,
        outlet: Outlet,
        clock: Callable[[], float],
    ) -> None:
        """Put the parts together; *records* know of appeals, None where there is no moderation."""
        self._desk = desk
        self._settings = settings
        self._records = records
        self._outlet = outlet
        self._clock = clock
        self._lately: dict[int, float] = {}  # in memory alone: nothing on the disk may tell
        self._clearing: set[asyncio.Task[None]] = set()

    async def export(self, interaction: Interaction) -> None:
        """Send the person everything about them, as far as Discord takes it."""
        texts = texts_of(interaction)
        await defer(interaction, thinking=True, private=True)
        limit = interaction.filesize_limit
        with tempfile.TemporaryDirectory(prefix="journeyman-") as own:
            file = Path(own) / FILE_NAME
            handed = await self._desk.export(interaction.user.id, file, most_bytes=limit)
            body = await asyncio.to_thread(file.read_bytes)
        if len(body) > limit:
            await privately(interaction, Letter(texts("privacy.too_large")))
            return
        said = [texts("privacy.exported", jobs=handed.jobs, pictures=handed.pictures)]
        if handed.left_out:
            said.append(texts("privacy.left_out", n=handed.left_out))
        await privately(interaction, Letter("\n".join(said), files=(File(FILE_NAME, body),)))

    async def ask(self, interaction: Interaction) -> None:
        """Say what would be forgotten, and offer to."""
        texts = texts_of(interaction)
        person = interaction.user.id
        if self._clock() - self._lately.get(person, -AGAIN_SECONDS) < AGAIN_SECONDS:
            await privately(interaction, Letter(texts("privacy.lately")))
            return
        jobs = await self._desk.jobs_of(person)
        sure = Button(Action(Verb.FORGET, str(person)).custom_id, texts("button.forget"), style=Style.RED)
        card = Card(texts("privacy.title"), texts("privacy.ask", jobs=len(jobs)), AMBER)
        await privately(interaction, Letter(card=card, rows=((sure,),)))

    async def forget(self, interaction: Interaction, action: Action) -> None:
        """Forget the person, who has confirmed it; then delete the messages that show what they wrote.

        Raises:
            BotError: It is somebody else's button.
            WorkerError: The database was busy; nothing was forgotten.
        """
        person, texts = interaction.user.id, texts_of(interaction)
        if action.subject != str(person):
            raise BotError(BotCode.NOT_YOURS)
        await defer(interaction)
        places = [*await self._settings.places_of(await self._desk.jobs_of(person))]
        if self._records is not None:
            places += [Place(*each) for each in await self._records.appeals_of(person)]
        try:
            forgotten = await self._desk.forget(person)
        except Unstoppable:
            await privately(interaction, Letter(texts("privacy.unstoppable")))
            return
        self._lately[person] = self._clock()
        said = [texts("privacy.forgotten", jobs=forgotten.jobs)]
        if not forgotten.scrubbed:
            said.append(texts("privacy.later"))
        await interaction.edit_original_response(**payload.to_edit(Letter("\n".join(said))))
        log.info("forgotten", action="forgotten", jobs=forgotten.jobs)
        clearing = asyncio.create_task(self._clear(places), name="clearing messages")
        self._clearing.add(clearing)
        clearing.add_done_callback(self._clearing.discard)

    async def _clear(self, places: Collection[Place]) -> None:
        """Delete messages of ours one after another, as far as that is allowed."""
        for place in _once(places):
            try:
                await self._outlet.delete_elsewhere(place.channel_id, place.message_id)
            except FAILURES as error:
                log.info("message stays", action="privacy", error=type(error).__name__)
            except discord.DiscordException as error:
                log.warning("message stays", action="privacy", error=type(error).__name__)


def _once(places: Collection[Place]) -> Sequence[Place]:
    return list(dict.fromkeys(places))
