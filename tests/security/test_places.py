"""Where things are shown and done: neither a server's in direct messages, nor adults' among all."""

from bot import payload
from bot.commands.admin.window import Page
from bot.render import Button
from playground.permissions import Permission
from tests.acceptance.member import Member
from tests.bot.admins import pressed, text
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, private
from worker.deeds import Verb


async def test_an_admins_button_does_nothing_in_direct_messages(live: Studio, person: Member) -> None:
    """There nobody has a rank, not even whoever owns every server."""
    direct = live.playground.admin.open_direct(person.user["id"])
    page = Page(Verb.QUEUE_SHOW, int(person.user["id"])).custom_id
    async with Member({**live.facts, "guild_id": None, "channel_id": direct.id}) as alone:  # type: ignore[dict-item]
        channel = live.bot.get_partial_messageable(int(direct.id))
        sent = await channel.send("forged", view=payload.view(((Button(page, "b"),),)))
        forged = await alone.until(lambda: alone.messages.get(str(sent.id)))
        assert "Only in a server" in text(await pressed(alone, forged, page))


async def test_what_was_ordered_among_adults_is_shown_to_its_person_alone_elsewhere(
    live: Studio, easel: Easel, person: Member
) -> None:
    guild = live.facts["guild_id"]
    role = live.playground.admin.add_role(guild, "keepers", int(Permission.MANAGE_CHANNELS))
    live.playground.admin.add_member(guild, person.user["id"], roles=(role.id,))
    await person.rest("PATCH", f"/channels/{person.channel_id}", {"nsfw": True})
    grid = await drawn(easel, person, "a fox")
    await person.rest("PATCH", f"/channels/{person.channel_id}", {"nsfw": False})
    before = set(person.messages)
    await person.command("show", job_id=job_of(grid))
    await person.until(lambda: [m for m in private(person) if "**Seed**" in m["content"]])
    shown = [m for i, m in person.messages.items() if i not in before]
    assert [m for m in shown if m["attachments"]]
    assert all(m in private(person) for m in shown)
