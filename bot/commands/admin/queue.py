"""`/admin queue …`."""

from discord import app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import LANES, STATES, WORDS, Person, filled, job_id_of
from parser import Speed
from worker.deeds import Cancel, Clear, Promote, Retry, SetMode, Verb, Which


class QueueGroup(app_commands.Group):
    """Looks at the queue and steers it."""

    def __init__(self, clerk: Clerk) -> None:
        super().__init__(name="queue", description=WORDS("admin.help.queue"))
        self._clerk = clerk

    @app_commands.command(name="show", description=WORDS("admin.help.queue show"))
    @app_commands.describe(
        state=WORDS("admin.option.state"),
        lane=WORDS("admin.option.lane"),
        person=WORDS("admin.option.person"),
    )
    @app_commands.choices(state=STATES, lane=LANES)
    async def show(
        self,
        interaction: Interaction,
        state: str | None = None,
        lane: str | None = None,
        person: Person | None = None,
    ) -> None:
        """List jobs, without their prompts."""
        filters = filled(s=state, l=lane, p=None if person is None else person.id)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.QUEUE_SHOW, filters))

    @app_commands.command(name="pause", description=WORDS("admin.help.queue pause"))
    async def pause(self, interaction: Interaction) -> None:
        """Let nothing start."""
        await guarded(interaction, lambda: self._clerk.do(interaction, SetMode(verb=Verb.QUEUE_PAUSE)))

    @app_commands.command(name="resume", description=WORDS("admin.help.queue resume"))
    async def resume(self, interaction: Interaction) -> None:
        """Open the queue."""
        await guarded(interaction, lambda: self._clerk.do(interaction, SetMode(verb=Verb.QUEUE_RESUME)))

    @app_commands.command(name="drain", description=WORDS("admin.help.queue drain"))
    async def drain(self, interaction: Interaction) -> None:
        """Let the queue run empty."""
        await guarded(interaction, lambda: self._clerk.do(interaction, SetMode(verb=Verb.QUEUE_DRAIN)))

    @app_commands.command(name="promote", description=WORDS("admin.help.queue promote"))
    @app_commands.describe(job_id=WORDS("admin.option.job_id"))
    async def promote(self, interaction: Interaction, job_id: str) -> None:
        """Put a waiting job first."""
        await guarded(interaction, lambda: self._clerk.do(interaction, Promote(job_id=job_id_of(job_id))))

    @app_commands.command(name="cancel", description=WORDS("admin.help.queue cancel"))
    @app_commands.describe(
        job_id=WORDS("admin.option.job_id"),
        person=WORDS("admin.option.person"),
        lane=WORDS("admin.option.lane"),
    )
    @app_commands.choices(lane=LANES)
    async def cancel(
        self,
        interaction: Interaction,
        job_id: str | None = None,
        person: Person | None = None,
        lane: str | None = None,
    ) -> None:
        """Stop one job, or those of a person or a lane."""
        await guarded(
            interaction,
            lambda: self._clerk.do(interaction, Cancel(which=_which(job_id, person, lane))),
        )

    @app_commands.command(name="retry", description=WORDS("admin.help.queue retry"))
    @app_commands.describe(job_id=WORDS("admin.option.job_id"))
    async def retry(self, interaction: Interaction, job_id: str) -> None:
        """Order a job once more."""
        await guarded(interaction, lambda: self._clerk.do(interaction, Retry(job_id=job_id_of(job_id))))

    @app_commands.command(name="clear", description=WORDS("admin.help.queue clear"))
    @app_commands.describe(person=WORDS("admin.option.person"), lane=WORDS("admin.option.lane"))
    @app_commands.choices(lane=LANES)
    async def clear(
        self, interaction: Interaction, person: Person | None = None, lane: str | None = None
    ) -> None:
        """Cancel what waits."""
        await guarded(
            interaction, lambda: self._clerk.do(interaction, Clear(which=_which(None, person, lane)))
        )


def _which(job_id: str | None, person: Person | None, lane: str | None) -> Which:
    return Which(
        job_id=None if job_id is None else job_id_of(job_id),
        owner_id=None if person is None else person.id,
        speed=None if lane is None else Speed(lane),
    )
