"""The database's history: numbered SQL scripts, forward only, one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Migration:
    """One script. It holds neither BEGIN nor COMMIT: whoever applies it does that.

    Attributes:
        version: 1 for the first; what ``PRAGMA user_version`` is once it is applied.
        name: File name, such as ``0001_jobs.sql``.
        script: SQL text.
    """

    version: int
    name: str
    script: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the script; a database remembers it, so that history cannot be edited."""
        return sha256(self.script.encode()).hexdigest()


def shipped() -> Sequence[Migration]:
    """Return the scripts of this package, oldest first.

    Raises:
        ValueError: The numbers are not 1, 2, 3, ….
    """
    names = sorted(entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".sql"))
    found = tuple(
        Migration(int(name.split("_")[0]), name, files(__name__).joinpath(name).read_text("utf-8"))
        for name in names
    )
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are numbered 0001, 0002, … without gaps, not {', '.join(names)}")
    return found
