"""The coach in Discord: gives its lesson, follows its buttons, and has the better prompt drawn."""

from collections.abc import Callable

import discord

from bot import coaching, payload
from bot.answers import Interaction, privately, texts_for
from bot.facts import Facts
from bot.faults import BotCode, BotError
from bot.orders import Orders
from bot.render import Letter
from parser.coach import answer_in

FILE_ROOM = 65_536  # bytes; the longest prompt has fewer


class Coach:
    """Advises one person at a time, privately."""

    def __init__(self, orders: Orders, facts: Callable[[], Facts]) -> None:
        self._orders = orders
        self._facts = facts

    async def advise(self, interaction: Interaction, prompt: str) -> None:
        """Tell what would make *prompt* better."""
        await privately(interaction, self._lesson(interaction, prompt))

    async def press(self, interaction: Interaction, custom_id: str) -> None:
        """Do what a button of a lesson says, on the prompt in its message.

        Raises:
            BotError: The message holds no prompt any more.
            WorkerError: The order was refused.
        """
        prompt = await _prompt_of(interaction)
        if custom_id == coaching.IMAGINE:
            await self._orders.imagine(interaction, prompt)
            return
        choice = coaching.chosen(custom_id)
        if choice is None:
            raise BotError(BotCode.FOREIGN)
        better = coaching.followed(prompt, choice, self._facts())
        letter = self._lesson(interaction, better)
        await interaction.response.edit_message(**payload.to_edit(letter))

    def _lesson(self, interaction: Interaction, prompt: str) -> Letter:
        language = answer_in(str(interaction.locale.value), prompt)
        return coaching.lesson(prompt, language, self._facts(), texts_for(language.value))


async def _prompt_of(interaction: Interaction) -> str:
    """Return the prompt that the pressed message holds.

    Raises:
        BotError: ``FIX_GONE``: it holds none, or its file can no longer be read.
    """
    message = interaction.message
    footer = "" if message is None or not message.embeds else message.embeds[0].footer.text or ""
    prompt = coaching.prompt_in(footer)
    if prompt is not None:
        return prompt
    kept = [] if message is None else [each for each in message.attachments if each.size <= FILE_ROOM]
    try:
        whole = (await kept[0].read()).decode() if kept else ""
    except (discord.HTTPException, OSError, UnicodeDecodeError):
        raise BotError(BotCode.FIX_GONE) from None
    prompt = coaching.prompt_in(whole)
    if prompt is None:
        raise BotError(BotCode.FIX_GONE)
    return prompt
