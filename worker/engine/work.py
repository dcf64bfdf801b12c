"""A job under way, and what draws it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import torch

from worker.device import Company, DeviceJob
from worker.engine import bookmark
from worker.engine.bookmark import Value
from worker.engine.outcomes import Drawn
from worker.engine.pictures import Pixels
from worker.engine.plan import Sample, SampleId

Decode = Callable[[], Sequence[Pixels]]

log = structlog.get_logger()


class Backend(Protocol):
    """One network family; the only code that touches tensors."""

    def open(self, job: DeviceJob) -> list[Sample]:
        """Prepare every picture of *job*; may raise `WorkerError`."""
        ...

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        """Run one forward pass for all; changes nothing, so it may be repeated in parts."""
        ...

    def take(self, sample_id: SampleId, output: torch.Tensor) -> None:
        """Advance one sample by its share of a forward pass."""
        ...

    def keep(self, job: DeviceJob) -> Value:
        """Return how far the pictures of *job* are; may raise `TypeError` where that cannot be written."""
        ...

    def resume(self, job: DeviceJob, kept: Value) -> Sequence[int]:
        """Bring the pictures of *job*, just opened, to where they were; return the steps each has taken.

        May raise `ValueError`, having changed nothing: *kept* is of other weights or another program.
        """
        ...

    def ended(self, ids: Sequence[SampleId]) -> Decode:
        """Return what makes pictures of finished samples, in their order.

        It holds all it needs, may be called on another thread while steps go on, though never twice at once
        with another of the same device, and again if it failed.
        """
        ...

    def preview(self, ids: Sequence[SampleId]) -> list[Pixels]:
        """Return how samples look now; empty if there is nothing to see yet."""
        ...

    def close(self, ids: Sequence[SampleId]) -> None:
        """Forget samples."""
        ...

    def text(self, job: DeviceJob, index: int | None) -> dict[str, str]:
        """Return what the PNG of a picture says; None is the grid."""
        ...


@dataclass(slots=True)
class Work:
    """A job under way."""

    job: DeviceJob
    backend: Backend
    samples: list[Sample]
    cells: dict[int, Pixels] = field(default_factory=dict)
    seconds: float = 0.0
    previewed_at: float | None = None
    paused: bool = False
    passes: int = 0
    shared: int = 0
    people: int = 1
    rows: int = 0

    @property
    def ids(self) -> list[SampleId]:
        """Its samples, in picture order."""
        return [sample.id for sample in self.samples]

    @property
    def fraction(self) -> float:
        """Work done of all the work."""
        return sum(s.taken for s in self.samples) / sum(s.whole for s in self.samples)

    @property
    def finished(self) -> bool:
        """True once every picture is there."""
        return len(self.cells) == len(self.samples)

    @property
    def drawn(self) -> Drawn:
        """What it ends with, once it is finished."""
        indices = sorted(self.cells)
        said: list[int | None] = [*indices, None] if len(indices) > 1 else [*indices]
        return Drawn(
            job_id=self.job.job_id,
            attempt=self.job.attempt,
            cells=[self.cells[index] for index in indices],
            text={index: self.backend.text(self.job, index) for index in said},
            device_seconds=self.seconds,
            company=Company(self.passes, self.shared, self.people, self.rows),
        )

    def decoded(self, done: Sequence[Sample], cells: Sequence[Pixels]) -> None:
        """Take in the pictures of *done*."""
        self.cells |= {sample.id.cell: cell for sample, cell in zip(done, cells, strict=True)}

    def take_up(self) -> None:
        """Come to where an earlier attempt was, if that fits."""
        if self.job.kept is None:
            return
        try:
            kept = bookmark.read(self.job.kept)
            seconds = float(kept["seconds"])
            steps = self.backend.resume(self.job, kept["pictures"])
        except (ValueError, LookupError, TypeError) as error:
            log.info("begun_anew", job_id=self.job.job_id, reason=str(error))
            return
        for sample, taken in zip(self.samples, steps, strict=True):
            sample.reach(taken)
        self.seconds = seconds
        log.info("gone_on", job_id=self.job.job_id, fraction=round(self.fraction, 3))

    def kept(self) -> bytes | None:
        """Return what it takes to go on with it later; None where nothing was drawn, or it cannot be kept."""
        try:
            if any(sample.step for sample in self.samples):
                return bookmark.written({"seconds": self.seconds, "pictures": self.backend.keep(self.job)})
        except Exception as error:  # noqa: BLE001 - it is drawn from the start then, the same
            log.warning("not_kept", job_id=self.job.job_id, reason=repr(error))
        return None
