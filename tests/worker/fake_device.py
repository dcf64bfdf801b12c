"""A device that draws nothing, at the pace a test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable

from parser import Speed
from worker.api import ErrorCode, JobId
from worker.device import (
    Advanced,
    Capacity,
    Company,
    DeviceEvent,
    DeviceJob,
    Dropped,
    EventLog,
    Failed,
    Finished,
)
from worker.recipe import Drawing, picture_count

KEPT = b"half a picture"  # of every job that was suspended


class FakeDevice:
    """Take one step of every job whenever the loop comes round, while *going* is set."""

    def __init__(
        self,
        *,
        places: int = 8,
        newcomers: int = 0,
        preview: bytes | None = None,
        paint: Callable[[str, str], bytes] = lambda job_id, name: f"{job_id} {name}".encode(),
    ) -> None:
        """Draw what *paint* returns for a job's id and a file's name."""
        self.going = asyncio.Event()
        self.going.set()
        self.jobs: list[DeviceJob] = []  # everything accepted, in order
        self.failures: dict[JobId, tuple[ErrorCode, bool]] = {}
        self._places = places
        self._newcomers = newcomers
        self._preview = preview
        self._paint = paint
        self._log = EventLog()
        self._tasks: dict[JobId, tuple[DeviceJob, asyncio.Task[None]]] = {}

    async def submit(self, job: DeviceJob) -> None:
        if any((known.job_id, known.attempt) == (job.job_id, job.attempt) for known in self.jobs):
            return
        await self.cancel(job.job_id)
        self.jobs.append(job)
        self._tasks[job.job_id] = (job, asyncio.create_task(self._draw(job)))

    def watch(self, *, after: int = 0) -> AsyncIterator[tuple[int, DeviceEvent]]:
        return self._log.watch(after)

    async def cancel(self, job_id: JobId) -> None:
        if job_id in self._tasks:
            self.drop(job_id)

    async def suspend(self) -> None:
        for job_id in list(self._tasks):
            self.drop(job_id, kept=KEPT)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What draws now."""
        return [task for _, task in self._tasks.values()]

    async def capacity(self) -> Capacity:
        resident = sum(picture_count(job.recipe) for job, _ in self._tasks.values())
        free = max(0, self._places - resident)
        newcomers = max(0, min(self._newcomers, self._places + self._newcomers - resident))
        return Capacity(dict.fromkeys(Speed, free), resident, newcomers)

    def drop(self, job_id: JobId, *, kept: bytes | None = None) -> None:
        """Give a job up, asked or not."""
        job, task = self._tasks.pop(job_id)
        task.cancel()
        self._log.append(Dropped(job.job_id, job.attempt, kept))

    def pause(self, job_id: JobId) -> None:
        """Say that a higher lane came first."""
        job, _ = self._tasks[job_id]
        self._log.append(Advanced(job_id, job.attempt, 0.5, paused=True, preview=None))

    async def close(self) -> None:
        for job_id in list(self._tasks):
            self.drop(job_id)
        self._log.close()

    async def _draw(self, job: DeviceJob) -> None:
        steps = job.recipe.stop_after if isinstance(job.recipe, Drawing) else 1
        for step in range(1, steps + 1):
            await self.going.wait()
            await asyncio.sleep(0)
            if job.job_id in self.failures:
                self._end(Failed(job.job_id, job.attempt, *self.failures[job.job_id]))
                return
            self._log.append(
                Advanced(job.job_id, job.attempt, step / steps, paused=False, preview=self._preview)
            )
        names = [f"{i + 1}.png" for i in range(picture_count(job.recipe))]
        names = ["grid.png", *names] if len(names) > 1 else names
        pictures = {name: self._paint(job.job_id, name) for name in names}
        company = Company(passes=steps, shared=0, people=1, rows=len(names))
        self._end(Finished(job.job_id, job.attempt, pictures, device_seconds=1.0, company=company))

    def _end(self, event: Finished | Failed) -> None:
        del self._tasks[event.job_id]
        self._log.append(event)
