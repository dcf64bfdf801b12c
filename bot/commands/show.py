"""`/show`: one of your jobs again, here, with fresh buttons."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from discord import app_commands
from discord.ext import commands

from bot import echo, errors, payload, render
from bot.answers import Interaction, caller_of, defer, guarded, is_adult, privately, stored, texts_of
from bot.commands.scope import everywhere
from bot.faults import BotCode, BotError
from bot.moderation.gate import Moderation
from bot.moderation.rules import Outcome
from bot.origin import origin_of
from bot.outlet import Outlet
from bot.policy import must_own
from bot.render import Letter
from bot.settings import Settings
from bot.shrink import fit
from bot.texts import Texts
from parser import canonical
from worker.api import Job, JobDesk, JobId, JobNotFound, JobState, PictureGone, WorkerError

WORDS = Texts()
CHOICE_LENGTH = 100  # characters of a suggestion
RECENT = 100  # jobs among which suggestions are looked for
CHOICES = 25
ADDED = 100  # characters shown of a part that was not typed
MOST_ADDED = 10  # such parts


class ShowCommand(commands.Cog):
    """Posts a job again."""

    def __init__(
        self,
        *,
        desk: JobDesk,
        settings: Settings,
        outlet: Outlet,
        clock: Callable[[], float],
        moderation: Moderation | None = None,
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._outlet = outlet
        self._clock = clock
        self._moderation = moderation

    @app_commands.command(name="show", description=WORDS("command.show"))
    @app_commands.describe(job_id=WORDS("command.show.job_id"))
    @everywhere
    async def show(self, interaction: Interaction, job_id: str) -> None:
        """Post a job again."""
        await guarded(interaction, lambda: self._show(interaction, job_id))

    async def _show(self, interaction: Interaction, typed: str) -> None:
        job = await self._desk.get(_job_id(typed))
        must_own(caller_of(interaction), job)
        if job.state is JobState.SUCCEEDED:
            await self._post(interaction, job)
        else:
            await privately(interaction, await self._state(job, texts_of(interaction)))

    async def _post(self, interaction: Interaction, job: Job) -> None:
        shown = Outcome.ALLOW
        if self._moderation is not None:
            shown = await self._moderation.shown_as(job, origin_of(job))
        if shown.refuses:
            raise BotError(BotCode.WITHHELD)
        origin = origin_of(job)
        strayed = origin is not None and origin.nsfw and not is_adult(interaction.channel)
        private = strayed or shown is Outcome.PRIVATE  # what was ordered among adults is not for everybody
        try:
            body = await self._desk.picture(job.files[0])
        except PictureGone as error:
            letter = errors.refused(error, texts_of(interaction), prompt=canonical(job.request))
            await privately(interaction, letter)
            return
        await defer(interaction, thinking=True, private=private)  # Discord may not wait for the upload
        fitted, extension = await asyncio.to_thread(fit, body, interaction.filesize_limit)
        texts = texts_of(interaction)
        picture = render.File(render.picture_name(job, origin_of(job), extension), fitted)
        letter = render.result(job, picture, texts)
        if shown is Outcome.SPOILER:
            letter = render.covered(letter)
        copy = await interaction.edit_original_response(**payload.to_edit(letter))
        if not private:  # nobody else sees that one, and it cannot be deleted for others
            with stored():
                await self._settings.copied(job.id, copy.channel.id, copy.id)
        words = "\n".join((texts("show.details", job_id=job.id, seed=job.seed), *added_lines(job, texts)))
        details = Letter(words, render.delete_row(job.id, texts))
        await interaction.followup.send(ephemeral=True, **payload.to_send(details))

    async def _state(self, job: Job, texts: Texts) -> Letter:
        match job.state:
            case JobState.CANCELLED:
                description = texts("bot.ended.cancelled")
            case JobState.FAILED:
                reason = errors.failure_card(job.error, job.id, texts).description
                description = texts("bot.ended.failed", reason=reason)
            case _:
                return await self._under_way(job, texts)
        return Letter(card=render.Card(texts("bot.ended.title"), description))

    async def _under_way(self, job: Job, texts: Texts) -> Letter:
        progress = (await self._desk.progress([job.id])).get(job.id)
        post = await self._settings.post(job.id)
        origin = origin_of(job)
        link = ""
        if post is not None and post.progress_id is not None and origin is not None:
            link = "\n" + self._outlet.link(origin, post.progress_id)
        words = texts("bot.unfinished", state=render.state_words(job, progress), link=link)
        return Letter(card=render.Card(texts("bot.unfinished.title"), words, render.AMBER))

    @show.autocomplete("job_id")
    async def _suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        try:
            jobs = await self._desk.recent(owner_id=interaction.user.id, limit=RECENT)
        except WorkerError:
            return []
        wanted = current.casefold()
        named = [(job, canonical(job.request)) for job in jobs]
        return [
            app_commands.Choice(name=self._choice(job, prompt), value=job.id)
            for job, prompt in named
            if wanted in job.id or wanted in prompt.casefold()
        ][:CHOICES]

    def _choice(self, job: Job, prompt: str) -> str:
        age = render.duration(max(0.0, self._clock() - job.created_at), WORDS)
        after = f" · {age} · {job.state}"
        return echo.cut(prompt, CHOICE_LENGTH - echo.units(after)) + after


def added_lines(job: Job, texts: Texts) -> list[str]:
    """Return whence what its author did not type came into the prompt of *job*."""
    origin = origin_of(job)
    return [
        texts(
            f"added.short.{part.whence}", text=echo.cut(echo.unticked(part.text), ADDED), option=part.option
        )
        for part in (origin.added if origin else ())[:MOST_ADDED]
    ]


def _job_id(typed: str) -> JobId:
    """Return the job a person means.

    Raises:
        JobNotFound: That is no id.
    """
    try:
        return JobId(str(UUID(typed.strip())))
    except ValueError:
        raise JobNotFound(JobId(typed[:40])) from None
