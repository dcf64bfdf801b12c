"""`/admin quota …`."""

from discord import Role, app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import WHOSE, WORDS, Person, filled
from worker.accounts import LEAST_WEIGHT, MOST_BATCH, MOST_CREDITS, MOST_WEIGHT, Allowance
from worker.allotment import allotted
from worker.deeds import MOST_GRANT, Grant, ResetQuota, Verb

Credits = app_commands.Range[float, 0.0, MOST_CREDITS]
Places = app_commands.Range[int, 1, 10_000]
Weight = app_commands.Range[float, LEAST_WEIGHT, MOST_WEIGHT]
Batch = app_commands.Range[int, 1, MOST_BATCH]


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
        credits: app_commands.Range[float, -MOST_GRANT, MOST_GRANT],
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
            deed = allotted(
                Allowance(
                    unlimited=unlimited,
                    day=day,
                    month=month,
                    running=running,
                    waiting=waiting,
                    weight=weight,
                    batch=batch,
                ),
                person=None if person is None else person.id,
                role=None if role is None else role.id,
                server=interaction.guild_id if server else None,
                clear=clear,
            )
            await self._clerk.do(interaction, deed)

        await guarded(interaction, work)

    @app_commands.command(name="reset", description=WORDS("admin.help.quota reset"))
    @app_commands.describe(person=WORDS("admin.option.person"))
    async def reset(self, interaction: Interaction, person: Person) -> None:
        """Begin anew."""
        await guarded(interaction, lambda: self._clerk.do(interaction, ResetQuota(user_id=person.id)))
