"""The door between the bot and the worker: values, errors and the desk's protocol.

Errors:
    WorkerError           coded; the code is stored with the job and worded by the bot
      Rejected            an order was not accepted; nothing was queued
        LinksRefused      pictures it names by address are not to be had
      JobNotFound         no such job, or it was deleted
      PictureGone         the row is there, the file is not
      DatabaseBusy        the file did not answer in time
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal, NewType, Protocol

from pydantic import BaseModel, ConfigDict, Field

from parser import ImagineRequest, Speed
from worker.codes import Category as Category  # noqa: PLC0414 - part of the door
from worker.codes import ErrorCode as ErrorCode  # noqa: PLC0414 - likewise

if TYPE_CHECKING:  # it is made of the values below
    from worker.accounts import Account

JobId = NewType("JobId", str)  # UUID v4, lower case, with hyphens
EventId = NewType("EventId", int)  # grows with every event, never reused


class Frozen(BaseModel):
    """A value: equal by content, never changed, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


LANES = (Speed.TURBO, Speed.FAST, Speed.RELAX)  # a lane is served when those before it have nothing to give


class JobState(StrEnum):
    """Where a job is. The text is the database value."""

    QUEUED = "queued"  # waiting for a worker
    RUNNING = "running"  # leased to a worker
    SUCCEEDED = "succeeded"  # pictures stored
    FAILED = "failed"  # attempts used up, or not worth another
    CANCELLED = "cancelled"  # by its owner or a moderator

    @property
    def final(self) -> bool:
        """True if no transition leaves this state."""
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
        JobState.RUNNING: frozenset(
            {
                JobState.QUEUED,  # retry, lease expired, or handed back at shutdown
                JobState.SUCCEEDED,
                JobState.FAILED,
                JobState.CANCELLED,
            }
        ),
        JobState.SUCCEEDED: frozenset(),
        JobState.FAILED: frozenset(),
        JobState.CANCELLED: frozenset(),
    }
)


class Strength(StrEnum):
    """How far a variation may go from its picture."""

    SUBTLE = "subtle"
    STRONG = "strong"


class Imagine(Frozen):
    """Draw a grid of four from a prompt."""

    kind: Literal["imagine"] = "imagine"
    request: ImagineRequest


class Reroll(Frozen):
    """Draw the grid of *source* again with a new seed."""

    kind: Literal["reroll"] = "reroll"
    source: JobId
    speed: Speed | None = None  # the lane, if not the source's


class Vary(Frozen):
    """Draw four variations of one picture of *source*."""

    kind: Literal["variation"] = "variation"
    source: JobId
    index: int = Field(ge=1, le=4)
    strength: Strength = Strength.STRONG
    speed: Speed | None = None  # likewise


class Cell(Frozen):
    """Take one picture out of the grid of *source*; free, and done at once."""

    kind: Literal["cell"] = "cell"
    source: JobId
    index: int = Field(ge=1, le=4)


class Upscale(Frozen):
    """Enlarge the single picture of *source* by super-resolution."""

    kind: Literal["upscale"] = "upscale"
    source: JobId
    index: int = Field(default=1, ge=1, le=4)
    speed: Speed | None = None  # likewise


Order = Annotated[Imagine | Reroll | Vary | Cell | Upscale, Field(discriminator="kind")]


class WorkerError(Exception):
    """A failure with a stable code.

    Attributes:
        code: What happened, for `bot.errors` to word.
        detail: Facts for the words, such as ``{"waiting": 10}``; never a prompt.
    """

    def __init__(self, code: ErrorCode, **detail: float | str) -> None:
        super().__init__(code.value)
        self.code = code
        self.detail: Mapping[str, float | str] = MappingProxyType(detail)


class Rejected(WorkerError):
    """The order was not accepted; nothing was queued."""


class LinksRefused(Rejected):
    """Pictures that the prompt names by address are not to be had; the code is that of the first.

    Attributes:
        links: What is wrong with each of them, by address as typed.
    """

    def __init__(self, links: Mapping[str, WorkerError]) -> None:
        first = next(iter(links.values()))
        super().__init__(first.code, **first.detail)
        self.links: Mapping[str, WorkerError] = MappingProxyType(dict(links))


class JobNotFound(WorkerError):
    """There is no such job, or it was deleted."""

    def __init__(self, job_id: JobId) -> None:
        super().__init__(ErrorCode.JOB_NOT_FOUND, job_id=job_id)


class PictureGone(WorkerError):
    """The job is known, its picture is no longer stored."""

    def __init__(self, name: str) -> None:
        super().__init__(ErrorCode.PICTURE_GONE, name=name)


class DatabaseBusy(WorkerError):
    """The database did not answer in time; nothing was written."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.DATABASE_BUSY)


class Job(Frozen):
    """A stored fact about one order. Times are Unix seconds, UTC."""

    id: JobId
    order: Order
    request: ImagineRequest  # what is drawn: a re-roll's typed seed is replaced by its own
    state: JobState
    speed: Speed
    owner_id: int  # Discord user id of who pressed or typed
    seed: int  # 0..4294967295, chosen at submit
    attempt: int  # claims so far
    cancel_requested: bool
    origin: str  # the bot's own words about where it came from; opaque to the worker
    model: str  # name of the checkpoint
    model_hash: str | None = None  # of its weights; None before it is drawn, or where they are not known
    width: int  # pixels of one picture
    height: int
    files: tuple[str, ...]  # names in the picture folder, grid first; empty until succeeded
    error: ErrorCode | None
    created_at: float
    started_at: float | None
    finished_at: float | None

    @property
    def source(self) -> JobId | None:
        """The job whose button was pressed, if any."""
        return None if isinstance(self.order, Imagine) else self.order.source

    @property
    def single(self) -> bool:
        """True if the result is one picture, not a grid."""
        return isinstance(self.order, Cell | Upscale)


class JobEvent(Frozen):
    """One line of the outbox: *job_id* entered *state*. The row has the rest."""

    id: EventId
    job_id: JobId
    state: JobState
    at: float


class Progress(Frozen):
    """How far a running job is: one row a job, overwritten at most once a second."""

    job_id: JobId
    fraction: float = Field(ge=0, le=1)
    paused: bool = False  # preempted by a higher lane; latents are kept
    preview: bytes | None = None  # WebP, at most 512 pixels a side
    at: float


class Standing(Frozen):
    """A waiting job's place."""

    place: int = Field(ge=1)  # 1 is next
    wait_seconds: float | None  # estimate until it starts, or None where that is not known
    away: bool  # no worker is running
    far: bool = False  # its place is further behind: so many people are before it that they are not counted
    paused: bool = False  # an admin stopped the queue: nothing starts until it is opened again
    off: str = ""  # the model it waits for, where an admin switched that off

    @property
    def kept(self) -> tuple[bool, bool, str]:
        """What keeps it from being drawn, whatever its place."""
        return self.away, self.paused, self.off


class Quote(Frozen):
    """What some prompts would come to now."""

    credits: tuple[float, ...]  # of each, as `worker.cost` says
    metered: float  # of all, but for what waits in relax: what allowances would pay
    seconds: float | None  # until the last is drawn, or None where nothing was measured yet


class Usage(Frozen):
    """What one person has made and has under way."""

    queued: Mapping[Speed, int]
    running: tuple[JobId, ...]
    pictures: Mapping[Speed, int]  # finished jobs; a grid counts once
    seconds: Mapping[Speed, float]  # device seconds of finished jobs


class Membership(Frozen):
    """Where somebody orders, and as what."""

    guild_id: int | None = None  # the server; None in direct messages
    role_ids: frozenset[int] = frozenset()  # theirs in that server
    exempt: bool = False  # whoever runs the machine: no allowance holds


DIRECT = Membership()  # in direct messages


class Limits(Frozen):
    """How much one person may have under way."""

    running: int = Field(default=3, ge=1)  # jobs drawn at the same time
    waiting: int = Field(default=10, ge=1)  # jobs in the queue behind those
    turbo: bool = False  # whether the turbo lane is open
    batch: int = Field(default=10, ge=1, le=40)  # jobs one command may make, as by {a, b} and --repeat


class JobDesk(Protocol):
    """Everything the bot and the command line may ask of the queue."""

    async def submit(
        self,
        order: Order,
        *,
        owner_id: int,
        key: str,
        origin: str,
        membership: Membership = DIRECT,
        batch: str | None = None,
    ) -> Job:
        """Accept *order* durably and return its job.

        The same *key* returns the first submission's job, whatever the order says. The membership decides
        which allowances pay for it. The jobs of a *batch* stand behind single ones, and have places of their
        own: as many as one command may make.

        Raises:
            Rejected: Nothing was queued; the code says why.
            JobNotFound: The source is unknown.
            PictureGone: A cell's, variation's or upscale's source picture has aged out.
            DatabaseBusy: The file did not answer in time.
        """
        ...

    async def quote(self, requests: Sequence[ImagineRequest]) -> Quote:
        """Return what *requests* would cost, and how long until all are drawn; nothing is queued.

        Raises:
            Rejected: One of them would be refused for what it asks for.
        """
        ...

    async def cancel(self, job_id: JobId) -> Job:
        """Ask *job_id* to stop and return it as it is now.

        Queued: ``CANCELLED`` at once. Running: still ``RUNNING``, with ``cancel_requested``.
        Final: unchanged.

        Raises:
            JobNotFound: There is no such job.
        """
        ...

    async def get(self, job_id: JobId) -> Job:
        """Return one job.

        Raises:
            JobNotFound: There is no such job.
        """
        ...

    async def delete(self, job_id: JobId) -> None:
        """Forget a final job and its pictures; a running or queued one is refused.

        Raises:
            JobNotFound: There is no such job.
            Rejected: ``SOURCE_UNFINISHED`` while it is queued or running.
        """
        ...

    async def recent(self, *, owner_id: int | None = None, limit: int = 25) -> Sequence[Job]:
        """Return the newest jobs first, of one person or of all."""
        ...

    async def progress(self, job_ids: Collection[JobId]) -> Mapping[JobId, Progress]:
        """Return the latest progress of those running."""
        ...

    async def standing(self, job_id: JobId) -> Standing | None:
        """Return a queued job's place, or None if it is not queued."""
        ...

    async def events(self, *, after: EventId, limit: int = 100) -> Sequence[JobEvent]:
        """Return the events that follow *after*, oldest first."""
        ...

    async def changed(self, seen: int, *, within: float) -> int:
        """Return once anything was written since a call that returned *seen*, or after *within* seconds.

        Returns:
            What to pass as *seen* the next time; -1 to begin with, which returns at once.
        """
        ...

    async def last_event(self) -> EventId:
        """Return the newest event's id, 0 if there is none."""
        ...

    async def picture(self, name: str) -> bytes:
        """Return a stored PNG.

        Raises:
            PictureGone: It is no longer there.
        """
        ...

    async def usage(self, owner_id: int) -> Usage:
        """Return what *owner_id* has made and has under way."""
        ...

    async def account(self, owner_id: int, membership: Membership) -> "Account":
        """Return what *owner_id* may use as that member, and what they have used."""
        ...

    async def away(self) -> bool:
        """Tell whether no worker is running."""
        ...
