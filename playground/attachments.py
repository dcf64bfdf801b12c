"""Files of messages: what the server works out about them, where they lie, links that expire."""

from __future__ import annotations

import hashlib
import hmac
import io
import mimetypes
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from .clock import Clock
from .errors import ApiError, Json, too_large
from .form import FilePart, Form
from .models import Attachment
from .problems import invalid
from .rules import check_file_count
from .state import World

LINK_SECONDS = 24 * 3600
# Links change once an hour only, so that a browser's cache outlives the edits of a message.
_ISSUE_STEP = 3600
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_NAME = 255


def safe_name(filename: str) -> str:
    """The name Discord gives a file: letters, digits, `_.-`; the end, with its suffix, survives the cut."""
    name = _UNSAFE.sub("_", filename.rsplit("/", 1)[-1]).strip("_") or "unknown"
    return name[-_MAX_NAME:]


@dataclass(frozen=True)
class Sniffed:
    """What the bytes say about a file."""

    content_type: str | None
    width: int | None = None
    height: int | None = None


def sniff(filename: str, content: bytes) -> Sniffed:
    """Content type by the bytes for pictures, by the name otherwise; size in pixels for pictures."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            kind = Image.MIME.get(picture.format or "")
            return Sniffed(kind, picture.width, picture.height)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        pass
    kind, _ = mimetypes.guess_type(filename)
    if kind and kind.startswith("image/"):
        kind = None
    if kind and kind.startswith("text/"):
        kind = f"{kind}; charset=utf-8"
    return Sniffed(kind)


class Links:
    """Signed links of the form `…/attachments/{channel}/{id}/{name}?ex=…&is=…&hm=…`."""

    def __init__(self, clock: Clock, secret: bytes) -> None:
        self._clock = clock
        self._secret = secret
        self.base = ""

    def sign(self, row: Attachment) -> str:
        """A link that works for the next 23 to 24 hours."""
        issued = int(self._clock.now()) // _ISSUE_STEP * _ISSUE_STEP
        expires = issued + LINK_SECONDS
        path = f"/attachments/{row.channel_id}/{row.id}/{quote(row.filename)}"
        seal = self._seal(row.channel_id, row.id, expires, issued)
        return f"{self.base}{path}?ex={expires:x}&is={issued:x}&hm={seal}&"

    def opens(self, channel_id: str, attachment_id: str, query: dict[str, str]) -> bool:
        """Whether the signature is ours and not yet expired."""
        try:
            expires, issued = int(query.get("ex", ""), 16), int(query.get("is", ""), 16)
        except ValueError:
            return False
        seal = self._seal(channel_id, attachment_id, expires, issued)
        return hmac.compare_digest(seal, query.get("hm", "")) and self._clock.now() < expires

    def _seal(self, channel_id: str, attachment_id: str, expires: int, issued: int) -> str:
        text = f"{channel_id}/{attachment_id}/{expires:x}/{issued:x}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


class Uploads:
    """Files that a client has PUT before the message that will carry them."""

    def __init__(self, base: Callable[[], str]) -> None:
        self._base = base
        self._waiting: dict[str, FilePart | None] = {}
        self._names: dict[str, str] = {}

    def offer(self, filename: str) -> Json:
        """A place to PUT one file: `{"upload_url", "upload_filename"}`."""
        key = f"{secrets.token_hex(16)}/{safe_name(filename)}"
        self._waiting[key] = None
        self._names[key] = filename
        return {"upload_url": f"{self._base()}/uploads/{key}", "upload_filename": key}

    def receive(self, key: str, content: bytes) -> None:
        """Keep what was PUT; raises 404 for a place that was never offered."""
        if key not in self._waiting:
            raise ApiError(404, 0, "404: Not Found")
        self._waiting[key] = FilePart(self._names[key], content)

    def take(self, key: str) -> FilePart | None:
        """The file, once."""
        self._names.pop(key, None)
        return self._waiting.pop(key, None)


def collect(uploads: Uploads, form: Form, listed: list[Json]) -> list[tuple[Json, FilePart]]:
    """The new files of a request, each with its entry in `attachments` (empty if it has none)."""
    by_index = {str(entry.get("id")): entry for entry in listed if "uploaded_filename" not in entry}
    found = [(by_index.get(key, {}), part) for key, part in sorted(form.files.items(), key=_index)]
    for position, entry in enumerate(listed):
        if "uploaded_filename" in entry:
            part = uploads.take(str(entry["uploaded_filename"]))
            if part is None:
                message = "The file has not been uploaded."
                raise invalid(("attachments", position), "ATTACHMENT_NOT_FOUND", message)
            found.append((entry, part))
    return found


def _index(item: tuple[str, FilePart]) -> int:
    return int(item[0])


def store(
    world: World, channel_id: str, new: list[tuple[Json, FilePart]], *, limit: int, ephemeral: bool = False
) -> tuple[Attachment, ...]:
    """Write files to disk; raises 40005 if one is larger than `limit` bytes, 50035 beyond ten files."""
    check_file_count(len(new))
    if any(len(part.content) > limit for _, part in new):
        raise too_large()
    rows = []
    for entry, part in new:
        wanted = str(entry.get("filename") or part.filename)
        name = safe_name(wanted)
        seen = sniff(name, part.content)
        row = Attachment(
            id=world.mint(),
            channel_id=channel_id,
            filename=name,
            title=entry.get("title") or (wanted.rsplit(".", 1)[0] if wanted != name else None),
            description=entry.get("description"),
            size=len(part.content),
            content_type=seen.content_type,
            width=seen.width,
            height=seen.height,
            ephemeral=ephemeral,
        )
        rows.append(world.put_attachment(row, part.content))
    return tuple(rows)
