"""Gateway sessions: who listens, what was sent to them, what a resume must replay."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from .clock import Clock
from .errors import Json
from .models import Application

# Discord drops a session a few minutes after its connection.
RESUME_SECONDS = 300.0
_BUFFERED = 4096


class Connection(Protocol):
    """The socket of a session."""

    def push(self, frame: Json) -> None:
        """Queue a frame for sending."""

    def shut(self, code: int, reason: str) -> None:
        """Close the socket once everything queued before is sent."""

    def cut(self) -> None:
        """Break the connection off without a word."""


class Session:
    """One identified client. `application` is None for a person's client."""

    def __init__(
        self,
        user_id: str,
        application: Application | None,
        intents: int,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        self.id = secrets.token_hex(16)
        self.user_id = user_id
        self.application = application
        self.intents = intents
        self.shard = shard
        self.connection: Connection | None = None
        self.lost_at: float | None = None
        self.resumable = True
        self._sequence = 0
        self._sent: deque[Json] = deque(maxlen=_BUFFERED)

    def hears(self, guild_id: str | None) -> bool:
        """Whether the guild belongs to this shard; everything outside guilds belongs to shard 0."""
        number, count = self.shard
        return number == ((int(guild_id) >> 22) % count if guild_id else 0)

    def wants(self, intent: int, guild_id: str | None) -> bool:
        """Whether events with this intent go here; a person's client gets all."""
        return self.application is None or bool(self.intents & intent and self.hears(guild_id))

    def emit(self, name: str, data: Json) -> None:
        """Send one event, or keep it for a resume."""
        self._sequence += 1
        frame = {"op": 0, "s": self._sequence, "t": name, "d": data}
        self._sent.append(frame)
        if self.connection is not None:
            self.connection.push(frame)

    def replay(self, after: int) -> bool:
        """Send everything after sequence `after` again; False if that is no longer known."""
        oldest = self._sent[0]["s"] if self._sent else self._sequence + 1
        if after > self._sequence or after + 1 < oldest:
            return False
        if self.connection is not None:
            for frame in [f for f in self._sent if f["s"] > after]:
                self.connection.push(frame)
        return True


class Sessions:
    """All sessions, connected or waiting for a resume."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: dict[str, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        self._forget_lost()
        return iter(list(self._all.values()))

    def add(self, session: Session) -> None:
        """Start delivering events to a session."""
        self._all[session.id] = session

    def remove(self, session: Session) -> None:
        """Stop; a resume is answered with INVALID_SESSION."""
        self._all.pop(session.id, None)

    def lost(self, session: Session) -> None:
        """The connection ended without the client saying goodbye."""
        session.connection = None
        session.lost_at = self._clock.now()

    def resumable(self, session_id: str) -> Session | None:
        """The session, if a client may still come back to it."""
        self._forget_lost()
        session = self._all.get(session_id)
        return session if session is not None and session.resumable else None

    def of_user(self, user_id: str) -> list[Session]:
        """A user's sessions."""
        return [session for session in self if session.user_id == user_id]

    def online(self, user_id: str) -> bool:
        """Whether one of a user's clients is connected now."""
        return any(one.connection is not None for one in self._all.values() if one.user_id == user_id)

    def _forget_lost(self) -> None:
        now = self._clock.now()
        for session in list(self._all.values()):
            if session.lost_at is not None and now - session.lost_at > RESUME_SECONDS:
                self.remove(session)
