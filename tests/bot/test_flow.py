"""From a typed command to the grid and the buttons under it, over real sockets."""

import pytest

from tests.acceptance.member import Member, custom_ids
from tests.bot.easel import Easel, picture
from tests.bot.studio import Studio, blue, drawn, job_of
from worker.api import Upscale, Vary


async def test_imagine_shows_waiting_then_progress_then_a_new_message_with_the_grid(
    live: Studio, easel: Easel, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a red fox::2 on snow --no hat --seed 42")
    waiting = await person.until(lambda: person.answer(nonce))
    mention = f"<@{person.user['id']}>"
    assert waiting["content"].split("\n")[0] == (
        f"**a red fox::2 on snow --no hat --seed 42** - {mention} (Waiting to start)"
    )
    job = await easel.take()
    assert custom_ids(waiting) == [f"MJ::CancelJob::ByJobid::{job.id}"]
    await easel.show(job, 0.31, preview=picture(5, kind="WEBP"))
    edited = await person.until(lambda: person.find("(31%)"))
    assert edited["content"] == f"**a red fox::2 on snow --no hat --seed 42** - {mention} (31%) (fast)"
    assert edited["id"] == waiting["id"]
    assert edited["attachments"][0]["filename"] == f"{job.id}_grid_0.webp"
    names = await easel.finish(job)
    grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    assert grid["content"] == f"**a red fox::2 on snow --no hat --seed 42** - {mention} (fast)"
    assert grid["attachments"][0]["filename"] == f"{person.user['username']}_a_red_fox_2_on_snow_{job.id}.png"
    assert await person.download(grid) == await live.desk.picture(names[0])
    assert custom_ids(grid) == [
        *(f"MJ::JOB::upsample::{n}::{job.id}" for n in range(1, 5)),
        f"MJ::JOB::reroll::0::{job.id}::SOLO",
        *(f"MJ::JOB::variation::{n}::{job.id}" for n in range(1, 5)),
    ]
    labels = [
        item.get("label") or item["emoji"]["name"] for row in grid["components"] for item in row["components"]
    ]
    assert labels == ["U1", "U2", "U3", "U4", "🔄", "V1", "V2", "V3", "V4"]
    assert [user["id"] for user in grid["mentions"]] == [person.user["id"]]
    await person.until(lambda: waiting["id"] not in person.messages)


async def test_u_posts_the_very_cell_as_a_reply_and_turns_its_button_blue(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    job = await live.desk.get(job_of(grid))
    await person.press(grid, f"MJ::JOB::upsample::2::{job.id}")
    single = await person.until(lambda: person.find("Image #2"))
    assert single["content"] == f"**a fox** - Image #2 <@{person.user['id']}>"
    assert single["message_reference"]["message_id"] == grid["id"]
    assert await person.download(single) == await live.desk.picture(job.files[2])
    made = job_of(single)
    assert custom_ids(single) == [
        f"MJ::JOB::upsample_v6r1_2x_subtle::1::{made}::SOLO",
        f"MJ::JOB::low_variation::1::{made}::SOLO",
        f"MJ::JOB::high_variation::1::{made}::SOLO",
    ]
    assert [item["label"] for row in single["components"] for item in row["components"]] == [
        "Upscale (Subtle)",
        "Vary (Subtle)",
        "Vary (Strong)",
    ]
    await person.until(lambda: blue(person.messages[grid["id"]]) == ["U2"])
    assert [user["id"] for user in person.messages[grid["id"]]["mentions"]] == [person.user["id"]]


async def test_v_announces_variations_replies_and_names_them(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox --relax")
    nonce = await person.press(grid, f"MJ::JOB::variation::3::{job_of(grid)}")
    waiting = await person.until(lambda: person.answer(nonce))
    mention = f"<@{person.user['id']}>"
    announced = f"Making variations for image #3 with prompt **a fox --relax** - {mention} (Waiting to start)"
    assert waiting["content"].split("\n")[0] == announced
    assert waiting["message_reference"]["message_id"] == grid["id"]
    job = await easel.take()
    await easel.show(job, 0.46, preview=picture(5, kind="WEBP"))
    shown = await person.until(lambda: person.find("(46%)"))
    assert shown["content"] == f"**a fox --relax** - Variations (Strong) by {mention} (46%) (relaxed)"
    await easel.finish(job)
    result = await person.until(lambda: person.find(having=f"reroll::0::{job.id}"))
    assert result["content"] == f"**a fox --relax** - Variations (Strong) by {mention} (relaxed)"
    assert result["message_reference"]["message_id"] == grid["id"]
    await person.until(lambda: blue(person.messages[grid["id"]]) == ["V3"])


async def test_upscale_and_subtle_variations_start_from_the_single_picture(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    await person.press(grid, f"MJ::JOB::upsample::1::{job_of(grid)}")
    single = await person.until(lambda: person.find("Image #1"))
    nonce = await person.press(single, f"MJ::JOB::upsample_v6r1_2x_subtle::1::{job_of(single)}::SOLO")
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("Upscaling image #1 with **a fox** - <@")
    job = await easel.take()
    await easel.show(job, 0.31, preview=picture(5, kind="WEBP"))
    await person.until(lambda: person.find(f"**a fox** - Upscaling by <@{person.user['id']}> (31%)"))
    await easel.finish(job)
    large = await person.until(lambda: person.find("Upscaled (Subtle) by"))
    assert [custom_id.split("::")[2] for custom_id in custom_ids(large)] == [
        "low_variation",
        "high_variation",
    ]
    await person.press(large, f"MJ::JOB::low_variation::1::{job_of(large)}::SOLO")
    await easel.finish(await easel.take())
    await person.until(lambda: person.find("Variations (Subtle) by", having="MJ::JOB::reroll"))


async def test_anyone_may_press_and_the_result_mentions_who_pressed(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        message = await other.rest("GET", f"/channels/{other.channel_id}/messages/{grid['id']}")
        await other.press(message, f"MJ::JOB::reroll::0::{job_of(grid)}::SOLO")
        job = await easel.take()
        assert job.owner_id == int(friend.id)
        await easel.finish(job)
        result = await person.until(lambda: person.find(f"<@{friend.id}> (fast)"))
    assert [user["id"] for user in result["mentions"]] == [friend.id]


async def test_a_prompt_pings_nobody_but_its_author_and_keeps_its_asterisks(
    live: Studio, easel: Easel, person: Member
) -> None:
    friend = live.playground.admin.add_user("friend")
    await person.command("imagine", prompt=f"@everyone <@{friend.id}> a **bold** [link](x)")
    await easel.finish(await easel.take())
    grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    assert not grid["mention_everyone"]
    assert [user["id"] for user in grid["mentions"]] == [person.user["id"]]
    assert r"a \*\*bold\*\* \[link\](x)" in grid["content"]


async def test_with_no_worker_the_job_is_taken_and_the_message_says_so(live: Studio, person: Member) -> None:
    live.easel.leave()
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    assert "The artist is away" in waiting["content"]
    assert [job.state for job in await live.desk.recent()] == ["queued"]


async def test_waiting_messages_tell_the_place_in_line(live: Studio, person: Member) -> None:
    await person.command("imagine", prompt="first")
    nonce = await person.command("imagine", prompt="second")
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].split("\n")[1].startswith("-# ")
    assert "in line" in waiting["content"]


async def test_a_long_prompt_is_cut_at_a_word_and_comes_whole_as_a_file(
    live: Studio, easel: Easel, person: Member
) -> None:
    prompt = " ".join(["fox*"] * 900)
    nonce = await person.command("imagine", prompt=prompt)
    waiting = await person.until(lambda: person.answer(nonce))
    assert len(waiting["content"]) <= 2000
    assert "fox\\*…** - <@" in waiting["content"]
    await easel.finish(await easel.take())
    grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    assert len(grid["content"]) <= 2000
    assert [a["filename"] for a in grid["attachments"]][1] == "prompt.txt"
    async with person._http.get(grid["attachments"][1]["url"]) as answer:
        assert (await answer.text()) == f"/imagine {prompt}"


@pytest.mark.parametrize(
    ("button", "order"),
    [
        ("upsample_v6r1_2x_subtle::1::{job}::SOLO", Upscale),
        ("low_variation::1::{job}::SOLO", Vary),
        ("high_variation::1::{job}::SOLO", Vary),
    ],
)
async def test_trying_a_failed_step_again_orders_the_same_step(
    live: Studio, person: Member, button: str, order: type[Upscale] | type[Vary]
) -> None:
    grid = await drawn(live.easel, person, "a fox")
    await person.press(grid, f"MJ::JOB::upsample::1::{job_of(grid)}")
    single = await person.until(lambda: person.find("Image #1"))
    await person.press(single, "MJ::JOB::" + button.format(job=job_of(single)))
    first = await live.easel.take()
    await live.easel.fail(first)
    failed = await person.until(lambda: next((m for m in person.messages.values() if m["embeds"]), None))
    await person.press(failed, f"MJ::JOB::reroll::0::{first.id}::SOLO")
    again = await live.easel.take()
    assert isinstance(again.order, order)
    assert again.order == first.order
    assert again.id != first.id
