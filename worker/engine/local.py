"""The device in this process."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import structlog
import torch

from worker.api import ErrorCode, JobId
from worker.device import Advanced, Capacity, DeviceEvent, DeviceJob, DeviceUse, EventLog, Failed, Finished
from worker.engine import pictures
from worker.engine.aside import Aside
from worker.engine.batching import Caps
from worker.engine.outcomes import Drawn, Moved, Outcome
from worker.engine.plan import StepScheduler
from worker.engine.swapping import LimitedBackends, SwappingEngine
from worker.engine.thread import EngineThread
from worker.recipe import picture_count

REMEMBERED = 4096  # submissions; a repeated one within these changes nothing
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Seen:
    """The device between two steps, and how many pictures had been taken in by then."""

    use: DeviceUse
    taken: int


class InProcessDevice:
    """An engine on a thread of its own; files are coded on another, off the critical path."""

    def __init__(
        self,
        backends: Callable[[], LimitedBackends],
        clock: Callable[[], float],
        threads: int | None = None,
        caps: Caps | None = None,
        aside: torch.device | None = None,
    ) -> None:
        """Describe the device; `open` starts it. To be called on the event loop.

        Args:
            backends: Builds the networks, on the device's thread.
            clock: Seconds, monotonic.
            threads: CPU threads of a forward pass.
            caps: How many pictures a step may have, by what is known of the device; by default nothing is.
            aside: The device, if finished pictures are decoded there while the next steps are taken.
        """
        caps = caps or Caps()

        def made() -> SwappingEngine:
            thread = None if aside is None else Aside(clock, device=aside, threads=threads, wake=self._wake)
            return SwappingEngine(backends(), clock, StepScheduler(caps=caps), thread)

        self._loop = asyncio.get_running_loop()
        self._thread = EngineThread(made, self._emit, self._over, threads)
        self._coder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
        self._log = EventLog()
        self._submitted: OrderedDict[tuple[JobId, int], None] = OrderedDict()
        self._sent = 0
        self._taken = 0
        self._seen = Seen(DeviceUse({}, 0.0, Capacity({}, 0)), 0)

    async def open(self) -> None:
        """Load the default network.

        Raises:
            WorkerError: ``MODEL_MISSING``.
        """
        ready: asyncio.Future[None] = self._loop.create_future()

        def tell(error: Exception | None) -> None:
            self._loop.call_soon_threadsafe(_resolve, ready, error)

        self._thread.start(tell)
        await ready

    async def close(self) -> None:
        """Finish the current step, drop every job, end the threads; watchers see the last events."""
        self._thread.stop()
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._coder.shutdown)

    async def submit(self, job: DeviceJob) -> None:
        """Accept *job*; the same (job, attempt) again changes nothing."""
        name = (job.job_id, job.attempt)
        if name in self._submitted:
            return
        self._submitted[name] = None
        if len(self._submitted) > REMEMBERED:
            self._submitted.popitem(last=False)
        self._sent += picture_count(job.recipe)
        self._thread.post(partial(self._take_in, job))

    def watch(self, *, after: int = 0) -> AsyncIterator[tuple[int, DeviceEvent]]:
        """Yield events numbered from *after* + 1 until the device is closed, or broken."""
        return self._log.watch(after)

    async def cancel(self, job_id: JobId) -> None:
        """Drop *job_id* before the next step."""
        self._thread.post(lambda engine: engine.cancel(job_id))

    async def suspend(self) -> None:
        """Finish the step and hand back every job, with what was drawn of it."""
        self._thread.post(SwappingEngine.suspend)

    async def capacity(self) -> Capacity:
        """Return the places left at the last step, less what was submitted since."""
        seen = self._seen
        waiting = self._sent - seen.taken
        capacity = seen.use.capacity
        free = {lane: max(0, places - waiting) for lane, places in capacity.free.items()}
        newcomers = max(0, capacity.newcomers - waiting)
        return Capacity(free, capacity.resident + waiting, newcomers, capacity.ready)

    def use(self) -> DeviceUse:
        """Return what the device did up to its last step."""
        return self._seen.use

    def _wake(self) -> None:
        """Have taken in what was decoded, also while there is no step to take; runs on any thread."""
        self._thread.post(SwappingEngine.collect)

    def _take_in(self, job: DeviceJob, engine: SwappingEngine) -> Sequence[Outcome]:
        self._taken += picture_count(job.recipe)
        return engine.submit(job)

    def _emit(self, engine: SwappingEngine, outcomes: Sequence[Outcome]) -> None:
        """Publish how the device is and pass outcomes on; runs on the device's thread."""
        use = DeviceUse(dict(engine.passes), engine.busy_seconds, engine.capacity(), engine.loaded)
        self._seen = Seen(use, self._taken)
        for outcome in outcomes:
            self._coder.submit(self._publish, outcome)

    def _over(self) -> None:
        """End the watches behind the events that are on their way; runs on the device's thread."""
        self._coder.submit(self._loop.call_soon_threadsafe, self._log.close)

    def _publish(self, outcome: Outcome) -> None:
        """Code the files and tell the event loop; runs on the coder's thread, in order."""
        try:
            event = _event(outcome)
        except Exception:
            log.exception("coding_failed", job_id=outcome.job_id)
            event = Failed(outcome.job_id, outcome.attempt, ErrorCode.ENGINE_FAILED, retryable=True)
        self._loop.call_soon_threadsafe(self._log.append, event)


def _event(outcome: Outcome) -> DeviceEvent:
    if isinstance(outcome, Moved):
        preview = pictures.preview(outcome.preview) if outcome.preview else None
        return Advanced(outcome.job_id, outcome.attempt, outcome.fraction, outcome.paused, preview)
    if isinstance(outcome, Drawn):
        files = pictures.files(outcome.cells, outcome.text)
        return Finished(outcome.job_id, outcome.attempt, files, outcome.device_seconds, outcome.company)
    return outcome


def _resolve(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
