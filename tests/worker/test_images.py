"""Where pictures live."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.api import JobId, PictureGone
from worker.images import ImageStore

ROOT = Path(__file__).resolve().parents[2]
JOB = JobId("ab0e8400-e29b-41d4-a716-446655440000")
OTHER = JobId("cd0e8400-e29b-41d4-a716-446655440000")


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "pictures")


def files(images: ImageStore) -> set[str]:
    return {str(path.relative_to(images.folder)) for path in images.folder.rglob("*") if path.is_file()}


def test_pictures_are_read_back_by_the_names_they_were_given(images: ImageStore) -> None:
    names = images.write(JOB, {"grid.png": b"grid", "1.png": b"one"})
    assert names == (f"ab/{JOB}/grid.png", f"ab/{JOB}/1.png")
    assert [images.read(name) for name in names] == [b"grid", b"one"]
    assert all(images.holds(name) for name in names)
    assert files(images) == set(names)


def test_writing_again_replaces(images: ImageStore) -> None:
    images.write(JOB, {"1.png": b"first attempt"})
    assert images.write(JOB, {"1.png": b"second attempt"}) == (f"ab/{JOB}/1.png",)
    assert images.read(f"ab/{JOB}/1.png") == b"second attempt"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../secret.png",
        f"ab/{JOB}/../../../secret.png",
        f"ab/{JOB}/",
        f"/ab/{JOB}/1.png",
        f"cd/{JOB}/1.png",
        f"ab/{JOB}/1.png\n",
        f"ab/{JOB}/1.txt",
        "ab/" + "." * 36 + "/1.png",
    ],
)
def test_only_names_of_pictures_lead_anywhere(images: ImageStore, name: str) -> None:
    (images.folder.parent / "secret.png").write_bytes(b"secret")
    with pytest.raises(PictureGone):
        images.read(name)
    with pytest.raises(PictureGone):
        images.holds(name)
    with pytest.raises(PictureGone):
        images.copy(name, OTHER, "1.png")


def test_nothing_is_written_under_a_strange_name(images: ImageStore) -> None:
    with pytest.raises(PictureGone):
        images.write(JOB, {"../1.png": b"x"})
    with pytest.raises(PictureGone):
        images.write(JobId("../escape"), {"1.png": b"x"})
    assert not images.folder.exists()


def test_a_copy_outlives_its_original(images: ImageStore) -> None:
    [name] = images.write(JOB, {"3.png": b"three"})
    assert images.copy(name, OTHER, "1.png") == f"cd/{OTHER}/1.png"
    images.remove(JOB)
    assert images.read(f"cd/{OTHER}/1.png") == b"three"
    with pytest.raises(PictureGone):
        images.read(name)


def test_a_copy_is_made_where_the_file_system_has_no_links(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    [name] = images.write(JOB, {"3.png": b"three"})
    assert images.read(images.copy(name, OTHER, "1.png")) == b"three"


def test_what_is_gone_is_gone(images: ImageStore) -> None:
    with pytest.raises(PictureGone):
        images.read(f"ab/{JOB}/1.png")
    with pytest.raises(PictureGone):
        images.copy(f"ab/{JOB}/1.png", OTHER, "1.png")
    images.remove(JOB)
    assert not images.holds(f"ab/{JOB}/1.png")


@pytest.mark.parametrize("before", [{}, {"grid.png": b"old", "1.png": b"old"}])
def test_a_full_disk_leaves_nothing_of_a_write(images: ImageStore, before: dict[str, bytes]) -> None:
    """A process that may write files of 64 KB only: its second picture fails as on a full disk."""
    if before:
        images.write(JOB, before)
    program = f"""
import pathlib, resource
from worker.api import ErrorCode, WorkerError
from worker.images import ImageStore
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    images = ImageStore(pathlib.Path({str(images.folder)!r}))
    images.write({JOB!r}, {{"grid.png": b"new", "1.png": bytes(70000)}})
except WorkerError as error:
    assert error.code is ErrorCode.DISK_FULL
    print("full")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=30, check=True
    )
    assert ended.stdout == b"full\n"
    assert files(images) == {f"ab/{JOB}/{name}" for name in before}
    assert not before or images.read(f"ab/{JOB}/grid.png") == b"old"


def test_old_folders_are_named_and_leftovers_in_them_removed(images: ImageStore) -> None:
    images.write(JOB, {"1.png": b"old"})
    images.write(OTHER, {"1.png": b"new"})
    leftover = images.folder / "ab" / JOB / ".part-abc"
    leftover.write_bytes(b"half")
    (images.folder / "ab" / "notes").mkdir()
    for folder in (images.folder / "ab").iterdir():
        os.utime(folder, (1000, 1000))
    assert list(images.older(2000)) == [JOB]
    assert not leftover.exists()
