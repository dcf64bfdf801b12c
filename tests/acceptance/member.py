"""A person at a Discord client: types commands, presses buttons, reads what arrives."""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any, Self

import aiohttp

Message = dict[str, Any]


class Refused(AssertionError):  # noqa: N818 - an answer, to whoever asked
    """Discord answered a request with an error."""


class Member:
    """Speaks the user side of REST and gateway, as the page does.

    `messages` holds every message as it looks now, `seen` every version of it in order of arrival.
    """

    def __init__(self, facts: dict[str, str], token: str | None = None) -> None:
        self.facts = facts
        self.api = facts["api"].replace("/api/v10", "/api/v9")
        self.token = token or facts["user_token"]
        self.channel_id = facts["channel_id"]
        self.messages: dict[str, Message] = {}
        self.seen: list[tuple[str, Message]] = []
        self.user: dict[str, Any] = {}
        self._nonces = itertools.count(1)
        self._changed = asyncio.Event()
        self._session_id = ""

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(headers={"Authorization": self.token})
        await self._connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()
        await self._http.close()

    async def _connect(self) -> None:
        self._socket = await self._http.ws_connect(self.facts["gateway"] + "?v=9&encoding=json")
        identify = {"token": self.token, "properties": {"os": "Linux"}, "capabilities": 0, "compress": False}
        await self._socket.send_json({"op": 2, "d": identify})
        ready = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(ready))
        await asyncio.wait_for(ready, 10)

    async def _read(self, ready: "asyncio.Future[None]") -> None:
        async for frame in self._socket:
            payload = json.loads(frame.data)
            if payload["op"] != 0:
                continue
            kind, body = payload["t"], payload["d"]
            if kind == "READY":
                self._session_id, self.user = body["session_id"], body["user"]
                ready.set_result(None)
            elif kind in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
                self.messages[body["id"]] = self.messages.get(body["id"], {}) | body
                self.seen.append((kind, self.messages[body["id"]]))
            elif kind == "MESSAGE_DELETE":
                self.seen.append((kind, self.messages.pop(body["id"], body)))
            elif kind.startswith(("INTERACTION", "APPLICATION_COMMAND_AUTOCOMPLETE")):
                self.seen.append((kind, body))
            self._changed.set()

    async def until(self, what: Callable[[], Any], seconds: float = 90) -> Any:
        """Wait until *what* returns something true, and return it."""
        async with asyncio.timeout(seconds):
            while True:
                self._changed.clear()
                if found := what():
                    return found
                await self._changed.wait()

    async def rest(self, method: str, path: str, body: Any = None) -> Any:
        """Call the REST API; an error answer raises."""
        async with self._http.request(method, self.api + path, json=body) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise Refused(f"{method} {path}: {answer.status} {text}")
            return json.loads(text) if text else None

    async def command(self, name: str, **options: str) -> str:
        """Send a slash command; returns the nonce its answer carries."""
        index = await self.rest("GET", f"/guilds/{self.facts['guild_id']}/application-command-index")
        command = next(c for c in index["application_commands"] if c["name"] == name and c["type"] == 1)
        typed = [{"type": 3, "name": key, "value": value} for key, value in options.items()]
        data = {
            "version": command["version"],
            "id": command["id"],
            "name": name,
            "type": 1,
            "options": typed,
            "attachments": [],
        }
        return await self._interact(2, data)

    async def press(self, message: Message, custom_id: str) -> str:
        """Press the button of *message* with that custom id."""
        data = {"component_type": 2, "custom_id": custom_id}
        return await self._interact(3, data, message_id=message["id"], message_flags=message.get("flags", 0))

    async def _interact(self, kind: int, data: dict[str, Any], **more: Any) -> str:
        nonce = str(10**18 + next(self._nonces))
        body = {
            "type": kind,
            "application_id": self.facts["application_id"],
            "guild_id": self.facts["guild_id"],
            "channel_id": self.channel_id,
            "session_id": self._session_id,
            "nonce": nonce,
            "data": data,
            **more,
        }
        await self.rest("POST", "/interactions", body)
        return nonce

    def answer(self, nonce: str) -> Message | None:
        """Return the message that answers the interaction with *nonce*, as it first arrived."""
        return next((m for k, m in self.seen if k == "MESSAGE_CREATE" and m.get("nonce") == nonce), None)

    def suggested(self, nonce: str) -> Message | None:
        """Return what was offered while typing, for the question with *nonce*."""
        kind = "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE"
        return next((m for k, m in self.seen if k == kind and m.get("nonce") == nonce), None)

    def find(self, *words: str, having: str = "") -> Message | None:
        """Return the newest message whose content has all *words* and a button id with *having*."""
        for message in reversed(list(self.messages.values())):
            ids = " ".join(custom_ids(message))
            if all(word in message["content"] for word in words) and having in ids:
                return message
        return None

    async def imagine(self, prompt: str, seconds: float = 90) -> Message:
        """Type `/imagine` and wait for the grid."""
        await self.command("imagine", prompt=prompt)
        text = prompt.split(" --", maxsplit=1)[0]
        return await self.until(lambda: self.find(text, having="MJ::JOB::reroll"), seconds)

    async def download(self, message: Message) -> bytes:
        """Return the first attachment's bytes."""
        async with self._http.get(message["attachments"][0]["url"]) as answer:
            assert answer.status == 200
            return await answer.read()


def custom_ids(message: Message) -> list[str]:
    """Return every custom id of a message's buttons, in order."""
    rows = message.get("components", [])
    return [item["custom_id"] for row in rows for item in row["components"] if "custom_id" in item]


def button(message: Message, start: str) -> str:
    """Return the message's custom id that begins with *start*."""
    return next(identity for identity in custom_ids(message) if identity.startswith(start))
