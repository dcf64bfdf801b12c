"""The caps of batches on one device, begun with what is known of it from before."""

from collections.abc import Callable, Mapping

from worker.batches import BatchShape, KeptCap
from worker.engine.plan import BatchCap, BatchKey

FIRST = 8  # rows of a key of which nothing is known
MOST = 64

Learned = Callable[[BatchShape, KeptCap], None]


class Caps:
    """Makes the cap of each key, and tells when one changes."""

    def __init__(
        self,
        known: Mapping[BatchShape, KeptCap] | None = None,
        learned: Learned = lambda _shape, _cap: None,
    ) -> None:
        """Begin with what is *known*; *learned* is told of changes, on the thread of the engine."""
        self._known = known or {}
        self._learned = learned

    def __call__(self, key: BatchKey) -> BatchCap:
        """Return a cap for *key*."""
        shape = shape_of(key)
        kept = self._known.get(shape, KeptCap(FIRST))

        def told(cap: BatchCap) -> None:
            # What memory once did not suffice for, it may tomorrow: that is not handed on.
            self._learned(shape, KeptCap(cap.rows, kept.most))

        return BatchCap(first=kept.rows, most=kept.most or MOST, settled=kept.settled, told=told)


def shape_of(key: BatchKey) -> BatchShape:
    """Return *key* as the database knows it."""
    return BatchShape(key.model, key.height, key.width, key.context, key.guided)
