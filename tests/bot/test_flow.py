"""From a typed command to the grid and the buttons under it, over real sockets."""

from tests.acceptance.member import Member, custom_ids
from tests.bot.easel import Easel, picture
from tests.bot.studio import Studio


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
    await easel.show(job, 0.31, preview=picture(5, format="WEBP"))
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
