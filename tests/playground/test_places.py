"""Guilds, members, channels, threads and reactions through discord.py's own methods."""

from __future__ import annotations

import aiohttp
import discord
import pytest

from playground import seed
from playground.models import Facts
from playground.permissions import Permission
from playground.server import Playground
from tests.playground.clients import Bot, People, Person, running


async def test_a_bot_looks_up_its_guild_members_roles_and_channels(facts: Facts) -> None:
    async with running(Bot(intents=discord.Intents.all()), facts, sync=False) as bot:
        guild = await bot.fetch_guild(int(facts.guild_id))
        assert (guild.name, guild.approximate_member_count) == ("Journeyman", 5)
        assert {role.name for role in await guild.fetch_roles()} == {"@everyone", "Moderator", "Journeyman"}
        assert {c.name for c in await guild.fetch_channels()} == {"Pictures", "imagine", "gallery"}
        members = [member async for member in guild.fetch_members(limit=10)]
        assert {m.name for m in members} == {"you", "friend", "moderator", "owner", "Journeyman"}
        assert [g.name async for g in bot.fetch_guilds()] == ["Journeyman"]
        info = await bot.application_info()
        assert (str(info.id), info.owner.name) == (facts.application_id, "owner")
        with pytest.raises(discord.NotFound):
            await guild.fetch_member(1)
        with pytest.raises(discord.NotFound):
            await bot.fetch_user(1)


async def test_a_bot_with_rights_builds_and_removes_channels(
    playground: Playground, facts: Facts, you: Person
) -> None:
    async with running(Bot(), facts, sync=False) as bot:
        guild = bot.guilds[0]
        with pytest.raises(discord.Forbidden):
            await guild.create_text_channel("attic")
        role = playground.admin.add_role(facts.guild_id, "builder", int(Permission.ADMINISTRATOR))
        playground.admin.add_member(facts.guild_id, facts.bot_user_id, roles=(role.id,))
        channel = await guild.create_text_channel("attic", topic="dust")
        assert (await you.event("CHANNEL_CREATE"))["name"] == "attic"
        await channel.edit(topic="light")
        assert (await you.event("CHANNEL_UPDATE"))["topic"] == "light"
        everyone = guild.default_role
        await channel.set_permissions(everyone, send_messages=False)
        assert (await you.event("CHANNEL_UPDATE"))["permission_overwrites"][0]["deny"] == str(1 << 11)
        refused = await you.call("POST", f"/channels/{channel.id}/messages", {"content": "x"})
        assert refused[1]["code"] == 50013
        await channel.delete()
        assert (await you.event("CHANNEL_DELETE"))["id"] == str(channel.id)
        friend = await guild.fetch_member(int(seed.FRIEND_ID))
        await friend.kick()
        assert (await you.event("GUILD_MEMBER_REMOVE"))["user"]["id"] == seed.FRIEND_ID


async def test_threads_are_opened_joined_archived_and_gone_with_their_channel(
    playground: Playground, facts: Facts, you: Person, people: People
) -> None:
    friend = await people(seed.token_for(seed.FRIEND_ID), listen=False)
    async with running(Bot(), facts, sync=False) as bot:
        channel = bot.get_channel(int(facts.channel_id))
        private = await channel.create_thread(name="private")
        path = f"/channels/{private.id}"
        assert (await friend.call("GET", path))[1]["code"] == 50001
        await private.add_user(discord.Object(int(seed.FRIEND_ID)))
        assert (await friend.ok("GET", path))["name"] == "private"
        await private.remove_user(discord.Object(int(seed.FRIEND_ID)))
        assert (await friend.call("GET", path))[1]["code"] == 50001
        public = await channel.create_thread(name="public", type=discord.ChannelType.public_thread)
        active = await you.ok("GET", f"/guilds/{facts.guild_id}/threads/active")
        assert [t["name"] for t in active["threads"]] == ["public"]
        await public.edit(archived=True)
        assert (await you.event("THREAD_UPDATE"))["thread_metadata"]["archived"]
        await you.ok("POST", f"/channels/{public.id}/messages", {"content": "awake"})
        assert not (await you.event("THREAD_UPDATE"))["thread_metadata"]["archived"]
        await public.edit(locked=True)
        refused = await you.call("POST", f"/channels/{public.id}/messages", {"content": "x"})
        assert refused[1]["code"] == 50083
        playground.admin.delete_channel(facts.channel_id)
        assert (await you.event("THREAD_DELETE"))["id"] == str(public.id)
        assert (await you.call("GET", f"/channels/{public.id}"))[1]["code"] == 10003


async def test_reactions_are_counted_listed_and_cleared(facts: Facts, you: Person, people: People) -> None:
    moderator = await people(seed.token_for(seed.MODERATOR_ID), listen=False)
    async with running(Bot(), facts, sync=False) as bot:
        message = await bot.get_channel(int(facts.channel_id)).send("x")
        await message.add_reaction("🔥")
        path = f"/channels/{facts.channel_id}/messages/{message.id}/reactions"
        for emoji in ("🔥", "👍", "upscale:1234"):
            await you.ok("PUT", f"{path}/{emoji}/@me")
        await you.ok("PUT", f"{path}/🔥/@me")
        fetched = await message.channel.fetch_message(message.id)
        assert [(str(r.emoji), r.count, r.me) for r in fetched.reactions] == [
            ("🔥", 2, True),
            ("👍", 1, False),
            ("<:upscale:1234>", 1, False),
        ]
        assert {user.name async for user in fetched.reactions[0].users()} == {"Journeyman", "you"}
        after = await you.ok("GET", f"{path}/🔥?after={facts.bot_user_id}&limit=1")
        assert [user["username"] for user in after] == ["you"]
        assert (await you.call("DELETE", f"{path}/🔥/{facts.bot_user_id}"))[1]["code"] == 50013
        await moderator.ok("DELETE", f"{path}/🔥/{facts.bot_user_id}")
        assert (await you.event("MESSAGE_REACTION_REMOVE"))["user_id"] == facts.bot_user_id
        await moderator.ok("DELETE", f"{path}/👍")
        assert (await you.event("MESSAGE_REACTION_REMOVE_EMOJI"))["emoji"]["name"] == "👍"
        await moderator.ok("DELETE", path)
        await you.event("MESSAGE_REACTION_REMOVE_ALL")
        assert (await message.channel.fetch_message(message.id)).reactions == []


async def test_a_moderator_clears_several_messages_at_once(facts: Facts, you: Person, people: People) -> None:
    moderator = await people(seed.token_for(seed.MODERATOR_ID), listen=False)
    path = f"/channels/{facts.channel_id}/messages"
    ids = [(await you.ok("POST", path, {"content": str(n)}))["id"] for n in range(3)]
    assert (await you.call("POST", f"{path}/bulk-delete", {"messages": ids}))[1]["code"] == 50013
    assert (await moderator.call("POST", f"{path}/bulk-delete", {"messages": ids[:1]}))[1]["code"] == 50016
    await moderator.ok("POST", f"{path}/bulk-delete", {"messages": ids[:2]})
    assert [m["content"] for m in await you.history()] == ["2"]


async def test_people_have_profiles_names_groups_and_pictures(facts: Facts, you: Person) -> None:
    profile = await you.ok("GET", f"/users/{seed.FRIEND_ID}/profile")
    assert [g["id"] for g in profile["mutual_guilds"]] == [facts.guild_id]
    renamed = await you.ok("PATCH", "/users/@me", {"global_name": "You Yourself"})
    assert renamed["global_name"] == "You Yourself"
    assert (await you.event("USER_UPDATE"))["global_name"] == "You Yourself"
    assert (await you.call("PATCH", "/users/@me", {"username": "x"}))[1]["code"] == 50035
    group = await you.ok("POST", "/users/@me/channels", {"recipients": [seed.FRIEND_ID, seed.MODERATOR_ID]})
    assert (group["type"], {u["username"] for u in group["recipients"]}) == (3, {"friend", "moderator"})
    found = await you.ok("GET", f"/guilds/{facts.guild_id}/members/search?query=mod&limit=5")
    assert [m["user"]["username"] for m in found] == ["moderator"]
    assert (await you.ok("GET", f"/guilds/{facts.guild_id}/members/@me"))["user"]["id"] == facts.user_id
    assert (await you.ok("GET", f"/applications/{facts.application_id}/public"))["name"] == "Journeyman"
    async with aiohttp.ClientSession() as http, http.get(facts.url + "/cdn/embed/avatars/3.png") as response:
        assert (response.status, response.content_type) == (200, "image/png")


async def test_what_only_bots_or_only_people_may_do(facts: Facts, you: Person, bot_rest: Person) -> None:
    assert (await you.call("GET", "/gateway/bot"))[1]["code"] == 20002
    assert (await you.call("GET", f"/applications/{facts.application_id}/commands"))[1]["code"] == 20002
    assert (await bot_rest.call("POST", "/interactions", {}))[1]["code"] == 20001
    assert (await bot_rest.ok("GET", "/gateway/bot"))["session_start_limit"]["total"] == 1000
    assert (await bot_rest.call("GET", "/applications/1/commands"))[1]["code"] == 20012


async def test_one_command_is_created_changed_and_read(facts: Facts, bot_rest: Person) -> None:
    path = f"/applications/{facts.application_id}/guilds/{facts.guild_id}/commands"
    made = await bot_rest.ok("POST", path, {"name": "one", "description": "x"})
    assert made["guild_id"] == facts.guild_id
    again = await bot_rest.ok("POST", path, {"name": "one", "description": "y"})
    assert (again["id"], again["description"]) == (made["id"], "y")
    edited = await bot_rest.ok("PATCH", f"{path}/{made['id']}", {"description": "z"})
    assert edited["description"] == "z"
    assert await bot_rest.ok("GET", f"{path}/{made['id']}") == edited
    assert (await bot_rest.call("GET", f"{path}/1"))[1]["code"] == 10063


async def test_an_app_installed_by_a_person_is_in_that_persons_index(
    playground: Playground, facts: Facts, you: Person, bot_rest: Person
) -> None:
    path = f"/applications/{facts.application_id}/commands"
    await bot_rest.ok("POST", path, {"name": "one", "description": "x", "integration_types": [0, 1]})
    assert (await you.ok("GET", "/users/@me/application-command-index"))["application_commands"] == []
    playground.admin.change_application(facts.application_id, user_installs=(facts.user_id,))
    index = await you.ok("GET", "/users/@me/application-command-index")
    assert [c["name"] for c in index["application_commands"]] == ["one"]
