"""How long things are kept."""

from pydantic import Field

from worker.api import Frozen


class Retention(Frozen):
    """How long things are kept, and how much room pictures may take. Nothing ages out by itself."""

    pictures_days: float | None = Field(default=None, gt=0)  # a job's pictures go after; its prompt stays
    jobs_days: float | None = Field(default=None, gt=0)  # a finished job goes after, pictures and all
    events_days: float = Field(default=30, ge=1)  # the record of a job's states goes after
    disk_gb: float | None = Field(default=None, gt=0)  # what pictures may take; the least missed go first
