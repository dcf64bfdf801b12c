"""From queue to device and back; the only module that knows both."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

import structlog

from parser import canonical
from worker.api import ErrorCode, JobId, Progress, WorkerError
from worker.device import Advanced, Device, DeviceEvent, DeviceJob, Dropped, Failed, Finished
from worker.images import ImageStore
from worker.queue.claims import Claim
from worker.queue.inputs import pictures_of
from worker.queue.roster import Trouble
from worker.queue.rows import StaleJob
from worker.queue.store import HEARTBEAT_SECONDS, ClaimId, Store
from worker.recipe import Drawing
from worker.screening import Screening

REPORT_SECONDS = 1.0  # between two progress rows of a job
CANCEL_SECONDS = 0.4  # between two looks for jobs to stop, while any runs
LOOK_SECONDS = 1.0  # between two looks at the queue while nobody writes; some jobs fall due by the clock
RETRY_SECONDS = (0.1, 0.3, 1.0, 3.0)  # for an outcome that could not be written; the last one again and again
STOP_SECONDS = 20.0  # at most, for the step under way and for recording what was drawn by then
TROUBLE_SECONDS = 3.0  # before the next try of anything else while the database is busy or the disk full

Outcome = Callable[[], Awaitable[None]]  # writes how a job ended; may be called again
log = structlog.get_logger()


@dataclass(slots=True)
class Active:
    """A claim on the device."""

    claim: Claim
    advanced: Advanced | None = None
    preview: bytes | None = None  # not yet reported
    reported_at: float | None = None
    reported_paused: bool = False
    cancelling: bool = False
    settling: bool = False  # its outcome is being recorded

    @property
    def id(self) -> ClaimId:
        """Job and attempt."""
        return self.claim.job.id, self.claim.attempt

    def due(self, now: float) -> bool:
        """Tell whether there is something to report, and it is time."""
        if self.advanced is None:
            return False
        if self.reported_at is None or self.advanced.paused != self.reported_paused:
            return True
        return now - self.reported_at >= REPORT_SECONDS


class Runner:
    """Claim jobs, have them drawn, store their pictures, record the outcome."""

    def __init__(
        self,
        store: Store,
        device: Device,
        images: ImageStore,
        *,
        worker: str,
        clock: Callable[[], float],
        screening: Screening | None = None,
        absent: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """Put the parts together.

        Args:
            store: The queue.
            device: What draws; opened and closed by the caller.
            images: Where pictures go.
            worker: The name whose lock this process holds.
            clock: Tells Unix seconds.
            screening: What moderation looks at, None for nothing.
            absent: Tells which models are still being fetched; their jobs wait in the queue.
        """
        self._store = store
        self._device = device
        self._images = images
        self._worker = worker
        self._clock = clock
        self._screening = screening
        self._absent = absent
        self.trouble: Trouble | None = None  # the last job that could not be drawn or stored
        self._active: dict[JobId, Active] = {}
        self._stopping = False
        self._moved = asyncio.Event()  # something may be due for a report
        self._wake = asyncio.Event()  # look at the queue now
        self._ended = asyncio.Event()  # the device is done with a job
        self._settling: asyncio.TaskGroup

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop* is set; then hand back what is unfinished, without using an attempt.

        What was drawn of it by then is kept, but for the step under way.

        A busy database and a full disk are waited for.

        Raises:
            ExceptionGroup: Something else failed, as when the device has gone; what was unfinished is handed
                back as well.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._settling = group
                loops = [
                    group.create_task(loop)
                    for loop in (
                        self._follow(),
                        self._report(),
                        self._beat(),
                        self._look_for_cancels(),
                        self._listen(),
                    )
                ]
                alarm = group.create_task(self._ring_at(stop))
                await self._claim_until(stop)
                self._stopping = True
                await self._suspend()
                for loop in (*loops, alarm):
                    loop.cancel()
        finally:
            await self._hand_back_all()

    async def _suspend(self) -> None:
        """Have the device hand back everything, and see how each job ended there."""
        await self._device.suspend()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while any(not active.settling for active in self._active.values()):
                    await self._ended.wait()
                    self._ended.clear()

    async def _claim_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._wake.clear()
            try:
                await self._claim()
            except WorkerError as error:
                _note(error, doing="claim")
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), TROUBLE_SECONDS)
            else:
                await self._wake.wait()

    async def _listen(self) -> None:
        """Look at the queue whenever somebody has written."""
        seen = -1
        while True:
            seen = await self._store.changed(seen, within=LOOK_SECONDS)
            self._wake.set()

    async def _claim(self) -> None:
        """Claim what the device has room for."""
        capacity = await self._device.capacity()
        claims = await self._store.claim(
            self._worker,
            capacity.free,
            newcomers=capacity.newcomers,
            ready=capacity.ready,
            absent=self._absent(),
        )
        for claim in claims:
            await self._start(claim)

    async def _start(self, claim: Claim) -> None:
        job_id = claim.job.id
        if job_id in self._active:  # our own lease on an earlier attempt ran out unnoticed
            await self._device.cancel(job_id)
        active = Active(claim)
        self._active[job_id] = active
        try:
            source = await self._source(claim)
            references = await self._references(claim)
            kept = await self._store.kept_of(job_id)
        except WorkerError as error:
            again = error.code in {ErrorCode.DATABASE_BUSY, ErrorCode.DISK_FULL}
            self._settle(active, partial(self._store.fail, active.id, error.code, retryable=again))
            return
        log.info("job_started", job_id=job_id, attempt=claim.attempt, kind=claim.recipe.kind)
        await self._device.submit(
            DeviceJob(
                job_id=job_id,
                attempt=claim.attempt,
                speed=claim.job.speed,
                owner_id=claim.job.owner_id,
                recipe=claim.recipe,
                source=source,
                references=references,
                text={"prompt": canonical(claim.job.request), "seed": str(claim.job.seed), "job_id": job_id},
                kept=kept,
            )
        )

    async def _source(self, claim: Claim) -> bytes | None:
        """Return the picture that *claim* starts from, if it starts from one.

        Raises:
            WorkerError: The picture is gone, the prompt is not to be drawn, or that could not be found out.
        """
        if self._screening is not None and await self._screening.refuses(claim.job):
            raise WorkerError(ErrorCode.PROMPT_REFUSED)
        recipe = claim.recipe
        if isinstance(recipe, Drawing):
            return None if recipe.start is None else await self._read(recipe.start.picture)
        return await self._read(recipe.picture)

    async def _references(self, claim: Claim) -> Mapping[str, bytes]:
        """Return the other pictures that *claim* refers to, by name.

        Raises:
            WorkerError: One is gone, or what moderation says of them could not be stored.
        """
        found = {name: await self._read(name) for name in sorted(pictures_of(claim.recipe))}
        if self._screening is not None and found:
            files = {name.rpartition("/")[2]: body for name, body in found.items()}
            await self._screening.judge(claim.job.id, files)
        return found

    async def _read(self, name: str) -> bytes:
        return await asyncio.to_thread(self._images.read, name)

    async def _follow(self) -> None:
        async for _, event in self._device.watch():
            active = self._active.get(event.job_id)
            if active is not None and active.claim.attempt == event.attempt and not active.settling:
                self._on(active, event)
        raise RuntimeError("the device has gone")

    def _on(self, active: Active, event: DeviceEvent) -> None:
        match event:
            case Advanced():
                active.advanced = event
                active.preview = event.preview or active.preview
                self._moved.set()
            case Finished():
                self._settle(active, partial(self._finish, active, event))
            case Failed(code=code, retryable=retryable):
                self.trouble = Trouble(code, self._clock())
                self._settle(active, partial(self._store.fail, active.id, code, retryable=retryable))
            case Dropped() if active.cancelling:
                self._settle(active, partial(self._store.cancelled, active.id))
            case Dropped(kept=kept):
                self._settle(active, partial(self._store.hand_back, active.id, kept))

    async def _finish(self, active: Active, event: Finished) -> None:
        job_id = event.job_id
        try:
            files = await asyncio.to_thread(self._images.write, job_id, event.pictures)
        except WorkerError as error:
            log.warning("pictures_not_stored", job_id=job_id, code=error.code.value)
            self.trouble = Trouble(error.code, self._clock())
            await self._store.fail(active.id, error.code, retryable=False)
            return
        if self._screening is not None:
            await self._screening.judge(job_id, event.pictures)
        await self._store.succeed(active.id, files, event.device_seconds)
        log.info(
            "job_finished",
            job_id=job_id,
            device_seconds=round(event.device_seconds, 3),
            passes=event.company.passes,
            shared_passes=event.company.shared,
            people=event.company.people,
            largest_batch=event.company.rows,
        )

    def _settle(self, active: Active, outcome: Outcome) -> None:
        """Record *outcome* beside everything else, however long it takes; meanwhile the lease is renewed."""
        active.settling = True
        self._ended.set()
        self._wake.set()  # the device has room again
        self._settling.create_task(self._settled(active, outcome))

    async def _settled(self, active: Active, outcome: Outcome) -> None:
        job_id, attempt = active.id
        for delay in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
            try:
                await outcome()
                break
            except StaleJob:
                log.info("outcome_came_late", job_id=job_id, attempt=attempt)
                break
            except WorkerError as error:
                _note(error, doing="settle")
                if self._stopping and delay == RETRY_SECONDS[-1]:
                    return  # it is handed back
                await asyncio.sleep(delay)
        if self._active.get(job_id) is active:
            del self._active[job_id]
        self._wake.set()

    async def _report(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            now = asyncio.get_running_loop().time()
            due = [active for active in self._active.values() if active.due(now)]
            for active in due:
                await self._judge_preview(active)
            rows = [self._progress(active, now) for active in due]
            try:
                await self._store.report(rows)
            except WorkerError as error:  # the next row says it all
                _note(error, doing="report")
                await asyncio.sleep(TROUBLE_SECONDS)

    async def _judge_preview(self, active: Active) -> None:
        """Drop a preview that is not to be shown."""
        preview = active.preview
        if preview is None or self._screening is None:
            return
        allowed = await self._screening.may_preview(active.claim.job.id, preview)
        if not allowed and active.preview is preview:
            active.preview = None

    def _progress(self, active: Active, now: float) -> Progress:
        """Return the row that is due, and remember that it went out."""
        advanced = active.advanced
        assert advanced is not None  # noqa: S101 - `Active.due` looked
        preview, active.preview = active.preview, None
        active.reported_at, active.reported_paused = now, advanced.paused
        return Progress(
            job_id=advanced.job_id,
            fraction=min(1.0, advanced.fraction),
            paused=advanced.paused,
            preview=preview,
            at=self._clock(),
        )

    async def _beat(self) -> None:
        """Renew the leases; give up what is no longer ours."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                heartbeat = await self._store.heartbeat(self._worker, [a.id for a in self._active.values()])
            except WorkerError as error:
                _note(error, doing="heartbeat")
                continue
            for job_id in heartbeat.lost:
                log.warning("lease_lost", job_id=job_id)
                self._active.pop(job_id, None)
                self._ended.set()
                await self._device.cancel(job_id)
            await self._cancel(heartbeat.cancel_requested)

    async def _look_for_cancels(self) -> None:
        while True:
            await asyncio.sleep(CANCEL_SECONDS)
            if not self._active:
                continue
            with suppress(WorkerError):
                await self._cancel(await self._store.cancel_requested(self._worker))

    async def _cancel(self, job_ids: frozenset[JobId]) -> None:
        for job_id in job_ids & self._active.keys():
            self._active[job_id].cancelling = True
            await self._device.cancel(job_id)

    async def _hand_back_all(self) -> None:
        """Return to the queue what was not recorded; where that cannot be written, others take it back."""
        for job_id in self._active:
            await self._device.cancel(job_id)
        self._active.clear()
        try:
            await self._store.release(self._worker)
        except WorkerError as error:
            _note(error, doing="hand back")

    async def _ring_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()


def _note(error: WorkerError, *, doing: str) -> None:
    log.warning("database_unavailable", doing=doing, code=error.code.value)
