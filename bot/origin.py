"""Where an order came from: what the bot needs to answer it, stored with the job."""

from enum import StrEnum

from pydantic import ValidationError

from bot.preferences import Whence
from worker.api import Frozen, Job

TOKEN_SECONDS = 15 * 60.0  # an interaction token lives this long


class Reach(StrEnum):
    """How messages about a job get out."""

    CHANNEL = "channel"  # as the bot, in a channel it is a member of
    TOKEN = "token"  # noqa: S105 - as follow-ups to the interaction, while its token lives


class Veil(StrEnum):
    """How far the result is kept from other people's eyes, by its prompt."""

    NONE = "none"
    SPOILER = "spoiler"  # covered until somebody clicks it
    PRIVATE = "private"  # only the person sees it, and the messages before it


class Addition(Frozen):
    """A part of a prompt that its author did not type."""

    whence: Whence
    text: str
    option: str = ""  # the name of the own option, if it is one


class Origin(Frozen):
    """The interaction behind a job."""

    interaction_id: int
    application_id: int
    token: str  # worthless after `expires_at`
    expires_at: float  # Unix seconds
    reach: Reach
    channel_id: int
    guild_id: int | None
    reply_to: int | None  # the message whose button was pressed
    user_name: str
    file_limit: int  # bytes one attachment may have
    locale: str = "en-US"
    nsfw: bool = False  # whether the channel is marked as adult
    veil: Veil = Veil.NONE
    added: tuple[Addition, ...] = ()  # what of its prompt was not typed
    apart: bool = False  # whether a message of its own shows it under way, not the interaction's answer
    key: str | None = None  # under which its job is queued, if not the interaction's id
    pardon: str | None = None  # the refusal that moderators took back, for which it is drawn all the same

    @property
    def job_key(self) -> str:
        """What the job is queued under: the same twice is one job."""
        return str(self.interaction_id) if self.key is None else self.key

    @property
    def text(self) -> str:
        """The form in which the job keeps it."""
        return self.model_dump_json()

    @staticmethod
    def pardon_in(text: str) -> str | None:
        """Return the pardon in an origin's `text`, None where there is none."""
        try:
            return Origin.model_validate_json(text).pardon
        except ValidationError:
            return None


def origin_of(job: Job) -> Origin | None:
    """Return where *job* came from, or None if it was not ordered through Discord."""
    try:
        return Origin.model_validate_json(job.origin)
    except ValidationError:
        return None
