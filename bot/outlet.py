"""Discord's REST as the courier needs it: post, edit, delete, find, and what a refusal means."""

import asyncio
from collections.abc import Awaitable, Collection, Iterator
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TypeVar

import aiohttp
import discord

from bot import payload
from bot.actions import Action, Verb, read
from bot.origin import Origin, Reach, Veil
from bot.render import Letter
from worker.api import JobId

T = TypeVar("T")

SEARCHED_MESSAGES = 500  # of a channel's history, from the first attempt on
SKEW_SECONDS = 10.0  # by which Discord's clock may be behind ours when its history is searched

SERVER_ERROR = 500  # and above: HTTP


class Trouble(Enum):
    """What to make of a call that failed."""

    TRANSIENT = auto()  # try again
    GONE = auto()  # the message or its channel no longer exists
    FORBIDDEN = auto()  # the bot may not
    EXPIRED = auto()  # the interaction's token is over
    TOO_LARGE = auto()  # the upload is
    NO_REPLY = auto()  # the bot may post there, but not as a reply
    REFUSED = auto()  # Discord finds the message itself wrong


_BY_CODE = {
    10003: Trouble.GONE,  # unknown channel
    10004: Trouble.GONE,  # unknown guild
    10008: Trouble.GONE,  # unknown message
    10015: Trouble.EXPIRED,  # unknown webhook: what Discord says of an old interaction
    40005: Trouble.TOO_LARGE,
    50027: Trouble.EXPIRED,  # invalid webhook token
    160002: Trouble.NO_REPLY,  # may not reply without reading the history
}
_BY_STATUS = {
    401: Trouble.FORBIDDEN,
    403: Trouble.FORBIDDEN,
    404: Trouble.GONE,
    413: Trouble.TOO_LARGE,
    429: Trouble.TRANSIENT,
}

FAILURES = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)


def trouble(error: Exception) -> Trouble:
    """Return what *error*, one of `FAILURES`, means."""
    if not isinstance(error, discord.HTTPException):
        return Trouble.TRANSIENT
    if error.status >= SERVER_ERROR:
        return Trouble.TRANSIENT
    return _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, Trouble.REFUSED)


class Outlet:
    """Messages about jobs, where their orders came from."""

    def __init__(self, client: discord.Client, *, call_seconds: float = 60.0) -> None:
        """Speak through *client*; a call that takes longer than *call_seconds* counts as failed."""
        self._client = client
        self._call_seconds = call_seconds

    async def post(self, origin: Origin, letter: Letter, *, nonce: str, reply: bool = True) -> int:
        """Post *letter* and return the message's id.

        In a channel, *nonce* makes repeating it within minutes return the first message.
        """
        keywords = payload.to_send(letter)
        if origin.reach is Reach.TOKEN:
            private = origin.veil is Veil.PRIVATE
            sent = await self._call(self._webhook(origin).send(wait=True, ephemeral=private, **keywords))
            return sent.id
        if reply and origin.reply_to is not None:
            keywords["reference"] = discord.MessageReference(
                message_id=origin.reply_to,
                channel_id=origin.channel_id,
                guild_id=origin.guild_id,
                fail_if_not_exists=False,
            )
        message = await self._call(self._channel(origin).send(nonce=nonce, **keywords))
        return message.id

    async def announce(self, channel_id: int, letter: Letter, *, nonce: str) -> int:
        """Post *letter* in a channel that no order came from; return the message's id.

        *nonce* makes repeating it within minutes return the first message.
        """
        channel = self._client.get_partial_messageable(channel_id)
        return (await self._call(channel.send(nonce=nonce, **payload.to_send(letter)))).id

    async def holds(self, channel_id: int, message_id: int) -> bool:
        """Tell whether a message of ours is still in a channel that no order came from."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            await self._call(channel.fetch_message(message_id))
        except FAILURES as error:
            return trouble(error) is not Trouble.GONE
        return True

    async def edit(
        self, origin: Origin, message_id: int, letter: Letter, *, keep_files: bool = False
    ) -> None:
        """Make a message look like *letter*."""
        keywords = payload.to_edit(letter, keep_files=keep_files)
        if origin.reach is Reach.TOKEN:
            await self._call(self._webhook(origin).edit_message(message_id, **keywords))
        else:
            await self._call(self._channel(origin).get_partial_message(message_id).edit(**keywords))

    async def delete(self, origin: Origin, message_id: int) -> None:
        """Delete a message of ours."""
        if origin.reach is Reach.TOKEN:
            await self._call(self._webhook(origin).delete_message(message_id))
        else:
            await self._call(self._channel(origin).get_partial_message(message_id).delete())

    async def delete_elsewhere(self, channel_id: int, message_id: int) -> None:
        """Delete a message of ours in a channel that the bot is a member of."""
        channel = self._client.get_partial_messageable(channel_id)
        await self._call(channel.get_partial_message(message_id).delete())

    async def find(self, origin: Origin, job_id: JobId, verbs: Collection[Verb], since: float) -> int | None:
        """Return the message of ours in the channel whose buttons do one of *verbs* to *job_id*."""
        return await self._call(self._search(origin, job_id, verbs, since))

    async def _search(
        self, origin: Origin, job_id: JobId, verbs: Collection[Verb], since: float
    ) -> int | None:
        after = datetime.fromtimestamp(since - SKEW_SECONDS, UTC)
        history = self._channel(origin).history(after=after, limit=SEARCHED_MESSAGES, oldest_first=True)
        async for message in history:
            if self._client.user is None or message.author.id != self._client.user.id:
                continue
            if any(a.subject == job_id and a.verb in verbs for a in actions_of(message)):
                return message.id
        return None

    async def answer_of(self, origin: Origin, job_id: JobId) -> int | None:
        """Return the message that answered the interaction, if it shows *job_id* under way.

        So does one that still says that an answer is being thought about: nobody else will end it.
        """
        message = await self._call(self._webhook(origin).fetch_message(_ORIGINAL))
        shows = message.flags.loading or any(a.subject == job_id for a in actions_of(message))
        return message.id if shows else None

    async def whisper(self, origin: Origin, letter: Letter) -> None:
        """Tell the requester alone, through the interaction's token."""
        keywords = payload.to_send(letter)
        await self._call(self._webhook(origin).send(wait=True, ephemeral=True, **keywords))

    async def direct(self, user_id: int, letter: Letter, *, nonce: str | None = None) -> tuple[int, int]:
        """Send a direct message and return its channel and id; refused where the person does not take them.

        *nonce* makes repeating it within minutes return the first message.
        """
        channel = await self._call(self._client.create_dm(discord.Object(user_id)))
        keywords = payload.to_send(letter) | ({} if nonce is None else {"nonce": nonce})
        message = await self._call(channel.send(**keywords))
        return channel.id, message.id

    async def wrote(self, user_id: int, letter: Letter, *, since: float) -> bool:
        """Tell whether a person has, from *since* on, a direct message of ours with the text of *letter*."""
        channel = await self._call(self._client.create_dm(discord.Object(user_id)))
        return await self._call(self._searched(channel, letter, since))

    async def _searched(self, channel: discord.DMChannel, letter: Letter, since: float) -> bool:
        after = datetime.fromtimestamp(since - SKEW_SECONDS, UTC)
        text = "" if letter.card is None else letter.card.description.strip()
        async for message in channel.history(after=after, limit=SEARCHED_MESSAGES, oldest_first=True):
            if any((embed.description or "").strip() == text for embed in message.embeds):
                return True
        return False

    def link(self, origin: Origin, message_id: int) -> str:
        """Return the address of a message."""
        return f"https://discord.com/channels/{origin.guild_id or '@me'}/{origin.channel_id}/{message_id}"

    def _channel(self, origin: Origin) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(origin.channel_id, guild_id=origin.guild_id)

    def _webhook(self, origin: Origin) -> discord.Webhook:
        return discord.Webhook.from_state(
            data={"id": origin.application_id, "type": 3, "token": origin.token},
            state=self._client._connection,  # noqa: SLF001 - as discord.py builds `Interaction.followup`
        )

    async def _call(self, call: Awaitable[T]) -> T:
        async with asyncio.timeout(self._call_seconds):
            return await call


_ORIGINAL: int = "@original"  # type: ignore[assignment]  # Discord's name for it stands in the place of an id


def actions_of(message: discord.Message) -> Iterator[Action]:
    """Yield what the buttons of *message* do."""
    for custom_id in custom_ids(message):
        action = read(custom_id)
        if isinstance(action, Action):
            yield action


def custom_ids(message: discord.Message) -> Iterator[str]:
    """Yield the `custom_id` of every button of *message*."""
    for row in message.components:
        if isinstance(row, discord.ActionRow):
            for item in row.children:
                if item.custom_id is not None:
                    yield item.custom_id
