"""What Discord refuses, the playground refuses: code, and the place of every violation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from playground.models import Facts
from tests.playground.clients import Json, People, Person, png

V2 = 1 << 15


def button(custom_id: str | None = "a", **more: Any) -> Json:
    return {"type": 2, "style": 2, "label": "x", "custom_id": custom_id, **more}


def row(*items: Json) -> Json:
    return {"type": 1, "components": list(items)}


def words(content: str = "x") -> Json:
    return {"type": 10, "content": content}


def gallery(count: int, **more: Any) -> Json:
    item = {"media": {"url": "https://example.org/a.png"}, **more}
    return {"type": 12, "items": [item] * count}


def leaves(errors: Json, path: str = "") -> Iterator[str]:
    """`embeds.0.title:BASE_TYPE_MAX_LENGTH` for every violation of an `errors` tree."""
    for key, value in errors.items():
        if key == "_errors":
            yield from (f"{path}:{one['code']}" for one in value)
        else:
            yield from leaves(value, f"{path}.{key}" if path else key)


BAD_MESSAGES: dict[str, tuple[Json, str]] = {
    "content of 2001": ({"content": "x" * 2001}, "content:BASE_TYPE_MAX_LENGTH"),
    "eleven embeds": ({"embeds": [{"title": "x"}] * 11}, "embeds:BASE_TYPE_MAX_LENGTH"),
    "embed title of 257": ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title:BASE_TYPE_MAX_LENGTH"),
    "embed footer of 2049": (
        {"embeds": [{"footer": {"text": "x" * 2049}}]},
        "embeds.0.footer.text:BASE_TYPE_MAX_LENGTH",
    ),
    "embeds of 6001 in total": (
        {"embeds": [{"description": "x" * 3000}, {"description": "x" * 3001}]},
        "embeds:MAX_EMBED_SIZE_EXCEEDED",
    ),
    "26 fields": (
        {"embeds": [{"fields": [{"name": "a", "value": "b"}] * 26}]},
        "embeds.0.fields:BASE_TYPE_MAX_LENGTH",
    ),
    "field without value": (
        {"embeds": [{"fields": [{"name": "a", "value": ""}]}]},
        "embeds.0.fields.0.value:BASE_TYPE_REQUIRED",
    ),
    "six rows": (
        {"content": "x", "components": [row(button(str(n))) for n in range(6)]},
        "components:BASE_TYPE_MAX_LENGTH",
    ),
    "six buttons": (
        {"content": "x", "components": [row(*(button(str(n)) for n in range(6)))]},
        "components.0.components:BASE_TYPE_BAD_LENGTH",
    ),
    "no custom_id": (
        {"content": "x", "components": [row(button(None))]},
        "components.0.components.0.custom_id:COMPONENT_CUSTOM_ID_REQUIRED",
    ),
    "custom_id twice": (
        {"content": "x", "components": [row(button("a"), button("a"))]},
        "components.0.components.1.custom_id:COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    "custom_id of 101": (
        {"content": "x", "components": [row(button("x" * 101))]},
        "components.0.components.0.custom_id:BASE_TYPE_BAD_LENGTH",
    ),
    "label of 81": (
        {"content": "x", "components": [row(button(label="x" * 81))]},
        "components.0.components.0.label:BASE_TYPE_MAX_LENGTH",
    ),
    "link button without url": (
        {"content": "x", "components": [row(button(None, style=5))]},
        "components.0.components.0.url:BUTTON_COMPONENT_URL_REQUIRED",
    ),
    "select beside a button": (
        {
            "content": "x",
            "components": [
                row(button(), {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]})
            ],
        },
        "components.0:COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ),
    "26 options": (
        {
            "content": "x",
            "components": [
                row(
                    {
                        "type": 3,
                        "custom_id": "s",
                        "options": [{"label": "a", "value": str(n)} for n in range(26)],
                    }
                )
            ],
        },
        "components.0.components.0.options:BASE_TYPE_BAD_LENGTH",
    ),
    "text display without the flag": (
        {"content": "x", "components": [words()]},
        "components.0.type:BASE_TYPE_CHOICES",
    ),
    "content with the flag": (
        {"content": "x", "flags": V2, "components": [words()]},
        "content:MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    "41 nested components": (
        {"flags": V2, "components": [{"type": 17, "components": [words() for _ in range(40)]}]},
        "components:COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    "4001 characters of text": (
        {"flags": V2, "components": [words("x" * 2000), words("x" * 2001)]},
        "components:COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ),
    "eleven gallery items": (
        {"flags": V2, "components": [gallery(11)]},
        "components.0.items:BASE_TYPE_BAD_LENGTH",
    ),
    "alt text of 1025": (
        {"flags": V2, "components": [gallery(1, description="x" * 1025)]},
        "components.0.items.0.description:BASE_TYPE_MAX_LENGTH",
    ),
    "component id twice": (
        {"flags": V2, "components": [words() | {"id": 3}, words() | {"id": 3}]},
        "components.1.id:COMPONENT_ID_DUPLICATED",
    ),
    "media that was not uploaded": (
        {"flags": V2, "components": [{"type": 13, "file": {"url": "attachment://a.txt"}}]},
        "components:UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ),
    "nonce of 26": ({"content": "x", "nonce": "n" * 26}, "nonce:BASE_TYPE_MAX_LENGTH"),
    "mentions allowed twice": (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions:MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    "reply to nothing": (
        {"content": "x", "message_reference": {"message_id": "1"}},
        "message_reference:MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
    ),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
async def test_a_message_against_the_rules_is_refused_at_its_place(
    name: str, facts: Facts, bot_rest: Person
) -> None:
    body, place = BAD_MESSAGES[name]
    status, answer = await bot_rest.call("POST", f"/channels/{facts.channel_id}/messages", body)
    assert (status, answer["code"], answer["message"]) == (400, 50035, "Invalid Form Body")
    assert place in set(leaves(answer["errors"]))
    assert await bot_rest.history() == []


async def test_all_violations_are_reported_together(facts: Facts, bot_rest: Person) -> None:
    body = {"content": "x" * 2001, "components": [row(button(label="y" * 81))]}
    _, answer = await bot_rest.call("POST", f"/channels/{facts.channel_id}/messages", body)
    assert set(leaves(answer["errors"])) == {
        "content:BASE_TYPE_MAX_LENGTH",
        "components.0.components.0.label:BASE_TYPE_MAX_LENGTH",
    }


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": "  \n "}, {"components": [row(button())]}])
async def test_a_message_that_shows_nothing_is_refused(body: Json, facts: Facts, bot_rest: Person) -> None:
    status, answer = await bot_rest.call("POST", f"/channels/{facts.channel_id}/messages", body)
    assert (status, answer["code"]) == (400, 50006)


async def test_a_message_at_every_limit_is_accepted(facts: Facts, bot_rest: Person) -> None:
    body = {
        "content": "x" * 2000,
        "embeds": [{"title": "x" * 256, "description": "x" * 4096, "footer": {"text": "x" * 1648}}],
        "components": [
            row(*(button(f"{r}{n}" + "x" * 98, label="x" * 80) for n in range(5))) for r in range(5)
        ],
    }
    path = f"/channels/{facts.channel_id}/messages"
    answer = await bot_rest.ok("POST", path, body)
    assert len(answer["components"]) == 5
    body = {"flags": V2, "components": [{"type": 17, "components": [words() for _ in range(39)]}]}
    assert len((await bot_rest.ok("POST", path, body))["components"][0]["components"]) == 39


async def test_the_flag_of_version_2_cannot_be_edited_away(facts: Facts, bot_rest: Person) -> None:
    path = f"/channels/{facts.channel_id}/messages"
    message = await bot_rest.ok("POST", path, {"flags": V2, "components": [words("a")]})
    edited = await bot_rest.ok("PATCH", f"{path}/{message['id']}", {"flags": 0, "components": [words("b")]})
    assert edited["flags"] & V2
    status, answer = await bot_rest.call("PATCH", f"{path}/{message['id']}", {"content": "plain"})
    assert (status, answer["code"]) == (400, 50035)


async def test_a_plain_message_becomes_version_2_only_without_its_content(
    facts: Facts, bot_rest: Person
) -> None:
    path = f"/channels/{facts.channel_id}/messages"
    message = await bot_rest.ok("POST", path, {"content": "plain"})
    body: Json = {"flags": V2, "components": [words("b")]}
    status, answer = await bot_rest.call("PATCH", f"{path}/{message['id']}", body)
    assert (status, answer["code"]) == (400, 50035)
    edited = await bot_rest.ok("PATCH", f"{path}/{message['id']}", body | {"content": None})
    assert (edited["content"], edited["components"][0]["content"]) == ("", "b")


# -- commands --------------------------------------------------------------------------------------------


def command(**more: Any) -> Json:
    return {"name": "imagine", "description": "Draw", **more}


def option(name: str = "a", **more: Any) -> Json:
    return {"name": name, "description": "x", "type": 3, **more}


BAD_COMMANDS: dict[str, tuple[list[Json], str]] = {
    "capitals": ([command(name="Imagine")], "0.name:APPLICATION_COMMAND_INVALID_NAME"),
    "spaces": ([command(name="i magine")], "0.name:APPLICATION_COMMAND_INVALID_NAME"),
    "name of 33": ([command(name="x" * 33)], "0.name:BASE_TYPE_BAD_LENGTH"),
    "no description": ([command(description="")], "0.description:BASE_TYPE_REQUIRED"),
    "description of 101": ([command(description="x" * 101)], "0.description:BASE_TYPE_BAD_LENGTH"),
    "required after optional": (
        [command(options=[option("a"), option("b", required=True)])],
        "0.options.1:APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    "autocomplete and choices": (
        [command(options=[option(autocomplete=True, choices=[{"name": "a", "value": "a"}])])],
        "0.options.0.autocomplete:APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES",
    ),
    "two of one name": ([command(), command()], "1.name:APPLICATION_COMMANDS_DUPLICATE_NAME"),
    "two options of one name": (
        [command(options=[option("a"), option("a")])],
        "0.options.1.name:APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
    ),
    "26 options": (
        [command(options=[option(f"o{n}") for n in range(26)])],
        "0.options:BASE_TYPE_MAX_LENGTH",
    ),
    "26 choices": (
        [command(options=[option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])])],
        "0.options.0.choices:BASE_TYPE_MAX_LENGTH",
    ),
    "more than 8000 characters": (
        [
            command(
                options=[
                    option(f"o{n}", choices=[{"name": "x" * 99, "value": "y" * 98} for c in range(9)])
                    for n in range(5)
                ]
            )
        ],
        "0:APPLICATION_COMMAND_TOO_LARGE",
    ),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
async def test_commands_against_the_rules_are_refused_and_none_is_stored(
    name: str, facts: Facts, bot_rest: Person
) -> None:
    bodies, place = BAD_COMMANDS[name]
    path = f"/applications/{facts.application_id}/commands"
    status, answer = await bot_rest.call("PUT", path, bodies)
    assert (status, answer["code"]) == (400, 50035)
    assert place in set(leaves(answer["errors"]))
    assert await bot_rest.ok("GET", path) == []


async def test_no_more_than_a_hundred_slash_commands(facts: Facts, bot_rest: Person) -> None:
    path = f"/applications/{facts.application_id}/commands"
    bodies = [command(name=f"c{n}") for n in range(101)]
    status, answer = await bot_rest.call("PUT", path, bodies)
    assert (status, answer["code"]) == (400, 30032)
    assert len(await bot_rest.ok("PUT", path, bodies[:100])) == 100


async def test_replacing_commands_keeps_ids_and_the_version_of_what_did_not_change(
    facts: Facts, bot_rest: Person
) -> None:
    path = f"/applications/{facts.application_id}/commands"
    nulls = {"integration_types": None, "contexts": None, "default_member_permissions": None}
    old_a, old_b = await bot_rest.ok("PUT", path, [command(name="a", **nulls), command(name="b")])
    assert (old_a["integration_types"], old_a["contexts"]) == ([0], None)
    changed = [command(name="b", description="new"), command(name="a", **nulls), command(name="c")]
    new_b, new_a, _ = await bot_rest.ok("PUT", path, changed)
    assert (new_a["id"], new_a["version"]) == (old_a["id"], old_a["version"])
    assert new_b["id"] == old_b["id"]
    assert int(new_b["version"]) > int(old_b["version"])
    await bot_rest.ok("DELETE", f"{path}/{new_a['id']}")
    assert [c["name"] for c in await bot_rest.ok("GET", path)] == ["b", "c"]


async def test_a_slash_command_with_a_wrong_or_missing_option_is_refused(
    facts: Facts, bot_rest: Person, you: Person
) -> None:
    options = [
        option("prompt", required=True, max_length=5),
        {"name": "count", "description": "x", "type": 4, "min_value": 1, "max_value": 4},
        option("mode", choices=[{"name": "Fast", "value": "fast"}]),
    ]
    path = f"/applications/{facts.application_id}/commands"
    (known,) = await bot_rest.ok("PUT", path, [command(options=options)])

    async def attempt(*given: Json) -> set[str]:
        data = {"id": known["id"], "version": known["version"], "name": "imagine", "type": 1}
        body = {
            "type": 2,
            "application_id": facts.application_id,
            "channel_id": facts.channel_id,
            "session_id": "s",
            "data": data | {"options": list(given)},
        }
        status, answer = await you.call("POST", "/interactions", body)
        assert (status, answer["code"]) == (400, 50035)
        return set(leaves(answer["errors"]))

    def given(name: str, value: object, kind: int = 3) -> Json:
        return {"name": name, "value": value, "type": kind}

    assert await attempt() == {"data.options.prompt:BASE_TYPE_REQUIRED"}
    assert await attempt(given("prompt", "x" * 6)) == {"data.options.prompt:BASE_TYPE_MAX_LENGTH"}
    assert await attempt(given("prompt", "x"), given("count", 5, 4)) == {"data.options.count:NUMBER_TYPE_MAX"}
    assert await attempt(given("prompt", "x"), given("mode", "slow")) == {
        "data.options.mode:BASE_TYPE_CHOICES"
    }
    assert await attempt(given("prompt", "x"), given("other", "slow")) == {
        "data.options.other:APPLICATION_COMMAND_OPTION_UNKNOWN"
    }


async def test_a_command_for_moderators_is_hidden_from_others(
    facts: Facts, bot_rest: Person, you: Person, people: People
) -> None:
    path = f"/applications/{facts.application_id}/guilds/{facts.guild_id}/commands"
    await bot_rest.ok("POST", path, command(default_member_permissions=str(1 << 13)))
    listing = f"/guilds/{facts.guild_id}/application-command-index"
    assert (await you.ok("GET", listing))["application_commands"] == []
    async with you.http.get(facts.url + "/playground/people") as response:
        tokens = {one["username"]: one["token"] for one in await response.json()}
    moderator = await people(tokens["moderator"], listen=False)
    index = await moderator.ok("GET", listing)
    assert [c["name"] for c in index["application_commands"]] == ["imagine"]
    assert index["applications"][0]["bot"]["id"] == facts.bot_user_id


# -- files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "accepted"), [(10 * 1024 * 1024, True), (10 * 1024 * 1024 + 1, False)])
async def test_a_file_may_have_ten_mebibytes(
    size: int, accepted: bool, facts: Facts, bot_rest: Person
) -> None:
    path = f"/channels/{facts.channel_id}/messages"
    status, answer = await bot_rest.upload(path, {}, ("a.bin", b"x" * size))
    assert (status, answer.get("code")) == ((200, None) if accepted else (413, 40005))


async def test_a_request_may_have_25_mebibytes(facts: Facts, bot_rest: Person) -> None:
    path = f"/channels/{facts.channel_id}/messages"
    nine = b"x" * 9 * 1024 * 1024
    status, answer = await bot_rest.upload(path, {}, *((f"{n}.bin", nine) for n in range(3)))
    assert (status, answer["code"]) == (413, 40005)


async def test_a_message_holds_ten_files(facts: Facts, bot_rest: Person) -> None:
    path = f"/channels/{facts.channel_id}/messages"
    files = [(f"{n}.png", png()) for n in range(11)]
    status, answer = await bot_rest.upload(path, {}, *files)
    assert (status, answer["code"]) == (400, 50035)
    status, answer = await bot_rest.upload(path, {}, *files[:10])
    assert (status, len(answer["attachments"])) == (200, 10)
