"""One job's message while it is under way: the latest state wins, edits keep their distance."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot import render
from bot.origin import Origin, Reach, Veil
from bot.outlet import FAILURES, Outlet, Trouble, trouble
from bot.pace import Pace
from bot.render import Letter
from bot.texts import Texts
from bot.turns import Turns
from worker.api import Job, JobState, Progress, Standing

log = structlog.get_logger()

NEAR = 10  # places from the front at which moving up is told


class Painter:
    """Edits the message of one job until the job is over."""

    def __init__(
        self,
        job: Job,
        origin: Origin,
        *,
        outlet: Outlet,
        texts: Texts,
        clock: Callable[[], float],
        pace: Pace,
        turns: Turns,
    ) -> None:
        self.job = job
        self._origin = origin
        self._outlet = outlet
        self._texts = texts
        self._clock = clock
        self._pace = pace
        self._turns = turns
        self._progress: Progress | None = None
        self._standing: Standing | None = None
        self._started = 0.0  # when the first progress was seen
        self._shown: Letter | None = None
        self._painted = False
        self._placed = False
        self._closed = False  # the token's last edit is made
        self._editing: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        if job.state.final:
            self._over.set()

    def update(self, job: Job) -> None:
        """Take a newer row."""
        self.job = job
        if job.state is JobState.QUEUED:
            self._progress = None
        if job.state.final:
            self._over.set()
        self._news.set()

    def progress(self, progress: Progress) -> None:
        """Take how far the job is."""
        if self._progress is None and not self._started:
            self._started = self._clock()
        if progress != self._progress or not self._painted:
            self._progress = progress
            self._news.set()

    def told(self, standing: Standing) -> None:
        """Take what the answer says of the job's place; what was found before that came may be news."""
        found, self._standing = self._standing, standing
        if found is not None:
            self.standing(found)

    def standing(self, standing: Standing | None) -> None:
        """Take the place of a waiting job.

        The first is what the answer has said already. Later only a change of place near the front, or of the
        worker's presence, is worth one of the few edits that a channel allows.
        """
        before, self._standing = self._standing, standing
        if before is None or standing is None:
            return
        near = standing.place <= NEAR and standing.place != before.place
        if near or standing.kept != before.kept:
            self._placed = True
            self._news.set()

    async def run(self, message: Callable[[], Awaitable[int | None]]) -> None:
        """Paint until the job is over; the outcome of a drawn one does not wait for an edit under way.

        Args:
            message: Returns the message's id, or None if there is none.
        """
        if self.job.state.final:
            return
        painting = asyncio.create_task(self._paint(message))
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({painting, over}, return_when=asyncio.FIRST_COMPLETED)
            if painting.done():
                painting.result()  # raises what went wrong
            await over
        finally:
            painting.cancel()
            over.cancel()
            await asyncio.gather(painting, over, return_exceptions=True)
            await self._end_edit()

    async def _paint(self, message: Callable[[], Awaitable[int | None]]) -> None:
        """Edit the message whenever there is news, until it can no longer be edited."""
        message_id = await message()
        while message_id is not None and not self._closed:
            if self._letter() is None:
                self._news.clear()
                await self._wait_for_news()
                continue
            await self._turns.wait()
            closing = self._closing()
            letter = self._letter()  # again: only the latest state is worth a turn
            if letter is None:
                continue
            if not await self._edit(message_id, letter):
                return
            self._closed = closing
            await asyncio.sleep(self._pace.edit_gap)

    def _letter(self) -> Letter | None:
        """Return how the message should look now, or None if it looks so already."""
        letter = self._look()
        if letter is not None and self._origin.veil is Veil.SPOILER:
            letter = render.covered(letter)
        return None if letter == self._shown else letter

    def _look(self) -> Letter | None:
        if self._closing():
            small = self._texts("line.closing", job_id=self.job.id)
            return render.running(self.job, self._progress, self._texts, small)
        if self.job.state is JobState.RUNNING and self._worth_showing():
            return render.running(self.job, self._progress, self._texts)
        if self.job.state is JobState.QUEUED and (self._placed or self._painted):
            return render.waiting(self.job, self._standing, self._texts)
        return None  # the answer's own look still holds

    def _worth_showing(self) -> bool:
        """Hold the first edit back until there is a preview, though not for long."""
        if self._progress is None:
            return False
        waited = self._clock() - self._started
        return self._painted or self._progress.preview is not None or waited >= self._pace.without_preview

    def _closing(self) -> bool:
        """True if the next edit is the last that the token allows."""
        return self._origin.reach is Reach.TOKEN and self._left() < self._pace.closing

    def _left(self) -> float:
        return self._origin.expires_at - self._clock()

    async def _edit(self, message_id: int, letter: Letter) -> bool:
        """Edit the message; False if that is no longer possible."""
        self._editing = asyncio.create_task(self._outlet.edit(self._origin, message_id, letter))
        try:
            await asyncio.shield(self._editing)
        except FAILURES as error:
            kind = trouble(error)
            log.info("edit failed", action="courier_edit", job_id=self.job.id, kind=kind.name)
            return kind is Trouble.TRANSIENT
        self._shown = letter
        self._painted = True
        return True

    async def _end_edit(self) -> None:
        """Leave no edit under way: it must not come after the words that end the message.

        A drawn job's message is about to be deleted, so that its edit is cut short.
        """
        if self._editing is None:
            return
        if self.job.state not in {JobState.FAILED, JobState.CANCELLED}:
            self._editing.cancel()
        await asyncio.wait({self._editing})

    async def _wait_for_news(self) -> None:
        """Wait for a change, at most until the first edit may go without a preview or the token closes."""
        seconds = None
        if self._progress is not None and not self._painted:
            seconds = max(0.01, self._started + self._pace.without_preview - self._clock())
        elif self._origin.reach is Reach.TOKEN:
            seconds = max(0.01, self._left() - self._pace.closing)
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
