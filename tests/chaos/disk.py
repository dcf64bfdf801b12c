"""A small file system of our own, which may be filled: never the machine's disk."""

import errno
import os
import subprocess
from pathlib import Path

SIZE_MEGABYTES = 256
CHUNK = 1 << 20  # bytes


class SmallDisk:
    """A tmpfs on *folder*; mounting one takes root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False

    def mount(self) -> bool:
        """Mount it; False where that is not allowed."""
        if os.name != "posix" or os.geteuid() != 0:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={SIZE_MEGABYTES}m,mode=0700"
        command = ["mount", "-t", "tmpfs", "-o", options, "journeyman-chaos", str(self.folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=20)
        except OSError:
            return False
        self.mounted = done.returncode == 0 and os.path.ismount(self.folder)
        return self.mounted

    def fill(self) -> None:
        """Take the last byte.

        Raises:
            RuntimeError: The folder is not our own small file system.
        """
        if not self.mounted or not os.path.ismount(self.folder):
            raise RuntimeError(f"{self.folder} is not a file system of our own")
        with self._filler.open("ab", buffering=0) as file:
            chunk = bytes(CHUNK)
            while chunk:
                try:
                    file.write(chunk)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    chunk = chunk[: len(chunk) // 2]

    def make_room(self) -> None:
        """Undo `fill`."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away, with all that is in it."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False, timeout=20)
            self.mounted = False

    @property
    def _filler(self) -> Path:
        return self.folder / "filler.bin"
