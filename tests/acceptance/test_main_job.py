"""The main job through real processes: type, watch, press."""

import asyncio
import io
import re
import time

import pytest
from PIL import Image, ImageChops

from tests.acceptance.member import Member, Message, button, custom_ids
from tests.acceptance.stage import Stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

EPHEMERAL = 64
RED = 0xED4245


async def picture(person: Member, message: Message) -> Image.Image:
    return Image.open(io.BytesIO(await person.download(message))).convert("RGB")


def cell(grid: Image.Image, number: int) -> Image.Image:
    width, height = grid.width // 2, grid.height // 2
    left, top = (number - 1) % 2 * width, (number - 1) // 2 * height
    return grid.crop((left, top, left + width, top + height))


def identical(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


@pytest.fixture(scope="module")
def prompt() -> str:
    return "a red fox::2 on a blue background --no hat --seed 42 --quality 2"


async def the_grid(person: Member) -> Message:
    found = person.find("red fox::2", having="MJ::JOB::reroll")
    return found or await person.imagine("a red fox::2 on a blue background --no hat --seed 42 --quality 2")


async def test_imagine_is_answered_at_once_then_shows_percentages_then_posts_a_new_grid(
    person: Member, prompt: str
) -> None:
    started = time.monotonic()
    nonce = await person.command("imagine", prompt=prompt)
    waiting = await person.until(lambda: person.answer(nonce))
    assert time.monotonic() - started < 5  # a generous bound; the benchmark has the figure
    mention = f"<@{person.user['id']}>"
    assert waiting["content"].startswith("**a red fox::2 on a blue background")
    assert f"** - {mention} (Waiting to start)" in waiting["content"]
    assert custom_ids(waiting)[0].startswith("MJ::CancelJob::ByJobid::")
    grid = await person.until(lambda: person.find("red fox::2", having="MJ::JOB::reroll"))
    assert grid["id"] != waiting["id"]
    assert f"** - {mention} (fast)" in grid["content"]
    await person.until(lambda: waiting["id"] not in person.messages)
    edits = [m for kind, m in person.seen if kind == "MESSAGE_UPDATE" and m["id"] == waiting["id"]]
    percentages = [int(p) for m in edits for p in re.findall(r"\((\d+)%\) \(fast\)", m["content"])]
    assert percentages, "no progress was shown"
    assert percentages == sorted(percentages)
    assert any(m["attachments"] for m in edits), "no preview was shown"


async def test_a_grid_carries_the_buttons_of_midjourney(person: Member) -> None:
    grid = await the_grid(person)
    job = button(grid, "MJ::JOB::reroll").split("::")[4]
    upsamples = [f"MJ::JOB::upsample::{n}::{job}" for n in range(1, 5)]
    variations = [f"MJ::JOB::variation::{n}::{job}" for n in range(1, 5)]
    assert custom_ids(grid) == [*upsamples, f"MJ::JOB::reroll::0::{job}::SOLO", *variations]
    assert grid["attachments"][0]["filename"].endswith(f"{job}.png")
    assert (await picture(person, grid)).size == (256, 256)


async def test_u2_posts_the_very_cell_as_a_reply(person: Member) -> None:
    grid = await the_grid(person)
    await person.press(grid, button(grid, "MJ::JOB::upsample::2"))
    single = await person.until(lambda: person.find("Image #2", having="upsample_v6r1_2x_subtle"))
    assert single["message_reference"]["message_id"] == grid["id"]
    assert [i.split("::")[2] for i in custom_ids(single)] == [
        "upsample_v6r1_2x_subtle",
        "low_variation",
        "high_variation",
    ]
    assert identical(await picture(person, single), cell(await picture(person, grid), 2))


async def test_upscale_doubles_the_picture_by_more_than_stretching_it(person: Member) -> None:
    grid = await the_grid(person)
    await person.press(grid, button(grid, "MJ::JOB::upsample::4"))
    single = await person.until(lambda: person.find("Image #4", having="upsample_v6r1_2x_subtle"))
    await person.press(single, button(single, "MJ::JOB::upsample_v6r1_2x_subtle"))
    large = await person.until(lambda: person.find("Upscaled (Subtle) by", having="high_variation"))
    assert large["message_reference"]["message_id"] == single["id"]
    small, big = await picture(person, single), await picture(person, large)
    assert big.size == (small.width * 2, small.height * 2)
    stretched = small.resize(big.size, Image.Resampling.BICUBIC)
    assert not identical(big, stretched)
    back = big.resize(small.size, Image.Resampling.BOX)
    difference = ImageChops.difference(back, small).convert("L")
    mean = sum(i * n for i, n in enumerate(difference.histogram())) / (small.width * small.height)
    assert mean < 12  # the same picture, of 255


async def test_v3_posts_four_pictures_near_cell_three(person: Member) -> None:
    grid = await the_grid(person)
    await person.press(grid, button(grid, "MJ::JOB::variation::3"))
    varied = await person.until(lambda: person.find("Variations (Strong) by", having="MJ::JOB::variation"))
    assert varied["message_reference"]["message_id"] == grid["id"]
    result = await picture(person, varied)
    cells = [cell(result, n) for n in range(1, 5)]
    assert not identical(cells[0], cells[1])
    assert not identical(cells[0], cell(await picture(person, grid), 3))


async def test_reroll_draws_again_with_a_new_seed(person: Member) -> None:
    grid = await the_grid(person)
    await person.press(grid, button(grid, "MJ::JOB::reroll"))
    again = await person.until(
        lambda: next(
            (
                m
                for m in person.messages.values()
                if m.get("message_reference", {}).get("message_id") == grid["id"]
                and any("reroll" in i for i in custom_ids(m))
                and "Variations" not in m["content"]
            ),
            None,
        )
    )
    assert "--seed 42" not in again["content"]
    assert not identical(await picture(person, grid), await picture(person, again))


async def test_the_same_command_with_a_seed_draws_the_same_picture(person: Member) -> None:
    first = await person.imagine("one apple --seed 11 --q .5")
    person.messages.pop(first["id"])
    second = await person.imagine("one apple --seed 11 --q .5")
    assert first["id"] != second["id"]
    assert identical(await picture(person, first), await picture(person, second))


async def test_a_wrong_prompt_gets_a_private_red_embed_and_queues_nothing(
    person: Member, running: Stage
) -> None:
    before = running.rows("SELECT count(*) FROM jobs")
    nonce = await person.command("imagine", prompt="a fox --qualty 2 --seed many")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & EPHEMERAL
    (embed,) = answer["embeds"]
    assert embed["color"] == RED
    assert embed["footer"]["text"] == "/imagine a fox --qualty 2 --seed many"
    assert "--quality" in embed["description"]
    assert "--seed" in embed["description"]
    assert "^" in embed["description"]
    assert running.rows("SELECT count(*) FROM jobs") == before


async def test_cancel_job_works_while_running(person: Member) -> None:
    nonce = await person.command("imagine", prompt="a slow mountain --q 5 --seed 3")
    waiting = await person.until(lambda: person.answer(nonce))
    await person.until(lambda: "%)" in person.messages[waiting["id"]]["content"])
    await person.press(waiting, button(waiting, "MJ::CancelJob"))
    await person.until(lambda: "(Stopped)" in person.messages[waiting["id"]]["content"])
    assert not custom_ids(person.messages[waiting["id"]])


async def test_several_prompts_at_once_all_arrive(person: Member) -> None:
    await asyncio.gather(*(person.command("imagine", prompt=f"crowd {n} of cats --q .5") for n in range(6)))
    for n in range(6):
        await person.until(lambda n=n: person.find(f"crowd {n} of", having="MJ::JOB::reroll"))
