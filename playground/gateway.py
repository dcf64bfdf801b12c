"""The WebSocket: HELLO, IDENTIFY, READY, heartbeats, RESUME, compression, close codes."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import zlib
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from . import wire
from .core import Core
from .errors import Json
from .events import Intent
from .models import Application, User
from .sessions import Session
from .wire import application_flags

HEARTBEAT_MS = 41_250
MAX_PAYLOAD = 4096
_ACK: Json = {"op": 11, "s": None, "t": None, "d": None}
_ACK_SECONDS = 0.02
_SENDS_PER_MINUTE = 120
_ALL_INTENTS = (1 << 26) - 1
_PRIVILEGED = (
    (Intent.GUILD_MEMBERS, "guild_members"),
    (Intent.PRESENCES, "presence"),
    (Intent.MESSAGE_CONTENT, "message_content"),
)


class Closing(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The client must be disconnected with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def compressor(name: str | None) -> Callable[[bytes], bytes] | None:
    """The transport compression a client asked for; raises LookupError for one that is not available."""
    if not name:
        return None
    if name == "zlib-stream":
        stream = zlib.compressobj()
        return lambda raw: stream.compress(raw) + stream.flush(zlib.Z_SYNC_FLUSH)
    if name == "zstd-stream":
        try:
            zstandard: Any = importlib.import_module("zstandard")
        except ImportError:
            raise LookupError(name) from None
        frame = zstandard.ZstdCompressor().compressobj()
        return lambda raw: bytes(frame.compress(raw) + frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    raise LookupError(name)


def _shard(given: Any) -> tuple[int, int]:
    """`[number, count]` of IDENTIFY; raises Closing 4010."""
    if given is None:
        return 0, 1
    try:
        number, count = int(given[0]), int(given[1])
    except (TypeError, ValueError, IndexError):
        raise Closing(4010, "Invalid shard.") from None
    if not 0 <= number < count:
        raise Closing(4010, "Invalid shard.")
    return number, count


class GatewayConnection:
    """One socket: a queue of frames out, one loop for frames in."""

    def __init__(
        self,
        core: Core,
        socket: web.WebSocketResponse,
        squeeze: Callable[[bytes], bytes] | None,
        transport: asyncio.Transport | None,
    ) -> None:
        self._transport = transport
        self._core = core
        self._socket = socket
        self._squeeze = squeeze
        self._squeeze_each = False
        self._out: asyncio.Queue[Json | Closing] = asyncio.Queue()
        self._session: Session | None = None
        self._received: list[float] = []
        self._verdict: Closing | None = None

    # -- out ---------------------------------------------------------------------------------------------

    def push(self, frame: Json) -> None:
        """Queue a frame."""
        self._out.put_nowait(frame)

    def shut(self, code: int, reason: str) -> None:
        """Close after what is queued."""
        self._out.put_nowait(Closing(code, reason))

    def cut(self) -> None:
        """Break the connection off without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def _send(self) -> None:
        while True:
            frame = await self._out.get()
            if isinstance(frame, Closing):
                self._verdict = frame
                await self._socket.close(code=frame.code, message=frame.reason.encode())
                return
            raw = json.dumps(frame, separators=(",", ":")).encode()
            if self._squeeze is not None:
                await self._socket.send_bytes(self._squeeze(raw))
            elif self._squeeze_each:
                await self._socket.send_bytes(zlib.compress(raw))
            else:
                await self._socket.send_str(raw.decode())

    # -- in ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the socket until either side closes it."""
        self.push({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": HEARTBEAT_MS, "_trace": []}})
        sender = asyncio.create_task(self._send())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                    await self._take(message.data)
        except Closing as verdict:
            self._end_session(forget=verdict.code not in {4000, 4001, 4002, 4008})
            self.shut(verdict.code, verdict.reason)
            with contextlib.suppress(ConnectionError):
                await sender
        finally:
            sender.cancel()
            # A client that says goodbye with 1000 or 1001 gives its session up; an echo of ours does not.
            goodbye = self._verdict is None and self._socket.close_code in {1000, 1001}
            self._end_session(forget=goodbye)
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender

    def _end_session(self, *, forget: bool) -> None:
        session, self._session = self._session, None
        if session is None or session.connection is not self:
            return
        self._core.sessions.lost(session)
        if forget:
            self._core.sessions.remove(session)
        if not self._core.sessions.online(session.user_id):
            self._core.events.presence(session.user_id)

    async def _take(self, raw: str | bytes) -> None:
        self._count()
        if len(raw) > MAX_PAYLOAD:
            raise Closing(4002, "Payload exceeds 4096 bytes.")
        try:
            frame = json.loads(raw)
            op, data = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError):
            raise Closing(4002, "Error while decoding payload.") from None
        self._handle(op, data)

    def _count(self) -> None:
        now = self._core.clock.now()
        self._received = [at for at in self._received if now - at < 60]  # noqa: PLR2004 - a minute
        self._received.append(now)
        if len(self._received) > _SENDS_PER_MINUTE:
            raise Closing(4008, "You are being rate limited.")

    def _handle(self, op: Any, data: Any) -> None:
        if op == 1:
            # discord.py notes when it sent a heartbeat only after the fact: an answer within the same moment
            # would count as the answer to the one before, and the client as far behind.
            asyncio.get_running_loop().call_later(_ACK_SECONDS, self.push, _ACK)
        elif op == 2:  # noqa: PLR2004 - IDENTIFY
            self._identify(data)
        elif op == 6:  # noqa: PLR2004 - RESUME
            self._resume(data)
        elif self._session is None:
            raise Closing(4003, "Not authenticated.")
        elif op == 8:  # noqa: PLR2004 - REQUEST_GUILD_MEMBERS
            self._members(data)
        elif op not in range(3, 50):
            raise Closing(4001, "Unknown opcode.")

    # -- identify and resume -----------------------------------------------------------------------------

    def _user(self, token: Any) -> User:
        text = str(token).removeprefix("Bot ")
        user = self._core.world.user_with_token(text)
        if user is None:
            raise Closing(4004, "Authentication failed.")
        return user

    def _identify(self, data: Any) -> None:
        if self._session is not None:
            raise Closing(4005, "Already authenticated.")
        if not isinstance(data, dict):
            raise Closing(4002, "Error while decoding payload.")
        user = self._user(data.get("token"))
        self._squeeze_each = self._squeeze is None and bool(data.get("compress"))
        application = self._core.world.application_of(user.id) if user.bot else None
        intents = data.get("intents", _ALL_INTENTS if application is None else None)
        if not isinstance(intents, int) or not 0 <= intents <= _ALL_INTENTS:
            raise Closing(4013, "Invalid intent(s).")
        for intent, switch in _PRIVILEGED:
            if application is not None and intents & intent and not getattr(application, switch):
                raise Closing(4014, "Disallowed intent(s).")
        shard = _shard(data.get("shard"))
        session = Session(user.id, application, intents, shard)
        session.connection = self
        self._session = session
        was_here = self._core.sessions.online(user.id)
        self._core.sessions.add(session)
        if application is None:
            self._ready_person(session, user)
        else:
            self._ready_bot(session, application)
        if not was_here:
            self._core.events.presence(user.id)

    def _ready_for(self, session: Session, user: User) -> Json:
        return {
            "v": 10,
            "_trace": [],
            "user": wire.own_user(user),
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._core.addresses.gateway,
            "user_settings": {},
            "presences": [],
            "relationships": [],
            "geo_ordered_rtc_regions": [],
        }

    def _ready_bot(self, session: Session, application: Application) -> None:
        world = self._core.world
        user = world.user(application.bot_id)
        guilds = [guild for guild in world.guilds_of(user.id) if session.hears(guild.id)]
        ready = self._ready_for(session, user) | {
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "private_channels": [],
            "shard": list(session.shard),
            "application": {"id": application.id, "flags": application_flags(application)},
        }
        session.emit("READY", ready)
        for guild in guilds:
            session.emit("GUILD_CREATE", self._core.events.guild_for(session, guild))

    def _ready_person(self, session: Session, user: User) -> None:
        world = self._core.world
        guilds = world.guilds_of(user.id)
        direct = world.direct_channels_of(user.id)
        mine = [m for g in guilds if (m := world.member(g.id, user.id))]
        ready = self._ready_for(session, user) | {
            "guilds": [self._core.events.guild_for(session, guild) for guild in guilds],
            "private_channels": [wire.channel(world, one, user.id) for one in direct],
            "users": [wire.user(one) for one in world.users if one.id != user.id],
            "merged_members": [[wire.member(world, m) | {"user_id": user.id}] for m in mine],
            "read_state": {"version": 0, "partial": False, "entries": []},
            "user_guild_settings": {"version": 0, "partial": False, "entries": []},
            "sessions": [{"session_id": session.id, "status": "online", "activities": [], "client_info": {}}],
            "connected_accounts": [],
            "experiments": [],
            "guild_experiments": [],
            "country_code": "US",
            "analytics_token": None,
            "auth_session_id_hash": "",
            "tutorial": None,
            "notes": {},
            "friend_suggestion_count": 0,
        }
        session.emit("READY", ready)
        supplement: Json = {
            "guilds": [{"id": g.id, "voice_states": [], "embedded_activities": []} for g in guilds],
            "merged_members": [[] for _ in guilds],
            "merged_presences": {"guilds": [[] for _ in guilds], "friends": []},
            "lazy_private_channels": [],
            "disclose": [],
        }
        session.emit("READY_SUPPLEMENTAL", supplement)

    def _resume(self, data: Any) -> None:
        if self._session is not None:
            raise Closing(4005, "Already authenticated.")
        if not isinstance(data, dict):
            raise Closing(4002, "Error while decoding payload.")
        user = self._user(data.get("token"))
        session = self._core.sessions.resumable(str(data.get("session_id")))
        after = data.get("seq")
        if session is None or session.user_id != user.id or not isinstance(after, int):
            self.push({"op": 9, "s": None, "t": None, "d": False})
            return
        was_here = self._core.sessions.online(user.id)
        if session.connection is not None:
            session.connection.shut(4000, "Resumed elsewhere.")
        session.connection = self
        session.lost_at = None
        if not session.replay(after):
            session.connection = None
            self._core.sessions.remove(session)
            self.push({"op": 9, "s": None, "t": None, "d": False})
            return
        self._session = session
        session.emit("RESUMED", {"_trace": []})
        if not was_here:
            self._core.events.presence(user.id)

    def _members(self, data: Any) -> None:
        if self._session is None or not isinstance(data, dict):
            return
        world = self._core.world
        listed = data.get("guild_id")
        guild_id = str(listed[0] if isinstance(listed, list) else listed)
        wanted = data.get("user_ids")
        wanted = [wanted] if isinstance(wanted, str) else wanted
        query, limit = str(data.get("query") or "").lower(), int(data.get("limit") or 0)
        if world.member(guild_id, self._session.user_id) is None:
            return
        rows = world.members_of(guild_id)
        if wanted is not None:
            rows = [row for row in rows if row.user_id in wanted]
        elif query:
            rows = [row for row in rows if world.user(row.user_id).username.lower().startswith(query)]
        rows = rows[:limit] if limit else rows
        body: Json = {
            "guild_id": guild_id,
            "members": [wire.member(world, row) for row in rows],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [one for one in wanted or [] if one not in {row.user_id for row in rows}],
        }
        if data.get("nonce"):
            body["nonce"] = data["nonce"]
        self._session.emit("GUILD_MEMBERS_CHUNK", body)


def mount(app: web.Application, core: Core) -> None:
    """Add `/gateway`."""

    async def connect(request: web.Request) -> web.StreamResponse:
        if core.faults.refuses_connection():
            return web.Response(status=503)
        if request.query.get("encoding", "json") != "json":
            return web.Response(status=400, text="The playground speaks JSON only.")
        if request.query.get("v", "10") not in {"9", "10"}:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.close(code=4012, message=b"Invalid API version.")
            return socket
        try:
            squeeze = compressor(request.query.get("compress"))
        except LookupError:
            return web.Response(status=400, text="This compression is not available.")
        socket = web.WebSocketResponse(max_msg_size=64 * 1024, compress=False)
        await socket.prepare(request)
        await GatewayConnection(core, socket, squeeze, request.transport).run()
        return socket

    app.router.add_get("/gateway", connect)
    app.router.add_get("/gateway/", connect)
