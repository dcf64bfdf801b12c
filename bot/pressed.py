"""Used buttons turn blue."""

from collections import OrderedDict

import discord

from bot.answers import Interaction

REMEMBERED = 1000  # messages whose presses may still be on their way to Discord


class PressedButtons:
    """Which buttons were pressed lately: two presses at once must not undo each other's blue."""

    def __init__(self) -> None:
        self._pressed: OrderedDict[int, set[str]] = OrderedDict()

    async def answer(self, interaction: Interaction) -> None:
        """Answer a press with the message as it was, its button blue."""
        view = self._marked(interaction)
        if interaction.response.is_done():
            await interaction.edit_original_response(view=view, allowed_mentions=_mentioned(interaction))
        else:
            await interaction.response.edit_message(view=view, allowed_mentions=_mentioned(interaction))

    async def edit(self, interaction: Interaction) -> None:
        """Turn the button blue after the press was answered otherwise."""
        if interaction.message is not None:
            view = self._marked(interaction)
            await interaction.message.edit(view=view, allowed_mentions=_mentioned(interaction))

    def _marked(self, interaction: Interaction) -> discord.ui.View:
        message = interaction.message
        assert message is not None  # noqa: S101 - a component has one
        assert interaction.data is not None  # noqa: S101 - likewise
        pressed = self._pressed.setdefault(message.id, set())
        self._pressed.move_to_end(message.id)
        pressed.add(str(interaction.data.get("custom_id")))
        while len(self._pressed) > REMEMBERED:
            self._pressed.popitem(last=False)
        view = discord.ui.View.from_message(message, timeout=None)
        for item in view.children:
            if isinstance(item, discord.ui.Button) and item.custom_id in pressed:
                item.style = discord.ButtonStyle.primary
        view.stop()
        return view


def _mentioned(interaction: Interaction) -> discord.AllowedMentions:
    """Return what keeps the message's mentions: an edit computes them anew, and pings nobody."""
    message = interaction.message
    return discord.AllowedMentions(users=[] if message is None else message.mentions)
