"""`/admin` where something is away: the database locked, the log channel deleted."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager

import pytest_asyncio

from playground.permissions import Permission
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.admins import admin, appoint, pressed, text
from tests.bot.studio import Studio, labelled
from worker.admin import Actor, QueueMode
from worker.deeds import SetMode, Verb

BOSS = Actor(name="cli:ada")


@pytest_asyncio.fixture
async def boss(live: Studio, person: Member) -> AsyncIterator[Member]:
    """A server's owner; the bot waits a fifth of a second for the database."""
    appoint(live, person.user["id"], Permission.ADMINISTRATOR)
    await live.database.write(lambda db: db.execute("PRAGMA busy_timeout = 200").fetchone()[0])
    yield person


@contextmanager
def locked(studio: Studio) -> Iterator[None]:
    """Hold the database's write lock, as a backup or another process might."""
    with closing(sqlite3.connect(studio.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def record(studio: Studio) -> list[str]:
    entries, _ = await studio.office.audit(None)
    return [str(entry.verb) for entry in reversed(entries)]


async def test_a_locked_database_is_told_kindly_changes_nothing_and_still_shows(
    live: Studio, boss: Member
) -> None:
    with locked(live):
        answer = await admin(boss, "queue pause")
        assert answer["embeds"][0]["title"] == "Busy"
        assert "Nothing was changed" in text(answer)
        assert "The queue is open" in text(await admin(boss, "queue show"))
        assert "No worker" not in text(await admin(boss, "role list"))
    assert (await live.office.queue()).mode is QueueMode.OPEN
    assert await record(live) == []
    assert "The queue is paused" in text(await admin(boss, "queue pause"))
    assert await record(live) == ["queue pause"]


async def test_a_question_answered_while_the_database_is_locked_can_be_answered_again(
    live: Studio, boss: Member
) -> None:
    question = await admin(boss, "queue clear")
    yes = labelled(question, "Yes")
    with locked(live):
        assert "Nothing was changed" in text(await pressed(boss, question, yes))
    assert yes in custom_ids(boss.messages[question["id"]])
    assert "It was so before" in text(await pressed(boss, question, yes))
    with locked(live):
        assert "Nothing was changed" in text(await admin(boss, "queue clear"))


async def test_nobody_is_written_to_whose_letter_could_not_be_recorded(live: Studio, boss: Member) -> None:
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        with locked(live):
            answer = await admin(boss, "user contact", person=friend.id, text="Please be kind.")
            assert "Nothing was changed" in text(answer)
        assert "Sent them" in text(await admin(boss, "user contact", person=friend.id, text="Hello."))
        await other.until(lambda: letters(other))
        assert [each["embeds"][0]["description"] for each in letters(other)] == ["Hello."]
    assert await record(live) == ["user contact"]


def letters(person: Member) -> list[Message]:
    return [m for m in person.messages.values() if "those who run" in m["content"]]


async def test_a_deleted_log_channel_is_replaced_and_what_it_missed_is_posted_at_once(
    live: Studio, boss: Member
) -> None:
    log = live.playground.admin.add_channel("log")
    await admin(boss, "channel log", channel=log.id)
    await boss.until(lambda: posted(boss, log.id))
    live.playground.admin.delete_channel(log.id)
    await live.office.do(SetMode(verb=Verb.QUEUE_PAUSE), BOSS)
    async with asyncio.timeout(10):
        while not live.bot._messengers[0]._refused:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    live.skew = -3600  # the pause after a refusal lasts: only what is new can be tried
    assert "**Not posted there yet: 1.**" in text(await admin(boss, "channel list"))
    other = live.playground.admin.add_channel("other-log")
    await admin(boss, "channel log", channel=other.id)
    await boss.until(lambda: posted(boss, other.id))
    words = "".join(posted(boss, other.id))
    assert words.count("**queue pause**") == 1
    async with asyncio.timeout(10):
        while "Not posted" in text(await admin(boss, "channel list")):  # noqa: ASYNC110 - noted after it
            await asyncio.sleep(0.01)


def posted(person: Member, channel_id: str) -> list[str]:
    return [text(m) for m in person.messages.values() if m["channel_id"] == channel_id and m["embeds"]]
