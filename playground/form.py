"""A request's body, read once: JSON, with files when it is multipart."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from .errors import Json, bad_request, too_large

MAX_REQUEST = 25 * 1024 * 1024
_FILE = re.compile(r"^files?(?:\[(\d+)\])?$")


@dataclass(frozen=True)
class FilePart:
    """An uploaded file; its content type is worked out later, since clients do not tell the truth."""

    filename: str
    content: bytes


@dataclass(frozen=True)
class Form:
    """`body` is the JSON (`payload_json` of a multipart request), `files` by their index as text."""

    body: Any = None
    files: dict[str, FilePart] = field(default_factory=dict)

    @property
    def fields(self) -> Json:
        """The body where an object is expected; an absent one is empty. Raises 50109."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise bad_request(50109, "The request body contains invalid JSON.")
        return self.body


def _parsed(text: bytes) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise bad_request(50109, "The request body contains invalid JSON.") from None


async def read(request: web.Request) -> Form:
    """Read a body of any kind; raises 40005 beyond 25 MiB and 50109 for broken JSON."""
    if (request.content_length or 0) > MAX_REQUEST:
        raise too_large()
    if request.content_type.startswith("multipart/"):
        return await _multipart(request)
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large() from None
    return Form(_parsed(raw))


async def _multipart(request: web.Request) -> Form:
    body: Any = None
    fields: Json = {}
    files: dict[str, FilePart] = {}
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        total += len(content)
        if total > MAX_REQUEST:
            raise too_large()
        name = part.name or ""
        match = _FILE.match(name)
        if name == "payload_json":
            body = _parsed(content)
        elif match:
            key = match.group(1) or str(len(files))
            files[key] = FilePart(part.filename or f"file{key}", content)
        else:
            fields[name] = content.decode("utf-8", "replace")
    return Form(fields if body is None else body, files)
