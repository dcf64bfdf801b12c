"""Discord fails, the bot dies, places vanish: nothing is lost, nothing is shown twice."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import structlog
from PIL import Image

from bot import reconnecting
from bot.metrics import is_connected
from playground.faults import Fault, FaultKind
from playground.interaction_payload import payload
from playground.models import Facts
from playground.permissions import Permission
from playground.server import Playground
from tests.acceptance.member import Member, custom_ids
from tests.bot.easel import Easel, picture
from tests.bot.studio import QUICK, Studio, drawn, grids, job_of, ordered, private, settled
from worker.api import ErrorCode, Job, Rejected

RESULTS = "/channels/*/messages"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.RATE_LIMIT, method="POST", route=RESULTS, count=2),
        Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=RESULTS),
        Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=RESULTS, after_store=True),
        Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=RESULTS, status=503, after_store=True),
        Fault(kind=FaultKind.TIMEOUT, method="POST", route=RESULTS, after_store=True),
        Fault(kind=FaultKind.TIMEOUT, method="POST", route=RESULTS),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}{'-after' if fault.after_store else ''}",
)
async def test_a_result_appears_once_whatever_becomes_of_its_post(studio: Studio, fault: Fault) -> None:
    pace = QUICK.model_copy(update={"call": 2.0})
    async with studio.running(pace), studio.member() as person:
        waiting, job = await ordered(person, studio.easel)
        studio.playground.faults.add(fault)
        await studio.easel.finish(job)
        await person.until(lambda: waiting["id"] not in person.messages)
        await settled(studio)
        assert len(grids(person)) == 1


async def test_one_jobs_trouble_holds_up_no_other(live: Studio, easel: Easel, person: Member) -> None:
    other_channel = live.playground.admin.add_channel("elsewhere")
    stuck = Fault(
        kind=FaultKind.SERVER_ERROR,
        method="POST",
        route=f"/channels/{person.channel_id}/messages",
        count=None,
    )
    _, first = await ordered(person, easel)
    person.channel_id, here = other_channel.id, person.channel_id
    _, second = await ordered(person, easel, "a hen")
    live.playground.faults.add(stuck.model_copy(update={"status": 503}))
    await easel.finish(first)
    await easel.finish(second)
    grid = await person.until(lambda: person.find("a hen", having="MJ::JOB::reroll"))
    assert grid["channel_id"] == other_channel.id
    assert person.find("a fox", having="MJ::JOB::reroll") is None
    live.playground.faults.clear()
    grid = await person.until(lambda: person.find("a fox", having="MJ::JOB::reroll"))
    assert grid["channel_id"] == here


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_dropped_gateway_changes_nothing(
    live: Studio, easel: Easel, person: Member, resumable: bool
) -> None:
    waiting, job = await ordered(person, easel)
    event = "resumed" if resumable else "ready"
    back = asyncio.create_task(live.bot.wait_for(event, timeout=20))
    await asyncio.sleep(0)  # so that it listens
    live.playground.admin.drop_gateway(user_id=live.facts["bot_user_id"], resumable=resumable)
    await easel.finish(job)
    grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    await back
    await person.press(grid, f"MJ::JOB::upsample::1::{job.id}")
    await person.until(lambda: person.find("Image #1"))
    assert waiting["id"] not in person.messages
    assert len(grids(person)) == 1


async def test_a_deleted_progress_message_costs_nothing_but_progress(
    live: Studio, easel: Easel, person: Member
) -> None:
    waiting, job = await ordered(person, easel)
    live.playground.admin.delete_message(person.channel_id, waiting["id"])
    await easel.show(job, 0.5, preview=picture(1, kind="WEBP"))
    await easel.finish(job)
    await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    await settled(live)
    assert len(grids(person)) == 1


async def test_a_deleted_source_message_does_not_keep_its_result_away(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    await person.press(grid, f"MJ::JOB::variation::1::{job_of(grid)}")
    job = await easel.take()
    live.playground.admin.delete_message(person.channel_id, grid["id"])
    await easel.finish(job)
    await person.until(lambda: person.find("Variations (Strong) by", having=f"reroll::0::{job.id}"))


async def test_without_permission_the_order_is_refused_naming_it(live: Studio, person: Member) -> None:
    live.playground.admin.deny_bot(person.channel_id, Permission.ATTACH_FILES)
    nonce = await person.command("imagine", prompt="a fox")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["title"] == "I cannot post here"
    assert "Attach Files" in answer["embeds"][0]["description"]
    assert await live.desk.recent() == []


async def test_a_permission_lost_on_the_way_is_told_privately_and_show_brings_the_picture(
    live: Studio, easel: Easel, person: Member
) -> None:
    _, job = await ordered(person, easel)
    live.playground.admin.deny_bot(person.channel_id, Permission.SEND_MESSAGES)
    await easel.finish(job)
    await person.until(lambda: private(person))
    [told] = private(person)
    assert told["embeds"][0]["title"] == "Your picture is ready, but I could not post it"
    assert job.id in told["embeds"][0]["description"]
    await settled(live)
    post = await live.settings.post(job.id)
    assert post is not None
    assert post.trouble == "forbidden"
    await person.command("show", job_id=job.id)
    await person.until(lambda: person.find(having=f"reroll::0::{job.id}"))


async def test_a_channel_that_vanished_is_told_by_direct_message(
    live: Studio, easel: Easel, person: Member
) -> None:
    channel = live.playground.admin.add_channel("short-lived")
    person.channel_id = channel.id
    _, job = await ordered(person, easel)
    live.playground.admin.delete_channel(channel.id)
    await easel.finish(job)
    told = await person.until(lambda: next((m for m in person.messages.values() if m["embeds"]), None))
    assert job.id in told["embeds"][0]["description"]
    assert told["channel_id"] != channel.id
    await settled(live)


async def test_the_same_interaction_twice_is_one_job_and_one_result(
    live: Studio, easel: Easel, person: Member
) -> None:
    waiting, job = await ordered(person, easel)
    core = live.playground.core
    [row] = core.world.interactions
    core.events.to_user(live.facts["bot_user_id"], "INTERACTION_CREATE", payload(core, row))
    await easel.finish(job)
    await person.until(lambda: waiting["id"] not in person.messages)
    await settled(live)
    assert len(await live.desk.recent()) == 1
    assert len(grids(person)) == 1
    assert private(person) == []


async def test_a_picture_too_large_for_the_channel_comes_smaller(
    live: Studio, easel: Easel, person: Member
) -> None:
    noise = Random(1).randbytes(2000 * 2000 * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (2000, 2000), noise).save(buffer, "PNG", compress_level=0)
    _, job = await ordered(person, easel)
    await easel.finish(job, grid=buffer.getvalue())
    grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    assert grid["attachments"][0]["filename"].endswith(f"{job.id}.webp")
    body = await person.download(grid)
    assert Image.open(io.BytesIO(body)).size == (2000, 2000)


async def test_a_failed_job_says_why_and_can_be_tried_again(
    live: Studio, easel: Easel, person: Member
) -> None:
    waiting, job = await ordered(person, easel)
    await easel.fail(job, ErrorCode.OUT_OF_MEMORY)
    failed = await person.until(lambda: next((m for m in person.messages.values() if m["embeds"]), None))
    assert failed["id"] == waiting["id"]
    assert "not enough memory" in failed["embeds"][0]["description"]
    await person.press(failed, f"MJ::JOB::reroll::0::{job.id}::SOLO")
    await easel.finish(await easel.take())
    await person.until(lambda: person.find(having="MJ::JOB::upsample"))


async def test_a_press_that_discord_keeps_turning_away_does_what_it_says_and_is_no_defect(
    live: Studio, person: Member
) -> None:
    """After all of the library's tries the answer is given up; the job is stopped all the same."""
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    route = "/webhooks/*/*/messages/@original"
    turned_away = Fault(kind=FaultKind.RATE_LIMIT, method="PATCH", route=route, count=6, seconds=0)
    with structlog.testing.capture_logs() as said:
        live.playground.faults.add(turned_away)
        await person.press(waiting, custom_ids(waiting)[0])
        await person.until(lambda: "(Stopped)" in person.messages[waiting["id"]]["content"])
        await settled(live)
    assert "unforeseen" not in [line["event"] for line in said]


# -- the bot dies --------------------------------------------------------------------------------------


async def test_an_answer_that_came_too_late_for_discord_is_no_defect(live: Studio, person: Member) -> None:
    """The job is stopped and says so; that nobody waits for the press's own answer any more is no failure."""
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    callback = "/interactions/*/callback"
    slow = Fault(kind=FaultKind.DELAY, method="POST", route=callback, seconds=0.5, after_store=True)
    with structlog.testing.capture_logs() as said:
        live.playground.faults.add(slow)
        await person.press(waiting, custom_ids(waiting)[0])
        async with asyncio.timeout(20):
            while list(live.playground.faults):  # noqa: ASYNC110 - the playground tells nobody
                await asyncio.sleep(0.01)
        live.playground.clock.advance(1000)
        await person.until(lambda: "(Stopped)" in person.messages[waiting["id"]]["content"])
        await settled(live)
    events = [line["event"] for line in said]
    assert "not answered" in events
    assert "unforeseen" not in events
    assert private(person) == []


async def test_a_press_whose_answer_failed_on_the_way_back_does_what_it_says(
    live: Studio, easel: Easel, person: Member
) -> None:
    """Discord has it, says 500, and at the second try that there is one: the job is stopped all the same."""
    nonce = await person.command("imagine", prompt="a fox")
    waiting = await person.until(lambda: person.answer(nonce))
    callback = "/interactions/*/callback"
    lost = Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=callback, after_store=True)
    with structlog.testing.capture_logs() as said:
        live.playground.faults.add(lost)
        await person.press(waiting, custom_ids(waiting)[0])
        await person.until(lambda: "(Stopped)" in person.messages[waiting["id"]]["content"])
        await settled(live)
    assert "unforeseen" not in [line["event"] for line in said]
    assert private(person) == []


async def test_a_command_whose_promise_failed_on_the_way_back_is_answered(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    callback = "/interactions/*/callback"
    lost = Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=callback, after_store=True)
    live.playground.faults.add(lost)
    await person.command("show", job_id=job_of(grid))
    await person.until(lambda: any("**Seed**" in message["content"] for message in private(person)))
    copies = [m for m in person.messages.values() if m["attachments"] and m["id"] != grid["id"]]
    assert [job_of(copy) for copy in copies] == [job_of(grid)]


async def test_a_bot_that_is_asked_to_stop_while_it_posts_ends_without_a_trace(studio: Studio) -> None:
    slow = Fault(kind=FaultKind.DELAY, method="POST", route=RESULTS, seconds=5)
    with structlog.testing.capture_logs() as said:
        async with studio.running(), studio.member() as person:
            _, job = await ordered(person, studio.easel)
            studio.playground.faults.add(slow)
            await studio.easel.finish(job)
            async with asyncio.timeout(20):
                while list(studio.playground.faults):  # noqa: ASYNC110 - the playground tells nobody
                    await asyncio.sleep(0.01)
    assert [line for line in said if line["log_level"] in {"error", "critical"}] == []
    async with studio.member() as person, studio.running():
        await settled(studio)
        assert len(grids(person)) <= 1


@pytest.fixture(params=[0, 200], ids=["at-once", "minutes-later"])
def later(request: pytest.FixtureRequest, studio: Studio) -> Callable[[], None]:
    """How long the bot is away: within the life of a nonce, and beyond it."""

    def pass_time() -> None:
        studio.playground.clock.advance(request.param)
        studio.skew += request.param

    return pass_time


async def test_killed_between_post_and_record_the_result_is_shown_once(
    studio: Studio, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def never(*args: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with studio.member() as person:
        async with studio.running():
            waiting, job = await ordered(person, studio.easel)
            with monkeypatch.context() as patch:
                patch.setattr(studio.settings, "posted", never)
                await studio.easel.finish(job)
                await reached.wait()
        later()
        async with studio.running():
            await person.until(lambda: waiting["id"] not in person.messages)
            await settled(studio)
        assert len(grids(person)) == 1


async def test_killed_before_the_answer_was_noted_its_message_is_found_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def never(*args: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with studio.member() as person:
        async with studio.running():
            with monkeypatch.context() as patch:
                patch.setattr(studio.settings, "answered", never)
                waiting, job = await ordered(person, studio.easel)
                await reached.wait()
        async with studio.running():
            await studio.easel.show(job, 0.5, preview=picture(1, kind="WEBP"))
            shown = await person.until(lambda: person.find("(50%)"))
            assert shown["id"] == waiting["id"]
            await studio.easel.finish(job)
            await person.until(lambda: waiting["id"] not in person.messages)


async def test_a_restarted_bot_goes_on_with_the_messages_of_running_jobs(studio: Studio) -> None:
    async with studio.member() as person:
        async with studio.running():
            waiting, job = await ordered(person, studio.easel)
            await studio.easel.show(job, 0.2, preview=picture(1, kind="WEBP"))
            await person.until(lambda: person.find("(20%)"))
        async with studio.running():
            await studio.easel.show(job, 0.7, preview=picture(2, kind="WEBP"))
            shown = await person.until(lambda: person.find("(70%)"))
            assert shown["id"] == waiting["id"]
        await studio.easel.finish(job)
        async with studio.running():
            await person.until(lambda: waiting["id"] not in person.messages)
        assert len(grids(person)) == 1


async def test_commands_are_sent_only_when_they_changed_or_are_missing(
    studio: Studio, playground: Playground
) -> None:
    def sent() -> int:
        return sum(
            entry.method == "PUT" and entry.route.endswith("/commands") for entry in playground.journal
        )

    async with studio.running():
        assert sent() == 1
    async with studio.running():
        assert sent() == 1
    for command in playground.core.world.commands:
        playground.core.world.commands.delete(command.id)
    async with studio.running():
        assert sent() == 2


# -- a slow queue --------------------------------------------------------------------------------------


async def test_a_slow_queue_defers_and_then_answers(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    submit = studio.desk.submit

    async def slow(*args: object, **more: object) -> Job:
        await gate.wait()
        return await submit(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(studio.desk, "submit", slow)
    pace = QUICK.model_copy(update={"answer": 0.05})
    async with studio.running(pace), studio.member() as person:
        nonce = await person.command("imagine", prompt="a fox")
        thinking = await person.until(lambda: person.answer(nonce))
        assert thinking["flags"] & 128
        gate.set()
        waiting = await person.until(lambda: person.find("(Waiting to start)"))
        assert waiting["id"] == thinking["id"]
        await studio.easel.finish(await studio.easel.take())
        await person.until(lambda: person.find(having="MJ::JOB::reroll"))
        await person.until(lambda: waiting["id"] not in person.messages)


async def test_killed_after_a_deferral_the_next_bot_ends_the_thinking(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = studio.desk.submit

    async def never_back(*args: object, **more: object) -> None:
        await submit(*args, **more)  # type: ignore[arg-type]
        await asyncio.Event().wait()

    pace = QUICK.model_copy(update={"answer": 0.05})
    async with studio.member() as person:
        async with studio.running(pace):
            with monkeypatch.context() as patch:
                patch.setattr(studio.desk, "submit", never_back)
                nonce = await person.command("imagine", prompt="a fox")
                thinking = await person.until(lambda: person.answer(nonce))
                assert thinking["flags"] & 128
                job = await studio.easel.take()
        async with studio.running(pace):
            await studio.easel.finish(job)
            await person.until(lambda: person.find("a fox", having="MJ::JOB::reroll"))
            await person.until(lambda: thinking["id"] not in person.messages)
        assert len(grids(person)) == 1


async def test_a_late_refusal_takes_the_deferral_back_and_goes_out_privately(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow(*args: object, **more: object) -> Job:
        await gate.wait()
        raise Rejected(ErrorCode.QUEUE_FULL, waiting=10)

    monkeypatch.setattr(studio.desk, "submit", slow)
    pace = QUICK.model_copy(update={"answer": 0.05})
    async with studio.running(pace), studio.member() as person:
        nonce = await person.command("imagine", prompt="a fox")
        thinking = await person.until(lambda: person.answer(nonce))
        gate.set()
        await person.until(lambda: private(person))
        assert thinking["id"] not in person.messages
        [refusal] = private(person)
        assert refusal["embeds"][0]["title"] == "Queue full"
        assert refusal["embeds"][0]["footer"]["text"] == "/imagine a fox"


# -- places without the bot ----------------------------------------------------------------------------


@pytest.fixture
def elsewhere(studio: Studio) -> Facts:
    """A server the bot was never invited to, where a person who installed it for themselves is."""
    facts = studio.playground.facts()
    guild = studio.playground.admin.add_guild("elsewhere", owner_id=facts.user_id)
    studio.playground.admin.change_application(facts.application_id, user_installs=(facts.user_id,))
    channel = studio.playground.core.world.channels_of(guild.id)[0]
    return facts.model_copy(update={"guild_id": guild.id, "channel_id": channel.id})


async def test_where_only_the_person_installed_it_the_token_brings_the_result(
    studio: Studio, elsewhere: Facts
) -> None:
    studio.facts = elsewhere.model_dump()
    async with studio.running(), studio.member() as person:
        waiting, job = await ordered(person, studio.easel)
        await studio.easel.show(job, 0.5, preview=picture(1, kind="WEBP"))
        await person.until(lambda: person.find("(50%)"))
        await studio.easel.finish(job)
        grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
        assert custom_ids(grid)
        await person.until(lambda: waiting["id"] not in person.messages)
        assert len(grids(person)) == 1


async def test_an_answer_about_to_close_says_what_happens_next(studio: Studio, elsewhere: Facts) -> None:
    studio.facts = elsewhere.model_dump()
    async with studio.running(), studio.member() as person:
        _, job = await ordered(person, studio.easel)
        studio.skew += 14 * 60 + 30
        await studio.easel.show(job, 0.5, preview=picture(1, kind="WEBP"))
        closing = await person.until(lambda: person.find("Discord closes this answer soon"))
        assert job.id in closing["content"]
        studio.skew += 60
        studio.playground.clock.advance(16 * 60)
        await studio.easel.finish(job)
        await settled(studio)
        post = await studio.settings.post(job.id)
        assert post is not None
        assert post.trouble == "expired"
        await person.command("show", job_id=job.id)
        await person.until(lambda: person.find(having=f"reroll::0::{job.id}"))


async def test_a_failure_after_the_answer_closed_is_told_by_direct_message(
    studio: Studio, elsewhere: Facts
) -> None:
    studio.facts = elsewhere.model_dump()
    async with studio.running(), studio.member() as person:
        waiting, job = await ordered(person, studio.easel, "a fox on a log")
        studio.skew += 16 * 60
        studio.playground.clock.advance(16 * 60)
        await studio.easel.fail(job, ErrorCode.OUT_OF_MEMORY)
        told = await person.until(lambda: next((m for m in person.messages.values() if m["embeds"]), None))
        assert told["channel_id"] != waiting["channel_id"]
        assert told["embeds"][0]["title"] == "Your job failed, and I could not say so where you ordered it"
        assert "not enough memory" in told["embeds"][0]["description"]
        assert "a fox on a log" in told["content"]
        await settled(studio)
        person.channel_id = told["channel_id"]
        await person.press(told, f"MJ::JOB::reroll::0::{job.id}::SOLO")
        await studio.easel.finish(await studio.easel.take())
        await person.until(lambda: person.find(having="MJ::JOB::upsample"))


async def test_it_works_in_a_direct_message(live: Studio, easel: Easel, person: Member) -> None:
    direct = live.playground.admin.open_direct(live.facts["user_id"])
    person.channel_id = direct.id
    waiting, job = await ordered(person, easel)
    await easel.finish(job)
    grid = await person.until(lambda: person.find(having="MJ::JOB::reroll"))
    assert grid["channel_id"] == direct.id
    await person.until(lambda: waiting["id"] not in person.messages)


def test_nobody_promises_an_answer_past_what_keeps_a_failed_promise_from_doing_harm(root: Path) -> None:
    raw = {path.name for path in (root / "bot").rglob("*.py") if "response.defer(" in path.read_text()}
    assert raw == {"answers.py"}


async def test_a_gateway_that_was_lost_often_is_tried_again_within_half_a_minute(
    live: Studio, easel: Easel, person: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py's own pauses would be minutes by now."""
    monkeypatch.setattr(reconnecting, "LONGEST_PAUSE", 0.05)
    live.playground.faults.refuse_connections(12)
    live.playground.admin.drop_gateway(user_id=live.facts["bot_user_id"])
    async with asyncio.timeout(20):
        while live.playground.faults.refused_connections:  # noqa: ASYNC110 - the playground tells nobody
            await asyncio.sleep(0.01)
        while not is_connected(live.bot):  # noqa: ASYNC110 - discord.py says it before it is so
            await asyncio.sleep(0.01)
    await drawn(easel, person, "a fox")


def test_pauses_grow_up_to_half_a_minute() -> None:
    pauses = [reconnecting.Patience().delay()]
    patience = reconnecting.Patience()
    pauses += [patience.delay() for _ in range(200)]
    assert max(pauses) == reconnecting.LONGEST_PAUSE
