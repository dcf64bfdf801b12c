"""The gateway's own rules: who gets in, what each hears, how it is packed."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import discord
import pytest

from playground import seed
from playground.models import Facts
from playground.server import Playground
from tests.playground.clients import Bot, People, Person, running

UNPRIVILEGED = discord.Intents.default().value


async def verdict(
    facts: Facts, *frames: dict[str, Any] | str, query: str = "?v=10&encoding=json"
) -> int | None:
    """The code with which the gateway closes after these frames."""
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as http,
        http.ws_connect(facts.gateway + query) as socket,
    ):
        for frame in frames:
            await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        async for _ in socket:
            pass
        return socket.close_code


def identify(token: str, **more: Any) -> dict[str, Any]:
    return {"op": 2, "d": {"token": token, "properties": {}, "intents": UNPRIVILEGED, **more}}


async def test_wrong_clients_are_closed_with_discords_codes(playground: Playground, facts: Facts) -> None:
    token = facts.bot_token
    assert await verdict(facts, identify("wrong")) == 4004
    assert await verdict(facts, "no json") == 4002
    assert await verdict(facts, {"op": 2, "d": {"token": token, "pad": "x" * 5000}}) == 4002
    assert await verdict(facts, {"op": 3, "d": {}}) == 4003
    assert await verdict(facts, identify(token), identify(token)) == 4005
    assert await verdict(facts, identify(token, shard=[2, 2])) == 4010
    assert await verdict(facts, query="?v=6&encoding=json") == 4012
    assert await verdict(facts, identify(token, intents=-1)) == 4013
    assert await verdict(facts, *({"op": 1, "d": None} for _ in range(121))) == 4008


async def test_privileged_intents_must_be_switched_on(playground: Playground, facts: Facts) -> None:
    playground.admin.change_application(facts.application_id, message_content=False)
    assert await verdict(facts, identify(facts.bot_token, intents=UNPRIVILEGED | 1 << 15)) == 4014
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(Bot(intents=discord.Intents.all()), facts, sync=False):
            pass


async def test_a_bot_with_a_wrong_token_is_told_so(facts: Facts) -> None:
    with pytest.raises(discord.LoginFailure):
        async with running(Bot(), facts.model_copy(update={"bot_token": "wrong"}), sync=False):
            pass


async def test_a_person_is_greeted_with_guilds_channels_and_direct_messages(
    you: Person, facts: Facts
) -> None:
    (guild,) = you.ready["guilds"]
    assert guild["name"] == "Journeyman"
    assert [c["name"] for c in guild["channels"] if c["type"] == 0] == ["imagine", "gallery"]
    assert you.ready["user"]["id"] == facts.user_id
    assert facts.bot_user_id in {user["id"] for user in you.ready["users"]}
    assert (await you.event("READY_SUPPLEMENTAL"))["guilds"][0]["id"] == facts.guild_id


async def test_heartbeats_are_acknowledged(you: Person) -> None:
    await you.line.socket.send_json({"op": 1, "d": you.line.sequence})
    await you.event("op 11")


@pytest.mark.parametrize("transport", ["zlib-stream", "payload", "none"])
async def test_frames_are_packed_as_asked(transport: str, facts: Facts) -> None:
    query = "&compress=zlib-stream" if transport == "zlib-stream" else ""
    inflate = zlib.decompressobj()

    def unpack(message: aiohttp.WSMessage) -> dict[str, Any]:
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        raw = inflate.decompress(message.data) if query else zlib.decompress(message.data)
        return json.loads(raw)

    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(facts.gateway + "?v=10&encoding=json" + query) as socket,
    ):
        assert unpack(await socket.receive())["op"] == 10
        await socket.send_json(identify(facts.bot_token, compress=transport == "payload"))
        message = await socket.receive()
        assert (message.type is aiohttp.WSMsgType.TEXT) == (transport == "none")
        assert unpack(message)["t"] == "READY"


async def test_a_bot_without_the_intent_reads_only_what_concerns_it(facts: Facts, you: Person) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    class Ear(Bot):
        async def on_message(self, message: discord.Message) -> None:
            heard.put_nowait(message.content)

    async with running(Ear(), facts, sync=False), asyncio.timeout(10):
        path = f"/channels/{facts.channel_id}/messages"
        await you.ok("POST", path, {"content": "among us"})
        await you.ok("POST", path, {"content": f"<@{facts.bot_user_id}> hello"})
        assert [await heard.get(), await heard.get()] == ["", f"<@{facts.bot_user_id}> hello"]


async def test_members_are_listed_for_bots_with_the_intent(facts: Facts) -> None:
    everyone = {"you", "friend", "moderator", "owner", "Journeyman"}
    async with running(Bot(intents=discord.Intents.all()), facts, sync=False) as bot:
        assert {m.name for m in bot.guilds[0].members} == everyone
        found = await bot.guilds[0].query_members("fri")
        assert [m.name for m in found] == ["friend"]
    async with running(Bot(), facts, sync=False) as bot:
        assert {m.name for m in bot.guilds[0].members} == {"Journeyman"}
        assert (await bot.guilds[0].fetch_member(int(facts.user_id))).name == "you"


async def test_a_channel_that_is_hidden_is_silent(
    playground: Playground, facts: Facts, you: Person, people: People
) -> None:
    friend = await people(seed.token_for(seed.FRIEND_ID))
    playground.admin.set_overwrite(facts.channel_id, facts.user_id, deny=1 << 10)
    assert (await you.event("CHANNEL_UPDATE"))["id"] == facts.channel_id
    await friend.ok("POST", f"/channels/{facts.channel_id}/messages", {"content": "secret"})
    gallery = await friend.ok("POST", f"/channels/{seed.GALLERY_ID}/messages", {"content": "open"})
    assert (await you.event("MESSAGE_CREATE"))["id"] == gallery["id"]


async def test_a_bot_hears_of_new_people_places_and_its_own_removal(
    playground: Playground, facts: Facts
) -> None:
    news: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    class Ear(Bot):
        async def on_member_join(self, member: discord.Member) -> None:
            news.put_nowait(("member", member.name))

        async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
            news.put_nowait(("channel", channel.name))

        async def on_guild_join(self, guild: discord.Guild) -> None:
            news.put_nowait(("guild", guild.name))

        async def on_guild_remove(self, guild: discord.Guild) -> None:
            news.put_nowait(("gone", guild.name))

    async with running(Ear(intents=discord.Intents.all()), facts, sync=False), asyncio.timeout(10):
        playground.admin.add_user("newcomer")
        assert await news.get() == ("member", "newcomer")
        playground.admin.add_channel("sketches")
        assert await news.get() == ("channel", "sketches")
        second = playground.admin.add_guild("Second", application_id=facts.application_id)
        assert await news.get() == ("guild", "Second")
        playground.admin.remove_member(second.id, facts.bot_user_id)
        assert await news.get() == ("gone", "Second")


async def test_a_refused_handshake_is_refused_as_often_as_asked(playground: Playground, facts: Facts) -> None:
    playground.faults.refuse_connections(1)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(facts.gateway)
        async with http.ws_connect(facts.gateway) as socket:
            assert (await socket.receive_json())["op"] == 10


async def test_two_shards_share_the_guilds_between_them(facts: Facts, people: People) -> None:
    owner = (int(facts.guild_id) >> 22) % 2
    for number in (0, 1):
        client = await people(facts.bot_token, listen=False, bot=True)
        await client.listen(intents=1, shard=[number, 2])
        assert len(client.ready["guilds"]) == (1 if number == owner else 0)
