"""The picture strips of the page about parameters, drawn by the model itself."""

import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from cli import checkpoint
from cli.config import Settings
from cli.failures import Failure
from cli.handbook import GIVEN_PROMPT, SEED, Panel, Strip, names
from parser import ImagineRequest, Speed, read_batch
from worker.api import JobId
from worker.device import Advanced, DeviceJob, Finished
from worker.recipe import ModelProfile, resolve

if TYPE_CHECKING:
    from PIL import Image

    from worker.engine.local import InProcessDevice

SIDE = 192  # pixels of a panel; a grid of four lies in it
GAP = 6  # pixels between panels
LINE = 18  # pixels of the line with the labels
PAPER = "white"
INK = "#333333"
QUALITIES = (70, 55, 40, 25)  # of WebP, tried until the file is small enough
MOST_BYTES = 25_000  # of one strip
OWNER = 0


async def draw(settings: Settings, strips: Mapping[str, Strip], folder: Path) -> AsyncIterator[Path]:
    """Draw *strips* into *folder*, by the names of their parameters, and yield each file once it is written.

    Raises:
        Failure: A picture could not be drawn.
        WorkerError: The model cannot be loaded.
    """
    from cli.worker_process import device_of

    catalogue = checkpoint.catalogue(settings)
    profile = catalogue.entries[0].profile
    async with device_of(catalogue, settings, lambda _name, _weights: None) as device:
        artist = Artist(device, profile)
        [given] = await artist.grids([read_batch(f"{GIVEN_PROMPT} --seed {SEED}").prompts[0]], {}, "1.png")
        for name, strip in strips.items():
            requests = [panel.request for panel in strip.panels]
            grids = await artist.grids(requests, {"given.png": given})
            path = folder / f"{name}.webp"
            path.write_bytes(small(pasted(strip.panels, grids)))
            yield path


class Artist:
    """Draws requests on a device, those of one strip together."""

    def __init__(self, device: "InProcessDevice", profile: ModelProfile) -> None:
        self._device = device
        self._profile = profile
        self._seen = 0

    async def grids(
        self, requests: Sequence[ImagineRequest], references: Mapping[str, bytes], name: str = "grid.png"
    ) -> list[bytes]:
        """Return a PNG of each request's job.

        Raises:
            Failure: One could not be drawn.
        """
        jobs = [self._job(request, references) for request in requests]
        for job in jobs:
            await self._device.submit(job)
        drawn = await self._drawn(len(jobs))
        return [drawn[job.job_id].pictures[name] for job in jobs]

    def _job(self, request: ImagineRequest, references: Mapping[str, bytes]) -> DeviceJob:
        seed = SEED if request.seed is None else request.seed
        recipe = resolve(request, self._profile, seed=seed, names=names())
        given = recipe.blend is not None or recipe.style is not None
        return DeviceJob(
            job_id=JobId(str(uuid4())),
            attempt=1,
            speed=Speed.FAST,
            owner_id=OWNER,
            recipe=recipe,
            source=None,
            text={},
            references=references if given else {},
        )

    async def _drawn(self, count: int) -> dict[JobId, Finished]:
        """Return the ends of so many jobs."""
        ends: dict[JobId, Finished] = {}
        async for number, event in self._device.watch(after=self._seen):
            self._seen = number
            if isinstance(event, Finished):
                ends[event.job_id] = event
            elif not isinstance(event, Advanced):
                raise Failure(f"A picture could not be drawn: {event}.")
            if len(ends) == count:
                break
        return ends


def pasted(panels: tuple[Panel, ...], grids: list[bytes]) -> "Image.Image":
    """Return the grids side by side, each with its label below; a tile is repeated to show its edges."""
    from PIL import Image, ImageDraw

    if any(panel.request.said("hd") for panel in panels):  # seen from near: a grid would be as small again
        grids = [first_of(png) for png in grids]
    pictures = [
        fitted(png, tiled=bool(panel.request.said("tile"))) for panel, png in zip(panels, grids, strict=True)
    ]
    height = max(picture.height for picture in pictures)
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    strip = Image.new("RGB", (width, height + LINE), PAPER)
    pen = ImageDraw.Draw(strip)
    left = 0
    for panel, picture in zip(panels, pictures, strict=True):
        strip.paste(picture, (left, (height - picture.height) // 2))
        pen.text((left + 2, height + 3), label(panel), fill=INK)
        left += picture.width + GAP
    return strip


def label(panel: Panel) -> str:
    """Return what stands below a grid."""
    return panel.label.replace("https://example.com/", "…/") or "without"


def fitted(png: bytes, *, tiled: bool) -> "Image.Image":
    """Return a grid as high and as wide as a panel allows."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if tiled:
        picture = repeated(picture)
    scale = SIDE / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)


def first_of(grid: bytes) -> bytes:
    """Return the first picture of a grid as a file."""
    from PIL import Image

    picture = Image.open(io.BytesIO(grid))
    out = io.BytesIO()
    picture.crop((0, 0, picture.width // 2, picture.height // 2)).save(out, "PNG")
    return out.getvalue()


def repeated(grid: "Image.Image") -> "Image.Image":
    """Return the first picture of *grid* four times, edge to edge."""
    from PIL import Image

    width, height = grid.width // 2, grid.height // 2
    first = grid.crop((0, 0, width, height))
    wall = Image.new("RGB", (width * 2, height * 2))
    for left in (0, width):
        for top in (0, height):
            wall.paste(first, (left, top))
    return wall


def small(strip: "Image.Image") -> bytes:
    """Return the strip as WebP of at most `MOST_BYTES`, or as small as it gets."""
    for content in encoded(strip):
        if len(content) <= MOST_BYTES:
            break
    return content


def encoded(strip: "Image.Image") -> Iterator[bytes]:
    """Yield it in falling quality."""
    for quality in QUALITIES:
        out = io.BytesIO()
        strip.save(out, "WEBP", quality=quality, method=6)
        yield out.getvalue()
