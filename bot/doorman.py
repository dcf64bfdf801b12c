"""Who may order here: asked before every order."""

import discord

from bot import echo
from bot.answers import Interaction, texts_of
from bot.faults import BotCode, BotError
from worker.admin import AdminDesk, Gate


class Doorman:
    """Turns away people whom an admin keeps from ordering, and orders in closed channels."""

    def __init__(self, office: AdminDesk) -> None:
        self._office = office

    async def admit(self, interaction: Interaction) -> None:
        """Let an order pass.

        Raises:
            BotError: ``BLOCKED``, ``TIMED_OUT`` or ``CHANNEL_CLOSED``; each says whom to ask.
            DatabaseBusy: The file did not answer in time.
        """
        gate = await self._office.gate(
            user_id=interaction.user.id,
            guild_id=interaction.guild_id or 0,
            channel_ids=channels_of(interaction),
        )
        contacts = contacts_of(gate, interaction)
        found = gate.restriction
        if found is not None:
            reason = f" {echo.escaped(found.reason)}" if found.reason else ""
            code = BotCode.BLOCKED if found.until is None else BotCode.TIMED_OUT
            raise BotError(code, until=int(found.until or 0), reason=reason, contacts=contacts)
        if not gate.allowed:
            raise BotError(BotCode.CHANNEL_CLOSED, contacts=contacts)


def channels_of(interaction: Interaction) -> tuple[int, ...]:
    """Return the channel; of a thread, that and its parent."""
    channel = interaction.channel
    parents = (channel.parent_id,) if isinstance(channel, discord.Thread) else ()
    return (interaction.channel_id or 0, *parents)


def contacts_of(gate: Gate, interaction: Interaction) -> str:
    """Return whom to ask, for a sentence."""
    texts = texts_of(interaction)
    if not gate.contacts:
        return texts("contacts.nobody")
    return texts("contacts.some", roles=", ".join(f"<@&{role}>" for role in gate.contacts))
