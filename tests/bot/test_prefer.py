"""/prefer, /settings, /fast and their like, in Discord."""

from typing import Any

from parser import Speed
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, labelled, private
from worker.accounts import Credits
from worker.api import DatabaseBusy, Limits, Strength, Vary
from worker.queue.quota import Rules


async def typed(person: Member, path: str, **options: str) -> str:
    """Send a command with subcommands; return its nonce."""
    name, *below = path.split()
    index = await person.rest("GET", f"/guilds/{person.facts['guild_id']}/application-command-index")
    command = next(c for c in index["application_commands"] if c["name"] == name and c["type"] == 1)
    nested: list[dict[str, Any]] = [
        {"type": 3, "name": key, "value": value} for key, value in options.items()
    ]
    for depth, word in enumerate(reversed(below)):
        nested = [{"type": 1 if depth == 0 else 2, "name": word, "options": nested}]
    data = {
        "version": command["version"],
        "id": command["id"],
        "name": name,
        "type": 1,
        "options": nested,
        "attachments": [],
    }
    return await person._interact(2, data)


async def told(person: Member, path: str, **options: str) -> Message:
    """Send a command and return its private answer."""
    nonce = await typed(person, path, **options)
    answer: Message = await person.until(lambda: person.answer(nonce))
    assert answer["flags"] & 64
    return answer


def green(message: Message) -> list[str]:
    items = (item for row in message["components"] for item in row["components"])
    return [item["label"] for item in items if item.get("style") == 3]


async def waiting(person: Member, prompt: str) -> str:
    """Order a grid and return what its message says."""
    nonce = await person.command("imagine", prompt=prompt)
    return str((await person.until(lambda: person.answer(nonce)))["content"])


async def test_a_suffix_joins_every_prompt_that_does_not_say_otherwise_and_show_tells_whence(
    live: Studio, easel: Easel, person: Member
) -> None:
    assert (
        "now `--ar 3:2 --no text`"
        in (await told(person, "prefer suffix", new_value="--ar 3:2 --no text"))["content"]
    )
    grid = await drawn(easel, person, "a fox")
    assert grid["content"].startswith("**a fox --no text --ar 3:2** - <@")
    assert (await waiting(person, "a hen --ar 1:1")).startswith("**a hen --no text --ar 1:1**")
    known = set(person.messages)
    await person.command("show", job_id=job_of(grid))
    details = await person.until(lambda: next((m for m in private(person) if m["id"] not in known), None))
    assert "**From your suffix**: `--ar 3:2`" in details["content"]
    assert (await told(person, "prefer suffix"))["content"] == "Your suffix is removed."
    assert (await told(person, "prefer suffix"))["content"].startswith("You have no suffix.")
    assert (await waiting(person, "a cat")).startswith("**a cat** - <@")


async def test_a_problem_in_what_was_not_typed_says_whence_it_came_and_its_fix_stays_fixed(
    live: Studio, person: Member
) -> None:
    await live.settings.people.prefer(int(person.user["id"]), suffix="--turbo")
    nonce = await person.command("imagine", prompt="a fox")
    answer = await person.until(lambda: person.answer(nonce))
    assert "`--turbo` is from your suffix." in answer["embeds"][0]["description"]
    assert answer["embeds"][0]["footer"]["text"] == "/imagine a fox --turbo"
    nonce = await person.press(answer, labelled(answer, "Fix and run"))
    fixed = await person.until(lambda: person.answer(nonce))
    assert fixed["content"].startswith("**a fox** - <@")


async def test_a_wrong_suffix_changes_nothing(live: Studio, person: Member) -> None:
    answer = await told(person, "prefer suffix", new_value="--ar 1.5:1")
    assert answer["embeds"][0]["footer"]["text"] == "/prefer suffix --ar 1.5:1"
    assert "^^^^^" in answer["embeds"][0]["description"]
    assert custom_ids(answer) == []
    assert (await waiting(person, "a fox")).startswith("**a fox** - <@")


async def test_own_options_are_set_completed_listed_used_and_deleted(live: Studio, person: Member) -> None:
    await told(person, "prefer option set", option="mine", value="in the snow --ar 3:2")
    await told(person, "prefer option set", option="--cosy", value="warm light")
    assert (await waiting(person, "tree --mine --cosy")).startswith(
        "**tree in the snow warm light --ar 3:2**"
    )
    listed = await told(person, "prefer option list")
    assert "`--mine`: `in the snow --ar 3:2`" in listed["embeds"][0]["description"]
    friend = live.playground.admin.add_user("friend")
    async with live.member(friend.token) as other:  # theirs are theirs alone
        assert "no custom options" in (await told(other, "prefer option list"))["embeds"][0]["description"]
    assert (await told(person, "prefer option set", option="mine"))["content"] == "`--mine` is deleted."
    for number in range(19):
        await live.settings.people.define(int(person.user["id"]), f"o{number}", "x")
    full = await told(person, "prefer option set", option="more", value="x")
    assert full["embeds"][0]["title"] == "Too many options"
    again = await told(person, "prefer option set", option="cosy", value="cold light")
    assert "`cold light`" in again["content"]


async def test_the_panel_acts_at_once_turns_green_and_survives_a_restart(studio: Studio) -> None:
    async with studio.member() as person:
        async with studio.running():
            panel = await told(person, "settings")
            assert panel["content"] == "Adjust your settings here."
            assert {"High Variation Mode", "Fast mode"} <= set(green(panel))
        async with studio.running():
            await person.press(panel, labelled(panel, "Relax mode"))
            await person.until(lambda: "Relax mode" in green(person.messages[panel["id"]]))
            await person.press(panel, labelled(panel, "Low Variation Mode"))
            now = await person.until(
                lambda: (m := person.messages[panel["id"]]) and "Low Variation Mode" in green(m) and m
            )
            assert "Fast mode" not in green(now)
            content = await waiting(person, "a fox")
            [job] = await studio.desk.recent()
            assert job.speed is Speed.RELAX
            assert content.startswith("**a fox --relax** - ")
            await person.press(panel, labelled(panel, "Reset Settings"))
            await person.until(lambda: "Fast mode" in green(person.messages[panel["id"]]))


async def test_the_mode_and_the_strength_of_whoever_presses_hold_for_buttons(
    live: Studio, easel: Easel, person: Member
) -> None:
    grid = await drawn(easel, person, "a fox")
    answer = await told(person, "relax")
    assert answer["content"].startswith("Done!")
    await live.settings.people.prefer(int(person.user["id"]), strength=Strength.SUBTLE)
    await person.press(grid, f"MJ::JOB::variation::1::{job_of(grid)}")
    varied = await easel.take()
    assert isinstance(varied.order, Vary)
    assert (varied.order.strength, varied.speed) == (Strength.SUBTLE, Speed.RELAX)
    await told(person, "fast")
    await person.press(grid, f"MJ::JOB::reroll::0::{job_of(grid)}::SOLO")
    assert (await easel.take()).speed is Speed.FAST


async def test_turbo_is_refused_where_it_is_not_open(live: Studio, person: Member) -> None:
    assert (await told(person, "turbo"))["embeds"][0]["title"] == "Job action restricted"
    assert "Turbo" not in str((await told(person, "settings"))["components"])
    live.desk._rules = Rules(Limits(turbo=True), Credits())
    assert "twice the credits" in (await told(person, "turbo"))["content"]
    panel = await told(person, "settings")
    assert "Turbo mode" in green(panel)


async def test_info_tells_mode_suffix_settings_and_own_options(live: Studio, person: Member) -> None:
    me = int(person.user["id"])
    await live.settings.people.prefer(me, speed=Speed.RELAX, suffix="--ar 3:2", strength=Strength.SUBTLE)
    await live.settings.people.define(me, "mine", "x")
    lines = (await told(person, "info"))["embeds"][0]["description"].splitlines()
    assert "**Job Mode**: Relaxed" in lines
    assert "**Suffix**: `--ar 3:2`" in lines
    assert "**Settings**: `--relax` · Low Variation Mode" in lines
    assert "**Custom Options**: `--mine`" in lines


async def test_results_come_directly_too_for_those_who_want_that(
    live: Studio, easel: Easel, person: Member
) -> None:
    await typed(person, "prefer auto_dm")
    await person.until(lambda: person.find("now sent to you directly"))
    grid = await drawn(easel, person, "a fox --seed 4")
    copies = await person.until(
        lambda: [m for m in person.messages.values() if m["content"] == grid["content"]][1:]
    )
    assert copies[0]["channel_id"] != grid["channel_id"]
    assert custom_ids(copies[0]) == custom_ids(grid)
    await typed(person, "prefer auto_dm")
    await person.until(lambda: person.find("no longer sent"))


async def test_a_database_that_is_busy_is_told_and_no_preference_is_left_out_in_silence(
    live: Studio, person: Member, monkeypatch: Any
) -> None:
    async def busy(*args: object, **more: object) -> None:
        raise DatabaseBusy

    await live.settings.people.prefer(int(person.user["id"]), suffix="--ar 3:2")
    panel = await told(person, "settings")
    monkeypatch.setattr(live.settings.people, "preferences", busy)
    monkeypatch.setattr(live.settings.people, "prefer", busy)
    nonce = await person.command("imagine", prompt="a fox")
    assert (await person.until(lambda: person.answer(nonce)))["embeds"][0]["title"] == "Busy"
    known = len(private(person))
    await person.press(panel, labelled(panel, "Relax mode"))
    await person.until(lambda: len(private(person)) > known)
    assert private(person)[-1]["embeds"][0]["title"] == "Busy"
    assert await live.desk.recent() == []


async def test_preferences_are_exported_and_forgotten(live: Studio, person: Member) -> None:
    me = int(person.user["id"])
    await live.settings.people.prefer(me, suffix="--no text")
    await live.settings.people.define(me, "mine", "x")
    await live.confidant.forget(me)
    found = await live.settings.people.preferences(me)
    assert (found.suffix, found.options) == ("", {})
