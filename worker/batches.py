"""How many pictures are worth a step: what the engine learns, and the database keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

GAIN = 0.9  # a larger batch must cost at most this much per picture to be worth its latency


class BatchShape(NamedTuple):
    """What pictures have in common that share a step: `worker.engine.plan.BatchKey`, for the database."""

    model: str
    height: int
    width: int
    context: int
    guided: bool


@dataclass(frozen=True, slots=True)
class KeptCap:
    """How many pictures to draw in one step.

    Attributes:
        rows: So many are worth it.
        most: For so many memory suffices; None: it was never short.
        settled: Whether that was measured on purpose; else more may be tried.
    """

    rows: int
    most: int | None = None
    settled: bool = False


def worthwhile(seconds: Mapping[int, float]) -> int:
    """Return the size of a step beyond which larger ones gain too little.

    Args:
        seconds: Of a step, by how many pictures share it; at least one size.
    """
    each = {rows: taken / rows for rows, taken in sorted(seconds.items())}
    chosen = min(each)
    for rows, share in each.items():
        if share <= GAIN * each[chosen]:
            chosen = rows
    return chosen
