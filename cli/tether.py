"""A child's end of its supervisor: it says how it is, and does not outlive the supervisor.

The supervisor holds the other end of the child's standard input and never writes to it. When the supervisor
is gone, however it went, the operating system closes that end, and the child stops: this works on every Unix
and after SIGKILL. Standard output carries one word a line to the supervisor.
"""

import os
import signal
import sys
import threading
import time
from typing import Literal

GRACE_SECONDS = 2.0  # to stop in an orderly way once the supervisor is gone

Word = Literal["ready", "failed"]


class Tether:
    """The line to the supervisor; without one, nothing happens."""

    def __init__(self, channel: int | None) -> None:
        self._channel = channel

    def say(self, word: Word) -> None:
        """Tell the supervisor; it may be gone, and then there is nobody to tell."""
        if self._channel is not None:
            try:
                os.write(self._channel, f"{word}\n".encode())
            except OSError:
                self._channel = None


def tie(*, tethered: bool) -> Tether:
    """Watch the supervisor from now on, and keep standard output for words to it.

    Called before anything heavy is imported, so that a child whose supervisor dies meanwhile stops too.
    """
    if not tethered:
        return Tether(None)
    channel = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not look like a word
    threading.Thread(target=_stop_when_alone, name="tether", daemon=True).start()
    return Tether(channel)


def _stop_when_alone() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
