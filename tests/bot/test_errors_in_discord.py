"""What is refused is told to the person alone, with the way out."""

import pytest

from tests.acceptance.member import Member, custom_ids
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, labelled, private
from worker.accounts import Credits
from worker.api import Limits
from worker.catalogue import Catalogue
from worker.queue.checkpoints import install
from worker.queue.quota import Rules
from worker.recipe import ModelProfile

RED = 0xED4245
UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_a_wrong_prompt_gets_a_private_red_embed_with_the_place_and_the_whole_command(
    live: Studio, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a fox --seeed 42")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    [embed] = answer["embeds"]
    assert embed["title"] == "Invalid parameter"
    assert embed["color"] == RED
    assert "a fox --seeed 42\n      ^^^^^^^" in embed["description"]
    assert embed["footer"]["text"] == "/imagine a fox --seeed 42"
    assert await live.desk.recent() == []


async def test_fix_and_run_orders_the_corrected_prompt_even_after_a_restart(studio: Studio) -> None:
    async with studio.member() as person:
        async with studio.running():
            nonce = await person.command("imagine", prompt="a fox --seeed 42")
            refusal = await person.until(lambda: person.answer(nonce))
        async with studio.running():
            nonce = await person.press(refusal, labelled(refusal, "Fix and run"))
            waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("**a fox --seed 42** - <@")
    assert not waiting["flags"] & 64
    assert [job.request.seed for job in await studio.desk.recent()] == [42]


async def test_all_problems_of_a_prompt_are_told_at_once(live: Studio, person: Member) -> None:
    nonce = await person.command("imagine", prompt="a fox --seed x --quality 3")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["description"].count("```") == 4


async def test_the_longest_wrong_prompt_is_told_and_comes_whole_as_a_file(
    live: Studio, person: Member
) -> None:
    prompt = "fox " * 1490 + "--seeed 42"
    nonce = await person.command("imagine", prompt=prompt)
    answer = await person.until(lambda: person.answer(nonce))
    [embed] = answer["embeds"]
    assert embed["footer"]["text"].endswith("…")
    assert answer["attachments"][0]["filename"] == "prompt.txt"
    async with person._http.get(answer["attachments"][0]["url"]) as sent:
        assert await sent.text() == f"/imagine {prompt}"


@pytest.mark.parametrize(
    ("custom_id", "title"),
    [
        (f"MJ::Outpaint::50::1::{UNKNOWN}::SOLO", "Not available yet"),
        (f"MJ::BOOKMARK::{UNKNOWN}", "Not available yet"),
        ("something from another bot", "Too old"),
        (f"MJ::JOB::upsample::1::{UNKNOWN}", "Job not found"),
        (f"MJ::JOB::reroll::0::{UNKNOWN}::SOLO", "Job not found"),
        (f"MJ::CancelJob::ByJobid::{UNKNOWN}", "Job not found"),
        ("JM::fix::999", "Too old"),
    ],
)
async def test_every_button_is_answered(live: Studio, person: Member, custom_id: str, title: str) -> None:
    channel = live.bot.get_partial_messageable(int(person.channel_id))
    await channel.send("old", view=one_button(custom_id))
    message = await person.until(lambda: person.find("old"))
    await person.press(message, custom_id)
    [answer] = await person.until(lambda: private(person))
    assert answer["embeds"][0]["title"] == title


def one_button(custom_id: str) -> object:
    from bot import payload
    from bot.render import Button

    return payload.view(((Button(custom_id, "press"),),))


async def test_a_full_queue_keeps_the_prompt_in_the_answer(studio: Studio) -> None:
    studio.desk._rules = Rules(Limits(running=1, waiting=1), Credits())
    async with studio.running(), studio.member() as person:
        await person.command("imagine", prompt="one")
        await person.until(lambda: person.find("**one**"))
        await person.command("imagine", prompt="two")
        await person.until(lambda: person.find("**two**"))
        nonce = await person.command("imagine", prompt="three is too many --seed 3")
        answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert answer["embeds"][0]["title"] == "Queue full"
    assert answer["embeds"][0]["footer"]["text"] == "/imagine three is too many --seed 3"
    assert len(await studio.desk.recent()) == 2


@pytest.mark.parametrize(
    ("prompt", "title", "said"),
    [
        ("a fox --turbo", "Job action restricted", "not open on this server; leave it out."),
        ("https://a.example/b.png::2 a fox", "Invalid prompt", "No pictures are taken from a.example."),
    ],
)
async def test_turbo_and_pictures_from_anywhere_are_refused_with_their_place_and_a_fix(
    live: Studio, person: Member, prompt: str, title: str, said: str
) -> None:
    nonce = await person.command("imagine", prompt=prompt)
    answer = await person.until(lambda: person.answer(nonce))
    [embed] = answer["embeds"]
    assert embed["title"] == title
    assert said in embed["description"]
    removed = prompt.replace("a fox", "").strip()
    assert "\n" + " " * prompt.index(removed) + "^" * len(removed) + "\n" in embed["description"]
    assert embed["footer"]["text"] == f"/imagine {prompt}"
    await person.press(answer, labelled(answer, "Fix and run"))
    await person.until(lambda: person.find("**a fox** - "))


async def test_the_button_of_an_unfinished_source_is_refused_with_words(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    nonce = await person.press(grid, f"MJ::JOB::variation::1::{job_of(grid)}")
    waiting = await person.until(lambda: person.answer(nonce))
    job_id = custom_ids(waiting)[0].split("::")[-1]
    channel = live.bot.get_partial_messageable(int(person.channel_id))
    await channel.send("early", view=one_button(f"MJ::JOB::upsample::1::{job_id}"))
    early = await person.until(lambda: person.find("early"))
    nonce = await person.press(early, f"MJ::JOB::upsample::1::{job_id}")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["title"] == "Not finished"


async def test_a_defect_gets_a_private_answer_with_a_code(
    live: Studio, person: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object, **more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(live.desk, "usage", broken)
    nonce = await person.command("info")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["title"] == "Sorry, something went wrong"
    assert answer["embeds"][0]["footer"]["text"].startswith("Code ")
    assert private(person) == [answer]


async def test_an_aged_out_picture_is_told_privately_with_its_prompt(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox --seed 42")
    live.images.remove(job_of(grid))
    nonce = await person.press(grid, f"MJ::JOB::variation::1::{job_of(grid)}")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert answer["embeds"][0]["title"] == "Picture gone"
    assert answer["embeds"][0]["footer"]["text"] == "/imagine a fox --seed 42"


async def test_show_of_an_aged_out_picture_gives_its_prompt(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox --seed 42")
    live.images.remove(job_of(grid))
    nonce = await person.command("show", job_id=job_of(grid))
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    assert answer["embeds"][0]["footer"]["text"] == "/imagine a fox --seed 42"


async def test_variations_by_another_model_than_their_source_say_so(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    live.desk._catalogue = Catalogue.of(ModelProfile(name="newer", source="tiny", size=64))
    await person.press(grid, f"MJ::JOB::variation::1::{job_of(grid)}")
    await easel.finish(await easel.take())
    result = await person.until(lambda: person.find("Variations (Strong) by", having="MJ::JOB::reroll"))
    assert result["content"].endswith("\n-# Drawn with newer, not with the model of the original.")


async def test_variations_by_other_weights_of_the_same_name_say_so(
    live: Studio, easel: Easel, person: Member
) -> None:
    await live.database.write(lambda db: install(db, "tiny", "aaaa", now=0))
    grid = await drawn(easel, person, "a fox")
    await live.database.write(lambda db: install(db, "tiny", "bbbb", now=1))
    await person.press(grid, f"MJ::JOB::variation::1::{job_of(grid)}")
    await easel.finish(await easel.take())
    result = await person.until(lambda: person.find("Variations (Strong) by", having="MJ::JOB::reroll"))
    words = "Drawn with other weights: tiny was replaced since the original."
    assert result["content"].endswith(f"\n-# {words}")
