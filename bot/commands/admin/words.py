"""`/admin words …`."""

from collections.abc import Mapping
from functools import partial

from discord import app_commands

from bot.answers import Interaction, guarded, texts_of
from bot.commands.admin import pages
from bot.commands.admin.clerk import Clerk, answer, defer
from bot.commands.admin.options import CATEGORIES, WORDS, filled
from bot.faults import BotCode, BotError
from bot.moderation.gate import Moderation
from bot.moderation.lists import readable
from bot.render import Card, Letter
from worker.deeds import PHRASE_LIMIT, SetWord, Verb

TEXT_LIMIT = 1500  # characters of a text to test
Phrase = app_commands.Range[str, 1, PHRASE_LIMIT]


class WordsGroup(app_commands.Group):
    """Keeps this server's own words."""

    def __init__(self, clerk: Clerk, *, moderation: Moderation | None) -> None:
        """Without *moderation* there are no lists to test, and nothing is offered to do so."""
        super().__init__(name="words", description=WORDS("admin.help.words"))
        self._clerk = clerk
        self._moderation = moderation
        if moderation is None:
            self.remove_command("test")

    @app_commands.command(name="add", description=WORDS("admin.help.words add"))
    @app_commands.describe(
        category=WORDS("admin.option.category"),
        phrase=WORDS("admin.option.phrase"),
        allow=WORDS("admin.option.allow"),
    )
    @app_commands.choices(category=CATEGORIES)
    async def add(
        self, interaction: Interaction, category: str, phrase: Phrase, *, allow: bool = False
    ) -> None:
        """Refuse a phrase, or allow it."""

        async def work() -> None:
            if not readable(phrase):
                raise BotError(BotCode.NOTHING_SAID, options="a phrase with letters or digits")
            facts = {"verb": Verb.WORDS_ADD, "category": category, "phrase": phrase, "allow": allow}
            await self._set(interaction, facts)

        await guarded(interaction, work)

    @app_commands.command(name="remove", description=WORDS("admin.help.words remove"))
    @app_commands.describe(category=WORDS("admin.option.category"), phrase=WORDS("admin.option.phrase"))
    @app_commands.choices(category=CATEGORIES)
    async def remove(self, interaction: Interaction, category: str, phrase: Phrase) -> None:
        """Remove a phrase."""
        facts = {"verb": Verb.WORDS_REMOVE, "category": category, "phrase": phrase}
        await guarded(interaction, partial(self._set, interaction, facts))

    async def _set(self, interaction: Interaction, facts: Mapping[str, object]) -> None:
        deed = SetWord.model_validate({**facts, "guild_id": interaction.guild_id or 0})
        await self._clerk.do(interaction, deed)

    @app_commands.command(name="test", description=WORDS("admin.help.words test"))
    @app_commands.describe(text=WORDS("admin.option.text"))
    async def test(self, interaction: Interaction, text: app_commands.Range[str, 1, TEXT_LIMIT]) -> None:
        """See what the lists say; nothing is stored."""
        await guarded(interaction, lambda: self._test(interaction, text))

    async def _test(self, interaction: Interaction, text: str) -> None:
        await defer(interaction)
        await self._clerk.authority.demand(interaction, Verb.WORDS_TEST)
        assert self._moderation is not None  # noqa: S101 - else it is not offered
        found, _ = await self._moderation.explain(interaction.guild_id or 0, text)
        sheet = pages.verdict(found, texts_of(interaction))
        words = pages.within("\n".join(sheet.head))
        await answer(interaction, Letter(card=Card(sheet.title, words, pages.GREY)))

    @app_commands.command(name="list", description=WORDS("admin.help.words list"))
    @app_commands.describe(category=WORDS("admin.option.category"))
    @app_commands.choices(category=CATEGORIES)
    async def list(self, interaction: Interaction, category: str | None = None) -> None:
        """List them."""
        filters = filled(c=category)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.WORDS_LIST, filters))
