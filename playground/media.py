"""Downloads: attachments behind signed links, uploads, default avatars."""

from __future__ import annotations

import hashlib
import io
from functools import cache

from aiohttp import web
from PIL import Image, ImageDraw

from .core import Core
from .errors import ApiError
from .rest import refuse

_MAX_UPLOAD = 25 * 1024 * 1024
# Discord's five default avatar colours.
_COLOURS = ("#5865f2", "#757e8a", "#3ba55c", "#faa61a", "#ed4245", "#eb459f")


@cache
def default_avatar(index: int) -> bytes:
    """A PNG of 128 pixels for users without a picture."""
    picture = Image.new("RGB", (128, 128), _COLOURS[index % len(_COLOURS)])
    draw = ImageDraw.Draw(picture)
    draw.ellipse((44, 28, 84, 68), fill="white")
    draw.ellipse((24, 76, 104, 156), fill="white")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


class Media:
    """The routes outside the API that serve and take files."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def mount(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/attachments/{channel_id}/{attachment_id}/{filename}", self._download)
        app.router.add_put("/uploads/{key}/{filename}", self._upload)
        app.router.add_get("/cdn/embed/avatars/{index:\\d+}.png", self._avatar)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        channel_id, key = request.match_info["channel_id"], request.match_info["attachment_id"]
        if not self._core.links.opens(channel_id, key, dict(request.query)):
            return web.Response(status=404, text="This content is no longer available.")
        path = self._core.world.storage.file(key)
        found = self._core.world.attachments.get(key)
        if found is None or not path.is_file():
            return web.Response(status=404, text="This content is no longer available.")
        headers = {
            "Content-Type": found.content_type or "application/octet-stream",
            "Cache-Control": "private, max-age=86400",
            # A file that somebody uploaded must not run as a page of ours.
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"',
        }
        return web.FileResponse(path, headers=headers)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        try:
            if (request.content_length or 0) > _MAX_UPLOAD:
                return web.Response(status=413)
            key = f"{request.match_info['key']}/{request.match_info['filename']}"
            self._core.uploads.receive(key, await request.read())
        except ApiError as error:
            return refuse(error)
        return web.Response(status=200)

    async def _avatar(self, request: web.Request) -> web.StreamResponse:
        body = default_avatar(int(request.match_info["index"]))
        headers = {"Cache-Control": "private, max-age=86400"}
        return web.Response(body=body, content_type="image/png", headers=headers)
