"""`python -m tests.chaos.clocked FILE …`: our command line, on a wall clock that `MachineClock` moves."""

import mmap
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = struct.Struct("d")


class MachineClock:
    """By how much the clock of every process that looks at *path* is off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0.0

    def move(self, seconds: float) -> None:
        """Set the clock on, or back where *seconds* are negative."""
        self._set(self.offset + seconds)

    def mend(self) -> None:
        """Let it be right again."""
        self._set(0.0)

    def _set(self, offset: float) -> None:
        self.offset = offset
        with self.path.open("r+b" if self.path.exists() else "w+b", buffering=0) as file:
            file.write(SECONDS.pack(offset))


def shifted(path: Path, right: Callable[[], float]) -> Callable[[], float]:
    """Return *right* as a `MachineClock` at *path* has it, whenever it is asked."""
    with path.open("rb") as file:
        shared = mmap.mmap(file.fileno(), SECONDS.size, prot=mmap.PROT_READ)
    return lambda: right() + float(SECONDS.unpack(shared)[0])


def _run(path: str) -> None:
    time.time = shifted(Path(path), time.time)  # before anything of ours is imported
    from cli.main import main

    main()


if __name__ == "__main__":
    _run(sys.argv.pop(1))
