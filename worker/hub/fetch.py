"""Fetching from the hub: only what is missing, from where it stopped, each file checked."""

import json
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import HfApi, constants, hf_hub_url

from worker.hub.cache import Cache
from worker.hub.choice import INDEX, SUFFIX, WEIGHTS, Lacking, Role, Want, chosen, is_network, parts
from worker.hub.parcel import PATIENCE, Parcel, begun, bring, whole
from worker.hub.trouble import Trouble, worded
from worker.lock import FileLock

LOCK = "journeyman.lock"
DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # SHA-1 or SHA-256


@dataclass(frozen=True, slots=True)
class Progress:
    """How far fetching is.

    Attributes:
        place: What is fetched.
        name: The file that is coming.
        done: Bytes that are here, of those that were missing when it began, and of what came earlier.
        total: Bytes that were missing, with what had come of them earlier.
        resumed: Bytes that had come earlier.
    """

    place: str
    name: str
    done: int
    total: int
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is here now.

    Attributes:
        path: Its folder, or the file.
        files: How many files it has.
        size: Their bytes.
        brought: Bytes that came, this time or in earlier ones that did not come to their end.
    """

    path: Path
    files: int
    size: int
    brought: int


def here(want: Want) -> Path | None:
    """Return where *want* is on this machine, None where it is not, or not whole. Nobody is asked."""
    folder = Cache.of(want.repository).current
    if folder is None:
        return None
    if want.inside:
        path = folder / want.inside
        return path if path.is_file() or any(path.glob(f"*{SUFFIX}")) else None
    if want.role is Role.ADDITION or not (folder / INDEX).is_file():
        found = want.role in {Role.ADDITION, Role.AUTOENCODER} and any(folder.glob(f"*{SUFFIX}"))
        return folder if found else None
    index = _read(folder / INDEX)
    return folder if index is not None and _complete(folder, want.role, index) else None


def fetched(
    want: Want,
    told: Callable[[Progress], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Fetched:
    """Fetch what is missing of *want*, check what is here of it, and make it the one that is used.

    Blocks, for hours perhaps. A process that dies meanwhile loses nothing: what came is gone on with, and
    what was used before is used until all of the new one is here.

    Args:
        want: What.
        told: Told how far it is, several times a second.
        stop: Set, on any thread, when it is no longer wanted; heeded between two blocks.

    Raises:
        Trouble: It did not come; what to do.
        Stopped: It was no longer wanted.
    """
    stop = stop or threading.Event()
    with worded(want.place):
        about = HfApi().model_info(want.repository, files_metadata=True, timeout=PATIENCE)
        commit, parcels = str(about.sha), {each.name: each for each in map(_parcel, about.siblings or ())}
        if not DIGEST.fullmatch(commit):
            raise Trouble(f"{constants.ENDPOINT} does not say which edition of {want.repository} it has.")
        cache = Cache.of(want.repository)
        for folder in (cache.folder / "blobs", cache.snapshot(commit)):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(cache.folder / LOCK):
            index = None
            if INDEX in parcels and not want.inside:
                _Delivery(want, commit, cache, lambda _: None, stop).bring([parcels[INDEX]])
                index = _read(cache.blob(parcels[INDEX].digest))
            try:
                found = [parcels[name] for name in sorted(chosen(want, list(parcels), index), key=_is_large)]
            except Lacking as error:
                raise Trouble(f"{want.place} {error}.") from error
            brought = _Delivery(want, commit, cache, told, stop).bring(found)
            cache.settle(commit)
    path = cache.snapshot(commit) / want.inside
    return Fetched(path, len(found), sum(each.size for each in found), brought)


@dataclass(frozen=True, slots=True)
class _Delivery:
    want: Want
    commit: str
    cache: Cache
    told: Callable[[Progress], None]
    stop: threading.Event

    def bring(self, parcels: Sequence[Parcel]) -> int:
        """Fetch those of *parcels* that are not here whole, one after the other; return their bytes.

        Each has its name as soon as it is here, so that what describes a checkpoint can be read before its
        weights have come.

        Raises:
            Trouble: Likewise, or the disk is too small for them.
        """
        missing = {each.digest: each for each in parcels if not self._sound(each)}
        had = {digest: begun(self.cache.blob(digest)) for digest in missing}
        total, resumed = sum(each.size for each in missing.values()), sum(had.values())
        self._check_room(total - resumed)
        done, rest = 0, resumed
        for parcel in parcels:
            if parcel.digest in had:
                rest -= had.pop(parcel.digest)
                self._bring(parcel, done + rest, total, resumed)
                done += parcel.size
            self.cache.name(self.commit, parcel.name, parcel.digest)
        return total

    def _bring(self, parcel: Parcel, others: int, total: int, resumed: int) -> None:
        """Fetch one file; of the *others* so many bytes are here."""
        place = self.want.place

        def came(size: int) -> None:
            self.told(Progress(place, parcel.name, others + size, total, resumed))

        url = hf_hub_url(self.want.repository, parcel.name, revision=self.commit)
        try:
            bring(url, self.cache.blob(parcel.digest), parcel, came, self.stop)
        except Trouble as trouble:
            raise Trouble(f"{place}: {trouble}", passing=trouble.passing) from trouble

    def _sound(self, parcel: Parcel) -> bool:
        """Tell whether a file is here and whole; one that is not is thrown away."""
        blob = self.cache.blob(parcel.digest)
        if not blob.is_file():
            return False
        if whole(blob, parcel):
            return True
        blob.unlink()
        return False

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.cache.folder).free
        if size > free:
            raise Trouble(
                f"{self.want.place} wants {amount(size)} more, and the disk of {constants.HF_HUB_CACHE} has "
                f"{amount(free)} free. Free some space, or set HF_HOME to a folder on another disk."
            )


def amount(size: float) -> str:
    """Return so many bytes for people."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"


def _is_large(name: str) -> bool:
    return name.endswith(SUFFIX)


def _parcel(about: Any) -> Parcel:
    """Return a file as the hub describes it.

    Raises:
        Trouble: It does not say enough to know the file again.
    """
    digest = about.blob_id if about.lfs is None else about.lfs.sha256
    if about.size is None or not DIGEST.fullmatch(digest or ""):
        raise Trouble(
            f"{constants.ENDPOINT} does not say what {about.rfilename} is, so it cannot be checked."
        )
    if PurePosixPath(about.rfilename).is_absolute() or ".." in PurePosixPath(about.rfilename).parts:
        raise Trouble(f"{constants.ENDPOINT} names the file {about.rfilename}, which would lie elsewhere.")
    return Parcel(about.rfilename, int(about.size), str(digest), large=about.lfs is not None)


def _complete(folder: Path, role: Role, index: Mapping[str, Any]) -> bool:
    """Tell whether all parts of a checkpoint are here; other programs may have fetched some of them."""
    for part, weights in parts(role, index).items():
        names = [f"{part}/{path.name}" for path in (folder / part).glob("*")]
        tensors = [name for name in names if WEIGHTS.fullmatch(name.split("/")[1])]
        shards = [
            name for index in (folder / part).glob("*.safetensors.index.json") for name in _shards(index)
        ]
        if not names or (weights and is_network(names, part) and not tensors):
            return False
        if weights and not all((folder / part / name).is_file() for name in shards):
            return False
    return True


def _shards(index: Path) -> set[str]:
    told = (_read(index) or {}).get("weight_map", {})
    return set(told.values()) if isinstance(told, dict) else set()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
