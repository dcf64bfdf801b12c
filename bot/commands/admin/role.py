"""`/admin role …`."""

from discord import Role, app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import RANKS, WORDS, filled
from bot.faults import BotCode, BotError
from worker.deeds import POWERS, Rank, SetPower, SetRole, Verb

CHOICES = 25


class RoleGroup(app_commands.Group):
    """Says who may do what in this server."""

    def __init__(self, clerk: Clerk) -> None:
        super().__init__(name="role", description=WORDS("admin.help.role"))
        self._clerk = clerk

    @app_commands.command(name="set", description=WORDS("admin.help.role set"))
    @app_commands.describe(
        rank=WORDS("admin.option.rank"),
        role=WORDS("admin.option.role"),
        take=WORDS("admin.option.take"),
        command=WORDS("admin.option.command"),
    )
    @app_commands.choices(rank=RANKS)
    async def assign(
        self,
        interaction: Interaction,
        rank: str,
        *,
        role: Role | None = None,
        take: bool = False,
        command: str | None = None,
    ) -> None:
        """Give a rank to a role or take it; or say which rank a command takes, with *take* the usual."""

        async def work() -> None:
            guild_id = interaction.guild_id or 0
            known = command in set(POWERS)
            if (role is None) is not known:
                raise BotError(BotCode.NOTHING_SAID, options="`role`, or a `command` such as `queue clear`")
            if role is not None:
                deed = SetRole.model_validate(
                    {"guild_id": guild_id, "rank": rank, "role_id": role.id, "held": not take}
                )
                await self._clerk.do(interaction, deed)
            else:
                power = SetPower.model_validate(
                    {"guild_id": guild_id, "power": command, "rank": None if take else Rank(rank)}
                )
                await self._clerk.do(interaction, power)

        await guarded(interaction, work)

    @assign.autocomplete("command")
    async def _suggest(self, _: Interaction, current: str) -> list[app_commands.Choice[str]]:
        wanted = current.strip().removeprefix("/admin").strip(" /").casefold()
        return [
            app_commands.Choice(name=power.value, value=power.value)
            for power in POWERS
            if wanted in power.value
        ][:CHOICES]

    @app_commands.command(name="list", description=WORDS("admin.help.role list"))
    @app_commands.describe(rank=WORDS("admin.option.only_rank"))
    @app_commands.choices(rank=RANKS)
    async def list(self, interaction: Interaction, rank: str | None = None) -> None:
        """Show who may do what."""
        filters = filled(r=rank)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.ROLE_LIST, filters))
