"""The two clients of these tests: a person over raw aiohttp, and a bot of unmodified discord.py."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import discord
from PIL import Image

from playground.models import Facts

Json = dict[str, Any]
SECONDS = 10


def png(colour: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def picture(name: str, colour: str = "red") -> discord.File:
    return discord.File(io.BytesIO(png(colour)), name)


class Listener:
    """A gateway connection whose events can be awaited, each once."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[tuple[str, Json]] = []
        self.sequence = 0
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            frame = message.json()
            self.sequence = frame.get("s") or self.sequence
            async with self._news:
                self.seen.append((frame["t"] or f"op {frame['op']}", frame["d"]))
                self._news.notify_all()

    async def event(self, name: str, matches: Callable[[Json], bool] = lambda _: True) -> Json:
        """Wait for the first such event that no earlier call returned."""

        def found() -> int | None:
            return next((i for i, (n, d) in enumerate(self.seen) if n == name and matches(d)), None)

        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(lambda: found() is not None)
            return self.seen.pop(found() or 0)[1]

    async def close(self) -> None:
        await self.socket.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader


class Person:
    """A person's client: the user-side REST and a gateway connection in plain JSON."""

    def __init__(self, facts: Facts, token: str, *, bot: bool = False) -> None:
        self.facts = facts
        self.token = token
        header = f"Bot {token}" if bot else token
        self.http = aiohttp.ClientSession(headers={"Authorization": header})
        self.base = facts.api.replace("/v10", "/v9")
        self.line: Listener
        self.ready: Json = {}
        self._lines: list[Listener] = []
        self._nonce = 0

    async def listen(self, **identify: Any) -> Listener:
        socket = await self.http.ws_connect(self.facts.gateway + "?v=9&encoding=json")
        self.line = Listener(socket)
        self._lines.append(self.line)
        await self.line.event("op 10")
        await socket.send_json({"op": 2, "d": {"token": self.token, "properties": {}, **identify}})
        self.ready = await self.line.event("READY")
        return self.line

    async def event(self, name: str, matches: Callable[[Json], bool] = lambda _: True) -> Json:
        return await self.line.event(name, matches)

    async def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> tuple[int, Any]:
        async with self.http.request(method, self.base + path, json=body, **kwargs) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.read()

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = await self.call(method, path, body)
        assert status < 300, (status, answer)
        return answer

    async def upload(
        self, path: str, body: Json, *files: tuple[str, bytes], method: str = "POST"
    ) -> tuple[int, Any]:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        for index, (name, content) in enumerate(files):
            form.add_field(
                f"files[{index}]", io.BytesIO(content), filename=name, content_type="application/octet-stream"
            )
        async with self.http.request(method, self.base + path, data=form) as response:
            return response.status, await response.json()

    async def history(self, channel_id: str | None = None) -> list[Json]:
        return await self.ok("GET", f"/channels/{channel_id or self.facts.channel_id}/messages")

    # -- interactions ------------------------------------------------------------------------------------

    async def interact(self, kind: int, data: Json, channel_id: str | None = None, **more: Any) -> str:
        self._nonce += 1
        body = {
            "type": kind,
            "application_id": self.facts.application_id,
            "guild_id": self.facts.guild_id,
            "channel_id": channel_id or self.facts.channel_id,
            "session_id": self.ready["session_id"],
            "nonce": str(self._nonce),
            "data": data,
            **more,
        }
        status, answer = await self.call("POST", "/interactions", body)
        assert status == 204, answer
        return str(self._nonce)

    async def command(self, name: str, channel_id: str | None = None) -> Json:
        where = channel_id or self.facts.channel_id
        index = await self.ok("GET", f"/channels/{where}/application-command-index")
        return next(c for c in index["application_commands"] if c["name"] == name)

    async def slash(self, name: str, *options: Json, channel_id: str | None = None, kind: int = 2) -> str:
        command = await self.command(name, channel_id)
        data = {key: command[key] for key in ("id", "name", "type", "version")}
        files = [option.pop("file") for option in options if "file" in option]
        data |= {"options": list(options), "attachments": files}
        return await self.interact(kind, data, channel_id)

    async def click(self, message: Json, custom_id: str, **data: Any) -> str:
        return await self.interact(
            3,
            {"component_type": 2, "custom_id": custom_id, **data},
            message["channel_id"],
            message_id=message["id"],
            message_flags=message["flags"],
        )

    async def submit(self, modal: Json, **values: str) -> str:
        rows = [
            {"type": 1, "components": [{"type": 4, "custom_id": key, "value": value}]}
            for key, value in values.items()
        ]
        data = {"id": modal["id"], "custom_id": modal["custom_id"], "components": rows}
        return await self.interact(5, data, modal["channel_id"])

    async def close(self) -> None:
        for line in self._lines:
            await line.close()
        await self.http.close()


People = Callable[..., Awaitable[Person]]


def text(name: str, value: str, **more: Any) -> Json:
    return {"type": 3, "name": name, "value": value, **more}


class Bot(discord.Client):
    """discord.py as it is, with a command tree and futures for what the test waits for."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("intents", discord.Intents.default())
        kwargs.setdefault("guild_ready_timeout", 0.01)
        super().__init__(**kwargs)
        self.tree = discord.app_commands.CommandTree(self)
        self.up = asyncio.Event()
        self.done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def on_ready(self) -> None:
        self.up.set()

    async def result(self) -> Any:
        """What the callback under test put into `done`."""
        async with asyncio.timeout(SECONDS):
            return await self.done

    def settles(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a coroutine so that `done` gets its result or exception."""

        async def run(*args: Any) -> None:
            try:
                self.done.set_result(await action(*args))
            except Exception as error:  # noqa: BLE001 - the test shall see whatever it was
                self.done.set_exception(error)

        return run


@contextlib.asynccontextmanager
async def running(bot: Bot, facts: Facts, *, sync: bool = True) -> AsyncIterator[Bot]:
    task = asyncio.create_task(bot.start(facts.bot_token))
    try:
        async with asyncio.timeout(SECONDS):
            waiting = asyncio.create_task(bot.up.wait())
            await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                waiting.cancel()
                await task
        if sync:
            await bot.tree.sync()
        yield bot
    finally:
        await bot.close()
        with contextlib.suppress(asyncio.CancelledError):
            await task
