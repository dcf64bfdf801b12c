"""How fast the bot does things."""

from collections.abc import Iterator

from worker.api import Frozen


class Pace(Frozen):
    """Seconds between this and that; tests shorten them."""

    answer: float = 1.0  # what parse, policy and submit may take before the answer is deferred
    listen: float = 5.0  # between looks at the outbox while nobody writes
    pulse: float = 0.25  # between looks at the progress of running jobs
    standing: float = 5.0  # between looks at the places of waiting jobs
    edit_gap: float = 1.5  # between two edits of one message
    channel_gap: float = 1.0  # between two edits of one channel; Discord allows five in five seconds
    without_preview: float = 1.5  # how long the first edit waits for a preview
    retry_first: float = 0.5  # before a failed call is repeated; doubles
    retry_most: float = 60.0
    doubt: float = 120.0  # after which a nonce no longer proves anything
    closing: float = 60.0  # before an interaction's token ends, its message says so
    call: float = 60.0  # what one call to Discord may take

    def retries(self) -> Iterator[float]:
        """Yield the growing pauses between attempts, without end."""
        seconds = self.retry_first
        while True:
            yield min(seconds, self.retry_most)
            seconds = min(2 * seconds, self.retry_most)
