"""Stable names of what is stored about failures and about what pictures show. Read through `worker.api`."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why something was refused or failed. Stored; never renamed."""

    QUEUE_FULL = "queue_full"  # the owner's waiting places are taken
    OUT_OF_CREDIT = "out_of_credit"  # the owner's allowance is used
    SERVER_OUT_OF_CREDIT = "server_out_of_credit"  # what the people of the server share is
    TURBO_OFF = "turbo_off"  # the operator has not allowed turbo
    IMAGES_UNAVAILABLE = "images_unavailable"  # pictures by address are not fetched here
    LINK_REFUSED = "link_refused"  # no pictures are fetched from there
    LINK_GONE = "link_gone"  # nothing is there, or no longer
    LINK_TIMED_OUT = "link_timed_out"
    LINK_UNREACHABLE = "link_unreachable"
    LINK_NO_PICTURE = "link_no_picture"  # something else, or damaged
    LINK_TOO_LARGE = "link_too_large"  # bytes or pixels
    LINKS_TOO_MANY = "links_too_many"  # in one prompt
    SIZE_UNAVAILABLE = "size_unavailable"  # a picture would become too large
    ASPECT_UNAVAILABLE = "aspect_unavailable"  # the model draws no shape as long
    SOURCE_UNFINISHED = "source_unfinished"  # buttons of a job without pictures
    NO_SUCH_PICTURE = "no_such_picture"  # index beyond what the source holds
    JOB_NOT_FOUND = "job_not_found"
    PICTURE_GONE = "picture_gone"
    BLOCKED = "blocked"  # an admin keeps the person from ordering
    TIMED_OUT = "timed_out"  # likewise, for a while
    QUEUE_DRAINING = "queue_draining"  # an admin lets the queue run empty
    MODEL_OFF = "model_off"  # an admin switched the model off
    MODEL_UNREADY = "model_unready"  # what it is, is not known yet: its files are not here, or not sound
    STYLE_UNAVAILABLE = "style_unavailable"  # Midjourney's, and of models that only Midjourney has
    ADAPTER_UNAVAILABLE = "adapter_unavailable"  # the model has no IP-Adapter, which the prompt needs
    NOT_WITH_MODEL = "not_with_model"  # the model cannot do what a parameter asks
    VERSION_UNAVAILABLE = "version_unavailable"  # no model here has that version
    DATABASE_BUSY = "database_busy"
    DISK_FULL = "disk_full"
    MODEL_MISSING = "model_missing"  # the checkpoint is absent or damaged
    MODEL_CHANGED = "model_changed"  # the checkpoint was replaced, and only the former one would do
    OUT_OF_MEMORY = "out_of_memory"
    ENGINE_FAILED = "engine_failed"  # the forward pass raised
    PROMPT_REFUSED = "prompt_refused"  # the worker found in it what the server does not allow
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"  # its worker died on it again and again


class Category(StrEnum):
    """What moderation looks for. Stored; never renamed."""

    HATE = "hate"
    HARASSMENT = "harassment"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    SEXUAL = "sexual"
    SHOCKING = "shocking"
    ILLEGAL = "illegal"
    DECEPTION = "deception"
    POLITICAL = "political"
    HEALTH = "health"  # public and personal
