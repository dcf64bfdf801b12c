"""Files from elsewhere, and files of ours that others would like to read or to be written for them."""

import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bot.shrink import fit
from cli.archive import MANIFEST, Writer, members
from cli.failures import Failure
from cli.folder import Folder, opened
from cli.restore import restored
from migrations import shipped
from worker.api import PictureGone
from worker.grids import composed
from worker.lock import FileLock
from worker.opening import MOST_PIXELS
from worker.opening import opened as picture_in
from worker.schema import migrate

PICTURE = "pictures/ab/ab000000-0000-4000-8000-000000000000/1.png"


def private(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def plain(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = 4
    return info


def link(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(PICTURE)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "info",
    [
        plain("/etc/cron.d/evil"),
        plain("../evil"),
        plain("pictures/../../evil"),
        plain("pictures/ab/../../../evil.png"),
        plain(f"{PICTURE}/../../../evil.png"),
        plain("pictures/ab/ab000000-0000-4000-8000-000000000000/evil.py"),
        plain("journeyman.sqlite3-journal"),
        plain("bot.lock"),
        plain("PICTURES/ab/ab000000-0000-4000-8000-000000000000/1.png"),
        link(tarfile.SYMTYPE, "/etc/passwd"),
        link(tarfile.LNKTYPE, "../../evil"),
        link(tarfile.CHRTYPE, ""),
        link(tarfile.FIFOTYPE, ""),
        link(tarfile.DIRTYPE, ""),
    ],
    ids=lambda info: f"{info.name} {info.type.decode()}",
)
def test_an_archive_leads_nowhere_but_to_our_own_names(tmp_path: Path, info: tarfile.TarInfo) -> None:
    archive, target = tmp_path / "evil.tar", Folder(tmp_path / "deep" / "data")
    with tarfile.open(archive, "w") as tar:
        tar.addfile(info, io.BytesIO(b"evil"[: info.size]))
    with pytest.raises(Failure, match="which no backup of ours does"):
        restored(archive, target, replace=False)
    assert {path.name for path in tmp_path.rglob("*")} == {"evil.tar"}


def test_the_same_name_twice_is_no_way_past_the_checksums(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        for body in (b"good", b"evil"):
            tar.addfile(plain(PICTURE), io.BytesIO(body))
    with pytest.raises(Failure, match="which no backup of ours does"):
        list(members(archive))


def test_a_sparse_file_does_not_grow_out_of_a_small_archive(tmp_path: Path) -> None:
    """A kilobyte that says it is a terabyte, in GNU's format for files with holes."""
    header = bytearray(plain(PICTURE).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"%011o\0" % 0  # nothing of it is stored
    header[156:157] = b"S"
    header[386:410] = b"%011o\0%011o\0" % (0, 0)
    header[483:495] = b"\x80" + (2**40).to_bytes(11, "big")
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    archive = tmp_path / "bomb.tar"
    archive.write_bytes(bytes(header) + bytes(tarfile.BLOCKSIZE * 2))
    with tarfile.open(archive) as tar:
        [bomb] = tar
        assert (bomb.size, bomb.isreg()) == (2**40, True)
    with pytest.raises(Failure, match="which no backup of ours does"):
        list(members(archive))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_size_that_leads_backwards_is_not_followed(tmp_path: Path, kind: bytes) -> None:
    """Readers have gone round in circles over a member of fewer than no bytes (CVE-2025-8194)."""
    header = bytearray(tarfile.TarInfo(PICTURE).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" + (256**11 - 1024).to_bytes(11, "big")
    header[156:157] = kind
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    archive = tmp_path / "evil.tar"
    archive.write_bytes(tarfile.TarInfo(MANIFEST).tobuf() + bytes(header) + bytes(tarfile.BLOCKSIZE * 2))
    with pytest.raises(Failure):
        list(members(archive))


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_a_compressed_archive_is_not_unpacked(tmp_path: Path, ending: str) -> None:
    archive = tmp_path / f"backup.tar.{ending}"
    with tarfile.open(archive, f"w:{ending}") as tar:  # type: ignore[call-overload]
        tar.addfile(plain(MANIFEST), io.BytesIO(b"evil"))
    with pytest.raises(Failure, match="not a whole backup"):
        list(members(archive))


def test_an_archive_is_not_written_into_a_file_that_somebody_laid_ready(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"")
    theirs.chmod(0o644)
    (tmp_path / ".backup.tar.part").symlink_to(theirs)
    with Writer(tmp_path / "backup.tar") as writer:
        part = tmp_path / ".backup.tar.part"
        assert not part.is_symlink()
        assert private(part)
        with (tmp_path / "database").open("w+b") as file:
            writer.add("journeyman.sqlite3", file)
    assert theirs.read_bytes() == b""


def test_the_data_folder_and_the_database_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)  # the most careless there is
    try:
        folder = opened(tmp_path / "data")
        migrate(folder.database, shipped()[:2])
        migrate(folder.database, shipped()[:3])  # leaves a copy of the second version
    finally:
        os.umask(before)
    assert private(folder.root)
    assert private(folder.pictures)
    copy = folder.root / f"{folder.database.name}.v2.bak"
    assert private(folder.database)
    assert private(copy)


def test_a_lock_is_no_way_to_overwrite_another_file(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "bot.lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"), FileLock(tmp_path / "bot.lock"):
        pass
    assert precious.read_text() == "precious"


def encoded(kind: str, size: tuple[int, int] = (8, 8)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, kind)
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG of a few kilobytes, whole and valid, that is larger than anything we draw."""
    stream = io.BytesIO()
    side = int(MOST_PIXELS**0.5)
    Image.new("1", (side + 1, side)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


READERS: list[Callable[[bytes], object]] = [
    picture_in,
    lambda body: composed([body]),
    lambda body: fit(body, -1),
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "body",
    [bomb(), encoded("PNG")[:-30], encoded("EPS"), encoded("TIFF"), encoded("GIF"), b"", b"<svg/>"],
    ids=["bomb", "cut short", "PostScript", "TIFF", "GIF", "empty", "SVG"],
)
def test_a_stored_picture_that_cannot_be_ours_is_not_decoded(
    read: Callable[[bytes], object], body: bytes
) -> None:
    """Pillow would start Ghostscript for PostScript, and take a gigabyte for the bomb."""
    with pytest.raises(PictureGone):
        read(body)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_pictures_of_ours_are_decoded(kind: str) -> None:
    assert picture_in(encoded(kind)).size == (8, 8)
