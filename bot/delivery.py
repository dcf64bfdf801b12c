"""One job's outcome, shown exactly once.

Before the POST a row says that it may happen, after it the row has the message's id. A POST in doubt is
repeated with the same nonce, for which Discord returns the first message; after some minutes the channel is
searched first. Where only the interaction's token reaches there is no nonce: a crash between the two can
show a result twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b

import discord
import structlog

from bot import errors, render, shrink
from bot.actions import DRAWS, Verb
from bot.bag import Bag
from bot.direct import DirectCopies
from bot.faults import BotCode, BotError
from bot.moderation import letters
from bot.moderation.rules import Outcome
from bot.origin import Origin, Reach, Veil
from bot.outlet import FAILURES, Trouble, trouble
from bot.render import Card, File, Letter
from bot.settings import STORE_FAILURES, Post, Stage
from bot.texts import Texts
from worker.api import Cell, ErrorCode, Job, JobId, JobNotFound, JobState, PictureGone

log = structlog.get_logger()

FAMILIAR_LIMIT = 10 * 1024 * 1024  # bytes of a file that Discord takes everywhere
SMALLEST_LIMIT = 128 * 1024  # below this a picture is not worth shrinking further


def nonce(job_id: JobId, kind: str) -> str:
    """Return the name under which a message is posted once: 24 of at most 25 characters."""
    return blake2b(f"{job_id}:{kind}".encode(), digest_size=12).hexdigest()


def taken_at_once(job: Job) -> bool:
    """True if *job* was over in the moment it was ordered, so that no message shows it under way."""
    return isinstance(job.order, Cell) and job.attempt == 0


def same_weights(job: Job, other: Job) -> bool:
    """True if as far as is known the same weights drew both; what was not told is no difference."""
    return None in {job.model_hash, other.model_hash} or job.model_hash == other.model_hash


class Delivered(Exception):  # noqa: N818 - ends the attempts, successfully or for good
    """Nothing more can be done for the outcome.

    Attributes:
        reason: Why it is not where it belongs, or None if it is.
    """

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Attempt:
    """What earlier tries have taught about one outcome."""

    limit: int  # bytes of a file
    pauses: Iterator[float]
    reply: bool = True
    end: Delivered | None = None  # reached, but perhaps not noted yet


class Delivery:
    """Shows outcomes."""

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        self._copies = DirectCopies(bag)

    async def deliver(self, job: Job, origin: Origin) -> None:
        """Show the outcome of *job*, a final one, and clear its progress message away; retries until done."""
        attempt = _Attempt(origin.file_limit, self._bag.pace.retries())
        while True:
            try:
                if attempt.end is None:
                    await self._try(job, origin, attempt)
                if attempt.end is not None:
                    await self._bag.settings.done(job.id, attempt.end.reason)
                    return
            except STORE_FAILURES as error:
                log.warning("store out of order", action="store", job_id=job.id, error=repr(error))
                await asyncio.sleep(next(attempt.pauses))

    async def _try(self, job: Job, origin: Origin, attempt: _Attempt) -> None:
        try:
            await self._step(job, origin, attempt)
        except Delivered as end:
            attempt.end = end
        except JobNotFound:
            attempt.end = Delivered()  # it was deleted: nobody wants to see it any more
        except FAILURES as error:
            await self._learn(error, job, origin, attempt)

    async def _step(self, job: Job, origin: Origin, attempt: _Attempt) -> None:
        post = await self._bag.settings.post(job.id)
        if post is None or post.stage is Stage.DONE:
            raise Delivered(None if post is None else post.trouble)
        if post.progress_id is None and not taken_at_once(job):
            post = await self._with_answer(job, origin, post)
        if post.stage is Stage.POSTED:
            await self._clear(job, origin, post)
            await self._copies.send(job, origin, nonce=nonce(job.id, "direct"))
            raise Delivered
        if post.stage is Stage.INTENDED and await self._already_there(job, origin, post):
            return
        match job.state:
            case JobState.CANCELLED:
                await self._stop(job, origin, post)
            case JobState.FAILED:
                if job.error is ErrorCode.PROMPT_REFUSED:
                    await self._explain_refusal(job, origin)
                card = errors.failure_card(job.error, job.id, self._bag.texts(origin.locale))
                await self._fail(job, origin, post, card)
            case _:
                await self._show(job, origin, post, attempt)

    async def _with_answer(self, job: Job, origin: Origin, post: Post) -> Post:
        """Look for the answer of an interaction that died before it was noted."""
        found = None
        try:
            if self._bag.clock() < origin.expires_at and not origin.apart:
                found = await self._bag.outlet.answer_of(origin, job.id)
            elif origin.reach is Reach.CHANNEL:
                found = await self._bag.outlet.find(origin, job.id, {Verb.CANCEL}, job.created_at)
        except FAILURES as error:
            if trouble(error) is Trouble.TRANSIENT:
                raise
        if found is None:
            return post
        await self._bag.settings.answered(job.id, origin.channel_id, found)
        return await self._bag.settings.post(job.id) or post

    async def _show(self, job: Job, origin: Origin, post: Post, attempt: _Attempt) -> None:
        if origin.reach is Reach.TOKEN and self._bag.clock() > origin.expires_at:
            raise Delivered(await self._tell(job, origin, "expired"))
        shown = Outcome.ALLOW
        if self._bag.moderation is not None:
            shown = await self._bag.moderation.shown_as(job, origin)
        if shown.refuses:
            await self._fail(job, origin, post, self._card(origin, "moderation.withheld"))
            return
        try:
            picture = await self._picture(job, origin, attempt.limit)
        except PictureGone as error:
            await self._bag.desk.get(job.id)  # raises if it was deleted meanwhile
            card = Card(*errors.words(error, self._bag.texts(origin.locale)))
            await self._fail(job, origin, post, card)
            return
        letter = render.result(
            job, picture, self._bag.texts(origin.locale), await self._other_model(job, origin)
        )
        if shown is Outcome.SPOILER:
            letter = render.covered(letter)
        if shown is Outcome.PRIVATE and origin.veil is not Veil.PRIVATE:
            await self._show_alone(job, origin, post, letter)
            return
        if await self._post(job, origin, letter, nonce(job.id, "result"), reply=attempt.reply):
            log.info("result posted", action="courier_result", job_id=job.id)

    async def _show_alone(self, job: Job, origin: Origin, post: Post, letter: Letter) -> None:
        """Send the result to the requester alone, and say so where it was ordered.

        A crash between the two sends it twice.
        """
        if await self._told(job, origin, letter):
            card = self._card(origin, "moderation.private")
        else:
            card = Card(*errors.words(BotError(BotCode.DM_CLOSED), self._bag.texts(origin.locale)))
        await self._fail(job, origin, post, card)

    async def _explain_refusal(self, job: Job, origin: Origin) -> None:
        """Tell the requester alone what the worker refused the prompt for, with the way to appeal."""
        if self._bag.moderation is None:
            return
        refused = await self._bag.moderation.screened_out(job, origin)
        texts = self._bag.texts(origin.locale)
        await self._told(job, origin, letters.refused(refused.refusal, texts, appeals=refused.appeals))

    def _card(self, origin: Origin, key: str) -> Card:
        texts = self._bag.texts(origin.locale)
        return Card(texts(f"{key}.title"), texts(key), render.AMBER)

    async def _other_model(self, job: Job, origin: Origin) -> str:
        """Return a line that says so if *job* was drawn by another model than its source."""
        if job.source is None:
            return ""
        try:
            source = await self._bag.desk.get(job.source)
        except JobNotFound:
            return ""
        texts = self._bag.texts(origin.locale)
        if source.model != job.model:
            return texts("line.model_changed", model=job.model)
        return "" if same_weights(source, job) else texts("line.model_replaced", model=job.model)

    async def _post(self, job: Job, origin: Origin, letter: Letter, key: str, *, reply: bool) -> bool:
        """Post *letter* once under the nonce *key*; False if the job was deleted before or meanwhile."""
        if not await self._bag.settings.intend(job.id, self._bag.clock()):
            return False
        message_id = await self._bag.outlet.post(origin, letter, nonce=key, reply=reply)
        if await self._bag.settings.posted(job.id, message_id):
            return True
        await self._bag.outlet.delete(origin, message_id)
        return False

    async def _already_there(self, job: Job, origin: Origin, post: Post) -> bool:
        since = post.intended_at
        if since is None or origin.reach is Reach.TOKEN or self._bag.clock() - since <= self._bag.pace.doubt:
            return False
        try:
            found = await self._bag.outlet.find(origin, job.id, DRAWS, since)
        except FAILURES as error:
            if trouble(error) is Trouble.TRANSIENT:
                raise
            return False  # the history may not be read: better twice than never
        if found is None:
            return False
        await self._bag.settings.posted(job.id, found)
        return True

    async def _picture(self, job: Job, origin: Origin, limit: int) -> File:
        body = await self._bag.desk.picture(job.files[0])
        fitted, extension = await asyncio.to_thread(shrink.fit, body, limit)
        return File(render.picture_name(job, origin, extension), fitted)

    async def _stop(self, job: Job, origin: Origin, post: Post) -> None:
        if post.progress_id is not None:
            letter = render.stopped(job, self._bag.texts(origin.locale))
            await self._bag.outlet.edit(origin, post.progress_id, letter, keep_files=True)
        raise Delivered

    async def _fail(self, job: Job, origin: Origin, post: Post, card: Card) -> None:
        """Turn the progress message into one that says why; where it is gone, post another."""
        letter = render.failed(job, card, self._bag.texts(origin.locale))
        if post.progress_id is not None:
            try:
                await self._bag.outlet.edit(origin, post.progress_id, letter)
            except FAILURES as error:
                if trouble(error) is not Trouble.GONE:
                    raise
            else:
                await self._bag.settings.posted(job.id, post.progress_id)
                return
        await self._post(job, origin, letter, nonce(job.id, "failure"), reply=False)

    async def _clear(self, job: Job, origin: Origin, post: Post) -> None:
        """Delete the progress message; where that is refused, let it point at the result."""
        if post.progress_id is None or post.result_id is None or post.progress_id == post.result_id:
            return
        try:
            await self._bag.outlet.delete(origin, post.progress_id)
        except FAILURES as error:
            if trouble(error) is Trouble.TRANSIENT:
                raise
            if trouble(error) is Trouble.GONE:
                return
        else:
            return
        texts = self._bag.texts(origin.locale)
        small = texts("line.result", link=self._bag.outlet.link(origin, post.result_id))
        line = render.Line(job, mode=False, small=small)
        try:
            await self._bag.outlet.edit(origin, post.progress_id, render.letter(line, texts), keep_files=True)
        except FAILURES as error:
            if trouble(error) is Trouble.TRANSIENT:
                raise

    async def _learn(self, error: Exception, job: Job, origin: Origin, attempt: _Attempt) -> None:
        """Decide what a failed call means for the next one; end what is hopeless."""
        kind = trouble(error)
        log.info("call failed", action="courier_trouble", job_id=job.id, kind=kind.name, error=repr(error))
        if kind is Trouble.TRANSIENT:
            await asyncio.sleep(next(attempt.pauses))
            return
        await self._bag.settings.withdraw(job.id)
        if kind is Trouble.NO_REPLY and attempt.reply:
            attempt.reply = False
        elif kind is Trouble.TOO_LARGE and attempt.limit > SMALLEST_LIMIT:
            attempt.limit = min(FAMILIAR_LIMIT, attempt.limit // 2)
        else:
            attempt.end = Delivered(await self._tell(job, origin, _REASONS[kind], error))

    async def _tell(self, job: Job, origin: Origin, reason: str, error: Exception | None = None) -> str:
        """Tell the requester by another way what became of the job, and return *reason*.

        Of a job that was stopped there is nothing to tell: whoever stopped it was answered.
        """
        if job.state is JobState.CANCELLED:
            return reason
        texts = self._bag.texts(origin.locale)
        detail = error.text if isinstance(error, discord.HTTPException) else repr(error)
        why = texts(f"lost.{reason}", channel_id=origin.channel_id, reason=detail)
        await self._told(job, origin, _lost(job, why, texts))
        return reason

    async def _told(self, job: Job, origin: Origin, letter: Letter) -> bool:
        """Tell the requester alone; False if no way is open."""
        for way in self._ways(origin, job, letter):
            try:
                await way()
            except FAILURES as refusal:
                log.info("not told", action="courier_untold", job_id=job.id, error=repr(refusal))
            else:
                return True
        return False

    def _ways(self, origin: Origin, job: Job, letter: Letter) -> Iterator[Callable[[], Awaitable[object]]]:
        if self._bag.clock() < origin.expires_at:
            yield partial(self._bag.outlet.whisper, origin, letter)
        yield partial(self._bag.outlet.direct, job.owner_id, letter)


def _lost(job: Job, why: str, texts: Texts) -> Letter:
    """Return what tells the outcome of *job* away from where it was ordered, and *why*."""
    if job.state is JobState.SUCCEEDED:
        words = f"{why}\n{texts('lost.show', job_id=job.id)}"
        return Letter(card=Card(texts("lost.title"), words, render.AMBER))
    card = errors.failure_card(job.error, job.id, texts)
    words = f"{card.description}\n{why}"
    return render.failed(job, replace(card, title=texts("lost.failed_title"), description=words), texts)


_REASONS = {
    Trouble.GONE: "gone",
    Trouble.FORBIDDEN: "forbidden",
    Trouble.EXPIRED: "expired",
    Trouble.TOO_LARGE: "refused",
    Trouble.NO_REPLY: "refused",
    Trouble.REFUSED: "refused",
}
