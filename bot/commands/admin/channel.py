"""`/admin channel …`."""

import discord
from discord import app_commands

from bot.answers import Interaction, guarded
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.options import CHANNELS, WORDS, filled
from bot.faults import BotCode, BotError
from worker.deeds import SetChannel, SetLog, SetNsfw, Verb

Channel = app_commands.AppCommandChannel | app_commands.AppCommandThread


class ChannelGroup(app_commands.Group):
    """Says where people may order in this server, and where its record is posted."""

    def __init__(self, clerk: Clerk) -> None:
        super().__init__(name="channel", description=WORDS("admin.help.channel"))
        self._clerk = clerk

    @app_commands.command(name="allow", description=WORDS("admin.help.channel allow"))
    @app_commands.describe(channel=WORDS("admin.option.channel"), everywhere=WORDS("admin.option.everywhere"))
    async def allow(
        self, interaction: Interaction, channel: Channel | None = None, *, everywhere: bool = False
    ) -> None:
        """Open a channel."""
        await guarded(
            interaction, lambda: self._rule(interaction, Verb.CHANNEL_ALLOW, channel, everywhere=everywhere)
        )

    @app_commands.command(name="deny", description=WORDS("admin.help.channel deny"))
    @app_commands.describe(channel=WORDS("admin.option.channel"), everywhere=WORDS("admin.option.everywhere"))
    async def deny(
        self, interaction: Interaction, channel: Channel | None = None, *, everywhere: bool = False
    ) -> None:
        """Close a channel."""
        await guarded(
            interaction, lambda: self._rule(interaction, Verb.CHANNEL_DENY, channel, everywhere=everywhere)
        )

    async def _rule(
        self, interaction: Interaction, verb: Verb, channel: Channel | None, *, everywhere: bool
    ) -> None:
        channel_id = 0 if everywhere else _id_of(interaction, channel)
        deed = SetChannel.model_validate(
            {"verb": verb, "guild_id": interaction.guild_id, "channel_id": channel_id}
        )
        await self._clerk.do(interaction, deed)

    @app_commands.command(name="nsfw", description=WORDS("admin.help.channel nsfw"))
    @app_commands.describe(adult=WORDS("admin.option.adult"), channel=WORDS("admin.option.channel"))
    async def adult_pictures(
        self, interaction: Interaction, *, adult: bool, channel: Channel | None = None
    ) -> None:
        """Say whether adult pictures may be shown; only where Discord asks for people's age."""

        async def work() -> None:
            channel_id = _id_of(interaction, channel)
            if adult and not _age_restricted(interaction, channel):
                raise BotError(BotCode.NOT_ADULT, channel_id=channel_id)
            deed = SetNsfw(guild_id=interaction.guild_id or 0, channel_id=channel_id, nsfw=adult)
            await self._clerk.do(interaction, deed)

        await guarded(interaction, work)

    @app_commands.command(name="log", description=WORDS("admin.help.channel log"))
    @app_commands.describe(channel=WORDS("admin.option.log"))
    async def log(self, interaction: Interaction, channel: Channel | None = None) -> None:
        """Post the record to a channel, or nowhere."""
        deed = SetLog(guild_id=interaction.guild_id or 0, channel_id=None if channel is None else channel.id)
        await guarded(interaction, lambda: self._clerk.do(interaction, deed))

    @app_commands.command(name="list", description=WORDS("admin.help.channel list"))
    @app_commands.describe(kind=WORDS("admin.option.kind"))
    @app_commands.choices(kind=CHANNELS)
    async def list(self, interaction: Interaction, kind: str | None = None) -> None:
        """Show the rules."""
        filters = filled(k=kind)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.CHANNEL_LIST, filters))


def _id_of(interaction: Interaction, channel: Channel | None) -> int:
    return (interaction.channel_id or 0) if channel is None else channel.id


def _age_restricted(interaction: Interaction, channel: Channel | None) -> bool:
    """Tell whether Discord shows the channel, or a thread's parent, to adults only."""
    if isinstance(channel, app_commands.AppCommandChannel):
        return channel.nsfw
    found: object = interaction.channel
    if isinstance(channel, app_commands.AppCommandThread):
        found = channel.parent
    if isinstance(found, discord.Thread):
        found = found.parent
    return isinstance(found, discord.abc.GuildChannel) and bool(getattr(found, "nsfw", False))
