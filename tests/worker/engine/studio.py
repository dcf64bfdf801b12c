"""An engine with the embedded model, and a way to say what happens between its steps."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parser import Part
from tests.worker.engine.recipes import drawing
from worker.device import DeviceJob, Failed
from worker.engine.engine import Engine
from worker.engine.outcomes import Drawn, Outcome
from worker.recipe import Drawing, ModelProfile

PROFILE = ModelProfile(name="embedded", source="models/embedded", size=128, guidance=3)
SAME = 1  # of 255: how far a pixel may be in company from what it is alone

Note = Callable[[Engine], Any]


def painted(*parts: tuple[str, float], **typed: Any) -> Drawing:
    """Return a short recipe of weighted parts for the embedded model."""
    positive = tuple(Part(text=text, weight=weight) for text, weight in parts)
    return drawing(**{"model": "embedded", "positive": positive, "pictures": 1, "steps": 4} | typed)


class Studio:
    """Run jobs to their end on one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def play(self, *jobs: DeviceJob, notes: Mapping[int, Note] | None = None) -> dict[str, Outcome]:
        """Submit *jobs*, run each of *notes* before the step of its number, return how all ended."""
        pending = dict(notes or {})
        outcomes: list[Outcome] = [outcome for job in jobs for outcome in self.engine.submit(job)]
        step = 0
        while self.engine.busy or pending:
            if step in pending:
                outcomes += pending.pop(step)(self.engine) or []
            outcomes += self.engine.step()
            step += 1
        return {o.job_id: o for o in outcomes if isinstance(o, Drawn | Failed)}

    def draw(self, job: DeviceJob) -> NDArray[np.uint8]:
        """Return the pictures of a job drawn alone, shape ``(pictures, height, width, 3)``."""
        return cells(self.play(job)[job.job_id])


def cells(outcome: Outcome) -> NDArray[np.uint8]:
    assert isinstance(outcome, Drawn), outcome
    return np.stack(list(outcome.cells))


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """Return the largest difference of any pixel, 0..255."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())
