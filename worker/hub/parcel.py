"""One file of the hub: fetched from where it stopped, and believed only when its digest is right."""

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from huggingface_hub import get_session, hf_raise_for_status
from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from worker.hub.trouble import Trouble

PART = ".journeyman-part"  # ends the name of a file that is not whole yet
BLOCK = 1 << 20
PATIENCE = 20.0  # seconds in which the hub must say something
TRIES = 5  # in a row without a single byte
PAUSE = 1.0  # seconds between two
PARTIAL = 206  # HTTP: from where we said


class Stopped(Exception):  # noqa: N818 - wanted
    """Fetching was to end; what came is kept."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file as the hub describes it.

    Attributes:
        name: Path in its repository.
        size: Bytes.
        digest: SHA-256 of large files, else what git calls it; lower-case hexadecimal.
        large: Which of both.
    """

    name: str
    size: int
    digest: str
    large: bool


def whole(path: Path, parcel: Parcel) -> bool:
    """Tell whether the file *path* is what the hub says of it."""
    if path.stat().st_size != parcel.size:
        return False
    digest = hashlib.sha256() if parcel.large else _git(parcel.size)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return bool(digest.hexdigest() == parcel.digest)


def begun(path: Path) -> int:
    """Return how many bytes of the file that shall be *path* are here already."""
    part = _part(path)
    return part.stat().st_size if part.is_file() else 0


def bring(url: str, path: Path, parcel: Parcel, came: Callable[[int], None], stop: threading.Event) -> None:
    """Fetch *url* to *path*, going on where an earlier call, or process, ended.

    Args:
        url: Where it is.
        path: Where it shall be; only a whole and right file gets that name.
        parcel: What it must be.
        came: Told how many bytes are here, whenever some came.
        stop: Set when it is no longer wanted; heeded between two blocks.

    Raises:
        Stopped: It was no longer wanted.
        Trouble: What came is not what the hub said.
        HTTPError: Of the HTTP library; nobody answers, or with a refusal.
        OSError: It could not be written.
    """
    part = _part(path)
    again = begun(path) > 0
    if begun(path) > parcel.size:
        part.unlink()
    _stream_on(url, part, parcel, came, stop)
    if not whole(part, parcel):
        part.unlink()
        if again:  # what was here before may have been wrong
            came(0)
            bring(url, path, parcel, came, stop)
            return
        raise Trouble(
            f"{parcel.name} came damaged: its bytes are not those that the hub promises. It was thrown away; "
            "try again, and if that does not help, something between here and the hub changes it.",
            passing=True,
        )
    part.replace(path)


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


def _git(size: int) -> Any:
    """Return the beginning of the digest by which git names a file of so many bytes."""
    return hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)


def _stream_on(
    url: str, part: Path, parcel: Parcel, came: Callable[[int], None], stop: threading.Event
) -> None:
    """Append to *part* until it has all bytes; a connection that breaks is made anew."""
    tries = 0
    with part.open("ab") as file:
        while file.tell() < parcel.size:
            before = file.tell()
            try:
                _stream(url, file, parcel, came, stop)
            except HfHubHTTPError:
                raise
            except HTTPError:
                tries = 1 if file.tell() > before else tries + 1
                if tries >= TRIES:
                    raise
                if stop.wait(PAUSE):
                    raise Stopped from None
            else:
                break  # shorter than it should be, and said to be all: the digest is wrong
        file.flush()
        os.fsync(file.fileno())


def _stream(
    url: str, file: BinaryIO, parcel: Parcel, came: Callable[[int], None], stop: threading.Event
) -> None:
    """Append what comes to *file*; a hub that cannot go on where we are begins anew."""
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if file.tell():
        headers["Range"] = f"bytes={file.tell()}-"
    with get_session().stream("GET", url, headers=headers, timeout=PATIENCE) as answer:
        hf_raise_for_status(answer)
        if file.tell() and answer.status_code != PARTIAL:
            file.truncate(0)
            file.seek(0)
        for block in answer.iter_bytes():
            if stop.is_set():
                raise Stopped
            file.write(block)
            came(file.tell())
            if file.tell() > parcel.size:
                return
