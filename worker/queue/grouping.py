"""How long jobs of other models are passed over, so that a device need not change models each time. Pure.

A device that cannot keep all models in memory draws, of one it has, what is waiting for it, before it
changes: loading takes as long as some pictures. Whose turn it is by fairness is passed over meanwhile, for so
long and no longer.
"""

from dataclasses import dataclass

PATIENCE_SECONDS = 45.0  # then whose turn it is gets it, whatever has to be loaded


@dataclass(slots=True)
class Grouping:
    """Since when somebody's turn has been passed over.

    Attributes:
        patience: Seconds for which that may go on.
        since: Unix seconds; None where nobody is passed over.
    """

    patience: float = PATIENCE_SECONDS
    since: float | None = None

    def wanted(self, ready: frozenset[str] | None, now: float) -> frozenset[str] | None:
        """Return the models to claim for first, of those that are *ready*; None: whose turn it is gets it."""
        if ready is None or self.since is None:
            return ready
        waited = now - self.since
        return ready if 0 <= waited < self.patience else None  # a clock set back must not prolong it

    def claimed(self, *, passed: bool, now: float) -> None:
        """Note whether the last claim passed somebody over."""
        if not passed:
            self.since = None
        elif self.since is None or now < self.since:
            self.since = now
