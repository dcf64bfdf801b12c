"""What dies or fails on the way loses nothing and shows nothing twice."""

import io

import pytest
from PIL import Image, ImageChops

from tests.acceptance.member import Member, Message, button
from tests.acceptance.stage import Stage

pytestmark = pytest.mark.timeout(300)  # processes that start and die on a busy machine

SLOW = "--q 5"  # long enough to be killed in the middle


def results(member: Member, *words: str) -> list[Message]:
    created = [m for kind, m in member.seen if kind == "MESSAGE_CREATE"]
    return [
        m
        for m in created
        if all(w in m["content"] for w in words) and any("reroll" in str(r) for r in m.get("components", []))
    ]


async def pixels(member: Member, message: Message) -> Image.Image:
    return Image.open(io.BytesIO(await member.download(message))).convert("RGB")


async def test_a_worker_killed_mid_job_costs_nothing_but_time(stage: Stage, member: Member) -> None:
    bot = await stage.bot()
    worker = await stage.worker()
    calm = await member.imagine(f"a fox on a blue background {SLOW} --seed 5")
    nonce = await member.command("imagine", prompt=f"a fox on a blue background {SLOW} --seed 5 --relax")
    waiting = await member.until(lambda: member.answer(nonce))
    await member.until(lambda: "%)" in member.messages[waiting["id"]]["content"])
    worker.kill()
    await worker.process.wait()
    await member.until(lambda: "(Waiting to start)" in member.messages[waiting["id"]]["content"])
    await stage.worker()
    killed = await member.until(lambda: member.find("a fox", "(relaxed)", having="MJ::JOB::reroll"))
    assert len(results(member, "a fox", "(relaxed)")) == 1
    difference = ImageChops.difference(await pixels(member, calm), await pixels(member, killed))
    assert max(high for _, high in difference.getextrema()) <= 1  # of 255
    assert bot.peak_megabytes() < 150


async def test_a_bot_killed_mid_job_shows_the_result_once_and_its_old_buttons_work(
    stage: Stage, member: Member
) -> None:
    bot = await stage.bot()
    await stage.worker()
    old = await member.imagine("one apple --q .5 --seed 1")
    nonce = await member.command("imagine", prompt=f"two bananas {SLOW}")
    waiting = await member.until(lambda: member.answer(nonce))
    await member.until(lambda: "%)" in member.messages[waiting["id"]]["content"])
    bot.kill()
    await bot.process.wait()
    await stage.bot()
    await member.until(lambda: member.find("two bananas", having="MJ::JOB::reroll"))
    await member.until(lambda: waiting["id"] not in member.messages)
    await member.press(old, button(old, "MJ::JOB::upsample::1"))
    await member.until(lambda: member.find("Image #1", having="upsample_v6r1_2x_subtle"))
    assert len(results(member, "two bananas")) == 1


async def test_jobs_wait_for_an_absent_worker_and_can_be_cancelled_meanwhile(
    stage: Stage, member: Member
) -> None:
    await stage.bot()
    kept = await member.command("imagine", prompt="a cat --q .25")
    dropped = await member.command("imagine", prompt="a dog --q .25")
    first = await member.until(lambda: member.answer(kept))
    assert "away" in first["content"]
    second = await member.until(lambda: member.answer(dropped))
    await member.press(second, button(second, "MJ::CancelJob"))
    await member.until(lambda: "(Stopped)" in member.messages[second["id"]]["content"])
    await stage.worker()
    await member.until(lambda: member.find("a cat", having="MJ::JOB::reroll"))
    assert not results(member, "a dog")


async def test_a_second_bot_on_the_same_data_folder_is_refused_in_one_sentence(stage: Stage) -> None:
    await stage.bot()
    second = await stage.start("bot", "--data", str(stage.data))
    assert await second.process.wait() == 1
    assert len(second.said().strip().splitlines()) == 1
    assert "already" in second.said()
    assert "Traceback" not in second.said()


async def test_everything_ends_cleanly_when_asked(stage: Stage, member: Member) -> None:
    bot = await stage.bot()
    worker = await stage.worker()
    nonce = await member.command("imagine", prompt=f"a dog {SLOW}")
    waiting = await member.until(lambda: member.answer(nonce))
    await member.until(lambda: "%)" in member.messages[waiting["id"]]["content"])
    assert await worker.stop(seconds=10) == 0
    assert await bot.stop(seconds=10) == 0
    assert stage.rows("SELECT state, attempt - spared FROM jobs") == [("queued", 0)]
    for part in (bot, worker):
        assert "Traceback" not in part.said()
