"""The data folder: what lies where, and whether it can be used."""

import os
from dataclasses import dataclass
from pathlib import Path

from cli.failures import Failure


@dataclass(frozen=True, slots=True)
class Folder:
    """One installation's data; copying the folder while nothing runs is a backup."""

    root: Path

    @property
    def database(self) -> Path:
        """Jobs, events, settings."""
        return self.root / "journeyman.sqlite3"

    @property
    def pictures(self) -> Path:
        """One PNG a file."""
        return self.root / "pictures"

    @property
    def bot_lock(self) -> Path:
        """Held by the one bot; workers hold ``worker-….lock`` beside it."""
        return self.root / "bot.lock"

    @property
    def discord(self) -> Path:
        """State of the local Discord."""
        return self.root / "discord"


def opened(root: Path) -> Folder:
    """Make the data folder where it is missing and return it.

    Raises:
        Failure: It cannot be made or written.
    """
    folder = Folder(root)
    try:
        for path in (folder.root, folder.pictures):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Failure(f"The data folder {root} cannot be made: a file is in its place.") from None
    except OSError as error:
        raise Failure(f"The data folder {root} cannot be made: {error.strerror}.") from None
    if not os.access(root, os.W_OK | os.X_OK):
        raise Failure(f"The data folder {root} cannot be written: check who owns it.")
    return folder
