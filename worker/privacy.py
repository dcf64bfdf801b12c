"""What is held about one person: handing it out, and forgetting it."""

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from worker.api import Frozen, JobId

ALIAS_KEY = "alias_key"  # in `bot_settings`: the key of `alias`, in hexadecimal digits

# When the timeout ends that strikes led to, by their times in their order; None if they led to none.
Sentence = Callable[[Sequence[float]], float | None]


def alias(key: str, guild_id: int, user_id: int) -> str:
    """Return what stands for a forgotten person in one server: to be recognised by, not to be read back."""
    return blake2b(f"{guild_id}:{user_id}".encode(), key=bytes.fromhex(key), digest_size=16).hexdigest()


class Handed(Frozen):
    """What went into a person's archive."""

    jobs: int
    pictures: int
    left_out: int  # pictures for which there was no room


class Forgotten(Frozen):
    """What was forgotten."""

    jobs: int
    scrubbed: bool  # False: overwritten within the hour, since the file was in use for too long


class Unstoppable(Exception):  # noqa: N818 - a state of the person's jobs
    """A job of theirs did not stop in time; nothing was forgotten yet."""


class PrivacyDesk(Protocol):
    """What a person may ask about themselves."""

    async def export(self, owner_id: int, file: Path, *, most_bytes: int | None = None) -> Handed:
        """Write everything about *owner_id* to *file*, a zip; the newest pictures that fit."""
        ...

    async def jobs_of(self, owner_id: int) -> Collection[JobId]:
        """Return every job of theirs."""
        ...

    async def forget(self, owner_id: int) -> Forgotten:
        """Stop their jobs, and let nothing in the data folder say who they were or what they wrote.

        What keeps them from ordering outlives this: a block or timeout by an admin as the bare id, one that
        followed from strikes as its end under an `alias`.

        Raises:
            Unstoppable: A job did not stop in time; ask again.
            DatabaseBusy: Nothing was forgotten yet.
        """
        ...
