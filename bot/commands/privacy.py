"""`/privacy`: what is held about you."""

from discord import app_commands

from bot.answers import Interaction, guarded
from bot.privacy import Privacy
from bot.texts import Texts

WORDS = Texts()


class PrivacyCommand(app_commands.Group):
    """Hands out, and forgets."""

    def __init__(self, privacy: Privacy) -> None:
        super().__init__(
            name="privacy",
            description=WORDS("command.privacy"),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )
        self._privacy = privacy

    @app_commands.command(name="export", description=WORDS("command.privacy.export"))
    async def export(self, interaction: Interaction) -> None:
        """Send everything."""
        await guarded(interaction, lambda: self._privacy.export(interaction))

    @app_commands.command(name="forget", description=WORDS("command.privacy.forget"))
    async def forget(self, interaction: Interaction) -> None:
        """Offer to forget everything."""
        await guarded(interaction, lambda: self._privacy.ask(interaction))
