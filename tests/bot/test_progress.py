"""Progress is told at Discord's pace, and never in the way of a result."""

import asyncio

import pytest

from playground.faults import Fault, FaultKind
from tests.acceptance.member import Member
from tests.bot.easel import Easel, picture
from tests.bot.studio import QUICK, Studio, grids, ordered, settled

EDIT = "/channels/*/messages/*"
PREVIEW = picture(1, kind="WEBP")


def edits(studio: Studio) -> int:
    return sum(
        each.method == "PATCH" and each.route.startswith("/channels/") for each in studio.playground.journal
    )


async def edit_under_way(studio: Studio) -> None:
    """Wait until the fault that holds up an edit has hit one."""
    async with asyncio.timeout(20):
        while list(studio.playground.faults):  # noqa: ASYNC110 - the playground tells nobody
            await asyncio.sleep(0.01)


async def test_a_result_does_not_wait_for_an_edit_that_hangs(
    live: Studio, easel: Easel, person: Member
) -> None:
    waiting, job = await ordered(person, easel)
    live.playground.faults.add(Fault(kind=FaultKind.DELAY, seconds=40, method="PATCH", route=EDIT))
    await easel.show(job, 0.5, preview=PREVIEW)
    await edit_under_way(live)
    await easel.finish(job)
    await person.until(lambda: grids(person) and waiting["id"] not in person.messages, seconds=20)


async def test_a_late_edit_does_not_bring_a_percentage_back_after_stopped(
    live: Studio, easel: Easel, person: Member
) -> None:
    waiting, job = await ordered(person, easel)
    live.playground.faults.add(Fault(kind=FaultKind.DELAY, seconds=0.7, method="PATCH", route=EDIT))
    await easel.show(job, 0.5, preview=PREVIEW)
    await edit_under_way(live)
    await live.desk.cancel(job.id)
    await easel.stop(job)
    await settled(live)
    await person.until(lambda: person.find("(Stopped)"))
    contents = [m["content"] for _, m in person.seen if m.get("id") == waiting["id"]]
    assert "(Stopped)" in contents[-1]


async def test_many_jobs_of_one_channel_share_its_edits_and_the_latest_state_wins(studio: Studio) -> None:
    gap = 0.3
    pace = QUICK.model_copy(update={"channel_gap": gap, "edit_gap": 0.01})
    async with studio.running(pace), studio.member() as person:
        jobs = [(await ordered(person, studio.easel, f"fox {n}"))[1] for n in range(3)]
        loop = asyncio.get_running_loop()
        before, started = edits(studio), loop.time()
        for percent in range(10, 90, 2):
            for job in jobs:
                await studio.easel.show(job, percent / 100, preview=PREVIEW)
        for n in range(3):
            await person.until(lambda n=n: person.find(f"fox {n}", "(88%)"))
        assert edits(studio) - before <= (loop.time() - started) / gap + 1


async def test_a_failure_is_told_once_though_the_bot_dies_on_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def never(*args: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with studio.member() as person:
        async with studio.running():
            waiting, job = await ordered(person, studio.easel)
            studio.playground.admin.delete_message(person.channel_id, waiting["id"])
            with monkeypatch.context() as patch:
                patch.setattr(studio.settings, "posted", never)
                await studio.easel.fail(job)
                await reached.wait()
        studio.skew += 200
        studio.playground.clock.advance(200)
        async with studio.running():
            await settled(studio)
        told = [m for kind, m in person.seen if kind == "MESSAGE_CREATE" and m["embeds"]]
        assert len(told) == 1
