"""Messages: pings, nonces, files that stay and go, links, history."""

from __future__ import annotations

from urllib.parse import urlsplit

from playground import seed
from playground.clock import Clock
from playground.models import Facts
from playground.permissions import Permission
from playground.server import Playground
from playground.state import NONCE_SECONDS
from tests.playground.clients import Json, People, Person, png


def messages(facts: Facts) -> str:
    return f"/channels/{facts.channel_id}/messages"


async def test_a_repeated_nonce_returns_the_first_message_until_it_is_forgotten(
    facts: Facts, bot_rest: Person, clock: Clock
) -> None:
    body = {"content": "once", "nonce": "job-1", "enforce_nonce": True}
    first = await bot_rest.ok("POST", messages(facts), body)
    again = await bot_rest.ok("POST", messages(facts), body | {"content": "other"})
    assert (again["id"], again["content"], again["nonce"]) == (first["id"], "once", "job-1")
    unenforced = await bot_rest.ok("POST", messages(facts), {"content": "x", "nonce": "job-1"})
    assert unenforced["id"] != first["id"]
    clock.advance(NONCE_SECONDS + 1)
    later = await bot_rest.ok("POST", messages(facts), body)
    assert later["id"] not in {first["id"], unenforced["id"]}


async def test_a_nonce_belongs_to_its_author_and_not_to_a_deleted_message(
    facts: Facts, bot_rest: Person, you: Person
) -> None:
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    mine, yours = (
        await bot_rest.ok("POST", messages(facts), body),
        await you.ok("POST", messages(facts), body),
    )
    assert mine["id"] != yours["id"]
    await bot_rest.ok("DELETE", f"{messages(facts)}/{mine['id']}")
    assert (await bot_rest.ok("POST", messages(facts), body))["id"] != mine["id"]


async def test_only_allowed_mentions_ping(facts: Facts, bot_rest: Person, playground: Playground) -> None:
    role = playground.admin.add_role(facts.guild_id, "artists", mentionable=True)
    text = f"<@{seed.YOU_ID}> <@!{seed.FRIEND_ID}> <@&{role.id}> @everyone `<@{seed.MODERATOR_ID}>`"

    async def pinged(**more: Json) -> tuple[list[str], list[str], bool]:
        message = await bot_rest.ok("POST", messages(facts), {"content": text, **more})
        return [u["id"] for u in message["mentions"]], message["mention_roles"], message["mention_everyone"]

    both = [seed.YOU_ID, seed.FRIEND_ID]
    assert await pinged() == (both, [role.id], False)
    assert await pinged(allowed_mentions={"parse": []}) == ([], [], False)
    assert await pinged(allowed_mentions={"parse": [], "users": [seed.YOU_ID]}) == ([seed.YOU_ID], [], False)
    assert await pinged(allowed_mentions={"parse": ["roles"]}) == ([], [role.id], False)
    playground.admin.set_overwrite(
        facts.channel_id, facts.bot_user_id, allow=int(Permission.MENTION_EVERYONE)
    )
    assert await pinged() == (both, [role.id], True)
    assert await pinged(allowed_mentions={"parse": ["users"]}) == (both, [], False)


async def test_a_reply_pings_its_author_unless_told_otherwise(
    facts: Facts, bot_rest: Person, you: Person
) -> None:
    asked = await you.ok("POST", messages(facts), {"content": "?"})
    body: Json = {"content": "!", "message_reference": {"message_id": asked["id"]}}
    assert [u["id"] for u in (await bot_rest.ok("POST", messages(facts), body))["mentions"]] == [
        facts.user_id
    ]
    quiet = body | {"allowed_mentions": {"parse": [], "replied_user": False}}
    assert (await bot_rest.ok("POST", messages(facts), quiet))["mentions"] == []
    await you.ok("DELETE", f"{messages(facts)}/{asked['id']}")
    assert (await bot_rest.history())[0]["referenced_message"] is None
    body["message_reference"]["fail_if_not_exists"] = False
    assert "message_reference" not in await bot_rest.ok("POST", messages(facts), body)


async def test_an_edit_keeps_lists_and_replaces_attachments(facts: Facts, bot_rest: Person) -> None:
    files = [("a.png", png()), ("b.png", png("blue")), ("notes.txt", b"hello")]
    status, message = await bot_rest.upload(messages(facts), {"content": "x"}, *files)
    assert status == 200
    a, b, notes = message["attachments"]
    assert (notes["content_type"], "width" in notes) == ("text/plain; charset=utf-8", False)
    path = f"{messages(facts)}/{message['id']}"
    untouched = await bot_rest.ok("PATCH", path, {"content": "y"})
    assert [one["id"] for one in untouched["attachments"]] == [a["id"], b["id"], notes["id"]]
    body = {"attachments": [{"id": b["id"]}, {"id": 0, "filename": "c.png", "description": "new"}]}
    _, changed = await bot_rest.upload(path, body, ("c.png", png("green")), method="PATCH")
    assert [one["filename"] for one in changed["attachments"]] == ["b.png", "c.png"]
    assert changed["attachments"][1]["description"] == "new"
    async with bot_rest.http.get(a["url"]) as response:
        assert response.status == 404
    bare = await bot_rest.ok("PATCH", path, {"attachments": []})
    assert bare["attachments"] == []
    status, answer = await bot_rest.call("PATCH", path, {"content": ""})
    assert (status, answer["code"]) == (400, 50006)


async def test_a_file_that_an_embed_shows_is_not_listed_until_the_embed_goes(
    facts: Facts, bot_rest: Person
) -> None:
    body = {"embeds": [{"title": "t", "image": {"url": "attachment://my cat.png"}}]}
    _, message = await bot_rest.upload(messages(facts), body, ("my cat.png", png()))
    image = message["embeds"][0]["image"]
    assert (message["attachments"], image["width"], image["height"]) == ([], 40, 30)
    assert urlsplit(image["url"]).path.endswith("/my_cat.png")
    plain = await bot_rest.ok("PATCH", f"{messages(facts)}/{message['id']}", {"embeds": []})
    assert [(one["filename"], one["title"]) for one in plain["attachments"]] == [("my_cat.png", "my cat")]


async def test_links_are_signed_expire_and_can_be_refreshed(
    facts: Facts, bot_rest: Person, clock: Clock
) -> None:
    _, message = await bot_rest.upload(messages(facts), {}, ("a.png", png()))
    url = message["attachments"][0]["url"]

    async def status(link: str) -> int:
        async with bot_rest.http.get(link) as response:
            return response.status

    assert await status(url) == 200
    assert await status(url.replace("ex=", "ex=f")) == 404
    assert await status(url.split("?")[0]) == 404
    clock.advance(24 * 3600 + 1)
    assert await status(url) == 404
    answer = await bot_rest.ok("POST", "/attachments/refresh-urls", {"attachment_urls": [url]})
    assert await status(answer["refreshed_urls"][0]["refreshed"]) == 200
    assert await status((await bot_rest.history())[0]["attachments"][0]["url"]) == 200


async def test_an_uploaded_page_does_not_run_as_ours(facts: Facts, bot_rest: Person) -> None:
    _, message = await bot_rest.upload(messages(facts), {}, ("a.html", b"<script>alert(1)</script>"))
    async with bot_rest.http.get(message["attachments"][0]["url"]) as response:
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_history_is_paged_by_before_after_and_around(facts: Facts, you: Person) -> None:
    ids = [(await you.ok("POST", messages(facts), {"content": str(n)}))["id"] for n in range(5)]

    async def page(query: str) -> list[str]:
        return [m["content"] for m in await you.ok("GET", f"{messages(facts)}?{query}")]

    assert await page("limit=2") == ["4", "3"]
    assert await page(f"limit=2&before={ids[3]}") == ["2", "1"]
    assert await page(f"limit=2&after={ids[0]}") == ["2", "1"]
    assert await page(f"limit=3&around={ids[2]}") == ["3", "2", "1"]
    status, answer = await you.call("GET", f"{messages(facts)}?limit=101")
    assert (status, answer["code"]) == (400, 50035)


async def test_messages_of_others_can_be_deleted_by_moderators_and_edited_by_nobody(
    facts: Facts, you: Person, bot_rest: Person, people: People
) -> None:
    message = await bot_rest.ok("POST", messages(facts), {"content": "x"})
    path = f"{messages(facts)}/{message['id']}"
    assert (await you.call("DELETE", path))[1]["code"] == 50013
    moderator = await people(seed.token_for(seed.MODERATOR_ID), listen=False)
    assert (await moderator.call("PATCH", path, {"content": "y"}))[1]["code"] == 50005
    await moderator.ok("DELETE", path)
    assert (await you.event("MESSAGE_DELETE"))["id"] == message["id"]
    assert (await bot_rest.call("GET", path))[1]["code"] == 10008


async def test_lost_permissions_take_effect_at_once(
    facts: Facts, bot_rest: Person, playground: Playground
) -> None:
    async def code(*files: tuple[str, bytes], **body: object) -> int | None:
        return (await bot_rest.upload(messages(facts), body, *files))[1].get("code")

    deny = playground.admin.deny_bot
    deny(facts.channel_id, Permission.ATTACH_FILES)
    assert (await code(("a.png", png())), await code(content="x")) == (50013, None)
    deny(facts.channel_id, Permission.EMBED_LINKS)
    assert (await code(embeds=[{"title": "x"}]), await code(content="x")) == (50013, None)
    deny(facts.channel_id, Permission.SEND_MESSAGES)
    assert await code(content="x") == 50013
    deny(facts.channel_id, Permission.VIEW_CHANNEL)
    assert await code(content="x") == 50001
    assert (await bot_rest.call("GET", messages(facts)))[1]["code"] == 50001
    deny(facts.channel_id, Permission(0))
    assert await code(content="x") is None


async def test_a_direct_message_is_seen_by_its_two_people_only_and_can_be_refused(
    facts: Facts, bot_rest: Person, you: Person, people: People, playground: Playground
) -> None:
    direct = await bot_rest.ok("POST", "/users/@me/channels", {"recipient_id": facts.user_id})
    friend = await people(seed.token_for(seed.FRIEND_ID), listen=False)
    path = f"/channels/{direct['id']}/messages"
    await bot_rest.ok("POST", path, {"content": "psst"})
    assert (await you.event("MESSAGE_CREATE"))["channel_type"] == 1
    assert (await friend.call("GET", path))[1]["code"] == 50001
    assert [c["id"] for c in await you.ok("GET", "/users/@me/channels")] == [direct["id"]]
    playground.admin.close_direct_messages(facts.user_id)
    assert (await bot_rest.call("POST", path, {"content": "x"}))[1]["code"] == 50007


async def test_unknown_things_have_their_codes(facts: Facts, bot_rest: Person, people: People) -> None:
    async def code(method: str, path: str, body: object = None) -> tuple[int, int]:
        status, answer = await bot_rest.call(method, path, body)
        return status, answer["code"]

    assert await code("GET", "/channels/1") == (404, 10003)
    assert await code("GET", "/guilds/1") == (404, 10004)
    assert await code("GET", "/users/1") == (404, 10013)
    assert await code("GET", f"/guilds/{facts.guild_id}/members/1") == (404, 10007)
    assert await code("POST", "/interactions/1/token/callback", {"type": 4}) == (404, 10062)
    assert await code("POST", "/webhooks/1/token", {"content": "x"}) == (404, 10015)
    assert await code("POST", f"/webhooks/{facts.application_id}/token", {"content": "x"}) == (401, 50027)
    assert await code("GET", "/nothing") == (404, 0)
    stranger = await people("wrong", listen=False)
    assert (await stranger.call("GET", "/users/@me"))[0] == 401
