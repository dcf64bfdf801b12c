"""/privacy: everything one is told, and nothing that is left."""

import io
import json
import zipfile
from typing import Any

import structlog

from tests.acceptance.member import Member, custom_ids
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, private, settled
from tests.worker.test_privacy import traces

PROMPT = "a secret garden behind the mill"


async def asked(person: Member, verb: str) -> dict[str, Any]:
    """Type `/privacy` and return the private answer."""
    index = await person.rest("GET", f"/guilds/{person.facts['guild_id']}/application-command-index")
    command = next(c for c in index["application_commands"] if c["name"] == "privacy")
    data = {
        "version": command["version"],
        "id": command["id"],
        "name": "privacy",
        "type": 1,
        "options": [{"type": 1, "name": verb, "options": []}],
        "attachments": [],
    }
    nonce = await person._interact(2, data)
    answer: dict[str, Any] = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    return answer


async def test_everything_is_sent_in_private(live: Studio, easel: Easel, person: Member) -> None:
    await drawn(easel, person, PROMPT)
    await asked(person, "export")
    answer = await person.until(lambda: next((m for m in private(person) if m["attachments"]), None))
    assert "1 jobs and 5 pictures" in answer["content"]
    with zipfile.ZipFile(io.BytesIO(await person.download(answer))) as archive:
        [job] = json.loads(archive.read("jobs.json"))
    assert job["request"]["text"] == PROMPT
    assert "token" not in job["origin"]


async def test_nothing_is_left_after_it_was_confirmed(live: Studio, easel: Easel, person: Member) -> None:
    grid = await drawn(easel, person, PROMPT)
    await person.command("imagine", prompt=f"{PROMPT} --qualty 2")
    nonce = await person.command("imagine", prompt=PROMPT)
    waiting = await person.until(lambda: person.answer(nonce))
    question = await asked(person, "forget")
    assert "**2** jobs" in question["embeds"][0]["description"]
    assert traces(live.folder, person.user["id"], PROMPT)
    with structlog.testing.capture_logs() as logs:
        await person.press(question, custom_ids(question)[0])
        await person.until(lambda: person.find("Forgotten: 2 jobs"))
        await person.until(lambda: not {grid["id"], waiting["id"]} & person.messages.keys())
        await settled(live)
    assert traces(live.folder, person.user["id"], PROMPT) == []
    assert person.user["id"] not in str(logs)
    assert PROMPT not in str(logs)


async def test_the_bot_waits_for_no_news_of_forgotten_jobs(
    live: Studio, easel: Easel, person: Member
) -> None:
    await person.command("imagine", prompt=PROMPT)
    await person.until(lambda: person.find("(Waiting to start)"))
    question = await asked(person, "forget")
    await person.press(question, custom_ids(question)[0])
    await person.until(lambda: person.find("Forgotten: 1 jobs"))
    await person.until(lambda: not live.bot.courier._painters)


async def test_nobody_forgets_somebody_else(live: Studio, easel: Easel, person: Member) -> None:
    grid = await drawn(easel, person, PROMPT)
    channel = live.bot.get_partial_messageable(int(person.channel_id))
    from bot import payload
    from bot.render import Button

    forged = f"JM::forget_me::{person.user['id']}"
    await channel.send("forged", view=payload.view(((Button(forged, "Forget me"),),)))
    message = await person.until(lambda: person.find("forged"))
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        await other.press(message, forged)
        [answer] = await other.until(lambda: private(other))
    assert answer["embeds"][0]["title"] == "Not yours"
    assert (await live.desk.get(job_of(grid))).owner_id == int(person.user["id"])


async def test_credits_do_not_begin_anew_twice_a_day(live: Studio, person: Member) -> None:
    question = await asked(person, "forget")
    await person.press(question, custom_ids(question)[0])
    await person.until(lambda: person.find("Forgotten: 0 jobs"))
    assert "come back tomorrow" in (await asked(person, "forget"))["content"]
    live.skew = 86400 + 1
    assert (await asked(person, "forget"))["embeds"]
