"""Pictures that prompts name, as people on Discord use them: links copied, ended, and of elsewhere."""

import asyncio
import re

import pytest
from aiohttp import web

from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.easel import Easel
from tests.bot.studio import QUICK, Studio, drawn, job_of, labelled, private
from tests.worker.gallery import gallery_open
from worker.api import JobState
from worker.links import Links

DEFERRED = 128  # the flag of a message that says the bot is thinking


def address_of(message: Message) -> str:
    """Return the link that people copy from a message's picture."""
    return str(message["attachments"][0]["url"])


async def answered(person: Member, prompt: str) -> Message:
    nonce = await person.command("imagine", prompt=prompt)
    answer: Message = await person.until(lambda: person.answer(nonce))
    return answer


async def test_a_link_copied_from_a_message_is_an_image_prompt_and_a_style(
    live: Studio, person: Member
) -> None:
    url = address_of(await drawn(live.easel, person, "a fox"))
    waiting = await answered(person, f"{url} a castle --iw 2 --sref {url} random")
    assert not waiting["flags"] & 64
    job = job_of(waiting)
    stored = await live.desk.get(job)
    style = stored.request.sref
    assert style is not None
    assert f"--sref <{url}> {style[1].source}" in waiting["content"].replace("\\", "")
    [path] = (live.folder / job[:2] / job).glob("*.png")
    assert path.stat().st_size


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("{gone} a castle", "no longer"),
        ("a castle --sref 7 {gone}", "no longer"),
        ("https://example.org/a.png a castle", "example.org"),
        ("a castle --sref https://192.168.1.1/a.png", "192.168.1.1"),
        ("http://169.254.169.254/latest/meta-data a castle", "169.254.169.254"),
    ],
)
async def test_a_picture_that_is_not_to_be_had_is_shown_privately_where_it_stands(
    live: Studio, person: Member, prompt: str, words: str
) -> None:
    gone = f"{live.playground.api.removesuffix('/api/v10')}/attachments/1/2/fox.png?ex=1&is=1&hm=0"
    prompt = prompt.format(gone=gone)
    answer = await answered(person, prompt)
    assert answer["flags"] & 64
    [embed] = answer["embeds"]
    assert words in embed["description"]
    assert "^^^^" in embed["description"]
    assert embed["footer"]["text"] == f"/imagine {prompt}"
    [url] = re.findall(r"https?://\S+", prompt)
    marked = next(line for line in embed["description"].splitlines() if "^^^^" in line)
    assert len(marked.strip()) <= len(url)
    assert await live.desk.recent() == []
    fixed = await person.press(answer, labelled(answer, "Fix and run"))
    waiting = await person.until(lambda: person.answer(fixed))
    [job] = await live.desk.recent()
    assert job.request.images == ()
    assert waiting["content"].startswith("**a castle")


async def test_a_slow_picture_does_not_keep_anybody_waiting_for_an_answer(studio: Studio) -> None:
    arrived = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await arrived.wait()
        return web.Response(status=404)

    async with gallery_open() as gallery:
        gallery.answers["slow.png"] = slow
        studio.desk._links = Links(gallery.guard, seconds=30)
        async with studio.running(QUICK), studio.member() as person:
            nonce = await person.command("imagine", prompt=f"{gallery.url('slow.png')} a fox")
            thinking = await person.until(lambda: person.answer(nonce), seconds=10)
            assert thinking["flags"] & DEFERRED
            assert gallery.asked == ["slow.png"]
            arrived.set()
            [refusal] = await person.until(lambda: private(person))
            assert "no longer" in refusal["embeds"][0]["description"]
            assert thinking["id"] not in person.messages, "the public deferral was taken back"


async def test_buttons_go_on_working_when_the_link_has_ended(
    live: Studio, person: Member, easel: Easel
) -> None:
    url = address_of(await drawn(easel, person, "a fox"))
    grid = await drawn(easel, person, f"{url} a castle")
    first = await live.desk.get(job_of(grid))
    live.desk._links = None  # nothing can be fetched any more
    again = next(custom_id for custom_id in custom_ids(grid) if "reroll" in custom_id)
    nonce = await person.press(grid, again)
    await person.until(lambda: person.answer(nonce))
    job = await easel.take()
    assert job.request.images == first.request.images
    await easel.finish(job)
    assert (await live.desk.get(job.id)).state is JobState.SUCCEEDED
