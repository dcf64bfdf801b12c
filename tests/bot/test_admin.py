"""`/admin` in Discord: each group once, and what must never pass."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from playground.permissions import Permission
from playground.server import Playground
from tests.acceptance.member import Member, custom_ids
from tests.bot.admins import admin, appoint, offered, pressed, text
from tests.bot.easel import Easel
from tests.bot.studio import Studio, labelled, ordered, private
from tests.bot.test_moderation_flow import moderated
from worker.admin import Actor, QueueMode
from worker.api import ErrorCode, JobState, Standing
from worker.catalogue import Catalogue, Entry
from worker.deeds import Rank, SetMode, SetRole, Verb, Which
from worker.recipe import ModelProfile

BOSS = Actor(name="cli:ada")


@pytest_asyncio.fixture
async def boss(live: Studio, person: Member) -> Member:
    """The person with the Administrator permission, whom everybody may order beside."""
    appoint(live, person.user["id"], Permission.ADMINISTRATOR)
    return person


@pytest_asyncio.fixture
async def friend(live: Studio) -> AsyncIterator[Member]:
    async with live.member(live.playground.admin.add_user("friend").token) as friend:
        yield friend


async def verbs(live: Studio) -> list[str]:
    entries, _ = await live.office.audit(None)
    return [entry.verb for entry in reversed(entries)]


async def test_a_paused_queue_says_so_to_who_orders_and_opens_again(
    live: Studio, easel: Easel, boss: Member
) -> None:
    assert "The queue is paused" in text(await admin(boss, "queue pause"))
    nonce = await boss.command("imagine", prompt="a fox")
    waiting = await boss.until(lambda: boss.answer(nonce))
    assert waiting["content"].endswith(
        "\n-# " + "The queue is paused: your job is kept and starts when it is opened again."
    )
    assert "paused" in text(await admin(boss, "queue show"))
    await admin(boss, "queue resume")
    await boss.until(lambda: boss.find("a fox", "next in line"))  # the message changed its mind
    await easel.take()
    assert await verbs(live) == ["queue pause", "queue resume"]
    found, _ = await live.office.audit(None)
    assert found[0].actor == f"discord:{boss.user['id']}"
    assert (found[0].guild_id, found[0].channel_id) == (int(boss.facts["guild_id"]), int(boss.channel_id))


async def test_an_answer_that_comes_after_the_queue_was_opened_changes_too(
    live: Studio, boss: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing, asked = live.desk.standing, 0
    followed, opened, polled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(job_id: str) -> Standing | None:
        nonlocal asked
        asked += 1
        if asked == 1:  # for the answer, which is held back until its job has been followed for a while
            found = await standing(job_id)
            await polled.wait()
            return found
        followed.set()
        await opened.wait()
        found = await standing(job_id)
        polled.set()
        return found

    await admin(boss, "queue pause")
    monkeypatch.setattr(live.desk, "standing", slowly)
    await boss.command("imagine", prompt="a fox")
    await followed.wait()
    await admin(boss, "queue resume")
    opened.set()
    await boss.until(lambda: boss.find("a fox", "next in line"))


async def test_a_draining_queue_refuses_orders_with_a_sentence(live: Studio, boss: Member) -> None:
    await admin(boss, "queue drain")
    await boss.command("imagine", prompt="a fox")
    refused = await boss.until(
        lambda: next((m for m in private(boss) if "Closing" in str(m["embeds"])), None)
    )
    assert "/imagine a fox" in text(refused)


async def test_jobs_are_listed_in_pages_without_prompts_and_the_pages_survive_a_restart(
    studio: Studio,
) -> None:
    async with studio.member() as boss:
        async with studio.running():
            appoint(studio, boss.user["id"], Permission.ADMINISTRATOR)
            for number in range(12):
                await ordered_by_desk(studio, number)
            first = await admin(boss, "queue show")
            assert "Page 1 of 2 · 12 in all" in text(first)
            assert "secret" not in text(first)
        async with studio.running():
            second = await pressed(boss, first, labelled(first, "Next"))
            assert "Page 2 of 2" in text(second)
            assert second["id"] == first["id"]
            filtered = await admin(boss, "queue show", lane="relax")
            assert "Nothing" not in text(filtered)
            assert "in all" not in text(filtered)


async def ordered_by_desk(studio: Studio, number: int) -> None:
    from parser import parse
    from worker.api import Imagine

    order = Imagine(request=parse("a secret fox"))
    await studio.desk.submit(order, owner_id=100 + number, key=str(number), origin="")


async def test_clearing_asks_first_says_how_many_and_does_nothing_on_cancel(
    live: Studio, boss: Member
) -> None:
    await ordered_by_desk(live, 1)
    question = await admin(boss, "queue clear")
    assert "**1** waiting jobs" in text(question)
    kept = await pressed(boss, question, labelled(question, "Cancel"))
    assert "Nothing was changed" in text(kept)
    assert custom_ids(kept) == []
    assert (await live.office.queue()).people == 1
    assert await verbs(live) == []


async def test_a_confirmation_looks_again_at_what_it_would_touch(live: Studio, boss: Member) -> None:
    await ordered_by_desk(live, 1)
    question = await admin(boss, "queue clear")
    await ordered_by_desk(live, 2)
    again = await pressed(boss, question, labelled(question, "Yes"))
    assert "Meanwhile something changed" in text(again)
    assert "**2** waiting jobs" in text(again)
    done = await pressed(boss, again, labelled(again, "Yes"))
    assert "2 waiting jobs were cancelled" in text(done)
    assert await verbs(live) == ["queue clear"]


async def test_an_old_question_says_kindly_that_it_is_old(live: Studio, boss: Member) -> None:
    question = await admin(boss, "queue clear")
    yes = labelled(question, "Yes")
    await live.office.withdraw(yes.split("::")[2])
    assert "too old" in text(await pressed(boss, question, yes))


async def test_a_job_is_promoted_stopped_and_ordered_again(live: Studio, easel: Easel, boss: Member) -> None:
    await ordered_by_desk(live, 1)
    nonce = await boss.command("imagine", prompt="a fox")
    await boss.until(lambda: boss.answer(nonce))
    [job] = await live.desk.recent(limit=1)
    assert "next" in text(await admin(boss, "queue promote", job_id=job.id))
    assert (await easel.take()).id == job.id
    await easel.fail(job, ErrorCode.ENGINE_FAILED)
    assert "Ordered again" in text(await admin(boss, "queue retry", job_id=job.id))
    taken = [await easel.take(), await easel.take()]
    [again] = [each for each in taken if each.owner_id == job.owner_id]
    await easel.finish(again)
    shown = await boss.until(lambda: boss.find("a fox", having=again.id))
    assert shown["channel_id"] == boss.channel_id
    question = await admin(boss, "queue cancel", lane="fast")
    assert "stops **1** jobs" in text(question)  # the first, which was passed over, runs


async def test_somebody_without_a_rank_is_told_which_one_it_takes(
    live: Studio, boss: Member, friend: Member
) -> None:
    role = appoint(live, friend.user["id"], Permission.MANAGE_GUILD)
    refused = await admin(friend, "queue pause")
    assert "rank **admin**" in text(refused)
    assert (await live.office.queue()).mode is QueueMode.OPEN
    await admin(boss, "role set", rank="moderator", role=role)
    assert "open" in text(await admin(friend, "queue show"))
    assert "rank **admin**" in text(await admin(friend, "queue pause"))
    await admin(boss, "role set", rank="moderator", command="queue pause")
    assert "paused" in text(await admin(friend, "queue pause"))
    assert f"<@&{role}>" in text(await admin(boss, "role list"))
    assert await verbs(live) == ["role set", "role set", "queue pause"]


async def test_nobody_gives_themselves_a_higher_rank(live: Studio, boss: Member, friend: Member) -> None:
    role = appoint(live, friend.user["id"], Permission.MANAGE_GUILD)
    await admin(boss, "role set", rank="admin", role=role)
    await admin(boss, "role set", rank="admin", command="role set")
    assert "Not allowed" in text(await admin(friend, "role set", rank="owner", role=role))
    assert "Not allowed" in text(await admin(friend, "role set", rank="moderator", command="role set"))
    assert "Done" in text(await admin(friend, "role set", rank="moderator", role=role))


async def test_a_forged_button_does_nothing_for_who_has_no_rank_and_others_buttons_are_refused(
    live: Studio, boss: Member, friend: Member
) -> None:
    await ordered_by_desk(live, 1)
    question = await admin(boss, "queue clear")
    yes = labelled(question, "Yes")
    channel = live.bot.get_partial_messageable(int(boss.channel_id))
    from bot import payload
    from bot.render import Button

    forged = yes.rpartition("::")[0] + f"::{friend.user['id']}"
    listing = f"JA::page::audit::0::{friend.user['id']}::"
    ids = (yes, forged, listing, "JA::yes::0::0", "JA::page::queue clear::0::1::")
    await channel.send("x", view=payload.view(tuple((Button(each, "b"),) for each in ids)))
    public = await friend.until(lambda: friend.find("x", having="JA::"))
    answers = [text(await pressed(friend, public, each)) for each in ids]
    for answer, words in zip(
        answers,
        ("Not your button", "Not your button", "rank **admin**", "Too old", "Not your button"),
        strict=True,
    ):
        assert words in answer
    assert (await live.office.queue()).people == 1
    assert await verbs(live) == []


async def test_a_rank_taken_away_between_question_and_answer_counts(
    live: Studio, boss: Member, friend: Member
) -> None:
    guild, role = int(live.facts["guild_id"]), int(appoint(live, friend.user["id"], Permission.MANAGE_GUILD))
    deed = SetRole(guild_id=guild, rank=Rank.ADMIN, role_id=role)
    await live.office.do(deed, BOSS)
    await ordered_by_desk(live, 1)
    question = await admin(friend, "queue clear")
    await live.office.do(deed.model_copy(update={"held": False}), BOSS)
    assert "rank **admin**" in text(await pressed(friend, question, labelled(question, "Yes")))
    assert (await live.office.queue()).people == 1


async def test_a_blocked_person_loses_their_jobs_and_is_told_whom_to_ask(
    live: Studio, easel: Easel, boss: Member, friend: Member
) -> None:
    nonce = await friend.command("imagine", prompt="a fox")
    await friend.until(lambda: friend.answer(nonce))
    question = await admin(boss, "user block", person=friend.user["id"], reason="Too *many* foxes.")
    assert "**1** jobs" in text(question)
    assert "stopped" in text(await pressed(boss, question, labelled(question, "Yes")))
    await friend.until(lambda: friend.find("a fox", "(Stopped)"))
    await friend.command("imagine", prompt="a fox")
    [refused] = await friend.until(lambda: private(friend))
    assert "You were blocked until further notice. Too \\*many\\* foxes." in text(refused)
    assert "Ask a moderator of this server" in text(refused)
    assert "Blocked" in text(await admin(boss, "user show"))
    await admin(boss, "user unblock", person=friend.user["id"])
    nonce = await friend.command("imagine", prompt="a fox")
    assert "(Waiting to start)" in (await friend.until(lambda: friend.answer(nonce)))["content"]


async def test_a_timed_out_person_keeps_their_jobs_and_is_told_until_when_and_whom_to_ask(
    live: Studio, easel: Easel, boss: Member, friend: Member
) -> None:
    nonce = await friend.command("imagine", prompt="a fox")
    await friend.until(lambda: friend.answer(nonce))
    role = appoint(live, boss.user["id"], Permission.ADMINISTRATOR)
    await admin(boss, "role set", rank="moderator", role=role)
    await admin(boss, "user timeout", person=friend.user["id"], length="2h")
    await friend.command("imagine", prompt="a dog")
    [refused] = await friend.until(lambda: private(friend))
    assert "You were given a pause until <t:" in text(refused)
    assert f"Ask one of <@&{role}>" in text(refused)
    await easel.finish(await easel.take())
    await friend.until(lambda: friend.find("a fox", having="MJ::JOB::reroll"))
    assert "no length of time" in text(
        await admin(boss, "user timeout", person=friend.user["id"], length="soon")
    )


async def test_nobody_judges_themselves_or_somebody_of_their_own_rank(
    live: Studio, boss: Member, friend: Member
) -> None:
    role = appoint(live, friend.user["id"], Permission.MANAGE_GUILD)
    await admin(boss, "role set", rank="moderator", role=role)
    for judged in (friend, boss):
        answer = await admin(friend, "user timeout", person=judged.user["id"], length="1h")
        assert "Not allowed" in text(answer)
    assert "Not allowed" in text(await admin(boss, "user block", person=boss.user["id"]))


async def test_a_person_is_written_to_or_it_is_said_that_they_take_no_messages(
    live: Studio, boss: Member, friend: Member
) -> None:
    identity = friend.user["id"]
    assert "Sent them" in text(await admin(boss, "user contact", person=identity, text="Please be kind."))
    letter = await friend.until(lambda: friend.find("A message from those who run"))
    assert letter["embeds"][0]["description"] == "Please be kind."
    live.playground.admin.close_direct_messages(identity)
    assert "closed" in text(await admin(boss, "user contact", person=identity, text="Hello?"))
    entries, _ = await live.office.audit(None)
    assert [entry.after for entry in entries] == [{"characters": 6}, {"characters": 15}]


async def test_a_closed_channel_refuses_orders_and_keeps_the_prompt(live: Studio, boss: Member) -> None:
    await admin(boss, "channel deny")
    await boss.command("imagine", prompt="a fox")
    refused = await boss.until(lambda: next((m for m in private(boss) if "Not in this" in str(m)), None))
    assert "/imagine a fox" in text(refused)
    assert "closed" in text(await admin(boss, "channel list"))
    await admin(boss, "channel deny", everywhere=True)
    await admin(boss, "channel allow", channel=boss.channel_id)
    nonce = await boss.command("imagine", prompt="a fox")
    await boss.until(lambda: boss.answer(nonce))
    assert "age-restricted" in text(await admin(boss, "channel nsfw", adult=True))
    assert "nothing was changed" in text(await admin(boss, "channel nsfw", adult=False))


async def test_the_record_is_posted_to_the_log_channel_and_what_failed_is_posted_later(
    live: Studio, boss: Member
) -> None:
    log = live.playground.admin.add_channel("log")
    live.playground.admin.deny_bot(log.id, Permission.SEND_MESSAGES)
    await admin(boss, "channel log", channel=log.id)
    await admin(boss, "queue pause")
    await live.office.do(SetMode(verb=Verb.QUEUE_RESUME), BOSS)
    live.playground.admin.set_overwrite(log.id, live.facts["bot_user_id"])
    posted = await boss.until(
        lambda: next((m for m in boss.messages.values() if m["channel_id"] == log.id), None)
    )
    words = text(posted)
    for verb in ("channel log", "queue pause", "queue resume"):
        assert f"**{verb}**" in words
    assert "`ada` on the command line" in words
    async with asyncio.timeout(10):
        while (await live.office.log_channels())[0][2] < 3:  # noqa: ASYNC110 - the herald tells nobody
            await asyncio.sleep(0.01)
    assert "queue resume" in text(await admin(boss, "audit", verbs="queue"))


async def test_words_are_added_listed_by_category_tested_and_removed(studio: Studio) -> None:
    moderated(studio)
    async with studio.running(), studio.member() as boss:
        appoint(studio, boss.user["id"], Permission.ADMINISTRATOR)
        await admin(boss, "words add", category="hate", phrase="bad `word`")
        await admin(boss, "words add", category="health", phrase="odd remedy", allow=True)
        shown = text(await admin(boss, "words list", category="hate"))
        assert "bad" in shown
        assert "odd" not in shown
        assert "**hate**: `BAD word`, because of " in text(
            await admin(boss, "words test", text="a BAD word, painted")
        )
        assert "No list" in text(await admin(boss, "words test", text="a red fox"))
        assert "letters or digits" in text(await admin(boss, "words add", category="hate", phrase="!?"))
        await admin(boss, "words remove", category="hate", phrase="bad `word`")
        assert (await studio.office.words(int(studio.facts["guild_id"])))[1] == 1


async def test_the_last_model_is_not_switched_off(live: Studio, boss: Member) -> None:
    assert "only model" in text(await admin(boss, "models disable", model="tiny"))
    assert "no model `huge`" in text(await admin(boss, "models enable", model="huge"))
    await admin(boss, "models default", model="tiny")
    assert "`tiny`: on, the default" in text(await admin(boss, "models list"))


async def test_models_are_listed_switched_and_made_the_default(
    tmp_path: Path, playground: Playground
) -> None:
    studio = Studio(tmp_path, playground)
    profiles = [ModelProfile(name=name, source=name, size=64) for name in ("tiny", "inker")]
    studio.catalogue = Catalogue(
        entries=tuple(Entry(profile=p, versions=(v,)) for p, v in zip(profiles, ("6", "5"), strict=True))
    )
    async with studio.open(), studio.running(), studio.member() as boss:
        appoint(studio, boss.user["id"], Permission.ADMINISTRATOR)
        assert "`tiny`: on, the default · `--v 6` · workers that have it: 0" in text(
            await admin(boss, "models list")
        )
        assert await offered(boss, "models default", "model", "INK") == ["inker"]
        assert await offered(boss, "models disable", "model", "") == ["tiny", "inker"]
        await admin(boss, "models default", model="inker")
        nonce = await boss.command("imagine", prompt="a fox")
        await boss.until(lambda: boss.answer(nonce))
        [job] = await studio.desk.recent(limit=1)
        assert job.model == "inker"
        assert "1 jobs wait for it" in text(await admin(boss, "models disable", model="inker"))
        shown = text(await admin(boss, "models list"))
        assert "`inker`: off · `--v 5` · workers that have it: 0 · waiting for it: 1" in shown
        assert "`tiny`: on, the default" in shown
        assert "switched off" in text(await admin(boss, "models default", model="inker"))
        nonce = await boss.command("imagine", prompt="a hen")
        await boss.until(lambda: boss.answer(nonce))
        [job] = await studio.desk.recent(limit=1)
        assert job.model == "tiny"
        await admin(boss, "models enable", model="inker")
        friend = studio.playground.admin.add_user("friend")
        appoint(studio, friend.id, Permission.MANAGE_GUILD)
        async with studio.member(friend.token) as other:  # without a rank: not even the names
            assert await offered(other, "models default", "model", "") == []
        assert await verbs(studio) == ["models default", "models disable", "models enable"]


async def test_credits_are_granted_limited_and_shown(live: Studio, boss: Member, friend: Member) -> None:
    identity = friend.user["id"]
    assert "2 credits" in text(await admin(boss, "quota grant", person=identity, credits=2))
    await admin(boss, "quota set", person=identity, day=5, running=2)
    shown = text(await admin(boss, "quota show", person=identity))
    assert "0 of 5 credits" in shown
    assert "2 jobs at the same time" in shown
    assert "day 5" in text(await admin(boss, "quota show"))
    assert "Name one: a `person`" in text(await admin(boss, "quota set", day=5))
    nonce = await friend.command("imagine", prompt="a fox")
    await friend.until(lambda: friend.answer(nonce))
    assert "1 of 5 credits" in text(await admin(boss, "quota show", person=identity))
    question = await admin(boss, "quota reset", person=identity)
    assert "begin anew" in text(await pressed(boss, question, labelled(question, "Yes")))


async def test_status_shows_the_machine_room(live: Studio, easel: Easel, boss: Member) -> None:
    _, job = await ordered(boss, easel)
    await easel.fail(job, ErrorCode.OUT_OF_MEMORY)
    shown = text(await admin(boss, "status"))
    for words in ("No worker runs", "Disk:", "`out_of_memory`", job.id):
        assert words in shown


async def test_servers_that_are_not_home_keep_their_hands_off_what_all_share(
    live: Studio, boss: Member
) -> None:
    live.playground.admin.add_guild("elsewhere", application_id=live.facts["application_id"])
    async with asyncio.timeout(10):
        while len(live.bot.guilds) < 2:  # noqa: ASYNC110 - the gateway tells nobody here
            await asyncio.sleep(0.01)
    assert "Not from this server" in text(await admin(boss, "queue pause"))
    assert "Added" in text(await admin(boss, "words add", category="hate", phrase="x"))
    assert (await live.office.queue()).mode is QueueMode.OPEN
    assert (await live.office.jobs(Which(), JobState.QUEUED)).total == 0
