"""Who is out of credit is told when enough is back, and may order the same in relax."""

import re
import time

import pytest

from parser import Speed
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.admins import appoint
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, labelled
from worker.accounts import Allowance, Credits, Whose
from worker.api import Job, Limits
from worker.queue import ledger, quota
from worker.queue.quota import Rules

DAY = 24 * 3600


def allow(studio: Studio, **credits: object) -> None:
    studio.desk._rules = Rules(Limits(), Credits(**credits))


async def refused(person: Member, prompt: str) -> Message:
    nonce = await person.command("imagine", prompt=prompt)
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert "xhausted" in answer["embeds"][0]["title"]
    return answer


async def newest(studio: Studio) -> Job:
    return (await studio.desk.recent(limit=1))[0]


async def test_an_order_beyond_the_allowance_says_what_is_missing_and_until_when(
    live: Studio, easel: Easel, person: Member
) -> None:
    allow(live, day=1.5)
    await drawn(easel, person, "a fox")
    answer = await refused(person, "a hen --seed 3")
    [embed] = answer["embeds"]
    assert embed["title"] == "Credits exhausted"
    assert embed["description"].startswith(
        "**Cost**: 1 · **Left**: 0.5 of 1.5 for the last day · **Missing**: 0.5\n"
    )
    [back] = re.findall(r"<t:(\d+):R>", embed["description"])
    assert float(back) == pytest.approx(time.time() + DAY, abs=60)
    assert embed["footer"]["text"] == "/imagine a hen --seed 3"
    assert len(await live.desk.recent()) == 1


async def test_the_button_of_a_refused_prompt_orders_it_in_relax(
    live: Studio, easel: Easel, person: Member
) -> None:
    allow(live, day=0)
    answer = await refused(person, "a hen --seed 3 --fast")
    assert "That is more than a day has." in answer["embeds"][0]["description"]
    await person.press(answer, labelled(answer, "Queue in relax"))
    await person.until(lambda: person.find("**a hen --seed 3 --relax** - "))
    assert (await newest(live)).speed is Speed.RELAX


@pytest.mark.parametrize(
    ("button", "kind"),
    [("MJ::JOB::variation::3::{}", "variation"), ("MJ::JOB::reroll::0::{}::SOLO", "reroll")],
)
async def test_a_button_that_is_too_dear_can_be_ordered_in_relax(
    live: Studio, easel: Easel, person: Member, button: str, kind: str
) -> None:
    grid = await drawn(easel, person, "a fox")
    allow(live, day=1)
    nonce = await person.press(grid, button.format(job_of(grid)))
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert answer["embeds"][0]["title"] == "Credits exhausted"
    assert answer["embeds"][0]["footer"]["text"] == "/imagine a fox"
    await person.press(answer, labelled(answer, "Queue in relax"))
    await person.until(lambda: person.find("a fox --relax"))
    job = await newest(live)
    assert (job.order.kind, job.source, job.speed) == (kind, job_of(grid), Speed.RELAX)


async def test_relax_and_single_pictures_need_no_credits(live: Studio, easel: Easel, person: Member) -> None:
    grid = await drawn(easel, person, "a fox")
    allow(live, day=0)
    await person.press(grid, labelled(grid, "U2"))
    await person.until(lambda: person.find("Image #2"))
    await person.command("imagine", prompt="a hen --relax")
    await person.until(lambda: person.find("**a hen --relax**"))


async def test_an_upscale_too_dear_keeps_its_button_within_discords_limit(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    await person.press(grid, labelled(grid, "U2"))
    cell = await person.until(lambda: person.find("Image #2"))
    allow(live, day=1)
    nonce = await person.press(cell, labelled(cell, "Upscale (Subtle)"))
    answer = await person.until(lambda: person.answer(nonce))
    assert max(map(len, custom_ids(answer))) <= 100
    await person.press(answer, labelled(answer, "Queue in relax"))
    await person.until(lambda: person.find("a fox --relax"))
    assert (await newest(live)).order.kind == "upscale"


async def test_a_role_of_the_server_lifts_the_limit(studio: Studio) -> None:
    async with studio.member() as person:
        role = appoint(studio, person.user["id"])
        allow(studio, day=0, roles={int(role): Allowance(unlimited=True)})
        async with studio.running():
            await person.command("imagine", prompt="a hen")
            await person.until(lambda: person.find("**a hen** - "))


async def test_what_a_server_shares_is_told_as_the_servers(live: Studio, person: Member) -> None:
    allow(live, server_day=1)
    await person.command("imagine", prompt="a fox")
    await person.until(lambda: person.find("**a fox** - "))
    answer = await refused(person, "a hen")
    assert "**Left**: 0 of 1 that this server's people share" in answer["embeds"][0]["description"]


async def test_info_shows_what_is_left_where_an_allowance_holds(
    live: Studio, easel: Easel, person: Member
) -> None:
    async def info() -> str:
        nonce = await person.command("info")
        answer = await person.until(lambda: person.answer(nonce))
        return str(answer["embeds"][0]["description"])

    await drawn(easel, person, "a fox")
    assert "Credits" not in await info()
    allow(live, day=3.5, server_month=100)
    now, owner = time.time(), int(person.user["id"])
    await live.database.write(lambda db: ledger.grant(db, owner, 2000, actor="cli:ada", now=now))
    told = await info()
    assert "**Credits, last 24 hours**: 2.5 of 3.5 left" in told
    assert "last 30 days**: " in told
    assert "**This server's credits, last 30 days**: 99 of 100 left" in told
    assert "**Extra Credits**: 2" in told
    said = Allowance(unlimited=True)
    await live.database.write(lambda db: quota.allow(db, Whose.PERSON, owner, said))
    assert "last 24 hours" not in await info()
