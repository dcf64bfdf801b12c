"""The main scenarios of `tests/bot`, run against an independent double of Discord."""

import discord
import pytest

from bot.outlet import custom_ids
from tests.bot.easel import picture
from tests.simcord.stage import Stage

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_imagine_shows_waiting_then_progress_then_a_new_message_with_the_grid(stage: Stage) -> None:
    async with stage.open():
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox --seed 42")
        assert result.response is not None
        first = result.response.content.split("\n")[0]
        assert first == f"**a fox --seed 42** - <@{stage.alice.id}> (Waiting to start)"
        job = await stage.easel.take()
        await stage.easel.show(job, 0.31, preview=picture(1, kind="WEBP"))
        edited = await stage.until(lambda: stage.shown("(31%) (fast)"))
        assert edited.id == result.response.id
        assert [attachment.filename for attachment in edited.attachments] == [f"{job.id}_grid_0.webp"]
        await stage.easel.finish(job)
        grid = await stage.until(lambda: stage.shown(having="MJ::JOB::reroll"))
        assert grid.content == f"**a fox --seed 42** - <@{stage.alice.id}> (fast)"
        assert grid.attachments[0].filename == f"alice_a_fox_{job.id}.png"
        assert len(list(custom_ids(grid))) == 9
        await stage.until(lambda: stage.shown("(31%)") is None)


async def test_u_and_v_answer_with_replies(stage: Stage) -> None:
    async with stage.open():
        grid = await drawn(stage, "a fox")
        await stage.alice.click(grid, custom_id=custom(grid, "upsample::2"))
        single = await stage.until(lambda: stage.shown("Image #2"))
        assert single.reference is not None
        assert single.reference.message_id == grid.id
        result = await stage.alice.click(grid, custom_id=custom(grid, "variation::3"))
        assert result.response is not None
        assert result.response.content.startswith("Making variations for image #3 with prompt **a fox** - <@")
        await stage.easel.finish(await stage.easel.take())
        await stage.until(lambda: stage.shown("Variations (Strong) by", having="MJ::JOB::reroll"))


async def test_cancel_stops_the_job_and_its_message_stays(stage: Stage) -> None:
    async with stage.open():
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
        assert result.response is not None
        await stage.alice.click(result.response.message, label="Cancel Job")
        stopped = await stage.until(lambda: stage.shown("(Stopped)"))
        assert stopped.id == result.response.id
        assert stopped.components == []


async def test_a_wrong_prompt_is_refused_privately_and_can_be_put_right(stage: Stage) -> None:
    async with stage.open():
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox --seeed 42")
        assert result.ephemeral
        assert result.response is not None
        [embed] = result.response.embeds
        assert embed.title == "Invalid parameter"
        assert embed.footer.text == "/imagine a fox --seeed 42"
        fixed = await stage.alice.click(result.response.message, label="Fix and run")
        assert fixed.response is not None
        assert fixed.response.content.startswith("**a fox --seed 42** - <@")


async def test_old_buttons_work_after_a_restart(stage: Stage) -> None:
    async with stage.open():
        grid = await drawn(stage, "a fox")
        await stage.env.restart_bot(stage.bot())
        async with stage.courier():
            await stage.alice.click(grid, custom_id=custom(grid, "upsample::1"))
            await stage.until(lambda: stage.shown("Image #1"))


async def test_show_info_and_help_answer(stage: Stage) -> None:
    async with stage.open():
        grid = await drawn(stage, "a fox --seed 42")
        job_id = custom(grid, "upsample::1").split("::")[-1]
        choices = await stage.alice.autocomplete(stage.channel, "show", "job_id", "fox")
        assert [choice["value"] for choice in choices] == [job_id]
        result = await stage.alice.slash(stage.channel, "show", job_id=job_id)
        assert "**Seed**: `42`" in result.followups[0].content
        assert (await stage.alice.slash(stage.channel, "info")).ephemeral
        assert (await stage.alice.slash(stage.channel, "help", parameter="seed")).ephemeral


async def test_a_lesson_is_private_applied_and_drawn(stage: Stage) -> None:
    async with stage.open():
        choices = await stage.alice.autocomplete(stage.channel, "imagine", "prompt", "a fox --seeed 4")
        assert choices[0]["value"] == "a fox --seed 4"
        result = await stage.alice.slash(stage.channel, "coach", prompt="a man without a hat")
        assert result.ephemeral
        assert result.response is not None
        applied = await stage.alice.click(result.response.message, label="Apply: --no hat")
        assert applied.response is not None
        [embed] = applied.response.embeds
        assert embed.footer.text == "/imagine a man --no hat"
        ordered = await stage.alice.click(applied.response.message, label="Imagine")
        assert ordered.response is not None
        assert ordered.response.content.startswith("**a man --no hat** - <@")


async def drawn(stage: Stage, prompt: str) -> discord.Message:
    await stage.alice.slash(stage.channel, "imagine", prompt=prompt)
    await stage.easel.finish(await stage.easel.take())
    return await stage.until(lambda: stage.shown(having="MJ::JOB::reroll"))


def custom(message: discord.Message, part: str) -> str:
    return next(each for each in custom_ids(message) if part in each)
