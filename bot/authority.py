"""Whether somebody may do what they ask for: their rank in the server's own table of roles."""

import discord

from bot.answers import Interaction
from bot.faults import BotCode, BotError
from bot.rights import Holder, at_home, authorise, may_appoint, may_judge
from worker.admin import AdminDesk
from worker.deeds import Block, Deed, Power, Timeout


class Authority:
    """Looks it up, every time: neither a command that Discord offers nor a button is believed."""

    def __init__(self, office: AdminDesk, *, home: frozenset[int]) -> None:
        """Use *office*; *home* are the servers whose admins may change what all servers share.

        With none named, that is the only server the bot is in.
        """
        self._office = office
        self._home = home

    async def demand(
        self,
        interaction: Interaction,
        power: Power,
        *,
        deed: Deed | None = None,
        judged: discord.abc.User | None = None,
    ) -> None:
        """Refuse what the caller's rank does not allow; *judged* is the person that *deed* is about.

        Raises:
            BotError: ``SERVER_ONLY``, ``NO_RANK``, ``NOT_HOME`` or ``ABOVE_YOU``.
            DatabaseBusy: The file did not answer in time.
        """
        if interaction.guild_id is None:
            raise BotError(BotCode.SERVER_ONLY)
        powers = await self._office.powers(interaction.guild_id)
        holder = holder_of(interaction.user, interaction.permissions)
        rank = authorise(power, holder, powers, home=self.at_home(interaction))
        if deed is not None:
            may_appoint(rank, deed)
        if judged is not None and isinstance(deed, Block | Timeout):
            granted = getattr(judged, "resolved_permissions", None) or discord.Permissions.none()
            may_judge(holder, rank, holder_of(judged, granted), powers)

    def at_home(self, interaction: Interaction) -> bool:
        """Tell whether what all servers share may be changed from where this was asked."""
        servers = frozenset(guild.id for guild in interaction.client.guilds)
        return at_home(self._home, interaction.guild_id, servers=servers)


def holder_of(user: discord.abc.User, granted: discord.Permissions) -> Holder:
    """Return somebody as far as ranks go, by the roles that Discord sent along, known to the cache or not."""
    roles = frozenset(user._roles) if isinstance(user, discord.Member) else frozenset()  # noqa: SLF001
    return Holder(user.id, roles, administrator=granted.administrator)
