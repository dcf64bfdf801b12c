"""Where the files of a repository are on this machine: in the cache that all programs share.

Its layout is the one of huggingface_hub (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): a
file is kept by its digest under ``blobs``, and ``snapshots`` name it by commit and path.
"""

import os
from dataclasses import dataclass
from pathlib import Path

BRANCH = "main"


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder of one repository."""

    folder: Path

    @classmethod
    def of(cls, repository: str, root: Path | None = None) -> "Cache":
        """Return the folder of ``owner/name`` in *root*, by default where the library has it.

        Perhaps there is none yet.
        """
        if root is None:
            from huggingface_hub import constants  # noqa: PLC0415 - a bot may be installed without

            root = Path(constants.HF_HUB_CACHE)
        return cls(root / f"models--{repository.replace('/', '--')}")

    def blob(self, digest: str) -> Path:
        """Return where the file of that digest is, or shall be."""
        return self.folder / "blobs" / digest

    def snapshot(self, commit: str) -> Path:
        """Return the folder that names the files of *commit*."""
        return self.folder / "snapshots" / commit

    @property
    def current(self) -> Path | None:
        """The snapshot that was fetched last, None where none is here."""
        try:
            commit = (self.folder / "refs" / BRANCH).read_text(encoding="ascii").strip()
        except (OSError, UnicodeError):
            return None
        found = self.snapshot(commit)
        return found if commit and found.is_dir() else None

    @property
    def coming(self) -> Path | None:
        """The current snapshot; before there is one, that which is being fetched, None where none is."""
        begun = sorted(self.folder.glob("snapshots/*"), key=lambda path: path.stat().st_mtime)
        return self.current or (begun[-1] if begun else None)

    def name(self, commit: str, name: str, digest: str) -> None:
        """Let *commit* have a file of that name."""
        path = self.snapshot(commit) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.path.relpath(self.blob(digest), path.parent))
        fresh.replace(path)

    def settle(self, commit: str) -> None:
        """Let *commit* be the current one: all that is wanted of it is here."""
        reference = self.folder / "refs" / BRANCH
        reference.parent.mkdir(parents=True, exist_ok=True)
        fresh = reference.with_name(f"{BRANCH}.{os.getpid()}")
        fresh.write_text(commit, encoding="ascii")
        fresh.replace(reference)
