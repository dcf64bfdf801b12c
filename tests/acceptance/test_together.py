"""Several people at once: forward passes are shared, and one person's flood holds nobody up."""

import json
from typing import Any

import pytest

from tests.acceptance.member import Member
from tests.acceptance.stage import Part, Stage

pytestmark = pytest.mark.timeout(300)  # processes that start and die on a busy machine


def finished(worker: Part) -> dict[str, dict[str, Any]]:
    """Return what the worker logged about each finished job."""
    lines = (json.loads(line) for line in worker.said().splitlines() if line.startswith("{"))
    return {line["job_id"]: line for line in lines if line["event"] == "job_finished"}


async def other_token(stage: Stage) -> str:
    people = await stage.discord("GET", "/people")
    return next(p["token"] for p in people if p["token"] and p["username"] == "friend")


async def test_two_people_at_once_share_forward_passes(stage: Stage, member: Member) -> None:
    await stage.bot()
    async with Member(stage.facts, await other_token(stage)) as friend:
        # Both wait for the worker, so that its first steps already have both.
        await member.command("imagine", prompt="a fox on a green background")
        await friend.command("imagine", prompt="two apples on a white background")
        await member.until(lambda: len(stage.rows("SELECT id FROM jobs")) == 2)
        worker = await stage.worker()
        await member.until(lambda: member.find("a fox", having="MJ::JOB::reroll"))
        await member.until(lambda: member.find("two apples", having="MJ::JOB::reroll"))
    done = finished(worker)
    assert len(done) == 2
    assert all(job["people"] == 2 and job["shared_passes"] > 0 for job in done.values())
    assert all(job["largest_batch"] == 8 for job in done.values())  # four pictures each, in one pass


async def test_a_flood_delays_another_persons_job_by_at_most_one_jobs_time(
    stage: Stage, member: Member
) -> None:
    raised = {"JOURNEYMAN_LIMITS__RUNNING": "50", "JOURNEYMAN_LIMITS__WAITING": "60"}
    await stage.bot(**raised)
    async with Member(stage.facts, await other_token(stage)) as friend:
        for n in range(50):
            await member.command("imagine", prompt=f"flood {n} --q .5")
        await member.until(lambda: len(stage.rows("SELECT id FROM jobs")) == 50)
        await stage.worker(**raised)
        await member.until(lambda: member.find("flood", having="MJ::JOB::reroll"))
        await friend.command("imagine", prompt="a single cat --q .5")
        await friend.until(lambda: friend.find("a single cat", having="MJ::JOB::reroll"))
    ((job, created, finished_at),) = stage.rows(
        "SELECT id, created_at, finished_at FROM jobs WHERE owner_id = ?", int(friend.user["id"])
    )
    # What was claimed before it may still end first; of what was waiting, at most one job.
    later = stage.rows(
        "SELECT count(*) FROM jobs WHERE id != ? AND started_at > ? AND finished_at < ?",
        job,
        created,
        finished_at,
    )
    assert later[0][0] <= 1
