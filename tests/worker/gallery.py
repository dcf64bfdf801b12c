"""A place on this machine that serves pictures, as a local Discord does, and says what it was asked for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from worker.guard import Guard

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gallery:
    """Answers under ``/attachments/{name}``."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.closing = asyncio.Event()
        self.base = ""

    @property
    def guard(self) -> Guard:
        return Guard(local=self.base)

    def url(self, name: str) -> str:
        return f"{self.base}/attachments/{name}"

    def show(self, name: str, body: bytes, *, status: int = 200, kind: str = "image/png") -> str:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, status=status, content_type=kind)

        self.answers[name] = answer
        return self.url(name)

    def redirect(self, name: str, target: str) -> str:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": target})

        self.answers[name] = answer
        return self.url(name)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked.append(name)
        self.headers.append(dict(request.headers))
        if name not in self.answers:
            return web.Response(status=404)
        return await self.answers[name](request)


@asynccontextmanager
async def gallery_open() -> AsyncIterator[Gallery]:
    gallery = Gallery()
    app = web.Application()
    app.router.add_get("/{anywhere:(?!attachments/).*}", gallery_secret)
    app.router.add_get("/attachments/{name}", gallery.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    gallery.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gallery
    finally:
        gallery.closing.set()
        await runner.cleanup()


async def gallery_secret(_: web.Request) -> web.Response:
    raise AssertionError("nobody may ask for what is no attachment")
