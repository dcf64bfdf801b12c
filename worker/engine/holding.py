"""What denoisers of every family do alike with the pictures they have under way."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray

from worker.api import ErrorCode, PictureGone, WorkerError
from worker.device import DeviceJob
from worker.engine import pictures
from worker.engine.autoencoder import Coder, decoded, encoded, twin
from worker.engine.bookmark import Value, changed
from worker.engine.compiled import Compiled
from worker.engine.plan import SampleId
from worker.engine.references import body_of, laid
from worker.engine.region import Region, mask_of
from worker.engine.row import Given, Row
from worker.engine.tiling import convolutions, seamless
from worker.recipe import Drawing

LAYOUT = "layout 2"  # of what `keep` returns: an update that changes it begins unfinished pictures anew

R = TypeVar("R", bound=Row[Any])


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """What finished pictures of one job came to. Called, it decodes them.

    Attributes:
        decoder: The checkpoint with an autoencoder that nothing but this uses, on one thread at a time.
        latents: Shape ``(n, channels, rows, columns)``.
        tile: Whether opposite edges are neighbours.
        at_once: Of how many there is memory for.
    """

    decoder: Any
    latents: torch.Tensor
    tile: bool
    at_once: int

    def __call__(self) -> list[NDArray[np.uint8]]:
        """Return pixels of shape ``(height, width, 3)``.

        Raises:
            WorkerError: ``ENGINE_FAILED``; there is something in them that is no number.
        """
        if not bool(torch.isfinite(self.latents).all()):
            raise WorkerError(ErrorCode.ENGINE_FAILED)
        with seamless(convolutions(self.decoder.vae), wanted=self.tile):
            some = self.latents.split(self.at_once)
            return pictures.pixels(torch.cat([decoded(self.decoder, each) for each in some]))


class Holding(ABC, Generic[R]):
    """Holds a row for each picture: keeps and resumes them, decodes them, and lets them go."""

    def __init__(self, checkpoint: Any) -> None:
        self._checkpoint = checkpoint
        self.weights: str = checkpoint.hash
        self._device = checkpoint.hardware.device
        self._dtype = checkpoint.hardware.dtype
        self._rows: dict[SampleId, R] = {}
        self.compiled = Compiled()
        self._decoder = replace(checkpoint, vae=twin(checkpoint.vae))

    @property
    def busy(self) -> bool:
        """True while it holds anybody's pictures."""
        return bool(self._rows)

    @property
    def bytes(self) -> int:
        """Memory that its weights take."""
        return int(self._checkpoint.bytes)

    def keep(self, job: DeviceJob) -> Value:
        """Return what its steps have made of the pictures of *job*.

        Raises:
            TypeError: Its kind of schedule holds what cannot be written.
        """
        assert isinstance(job.recipe, Drawing)  # noqa: S101 - `Models` chose this backend by it
        fresh = self._schedule(job.recipe)
        rows = [
            {
                "behind": row.behind,
                "shape": row.shape,
                "region": row.region and [row.region.mask, row.region.picture, row.region.noise],
                "step": row.step,
                "latents": row.latents,
                "memory": row.memory,
                "noise": row.generator.get_state(),
                "schedule": changed(row.way.scheduler, fresh),
            }
            for row in self._rows_of(job)
        ]
        return {"of": self._identity(job), "rows": rows}

    def resume(self, job: DeviceJob, kept: Value) -> Sequence[int]:
        """Bring the pictures of *job*, just opened, to where `keep` found them.

        Raises:
            ValueError: It is of another recipe, other weights, or another version of the libraries.
        """
        if kept["of"] != self._identity(job):
            raise ValueError("the recipe, the weights or the libraries are others")
        for row, was in zip(self._rows_of(job), kept["rows"], strict=True):
            if was["behind"]:
                row.turn()
            row.shape, row.step = was["shape"], was["step"]
            row.region = was["region"] and Region(*was["region"])
            row.latents = was["latents"]
            row.recall(was["memory"])
            row.generator.set_state(was["noise"])
            for name, value in was["schedule"].items():
                setattr(row.way.scheduler, name, value)
        return [row.behind + row.step for row in self._rows_of(job)]

    def ended(self, ids: Sequence[SampleId]) -> Latents:
        """Return what finished samples came to; of a schedule left early what the model expected to see."""
        rows = [self._rows[sample_id] for sample_id in ids]
        latents = torch.cat([row.end for row in rows])
        # A picture of a second pass has the pixels of a grid: one at a time.
        return Latents(self._decoder, latents, tile=rows[0].tile, at_once=1 if rows[0].behind else len(rows))

    def close(self, ids: Sequence[SampleId]) -> None:
        """Free the tensors of samples that are done or dropped."""
        for sample_id in ids:
            self._rows.pop(sample_id, None)

    def text(self, job: DeviceJob, index: int | None) -> dict[str, str]:
        """Return what the PNG of picture *index* says; None is the grid."""
        return pictures.drawing_text(job, self._checkpoint.profile.name, self.weights, index)

    @abstractmethod
    def _schedule(self, recipe: Drawing) -> Any:
        """Return a scheduler that has not taken a step."""

    def _edges(self, row: R) -> AbstractContextManager[None]:
        """While it lasts, the autoencoder takes the edges of pictures as *row* does."""
        return seamless(convolutions(self._checkpoint.vae), wanted=row.tile)

    def _rows_of(self, job: DeviceJob) -> list[R]:
        """Return the rows of *job*, in the order of its pictures."""
        return [
            self._rows[sample_id]
            for sample_id in sorted(self._rows)
            if sample_id[:2] == (job.job_id, job.attempt)
        ]

    def _identity(self, job: DeviceJob) -> list[str]:
        """Return what must be the same for a picture that was begun to be gone on with."""
        return [
            LAYOUT,
            self._checkpoint.profile.name,
            self.weights,
            f"{self._device}, {self._dtype}",
            f"diffusers {diffusers.__version__}, torch {torch.__version__}",
            job.recipe.model_dump_json(),
        ]


def given_of(checkpoint: Coder, job: DeviceJob, recipe: Drawing) -> Given | None:
    """Return what the drawing starts from instead of pure noise, if anything.

    Raises:
        PictureGone: It starts from a picture that is not there.
    """
    start, blend = recipe.start, recipe.blend
    size = (recipe.width, recipe.height)
    if start is not None:
        if job.source is None:
            raise PictureGone(start.picture)
        mask = None
        if start.mask is not None:
            mask = mask_of(body_of(start.mask, job.references), size, checkpoint.grid)
            mask = mask.to(checkpoint.hardware.device)
        return Given(encoded(checkpoint, pictures.tensor(job.source, size)), start.strength, mask)
    if blend is not None:
        return Given(laid(checkpoint, blend, job.references, recipe), blend.strength)
    return None


def noise_of(checkpoint: Coder, recipe: Drawing, channels: int, generator: torch.Generator) -> torch.Tensor:
    """Return the noise of one picture: its own, or what all of the grid start from."""
    shape = (1, channels, recipe.height // checkpoint.grid, recipe.width // checkpoint.grid)
    first = generator if recipe.noise is None else torch.Generator("cpu").manual_seed(recipe.noise)
    return torch.randn(shape, generator=first, dtype=torch.float32).to(checkpoint.hardware.device)
