"""The token goes to Discord or to this machine, and the process says why it cannot go on."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.answers import texts_for
from bot.client import Journeyman
from bot.endpoint import aim, loopback
from bot.faults import Stopped
from tests.bot.studio import Studio

TEXTS = texts_for("en-US")


@pytest.mark.parametrize(
    "api",
    [
        "https://evil.example/api/v10",
        "http://discord.com/api/v10",
        "http://127.0.0.1.evil.example/api/v10",
        "https://discord.com.evil.example/api/v10",
        "http://192.168.0.7/api/v10",
        "http://0.0.0.0/api/v10",
        "file:///etc/passwd",
        "",
    ],
)
async def test_any_other_machine_is_refused(api: str) -> None:
    with pytest.raises(Stopped, match="will not send its token"):
        await aim(api, TEXTS)


@pytest.mark.parametrize(
    "api",
    [
        "http://[::1/api/v10",
        "http://::1]/api/v10",
        "http://[127.0.0.1]/api/v10",
        "http://127.0.0.1:99999/api/v10",
        "http://127.0.0.1:port/api/v10",
        "http://127.0.0.1\N{CARE OF}/api/v10",
    ],
)
async def test_a_malformed_address_is_one_sentence(api: str) -> None:
    with pytest.raises(Stopped, match="is no address: JOURNEYMAN_DISCORD_API takes one such as"):
        await aim(api, TEXTS)


@pytest.mark.parametrize("answer", ["[]", '"ws"', "{}", "{", '{"url": "ws://[::1"}', '{"url": 5}'])
async def test_a_local_discord_that_answers_nonsense_is_one_sentence(answer: str) -> None:
    async def gateway(request: web.Request) -> web.Response:
        return web.Response(text=answer, content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/v10/gateway", gateway)
    async with TestServer(app) as server:
        with pytest.raises(Stopped):
            await aim(str(server.make_url("/api/v10")), TEXTS)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_these_names_are_this_machine(host: str) -> None:
    assert loopback(host)


async def test_discord_itself_needs_no_change() -> None:
    await aim("https://discord.com/api/v10", TEXTS)
    await aim(None, TEXTS)


async def test_a_local_discord_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(Stopped, match=r"could not be reached at http://127\.0\.0\.1:9/api/v10"):
        await aim("http://127.0.0.1:9/api/v10", TEXTS)


async def test_a_wrong_token_is_one_sentence(studio: Studio) -> None:
    studio.facts["bot_token"] = "wrong"
    with pytest.raises(Stopped, match="does not accept the token"):
        async with studio.running():
            pass


async def test_a_courier_that_breaks_ends_the_process_with_words(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(studio.settings, "unfinished", broken)
    await aim(studio.playground.api, TEXTS)
    bot = Journeyman(studio.desk, studio.settings, clock=studio.clock)
    with pytest.raises(Stopped, match="the disk is on fire"):
        await asyncio.wait_for(bot.serve(studio.facts["bot_token"]), timeout=30)


async def test_a_connection_lost_in_the_handshake_is_made_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    shake = discord.gateway.DiscordWebSocket.from_client
    lost: list[str] = []

    async def once(*args: Any, **more: Any) -> discord.gateway.DiscordWebSocket:
        if not lost:
            lost.append("as aiohttp says it")
            raise AssertionError
        return await shake(*args, **more)

    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "from_client", once)
    monkeypatch.setattr("bot.client.HANDSHAKE_SECONDS", (0,))
    async with studio.running() as bot:
        assert bot.is_ready()
    assert lost


def test_the_bot_never_loads_what_draws(root: Path) -> None:
    code = (
        "import bot.client, bot.endpoint, sys;"
        "assert not {'torch', 'diffusers', 'transformers', 'numpy', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
