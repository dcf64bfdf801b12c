"""Results sent to their person directly too, for those who want that."""

import asyncio

import structlog

from bot import render, shrink
from bot.bag import Bag
from bot.moderation.rules import Outcome
from bot.origin import Origin
from bot.outlet import FAILURES, Trouble, trouble
from worker.api import Job, JobState, PictureGone

log = structlog.get_logger()

BYTES = 10 * 1024 * 1024  # of a file, which Discord takes everywhere


class DirectCopies:
    """Sends them."""

    def __init__(self, bag: Bag) -> None:
        self._bag = bag

    async def send(self, job: Job, origin: Origin, *, nonce: str) -> None:
        """Send what was just posted; *nonce* makes doing it again within minutes do nothing.

        Where direct messages are closed by now, the wish is taken back: trying on would only be refused.

        Raises:
            discord.HTTPException: Or another failure of a call, that may pass.
        """
        if job.state is not JobState.SUCCEEDED or origin.guild_id is None:
            return  # in direct messages it is there already
        if not (await self._bag.settings.people.preferences(job.owner_id)).auto_dm:
            return
        shown = Outcome.ALLOW
        if self._bag.moderation is not None:
            shown = await self._bag.moderation.shown_as(job, origin)
        if shown.refuses or shown is Outcome.PRIVATE:
            return  # nobody sees it, or its person got it alone
        try:
            place = await self._bag.outlet.direct(
                job.owner_id, await self._letter(job, origin, shown), nonce=nonce
            )
        except PictureGone:
            return
        except FAILURES as error:
            kind = trouble(error)
            if kind is Trouble.TRANSIENT:
                raise
            log.info("not sent directly", action="auto_dm", job_id=job.id, kind=kind.name)
            if kind is Trouble.FORBIDDEN:
                await self._bag.settings.people.prefer(job.owner_id, auto_dm=False)
        else:
            await self._bag.settings.copied(job.id, *place)

    async def _letter(self, job: Job, origin: Origin, shown: Outcome) -> render.Letter:
        body, extension = await asyncio.to_thread(
            shrink.fit, await self._bag.desk.picture(job.files[0]), BYTES
        )
        picture = render.File(render.picture_name(job, origin, extension), body)
        letter = render.result(job, picture, self._bag.texts(origin.locale))
        return render.covered(letter) if shown is Outcome.SPOILER else letter
