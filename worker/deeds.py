"""What those who run Journeyman can do: every verb, and the values that say it whole.

A deed is stored while it waits for its confirmation and told in the audit log, so it holds no prompt.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from parser import Speed
from worker.accounts import Allowance, Whose
from worker.api import Category, Frozen, JobId

REASON_LIMIT = 300  # characters
PHRASE_LIMIT = 100
LETTER_LIMIT = 1500  # characters of a message to a person
MOST_GRANT = 1e6  # credits by one deed
Seconds = Annotated[float, Field(gt=0, le=400 * 86400)]
Snowflake = Annotated[int, Field(ge=1, lt=2**63)]


class Verb(StrEnum):
    """Group and subcommand, as they are typed after ``/admin`` and ``journeyman admin``. Stored."""

    QUEUE_SHOW = "queue show"
    QUEUE_PAUSE = "queue pause"
    QUEUE_RESUME = "queue resume"
    QUEUE_DRAIN = "queue drain"
    QUEUE_PROMOTE = "queue promote"
    QUEUE_CANCEL = "queue cancel"
    QUEUE_RETRY = "queue retry"
    QUEUE_CLEAR = "queue clear"
    QUOTA_SHOW = "quota show"
    QUOTA_GRANT = "quota grant"
    QUOTA_SET = "quota set"
    QUOTA_RESET = "quota reset"
    USER_SHOW = "user show"
    USER_BLOCK = "user block"
    USER_UNBLOCK = "user unblock"
    USER_TIMEOUT = "user timeout"
    USER_CONTACT = "user contact"
    ROLE_SET = "role set"
    ROLE_LIST = "role list"
    CHANNEL_ALLOW = "channel allow"
    CHANNEL_DENY = "channel deny"
    CHANNEL_NSFW = "channel nsfw"
    CHANNEL_LOG = "channel log"
    CHANNEL_LIST = "channel list"
    WORDS_ADD = "words add"
    WORDS_REMOVE = "words remove"
    WORDS_TEST = "words test"
    WORDS_LIST = "words list"
    MODELS_LIST = "models list"
    MODELS_ENABLE = "models enable"
    MODELS_DISABLE = "models disable"
    MODELS_DEFAULT = "models default"
    STATUS = "status"
    AUDIT = "audit"


class Watch(StrEnum):
    """What watches over a server's pictures, as typed after the slash: ranks count for it as for a `Verb`."""

    SHOW = "moderation show"
    CATEGORY = "moderation category"
    PICTURES = "moderation pictures"
    APPEALS = "moderation appeals"
    STRIKES = "moderation strikes"
    FORGIVE = "moderation forgive"  # also to decide an appeal, which may take a strike back


Power = Verb | Watch
POWERS: Sequence[Power] = (*Verb, *Watch)


class Rank(StrEnum):
    """Our own roles, the mightiest first."""

    OWNER = "owner"
    ADMIN = "admin"
    MODERATOR = "moderator"

    def covers(self, other: "Rank") -> bool:
        """Tell whether who holds this rank may do what takes *other*."""
        ranks = list(Rank)
        return ranks.index(self) <= ranks.index(other)


class SetMode(Frozen):
    """Open or close the queue."""

    verb: Literal[Verb.QUEUE_PAUSE, Verb.QUEUE_RESUME, Verb.QUEUE_DRAIN]


class Promote(Frozen):
    """Let a waiting job be claimed before everybody's."""

    verb: Literal[Verb.QUEUE_PROMOTE] = Verb.QUEUE_PROMOTE
    job_id: JobId


class Retry(Frozen):
    """Order a failed or stopped job once more, for its owner."""

    verb: Literal[Verb.QUEUE_RETRY] = Verb.QUEUE_RETRY
    job_id: JobId


class Which(Frozen):
    """Some jobs: those that fit everything that is said."""

    job_id: JobId | None = None
    owner_id: Snowflake | None = None
    speed: Speed | None = None

    @property
    def everything(self) -> bool:
        """True if nothing is said."""
        return self == Which()


class Cancel(Frozen):
    """Stop jobs, waiting and running."""

    verb: Literal[Verb.QUEUE_CANCEL] = Verb.QUEUE_CANCEL
    which: Which


class Clear(Frozen):
    """Cancel waiting jobs; what runs goes on."""

    verb: Literal[Verb.QUEUE_CLEAR] = Verb.QUEUE_CLEAR
    which: Which = Which()


class Block(Frozen):
    """Keep a person from ordering until further notice, and cancel what they have under way."""

    verb: Literal[Verb.USER_BLOCK] = Verb.USER_BLOCK
    user_id: Snowflake
    reason: str = Field(default="", max_length=REASON_LIMIT)


class Timeout(Frozen):
    """Keep a person from ordering for a while; what they have under way stays."""

    verb: Literal[Verb.USER_TIMEOUT] = Verb.USER_TIMEOUT
    user_id: Snowflake
    seconds: Seconds
    reason: str = Field(default="", max_length=REASON_LIMIT)


class Unblock(Frozen):
    """Let a person order again, blocked or timed out."""

    verb: Literal[Verb.USER_UNBLOCK] = Verb.USER_UNBLOCK
    user_id: Snowflake


class Contact(Frozen):
    """Note that a person was written to; the text itself is nobody else's."""

    verb: Literal[Verb.USER_CONTACT] = Verb.USER_CONTACT
    user_id: Snowflake
    characters: int = Field(ge=1)


class Write(Frozen):
    """Leave a letter for a person with the bot, which sends it once it can; the record has its length."""

    verb: Literal[Verb.USER_CONTACT] = Verb.USER_CONTACT
    user_id: Snowflake
    text: str = Field(min_length=1, max_length=LETTER_LIMIT)


class Fate(StrEnum):
    """What came of a letter. Stored in the record."""

    SENT = "sent"
    CLOSED = "closed"  # the person takes no direct messages from the bot
    REFUSED = "refused"  # by Discord: there is no such person, for example
    LATE = "late"  # Discord could not be reached for too long


class Settle(Frozen):
    """Note what came of a letter, which is then forgotten."""

    verb: Literal[Verb.USER_CONTACT] = Verb.USER_CONTACT
    letter_id: int
    outcome: Fate


class Grant(Frozen):
    """Give a person credits beyond every allowance, or take back of those that are left."""

    verb: Literal[Verb.QUOTA_GRANT] = Verb.QUOTA_GRANT
    user_id: Snowflake
    credits: float = Field(ge=-MOST_GRANT, le=MOST_GRANT)


class SetQuota(Frozen):
    """Say how much a person, each holder of a role, or a server may use; None for what else holds."""

    verb: Literal[Verb.QUOTA_SET] = Verb.QUOTA_SET
    whose: Whose
    subject: Snowflake
    allowance: Allowance | None


class ResetQuota(Frozen):
    """Let a person's day and month begin anew."""

    verb: Literal[Verb.QUOTA_RESET] = Verb.QUOTA_RESET
    user_id: Snowflake


class SetRole(Frozen):
    """Give one of our ranks to a Discord role, or take it."""

    verb: Literal[Verb.ROLE_SET] = Verb.ROLE_SET
    guild_id: Snowflake
    rank: Rank
    role_id: Snowflake
    held: bool = True


class SetPower(Frozen):
    """Say which rank a verb takes in a server; None for the usual one."""

    verb: Literal[Verb.ROLE_SET] = Verb.ROLE_SET
    guild_id: Snowflake
    power: Power
    rank: Rank | None


class SetChannel(Frozen):
    """Open or close a channel to orders; channel 0 is every channel without a rule of its own."""

    verb: Literal[Verb.CHANNEL_ALLOW, Verb.CHANNEL_DENY]
    guild_id: Snowflake
    channel_id: int = Field(ge=0, lt=2**63)


class SetNsfw(Frozen):
    """Say whether adult pictures may be shown in a channel."""

    verb: Literal[Verb.CHANNEL_NSFW] = Verb.CHANNEL_NSFW
    guild_id: Snowflake
    channel_id: Snowflake
    nsfw: bool


class SetLog(Frozen):
    """Post the audit log to a channel from now on, or nowhere."""

    verb: Literal[Verb.CHANNEL_LOG] = Verb.CHANNEL_LOG
    guild_id: Snowflake
    channel_id: Snowflake | None


class SetWord(Frozen):
    """Add a phrase to a server's own words, or remove it."""

    verb: Literal[Verb.WORDS_ADD, Verb.WORDS_REMOVE]
    guild_id: Snowflake
    category: Category
    phrase: str = Field(min_length=1, max_length=PHRASE_LIMIT)
    allow: bool = False


class SetModel(Frozen):
    """Switch a model on or off, or make it the default."""

    verb: Literal[Verb.MODELS_ENABLE, Verb.MODELS_DISABLE, Verb.MODELS_DEFAULT]
    name: str = Field(min_length=1, max_length=100)


Deed = (
    SetMode
    | Promote
    | Retry
    | Cancel
    | Clear
    | Block
    | Timeout
    | Unblock
    | Contact
    | Write
    | Settle
    | Grant
    | SetQuota
    | ResetQuota
    | SetRole
    | SetPower
    | SetChannel
    | SetNsfw
    | SetLog
    | SetWord
    | SetModel
)
DEED: TypeAdapter[Deed] = TypeAdapter(Deed)
CONFIRMED = (Cancel, Clear, Block, ResetQuota)  # asked about before they are done
