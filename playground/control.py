"""`/playground/…`: what a test in another process may do to the world; the same as the Python methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from .admin import Admin
from .core import Core
from .errors import ApiError, Json
from .faults import Fault
from .form import read
from .rest import refuse, reply

Handler = Callable[[Json, web.Request], Any]


class Control:
    """The routes; each is one line of `Admin`."""

    def __init__(self, core: Core, admin: Admin) -> None:
        self._core = core
        self._admin = admin

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/session", lambda _b, _r: self._admin.facts().model_dump()),
            ("GET", "/people", lambda _b, _r: self._people()),
            ("GET", "/faults", lambda _b, _r: self._faults()),
            ("POST", "/faults", lambda b, _r: {"number": self._core.faults.add(Fault.model_validate(b))}),
            ("DELETE", "/faults", lambda _b, _r: self._core.faults.clear()),
            (
                "DELETE",
                "/faults/{number}",
                lambda _b, r: self._core.faults.remove(int(r.match_info["number"])),
            ),
            ("GET", "/journal", lambda _b, _r: [e.model_dump() for e in self._core.journal]),
            ("DELETE", "/journal", lambda _b, _r: self._core.journal.clear()),
            ("POST", "/clock", lambda b, _r: self._advance(float(b["advance"]))),
            ("GET", "/clock", lambda _b, _r: {"now": self._core.clock.now()}),
            ("POST", "/gateway/drop", lambda b, _r: {"dropped": self._admin.drop_gateway(**b)}),
            ("POST", "/gateway/reconnect", lambda b, _r: {"asked": self._admin.ask_to_reconnect(**b)}),
            (
                "GET",
                "/gateway/{id}",
                lambda _b, r: {"connections": self._admin.connections(r.match_info["id"])},
            ),
            ("POST", "/gateway/refuse", lambda b, _r: self._core.faults.refuse_connections(int(b["count"]))),
            ("POST", "/users", lambda b, _r: self._admin.add_user(**b).model_dump()),
            ("POST", "/guilds", lambda b, _r: self._admin.add_guild(**b).model_dump()),
            ("POST", "/members", lambda b, _r: self._admin.add_member(**b).model_dump()),
            ("DELETE", "/members/{guild_id}/{id}", self._remove_member),
            ("POST", "/direct-messages", lambda b, _r: self._admin.close_direct_messages(**b).model_dump()),
            ("POST", "/roles", lambda b, _r: self._admin.add_role(**b).model_dump()),
            ("POST", "/channels", lambda b, _r: self._admin.add_channel(**b).model_dump()),
            ("DELETE", "/channels/{id}", lambda _b, r: self._admin.delete_channel(r.match_info["id"])),
            ("POST", "/overwrites", lambda b, _r: self._admin.set_overwrite(**b).model_dump()),
            ("POST", "/applications", lambda b, _r: self._admin.add_application(**b).model_dump()),
            (
                "PATCH",
                "/applications/{id}",
                lambda b, r: self._admin.change_application(r.match_info["id"], **b).model_dump(),
            ),
            (
                "PATCH",
                "/guilds/{id}",
                lambda b, r: self._admin.change_guild(r.match_info["id"], **b).model_dump(),
            ),
            ("DELETE", "/messages/{channel_id}/{id}", self._delete_message),
        ]
        for method, path, handler in table:
            app.router.add_route(method, "/playground" + path, _wrap(handler))

    def _people(self) -> list[Json]:
        rows = self._core.world.users
        return [{"id": u.id, "username": u.username, "bot": u.bot, "token": u.token} for u in rows]

    def _faults(self) -> list[Json]:
        return [{"number": number, **fault.model_dump()} for number, fault in self._core.faults]

    def _advance(self, seconds: float) -> Json:
        self._core.clock.advance(seconds)
        return {"now": self._core.clock.now()}

    def _remove_member(self, _body: Json, request: web.Request) -> None:
        self._admin.remove_member(request.match_info["guild_id"], request.match_info["id"])

    def _delete_message(self, _body: Json, request: web.Request) -> None:
        self._admin.delete_message(request.match_info["channel_id"], request.match_info["id"])


def _wrap(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            form = await read(request)
            result = handler(form.fields, request)
        except ApiError as error:
            return refuse(error)
        except (ValidationError, TypeError, KeyError, ValueError) as error:
            return reply({"message": str(error), "code": 0}, 400)
        return web.Response(status=204) if result is None else reply(result)

    return answer
