"""What is deleted leaves no message behind, and what was not meant stays."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from bot.policy import Caller
from playground.faults import Fault, FaultKind
from tests.acceptance.member import Member, Message
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, grids, job_of, labelled, menu, ordered, private, settled
from worker.api import JobNotFound, JobState


async def react(person: Member, message: Message, emoji: str) -> None:
    path = f"/channels/{message['channel_id']}/messages/{message['id']}/reactions/{quote(emoji)}/@me"
    await person.rest("PUT", path)


async def copied(person: Member, message: Message) -> Message:
    """Post a result once more and return the copy."""
    before = set(person.messages)
    await person.command("show", job_id=job_of(message))

    def new(words: str) -> Message | None:
        return next((m for i, m in person.messages.items() if i not in before and words in str(m)), None)

    await person.until(lambda: new("**Seed**"))  # by then the copy is noted
    found = new("reroll")
    assert found is not None
    return found


async def test_a_cross_on_a_progress_message_never_deletes_pictures_that_came_first(
    live: Studio, easel: Easel, person: Member
) -> None:
    waiting, job = await ordered(person, easel)
    slow = Fault(kind=FaultKind.DELAY, method="DELETE", route="/channels/*/messages/*", seconds=1.0)
    live.playground.faults.add(slow)
    await easel.finish(job)
    await person.until(lambda: grids(person))
    await react(person, waiting, "❌")
    told = await person.until(
        lambda: next((m for m in person.messages.values() if "Already finished" in str(m["embeds"])), None)
    )
    assert told["channel_id"] != waiting["channel_id"]
    assert (await live.desk.get(job.id)).state is JobState.SUCCEEDED


async def test_a_cross_on_one_message_of_a_job_removes_all_of_them(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    copy, second = await copied(person, grid), await copied(person, grid)
    await react(person, copy, "❌")
    await person.until(lambda: not {grid["id"], copy["id"], second["id"]} & set(person.messages))
    with pytest.raises(JobNotFound):
        await live.desk.get(job_of(grid))


async def test_a_cross_on_a_failure_message_removes_it(live: Studio, easel: Easel, person: Member) -> None:
    waiting, job = await ordered(person, easel)
    await easel.fail(job)
    await settled(live)
    await react(person, waiting, "❌")
    await person.until(lambda: waiting["id"] not in person.messages)
    assert await live.desk.recent() == []


async def test_strangers_who_react_are_not_written_to(live: Studio, easel: Easel, person: Member) -> None:
    grid = await drawn(easel, person, "a fox --seed 42")
    waiting, _ = await ordered(person, easel, "a hen")
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        for message in (grid, waiting):
            await react(other, message, "❌")
            await react(other, message, "✉️")
    await react(person, grid, "✉️")
    await person.until(lambda: person.find("**seed** 42"))
    opened = [each for each in live.playground.journal if each.route == "/users/@me/channels"]
    assert len(opened) == 1
    assert len(await live.desk.recent()) == 2


async def test_a_job_deleted_while_its_result_is_posted_leaves_no_message(
    live: Studio, easel: Easel, person: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()
    posted = live.settings.posted

    async def slow(*args: Any) -> bool:
        reached.set()
        await gate.wait()
        return await posted(*args)

    waiting, job = await ordered(person, easel)
    monkeypatch.setattr(live.settings, "posted", slow)
    await easel.finish(job)
    await reached.wait()
    await live.bot._buttons._job_actions.delete(Caller(job.owner_id), job.id)
    gate.set()
    await person.until(lambda: grids(person) and grids(person)[0]["id"] not in person.messages)
    assert waiting["id"] not in person.messages
    await settled(live)


async def test_a_job_deleted_before_its_result_is_posted_shows_nothing(
    live: Studio, easel: Easel, person: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()
    picture = live.desk.picture

    async def slow(name: str) -> bytes:
        reached.set()
        await gate.wait()
        return await picture(name)

    waiting, job = await ordered(person, easel)
    monkeypatch.setattr(live.desk, "picture", slow)
    await easel.finish(job)
    await reached.wait()
    await live.bot._buttons._job_actions.delete(Caller(job.owner_id), job.id)
    gate.set()
    await person.until(lambda: waiting["id"] not in person.messages)
    await settled(live)
    assert not [message for message in person.messages.values() if message["channel_id"] == person.channel_id]


@pytest.fixture
def slow(live: Studio, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """A queue that cancels and deletes only once the event is set."""
    gate = asyncio.Event()
    for name in ("cancel", "delete"):
        real = getattr(live.desk, name)

        async def method(*args: Any, real: Any = real) -> Any:
            await gate.wait()
            return await real(*args)

        monkeypatch.setattr(live.desk, name, method)
    return gate


def acknowledged(live: Studio) -> int:
    return sum(each.route.endswith("/callback") for each in live.playground.journal)


@pytest.mark.parametrize("way", ["button", "menu"])
async def test_a_cancel_is_acknowledged_before_it_is_done(
    live: Studio, easel: Easel, person: Member, slow: asyncio.Event, way: str
) -> None:
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    before = acknowledged(live)
    if way == "button":
        await person.press(waiting, labelled(waiting, "Cancel Job"))
    else:
        await menu(person, "Cancel Job", waiting)
    await person.until(lambda: acknowledged(live) > before or None)
    slow.set()
    await person.until(lambda: person.find("(Stopped)"))


async def test_a_deletion_is_acknowledged_before_it_is_done(
    live: Studio, easel: Easel, person: Member, slow: asyncio.Event
) -> None:
    grid = await drawn(easel, person, "a fox")
    await copied(person, grid)
    await person.until(lambda: private(person))
    [details] = private(person)
    await person.press(details, labelled(details, "Delete"))
    sure = await person.until(lambda: person.find("for good?"))
    before = acknowledged(live)
    await person.press(sure, labelled(sure, "Delete for good"))
    await person.until(lambda: acknowledged(live) > before or None)
    slow.set()
    await person.until(lambda: person.find("Deleted."))
    await person.until(lambda: not [m for m in person.messages.values() if m["attachments"]])
