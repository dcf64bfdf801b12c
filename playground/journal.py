"""What clients asked of the API, in order; tests read it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from .models import Value

_KEPT = 20_000


class FileNote(Value):
    """A file of a request."""

    name: str
    size: int


class Entry(Value):
    """One request and the status it got; `status` 0 means that it was left without an answer."""

    at: float
    method: str
    path: str
    route: str
    caller_id: str | None
    status: int
    body: Any = None
    files: tuple[FileNote, ...] = ()
    fault: str | None = None


class Journal:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def add(self, entry: Entry) -> None:
        """Append one."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
