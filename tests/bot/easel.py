"""A worker that paints what tests tell it to, through the worker's own side of the queue."""

import asyncio
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from PIL import Image

from parser import Speed
from worker.api import ErrorCode, Job, JobId, Limits, Progress
from worker.database import Database
from worker.images import ImageStore
from worker.lock import FileLock, worker_lock
from worker.queue.claims import Claim
from worker.queue.store import Store
from worker.recipe import Drawing

NAME = "easel"
PLACES = {Speed.TURBO: 64, Speed.FAST: 64, Speed.RELAX: 64}


def picture(shade: int, side: int = 16, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (shade % 256, shade // 256 % 256, 40)).save(buffer, kind)
    return buffer.getvalue()


class Easel:
    """Claims jobs; each step is the test's. With `busy()` it works by itself."""

    def __init__(self, database: Database, images: ImageStore, folder: Path) -> None:
        self.store = Store(database, clock=time.time, limits=Limits(running=50, waiting=1000))
        self._images = images
        self._lock = FileLock(worker_lock(folder, NAME))
        self._claims: dict[JobId, Claim] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._lock.acquire()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._lock.release()

    def leave(self) -> None:
        """Be away."""
        self._lock.release()

    async def take(self) -> Job:
        """Claim the job whose turn it is, once there is one."""
        async with asyncio.timeout(10):
            while not (claims := await self.store.claim(NAME, dict.fromkeys(PLACES, 1))):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # the queue is another process's; it tells nobody
        for claim in claims:
            self._claims[claim.job.id] = claim
        return claims[0].job

    async def show(
        self, job: Job, fraction: float, *, preview: bytes | None = None, paused: bool = False
    ) -> None:
        row = Progress(job_id=job.id, fraction=fraction, preview=preview, paused=paused, at=time.time())
        await self.store.report([row])

    async def finish(self, job: Job, *, side: int = 16, grid: bytes | None = None) -> tuple[str, ...]:
        claim = self._claims.pop(job.id)
        single = not isinstance(claim.recipe, Drawing)
        pictures = {"1.png": picture(job.seed, side)} if single else self._grid(job, side)
        if grid is not None:
            pictures["1.png" if single else "grid.png"] = grid
        names = self._images.write(job.id, pictures)
        await self.store.succeed((job.id, claim.attempt), names, 0.5)
        return names

    def _grid(self, job: Job, side: int) -> dict[str, bytes]:
        cells = {f"{n}.png": picture(job.seed + n, side) for n in range(1, 5)}
        return {"grid.png": picture(job.seed, 2 * side), **cells}

    async def fail(self, job: Job, code: ErrorCode = ErrorCode.ENGINE_FAILED) -> None:
        claim = self._claims.pop(job.id)
        await self.store.fail((job.id, claim.attempt), code, retryable=False)

    async def stop(self, job: Job) -> None:
        """Heed a request to stop."""
        claim = self._claims.pop(job.id)
        async with asyncio.timeout(10):
            while job.id not in await self.store.cancel_requested(NAME):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # as above
        await self.store.cancelled((job.id, claim.attempt))

    def busy(self, fractions: Sequence[float] = (0.5,)) -> None:
        """Draw whatever comes, by itself."""
        self._task = asyncio.create_task(self._work(fractions))

    async def _work(self, fractions: Sequence[float]) -> None:
        while True:
            job = await self.take()
            for fraction in fractions:
                await self.show(job, fraction, preview=picture(job.seed, kind="WEBP"))
            await self.finish(job)
