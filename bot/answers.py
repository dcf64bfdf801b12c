"""How an interaction is answered: in time, in public or privately, and whatever goes wrong."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import discord
import structlog

from bot import errors, payload
from bot.faults import BotError
from bot.origin import TOKEN_SECONDS, Addition, Origin
from bot.policy import Caller, Place, reach
from bot.preferences import Added
from bot.render import Letter
from bot.settings import STORE_FAILURES
from bot.texts import Texts
from worker.admin import AdminError
from worker.api import Membership, WorkerError

log = structlog.get_logger()

Interaction = discord.Interaction[discord.Client]

# Discord has an answer. discord.py tries again after a 500, which may have come on the way back.
ANSWERED = 40060
AWAY = frozenset({429, 500, 502, 503, 504})  # and still so after all of discord.py's tries: no fault of ours
# What Discord says where there is nothing left to answer: no such message, no such interaction (any more).
NOBODY_LISTENS = frozenset({ANSWERED, 10008, 10015, 10062, 50027})
# What posting a result takes; replying without the history is refused by Discord.
_NEEDED = {
    "view_channel": "View Channel",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}


@cache
def texts_for(locale: str) -> Texts:
    """Return the catalogue for a Discord locale."""
    return Texts(locale)


def texts_of(interaction: Interaction) -> Texts:
    """Return the catalogue in the person's language."""
    return texts_for(str(interaction.locale.value))


def caller_of(interaction: Interaction) -> Caller:
    """Return who it is."""
    in_guild = interaction.guild_id is not None
    moderator = in_guild and interaction.permissions.manage_messages
    return Caller(interaction.user.id, moderator=moderator, channel_id=interaction.channel_id or 0)


def membership_of(interaction: Interaction) -> Membership:
    """Return where they order, and as what; roles are known where the bot is a member."""
    user = interaction.user
    roles = frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset()
    return Membership(guild_id=interaction.guild_id, role_ids=roles)


def place_of(interaction: Interaction) -> Place:
    """Return where it is and what the bot may do there."""
    guild = interaction.guild_id is not None
    if guild:
        known = interaction.client.get_guild(interaction.guild_id or 0) is not None
        member = known or interaction.is_guild_integration()
    else:
        member = not interaction.context.private_channel
    granted = interaction.app_permissions
    needed = dict(_NEEDED)
    thread = interaction.channel is not None and isinstance(interaction.channel, discord.Thread)
    if thread:
        needed["send_messages_in_threads"] = "Send Messages in Threads"
    else:
        needed["send_messages"] = "Send Messages"
    lacking = tuple(words for name, words in needed.items() if not getattr(granted, name))
    return Place(guild=guild, member=member, lacking=lacking)


def origin_for(
    interaction: Interaction,
    *,
    reply: bool,
    now: float,
    added: Sequence[Added] = (),
    key: str | None = None,
) -> Origin:
    """Return where an order comes from.

    Args:
        interaction: The interaction behind it.
        reply: Whether its result answers the message whose button was pressed.
        now: Unix seconds.
        added: What of its prompt was not typed.
        key: What it is queued under, if not the interaction's id.

    Raises:
        BotError: Results could not be posted there.
    """
    source = interaction.message
    answers = reply and source is not None and not source.flags.ephemeral
    return Origin(
        interaction_id=interaction.id,
        application_id=interaction.application_id,
        token=interaction.token,
        expires_at=now + TOKEN_SECONDS,
        reach=reach(place_of(interaction)),
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id,
        reply_to=source.id if answers and source is not None else None,
        user_name=interaction.user.name,
        file_limit=interaction.filesize_limit,
        locale=str(interaction.locale.value),
        nsfw=is_adult(interaction.channel),
        added=additions(added),
        key=key,
    )


def additions(added: Sequence[Added]) -> tuple[Addition, ...]:
    """Return what was not typed, as jobs keep it."""
    return tuple(Addition(whence=part.whence, text=part.text, option=part.option) for part in added)


def is_adult(channel: object) -> bool:
    """Tell whether Discord marks *channel*, or the one a thread hangs on, as adult."""
    look = getattr(channel, "is_nsfw", None)
    return bool(look()) if look is not None else False


async def defer(interaction: Interaction, *, thinking: bool = False, private: bool = False) -> None:
    """Promise an answer, so that Discord waits for it.

    That it cannot be promised keeps nobody from what they asked for: what comes next happens all the same.

    Args:
        interaction: What is answered.
        thinking: Whether a message of its own is promised; a command always gets one.
        private: Whether that is for the person alone.
    """
    promised = discord.InteractionResponseType.deferred_message_update
    if thinking or interaction.type is not discord.InteractionType.component:
        promised = discord.InteractionResponseType.deferred_channel_message
    try:
        await interaction.response.defer(thinking=thinking, ephemeral=private)
    except (discord.HTTPException, OSError, TimeoutError) as error:
        if isinstance(error, discord.HTTPException) and error.code == ANSWERED:
            interaction.response._response_type = promised  # noqa: SLF001 - the first try came through
        else:
            log.info("not answered", action="not_answered", error=repr(error))


async def privately(interaction: Interaction, letter: Letter) -> None:
    """Tell the person alone, whether or not the interaction was answered before.

    A public deferral is taken back first: nobody else needs to know.
    """
    keywords = payload.to_send(letter)
    response = interaction.response
    if not response.is_done():
        await response.send_message(ephemeral=True, **keywords)
        return
    if response.type is discord.InteractionResponseType.deferred_channel_message:
        await interaction.delete_original_response()
    await interaction.followup.send(ephemeral=True, **keywords)


async def guarded(interaction: Interaction, work: Callable[[], Awaitable[None]]) -> None:
    """Do *work*; whatever it raises is told to the person, and what nobody foresaw is logged with a code."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - the boundary: everything is told and logged
        await report(interaction, error)


async def report(interaction: Interaction, error: Exception) -> None:
    """Tell *error* to the person; never raises for Discord's sake."""
    if isinstance(error, discord.HTTPException) and (error.code in NOBODY_LISTENS or error.status in AWAY):
        log.info("not answered", action="not_answered", error=repr(error))
        return
    if isinstance(error, WorkerError | BotError | AdminError):
        letter = errors.refused(error, texts_of(interaction))
        log.info("refused", action="refused", code=str(error.code), user_id=interaction.user.id)
    else:
        code = errors.new_code()
        letter = errors.refused(error, texts_of(interaction), code=code)
        log.error("unforeseen", action="unforeseen", code=code, exc_info=error)
    with told():
        await privately(interaction, letter)


@contextmanager
def stored() -> Iterator[None]:
    """Let a note that could not be taken pass: what it is about has happened all the same."""
    try:
        yield
    except STORE_FAILURES as error:
        log.warning("not noted", action="not_noted", error=repr(error))


@contextmanager
def told() -> Iterator[None]:
    """Let a failed answer pass: the interaction may be too old, answered twice, or Discord away."""
    try:
        yield
    except (discord.HTTPException, OSError, TimeoutError) as error:
        log.info("not answered", action="not_answered", error=repr(error))
