"""Who may do what, and where. Pure: facts in, a `BotError` or nothing out."""

from dataclasses import dataclass

from bot.faults import BotCode, BotError
from bot.origin import Reach, origin_of
from worker.api import Job


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever presses or types.

    Attributes:
        user_id: Who.
        moderator: Whether they may manage messages where they are.
        channel_id: Where they are.
    """

    user_id: int
    moderator: bool = False
    channel_id: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens: what the bot may do there.

    Attributes:
        guild: Whether it is a server's channel or thread.
        member: Whether the bot itself is in it: installed in the server, or the other side of a DM.
        lacking: Names of needed permissions that the bot does not have there.
    """

    guild: bool
    member: bool
    lacking: tuple[str, ...] = ()


def reach(place: Place) -> Reach:
    """Return how results get out of *place*.

    Raises:
        BotError: The bot is a member but may not post pictures.
    """
    if not place.member:
        return Reach.TOKEN
    if place.guild and place.lacking:
        raise BotError(BotCode.MISSING_PERMISSIONS, permissions=", ".join(place.lacking))
    return Reach.CHANNEL


def may_cancel(caller: Caller, job: Job) -> None:
    """Allow the owner, and moderators of the channel where *job* was ordered: not those of any other server.

    Raises:
        BotError: Neither.
    """
    origin = origin_of(job)
    here = origin is not None and origin.channel_id == caller.channel_id
    if caller.user_id != job.owner_id and not (caller.moderator and here):
        raise BotError(BotCode.NOT_YOURS_TO_CANCEL)


def must_own(caller: Caller, job: Job) -> None:
    """Allow the owner.

    Raises:
        BotError: Somebody else.
    """
    if caller.user_id != job.owner_id:
        raise BotError(BotCode.NOT_YOURS)
