"""/coach, the hint under refusals, /help and completion, through the local Discord."""

from typing import Any

import pytest

from bot.coaching import IMAGINE
from bot.completion import Completion, table_with
from bot.facts import Facts
from parser import Closed
from parser.coach import Facts as CoachFacts
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.studio import Studio, labelled


def description(message: Message) -> str:
    return str(message["embeds"][0]["description"])


def footer(message: Message) -> str:
    return str(message["embeds"][0]["footer"]["text"])


async def lesson(person: Member, prompt: str) -> Message:
    nonce = await person.command("coach", prompt=prompt)
    return await person.until(lambda: person.answer(nonce))


async def applied(person: Member, message: Message, label: str) -> Message:
    """Press a button of a lesson and return the message once it shows another prompt."""
    before = footer(message)
    await person.press(message, labelled(message, label))
    return await person.until(
        lambda: person.messages[message["id"]] if footer(person.messages[message["id"]]) != before else None
    )


async def suggestions(person: Member, command: str, option: str, typed: str) -> list[dict[str, Any]]:
    """Type into an option and return what is offered."""
    index = await person.rest("GET", f"/guilds/{person.facts['guild_id']}/application-command-index")
    found = next(each for each in index["application_commands"] if each["name"] == command)
    data = {
        "version": found["version"],
        "id": found["id"],
        "name": command,
        "type": 1,
        "options": [{"type": 3, "name": option, "value": typed, "focused": True}],
        "attachments": [],
    }
    nonce = await person._interact(4, data)
    answer = await person.until(lambda: person.suggested(nonce))
    return list(answer["choices"])


async def test_the_coach_answers_privately_with_a_reason_an_example_and_a_button_for_each_rule(
    live: Studio, person: Member
) -> None:
    message = await lesson(person, "please draw me a man without an umbrella")
    assert message["flags"] & 64
    assert "`--no` really keeps it out" in description(message)
    assert "-# a man without an umbrella → a man --no umbrella" in description(message)
    assert footer(message) == "/imagine please draw me a man without an umbrella"
    assert labelled(message, "Apply: --no umbrella")
    assert labelled(message, "Apply: Begin with the picture")
    assert await live.desk.recent() == []


async def test_applying_shows_the_better_prompt_with_the_rest_of_the_advice_and_imagine_orders_it(
    live: Studio, person: Member
) -> None:
    message = await lesson(person, "please draw me a man without an umbrella")
    message = await applied(person, message, "Apply: --no umbrella")
    assert footer(message) == "/imagine please draw me a man --no umbrella"
    assert "keeps it out" not in description(message)
    message = await applied(person, message, "Apply: Begin with the picture")
    assert footer(message) == "/imagine a man --no umbrella"
    nonce = await person.press(message, IMAGINE)
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("**a man --no umbrella** - <@")
    assert not waiting["flags"] & 64


async def test_a_lesson_goes_on_after_a_restart(studio: Studio) -> None:
    async with studio.member() as person:
        async with studio.running():
            message = await lesson(person, "cats on a sofa --seed 4")
        async with studio.running():
            message = await applied(person, message, "Apply: three cats")
    assert footer(message) == "/imagine three cats on a sofa --seed 4"


async def test_the_longest_prompt_is_coached_from_its_file(live: Studio, person: Member) -> None:
    prompt = "cats " + "in deep snow " * 450 + "--seed 4"
    message = await lesson(person, prompt)
    assert footer(message).endswith("…")
    before = message["attachments"][0]["url"]
    await person.press(message, labelled(message, "Apply: three cats"))
    after = await person.until(
        lambda: next(
            (m for k, m in person.seen if m["id"] == message["id"] and m["attachments"][0]["url"] != before),
            None,
        )
    )
    async with person._http.get(after["attachments"][0]["url"]) as sent:
        assert await sent.text() == f"/imagine three {prompt}"


async def test_a_good_prompt_gets_no_advice_and_can_be_drawn(live: Studio, person: Member) -> None:
    message = await lesson(person, "close-up of a fox, watercolor, art deco style, at night")
    assert "Nothing to add" in description(message)
    assert custom_ids(message) == [IMAGINE]


async def test_a_lesson_whose_rule_is_gone_is_given_anew(live: Studio, person: Member) -> None:
    from bot import payload
    from bot.render import Button, Card, Letter

    channel = live.bot.get_partial_messageable(int(person.channel_id))
    card = Card("Prompt coach", "old", footer="/imagine a fox")
    stale = Letter(rows=((Button("JM::coach::nonsense::3", "old"),),), card=card)
    await channel.send(**payload.to_send(stale))
    message = await person.until(lambda: person.find(having="nonsense"))
    await person.press(message, "JM::coach::nonsense::3")
    fresh = await person.until(lambda: person.find(having=IMAGINE))
    assert footer(fresh) == "/imagine a fox"


async def test_a_button_on_a_message_without_prompt_is_answered(live: Studio, person: Member) -> None:
    from bot import payload
    from bot.render import Button

    channel = live.bot.get_partial_messageable(int(person.channel_id))
    await channel.send("bare", view=payload.view(((Button(IMAGINE, "Imagine"),),)))
    message = await person.until(lambda: person.find("bare"))
    nonce = await person.press(message, IMAGINE)
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["title"] == "Too old"


async def test_spanish_prompts_are_coached_and_a_refusal_carries_a_quiet_hint(
    live: Studio, person: Member
) -> None:
    message = await lesson(person, "un hombre sin sombrero")
    assert labelled(message, "Apply: --no sombrero")
    nonce = await person.command("imagine", prompt="a man without a hat --seeed 4")
    refusal = await person.until(lambda: person.answer(nonce))
    last = description(refusal).splitlines()[-1]
    assert last.startswith("-# Coach: ")
    assert "without a hat" in last
    nonce = await person.command("imagine", prompt="a fox --seeed 4")
    refusal = await person.until(lambda: person.answer(nonce))
    assert "Coach" not in description(refusal)


async def test_names_and_values_are_completed_and_a_mistake_is_flagged_while_typing(
    live: Studio, person: Member
) -> None:
    names = await suggestions(person, "imagine", "prompt", "a cat --se")
    assert names[0]["value"] == "a cat --seed"
    assert names[0]["name"].startswith("a cat --seed ⟨💡 0 to 4294967295, default ")
    values = await suggestions(person, "imagine", "prompt", "a cat --q ")
    assert [each["value"] for each in values[1:]] == [
        f"a cat --q {q}" for q in ("0.25", "0.5", "1", "2", "5")
    ]
    mistakes = await suggestions(person, "imagine", "prompt", "a cat --seeed 4")
    assert mistakes[0]["value"] == "a cat --seed 4"
    assert "⚠ Unrecognized parameter --seeed" in mistakes[0]["name"]
    assert await suggestions(person, "imagine", "prompt", "a cat --seed 4") == []
    assert await suggestions(person, "imagine", "prompt", "a cat " * 40 + "--se") == []


async def test_own_options_are_completed_too(live: Studio, person: Member) -> None:
    await live.settings.people.define(int(person.user["id"]), "mine", "oil painting --stop 60")
    [own] = await suggestions(person, "coach", "prompt", "a cat --min")
    assert own == {"name": "a cat --mine ⟨💡 yours: oil painting --stop 60⟩", "value": "a cat --mine"}
    assert await suggestions(person, "imagine", "prompt", "a cat --mine") == []


async def test_the_hint_of_a_choice_that_was_typed_on_is_no_part_of_the_prompt(
    live: Studio, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a cat --seed ⟨💡 0 to 4294967295⟩ 4")
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("**a cat --seed 4** - <@")


async def test_help_tells_everything_the_table_and_the_server_say_of_a_parameter(
    studio: Studio,
) -> None:
    closed = Closed(parameters=frozenset({"turbo"}), reasons={"turbo": "The operator keeps it shut."})
    studio.facts_of_machine = Facts(closed=closed, prices={"quality": ((".25", 0.25), ("1", 1.0))})
    async with studio.running(), studio.member() as person:
        nonce = await person.command("help", parameter="--Q")
        told = description(await person.until(lambda: person.answer(nonce)))
        nonce = await person.command("help", parameter="turbo")
        shut = description(await person.until(lambda: person.answer(nonce)))
        nonce = await person.command("help")
        page = description(await person.until(lambda: person.answer(nonce)))
        [first, *_] = await suggestions(person, "help", "parameter", "--ar")
    for fact in (
        "work goes into",
        "✅",
        "`--q 2`",
        "0.25, 0.5, 1, 2 or 5",
        "**Default**: 1",
        ".25: 0.25 · 1: 1",
    ):
        assert fact in told
    assert "The operator keeps it shut." in shut
    assert "`--fast`, `--relax`" in shut
    assert "`--fast` `--relax`" in page
    assert "--turbo" not in page
    assert first["value"] == "aspect"


async def test_help_of_what_is_not_known_or_gone_says_so(live: Studio, person: Member) -> None:
    nonce = await person.command("help", parameter="frobnicate`")
    answer = await person.until(lambda: person.answer(nonce))
    assert answer["embeds"][0]["title"] == "No such topic"
    nonce = await person.command("help", parameter="hq")
    answer = await person.until(lambda: person.answer(nonce))
    assert "write `--q 2` instead" in description(answer)
    assert "Default" not in description(answer)


class NobodyHome:
    """People whose rows cannot be read in time."""

    async def preferences(self, _: int) -> None:
        raise TimeoutError


async def test_completion_does_without_own_options_when_the_database_is_slow() -> None:
    class User:
        id = 1

    class Asking:
        user = User()

    completion = Completion(NobodyHome(), lambda: Facts(coach=CoachFacts()))  # type: ignore[arg-type]
    choices = await completion.suggest(Asking(), "a cat --q 7")  # type: ignore[arg-type]
    assert choices[0].value == "a cat --q 5"


@pytest.mark.parametrize("value", ["x" * 500, "🦊 --stop 60", "`ticks`"])
def test_own_options_of_any_length_fit_a_choice(value: str) -> None:
    from parser.coach.completion import LIMIT, complete, units

    for choice in complete("a cat --m", table_with((("mine", value),))):
        assert units(choice.name) <= LIMIT
        assert units(choice.value) <= LIMIT
