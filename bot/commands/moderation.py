"""`/moderation`: a server's rules, where its appeals go, and strikes."""

from collections.abc import Callable
from functools import partial

import discord
from discord import app_commands

from bot import payload
from bot.answers import Interaction, caller_of, defer, guarded, texts_of
from bot.authority import Authority
from bot.faults import BotCode, BotError
from bot.moderation import letters
from bot.moderation.gate import Moderation
from bot.moderation.rules import RELAXABLE, Outcome
from bot.moderation.servers import Deed
from bot.render import Letter
from bot.texts import Texts
from worker.api import Category
from worker.deeds import Watch

WORDS = Texts()
DEFAULT = "default"  # the choice that goes back to the operator's rule

_CATEGORIES = [app_commands.Choice(name=letters.category(each, WORDS), value=each.value) for each in Category]
_OUTCOMES = [app_commands.Choice(name=letters.outcome(each, WORDS), value=each.value) for each in Outcome]
_OR_DEFAULT = [*_OUTCOMES, app_commands.Choice(name=WORDS("moderation.outcome.default"), value=DEFAULT)]
_FOR_PICTURES = [choice for choice in _OUTCOMES if choice.value != Outcome.STRIKE]


class ModerationCommand(app_commands.Group):
    """Strikes are for people who may manage messages, rules for those who may manage the server.

    Discord offers it to the former, unless that is changed in the server's settings. Its permission and our
    own rank are looked at every time; both must do.
    """

    def __init__(
        self, moderation: Moderation, *, authority: Authority | None, clock: Callable[[], float]
    ) -> None:
        """Without *authority* there are no ranks, and Discord's permission does alone."""
        super().__init__(
            name="moderation",
            description=WORDS("moderation.help"),
            default_permissions=discord.Permissions(manage_messages=True),
            guild_only=True,
        )
        self._moderation = moderation
        self._authority = authority
        self._clock = clock

    @app_commands.command(name="show", description=WORDS("moderation.help.show"))
    async def show(self, interaction: Interaction) -> None:
        """Show the rules."""
        await guarded(interaction, partial(self._change, interaction, Watch.SHOW))

    @app_commands.command(name="category", description=WORDS("moderation.help.category"))
    @app_commands.describe(
        category=WORDS("moderation.option.category"),
        outcome=WORDS("moderation.option.outcome"),
        adult=WORDS("moderation.option.adult"),
    )
    @app_commands.choices(category=_CATEGORIES, outcome=_OR_DEFAULT, adult=_OUTCOMES)
    async def category(
        self, interaction: Interaction, category: str, outcome: str, adult: str | None = None
    ) -> None:
        """Set what a category leads to."""
        about = Category(category)
        chosen = None if outcome == DEFAULT else Outcome(outcome)
        elsewhere = Outcome(adult) if adult is not None and about in RELAXABLE else None
        work = partial(
            self._moderation.servers.set_category, self._deed(interaction), about, chosen, elsewhere
        )
        await guarded(interaction, partial(self._change, interaction, Watch.CATEGORY, work))

    @app_commands.command(name="pictures", description=WORDS("moderation.help.pictures"))
    @app_commands.describe(
        outcome=WORDS("moderation.option.outcome"), threshold=WORDS("moderation.option.threshold")
    )
    @app_commands.choices(outcome=_FOR_PICTURES)
    async def pictures(
        self,
        interaction: Interaction,
        outcome: str,
        threshold: app_commands.Range[float, 0.0, 1.0] | None = None,
    ) -> None:
        """Set what becomes of pictures that look adult."""
        servers = self._moderation.servers
        work = partial(servers.set_pictures, self._deed(interaction), Outcome(outcome), threshold)
        await guarded(interaction, partial(self._change, interaction, Watch.PICTURES, work))

    @app_commands.command(name="appeals", description=WORDS("moderation.help.appeals"))
    @app_commands.describe(channel=WORDS("moderation.option.channel"))
    async def appeals(self, interaction: Interaction, channel: discord.TextChannel | None = None) -> None:
        """Set where appeals are posted."""
        channel_id = None if channel is None else channel.id
        work = partial(self._moderation.servers.set_moderators, self._deed(interaction), channel_id)
        await guarded(interaction, partial(self._change, interaction, Watch.APPEALS, work))

    @app_commands.command(name="strikes", description=WORDS("moderation.help.strikes"))
    @app_commands.describe(person=WORDS("moderation.option.person"))
    async def strikes(self, interaction: Interaction, person: discord.User) -> None:
        """Show a person's strikes."""
        await guarded(interaction, partial(self._strikes, interaction, person.id))

    @app_commands.command(name="forgive", description=WORDS("moderation.help.forgive"))
    @app_commands.describe(person=WORDS("moderation.option.person"))
    async def forgive(self, interaction: Interaction, person: discord.User) -> None:
        """Take back a person's strikes."""
        await guarded(interaction, partial(self._forgive, interaction, person.id))

    def _deed(self, interaction: Interaction) -> Deed:
        return Deed(guild_id=interaction.guild_id or 0, by=interaction.user.id, now=self._clock())

    async def _change(self, interaction: Interaction, power: Watch, work: letters.Work | None = None) -> None:
        """Do *work* and show the rules as they then are."""
        await self._admit(interaction, power, permitted=interaction.permissions.manage_guild)
        if work is not None:
            await work()
        rules = await self._moderation.rules(interaction.guild_id or 0)
        await _answer(interaction, letters.rules(rules, texts_of(interaction)))

    async def _strikes(self, interaction: Interaction, user_id: int) -> None:
        await self._admit(interaction, Watch.STRIKES, permitted=_moderates(interaction))
        records, guild_id = self._moderation.records, interaction.guild_id or 0
        strikes = await records.strikes_of(guild_id, user_id)
        until = self._moderation.timeout_of(strikes, await records.kept(guild_id, user_id))
        await _answer(interaction, letters.strikes(user_id, strikes, until, texts_of(interaction)))

    async def _forgive(self, interaction: Interaction, user_id: int) -> None:
        await self._admit(interaction, Watch.FORGIVE, permitted=_moderates(interaction))
        deed = self._deed(interaction)
        count = await self._moderation.records.forgive(deed.guild_id, user_id, deed.by, deed.now)
        await _answer(interaction, letters.forgiven(user_id, count, texts_of(interaction)))

    async def _admit(self, interaction: Interaction, power: Watch, *, permitted: bool) -> None:
        """Let who asks go on, who is told that an answer comes.

        Raises:
            BotError: ``NOT_A_MANAGER`` where Discord's permission is missing, or what our ranks say.
        """
        if not permitted:
            raise BotError(BotCode.NOT_A_MANAGER)
        await defer(interaction, thinking=True, private=True)
        if self._authority is not None:
            await self._authority.demand(interaction, power)


def _moderates(interaction: Interaction) -> bool:
    return caller_of(interaction).moderator or interaction.permissions.manage_guild


async def _answer(interaction: Interaction, letter: Letter) -> None:
    await interaction.edit_original_response(**payload.to_edit(letter))
