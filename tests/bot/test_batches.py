"""Several jobs by one command: asked about, ordered, each once."""

import asyncio
from typing import Any

import pytest

from playground.permissions import Permission
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.studio import Studio, labelled, private
from worker.accounts import Credits
from worker.api import DatabaseBusy, JobState, Limits
from worker.queue.quota import Rules

FOUR = "a {red, green} bird in the {jungle, desert}"
TEXTS = [
    "a red bird in the jungle",
    "a red bird in the desert",
    "a green bird in the jungle",
    "a green bird in the desert",
]


async def asked(person: Member, prompt: str = FOUR) -> Message:
    """Order several jobs and return the question."""
    nonce = await person.command("imagine", prompt=prompt)
    question: Message = await person.until(lambda: person.answer(nonce))
    assert question["flags"] & 64
    return question


async def texts(studio: Studio) -> list[str]:
    """Return what is queued, in the order it was."""
    return [job.request.text for job in reversed(await studio.desk.recent(limit=100))]


async def now(person: Member, message: Message, words: str) -> Message:
    """Wait until *message* says *words*."""
    found: Message = await person.until(
        lambda: (m := person.messages[message["id"]]) and words in m["content"] and m
    )
    return found


async def test_nothing_is_queued_before_yes_and_then_each_job_has_its_own_message_and_seed(
    live: Studio, person: Member
) -> None:
    live.desk._rules = Rules(Limits(), Credits(day=50))
    question = await asked(person)
    assert question["content"] == "This will create **4** jobs. Continue?"
    [embed] = question["embeds"]
    assert [f"{n}. `{text}`" for n, text in enumerate(TEXTS, 1)] == embed["description"].splitlines()[:4]
    assert "**Cost**: 4 credits" in embed["description"]
    assert "**Left**: 50 of 50 for the last day" in embed["description"]
    assert embed["footer"]["text"] == f"/imagine {FOUR}"
    assert await live.desk.recent() == []
    await person.press(question, labelled(question, "Yes"))
    done = await now(person, question, "**4** jobs are queued.")
    assert custom_ids(done) == []
    assert await texts(live) == TEXTS
    assert len({job.seed for job in await live.desk.recent()}) == 4
    await person.until(lambda: all(person.find(text, "(Waiting to start)") for text in TEXTS))
    live.easel.busy()
    await person.until(lambda: all(person.find(text, having="reroll") for text in TEXTS))
    await person.until(lambda: not any("Waiting" in m["content"] for m in person.messages.values()))


async def test_yes_works_after_a_restart_and_twice_at_once_orders_each_job_once(studio: Studio) -> None:
    async with studio.member() as person:
        async with studio.running():
            question = await asked(person)
        async with studio.running():
            yes = labelled(question, "Yes")
            await asyncio.gather(*(person.press(question, yes) for _ in range(3)))
            await now(person, question, "**4** jobs are queued.")
            assert await texts(studio) == TEXTS


@pytest.mark.parametrize("after", [0, 3])
async def test_a_bot_that_dies_midway_goes_on_after_its_restart(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    submit, left, dead = studio.desk.submit, after, asyncio.Event()

    async def dying(*args: Any, **more: Any) -> Any:
        nonlocal left
        if left == 0:
            dead.set()
            await asyncio.Event().wait()  # nothing after this happens in this life
        left -= 1
        return await submit(*args, **more)

    async with studio.member() as person:
        async with studio.running():
            question = await asked(person)
            monkeypatch.setattr(studio.desk, "submit", dying)
            await person.press(question, labelled(question, "Yes"))
            await dead.wait()
        monkeypatch.undo()
        assert len(await texts(studio)) == after
        async with studio.running():
            await _queued(studio, 4)
            assert await texts(studio) == TEXTS


async def _queued(studio: Studio, count: int) -> None:
    async with asyncio.timeout(20):
        while len(await studio.desk.recent()) < count:  # noqa: ASYNC110 - the queue tells nobody
            await asyncio.sleep(0.01)


async def test_out_of_credits_midway_says_what_is_queued_and_goes_on_when_there_are_more(
    live: Studio, person: Member
) -> None:
    live.desk._rules = Rules(Limits(), Credits(day=2))
    question = await asked(person)
    assert "Credits are left for the first 2" in question["embeds"][0]["description"]
    await person.press(question, labelled(question, "Yes"))
    partly = await now(person, question, "**2** of **4** jobs are queued, **2** are not.")
    assert "Credits exhausted" in partly["embeds"][0]["description"]
    assert await texts(live) == TEXTS[:2]
    live.desk._rules = Rules(Limits(), Credits(day=4))
    await person.press(partly, labelled(partly, "Queue the rest"))
    await now(person, question, "**4** jobs are queued.")
    assert await texts(live) == TEXTS


async def test_too_many_and_relax_are_refused_with_the_number_and_a_fix(live: Studio, person: Member) -> None:
    live.desk._rules = Rules(Limits(batch=4), Credits())
    answer = await asked(person, "a fox --repeat 5")
    assert answer["embeds"][0]["title"] == "Job action restricted"
    assert "makes 5 jobs, and one command may make 4" in answer["embeds"][0]["description"]
    await person.press(answer, labelled(answer, "Fix and run"))
    fixed = await person.until(lambda: person.find("This will create **4** jobs"))
    await person.press(fixed, labelled(fixed, "Cancel"))
    await now(person, fixed, "Cancelled. Nothing was queued.")
    relax = await asked(person, "{a, b} fox --relax")
    assert relax["embeds"][0]["title"] == "Job action restricted"
    assert "You can not submit batch jobs in relax mode" in relax["embeds"][0]["description"]
    assert await live.desk.recent() == []


async def test_only_its_author_answers_the_question_and_once(live: Studio, person: Member) -> None:
    question = await asked(person)
    yes = labelled(question, "Yes")
    from bot import payload
    from bot.render import Button

    channel = live.bot.get_partial_messageable(int(person.channel_id))
    await channel.send("forged", view=payload.view(((Button(yes, "Yes"),),)))
    forged = await person.until(lambda: person.find("forged"))
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        await other.press(forged, yes)
        [answer] = await other.until(lambda: private(other))
    assert answer["embeds"][0]["title"] == "Not yours"
    await person.press(question, labelled(question, "Cancel"))
    await now(person, question, "Cancelled")
    await person.press(forged, yes)
    over = await person.until(
        lambda: next((m for m in private(person) if m["embeds"] and m["embeds"][0]["title"] == "Over"), None)
    )
    assert over
    assert await live.desk.recent() == []


async def test_edit_asks_again_for_what_was_typed_instead(live: Studio, person: Member) -> None:
    question = await asked(person)
    nonce = await person.press(question, labelled(question, "Edit"))
    form = await person.until(
        lambda: next(
            (b for k, b in person.seen if k == "INTERACTION_MODAL_CREATE" and b.get("nonce") == nonce), None
        )
    )
    assert FOUR in str(form["components"])
    field = {"type": 4, "custom_id": "MJ::ImagineModal::new_prompt", "value": "one {red, blue} fox"}
    data = {
        "id": form["id"],
        "custom_id": form["custom_id"],
        "components": [{"type": 1, "components": [field]}],
    }
    await person._interact(5, data)
    again = await person.until(lambda: person.find("This will create **2** jobs"))
    await person.press(question, labelled(question, "Yes"))
    await person.until(
        lambda: any(m["embeds"] and m["embeds"][0]["title"] == "Over" for m in private(person))
    )
    await person.press(again, labelled(again, "Yes"))
    await now(person, again, "**2** jobs are queued.")
    assert await texts(live) == ["one red fox", "one blue fox"]


async def test_a_lost_permission_a_busy_database_and_a_deleted_message_do_no_harm(
    live: Studio, person: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await asked(person)
    yes = labelled(question, "Yes")

    async def busy(*args: object) -> bool:
        raise DatabaseBusy

    with monkeypatch.context() as patch:
        patch.setattr(live.settings.batches, "order", busy)
        await person.press(question, yes)
        await person.until(
            lambda: any(m["embeds"] and m["embeds"][0]["title"] == "Busy" for m in private(person))
        )
    live.playground.admin.deny_bot(person.channel_id, Permission.ATTACH_FILES)
    await person.press(question, yes)
    await person.until(
        lambda: any(m["embeds"] and "cannot post" in m["embeds"][0]["title"] for m in private(person))
    )
    assert await live.desk.recent() == []


async def test_the_fourth_press_of_fix_and_run_finds_the_job_of_the_first(
    live: Studio, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a fox --seeed 42")
    refusal = await person.until(lambda: person.answer(nonce))
    fix = labelled(refusal, "Fix and run")
    await asyncio.gather(*(person.press(refusal, fix) for _ in range(2)))
    await person.until(
        lambda: any(m["embeds"] and m["embeds"][0]["title"] == "Already ordered" for m in private(person))
    )
    assert [job.state for job in await live.desk.recent()] == [JobState.QUEUED]
    from bot import payload
    from bot.render import Button

    channel = live.bot.get_partial_messageable(int(person.channel_id))
    await channel.send("forged", view=payload.view(((Button(fix, "Fix and run"),),)))
    forged = await person.until(lambda: person.find("forged"))
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:
        await other.press(forged, fix)
        [answer] = await other.until(lambda: private(other))
    assert answer["embeds"][0]["title"] == "Not yours"
