"""The API: one route table for bots and people, answered in Discord's shapes, with faults and a journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from . import command_routes, guild_routes, interaction_routes, message_routes
from .core import Call, Core
from .errors import ApiError, Json, not_implemented, unauthorized
from .faults import Fault, FaultKind
from .form import Form, read
from .journal import Entry, FileNote
from .models import Application, User

Handler = Callable[[Call], Awaitable[Any]]

# No request waits longer than this for an answer that a fault withholds.
_TIMEOUT_SECONDS = 120.0


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON whose content type is exactly `application/json`: discord.py parses nothing else."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    merged = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=raw, status=status, headers=merged)


def refuse(error: ApiError) -> web.Response:
    """An error as Discord words it."""
    return reply(error.body(), error.status, error.headers)


async def _gateway(call: Call) -> Json:
    return {"url": call.core.addresses.gateway}


async def _gateway_bot(call: Call) -> Json:
    limit = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
    call.bot  # noqa: B018 - people have no shards
    return {"url": call.core.addresses.gateway, "shards": 1, "session_start_limit": limit}


_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/gateway", _gateway),
    ("GET", "/gateway/bot", _gateway_bot),
    *guild_routes.ROUTES,
    *message_routes.ROUTES,
    *command_routes.ROUTES,
    *interaction_routes.ROUTES,
]


def identify(core: Core, request: web.Request) -> tuple[User | None, Application | None]:
    """Who calls: `Bot <token>` is an application, a bare token a person. Raises 401 for a wrong token."""
    header = request.headers.get("Authorization")
    if not header:
        return None, None
    wants_bot = header.startswith("Bot ")
    user = core.world.user_with_token(header.removeprefix("Bot "))
    if user is None or user.bot != wants_bot:
        raise unauthorized()
    return user, core.world.application_of(user.id) if user.bot else None


class Api:
    """Answers everything below `/api/v9` and `/api/v10`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        for method, path, handler in _ROUTES:
            app.router.add_route(method, "/api/v{version:9|10}" + path, self._wrap(handler))
        app.router.add_route("*", "/api/{rest:.*}", self._wrap(_absent))

    def _wrap(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, handler)

        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        form, caller, fault = Form(), None, None
        try:
            caller, application = identify(self._core, request)
            form = await read(request)
            fault = self._core.faults.hit(request.method, _route(request))
            call = Call(self._core, request, form, caller, application)
            response = await self._work(call, handler, fault)
        except ApiError as error:
            response = refuse(error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # A body of the wrong shape is the client's mistake; the log tells a mistake of ours.
            request.app.logger.exception("%s %s", request.method, request.path)
            response = refuse(ApiError(400, 50035, f"Invalid Form Body ({error!r})"))
        self._note(request, form, caller, fault, response)
        if response is None:
            await asyncio.sleep(_TIMEOUT_SECONDS)
            return refuse(ApiError(504, 0, "504: Gateway Timeout"))
        return response

    async def _work(self, call: Call, handler: Handler, fault: Fault | None) -> web.Response | None:
        """Run the handler and the fault in their order; None is an answer that never comes."""
        if fault is not None and not fault.after_store and fault.kind is not FaultKind.DELAY:
            return _faulty(fault)
        if fault is not None and fault.kind is FaultKind.DELAY and not fault.after_store:
            await asyncio.sleep(fault.seconds)
        result = await handler(call)
        if fault is not None and fault.after_store:
            if fault.kind is not FaultKind.DELAY:
                return _faulty(fault)
            await asyncio.sleep(fault.seconds)
        if isinstance(result, web.Response):
            return result
        return web.Response(status=204) if result is None else reply(result)

    def _note(
        self,
        request: web.Request,
        form: Form,
        caller: User | None,
        fault: Fault | None,
        response: web.Response | None,
    ) -> None:
        notes = tuple(FileNote(name=f.filename, size=len(f.content)) for f in form.files.values())
        entry = Entry(
            at=self._core.clock.now(),
            method=request.method,
            path=request.path_qs,
            route=_route(request),
            caller_id=caller.id if caller else None,
            status=response.status if response is not None else 0,
            body=form.body,
            files=notes,
            fault=fault.kind if fault else None,
        )
        self._core.journal.add(entry)


def _faulty(fault: Fault) -> web.Response | None:
    error = fault.refusal()
    return refuse(error) if error is not None else None


def _route(request: web.Request) -> str:
    """The path behind the version."""
    version = request.match_info.get("version")
    return request.path.removeprefix(f"/api/v{version}") if version else request.path


async def _absent(call: Call) -> Json:
    raise not_implemented(call.request.method, call.request.path)
