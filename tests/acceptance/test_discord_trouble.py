"""Discord failing in its several ways: nothing lost, nothing twice."""

import asyncio

import pytest

from tests.acceptance.member import Member, Message, button, custom_ids
from tests.acceptance.stage import Stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

POSTS = "/channels/*/messages"
SEND_MESSAGES = 1 << 11  # permission bit


def grids(person: Member, *words: str) -> list[Message]:
    """Return every grid that was ever posted with *words*."""
    return [
        message
        for kind, message in person.seen
        if kind == "MESSAGE_CREATE"
        and all(word in message["content"] for word in words)
        and any("reroll" in identity for identity in custom_ids(message))
    ]


async def grid(person: Member, *words: str) -> Message:
    return await person.until(lambda: person.find(*words, having="MJ::JOB::reroll"))


async def test_a_rate_limit_on_the_post_delays_it(person: Member, running: Stage) -> None:
    await running.discord("POST", "/faults", kind="rate_limit", method="POST", route=POSTS, count=2)
    await person.command("imagine", prompt="limited ducks --q .25")
    await grid(person, "limited ducks")
    assert len(grids(person, "limited ducks")) == 1


async def test_a_500_after_the_message_was_stored_shows_it_once(person: Member, running: Stage) -> None:
    await running.discord(
        "POST", "/faults", kind="server_error", method="POST", route=POSTS, after_store=True, count=2
    )
    await person.command("imagine", prompt="stored owls --q .25")
    await grid(person, "stored owls")
    await person.until(lambda: not person.find("stored owls", having="MJ::CancelJob"))
    assert len(grids(person, "stored owls")) == 1
    assert running.rows("SELECT count(*) FROM bot_posts WHERE stage = 'intended'") == [(0,)]


async def test_a_dropped_gateway_loses_no_result_and_no_button(person: Member, running: Stage) -> None:
    nonce = await person.command("imagine", prompt="dropped whales")
    await person.until(lambda: person.answer(nonce))
    await running.discord(
        "POST", "/gateway/drop", user_id=running.facts["bot_user_id"], resumable=False, code=None
    )
    found = await grid(person, "dropped whales")
    assert len(grids(person, "dropped whales")) == 1
    while True:  # the bot is back when Discord can hand it a press; until then a press fails, as at Discord
        before = len(person.seen)
        await person.press(found, button(found, "MJ::JOB::upsample::1"))
        await person.until(
            lambda before=before: [k for k, _ in person.seen[before:] if k.startswith("INTERACTION_")][1:]
        )
        if any(k == "INTERACTION_SUCCESS" for k, _ in person.seen[before:]):
            break
    await person.until(lambda: person.find("Image #1", having="low_variation"))


async def test_a_deleted_progress_message_costs_nothing(person: Member, running: Stage) -> None:
    nonce = await person.command("imagine", prompt="deleted cows --q 2")
    waiting = await person.until(lambda: person.answer(nonce))
    await running.discord("DELETE", f"/messages/{person.channel_id}/{waiting['id']}")
    await grid(person, "deleted cows")
    assert len(grids(person, "deleted cows")) == 1


async def test_a_channel_without_permission_tells_the_person_and_show_brings_the_picture(
    person: Member, running: Stage
) -> None:
    channel = await running.discord("POST", "/channels", name="closed")
    person.channel_id = channel["id"]
    try:
        nonce = await person.command("imagine", prompt="forbidden horses")
        await person.until(lambda: person.answer(nonce))
        await running.discord(
            "POST",
            "/overwrites",
            channel_id=channel["id"],
            target_id=running.facts["bot_user_id"],
            deny=SEND_MESSAGES,
        )
        told = await person.until(
            lambda: next((m for m in person.messages.values() if "/show" in str(m.get("embeds"))), None)
        )
    finally:
        person.channel_id = running.facts["channel_id"]
    assert told["author"]["id"] == running.facts["bot_user_id"]
    ((job,),) = running.rows("SELECT id FROM jobs WHERE request LIKE '%forbidden horses%'")
    await person.command("show", job_id=job)
    await grid(person, "forbidden horses")


async def test_a_double_click_is_one_job(person: Member, running: Stage) -> None:
    await person.command("imagine", prompt="double bees --q .25")
    found = await grid(person, "double bees")
    before = running.rows("SELECT count(*) FROM jobs")[0][0]
    await asyncio.gather(*(person.press(found, button(found, "MJ::JOB::upsample::3")) for _ in range(2)))
    await person.until(lambda: person.find("Image #3", having="low_variation"))
    assert running.rows("SELECT count(*) FROM jobs")[0][0] - before <= 2
