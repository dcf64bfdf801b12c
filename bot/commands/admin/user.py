"""`/admin user …`."""

from discord import app_commands

from bot.answers import Interaction, guarded, texts_of
from bot.commands.admin import pages
from bot.commands.admin.clerk import Clerk, actor_of, answer, defer
from bot.commands.admin.options import RESTRICTIONS, WORDS, Person, filled, seconds_of
from bot.outlet import FAILURES, Outlet, Trouble, trouble
from worker.admin import AdminDesk
from worker.deeds import LETTER_LIMIT, REASON_LIMIT, Block, Contact, Timeout, Unblock, Verb

Reason = app_commands.Range[str, 1, REASON_LIMIT]


class UserGroup(app_commands.Group):
    """Deals with people."""

    def __init__(self, clerk: Clerk, *, office: AdminDesk, outlet: Outlet) -> None:
        super().__init__(name="user", description=WORDS("admin.help.user"))
        self._clerk = clerk
        self._office = office
        self._outlet = outlet

    @app_commands.command(name="show", description=WORDS("admin.help.user show"))
    @app_commands.describe(person=WORDS("admin.option.person"), kind=WORDS("admin.option.kind"))
    @app_commands.choices(kind=RESTRICTIONS)
    async def show(
        self, interaction: Interaction, person: Person | None = None, kind: str | None = None
    ) -> None:
        """Show one person, or all who may not order."""
        filters = filled(p=None if person is None else person.id, k=kind)
        await guarded(interaction, lambda: self._clerk.show(interaction, Verb.USER_SHOW, filters))

    @app_commands.command(name="block", description=WORDS("admin.help.user block"))
    @app_commands.describe(person=WORDS("admin.option.person"), reason=WORDS("admin.option.reason"))
    async def block(self, interaction: Interaction, person: Person, reason: Reason = "") -> None:
        """Keep a person from ordering until further notice."""
        deed = Block(user_id=person.id, reason=reason)
        await guarded(interaction, lambda: self._clerk.do(interaction, deed, judged=person))

    @app_commands.command(name="unblock", description=WORDS("admin.help.user unblock"))
    @app_commands.describe(person=WORDS("admin.option.person"))
    async def unblock(self, interaction: Interaction, person: Person) -> None:
        """Let a person order again."""
        await guarded(interaction, lambda: self._clerk.do(interaction, Unblock(user_id=person.id)))

    @app_commands.command(name="timeout", description=WORDS("admin.help.user timeout"))
    @app_commands.describe(
        person=WORDS("admin.option.person"),
        length=WORDS("admin.option.length"),
        reason=WORDS("admin.option.reason"),
    )
    async def timeout(
        self, interaction: Interaction, person: Person, length: str, reason: Reason = ""
    ) -> None:
        """Keep a person from ordering for a while."""

        async def work() -> None:
            deed = Timeout(user_id=person.id, seconds=seconds_of(length), reason=reason)
            await self._clerk.do(interaction, deed, judged=person)

        await guarded(interaction, work)

    @app_commands.command(name="contact", description=WORDS("admin.help.user contact"))
    @app_commands.describe(person=WORDS("admin.option.person"), text=WORDS("admin.option.text"))
    async def contact(
        self, interaction: Interaction, person: Person, text: app_commands.Range[str, 1, LETTER_LIMIT]
    ) -> None:
        """Write to a person."""
        await guarded(interaction, lambda: self._contact(interaction, person, text))

    async def _contact(self, interaction: Interaction, person: Person, text: str) -> None:
        """Note it, then send it: nothing goes out that is not on the record."""
        await defer(interaction)
        await self._clerk.authority.demand(interaction, Verb.USER_CONTACT)
        texts = texts_of(interaction)
        await self._office.do(Contact(user_id=person.id, characters=len(text)), actor_of(interaction))
        server = None if interaction.guild is None else interaction.guild.name
        letter = pages.to_person(server or texts("admin.contact.bot"), text, texts)
        try:
            await self._outlet.direct(person.id, letter)
        except FAILURES as error:
            if trouble(error) is not Trouble.FORBIDDEN:
                raise
            await answer(interaction, pages.said(texts("admin.contact.closed"), texts))
            return
        await answer(interaction, pages.said(texts("admin.done.user contact"), texts))
