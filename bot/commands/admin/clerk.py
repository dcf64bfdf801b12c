"""Does what admins ask for: looks at their rank, asks where something is destroyed, answers privately.

Nothing a button carries is believed: whose it is, their rank, and what a deed touches are looked at again.
"""

from collections.abc import Mapping

import discord
import structlog

from bot import answers, errors, payload
from bot.answers import Interaction, texts_of, told
from bot.authority import Authority
from bot.commands.admin import pages
from bot.commands.admin.reader import Reader
from bot.commands.admin.window import Answer, Page, Reply, read
from bot.faults import BotCode, BotError
from bot.render import Letter
from worker.admin import Actor, AdminCode, AdminDesk, AdminError, Done
from worker.deeds import CONFIRMED, Deed, Grant, Timeout, Verb

log = structlog.get_logger()


class Clerk:
    """Serves admins."""

    def __init__(self, office: AdminDesk, authority: Authority) -> None:
        self._office = office
        self.authority = authority
        self._reader = Reader(office)

    # -- commands ----------------------------------------------------------------------------------------

    async def do(
        self, interaction: Interaction, deed: Deed, *, judged: discord.abc.User | None = None
    ) -> None:
        """Do *deed*, or ask first; *judged* is the person it is about.

        Raises:
            BotError: It is not theirs to do.
            AdminError: It was not done.
        """
        await defer(interaction)
        await self.authority.demand(interaction, deed.verb, deed=deed, judged=judged)
        if isinstance(deed, CONFIRMED):
            pending = await self._office.propose(
                deed, user_id=interaction.user.id, guild_id=interaction.guild_id or 0
            )
            await answer(interaction, pages.question(pending, texts_of(interaction)))
            return
        done = await self._office.do(deed, actor_of(interaction))
        await answer(interaction, self._told(interaction, deed, done))

    async def show(
        self, interaction: Interaction, verb: Verb, filters: Mapping[str, str] | None = None
    ) -> None:
        """Show the first page of a list.

        Raises:
            BotError: It is not theirs to see.
        """
        await defer(interaction)
        await self._turn(interaction, Page(verb, interaction.user.id, 0, filters or {}))

    # -- buttons -----------------------------------------------------------------------------------------

    async def press(self, interaction: Interaction, custom_id: str) -> None:
        """Turn a page, or hear the answer to a question.

        Raises:
            BotError: Somebody else's, not theirs to do, or no longer understood.
            AdminError: It was not done.
        """
        pressed = read(custom_id)
        if pressed is None:
            raise BotError(BotCode.FOREIGN)
        if pressed.user_id != interaction.user.id:
            raise BotError(BotCode.OTHERS_BUTTON)
        await answers.defer(interaction)
        if isinstance(pressed, Page):
            await self._turn(interaction, pressed)
        else:
            await self._settle(interaction, pressed)

    async def _turn(self, interaction: Interaction, page: Page) -> None:
        await self.authority.demand(interaction, page.verb)
        texts = texts_of(interaction)
        home = self.authority.at_home(interaction)
        sheet = await self._reader.sheet(page, guild_id=interaction.guild_id or 0, home=home, texts=texts)
        last = max(0, -(-sheet.total // pages.LINES) - 1)
        if page.number > last:  # the list became shorter
            page = page.turned(last)
            sheet = await self._reader.sheet(page, guild_id=interaction.guild_id or 0, home=home, texts=texts)
        await answer(interaction, pages.letter(sheet, page, texts))

    async def _settle(self, interaction: Interaction, pressed: Answer) -> None:
        """Do what was asked about, ask again if it would touch something else by now, or let it be."""
        texts = texts_of(interaction)
        try:
            pending = await self._office.pending(pressed.pending)
            if (pending.user_id, pending.guild_id) != (interaction.user.id, interaction.guild_id):
                raise BotError(BotCode.OTHERS_BUTTON)
            if pressed.reply is Reply.NO:
                await self._office.withdraw(pending.id)
                await answer(interaction, pages.said(texts("admin.kept"), texts))
                return
            await self.authority.demand(interaction, pending.deed.verb, deed=pending.deed)
            done = await self._office.do(pending.deed, actor_of(interaction), pending=pending)
        except AdminError as error:
            if error.code is AdminCode.TOUCHES_CHANGED:
                fresh = await self._office.propose(
                    pending.deed, user_id=pending.user_id, guild_id=pending.guild_id
                )
                await answer(interaction, pages.question(fresh, texts, changed=True))
                return
            await answer(interaction, pages.refusal(*errors.words(error, texts)))
            return
        await answer(interaction, self._told(interaction, pending.deed, done))

    # -- answers -----------------------------------------------------------------------------------------

    @staticmethod
    def _told(interaction: Interaction, deed: Deed, done: Done) -> Letter:
        texts = texts_of(interaction)
        if done.entry is None:
            return pages.said(texts("admin.same"), texts)
        log.info("admin", action="admin", verb=deed.verb, entry=done.entry.id, user_id=interaction.user.id)
        facts: dict[str, object] = {
            "touched": done.touched,
            "job_id": "" if done.job is None else done.job.id,
        }
        if isinstance(deed, Timeout):
            facts["until"] = int(float(str(done.entry.after["until"])))
        if isinstance(deed, Grant):
            facts["granted"] = f"{float(str(done.entry.after['granted'])):g}"
        return pages.said(texts(f"admin.done.{deed.verb}", **facts), texts)


async def defer(interaction: Interaction) -> None:
    """Say privately that an answer comes: looking at disks and databases may take more than Discord waits."""
    await answers.defer(interaction, thinking=True, private=True)


async def answer(interaction: Interaction, letter: Letter) -> None:
    """Replace the private answer, or the message whose button was pressed."""
    with told():
        await interaction.edit_original_response(**payload.to_edit(letter))


def actor_of(interaction: Interaction) -> Actor:
    """Return who does it, and where, for the record."""
    return Actor(
        name=f"discord:{interaction.user.id}",
        guild_id=interaction.guild_id or 0,
        channel_id=interaction.channel_id or 0,
    )
