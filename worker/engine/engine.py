"""The loop: schedule, denoise, update."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog
import torch

from parser import Speed
from worker.api import ErrorCode, JobId
from worker.device import Capacity, Company, DeviceJob, Dropped, Failed
from worker.engine import bookmark
from worker.engine.blame import code_of, failure
from worker.engine.bookmark import Value
from worker.engine.pictures import Pixels
from worker.engine.plan import BatchKey, Sample, SampleId, StepScheduler
from worker.recipe import Recipe

PREVIEW_SECONDS = 1.0  # at most one preview a job in this time
SUSPICIOUS = 3  # jobs that fail one after another, no pass succeeding between, condemn the device

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

    def pictures(self, ids: Sequence[SampleId]) -> list[Pixels]:
        """Return finished samples as pictures."""
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


class Backends(Protocol):
    """Where the networks are."""

    def preload(self) -> BatchKey:
        """Load what ordinary jobs need and return their batch key."""
        ...

    def backend(self, recipe: Recipe) -> Backend:
        """Return what makes a recipe's pictures; may raise `WorkerError`."""
        ...


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
    def company(self) -> Company:
        """Whom it met in its forward passes."""
        return Company(self.passes, self.shared, self.people, self.rows)


class Engine:
    """Take one step for one batch at a time. Belongs to one thread."""

    def __init__(
        self, backends: Backends, clock: Callable[[], float], scheduler: StepScheduler | None = None
    ) -> None:
        """Load the default network.

        Args:
            backends: Where the networks are.
            clock: Seconds, monotonic.
            scheduler: Who is next; a fresh one by default.

        Raises:
            WorkerError: The default network is missing or damaged.
        """
        self._backends = backends
        self._clock = clock
        self._scheduler = StepScheduler() if scheduler is None else scheduler
        self._usual = backends.preload()
        self._works: dict[JobId, Work] = {}
        self._outcomes: list[Outcome] = []
        self._failing: set[JobId] = set()  # since the last pass that succeeded
        self.passes: Counter[int] = Counter()  # forward passes by their number of rows
        self.busy_seconds = 0.0  # spent on steps, decoding included

    @property
    def busy(self) -> bool:
        """True while there is a step to take."""
        return bool(self._works)

    @property
    def broken(self) -> bool:
        """True once so many jobs failed in a row that it is hardly their fault: to be thrown away."""
        return len(self._failing) >= SUSPICIOUS

    def submit(self, job: DeviceJob) -> list[Outcome]:
        """Admit a job; it joins the next step that its lane and the batch cap allow."""
        earlier = self.cancel(job.job_id)  # an attempt whose lease ran out
        began = self._clock()
        try:
            backend = self._backends.backend(job.recipe)
            work = Work(job, backend, backend.open(job))
            seconds = _take_up(work)
        except Exception as error:  # noqa: BLE001 - whatever a network raises fails this job alone
            return [*earlier, self._failed(job, error)]
        work.seconds = seconds + self._clock() - began
        self._works[job.job_id] = work
        self._scheduler.add(work.samples)
        self._outcomes = earlier
        if done := [sample for sample in work.samples if sample.done]:
            self._conclude(work, done)
        return self._outcomes

    def cancel(self, job_id: JobId) -> list[Outcome]:
        """Drop a job's latents; nothing if it is not here."""
        work = self._works.get(job_id)
        if work is None:
            return []
        self._forget(work)
        return [Dropped(work.job.job_id, work.job.attempt)]

    def suspend(self) -> list[Outcome]:
        """Drop every job, and say of each what it takes to go on with it."""
        return [self._hand_back(work) for work in list(self._works.values())]

    def drop_all(self) -> list[Outcome]:
        """Drop every job."""
        return [outcome for job_id in list(self._works) for outcome in self.cancel(job_id)]

    def fail_all(self, error: Exception) -> list[Outcome]:
        """Fail every job, to be tried again: the engine's own state is in doubt."""
        works = list(self._works.values())
        for work in works:
            self._forget(work)
        return [self._failed(work.job, error) for work in works]

    def capacity(self) -> Capacity:
        """Return the free places by lane."""
        free = {lane: self._scheduler.free(lane, self._usual) for lane in Speed}
        return Capacity(free, len(self._scheduler), self._scheduler.free_for_newcomers(self._usual))

    def step(self) -> list[Outcome]:
        """Take one step for one batch; return what happened, in order."""
        batch = self._scheduler.schedule()
        if not batch:
            return []
        self._outcomes = []
        began = self._clock()
        advanced = self._advance(batch)
        seconds = self._clock() - began
        self._scheduler.took(batch, seconds, whole=len(advanced) == len(batch))
        for sample in advanced:
            self._works[sample.id.job_id].seconds += seconds / len(advanced)
        done = self._scheduler.update(advanced)
        for work in self._touched(advanced):
            self._conclude(work, [sample for sample in done if sample.id.job_id == work.job.job_id])
        self._mark_paused()
        self.busy_seconds += self._clock() - began
        return self._outcomes

    def _advance(self, batch: Sequence[Sample]) -> list[Sample]:
        """Run the batch in one forward pass, or, where that fails, its halves; return who advanced."""
        batch = [sample for sample in batch if sample.id.job_id in self._works]
        if not batch:
            return []
        backend = self._works[batch[0].id.job_id].backend
        try:
            outputs = backend.forward([sample.id for sample in batch])
        except Exception as error:  # noqa: BLE001 - the thread must live; the culprit is found by halving
            return self._divide(batch, error)
        self._record(batch)
        for sample, output in zip(batch, outputs, strict=True):
            self._take(backend, sample, output)
        return [sample for sample in batch if sample.id.job_id in self._works]

    def _divide(self, batch: Sequence[Sample], error: Exception) -> list[Sample]:
        if code_of(error) is ErrorCode.OUT_OF_MEMORY:
            self._make_room(batch)
        if len(batch) == 1:
            self._fail(self._works[batch[0].id.job_id], error)
            return []
        middle = len(batch) // 2
        first = self._advance(batch[:middle])
        second = self._advance(batch[middle:])
        return [sample for sample in first + second if sample.id.job_id in self._works]

    def _take(self, backend: Backend, sample: Sample, output: torch.Tensor) -> None:
        work = self._works.get(sample.id.job_id)
        if work is None:  # a sibling failed a moment ago
            return
        try:
            backend.take(sample.id, output)
        except Exception as error:  # noqa: BLE001 - one row's failure is its job's alone
            self._fail(work, error)

    def _make_room(self, batch: Sequence[Sample]) -> None:
        """Remember that so many rows do not fit, and hand back a job that only waits."""
        self._scheduler.cap(batch[0].key).lower(len(batch) // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        waiting = self._scheduler.newest_paused_relax()
        if waiting is not None:
            self._outcomes.append(self._hand_back(self._works[waiting]))

    def _record(self, batch: Sequence[Sample]) -> None:
        self._failing.clear()
        self.passes[len(batch)] += 1
        owners = {sample.owner_id for sample in batch}
        for work in self._touched(batch):
            work.passes += 1
            work.shared += len(owners) > 1
            work.people = max(work.people, len(owners))
            work.rows = max(work.rows, len(batch))

    def _touched(self, samples: Iterable[Sample]) -> list[Work]:
        ids = dict.fromkeys(sample.id.job_id for sample in samples)
        return [self._works[job_id] for job_id in ids if job_id in self._works]

    def _conclude(self, work: Work, done: Sequence[Sample]) -> None:
        """Decode what is done; report the job as drawn, or as moved."""
        began = self._clock()
        try:
            if done:
                cells = work.backend.pictures([sample.id for sample in done])
                work.cells |= {sample.id.cell: cell for sample, cell in zip(done, cells, strict=True)}
            finished = len(work.cells) == len(work.samples)
            outcome = _drawn(work) if finished else self._moved(work)
        except Exception as error:  # noqa: BLE001 - decoding may run out of memory; others go on
            self._fail(work, error)
            return
        work.seconds += self._clock() - began
        if isinstance(outcome, Drawn):
            outcome = replace(outcome, device_seconds=work.seconds)
            self._forget(work)
        self._outcomes.append(outcome)

    def _moved(self, work: Work) -> Moved:
        preview = self._preview(work)
        return Moved(work.job.job_id, work.job.attempt, work.fraction, paused=False, preview=preview)

    def _preview(self, work: Work) -> Sequence[Pixels]:
        now = self._clock()
        if work.cells or (work.previewed_at is not None and now - work.previewed_at < PREVIEW_SECONDS):
            return []
        preview = work.backend.preview(work.ids)
        if preview:
            work.previewed_at = now
        return preview

    def _mark_paused(self) -> None:
        paused = self._scheduler.paused()
        for job_id, work in self._works.items():
            if job_id in paused and not work.paused:
                self._outcomes.append(Moved(job_id, work.job.attempt, work.fraction, paused=True, preview=[]))
            work.paused = job_id in paused

    def _fail(self, work: Work, error: Exception) -> None:
        self._forget(work)
        self._outcomes.append(self._failed(work.job, error))

    def _failed(self, job: DeviceJob, error: Exception) -> Failed | Dropped:
        """Return how a job ends that *error* hit: handed back, if the device is to blame."""
        failed = failure(job, error)
        if not failed.retryable:
            return failed
        self._failing.add(job.job_id)
        return Dropped(job.job_id, job.attempt) if self.broken else failed

    def _hand_back(self, work: Work) -> Dropped:
        """Drop *work*, and keep what was drawn, if anything was."""
        job, kept = work.job, None
        try:
            if any(sample.step for sample in work.samples):
                told = {"seconds": work.seconds, "pictures": work.backend.keep(job)}
                kept = bookmark.written(told)
        except Exception as error:  # noqa: BLE001 - it is drawn from the start then, the same
            log.warning("not_kept", job_id=job.job_id, reason=repr(error))
        self._forget(work)
        return Dropped(job.job_id, job.attempt, kept)

    def _forget(self, work: Work) -> None:
        del self._works[work.job.job_id]
        self._scheduler.remove(work.ids)
        try:
            work.backend.close(work.ids)
        except Exception:
            log.exception("closing_failed", job_id=work.job.job_id)


def _drawn(work: Work) -> Drawn:
    indices = sorted(work.cells)
    said: list[int | None] = [*indices, None] if len(indices) > 1 else [*indices]
    return Drawn(
        job_id=work.job.job_id,
        attempt=work.job.attempt,
        cells=[work.cells[index] for index in indices],
        text={index: work.backend.text(work.job, index) for index in said},
        device_seconds=work.seconds,
        company=work.company,
    )


def _take_up(work: Work) -> float:
    """Bring *work* to where an earlier attempt was, if that fits; return the seconds that one took."""
    if work.job.kept is None:
        return 0.0
    try:
        kept = bookmark.read(work.job.kept)
        seconds = float(kept["seconds"])
        steps = work.backend.resume(work.job, kept["pictures"])
    except (ValueError, LookupError, TypeError) as error:
        log.info("begun_anew", job_id=work.job.job_id, reason=str(error))
        return 0.0
    for sample, taken in zip(work.samples, steps, strict=True):
        sample.reach(taken)
    log.info("gone_on", job_id=work.job.job_id, fraction=round(work.fraction, 3))
    return seconds
