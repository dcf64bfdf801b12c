"""What admins write on the command line reaches people once, through the bot; the record tells it."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from playground.faults import Fault, FaultKind
from tests.acceptance.member import Member, Message
from tests.bot.studio import Studio
from worker.admin import Actor
from worker.deeds import Fate, Write

TEXT = "Please be kind."
MESSAGES = "/channels/*/messages"
WEEK = 7 * 86400.0


@pytest_asyncio.fixture
async def friend(studio: Studio) -> AsyncIterator[Member]:
    token = studio.playground.admin.add_user("friend").token
    async with studio.member(token) as friend:
        yield friend


async def write(studio: Studio, friend: Member, *, guild: int | None = None) -> None:
    actor = Actor(name="cli:ada", guild_id=int(studio.facts["guild_id"]) if guild is None else guild)
    await studio.office.do(Write(user_id=int(friend.user["id"]), text=TEXT), actor)


async def outcome(studio: Studio) -> str:
    """Wait until no letter is left, and return what the record says of the last."""
    async with asyncio.timeout(20):
        while await studio.office.letters(limit=1):  # noqa: ASYNC110 - the postman tells nobody
            await asyncio.sleep(0.01)
    [(settled, *_), _] = await studio.office.audit(None)
    assert settled.actor == "bot"
    return str(settled.after["letter"])


def letters(person: Member) -> list[Message]:
    found = (m for m in person.messages.values() if m["embeds"])
    return [m for m in found if m["embeds"][0].get("description") == TEXT]


async def test_a_letter_waits_for_the_bot_and_comes_in_the_servers_name(
    studio: Studio, friend: Member
) -> None:
    await write(studio, friend)
    async with studio.running():
        assert await outcome(studio) == Fate.SENT
        [letter] = await friend.until(lambda: letters(friend))
    name = letter["embeds"][0]["title"]
    assert f"those who run {name}" in letter["content"]
    entries, _ = await studio.office.audit(None, person=int(friend.user["id"]))
    assert [dict(each.after) for each in entries] == [{"letter": "sent"}, {"characters": 15, "letter": 1}]


async def test_a_letter_in_no_servers_name_is_the_bots(live: Studio, friend: Member) -> None:
    await write(live, friend, guild=0)
    [letter] = await friend.until(lambda: letters(friend))
    assert "those who run this bot" in letter["content"]


async def test_what_nobody_takes_is_said_in_the_record(live: Studio, friend: Member) -> None:
    live.playground.admin.close_direct_messages(friend.user["id"])
    await write(live, friend)
    assert await outcome(live) == Fate.CLOSED
    await live.office.do(Write(user_id=4711, text=TEXT), Actor(name="cli:ada"))
    assert await outcome(live) == Fate.REFUSED


async def test_a_bot_that_ends_while_it_sends_does_not_send_again(studio: Studio, friend: Member) -> None:
    slow = Fault(kind=FaultKind.DELAY, method="POST", route=MESSAGES, seconds=30, after_store=True)
    studio.playground.faults.add(slow)
    await write(studio, friend)
    async with studio.running():
        await friend.until(lambda: letters(friend))
    assert len(await studio.office.letters(limit=9)) == 1
    studio.playground.faults.clear()
    studio.playground.clock.advance(3600)  # the nonce proves nothing any more
    async with studio.running():
        assert await outcome(studio) == Fate.SENT
    assert len(letters(friend)) == 1


async def test_a_letter_goes_out_when_discord_is_back_and_is_given_up_after_a_week(
    live: Studio, friend: Member
) -> None:
    away = Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=MESSAGES, count=None, status=501)
    live.playground.faults.add(away)
    await write(live, friend)
    async with asyncio.timeout(20):
        while not live.bot._messengers[1]._not_before:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    live.playground.faults.clear()
    assert await outcome(live) == Fate.SENT
    live.playground.faults.add(away)
    await write(live, friend)
    live.skew = WEEK + 60
    assert await outcome(live) == Fate.LATE


async def test_who_asks_to_be_forgotten_is_not_written_to(studio: Studio, friend: Member) -> None:
    await write(studio, friend)
    await studio.confidant.forget(int(friend.user["id"]))
    assert await studio.office.letters(limit=1) == []
