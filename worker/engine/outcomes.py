"""What an engine says of its jobs; pictures are not files yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.api import JobId
from worker.device import Company, Dropped, Failed
from worker.engine.pictures import Pixels


@dataclass(frozen=True, slots=True)
class Moved:
    """A job came a step further, or was paused."""

    job_id: JobId
    attempt: int
    fraction: float
    paused: bool
    preview: Sequence[Pixels]  # empty: nothing new to see


@dataclass(frozen=True, slots=True)
class Drawn:
    """All pictures of a job are there, not yet as files."""

    job_id: JobId
    attempt: int
    cells: Sequence[Pixels]
    text: dict[int | None, dict[str, str]]
    device_seconds: float
    company: Company


Outcome = Moved | Drawn | Failed | Dropped
