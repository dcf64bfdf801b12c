"""The admins' door: what the queue's counter answers to those who run it. Beside `worker.api`.

Errors:
    AdminError            coded; worded by the bot and the command line
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from pydantic import Field, JsonValue

from parser import Speed
from worker.accounts import Account, Allowance, Whose
from worker.api import Category, ErrorCode, Frozen, Job, JobId, JobState, Membership
from worker.deeds import Deed, Rank, Verb, Which


class QueueMode(StrEnum):
    """Whether workers may claim and people may order. The text is the database value."""

    OPEN = "open"
    PAUSED = "paused"  # orders wait, nothing is claimed
    DRAINING = "draining"  # nothing is claimed, orders are refused


class AdminCode(StrEnum):
    """Why a deed was not done. Never renamed."""

    JOB_NOT_WAITING = "job_not_waiting"  # only a queued job can be promoted
    JOB_NOT_OVER = "job_not_over"  # only a failed or stopped one can be ordered again
    RETRIED_BEFORE = "retried_before"
    NOTHING_NAMED = "nothing_named"  # cancel needs to be told what
    LAST_MODEL = "last_model"
    UNKNOWN_MODEL = "unknown_model"
    MODEL_IS_OFF = "model_is_off"  # the default must be one that draws
    TOUCHES_CHANGED = "touches_changed"  # since the confirmation was asked for
    EXPIRED = "expired"  # the confirmation was used, or is too old
    QUOTA_WHOSE = "quota_whose"  # of nobody, or of several at once
    QUOTA_WHAT = "quota_what"  # nothing is said, or something although all shall be cleared
    QUOTA_SERVER = "quota_server"  # what is said does not concern a server


class AdminError(Exception):
    """A deed was not done; nothing was changed.

    Attributes:
        code: Why.
        detail: Facts for the words.
    """

    def __init__(self, code: AdminCode, **detail: float | str) -> None:
        super().__init__(code.value)
        self.code = code
        self.detail: Mapping[str, float | str] = MappingProxyType(detail)


class Actor(Frozen):
    """Who does it, and where."""

    name: str  # "discord:<user id>", "cli:<name at the operating system>", "bot"
    guild_id: int = 0
    channel_id: int = 0


class Entry(Frozen):
    """A line of the audit log."""

    id: int
    at: float  # Unix seconds
    actor: str
    guild_id: int
    channel_id: int
    verb: Verb | str  # a text where a later version wrote it
    target: str
    before: Mapping[str, JsonValue]
    after: Mapping[str, JsonValue]


class Done(Frozen):
    """What came of a deed."""

    entry: Entry | None  # None where everything was so before
    touched: int = 0  # jobs
    job: Job | None = None  # the one a retry ordered


class Pending(Frozen):
    """A deed that waits for its confirmation."""

    id: str
    user_id: int
    guild_id: int
    deed: Deed
    touches: int  # jobs, as the person was told


class RestrictionKind(StrEnum):
    """How a person is kept from ordering. The text is the database value."""

    BLOCK = "block"
    TIMEOUT = "timeout"


class Restriction(Frozen):
    """What keeps a person from ordering."""

    user_id: int
    kind: RestrictionKind
    until: float | None  # Unix seconds; None for a block
    reason: str
    created_at: float


class Gate(Frozen):
    """What must be known of a person and a place before an order."""

    restriction: Restriction | None
    allowed: bool  # whether the channel is open to orders
    nsfw: bool  # whether adult pictures may be shown there
    contacts: tuple[int, ...]  # Discord roles to ask


class Powers(Frozen):
    """Who may do what in a server."""

    roles: Mapping[Rank, tuple[int, ...]]  # Discord roles that hold a rank
    ranks: Mapping[str, Rank]  # verbs that take another rank than usually


class JobLine(Frozen):
    """A job as admins see it: without its prompt."""

    id: JobId
    owner_id: int
    kind: str
    state: JobState
    speed: Speed
    promoted: bool
    created_at: float
    started_at: float | None
    finished_at: float | None
    error: ErrorCode | None


class JobPage(Frozen):
    """Some of the jobs that were asked for."""

    lines: tuple[JobLine, ...]
    total: int


class QueueView(Frozen):
    """The queue at a glance."""

    mode: QueueMode
    waiting: Mapping[Speed, int]
    running: Mapping[Speed, int]
    people: int  # who wait


class PersonView(Frozen):
    """One person, as admins see them."""

    user_id: int
    restriction: Restriction | None
    waiting: int
    running: int
    pictures: int  # finished jobs
    seconds: float  # of the device


class ChannelRule(Frozen):
    """What was said about a channel; 0 is every channel without a rule of its own."""

    channel_id: int
    allowed: bool | None
    nsfw: bool


class ChannelView(Frozen):
    """A server's channels, as far as something was said about them."""

    rules: tuple[ChannelRule, ...]
    log_channel_id: int | None
    posted: int  # entry of the record up to which the log channel has it


class Word(Frozen):
    """A phrase of a server's own."""

    category: Category | str
    phrase: str
    allow: bool


class ModelLine(Frozen):
    """A model that the configuration names."""

    name: str
    enabled: bool
    default: bool
    flags: tuple[str, ...] = ()  # by which people ask for it
    waiting: int = 0  # jobs that it shall draw
    workers: int = 0  # that have it loaded


class WorkerLine(Frozen):
    """What a worker says of itself. Rates are of the seconds before `seen_at`."""

    name: str
    device: str
    model: str
    started_at: float
    seen_at: float
    jobs: int
    pictures: int
    passes: int
    batch: float = Field(ge=0)  # mean pictures in a forward pass
    largest_batch: int
    steps_per_second: float = Field(ge=0)  # denoising steps of pictures
    busy: float = Field(ge=0)  # share of the time in forward passes
    last_error: str | None
    last_error_at: float | None


class Disk(Frozen):
    """The data folder and the disk under it, in bytes."""

    free: int
    total: int
    database: int  # with its log
    pictures: int
    complete: bool  # False: there are more pictures than were looked at


class Letter(Frozen):
    """What an admin wrote to a person, to be sent by the bot."""

    id: int
    user_id: int
    guild_id: int  # in whose name, 0 for nobody's
    text: str
    created_at: float
    tried_at: float | None  # when it may have been sent first


class Status(Frozen):
    """The machine room."""

    queue: QueueView
    workers: tuple[WorkerLine, ...]  # those alive
    disk: Disk
    failures: tuple[JobLine, ...]  # the last jobs that failed, newest first


class AdminDesk(Protocol):
    """Everything that those who run Journeyman may ask for. Lists are cut by *skip* and *limit*."""

    async def do(self, deed: Deed, actor: Actor, *, pending: Pending | None = None) -> Done:
        """Do *deed* and write the audit log, both or neither.

        Given *pending*, it is used up, and the deed is done only if it touches what the person was told.

        Raises:
            AdminError: It was not done.
            JobNotFound: There is no such job.
            DatabaseBusy: The file did not answer in time.
        """
        ...

    async def touches(self, deed: Deed) -> int:
        """Return how many jobs *deed* would stop."""
        ...

    async def propose(self, deed: Deed, *, user_id: int, guild_id: int) -> Pending:
        """Keep *deed* until that person confirms it; forget those that nobody did."""
        ...

    async def pending(self, pending_id: str) -> Pending:
        """Return a deed that waits for its confirmation.

        Raises:
            AdminError: ``EXPIRED``.
        """
        ...

    async def withdraw(self, pending_id: str) -> None:
        """Forget a deed that waits for its confirmation."""
        ...

    async def gate(self, *, user_id: int, guild_id: int, channel_ids: Sequence[int]) -> Gate:
        """Return what must be known before an order.

        Args:
            user_id: Who orders.
            guild_id: The server, 0 for none.
            channel_ids: The channel; of a thread, that and its parent. The first with a rule decides.
        """
        ...

    async def powers(self, guild_id: int) -> Powers:
        """Return who may do what in a server."""
        ...

    async def queue(self) -> QueueView:
        """Return the queue at a glance."""
        ...

    async def jobs(
        self, which: Which, state: JobState | None = None, *, skip: int = 0, limit: int = 10
    ) -> JobPage:
        """Return jobs: the running and the waiting in order of acceptance, or the newest of *state*."""
        ...

    async def person(self, user_id: int) -> PersonView:
        """Return one person."""
        ...

    async def account(self, user_id: int, membership: Membership) -> Account:
        """Return what a person may use as that member, and what they have used."""
        ...

    async def allowances(self, whose: Whose) -> Mapping[int, Allowance]:
        """Return what was said of people, roles or servers, by Discord id."""
        ...

    async def restricted(
        self, kind: RestrictionKind | None = None, *, skip: int = 0, limit: int = 10
    ) -> tuple[Sequence[Restriction], int]:
        """Return who may not order, perhaps of one kind, the latest first, and how many they are."""
        ...

    async def channels(self, guild_id: int) -> ChannelView:
        """Return what was said about a server's channels."""
        ...

    async def words(
        self, guild_id: int, category: Category | None = None, *, skip: int = 0, limit: int = 10
    ) -> tuple[Sequence[Word], int]:
        """Return a server's own words and how many they are."""
        ...

    async def models(self) -> Sequence[ModelLine]:
        """Return the models."""
        ...

    async def status(self) -> Status:
        """Look at workers, queue and disk; may take two seconds."""
        ...

    async def audit(
        self,
        guild_id: int | None,
        verb: str = "",
        *,
        person: int | None = None,
        after: int | None = None,
        skip: int = 0,
        limit: int = 10,
    ) -> tuple[Sequence[Entry], int]:
        """Return entries of the audit log and how many there are.

        Args:
            guild_id: The server they were made from; None for all.
            verb: What their verb begins with.
            person: Only what that person did, or what was done to them.
            after: Only those behind this one, the oldest first; None for all, the newest first.
            skip: How many to leave out.
            limit: How many at most.
        """
        ...

    async def log_channels(self) -> Sequence[tuple[int, int, int]]:
        """Return server, channel, and the last entry posted there, of all that have a log channel."""
        ...

    async def logged(self, guild_id: int, entry_id: int) -> None:
        """Note up to which entry a server's log channel has the record."""
        ...

    async def letters(self, *, limit: int) -> Sequence[Letter]:
        """Return the oldest letters that are still to be sent."""
        ...

    async def tried(self, letter_id: int) -> bool:
        """Note, before it is sent, that a letter may be about to appear; False if it is gone."""
        ...
