"""A network without tensors worth the name: pictures of one colour that counts their steps."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from worker.api import ErrorCode, WorkerError
from worker.device import DeviceJob
from worker.engine.bookmark import Value
from worker.engine.plan import BatchKey, Sample, SampleId
from worker.recipe import Drawing, Recipe

Check = Callable[[Sequence[SampleId]], None]  # raises what a network might


def fine(_ids: Sequence[SampleId]) -> None:
    """Raise nothing."""


class FakeBackend:
    """Every picture ends in the colour of its steps; *forward* and *decode* may be made to raise."""

    def __init__(self, *, forward: Check = fine, decode: Check = fine) -> None:
        self.batches: list[list[str]] = []
        self.steps: dict[SampleId, int] = {}
        self._forward = forward
        self._decode = decode

    def preload(self) -> BatchKey:
        return BatchKey("fake", 1, 1, 0, guided=False)

    loaded = ("fake",)

    def admits(self, recipe: Recipe) -> bool:
        return True

    def ready(self) -> frozenset[str] | None:
        return None

    def backend(self, recipe: Recipe) -> "FakeBackend":
        if isinstance(recipe, Drawing) and recipe.model != "fake":
            raise WorkerError(ErrorCode.MODEL_MISSING, reason="The model is not there.")
        return self

    def open(self, job: DeviceJob) -> list[Sample]:
        assert isinstance(job.recipe, Drawing)
        ids = [SampleId(job.job_id, job.attempt, i) for i in range(len(job.recipe.seeds))]
        self.steps |= dict.fromkeys(ids, 0)
        key = BatchKey("fake", job.recipe.height, job.recipe.width, 0, guided=False)
        return [Sample(i, key, job.speed, job.owner_id, job.recipe.stop_after) for i in ids]

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        self._forward(ids)
        self.batches.append([f"{i.job_id}{i.cell}" for i in ids])
        return [torch.ones(1) for _ in ids]

    def take(self, sample_id: SampleId, output: torch.Tensor) -> None:
        self.steps[sample_id] += int(output.item())

    def keep(self, job: DeviceJob) -> Value:
        return [
            steps for sample_id, steps in self.steps.items() if sample_id[:2] == (job.job_id, job.attempt)
        ]

    def resume(self, job: DeviceJob, kept: Value) -> Sequence[int]:
        for cell, steps in enumerate(kept):
            self.steps[SampleId(job.job_id, job.attempt, cell)] = steps
        return list(kept)

    def ended(self, ids: Sequence[SampleId]) -> Callable[[], list[NDArray[np.uint8]]]:
        steps = [self.steps[i] for i in ids]

        def pictures() -> list[NDArray[np.uint8]]:
            self._decode(ids)
            return [np.full((8, 8, 3), each, np.uint8) for each in steps]

        return pictures

    def preview(self, ids: Sequence[SampleId]) -> list[NDArray[np.uint8]]:
        return [np.full((8, 8, 3), self.steps[i], np.uint8) for i in ids]

    def close(self, ids: Sequence[SampleId]) -> None:
        for sample_id in ids:
            self.steps.pop(sample_id, None)

    def text(self, job: DeviceJob, index: int | None) -> dict[str, str]:
        return {"job_id": job.job_id, "picture": str(index)}
