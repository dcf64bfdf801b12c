"""What people say once for all their prompts: it is taken down, and acts at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot import echo, errors, payload
from bot.answers import Interaction, defer, membership_of, privately, texts_of
from bot.facts import Facts
from bot.faults import BotCode, BotError
from bot.outlet import FAILURES, Outlet, Trouble, trouble
from bot.panel import Offer, chosen, panel
from bot.people import People
from bot.preferences import OPTIONS_LIMIT, checked_name, checked_suffix, checked_value
from bot.render import Card, Letter
from bot.texts import Texts
from parser import PromptErrors, Speed
from worker.api import JobDesk

BLUE = 0x5865F2
LINE = 180  # characters of an own option's value in the list: twenty of them fit


class Prefer:
    """Takes it down."""

    def __init__(self, people: People, *, desk: JobDesk, outlet: Outlet, facts: Callable[[], Facts]) -> None:
        self._people = people
        self._facts = facts
        self._desk = desk
        self._outlet = outlet

    async def settings(self, interaction: Interaction) -> None:
        """Show the panel."""
        offer = await self._offer(interaction)
        preferences = await self._people.preferences(interaction.user.id)
        await privately(interaction, panel(preferences, offer, texts_of(interaction)))

    async def press(self, interaction: Interaction, custom_id: str) -> None:
        """Do what a button of the panel says, for whoever pressed it.

        Raises:
            BotError: ``FOREIGN``: it is no longer on the panel.
            WorkerError: The database was busy; nothing changed.
        """
        offer = await self._offer(interaction)
        said = chosen(custom_id, offer, _choice(interaction))
        if said is None:
            raise BotError(BotCode.FOREIGN)
        owner_id = interaction.user.id
        preferences = await (self._people.prefer(owner_id, **said) if said else self._people.reset(owner_id))
        letter = panel(preferences, offer, texts_of(interaction))
        await interaction.response.edit_message(**payload.to_edit(letter))

    async def mode(self, interaction: Interaction, speed: Speed) -> None:
        """Let the person's jobs wait in the lane *speed*.

        Raises:
            BotError: ``TURBO_CLOSED``.
        """
        if speed is Speed.TURBO and not (await self._offer(interaction)).turbo:
            raise BotError(BotCode.TURBO_CLOSED)
        await self._people.prefer(interaction.user.id, speed=speed)
        await privately(interaction, Letter(texts_of(interaction)(f"mode.now.{speed}")))

    async def suffix(self, interaction: Interaction, typed: str) -> None:
        """Append *typed* to all prompts of the person; nothing if it is empty.

        Raises:
            BotError: It is no suffix.
        """
        texts = texts_of(interaction)
        try:
            suffix = checked_suffix(typed)
        except PromptErrors as error:
            await privately(interaction, errors.refused_prompt(error, typed, texts, command="prefer suffix"))
            return
        before = await self._people.preferences(interaction.user.id)
        await self._people.prefer(interaction.user.id, suffix=suffix)
        if suffix:
            said = texts("prefer.suffix.set", suffix=echo.unticked(suffix))
        else:
            said = texts("prefer.suffix.removed" if before.suffix else "prefer.suffix.none")
        await privately(interaction, Letter(said))

    async def define(self, interaction: Interaction, option: str, typed: str) -> None:
        """Let an own option stand for *typed*; an empty one takes it away.

        Raises:
            BotError: The name will not do, or there are too many.
        """
        texts = texts_of(interaction)
        name = checked_name(option)
        try:
            value = checked_value(typed)
        except PromptErrors as error:
            await privately(
                interaction, errors.refused_prompt(error, typed, texts, command=f"prefer option set {name}")
            )
            return
        if not await self._people.define(interaction.user.id, name, value):
            raise BotError(BotCode.OPTIONS_FULL, limit=OPTIONS_LIMIT)
        if value:
            said = texts("prefer.option.set", name=name, value=echo.unticked(value))
        else:
            said = texts("prefer.option.gone", name=name)
        await privately(interaction, Letter(said))

    async def options(self, interaction: Interaction) -> None:
        """List the person's own options."""
        texts = texts_of(interaction)
        options = (await self._people.preferences(interaction.user.id)).options
        lines = [_line(name, value, texts) for name, value in options.items()]
        words = "\n".join(lines) or texts("prefer.option.none")
        await privately(interaction, Letter(card=Card(texts("prefer.option.title"), words, BLUE)))

    async def names(self, owner_id: int) -> Sequence[str]:
        """Return the names of a person's own options."""
        return list((await self._people.preferences(owner_id)).options)

    async def auto_dm(self, interaction: Interaction) -> None:
        """Toggle whether results come directly too; a first message shows that they can.

        Raises:
            BotError: ``DM_CLOSED``: direct messages are closed to the bot, so it stays off.
        """
        owner_id, texts = interaction.user.id, texts_of(interaction)
        await defer(interaction, thinking=True, private=True)
        on = not (await self._people.preferences(owner_id)).auto_dm
        if on:
            try:
                await self._outlet.direct(owner_id, Letter(texts("prefer.auto_dm.hello")))
            except FAILURES as error:
                if trouble(error) is Trouble.FORBIDDEN:
                    raise BotError(BotCode.DM_CLOSED) from error
                raise
        await self._people.prefer(owner_id, auto_dm=on)
        await privately(interaction, Letter(texts("prefer.auto_dm.on" if on else "prefer.auto_dm.off")))

    async def _offer(self, interaction: Interaction) -> Offer:
        account = await self._desk.account(interaction.user.id, membership_of(interaction))
        return Offer(self._facts().closed, account.turbo)


def _choice(interaction: Interaction) -> str:
    """Return what was chosen in a menu; empty for a button."""
    data: Mapping[str, Any] = {**(interaction.data or {})}
    return str((data.get("values") or [""])[0])


def _line(name: str, value: str, texts: Texts) -> str:
    return texts("prefer.option.line", name=name, value=echo.cut(echo.unticked(value), LINE))
