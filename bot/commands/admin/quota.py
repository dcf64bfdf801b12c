"""`/admin quota …`."""

from discord import Role, app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import WHOSE, WORDS, Person, filled
from bot.faults import BotCode, BotError
from worker.accounts import Allowance, Whose
from worker.deeds import Grant, ResetQuota, SetQuota, Verb

Credits = app_commands.Range[float, 0.0, 1e6]
Places = app_commands.Range[int, 1, 10_000]
Weight = app_commands.Range[float, 0.1, 10.0]
Batch = app_commands.Range[int, 1, 40]


class QuotaGroup(app_commands.Group):
    """Says how much people may use."""

    def __init__(self, clerk: Clerk) -> None:
        super().__init__(name="quota", description=WORDS("admin.help.quota"))
        self._clerk = clerk

    @app_commands.command(name="show", description=WORDS("admin.help.quota show"))
    @app_commands.describe(person=WORDS("admin.option.person"), kind=WORDS("admin.option.whose"))
    @app_commands.choices(kind=WHOSE)
    async def show(
        self, interaction: Interaction, person: Person | None = None, kind: str | None = None
    ) -> None:
        """Show one person's account, or what was said of all."""
        filters = filled(p=None if person is None else person.id, k=kind)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.QUOTA_SHOW, filters))

    @app_commands.command(name="grant", description=WORDS("admin.help.quota grant"))
    @app_commands.describe(person=WORDS("admin.option.person"), credits=WORDS("admin.option.credits"))
    async def grant(
        self,
        interaction: Interaction,
        person: Person,
        credits: app_commands.Range[float, -1e6, 1e6],
    ) -> None:
        """Give credits."""
        deed = Grant(user_id=person.id, credits=credits)
        await guarded(interaction, lambda: self._clerk.do(interaction, deed))

    @app_commands.command(name="set", description=WORDS("admin.help.quota set"))
    @app_commands.describe(
        person=WORDS("admin.option.person"),
        role=WORDS("admin.option.role"),
        server=WORDS("admin.option.server"),
        day=WORDS("admin.option.day"),
        month=WORDS("admin.option.month"),
        unlimited=WORDS("admin.option.unlimited"),
        running=WORDS("admin.option.running"),
        waiting=WORDS("admin.option.waiting"),
        weight=WORDS("admin.option.weight"),
        batch=WORDS("admin.option.batch"),
        clear=WORDS("admin.option.clear"),
    )
    async def assign(
        self,
        interaction: Interaction,
        *,
        person: Person | None = None,
        role: Role | None = None,
        server: bool = False,
        day: Credits | None = None,
        month: Credits | None = None,
        unlimited: bool = False,
        running: Places | None = None,
        waiting: Places | None = None,
        weight: Weight | None = None,
        batch: Batch | None = None,
        clear: bool = False,
    ) -> None:
        """Say what holds for a person, a role or this server; what is left out is not said any more."""

        async def work() -> None:
            whose, subject = _subject(interaction, person, role, server=server)
            said = Allowance(
                unlimited=unlimited,
                day=day,
                month=month,
                running=running,
                waiting=waiting,
                weight=weight,
                batch=batch,
            )
            if (said == Allowance()) is not clear:
                raise BotError(BotCode.NOTHING_SAID, options="`day`, `month`, `unlimited`, …, or `clear`")
            if whose is Whose.SERVER and (running, waiting, weight, batch) != (None,) * 4:
                raise BotError(BotCode.NOTHING_SAID, options="for a server `day`, `month` or `unlimited`")
            allowance = None if clear else said
            await self._clerk.do(interaction, SetQuota(whose=whose, subject=subject, allowance=allowance))

        await guarded(interaction, work)

    @app_commands.command(name="reset", description=WORDS("admin.help.quota reset"))
    @app_commands.describe(person=WORDS("admin.option.person"))
    async def reset(self, interaction: Interaction, person: Person) -> None:
        """Begin anew."""
        await guarded(interaction, lambda: self._clerk.do(interaction, ResetQuota(user_id=person.id)))


def _subject(
    interaction: Interaction, person: Person | None, role: Role | None, *, server: bool
) -> tuple[Whose, int]:
    """Return of whom something is said.

    Raises:
        BotError: ``NOTHING_SAID``: of nobody, or of several at once.
    """
    named = [
        (whose, subject)
        for whose, subject in (
            (Whose.PERSON, None if person is None else person.id),
            (Whose.ROLE, None if role is None else role.id),
            (Whose.SERVER, interaction.guild_id if server else None),
        )
        if subject is not None
    ]
    if len(named) != 1:
        raise BotError(BotCode.NOTHING_SAID, options="one of `person`, `role` and `server`")
    return named[0]
