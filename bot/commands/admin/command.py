"""`/admin` itself: the groups, `status` and `audit`."""

import discord
from discord import app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.channel import ChannelGroup
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.models import ModelsGroup
from bot.commands.admin.options import WORDS, Person, filled
from bot.commands.admin.queue import QueueGroup
from bot.commands.admin.quota import QuotaGroup
from bot.commands.admin.role import RoleGroup
from bot.commands.admin.user import UserGroup
from bot.commands.admin.words import WordsGroup
from bot.moderation.gate import Moderation
from bot.outlet import Outlet
from worker.admin import AdminDesk
from worker.deeds import POWERS, Verb

GROUPS = [
    app_commands.Choice(name=name, value=name)
    for name in dict.fromkeys(power.partition(" ")[0] for power in POWERS)
    if name not in {Verb.STATUS, Verb.AUDIT}
]


class AdminCommand(app_commands.Group):
    """Everything for those who run the bot.

    Discord offers it to people who may manage the server, unless that is changed in the server's settings;
    our own ranks are looked at every time.
    """

    def __init__(
        self, clerk: Clerk, *, office: AdminDesk, outlet: Outlet, moderation: Moderation | None
    ) -> None:
        super().__init__(
            name="admin",
            description=WORDS("admin.help"),
            default_permissions=discord.Permissions(manage_guild=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        self._clerk = clerk
        for group in (
            QueueGroup(clerk),
            QuotaGroup(clerk),
            UserGroup(clerk, office=office, outlet=outlet),
            RoleGroup(clerk),
            ChannelGroup(clerk),
            WordsGroup(clerk, moderation=moderation),
            ModelsGroup(clerk, office=office),
        ):
            self.add_command(group)

    @app_commands.command(name="status", description=WORDS("admin.help.status"))
    async def status(self, interaction: Interaction) -> None:
        """Look at workers, queue and disk."""
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.STATUS))

    @app_commands.command(name="audit", description=WORDS("admin.help.audit"))
    @app_commands.describe(verbs=WORDS("admin.option.verbs"), person=WORDS("admin.option.concerned"))
    @app_commands.choices(verbs=GROUPS)
    async def audit(
        self, interaction: Interaction, verbs: str | None = None, person: Person | None = None
    ) -> None:
        """Show who did what."""
        filters = filled(g=verbs, p=None if person is None else person.id)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.AUDIT, filters))
