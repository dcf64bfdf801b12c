"""Every list of `/admin`: in pages of ten whose buttons lead on, and narrowed as was asked."""

import re
from typing import Any

import pytest

from bot.commands.admin.machine import status
from bot.commands.admin.pages import ChannelKind, letter, roles
from bot.commands.admin.record import entry
from bot.commands.admin.window import Page
from bot.texts import Texts
from playground.permissions import Permission
from tests.acceptance.member import Member
from tests.bot.admins import admin, appoint, pressed, text
from tests.bot.studio import Studio, labelled
from worker.accounts import Allowance, Whose
from worker.admin import Actor, ChannelRule, Disk, Entry, Powers, QueueMode, QueueView, Status, WorkerLine
from worker.api import Category
from worker.deeds import (
    Block,
    Deed,
    Rank,
    SetChannel,
    SetNsfw,
    SetQuota,
    SetRole,
    SetWord,
    Timeout,
    Verb,
)

TWELVE = range(101, 113)


def deeds(guild: int, number: int) -> list[Deed]:
    """One of everything that can be listed."""
    return [
        Timeout(user_id=number, seconds=3600),
        SetQuota(whose=Whose.ROLE, subject=number, allowance=Allowance(day=5)),
        SetRole(guild_id=guild, rank=Rank.MODERATOR, role_id=number),
        SetChannel(verb=Verb.CHANNEL_DENY, guild_id=guild, channel_id=number),
        SetWord(verb=Verb.WORDS_ADD, guild_id=guild, category=Category.HATE, phrase=f"word {number}"),
    ]


def others(guild: int, user_id: int) -> list[Deed]:
    return [
        Block(user_id=user_id),
        SetQuota(whose=Whose.PERSON, subject=user_id, allowance=Allowance(day=7)),
        SetRole(guild_id=guild, rank=Rank.ADMIN, role_id=201),
        SetChannel(verb=Verb.CHANNEL_ALLOW, guild_id=guild, channel_id=201),
        SetNsfw(guild_id=guild, channel_id=201, nsfw=True),
        SetWord(verb=Verb.WORDS_ADD, guild_id=guild, category=Category.HEALTH, phrase="word 201"),
    ]


FILTERS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("user show", {"kind": "block"}, "<@{user}> · **Blocked**"),
    ("quota show", {"kind": "person"}, "<@{user}>: day 7"),
    ("role list", {"rank": "admin"}, "<@&201>: **admin**"),
    ("channel list", {"kind": "open"}, "<#201>: open"),
    ("channel list", {"kind": "adult"}, "<#201>: open, adult"),
    ("words list", {"category": "health"}, "health: `word 201`"),
    ("audit", {"verbs": "user", "person": "{user}"}, "**user block** · <@{user}>"),
)


async def test_lists_are_cut_into_pages_that_can_be_turned_and_are_narrowed(
    live: Studio, person: Member
) -> None:
    appoint(live, person.user["id"], Permission.ADMINISTRATOR)
    guild, user = int(live.facts["guild_id"]), live.playground.admin.add_user("friend").id
    for deed in [deed for number in TWELVE for deed in deeds(guild, number)] + others(guild, int(user)):
        await live.office.do(deed, Actor(name="cli:ada", guild_id=guild))
    for path in ("user show", "quota show", "role list", "channel list", "words list", "audit"):
        first = await admin(person, path)
        assert "Page 1 of " in text(first), path
        second = await pressed(person, first, labelled(first, "Next"))
        assert "Page 2 of " in text(second), path
        assert lines_of(second) != lines_of(first)
        assert labelled(second, "Back")
    for path, typed, wanted in FILTERS:
        options = {name: value.format(user=user) for name, value in typed.items()}
        narrowed = text(await admin(person, path, **options))
        assert wanted.format(user=user) in narrowed
        assert "1 in all" in narrowed, path


def lines_of(message: dict[str, Any]) -> str:
    [embed] = message["embeds"]
    return str(embed["description"])


def worker(number: int) -> WorkerLine:
    return WorkerLine(
        name=f"w{number}", device="cpu", model="tiny", started_at=0, seen_at=0, jobs=1, pictures=4, passes=9,
        batch=4.0, largest_batch=16, steps_per_second=12.5, busy=0.5, last_error=None, last_error_at=None,
    )  # fmt: skip


def test_very_many_workers_are_all_listed_a_page_at_a_time() -> None:
    found = Status(
        queue=QueueView(mode=QueueMode.OPEN, waiting={}, running={}, people=0),
        workers=tuple(worker(number) for number in range(95)),
        disk=Disk(free=1, total=2, database=3, pictures=4, complete=True),
        failures=(),
    )
    texts = Texts()
    listed = "".join(line for number in range(10) for line in status(found, number, texts).lines)
    assert all(f"**w{number}**" in listed for number in range(95))
    shown = letter(status(found, 9, texts), Page(Verb.STATUS, 1, 9), texts)
    assert shown.card is not None
    assert shown.card.footer == "Page 10 of 10 · 95 in all"
    assert "12.5 steps/s, 4.0 pictures a pass (at most 16), 50% busy" in shown.card.description


@pytest.mark.parametrize("kind", ChannelKind)
def test_a_channel_without_a_word_about_it_is_of_no_kind(kind: ChannelKind) -> None:
    assert not kind.fits(ChannelRule(channel_id=1, allowed=None, nsfw=False))


def test_a_rank_that_nobody_holds_says_so() -> None:
    sheet = roles(Powers(roles={}, ranks={}), Rank.MODERATOR, 0, Texts())
    assert sheet.head[-1] == "No role holds it."
    assert "`queue` show, cancel, retry" in sheet.head[0]


@pytest.mark.parametrize(
    ("verb", "target", "before", "after", "shown"),
    [
        ("user timeout", "user 7", {"kind": None}, {"kind": "timeout", "until": 86400.5}, "<@7>"),
        ("quota set", "role 8", {}, {"day": 2000.0, "unlimited": True}, "<@&8>"),
        ("queue cancel", "user 7, lane relax", {"queued": 2}, {}, "<@7>, lane relax"),
        ("words add", "hate: user 5, *words*", {"phrase": None}, {"phrase": "refused"}, r"\*words\*"),
        ("user block", "user 7", {"kind": None}, {"kind": "block", "jobs": {"cancelled": 3}}, "<@7>"),
    ],
)
def test_an_entry_of_the_record_is_for_people_to_read(
    verb: str, target: str, before: dict[str, Any], after: dict[str, Any], shown: str
) -> None:
    made = Entry(
        id=1, at=0, actor="cli:ada", guild_id=1, channel_id=0, verb=verb, target=target, before=before,
        after=after,
    )  # fmt: skip
    words = entry(made, Texts())
    assert f"**{verb}** · " in words
    assert shown in words
    assert not re.search(r"\d\.0\b|None|True|\{|86400", words)
    if "until" in after:
        assert "`kind: -` → `kind: timeout, until: 1970-01-02 00:00 UTC`" in words
    if "jobs" in after:
        assert "jobs: 3 cancelled" in words
