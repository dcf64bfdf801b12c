"""`journeyman models bench`: steps of each model measured, and what follows for a worker kept."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from cli.config import Settings
from cli.folder import opened
from cli.model_section import Model
from cli.threads import threads_for
from cli.trial import Measured, loaded, measured
from cli.worker_process import machine
from worker.batches import KeptCap
from worker.database import Database
from worker.engine.batching import shape_of
from worker.engine.checkpoint import Hardware
from worker.queue import batch_caps

MEGABYTE = 10**6


def benched(
    models: Sequence[Model], settings: Settings, batches: Sequence[int], threads: int | None
) -> list[dict[str, Any]]:
    """Measure each of *models*, keep how many pictures are worth a step, and return a row for each size.

    Raises:
        Failure: A model cannot be loaded.
        WorkerError: Likewise.
    """
    rows: list[dict[str, Any]] = []
    # A worker draws all of its models with so many.
    engine = settings.engine.model_copy(
        update={"threads": threads or threads_for(settings.checkpoints, settings.engine)}
    )
    settings = settings.model_copy(update={"engine": engine})
    device = Hardware.named(engine.device, engine.dtype).device
    for model in models:
        entry, denoiser = loaded(model, engine, threads)
        found = measured(entry, denoiser, device, batches)
        asyncio.run(kept(settings, found, denoiser.weights))
        rows += table(entry.name, entry.profile.size, found)
    return rows


async def kept(settings: Settings, found: Measured, weights: str) -> None:
    """Keep what was *found* for the workers of this data folder."""
    async with Database(opened(settings.data).database) as database:
        await database.write(
            partial(
                batch_caps.keep,
                machine=machine(settings),
                shape=shape_of(found.key),
                cap=found.cap,
                now=time.time(),
                weights=weights,
            )
        )


def table(name: str, size: int, found: Measured) -> Iterator[dict[str, Any]]:
    """Yield what people are told, by how many pictures share a step."""
    cap: KeptCap = found.cap
    for rows, seconds in found.seconds.items():
        yield {
            "name": name,
            "size": size,
            "pictures": rows,
            "seconds a step": round(seconds, 4),
            "seconds a picture": round(seconds / rows, 4),
            "MB beside weights": round(found.bytes[rows] / MEGABYTE),
            "kept": "yes" if rows == cap.rows else "",
        }
