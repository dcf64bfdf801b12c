"""❌ stops or deletes, ✉️ sends: reactions to messages about jobs."""

import discord
import structlog

from bot import errors
from bot.actions import DRAWS, Verb
from bot.answers import texts_for
from bot.faults import BotCode, BotError
from bot.job_actions import JobActions
from bot.outlet import FAILURES, actions_of
from bot.payload import to_send
from bot.policy import Caller
from bot.render import Letter
from bot.settings import STORE_FAILURES, Place, Settings, Shown
from worker.api import Job, JobDesk, JobNotFound, WorkerError

log = structlog.get_logger()

CROSSES = frozenset({"❌", "✖️", "✖"})
ENVELOPES = frozenset({"✉️", "✉", "📧", "📩", "📨"})


class Reactions:
    """Acts on reactions.

    Only those who may act are told of failures: a reaction has no private answer but a direct message, which
    nobody gets who merely reacted to somebody else's picture.
    """

    def __init__(
        self, client: discord.Client, *, desk: JobDesk, settings: Settings, job_actions: JobActions
    ) -> None:
        self._client = client
        self._desk = desk
        self._settings = settings
        self._job_actions = job_actions

    async def reacted(self, event: discord.RawReactionActionEvent) -> None:
        """Do what the reaction asks for."""
        name = event.emoji.name
        if self._client.user is None or event.user_id == self._client.user.id:
            return
        if name not in CROSSES and name not in ENVELOPES:
            return
        try:
            shown = await self._shown(event)
            if shown is not None:
                await self._heed(event, shown, await self._desk.get(shown.job_id))
        except JobNotFound:
            return  # it was deleted; its message could not be
        except (*FAILURES, *STORE_FAILURES) as error:
            log.info("reaction failed", action="reaction", error=repr(error))

    async def _heed(self, event: discord.RawReactionActionEvent, shown: Shown, job: Job) -> None:
        caller = Caller(event.user_id, moderator=self._moderator(event), channel_id=event.channel_id)
        cross = event.emoji.name in CROSSES
        if job.owner_id != caller.user_id and not (cross and caller.moderator and not shown.outcome):
            return
        try:
            if not cross:
                await self._job_actions.send(caller, job.id)
            elif shown.outcome:
                await self._job_actions.delete(caller, job.id, Place(event.channel_id, event.message_id))
            else:  # meant to stop it: pictures that came first stay
                await self._job_actions.cancel(caller, job.id)
        except (BotError, WorkerError) as error:
            await self._tell(event, error)

    async def _shown(self, event: discord.RawReactionActionEvent) -> Shown | None:
        known = await self._settings.shown_by(event.message_id)
        if known is not None:
            return known
        if self._client.user is None or event.message_author_id not in {None, self._client.user.id}:
            return None
        message = await self._channel(event).fetch_message(event.message_id)
        if message.author.id != self._client.user.id:
            return None
        for action in actions_of(message):
            if action.verb in DRAWS or action.verb is Verb.CANCEL:
                return Shown(action.job_id, outcome=action.verb in DRAWS)
        return None

    async def _tell(self, event: discord.RawReactionActionEvent, error: BotError | WorkerError) -> None:
        """Say in the channel that direct messages are closed; other refusals go to the person's own."""
        texts = texts_for("en-US")
        try:
            if isinstance(error, BotError) and error.code is BotCode.DM_CLOSED:
                words = Letter(texts("dm.closed_public", user_id=event.user_id), mentions=event.user_id)
                await self._channel(event).send(**to_send(words))
                return
            user = await self._client.create_dm(discord.Object(event.user_id))
            await user.send(**to_send(errors.refused(error, texts)))
        except FAILURES as failure:
            log.info("not told", action="reaction_untold", error=repr(failure))

    def _moderator(self, event: discord.RawReactionActionEvent) -> bool:
        guild = None if event.guild_id is None else self._client.get_guild(event.guild_id)
        channel = None if guild is None else guild.get_channel_or_thread(event.channel_id)
        if channel is None or not isinstance(event.member, discord.Member):
            return False
        return channel.permissions_for(event.member).manage_messages

    def _channel(self, event: discord.RawReactionActionEvent) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(event.channel_id, guild_id=event.guild_id)
