"""Starting, stopping, staying: ports, folders, kills, foreign pages."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from playground.clock import Clock
from playground.errors import DataFolderBusyError, DataFolderError, NotLoopbackError, PortTakenError
from playground.models import Facts
from playground.server import Playground
from tests.playground.clients import Person, png

RUN = """
import asyncio, sys
from pathlib import Path
from playground.server import Playground

async def main():
    async with Playground(Path(sys.argv[1])) as playground:
        print(playground.facts().model_dump_json(), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_the_facts_are_the_ten_a_script_relies_on(facts: Facts) -> None:
    assert set(facts.model_dump()) == {
        "url",
        "api",
        "gateway",
        "guild_id",
        "channel_id",
        "application_id",
        "bot_user_id",
        "bot_token",
        "user_id",
        "user_token",
    }
    assert facts.api == facts.url + "/api/v10"
    assert all(isinstance(value, str) for value in facts.model_dump().values())


async def test_a_kill_loses_nothing_and_no_id_is_used_twice(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    facts = Facts.model_validate_json(await process.stdout.readline())
    you = Person(facts, facts.user_token)
    bot = Person(facts, facts.bot_token, bot=True)
    path = f"/channels/{facts.channel_id}/messages"
    commands = f"/applications/{facts.application_id}/commands"
    try:
        await bot.ok("PUT", commands, [{"name": "imagine", "description": "x"}])
        _, pictured = await bot.upload(path, {"content": "kept"}, ("a.png", png()))
        last = await you.ok("POST", path, {"content": "last", "nonce": "n", "enforce_nonce": True})
        await you.ok("PUT", f"{path}/{last['id']}/reactions/🔥/@me")
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await you.close()
        await bot.close()
    async with Playground(tmp_path, page=False) as second:
        again = Person(second.facts(), facts.user_token)
        try:
            newest, oldest = await again.history()
            assert (newest["content"], newest["reactions"][0]["me"]) == ("last", True)
            assert oldest["id"] == pictured["id"]
            async with again.http.get(oldest["attachments"][0]["url"]) as response:
                assert await response.read() == png()
            assert (await again.command("imagine"))["description"] == "x"
            body = {"content": "x", "nonce": "n", "enforce_nonce": True}
            assert (await again.ok("POST", path, body))["id"] == last["id"]
            fresh = await again.ok("POST", path, {"content": "new"})
            assert int(fresh["id"]) > int(last["id"])
        finally:
            await again.close()


async def test_ids_rise_even_when_the_clock_was_set_back(tmp_path: Path) -> None:
    async with Playground(tmp_path, clock=Clock(lambda: 2_000_000_000.0)) as first:
        before = int(first.core.world.mint())
    async with Playground(tmp_path, clock=Clock(lambda: 1_900_000_000.0)) as second:
        assert int(second.core.world.mint()) > before


async def test_a_second_playground_on_the_same_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    async with Playground(tmp_path):
        with pytest.raises(DataFolderBusyError, match=r"^Another playground already uses .*\.$"):
            async with Playground(tmp_path):
                pass


async def test_an_unusable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "playground.sqlite3").write_text("this is no database, and it is long enough to show " * 9)
    with pytest.raises(DataFolderError, match=r"^The playground cannot use "):
        async with Playground(tmp_path):
            pass
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError):
        async with Playground(tmp_path / "file"):
            pass


async def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"^Port {port} is taken"):
            async with Playground(None, port=port):
                pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::"])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(NotLoopbackError):
        Playground(None, host=host)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example:{port}"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
async def test_other_sites_in_the_browser_cannot_read_the_session(
    headers: dict[str, str], status: int, facts: Facts
) -> None:
    port = facts.url.rsplit(":", 1)[1]
    filled = {name: value.format(port=port) for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as http,
        http.get(facts.url + "/playground/session", headers=filled) as response,
    ):
        assert response.status == status
        assert (facts.user_token in await response.text()) == (status == 200)
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_foreign_page_cannot_open_the_gateway(facts: Facts) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(facts.gateway, origin="https://evil.example")


async def test_the_page_is_served_at_its_one_address(tmp_path: Path) -> None:
    async with Playground(None) as playground, aiohttp.ClientSession() as http:
        async with http.get(playground.url) as response:
            assert response.content_type == "text/html"
        local = playground.url.replace("127.0.0.1", "localhost")
        async with http.get(local, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, playground.url)


async def test_another_process_drives_the_world_over_rest(facts: Facts, you: Person) -> None:
    async def drive(method: str, path: str, body: object = None) -> tuple[int, object]:
        url = f"{facts.url}/playground{path}"
        async with you.http.request(method, url, json=body) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else None

    _, user = await drive("POST", "/users", {"username": "guest"})
    guest = Person(facts, user["token"])
    try:
        _, channel = await drive("POST", "/channels", {"name": "attic"})
        assert (await you.event("CHANNEL_CREATE"))["name"] == "attic"
        path = f"/channels/{channel['id']}/messages"
        await drive(
            "POST",
            "/overwrites",
            {
                "channel_id": channel["id"],
                "target_id": user["id"],
                "deny": 1 << 11,
            },
        )
        assert (await guest.call("POST", path, {"content": "x"}))[1]["code"] == 50013
        await drive("POST", "/overwrites", {"channel_id": channel["id"], "target_id": user["id"]})
        message = await guest.ok("POST", path, {"content": "x"})
        await drive("POST", "/faults", {"kind": "server_error", "method": "GET", "status": 503})
        assert (await guest.call("GET", path))[0] == 503
        status, answer = await drive("POST", "/faults", {"kind": "earthquake"})
        assert status == 400
        assert "earthquake" in json.dumps(answer)
        await drive("DELETE", f"/messages/{channel['id']}/{message['id']}")
        assert await guest.history(channel["id"]) == []
        _, before = await drive("GET", "/clock")
        _, after = await drive("POST", "/clock", {"advance": 60})
        assert after["now"] >= before["now"] + 60
        _, journal = await drive("GET", "/journal")
        assert [e["fault"] for e in journal if e["status"] == 503] == ["server_error"]
        _, dropped = await drive("POST", "/gateway/drop", {"user_id": facts.user_id})
        assert dropped == {"dropped": 1}
        await drive("DELETE", f"/channels/{channel['id']}")
        assert (await guest.call("GET", path))[1]["code"] == 10003
    finally:
        await guest.close()


async def test_an_idle_playground_costs_next_to_nothing(facts: Facts, you: Person) -> None:
    spent = time.process_time()
    began = time.monotonic()
    await asyncio.sleep(1.0)
    assert (time.process_time() - spent) / (time.monotonic() - began) < 0.01


async def test_timers_fire_when_the_clock_is_pushed_and_not_when_cancelled() -> None:
    clock = Clock(lambda: 1000.0)
    fired: list[str] = []
    clock.call_later(3, lambda: fired.append("three"))
    clock.call_later(2, lambda: fired.append("two"))
    clock.call_later(1, lambda: fired.append("never")).cancel()
    clock.advance(2.5)
    assert fired == ["two"]
    clock.advance(1)
    assert fired == ["two", "three"]
    assert clock.now() == 1003.5
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.close()
