"""What the bot itself refuses.

Errors:
    BotError              coded; worded by `bot.errors`
    Stopped               the process cannot go on; carries its own sentence
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class BotCode(StrEnum):
    """Why. The text is the key of the words."""

    NOT_YOURS = "not_yours"
    NOT_YOURS_TO_CANCEL = "not_yours_to_cancel"
    TOO_LATE = "too_late"
    ALREADY_FAILED = "already_failed"
    ALREADY_STOPPED = "already_stopped"
    MISSING_PERMISSIONS = "missing_permissions"
    LATER = "later"
    FOREIGN = "foreign"
    FIX_GONE = "fix_gone"
    FIX_NOT_YOURS = "fix_not_yours"
    ALREADY_ORDERED = "already_ordered"
    NO_JOB_HERE = "no_job_here"
    DM_CLOSED = "dm_closed"
    NO_PICTURES = "no_pictures"
    BLOCKED = "blocked"
    TIMED_OUT = "timed_out"
    CHANNEL_CLOSED = "channel_closed"
    NO_RANK = "no_rank"
    NOT_HOME = "not_home"
    ABOVE_YOU = "above_you"
    SERVER_ONLY = "server_only"
    OTHERS_BUTTON = "others_button"
    NOT_ADULT = "not_adult"
    NOT_A_TIME = "not_a_time"
    NOTHING_SAID = "nothing_said"
    MODERATION_TIMEOUT = "moderation_timeout"
    WITHHELD = "withheld"
    APPEAL_GONE = "appeal_gone"
    APPEAL_NOT_YOURS = "appeal_not_yours"
    APPEAL_UNHEARD = "appeal_unheard"
    APPEAL_SENT = "appeal_sent"
    APPEAL_DECIDED = "appeal_decided"
    NOT_A_MODERATOR = "not_a_moderator"
    NOT_A_MANAGER = "not_a_manager"
    TURBO_CLOSED = "turbo_closed"
    SUFFIX_TEXT = "suffix_text"
    SUFFIX_BATCH = "suffix_batch"
    TOO_LONG = "too_long"
    OPTION_NAME = "option_name"
    OPTION_TAKEN = "option_taken"
    OPTIONS_FULL = "options_full"
    BATCH_RELAX = "batch_relax"
    BATCH_TOO_LARGE = "batch_too_large"
    BATCH_GONE = "batch_gone"
    BATCH_OVER = "batch_over"


class BotError(Exception):
    """Not allowed, not yours, too old.

    Attributes:
        code: What happened.
        detail: Facts for the words.
    """

    def __init__(self, code: BotCode, **detail: object) -> None:
        super().__init__(code.value)
        self.code = code
        self.detail: Mapping[str, object] = MappingProxyType(detail)


class Stopped(Exception):  # noqa: N818 - the process ends, which need not be an error
    """The bot cannot go on; the message is a sentence for the operator.

    Attributes:
        passing: Whether another start may do better without anybody's help.
    """

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing
