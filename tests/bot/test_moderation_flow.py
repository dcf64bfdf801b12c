"""Moderation through a real bot and a local Discord: refused, appealed, let pass, covered, kept private."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.moderation.gate import Moderation
from bot.moderation.gate import Settings as ModerationSettings
from bot.moderation.records import Records, RefusalState
from bot.moderation.rules import Outcome, Rules, Sanctions
from bot.moderation.servers import Deed, Servers
from playground.permissions import Permission
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.admins import admin, appoint, pressed, ranked, text
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, labelled, ordered, private, settled
from tests.bot.test_privacy import asked
from tests.worker.test_privacy import traces
from worker.admin import Actor
from worker.api import Category, ErrorCode, JobId, JobState
from worker.deeds import Rank, SetPower, Watch

BAD = "a nude woman on a beach"
GORE = "a severed head on a stake"


def moderated(studio: Studio, *, screen: bool = False) -> Moderation:
    """Give the bots that start from now on moderation as an operator would."""
    studio.moderation = Moderation(
        records=Records(studio.database),
        servers=Servers(studio.database),
        desk=studio.desk,
        settings=ModerationSettings(
            rules=Rules(), sanctions=Sanctions(strikes=2, days=30, hours=24), screen=screen
        ),
        clock=studio.clock,
    )
    return studio.moderation


@pytest.fixture
async def watched(studio: Studio) -> AsyncIterator[Moderation]:
    """A running bot with moderation."""
    moderation = moderated(studio)
    async with studio.running():
        yield moderation


@pytest.fixture
async def easel(watched: Moderation, studio: Studio) -> Easel:
    return studio.easel


@pytest.fixture
async def person(watched: Moderation, studio: Studio) -> AsyncIterator[Member]:
    async with studio.member() as person:
        yield person


def deed(studio: Studio) -> Deed:
    return Deed(guild_id=int(studio.facts["guild_id"]), by=1, now=studio.clock())


async def moderators(studio: Studio) -> str:
    """Make a moderators' channel and return its id."""
    assert studio.moderation is not None
    channel = studio.playground.admin.add_channel("moderators")
    await studio.moderation.servers.set_moderators(deed(studio), int(channel.id))
    return channel.id


@asynccontextmanager
async def moderator(studio: Studio, channel_id: str) -> AsyncIterator[Member]:
    guild = studio.facts["guild_id"]
    user = studio.playground.admin.add_user("mod")
    role = studio.playground.admin.add_role(guild, "mods", int(Permission.MANAGE_MESSAGES))
    studio.playground.admin.add_member(guild, user.id, roles=(role.id,))
    await ranked(studio, role.id, Rank.MODERATOR)
    async with studio.member(user.token) as member:
        member.channel_id = channel_id
        yield member


async def refused(person: Member, prompt: str = BAD) -> Message:
    nonce = await person.command("imagine", prompt=prompt)
    answer: Message = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    return answer


async def appealed(person: Member, other: Member, prompt: str = BAD) -> Message:
    """Appeal a refusal; return the message before the moderators."""
    answer = await refused(person, prompt)
    await person.press(answer, labelled(answer, "Appeal to the moderators"))
    before: Message = await other.until(lambda: other.find("", having="JM::approve"))
    await person.until(lambda: person.find("The moderators have your prompt now"))
    return before


async def test_a_refused_prompt_is_told_privately_with_its_category_and_queues_nothing(
    studio: Studio, person: Member
) -> None:
    answer = await refused(person, f"{BAD} --seed 4")
    [embed] = answer["embeds"]
    assert "sexual content" in embed["description"]
    assert embed["footer"]["text"] == f"/imagine {BAD} --seed 4"
    assert custom_ids(answer) == []  # no moderators' channel: nobody to appeal to
    assert "ask a moderator" in embed["description"]
    assert await studio.desk.recent() == []


async def test_an_approved_appeal_lets_that_prompt_of_that_person_through_once(
    studio: Studio, easel: Easel, person: Member
) -> None:
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        before = await appealed(person, other)
        [embed] = before["embeds"]
        assert BAD in embed["description"]
        assert f"<@{person.user['id']}>" in embed["description"]
        assert BAD not in str(custom_ids(before))
        await other.press(before, labelled(before, "Approve"))
        await other.until(lambda: "Approved" in str(other.messages[before["id"]]["embeds"]))
        assert custom_ids(other.messages[before["id"]]) == []
    told = await person.until(
        lambda: next((m for m in person.messages.values() if "through, once" in str(m["embeds"])), None)
    )
    assert told["embeds"][0]["title"] == "Approved"
    await refused(person, "another nude woman")  # not that prompt
    grid = await drawn(easel, person, f"{BAD} --seed 4")  # the words count, not the parameters
    await refused(person)  # once
    await person.press(grid, next(each for each in custom_ids(grid) if "variation::1" in each))
    await easel.finish(await easel.take())  # what was let pass may be varied by its person
    await person.until(lambda: person.find("Variations"))


async def test_a_denied_appeal_changes_nothing_and_is_told(studio: Studio, person: Member) -> None:
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        before = await appealed(person, other)
        await other.press(before, labelled(before, "Deny"))
        await other.until(lambda: "Denied" in str(other.messages[before["id"]]["embeds"]))
    await person.until(lambda: "agree" in str(list(person.messages.values())))
    await refused(person)
    assert await verbs(studio) == ["moderation set", "role set", "moderation deny"]


async def test_an_appeal_is_posted_once_and_decided_once_by_moderators_alone(
    studio: Studio, person: Member
) -> None:
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        before = await appealed(person, other)
        [mine] = [m for m in private(person) if "JM::appeal" in str(custom_ids(m))]
        await person.press(mine, labelled(mine, "Appeal to the moderators"))
        await person.until(lambda: "Already sent" in str(private(person)))
        person.channel_id = channel
        await person.press(before, labelled(before, "Approve"))  # no moderator
        await person.until(lambda: "For moderators" in str(private(person)))
        deny, approve = labelled(before, "Deny"), labelled(before, "Approve")
        await other.press(before, deny)
        await other.until(lambda: "Denied" in str(other.messages[before["id"]]["embeds"]))
        from bot import payload
        from bot.render import Button

        place = studio.bot.get_partial_messageable(int(channel))
        await place.send("late", view=payload.view(((Button(approve, "Approve"),),)))
        late = await other.until(lambda: other.find("late"))
        await other.press(late, approve)  # as two moderators at once
        await other.until(lambda: "decided before" in str(private(other)))
        assert len([m for k, m in other.seen if k == "MESSAGE_CREATE" and "JM::deny" in str(m)]) == 1
    refusal = await studio.moderation.records.refusal(approve.rpartition("::")[2])  # type: ignore[union-attr]
    assert refusal is not None
    assert refusal.state is RefusalState.DENIED


async def test_only_its_person_appeals_and_a_stranger_to_the_table_is_too_old(
    studio: Studio, person: Member
) -> None:
    await moderators(studio)
    answer = await refused(person)
    friend = studio.playground.admin.add_user("friend")
    channel = studio.bot.get_partial_messageable(int(person.channel_id))
    from bot import payload
    from bot.render import Button

    rows = ((Button(labelled(answer, "Appeal to the moderators"), "theirs"), Button("JM::appeal::7", "old")),)
    await channel.send("forged", view=payload.view(rows))
    async with studio.member(friend.token) as other:
        await person.until(lambda: person.find("forged"))
        forged = person.find("forged")
        assert forged is not None
        await other.press(forged, labelled(forged, "theirs"))
        await other.until(lambda: "Not yours" in str(private(other)))
        await other.press(forged, "JM::appeal::7")
        await other.until(lambda: "Too old" in str(private(other)))


async def test_a_moderators_channel_that_is_gone_is_said_and_the_appeal_stays_possible(
    studio: Studio, person: Member
) -> None:
    channel = await moderators(studio)
    answer = await refused(person)
    studio.playground.admin.delete_channel(channel)
    await person.press(answer, labelled(answer, "Appeal to the moderators"))
    await person.until(lambda: "Nobody there" in str(private(person)))
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        await person.press(answer, labelled(answer, "Appeal to the moderators"))
        await other.until(lambda: other.find("", having="JM::approve"))
        await person.until(lambda: person.find("The moderators have your prompt now"))


async def test_a_decision_made_while_the_bot_died_is_told_by_the_next(studio: Studio) -> None:
    moderation = moderated(studio)
    async with studio.member() as person:
        async with studio.running():
            await moderators(studio)
            answer = await refused(person)
            refusal_id = labelled(answer, "Appeal to the moderators").rpartition("::")[2]
        await moderation.records.appeal(refusal_id, 1)
        assert await moderation.records.decide(refusal_id, 2, studio.clock(), approve=True)
        async with studio.running():
            await person.until(lambda: "through, once" in str(person.messages))
            async with asyncio.timeout(20):
                while await moderation.records.untold():  # noqa: ASYNC110 - rows ring no bell
                    await asyncio.sleep(0.01)


async def test_strikes_lead_to_a_timeout_that_ages_out_and_can_be_forgiven(
    studio: Studio, watched: Moderation, person: Member
) -> None:
    guild, user = int(studio.facts["guild_id"]), int(person.user["id"])
    await watched.servers.set_category(deed(studio), Category.SEXUAL, Outcome.STRIKE)
    for _ in range(2):
        await refused(person)
    answer = await refused(person, "a fox")
    assert answer["embeds"][0]["title"] == "Timeout"
    studio.skew += 24 * 3600 + 60
    await ordered(person, studio.easel, "a fox")
    await refused(person)  # the third within thirty days: again
    assert (await refused(person, "a hen"))["embeds"][0]["title"] == "Timeout"
    assert await watched.records.forgive(guild, user, 5, studio.clock()) == 3
    await ordered(person, studio.easel, "a hen")
    strikes = await watched.records.strikes_of(guild, user)
    assert [strike.forgiven_by for strike in strikes] == [5, 5, 5]
    assert await verbs(studio) == ["moderation set", "moderation forgive"]


async def test_words_about_minors_beside_sexual_ones_are_refused_for_good_whatever_the_rules(
    studio: Studio, watched: Moderation, person: Member
) -> None:
    await moderators(studio)
    await watched.servers.set_category(deed(studio), Category.SEXUAL, Outcome.ALLOW)
    answer = await refused(person, "a nude child")
    assert custom_ids(answer) == []
    assert "cannot be appealed" in answer["embeds"][0]["description"]
    guild, user = int(studio.facts["guild_id"]), int(person.user["id"])
    assert len(await watched.records.strikes_of(guild, user)) == 1


async def test_a_spoiler_covers_the_preview_and_the_result_also_when_shown_again(
    studio: Studio, easel: Easel, person: Member
) -> None:
    await person.command("imagine", prompt=GORE)
    job = await easel.take()
    from tests.bot.easel import picture

    await easel.show(job, 0.5, preview=picture(1, kind="WEBP"))
    preview = await person.until(lambda: person.find("50%"))
    assert preview["attachments"][0]["filename"].startswith("SPOILER_")
    await easel.finish(job)
    grid = await person.until(lambda: person.find(GORE, having="reroll"))
    assert grid["attachments"][0]["filename"].startswith("SPOILER_")
    await person.command("show", job_id=job.id)
    again = await person.until(
        lambda: next(
            (m for m in person.messages.values() if m["id"] != grid["id"] and "reroll" in str(m)), None
        )
    )
    assert again["attachments"][0]["filename"].startswith("SPOILER_")


async def test_a_private_result_is_seen_by_its_person_alone_from_the_first_message_on(
    studio: Studio, watched: Moderation, easel: Easel, person: Member
) -> None:
    await watched.servers.set_category(deed(studio), Category.VIOLENCE, Outcome.PRIVATE)
    friend = studio.playground.admin.add_user("friend")
    async with studio.member(friend.token) as other:
        await drawn(easel, person, GORE)
        await settled(studio)
        shown = [m for k, m in person.seen if k == "MESSAGE_CREATE"]
        assert len(shown) >= 2
        assert all(m["flags"] & 64 for m in shown)
        await drawn(easel, person, "a fox")
        await other.until(lambda: other.find("a fox", having="reroll"))
        assert "severed" not in str(other.seen)


async def test_a_picture_that_looks_adult_is_covered_and_so_is_a_cell_taken_from_it(
    studio: Studio, easel: Easel, person: Member
) -> None:
    await person.command("imagine", prompt="a fox")
    job = await easel.take()
    await scored(studio, job.id, {"1.png": 0.1, "2.png": 0.95, "3.png": 0.1, "4.png": 0.1})
    await easel.finish(job)
    grid = await person.until(lambda: person.find("a fox", having="reroll"))
    assert grid["attachments"][0]["filename"].startswith("SPOILER_")
    for index, covered in ((2, True), (1, False)):
        await person.press(grid, f"MJ::JOB::upsample::{index}::{job.id}")
        cell = await person.until(lambda index=index: person.find(f"Image #{index}"))
        assert cell["attachments"][0]["filename"].startswith("SPOILER_") is covered


async def test_a_picture_may_be_withheld_or_shown_to_its_person_alone(
    studio: Studio, watched: Moderation, easel: Easel, person: Member
) -> None:
    for outcome, words in ((Outcome.REFUSE, "Not shown"), (Outcome.PRIVATE, "Only for you")):
        await watched.servers.set_pictures(deed(studio), outcome)
        _, job = await ordered(person, easel, f"a fox {outcome.value}")
        await scored(studio, job.id, {"1.png": 0.95})
        await easel.finish(job)
        shown = await person.until(lambda words=words: says(person, words))
        assert shown["attachments"] == []
        await settled(studio)
        assert bool([m for m in private(person) if "reroll" in str(m)]) is (outcome is Outcome.PRIVATE)


async def test_an_adult_channel_relaxes_only_what_the_server_says(
    studio: Studio, watched: Moderation, easel: Easel, person: Member
) -> None:
    await watched.servers.set_category(deed(studio), Category.SEXUAL, Outcome.REFUSE, Outcome.ALLOW)
    await refused(person)
    guild = studio.facts["guild_id"]
    role = studio.playground.admin.add_role(guild, "owners", int(Permission.MANAGE_CHANNELS))
    studio.playground.admin.add_member(guild, person.user["id"], roles=(role.id,))
    await person.rest("PATCH", f"/channels/{person.channel_id}", {"nsfw": True})
    grid = await drawn(easel, person, BAD)
    assert not grid["attachments"][0]["filename"].startswith("SPOILER_")
    await refused(person, "a crowd doing the nazi salute")


async def test_a_servers_word_counts_from_the_moment_it_is_added_also_for_old_buttons(
    studio: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a blue door")
    guild = int(studio.facts["guild_id"])
    sql = "INSERT INTO words (guild_id, category, phrase, allow) VALUES (?, 'harassment', 'blue door', 0)"
    await studio.database.write(lambda db: db.execute(sql, (guild,)).rowcount)
    await refused(person, "a blue door")
    await person.press(grid, next(each for each in custom_ids(grid) if "reroll" in each))
    await person.until(lambda: len([m for m in private(person) if "harassment" in str(m)]) == 2)
    await studio.database.write(lambda db: db.execute("DELETE FROM words").rowcount)
    await drawn(easel, person, "a blue door --seed 5")


async def test_fix_and_run_passes_the_gate_too(studio: Studio, person: Member) -> None:
    nonce = await person.command("imagine", prompt=f"{BAD} --sed 4")
    answer = await person.until(lambda: person.answer(nonce))
    await person.press(answer, labelled(answer, "Fix and run"))
    await person.until(lambda: "sexual content" in str(private(person)))
    assert await studio.desk.recent() == []


async def test_a_pardon_is_not_lost_to_an_order_that_is_then_not_accepted(
    studio: Studio, watched: Moderation, person: Member
) -> None:
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        before = await appealed(person, other, f"{BAD} --turbo")
        await other.press(before, labelled(before, "Approve"))
        await other.until(lambda: "Approved" in str(other.messages[before["id"]]["embeds"]))
    await refused(person, f"{BAD} --turbo")  # turbo is not open here
    await ordered(person, studio.easel, BAD)


async def test_what_a_worker_finds_in_a_prompt_is_told_privately_and_can_be_appealed(studio: Studio) -> None:
    moderated(studio, screen=True)
    async with studio.running(), studio.member() as person:
        await moderators(studio)
        _, job = await ordered(person, studio.easel, "a fox")
        key, watched = await studio.database.read(_screen)
        assert "sexual" in watched
        assert "political" not in watched
        sql = "UPDATE prompt_screens SET found = 'sexual' WHERE key = ?"
        await studio.database.write(lambda db: db.execute(sql, (key,)).rowcount)
        await studio.easel.fail(job, ErrorCode.PROMPT_REFUSED)
        public = await person.until(lambda: says(person, "is not drawn here"))
        assert "sexual" not in str(public["embeds"])
        mine = await person.until(lambda: next((m for m in private(person) if "JM::appeal" in str(m)), None))
        assert "meaning of your prompt" in mine["embeds"][0]["description"]
        assert (await studio.desk.get(JobId(job.id))).state is JobState.FAILED


async def test_a_server_sets_its_rules_by_command_and_moderators_forgive(
    studio: Studio, watched: Moderation, person: Member
) -> None:
    async def said(path: str, **options: object) -> str:
        return text(await admin(person, path, root="moderation", **options))

    role = appoint(studio, person.user["id"], Permission.MANAGE_GUILD, Permission.MANAGE_MESSAGES)
    await ranked(studio, role, Rank.ADMIN)
    assert "**politics**: allow" in await said("show")
    words = await said("category", category="political", outcome="refuse_and_strike")
    assert "**politics**: refuse, with a strike" in words
    assert "in adult channels: allow" in await said(
        "category", category="sexual", outcome="refuse", adult="allow"
    )
    assert "(from 0.50): refuse" in await said("pictures", outcome="refuse", threshold=0.5)
    channel = studio.playground.admin.add_channel("moderators")
    assert f"<#{channel.id}>" in await said("appeals", channel=channel.id)
    await refused(person, "donald trump on a horse")
    assert "politics" in await said("strikes", person=person.user["id"])
    assert "had 1 strikes" in await said("forgive", person=person.user["id"])
    assert "forgiven by" in await said("strikes", person=person.user["id"])
    assert "**politics**: allow" in await said("category", category="political", outcome="default")
    assert await verbs(studio) == [
        "role set",
        *["moderation set"] * 4,
        "moderation forgive",
        "moderation set",
    ]


async def test_discords_permission_without_a_rank_moderates_nothing(studio: Studio, person: Member) -> None:
    who = person.user["id"]
    role = appoint(studio, who, Permission.MANAGE_GUILD, Permission.MANAGE_MESSAGES)
    await refused(person)
    for path, options in (
        ("show", {}),
        ("category", {"category": "hate", "outcome": "allow"}),
        ("pictures", {"outcome": "allow"}),
        ("appeals", {"channel": person.channel_id}),
    ):
        answer = text(await admin(person, path, root="moderation", **options))
        assert "rank **admin**" in answer
    for path in ("strikes", "forgive"):
        assert "rank **moderator**" in text(await admin(person, path, root="moderation", person=who))
    await ranked(studio, role, Rank.MODERATOR)
    assert "no strikes" in text(await admin(person, "strikes", root="moderation", person=who))
    assert "rank **admin**" in text(await admin(person, "show", root="moderation"))
    guild = int(studio.facts["guild_id"])
    await studio.office.do(
        SetPower(guild_id=guild, power=Watch.SHOW, rank=Rank.MODERATOR), Actor(name="cli:ada")
    )
    assert "What this server draws" in text(await admin(person, "show", root="moderation"))
    await ranked(studio, role, Rank.MODERATOR, held=False)
    assert "rank **moderator**" in text(await admin(person, "show", root="moderation"))
    assert set(await verbs(studio)) == {"role set"}


async def test_a_rank_without_discords_permission_sets_no_rules(studio: Studio, person: Member) -> None:
    role = appoint(studio, person.user["id"], Permission.MANAGE_MESSAGES)
    await ranked(studio, role, Rank.ADMIN)
    answer = text(await admin(person, "category", root="moderation", category="hate", outcome="allow"))
    assert "permission Manage Server" in answer
    assert "no strikes" in text(await admin(person, "strikes", root="moderation", person=person.user["id"]))
    await refused(person, "a crowd doing the nazi salute")


async def test_who_may_manage_messages_but_has_no_rank_decides_no_appeal(
    studio: Studio, person: Member
) -> None:
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        before = await appealed(person, other)
        person.channel_id = channel
        role = appoint(studio, person.user["id"], Permission.MANAGE_MESSAGES)
        answer = await pressed(person, before, labelled(before, "Approve"))
        assert "rank **moderator**" in text(answer)
        await ranked(studio, role, Rank.MODERATOR)
        await person.press(before, labelled(before, "Deny"))
        await other.until(lambda: "Denied" in str(other.messages[before["id"]]["embeds"]))


async def test_being_forgotten_deletes_the_appeal_and_is_no_way_out_of_a_timeout(
    studio: Studio, watched: Moderation, person: Member
) -> None:
    await watched.servers.set_category(deed(studio), Category.SEXUAL, Outcome.STRIKE)
    channel = await moderators(studio)
    async with moderator(studio, channel) as other:
        before = await appealed(person, other)
        await refused(person)
        assert (await refused(person, "a fox"))["embeds"][0]["title"] == "Timeout"
        question = await asked(person, "forget")
        await person.press(question, custom_ids(question)[0])
        await person.until(lambda: person.find("Forgotten: 0 jobs"))
        await other.until(lambda: before["id"] not in other.messages)
        assert traces(studio.folder, person.user["id"], BAD) == []
        assert (await refused(person, "a hen"))["embeds"][0]["title"] == "Timeout"
        who = person.user["id"]
        assert "timeout ends" in text(await admin(other, "strikes", root="moderation", person=who))
        assert "no timeout" in text(await admin(other, "forgive", root="moderation", person=who))
    await ordered(person, studio.easel, "a hen")
    facts = await studio.database.read(
        lambda db: db.execute("SELECT before FROM audit WHERE verb = 'moderation forgive'").fetchone()[0]
    )
    assert facts.startswith('{"strikes": 0, "timeout until": ')


def says(person: Member, words: str) -> Message | None:
    """Return a message with *words* in its embed that everybody sees."""
    found = (m for m in person.messages.values() if words in str(m["embeds"]) and not m["flags"] & 64)
    return next(found, None)


async def verbs(studio: Studio) -> list[str]:
    """Return what is on the record."""
    return await studio.database.read(lambda db: [r["verb"] for r in db.execute("SELECT verb FROM audit")])


async def scored(studio: Studio, job_id: JobId, scores: dict[str, float]) -> None:
    rows = [(job_id, name, score) for name, score in scores.items()]
    await studio.database.write(
        lambda db: db.executemany("INSERT INTO picture_scores VALUES (?, ?, ?)", rows).rowcount
    )


def _screen(db: sqlite3.Connection) -> tuple[str, str]:
    row = db.execute("SELECT key, categories FROM prompt_screens").fetchone()
    return row["key"], row["categories"]
