"""Who may do what under `/admin` and `/moderation`. Pure: facts in, a `BotError` or nothing out."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.faults import BotCode, BotError
from worker.admin import Powers
from worker.deeds import POWERS, Deed, Power, Rank, SetPower, SetRole, Verb, Watch

_MODERATORS = (
    Verb.QUEUE_SHOW,
    Verb.QUEUE_CANCEL,
    Verb.QUEUE_RETRY,
    Verb.QUOTA_SHOW,
    Verb.USER_SHOW,
    Verb.USER_TIMEOUT,
    Verb.USER_CONTACT,
    Verb.ROLE_LIST,
    Verb.CHANNEL_LIST,
    Verb.WORDS_TEST,
    Verb.WORDS_LIST,
    Verb.MODELS_LIST,
    Verb.STATUS,
    Watch.STRIKES,
    Watch.FORGIVE,
)
_OWNERS = (Verb.ROLE_SET, Verb.CHANNEL_LOG)
USUAL: Mapping[Power, Rank] = MappingProxyType(
    {
        **dict.fromkeys(POWERS, Rank.ADMIN),
        **dict.fromkeys(_MODERATORS, Rank.MODERATOR),
        **dict.fromkeys(_OWNERS, Rank.OWNER),
    }
)
LOCAL = frozenset({"role", "channel", "words", "audit", "moderation"})  # groups that concern one server alone


@dataclass(frozen=True, slots=True)
class Holder:
    """A member, as far as ranks go.

    Attributes:
        user_id: Who.
        roles: The Discord roles they have in the server.
        administrator: Whether Discord's Administrator permission is theirs, as the server's owner's.
    """

    user_id: int
    roles: frozenset[int] = frozenset()
    administrator: bool = False


def shared(verb: Power) -> bool:
    """Tell whether *verb* reaches what all servers of the installation share, as the queue."""
    return verb.partition(" ")[0] not in LOCAL


def at_home(home: frozenset[int], guild_id: int | None, *, servers: frozenset[int]) -> bool:
    """Tell whether what all servers share may be changed from a server.

    Args:
        home: The servers that the configuration names; with none, the only one there is.
        guild_id: The server.
        servers: Those the bot is in.
    """
    return guild_id in home if home else servers == {guild_id}


def rank_of(holder: Holder, powers: Powers) -> Rank | None:
    """Return the highest rank of *holder*; Administrators are owners, so that somebody can begin."""
    if holder.administrator:
        return Rank.OWNER
    return next((rank for rank in Rank if holder.roles & set(powers.roles.get(rank, ()))), None)


def needed(verb: Power, powers: Powers) -> Rank:
    """Return the rank that *verb* takes in the server of *powers*."""
    return powers.ranks.get(verb, USUAL[verb])


def authorise(verb: Power, holder: Holder, powers: Powers, *, home: bool) -> Rank:
    """Return the rank by which *holder* may do *verb*.

    Args:
        verb: What.
        holder: Who.
        powers: What the server has said.
        home: Whether what all servers share may be changed from this one.

    Raises:
        BotError: ``NO_RANK`` or ``NOT_HOME``.
    """
    rank, least = rank_of(holder, powers), needed(verb, powers)
    if rank is None or not rank.covers(least):
        roles = [role for each in Rank if each.covers(least) for role in powers.roles.get(each, ())]
        raise BotError(BotCode.NO_RANK, rank=least, roles="".join(f", <@&{role}>" for role in roles))
    if shared(verb) and not home:
        raise BotError(BotCode.NOT_HOME)
    return rank


def may_appoint(rank: Rank, deed: Deed) -> None:
    """Refuse to give what is above one's own: a rank, or the say over who may do what.

    Raises:
        BotError: ``ABOVE_YOU``.
    """
    if isinstance(deed, SetRole) and not rank.covers(deed.rank):
        raise BotError(BotCode.ABOVE_YOU, rank=deed.rank)
    if isinstance(deed, SetPower) and rank is not Rank.OWNER:
        raise BotError(BotCode.ABOVE_YOU, rank=Rank.OWNER)


def may_judge(holder: Holder, rank: Rank, person: Holder, powers: Powers) -> None:
    """Refuse to block or time out oneself, or somebody of one's own rank or above; an owner may all others.

    Raises:
        BotError: ``ABOVE_YOU``.
    """
    theirs = rank_of(person, powers)
    if person.user_id == holder.user_id or (
        theirs is not None and rank is not Rank.OWNER and theirs.covers(rank)
    ):
        raise BotError(BotCode.ABOVE_YOU, rank=theirs or rank)
