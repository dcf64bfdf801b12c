"""People of other servers, other bots, and forged buttons."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot import payload
from bot.commands.admin.window import Page
from bot.render import Button
from playground.models import Facts
from tests.acceptance.member import Member, Message
from tests.bot.admins import pressed, text
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, menu, ordered, private
from worker.api import JobState
from worker.deeds import Verb


@pytest.fixture
def elsewhere(live: Studio) -> Facts:
    """A server that belongs to a stranger, who invited the bot there too."""
    admin, facts = live.playground.admin, live.playground.facts()
    stranger = admin.add_user("stranger")
    guild = admin.add_guild("theirs", owner_id=stranger.id, application_id=facts.application_id)
    channel = live.playground.core.world.channels_of(guild.id)[0]
    changes = {"guild_id": guild.id, "channel_id": channel.id, "user_token": stranger.token}
    return facts.model_copy(update=changes)


@pytest_asyncio.fixture
async def stranger(elsewhere: Facts) -> AsyncIterator[Member]:
    """Its owner there: Discord lets them do everything, in their own server."""
    async with Member(elsewhere.model_dump()) as stranger:
        yield stranger


async def posted(live: Studio, stranger: Member, *custom_ids: str) -> Message:
    """Return a message of our bot's with buttons that it never made, where the stranger is."""
    channel = live.bot.get_partial_messageable(int(stranger.channel_id))
    row = tuple(Button(each, "b") for each in custom_ids)
    sent = await channel.send("forged", view=payload.view((row,)))
    message: Message = await stranger.until(lambda: stranger.messages.get(str(sent.id)))
    return message


async def test_a_moderator_of_another_server_stops_nothing(
    live: Studio, easel: Easel, person: Member, stranger: Member
) -> None:
    _, job = await ordered(person, easel)
    forged = await posted(
        live, stranger, f"MJ::CancelJob::ByJobid::{job.id}", f"JM::delete_for_good::{job.id}"
    )
    for custom_id in (f"MJ::CancelJob::ByJobid::{job.id}", f"JM::delete_for_good::{job.id}"):
        assert "Not yours" in text(await pressed(stranger, forged, custom_id))
    await menu(stranger, "Cancel Job", forged)
    await stranger.until(lambda: sum("Not yours" in str(m["embeds"]) for m in private(stranger)) == 3)
    assert (await live.desk.get(job.id)).state is JobState.RUNNING


async def test_buttons_that_another_bot_posted_name_no_job(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    theirs = live.playground.admin.add_application("copycat")
    token = live.playground.core.world.user(theirs.bot_id).token
    copy = {
        "content": grid["content"],
        "components": [
            {"type": 1, "components": [{"type": 2, "style": 2, "label": "U1", "custom_id": each}]}
            for each in (f"MJ::CancelJob::ByJobid::{job_of(grid)}", f"MJ::JOB::upsample::1::{job_of(grid)}")
        ],
    }
    path = f"{live.facts['api']}/channels/{person.channel_id}/messages"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {token}"}) as session:
        sent = await (await session.post(path, json=copy)).json()
    message = await person.until(lambda: person.messages.get(sent["id"]))
    for name in ("Cancel Job", "DM Results"):
        before = len(private(person))
        await menu(person, name, message)
        await person.until(lambda seen=before: len(private(person)) > seen)
        assert private(person)[-1]["embeds"][0]["title"] == "No job here"


async def test_a_correction_is_its_persons_alone(live: Studio, person: Member, stranger: Member) -> None:
    await person.command("imagine", prompt="my secret plan --sed 5")
    [refused] = await person.until(lambda: private(person))
    fix = refused["components"][0]["components"][0]["custom_id"]
    forged = await posted(live, stranger, fix)
    assert "Not yours" in text(await pressed(stranger, forged, fix))
    assert await live.desk.recent() == []


async def test_the_owner_of_another_server_has_no_say_over_what_all_share(
    live: Studio, easel: Easel, person: Member, stranger: Member
) -> None:
    """Nor do they read the record of other servers, whatever their buttons say."""
    await ordered(person, easel)
    me = int(stranger.user["id"])
    ids = [Page(verb, me).custom_id for verb in (Verb.QUEUE_SHOW, Verb.USER_SHOW, Verb.STATUS)]
    forged = await posted(live, stranger, *ids)
    for custom_id in ids:
        assert "Not from this server" in text(await pressed(stranger, forged, custom_id))


async def test_a_stranger_to_a_job_neither_sees_nor_gets_it(
    live: Studio, easel: Easel, person: Member, stranger: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    await stranger.command("show", job_id=job_of(grid))
    [answer] = await stranger.until(lambda: private(stranger))
    assert answer["embeds"][0]["title"] == "Not yours"
    assert not answer["attachments"]
