"""What people do to jobs that are already there: stop, delete, have sent, try again."""

import structlog

from bot import render
from bot.answers import texts_for
from bot.echo import fitted
from bot.faults import BotCode, BotError
from bot.moderation.gate import Moderation
from bot.origin import origin_of
from bot.outlet import FAILURES, Outlet, Trouble, trouble
from bot.policy import Caller, may_cancel, must_own
from bot.render import File, Letter
from bot.settings import Place, Settings
from parser import canonical
from worker.api import Cell, ErrorCode, Job, JobDesk, JobId, JobState, Order, Rejected, Reroll, Upscale, Vary

log = structlog.get_logger()

DM_ROOM = 1500  # characters of a prompt in a direct message
DM_BYTES = 10 * 1024 * 1024  # of one message's files, which Discord takes everywhere


class JobActions:
    """Does it, whoever asks and how."""

    def __init__(
        self, *, desk: JobDesk, settings: Settings, outlet: Outlet, moderation: Moderation | None = None
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._outlet = outlet
        self._moderation = moderation

    async def prompt_of(self, job_id: JobId) -> str:
        """Return the prompt of a job.

        Raises:
            JobNotFound: There is no such job.
        """
        return canonical((await self._desk.get(job_id)).request)

    async def again(self, job_id: JobId) -> Order:
        """Return what 🔄 orders: a single picture or a failed variation once more, else a new grid.

        Raises:
            JobNotFound: There is no such job.
        """
        job = await self._desk.get(job_id)
        match job.order:
            case Cell() | Upscale():
                return job.order
            case Vary() if job.state is JobState.FAILED:
                return job.order
            case _:
                return Reroll(source=job_id)

    async def cancel(self, caller: Caller, job_id: JobId) -> Job:
        """Stop a job for its owner or a moderator there; a running one stops a moment later.

        Raises:
            BotError: Not theirs, or it was over before.
            JobNotFound: There is no such job.
        """
        before = await self._desk.get(job_id)
        may_cancel(caller, before)
        if before.state is JobState.CANCELLED:
            raise BotError(BotCode.ALREADY_STOPPED)
        job = await self._desk.cancel(job_id)
        if job.state is JobState.SUCCEEDED:
            raise BotError(BotCode.TOO_LATE)
        if job.state is JobState.FAILED:
            raise BotError(BotCode.ALREADY_FAILED)
        return job

    async def delete(self, caller: Caller, job_id: JobId, seen: Place | None = None) -> None:
        """Forget a finished job, its pictures and every message that shows it.

        Args:
            caller: Who asks.
            job_id: The job.
            seen: Where its message is, if the caller saw one.

        Raises:
            BotError: Not theirs.
            WorkerError: Unknown, or not finished.
        """
        job = await self._desk.get(job_id)
        must_own(caller, job)
        if not job.state.final:
            raise Rejected(ErrorCode.SOURCE_UNFINISHED, state=job.state.value)
        places = set(await self._settings.forget(job_id))  # first: what is being posted must not stay
        await self._desk.delete(job_id)
        for place in places if seen is None else places | {seen}:
            await self._remove(job, place)

    async def _remove(self, job: Job, place: Place) -> None:
        origin = origin_of(job)
        try:
            if origin is not None and origin.channel_id == place.channel_id:
                await self._outlet.delete(origin, place.message_id)
            else:
                await self._outlet.delete_elsewhere(place.channel_id, place.message_id)
        except FAILURES as error:
            if trouble(error) is not Trouble.GONE:
                log.info("message stays", action="delete", job_id=job.id, error=repr(error))

    async def send(self, caller: Caller, job_id: JobId) -> None:
        """Send a job's pictures and seed to its owner's direct messages.

        Raises:
            BotError: Not theirs, or their direct messages are closed.
            WorkerError: Unknown, unfinished, or its pictures are gone.
        """
        job = await self._desk.get(job_id)
        must_own(caller, job)
        if job.state is not JobState.SUCCEEDED:
            raise BotError(BotCode.NO_PICTURES)
        origin = origin_of(job)
        if self._moderation is not None and (await self._moderation.shown_as(job, origin)).refuses:
            raise BotError(BotCode.WITHHELD)
        texts = texts_for(origin.locale if origin else "en-US")
        prompt = fitted(canonical(job.request), DM_ROOM)
        content = texts("dm.details", prompt=prompt, job_id=job.id, seed=job.seed)
        letter = Letter(content, files=await self._pictures(job))
        try:
            await self._outlet.direct(caller.user_id, letter)
        except FAILURES as error:
            if trouble(error) is Trouble.FORBIDDEN:
                raise BotError(BotCode.DM_CLOSED) from error
            raise

    async def _pictures(self, job: Job) -> tuple[File, ...]:
        """Return the single pictures, or what is sure to fit."""
        names = job.files if len(job.files) == 1 else job.files[1:]
        bodies = [await self._desk.picture(name) for name in names]
        if sum(map(len, bodies)) > DM_BYTES:
            names, bodies = job.files[:1], [await self._desk.picture(job.files[0])]
        stem = render.picture_name(job, origin_of(job)).removesuffix(".png")
        if len(bodies) == 1:
            return (File(f"{stem}.png", bodies[0]),)
        return tuple(File(f"{stem}_{n}.png", body) for n, body in enumerate(bodies, 1))
