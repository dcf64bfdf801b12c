"""Appeals: once, by moderators alone, whatever dies or is pressed twice in between."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from playground.permissions import Permission
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.admins import appoint, ranked
from tests.bot.studio import Studio, labelled, private
from tests.bot.test_moderation_flow import (
    BAD,
    appealed,
    moderated,
    moderator,
    moderators,
    refused,
    verbs,
)
from worker.deeds import Rank

APPEAL = "Appeal to the moderators"


@pytest.fixture
async def person(studio: Studio) -> AsyncIterator[Member]:
    """Somebody whose prompts are refused; bots are the test's to start."""
    moderated(studio)
    async with studio.member() as person:
        yield person


def before_moderators(other: Member) -> list[Message]:
    return [m for kind, m in other.seen if kind == "MESSAGE_CREATE" and "JM::approve" in str(custom_ids(m))]


def told(person: Member) -> list[Message]:
    return [m for m in person.messages.values() if "through, once" in str(m["embeds"])]


async def test_an_appeal_from_before_a_restart_is_decided_after_it(studio: Studio, person: Member) -> None:
    async with studio.running():
        channel = await moderators(studio)
        answer = await refused(person)
    async with moderator(studio, channel) as other:
        async with studio.running():  # the button under the refusal is as old as the bot before
            await person.press(answer, labelled(answer, APPEAL))
            before = await other.until(lambda: other.find("", having="JM::approve"))
            await person.until(lambda: person.find("The moderators have your prompt now"))
        async with studio.running():
            await other.press(before, labelled(before, "Approve"))
            await other.until(lambda: "Approved" in str(other.messages[before["id"]]["embeds"]))
            await person.until(lambda: told(person))
        assert len(before_moderators(other)) == 1
    assert (await verbs(studio)).count("moderation approve") == 1


async def test_pressing_twice_at_once_appeals_once_and_decides_once(studio: Studio, person: Member) -> None:
    async with studio.running():
        channel = await moderators(studio)
        answer = await refused(person)
        async with moderator(studio, channel) as other, studio.member() as twin:
            appeal = labelled(answer, APPEAL)
            await asyncio.gather(person.press(answer, appeal), twin.press(answer, appeal))
            before = await other.until(lambda: other.find("", having="JM::approve"))
            await person.until(lambda: person.find("The moderators have your prompt now"))
            approve = labelled(before, "Approve")
            role = appoint(studio, person.user["id"], Permission.MANAGE_MESSAGES)
            await ranked(studio, role, Rank.MODERATOR)
            person.channel_id = twin.channel_id = channel
            presses = (each.press(before, approve) for each in (other, person, twin))
            await asyncio.gather(*presses, return_exceptions=True)  # Discord may have taken the button away
            await person.until(lambda: told(person))
            await other.until(lambda: "Approved" in str(other.messages[before["id"]]["embeds"]))
            assert len(before_moderators(other)) == 1
        assert len(told(person)) == 1
    assert (await verbs(studio)).count("moderation approve") == 1


async def test_an_appeal_whose_bot_died_before_it_was_posted_is_posted_once_when_asked_again(
    studio: Studio, person: Member
) -> None:
    assert studio.moderation is not None
    async with studio.running():
        channel = await moderators(studio)
        answer = await refused(person)
    refusal_id = labelled(answer, APPEAL).rpartition("::")[2]
    await studio.moderation.records.appeal(refusal_id, int(channel))  # noted, and then it died
    async with moderator(studio, channel) as other, studio.running():
        await person.press(answer, labelled(answer, APPEAL))
        await other.until(lambda: before_moderators(other))
        await person.until(lambda: person.find("The moderators have your prompt now"))
        await person.press(answer, labelled(answer, APPEAL))
        await person.until(lambda: "Already sent" in str(private(person)))
        assert len(before_moderators(other)) == 1


async def test_an_appeal_that_moderators_deleted_can_be_sent_again(studio: Studio, person: Member) -> None:
    async with studio.running():
        channel = await moderators(studio)
        async with moderator(studio, channel) as other:
            before = await appealed(person, other)
            [answer] = [m for m in private(person) if "JM::appeal" in str(custom_ids(m))]
            await other.rest("DELETE", f"/channels/{channel}/messages/{before['id']}")
            await other.until(lambda: before["id"] not in other.messages)
            await person.press(answer, labelled(answer, APPEAL))
            again = await other.until(lambda: other.find("", having="JM::approve"))
            assert again["id"] != before["id"]
            await other.press(again, labelled(again, "Deny"))
            await other.until(lambda: "Denied" in str(other.messages[again["id"]]["embeds"]))


async def test_who_moderates_another_channel_decides_nothing_here(studio: Studio, person: Member) -> None:
    async with studio.running():
        channel = await moderators(studio)
        async with moderator(studio, channel) as other:
            before = await appealed(person, other)
            role = appoint(studio, person.user["id"], Permission.MANAGE_MESSAGES)
            await ranked(studio, role, Rank.ADMIN)
            from bot import payload
            from bot.render import Button

            rows = ((Button(labelled(before, "Approve"), "forged"),),)
            place = studio.bot.get_partial_messageable(int(person.channel_id))
            await place.send("elsewhere", view=payload.view(rows))
            forged = await person.until(lambda: person.find("elsewhere"))
            await person.press(forged, labelled(forged, "forged"))
            await person.until(lambda: "For moderators" in str(private(person)))
            assert custom_ids(other.messages[before["id"]])
    assert "moderation approve" not in await verbs(studio)
    assert BAD in str(before["embeds"])
