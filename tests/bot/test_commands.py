"""/show, /info, /help, cancelling, menus and reactions."""

import asyncio
from urllib.parse import quote

from playground.permissions import Permission
from tests.acceptance.member import Member, custom_ids
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, labelled, menu, ordered, private
from worker.api import JobNotFound, JobState


async def test_cancelling_a_waiting_job_stops_it_at_once(live: Studio, person: Member) -> None:
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    await person.press(waiting, labelled(waiting, "Cancel Job"))
    stopped = await person.until(lambda: person.find("(Stopped)"))
    assert stopped["id"] == waiting["id"]
    assert stopped["content"] == f"**a fox** - <@{person.user['id']}> (Stopped)"
    assert custom_ids(stopped) == []


async def test_cancelling_a_running_job_stops_it_and_its_message_stays(
    live: Studio, easel: Easel, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    job = await easel.take()
    await person.press(waiting, labelled(waiting, "Cancel Job"))
    await easel.stop(job)
    stopped = await person.until(lambda: person.find("(Stopped)"))
    assert stopped["id"] == waiting["id"]
    assert custom_ids(stopped) == []
    assert private(person) == []


async def test_a_cancel_that_comes_too_late_is_told_privately(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    channel = live.bot.get_partial_messageable(int(person.channel_id))
    from bot import payload
    from bot.render import Button

    cancel = f"MJ::CancelJob::ByJobid::{job_of(grid)}"
    await channel.send("late", view=payload.view(((Button(cancel, "Cancel Job"),),)))
    late = await person.until(lambda: person.find("late"))
    await person.press(late, cancel)
    [answer] = await person.until(lambda: private(person))
    assert answer["embeds"][0]["title"] == "Already finished"


async def test_cancelling_a_failed_job_says_that_it_failed(
    live: Studio, easel: Easel, person: Member
) -> None:
    _, job = await ordered(person, easel)
    await easel.fail(job)
    failed = await person.until(lambda: person.find(having="reroll"))
    await menu(person, "Cancel Job", failed)
    [answer] = await person.until(lambda: [m for m in private(person) if m["embeds"]])
    assert answer["embeds"][0]["title"] == "Already failed"


async def test_only_the_owner_and_moderators_cancel(live: Studio, person: Member) -> None:
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    cancel = labelled(waiting, "Cancel Job")
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        await other.press(waiting, cancel)
        [answer] = await other.until(lambda: private(other))
        assert answer["embeds"][0]["title"] == "Not yours"
        guild = live.facts["guild_id"]
        role = live.playground.admin.add_role(guild, "mods", int(Permission.MANAGE_MESSAGES))
        live.playground.admin.add_member(guild, friend.id, roles=(role.id,))
        await other.press(waiting, cancel)
        await person.until(lambda: person.find("(Stopped)"))


async def test_show_posts_an_own_job_again_with_working_buttons_and_tells_the_seed(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox --seed 42")
    nonce = await person.command("show", job_id=job_of(grid))
    await person.until(lambda: private(person))
    again = await person.until(
        lambda: next(
            (m for m in person.messages.values() if m["id"] != grid["id"] and "reroll" in str(m)), None
        )
    )
    assert again["content"] == grid["content"]
    assert custom_ids(again) == custom_ids(grid)
    assert await person.download(again) == await person.download(grid)
    [details] = private(person)
    assert "**Seed**: `42`" in details["content"]
    await person.press(again, f"MJ::JOB::upsample::4::{job_of(grid)}")
    await person.until(lambda: person.find("Image #4"))
    assert nonce


async def test_delete_asks_first_and_then_forgets_job_pictures_and_messages(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    await person.command("show", job_id=job_of(grid))
    await person.until(lambda: private(person))
    [details] = private(person)
    await person.press(details, labelled(details, "Delete"))
    sure = await person.until(lambda: person.find("for good?"))
    await person.press(sure, labelled(sure, "Delete for good"))
    await person.until(lambda: person.find("Deleted."))
    await person.until(lambda: [m for m in person.messages.values() if m["attachments"]] == [])
    try:
        await live.desk.get(job_of(grid))
    except JobNotFound:
        return
    raise AssertionError("the job is still there")


async def test_show_refuses_other_peoples_jobs_and_nonsense(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    nonce = await person.command("show", job_id="what?")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["title"] == "Job not found"
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        nonce = await other.command("show", job_id=job_of(grid))
        answer = await other.until(lambda: other.answer(nonce))
    assert answer["embeds"][0]["title"] == "Not yours"


async def test_show_of_a_job_under_way_points_at_its_message(
    live: Studio, easel: Easel, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    nonce = await person.command("show", job_id=job_of(waiting))
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert waiting["id"] in answer["embeds"][0]["description"]


async def test_info_tells_usage_and_what_runs(live: Studio, easel: Easel, person: Member) -> None:
    await drawn(easel, person, "a fox")
    nonce = await person.command("imagine", prompt="a hen")
    waiting = await person.until(lambda: person.answer(nonce))
    await easel.take()
    nonce = await person.command("info")
    answer = await person.until(lambda: person.answer(nonce))
    [embed] = answer["embeds"]
    assert embed["title"] == f"Your info - {person.user['username']}"
    assert "**Lifetime Usage**: 1 image (" in embed["description"]
    assert "**Queued Jobs (fast)**: 0" in embed["description"]
    assert waiting["id"] in embed["description"].split("**Running Jobs**")[1]


async def test_help_explains_a_parameter_from_the_table(live: Studio, person: Member) -> None:
    nonce = await person.command("help", parameter="--ar")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert answer["embeds"][0]["title"] == "--aspect"
    assert "1:14 to 14:1" in answer["embeds"][0]["description"]
    nonce = await person.command("help")
    answer = await person.until(lambda: person.answer(nonce))
    assert "`--seed`" in answer["embeds"][0]["description"]


async def test_a_cross_stops_a_running_job_and_deletes_a_finished_one(
    live: Studio, easel: Easel, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    await react(person, waiting["id"], "❌")
    await person.until(lambda: person.find("(Stopped)"))
    grid = await drawn(easel, person, "a hen")
    await react(person, grid["id"], "❌")
    await person.until(lambda: grid["id"] not in person.messages)
    assert [job.state for job in await live.desk.recent()] == [JobState.CANCELLED]


async def test_an_envelope_sends_pictures_seed_and_id_to_the_owner(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox --seed 42")
    await react(person, grid["id"], "✉️")
    sent = await person.until(lambda: person.find("**seed** 42"))
    assert sent["content"] == f"**a fox --seed 42**\n**Job ID**: {job_of(grid)}\n**seed** 42"
    assert len(sent["attachments"]) == 4


async def test_the_menu_sends_results_and_cancels(live: Studio, easel: Easel, person: Member) -> None:
    grid = await drawn(easel, person, "a fox --seed 42")
    await menu(person, "DM Results", grid)
    await person.until(lambda: person.find("**seed** 42"))
    await person.until(lambda: person.find("Sent you a direct message."))
    nonce = await person.command("imagine", prompt="a hen")
    waiting = await person.until(lambda: person.answer(nonce))
    await menu(person, "Cancel Job", waiting)
    await person.until(lambda: person.find("(Stopped)"))


async def react(person: Member, message_id: str, emoji: str) -> None:
    path = f"/channels/{person.channel_id}/messages/{message_id}/reactions/{quote(emoji)}/@me"
    await person.rest("PUT", path)
    await asyncio.sleep(0)
