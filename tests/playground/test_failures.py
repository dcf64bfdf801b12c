"""Failures on demand, and what discord.py makes of them."""

from __future__ import annotations

import asyncio

import aiohttp
import discord
import pytest

from playground.clock import Clock
from playground.faults import Fault, FaultKind
from playground.models import Facts
from playground.server import Playground
from tests.playground.clients import Bot, Person, running

MESSAGES = "/channels/*/messages"


async def test_a_rate_limit_is_waited_out_and_the_message_comes_once(
    playground: Playground, facts: Facts, you: Person
) -> None:
    async with running(Bot(), facts, sync=False) as bot:
        playground.faults.add(Fault(kind=FaultKind.RATE_LIMIT, method="POST", route=MESSAGES, seconds=0.01))
        await bot.get_channel(int(facts.channel_id)).send("patience")
        assert (await you.event("MESSAGE_CREATE"))["content"] == "patience"
    posts = [e for e in playground.journal if e.method == "POST" and e.route.endswith("/messages")]
    assert [(e.status, e.fault) for e in posts] == [(429, "rate_limit"), (200, None)]
    assert len(await you.history()) == 1


async def test_a_global_rate_limit_holds_back_everything(playground: Playground, facts: Facts) -> None:
    playground.faults.add(Fault(kind=FaultKind.RATE_LIMIT, everywhere=True, seconds=0.25))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {facts.bot_token}"}) as http:
        async with http.get(facts.api + "/users/@me") as response:
            body = await response.json()
            assert (response.status, body["retry_after"], body["global"]) == (429, 0.25, True)
            assert "Via" in response.headers
            assert response.headers["Content-Type"] == "application/json"
        async with http.get(facts.api + "/users/@me") as response:
            assert response.status == 200


async def test_a_500_after_storing_does_not_double_a_message_that_discord_py_gave_a_nonce(
    playground: Playground, facts: Facts, you: Person
) -> None:
    fault = Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=MESSAGES, after_store=True)
    async with running(Bot(), facts, sync=False) as bot:
        playground.faults.add(fault)
        await bot.get_channel(int(facts.channel_id)).send("once")
    assert [m["content"] for m in await you.history()] == ["once"]
    assert [e.status for e in playground.journal if e.route.endswith("/messages")][:2] == [500, 200]


async def test_a_500_after_storing_doubles_a_follow_up(
    playground: Playground, facts: Facts, you: Person
) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def twice(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("answer")
        fault = Fault(kind=FaultKind.SERVER_ERROR, method="POST", route="/webhooks/*", after_store=True)
        playground.faults.add(fault)
        await interaction.followup.send("more")
        await interaction.followup.send("end")

    async with running(bot, facts):
        await you.slash("twice")
        await you.event("MESSAGE_CREATE", lambda m: m["content"] == "end")
    assert [m["content"] for m in await you.history()] == ["end", "more", "more", "answer"]


async def test_a_500_before_storing_leaves_one_message_after_the_retry(
    playground: Playground, facts: Facts, you: Person
) -> None:
    playground.faults.add(Fault(kind=FaultKind.SERVER_ERROR, method="POST", route=MESSAGES))
    async with running(Bot(), facts, sync=False) as bot:
        await bot.get_channel(int(facts.channel_id)).send("once")
    assert [m["content"] for m in await you.history()] == ["once"]


async def test_a_request_without_an_answer_may_have_had_its_effect(
    playground: Playground, facts: Facts, you: Person
) -> None:
    path = you.base + f"/channels/{facts.channel_id}/messages"
    for after_store, expected in ((False, 0), (True, 1)):
        playground.faults.add(Fault(kind=FaultKind.TIMEOUT, method="POST", after_store=after_store))
        with pytest.raises(asyncio.TimeoutError):
            await you.http.post(path, json={"content": "x"}, timeout=aiohttp.ClientTimeout(0.2))
        assert len(await you.history()) == expected
    assert [e.status for e in playground.journal if e.method == "POST"] == [0, 0]


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        (FaultKind.MISSING_PERMISSIONS, discord.Forbidden, 50013),
        (FaultKind.MISSING_ACCESS, discord.Forbidden, 50001),
        (FaultKind.UNKNOWN_MESSAGE, discord.NotFound, 10008),
    ],
)
async def test_a_forced_refusal_reaches_discord_py_as_its_exception(
    kind: FaultKind, error: type[discord.HTTPException], code: int, playground: Playground, facts: Facts
) -> None:
    async with running(Bot(), facts, sync=False) as bot:
        playground.faults.add(Fault(kind=kind, method="POST", route=MESSAGES))
        with pytest.raises(error) as caught:
            await bot.get_channel(int(facts.channel_id)).send("x")
        assert caught.value.code == code


async def test_faults_match_by_method_and_route_and_count_down(playground: Playground) -> None:
    faults = playground.faults
    number = faults.add(Fault(kind=FaultKind.SERVER_ERROR, method="PATCH", route="/webhooks/*", count=2))
    endless = faults.add(Fault(kind=FaultKind.DELAY, count=None))
    assert faults.hit("PATCH", "/webhooks/1/t/messages/@original") is not None
    assert [n for n, _ in faults] == [number, endless]
    hit = faults.hit("GET", "/webhooks/1/t")
    assert hit is not None
    assert hit.kind is FaultKind.DELAY
    faults.hit("PATCH", "/webhooks/1/t")
    assert [n for n, _ in faults] == [endless]
    faults.remove(endless)
    assert faults.hit("GET", "/x") is None


async def test_an_interaction_without_answer_fails_after_three_seconds_and_is_dead(
    facts: Facts, you: Person, clock: Clock
) -> None:
    bot = Bot()
    late = asyncio.Event()

    async def answer(interaction: discord.Interaction) -> int:
        bot.up.clear()
        await late.wait()
        try:
            await interaction.response.send_message("too late")
        except discord.NotFound as error:
            return error.code
        return 0

    settle = bot.settles(answer)

    @bot.tree.command(description="x")
    async def slow(interaction: discord.Interaction) -> None:
        await settle(interaction)

    async with running(bot, facts):
        nonce = await you.slash("slow")
        clock.advance(3.1)
        assert (await you.event("INTERACTION_FAILURE"))["nonce"] == nonce
        late.set()
        assert await bot.result() == 10062
    assert await you.history() == []


async def test_an_interaction_is_answered_once_and_its_token_lives_fifteen_minutes(
    facts: Facts, you: Person, clock: Clock
) -> None:
    bot = Bot()

    async def answer(interaction: discord.Interaction) -> list[int]:
        codes = []
        await interaction.response.send_message("hi")
        adapter = discord.webhook.async_.async_context.get()
        try:
            await adapter.create_interaction_response(
                interaction.id,
                interaction.token,
                session=interaction._session,
                params=discord.http.MultipartParameters(
                    {"type": 4, "data": {"content": "again"}}, None, None
                ),
            )
        except discord.HTTPException as error:
            codes.append(error.code)
        clock.advance(901)
        try:
            await interaction.followup.send("late")
        except discord.HTTPException as error:
            codes.append(error.code)
        return codes

    settle = bot.settles(answer)

    @bot.tree.command(description="x")
    async def once(interaction: discord.Interaction) -> None:
        await settle(interaction)

    async with running(bot, facts):
        await you.slash("once")
        assert await bot.result() == [40060, 50027]
    assert [m["content"] for m in await you.history()] == ["hi"]


@pytest.mark.parametrize("code", [4000, None])
async def test_a_dropped_gateway_is_resumed_and_nothing_is_missed(
    code: int | None, playground: Playground, facts: Facts, you: Person
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    resumed = asyncio.Event()

    class Ear(Bot):
        async def on_message(self, message: discord.Message) -> None:
            heard.put_nowait(message.content)

        async def on_resumed(self) -> None:
            resumed.set()

    async with running(Ear(intents=discord.Intents.all()), facts, sync=False):
        async with asyncio.timeout(10):
            assert playground.admin.drop_gateway(user_id=facts.bot_user_id, code=code) == 1
            await you.ok("POST", f"/channels/{facts.channel_id}/messages", {"content": "while away"})
            await resumed.wait()
            assert await heard.get() == "while away"


async def test_a_lost_session_is_identified_anew(playground: Playground, facts: Facts) -> None:
    readies: asyncio.Queue[None] = asyncio.Queue()

    class Twice(Bot):
        async def on_ready(self) -> None:
            await super().on_ready()
            readies.put_nowait(None)

    async with running(Twice(), facts, sync=False):
        async with asyncio.timeout(20):
            await readies.get()
            playground.admin.drop_gateway(user_id=facts.bot_user_id, resumable=False)
            await readies.get()
        assert playground.admin.connections(facts.bot_user_id) == 1


async def test_a_bot_that_is_asked_to_reconnect_resumes(playground: Playground, facts: Facts) -> None:
    resumed = asyncio.Event()

    class Obedient(Bot):
        async def on_resumed(self) -> None:
            resumed.set()

    async with running(Obedient(), facts, sync=False):
        assert playground.admin.ask_to_reconnect(user_id=facts.bot_user_id) == 1
        async with asyncio.timeout(10):
            await resumed.wait()


async def test_a_deleted_message_cannot_be_edited_any_more(playground: Playground, facts: Facts) -> None:
    async with running(Bot(), facts, sync=False) as bot:
        message = await bot.get_channel(int(facts.channel_id)).send("x")
        playground.admin.delete_message(facts.channel_id, str(message.id))
        with pytest.raises(discord.NotFound) as caught:
            await message.edit(content="y")
        assert caught.value.code == 10008
