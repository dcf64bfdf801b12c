"""The loop: schedule, denoise, update."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, wait
from typing import Protocol

import structlog
import torch

from parser import Speed
from worker.api import ErrorCode, JobId
from worker.device import Capacity, DeviceJob, Dropped, Failed
from worker.engine import memory
from worker.engine.aside import Aside, Developing, Timed
from worker.engine.blame import code_of, failure
from worker.engine.outcomes import Moved, Outcome
from worker.engine.pictures import Pixels
from worker.engine.plan import BatchKey, Sample, StepScheduler
from worker.engine.transfer import finish
from worker.engine.work import Backend, Work
from worker.recipe import Recipe

PREVIEW_SECONDS = 1.0  # at most one preview a job in this time
TIDYING_SECONDS = 20.0  # what is free is given back at most once in this time
SUSPICIOUS = 3  # jobs that fail one after another, no pass succeeding between, condemn the device

log = structlog.get_logger()


class Backends(Protocol):
    """Where the networks are."""

    def preload(self) -> BatchKey:
        """Load what ordinary jobs need and return their batch key."""
        ...

    def backend(self, recipe: Recipe) -> Backend:
        """Return what makes a recipe's pictures; may raise `WorkerError`."""
        ...


class Engine:
    """Take one step for one batch at a time. Belongs to one thread."""

    def __init__(
        self,
        backends: Backends,
        clock: Callable[[], float],
        scheduler: StepScheduler | None = None,
        aside: Aside | None = None,
    ) -> None:
        """Load the default network.

        Args:
            backends: Where the networks are.
            clock: Seconds, monotonic.
            scheduler: Who is next; a fresh one by default.
            aside: Decodes finished pictures while the next steps are taken; None: they are decoded in line.

        Raises:
            WorkerError: The default network is missing or damaged.
        """
        self._backends = backends
        self._clock = clock
        self._scheduler = StepScheduler() if scheduler is None else scheduler
        self._usual = backends.preload()
        self._aside = aside
        self._developing: list[Developing] = []  # also of works that are dropped, until that is over
        self._works: dict[JobId, Work] = {}
        self._outcomes: list[Outcome] = []
        self._tidied_at = clock()
        self._failing: set[JobId] = set()  # since the last pass that succeeded
        self.passes: Counter[int] = Counter()  # forward passes by their number of rows
        self.busy_seconds = 0.0  # spent on steps, and on decoding in line

    @property
    def busy(self) -> bool:
        """True while there is a step to take, or something to wait for."""
        return bool(self._works)

    @property
    def ready(self) -> bool:
        """True while there is a step to take."""
        return self._scheduler.lane is not None

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
            work.take_up()
        except Exception as error:  # noqa: BLE001 - whatever a network raises fails this job alone
            return [*earlier, self._failed(job, error)]
        work.seconds += self._clock() - began
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
        """Return the free places by lane.

        Pictures that are decoded aside take none, as long as they are no more than a batch: so what is drawn
        next is here in time, and what waits for that thread has a bound.
        """
        scheduler, aside = self._scheduler, sum(len(each.samples) for each in self._developing)
        over = max(0, aside - scheduler.cap(self._usual).rows)
        free = {lane: max(0, scheduler.free(lane, self._usual) - over) for lane in Speed}
        newcomers = max(0, scheduler.free_for_newcomers(self._usual) - over)
        return Capacity(free, len(scheduler) + aside, newcomers)

    def collect(self) -> list[Outcome]:
        """Take in what was decoded aside meanwhile; waits for nothing."""
        self._outcomes = []
        while over := next((each for each in self._developing if not each.under_way), None):
            self._developed(over)
        return self._outcomes

    def close(self) -> None:
        """Wait for what is being decoded aside, and end that thread; to be called once no job is here."""
        if self._aside is not None:
            self._aside.close()
            self.collect()

    def step(self) -> list[Outcome]:
        """Take one step for one batch, or wait for what is decoded aside; return what happened, in order."""
        if not self.ready:
            self._settle(first=True)
        self.collect()
        batch = self._scheduler.schedule()
        if not batch:
            return self._outcomes
        began = self._clock()
        advanced = self._advance(batch)
        finish()  # once a step: caps, deadlines and bills rest on the time that it took
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
            if self._settle():  # what was decoded meanwhile took the memory: so many rows may well fit
                return self._advance(batch)
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
        _free_memory()
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
        """Decode what is done, or have it decoded aside; report the job as drawn, or as moved."""
        began = self._clock()
        try:
            if done and self._aside is not None:
                self._developing.append(self._aside.begin(work, done))
                self._scheduler.remove([sample.id for sample in done])
            elif done:
                work.decoded(done, work.backend.ended([sample.id for sample in done])())
            work.seconds += self._clock() - began
            outcome = work.drawn if work.finished else self._moved(work)
        except Exception as error:  # noqa: BLE001 - decoding may run out of memory; others go on
            self._fail(work, error)
            return
        if work.finished:
            self._forget(work)
        self._outcomes.append(outcome)

    def _developed(self, each: Developing) -> None:
        """Take in what was decoded aside; report its job if that is drawn now."""
        work = each.work
        self._developing.remove(each)
        if self._works.get(work.job.job_id) is not work:
            self._close(work)
            return
        try:
            timed = self._timed(each)
            work.decoded(each.samples, timed.cells)
            work.seconds += timed.seconds
            drawn = work.drawn if work.finished else None
        except Exception as error:  # noqa: BLE001 - one job's failure is its own
            self._fail(work, error)
            return
        if drawn is not None:
            self._forget(work)
            self._outcomes.append(drawn)

    def _timed(self, each: Developing) -> Timed:
        """Return what was decoded aside; what had no memory beside a step is decoded again between two."""
        try:
            return each.result.result()
        except Exception as error:
            if code_of(error) is not ErrorCode.OUT_OF_MEMORY:
                raise
        self._settle()
        _free_memory()
        began = self._clock()
        return Timed(each.decode(), self._clock() - began)

    def _settle(self, *, first: bool = False) -> bool:
        """Wait until all that is decoded aside is there, or the *first* of it; tell whether there was any."""
        results = [each.result for each in self._developing if each.under_way]
        if not results:
            return False
        wait(results, return_when=FIRST_COMPLETED if first else ALL_COMPLETED)
        return True

    def _moved(self, work: Work) -> Moved:
        preview = self._preview(work)
        return Moved(work.job.job_id, work.job.attempt, work.fraction, paused=False, preview=preview)

    def _preview(self, work: Work) -> Sequence[Pixels]:
        now = self._clock()
        fresh = work.previewed_at is not None and now - work.previewed_at < PREVIEW_SECONDS
        if fresh or any(sample.done for sample in work.samples):
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
        kept = work.kept()
        self._forget(work)
        return Dropped(work.job.job_id, work.job.attempt, kept)

    def _forget(self, work: Work) -> None:
        del self._works[work.job.job_id]
        self._scheduler.remove(work.ids)
        for each in self._developing:
            if each.work is work:
                each.result.cancel()
        self._developing = [each for each in self._developing if each.work is not work or each.under_way]
        self._close(work)
        self._tidy()

    def _close(self, work: Work) -> None:
        """Free the tensors of *work*, unless some are being decoded: their network must not leave before."""
        if any(each.work is work for each in self._developing):
            return
        try:
            work.backend.close(work.ids)
        except Exception:
            log.exception("closing_failed", job_id=work.job.job_id)

    def _tidy(self) -> None:
        now = self._clock()
        if now - self._tidied_at >= TIDYING_SECONDS:
            self._tidied_at = now
            memory.give_back()


def _free_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
