"""Loopback only: no foreign host name, no foreign page."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from .errors import NotLoopbackError


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return False


def demand_loopback(host: str) -> None:
    """Raise NotLoopbackError for any other host."""
    if not is_loopback(host):
        raise NotLoopbackError(f"The playground listens on loopback only, and {host} is not loopback.")


def _allowed(request: web.Request) -> bool:
    """The Host must be loopback (a rebound DNS name is not); an Origin must be this very server."""
    here = urlsplit(f"//{request.headers.get('Host', '')}")
    try:
        if not is_loopback(here.hostname):
            return False
        origin = request.headers.get("Origin")
        if origin is not None:
            there = urlsplit(origin)
            return is_loopback(there.hostname) and there.port == here.port
    except ValueError:
        return False
    if request.headers.get("Sec-Fetch-Mode") == "navigate" and request.path == "/":
        return True  # a link to the page, followed from anywhere
    return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what did not come from this machine's own page or programs."""
    if not _allowed(request):
        return web.Response(status=403, text="Only this machine's own page and programs are answered.")
    return await handler(request)
