"""The backup's format: a tar file with the database, the pictures, and last a manifest of checksums."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import ValidationError
from typing_extensions import override

from cli.failures import Failure
from worker.api import Frozen
from worker.images import NAME

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "journeyman.sqlite3"
PICTURES = "pictures/"
CHUNK = 1024 * 1024  # bytes
MANIFEST_MOST = 256 * CHUNK  # a million pictures have less


class Entry(Frozen):
    """What one file must be."""

    size: int
    sha256: str


class Manifest(Frozen):
    """What an archive holds."""

    format: int
    program: str  # version that wrote it
    schema_version: int  # of the database
    created_at: float  # Unix seconds
    jobs: int
    missing: int  # pictures named by jobs that were not there: aged out before
    files: dict[str, Entry]


class Writer:
    """An archive that is being written; it has its name only once it is whole and on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, Entry] = {}
        self._part = path.with_name(f".{path.name}.part")

    def __enter__(self) -> Self:
        self._part.unlink(missing_ok=True)  # a backup was interrupted, or somebody waits to read this one
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:
            self._part.unlink(missing_ok=True)  # `finish` has renamed a whole one

    def add(self, name: str, file: IO[bytes]) -> None:
        """Put the rest of *file* in as *name*."""
        body = Hashed(file)
        info = self._info(name, os.fstat(file.fileno()).st_size)
        self._tar.addfile(info, body)
        self.files[name] = body.entry

    def finish(self, manifest: Manifest) -> None:
        """Put the manifest in and give the archive its name."""
        body = manifest.model_dump_json().encode()
        self._tar.addfile(self._info(MANIFEST, len(body)), io.BytesIO(body))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self.path)

    @staticmethod
    def _info(name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        return info


class Hashed(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = sha256()
        self._size = 0

    @override
    def read(self, size: int = -1) -> bytes:
        try:
            body = self._file.read(size)
        except tarfile.TarError as error:
            raise Failure(f"The backup is not whole ({error}). Use another one.") from None
        self._digest.update(body)
        self._size += len(body)
        return body

    @property
    def entry(self) -> Entry:
        """What was read so far."""
        return Entry(size=self._size, sha256=self._digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, open for reading; its content is checked once it was read to the end."""

    name: str
    body: IO[bytes]


def manifest_of(path: Path) -> Manifest:
    """Read the whole archive, compare every byte with its checksum, and return the manifest.

    Raises:
        Failure: It is no backup, not whole, or changed.
    """
    files: dict[str, Entry] = {}
    manifest: Manifest | None = None
    for member in members(path):
        if member.name == MANIFEST:
            manifest = _manifest(member.body.read(MANIFEST_MOST), path)
            continue
        body = Hashed(member.body)
        while body.read(CHUNK):
            pass
        files[member.name] = body.entry
    if manifest is None:
        raise Failure(f"{path} is not a whole backup: its manifest is missing. Use another one.")
    for name in files.keys() | manifest.files.keys():
        if files.get(name) != manifest.files.get(name):
            raise Failure(f"{path} is damaged: {name} is not what was backed up. Use another one.")
    if DATABASE not in files:
        raise Failure(f"{path} has no database in it. Use another one.")
    return manifest


def members(path: Path) -> Iterator[Member]:
    """Yield the archive's files in their order; only plain files under names of ours are let through.

    Raises:
        Failure: It is no archive, or holds something else.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(path, mode="r:") as tar:
            for info in tar:
                # A sparse one grows beyond any archive, and sizes can be written that lead backwards.
                plain = info.isreg() and not info.issparse() and info.size >= 0
                if not plain or info.name in seen or not _ours(info.name):
                    raise Failure(f"{path} holds {info.name!r}, which no backup of ours does.")
                seen.add(info.name)
                body = tar.extractfile(info)
                if body is not None:
                    yield Member(info.name, body)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise Failure(f"{path} is not a whole backup ({error}). Use another one.") from None
    except FileNotFoundError:
        raise Failure(f"There is no backup {path}.") from None


def _ours(name: str) -> bool:
    if name in {MANIFEST, DATABASE}:
        return True
    return name.startswith(PICTURES) and NAME.fullmatch(name.removeprefix(PICTURES)) is not None


def _manifest(body: bytes, path: Path) -> Manifest:
    try:
        version = json.loads(body)["format"]
        if version != FORMAT:
            raise Failure(f"{path} has the format {version}, which this program does not know. Update it.")
        return Manifest.model_validate_json(body)
    except (ValidationError, ValueError, LookupError, TypeError):
        raise Failure(f"{path} is damaged: its manifest cannot be read. Use another one.") from None
