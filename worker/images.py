"""Where pictures live: a folder, one folder a job inside it."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path

from worker.api import ErrorCode, JobId, PictureGone, WorkerError

NAME = re.compile(r"[0-9a-f]{2}/(?P<job>[0-9a-f-]{36})/[a-z0-9]+\.(?:png|webp)")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PART = ".part-"  # how the name of a file that is being written begins


class ImageStore:
    """Pictures by name, such as ``ab/<job id>/grid.png``; blocking, so call it from a thread.

    A picture is there whole or not at all, and survives a power cut once `write` has returned.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, job_id: JobId, pictures: Mapping[str, bytes]) -> tuple[str, ...]:
        """Store *pictures* (file name, such as ``grid.png``, to its bytes) and return their names, in order.

        The same call again, as after a crash, replaces them by themselves.

        Raises:
            WorkerError: ``DISK_FULL``; nothing of this call is left.
        """
        names = tuple(self._name(job_id, file) for file in pictures)
        with self._filling(job_id) as folder:
            parts = [self._part(folder, content) for content in pictures.values()]
            for part, file in zip(parts, pictures, strict=True):
                part.replace(folder / file)
        return names

    def copy(self, name: str, job_id: JobId, file: str) -> str:
        """Give *job_id* the picture *name* under the name *file*, and return its new name.

        The two share their bytes where the file system can do that, and either can be removed alone.

        Raises:
            PictureGone: There is no such picture.
            WorkerError: ``DISK_FULL``; nothing of this call is left.
        """
        target = self._name(job_id, file)
        source = self._path(name)
        if not source.is_file():
            raise PictureGone(name)
        with self._filling(job_id) as folder:
            part = self._linked(folder, source)
            part.replace(folder / file)
        return target

    def read(self, name: str) -> bytes:
        """Return the bytes of a picture.

        Raises:
            PictureGone: There is no such picture, or *name* is no picture's name.
        """
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise PictureGone(name) from error

    def holds(self, name: str) -> bool:
        """Tell whether the picture *name* is stored.

        Raises:
            PictureGone: *name* is no picture's name.
        """
        return self._path(name).is_file()

    def remove(self, job_id: JobId) -> int:
        """Remove every picture of *job_id* and return the bytes that freed; 0 where there is none."""
        folder = self._folder(job_id)
        freed = sum(map(_freed_with, folder.glob("*")))
        shutil.rmtree(folder, ignore_errors=True)
        return freed

    def discard(self, name: str) -> int:
        """Remove one picture and return the bytes that freed; 0 where there is none.

        Raises:
            PictureGone: *name* is no picture's name.
        """
        path = self._path(name)
        freed = _freed_with(path)
        path.unlink(missing_ok=True)
        return freed

    def size(self) -> int:
        """Return the bytes of all pictures, shared ones counted once; takes seconds for a million."""
        seen: set[int] = set()
        total = 0
        for path in self.folder.glob("*/*/*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                if found.st_nlink == 1 or found.st_ino not in seen:
                    total += found.st_size
                if found.st_nlink > 1:
                    seen.add(found.st_ino)
        return total

    def older(self, than: float, *, tidy: bool = True) -> Iterator[JobId]:
        """Yield the jobs whose folder was last changed before *than* (Unix seconds).

        What an interrupted `write` left behind in them is removed on the way, if *tidy*.
        """
        for folder in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            if NAME.fullmatch(f"{folder.parent.name}/{folder.name}/1.png") and _changed(folder) < than:
                if tidy:
                    for part in folder.glob(f"{PART}*"):
                        part.unlink(missing_ok=True)
                yield JobId(folder.name)

    @contextmanager
    def _filling(self, job_id: JobId) -> Iterator[Path]:
        """Hand out the job's folder, made where missing, and put everything in it on the disk afterwards."""
        folder = self._folder(job_id)
        fresh = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
            for changed in (folder, folder.parent, self.folder):
                _sync(changed)
        except OSError as error:
            self._discard(folder, whole=fresh)
            if error.errno in FULL:
                raise WorkerError(ErrorCode.DISK_FULL) from error
            raise

    @staticmethod
    def _discard(folder: Path, *, whole: bool) -> None:
        if whole:
            shutil.rmtree(folder, ignore_errors=True)
        for part in folder.glob(f"{PART}*"):
            part.unlink(missing_ok=True)

    @staticmethod
    def _part(folder: Path, content: bytes) -> Path:
        descriptor, path = tempfile.mkstemp(prefix=PART, dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        return Path(path)

    def _linked(self, folder: Path, source: Path) -> Path:
        part = folder / f"{PART}{os.urandom(8).hex()}"
        try:
            os.link(source, part)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP}:
                raise
            return self._part(folder, source.read_bytes())  # a file system without hard links
        return part

    def _folder(self, job_id: JobId) -> Path:
        return self._path(f"{job_id[:2]}/{job_id}/1.png").parent

    def _name(self, job_id: JobId, file: str) -> str:
        name = f"{job_id[:2]}/{job_id}/{file}"
        self._path(name)
        return name

    def _path(self, name: str) -> Path:
        """Return where *name* lives; only names we give lead anywhere."""
        match = NAME.fullmatch(name)
        if match is None or not match["job"].startswith(name[:2]):
            raise PictureGone(name)
        return self.folder / name


def _freed_with(path: Path) -> int:
    """Return the bytes that are free once *path* is gone: none while another job shares them."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return found.st_size if found.st_nlink == 1 else 0


def _changed(folder: Path) -> float:
    """Return when *folder* was last changed, in Unix seconds; one that vanished never is old."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return inf


def _sync(folder: Path) -> None:
    """Put a folder's entries on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
