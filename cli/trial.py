"""One checkpoint on its own: loaded, and made to draw a little."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cli import checkpoint
from cli.config import Engine as EngineSection
from cli.failures import Failure
from cli.model_section import Model
from cli.worker_process import MOST_THREADS
from parser import ImagineRequest, Part, Speed
from worker.api import ErrorCode, JobId, WorkerError
from worker.catalogue import Entry
from worker.device import DeviceJob, Failed
from worker.engine.blame import code_of
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Drawn, Engine
from worker.engine.families import AnyDenoiser, denoiser_of
from worker.engine.plan import BatchKey
from worker.recipe import Drawing, Recipe, picture_seed, resolve

PROMPT = "a red fox"
TIMED = 3  # steps of each batch that are timed, after one that is not


@dataclass(frozen=True, slots=True)
class Alone:
    """A network without others."""

    denoiser: AnyDenoiser
    size: int

    def preload(self) -> BatchKey:
        """Return the batch key of ordinary jobs."""
        return self.denoiser.key(self.size, self.size)

    def backend(self, _recipe: Recipe) -> AnyDenoiser:
        """Return the network."""
        return self.denoiser


def tried(model: Model, engine: EngineSection, threads: int | None) -> dict[str, Any]:
    """Load *model* and draw one step; return whether that went well, and a sentence."""
    try:
        began = time.monotonic()
        entry, denoiser = loaded(model, engine, threads)
        ready = time.monotonic()
        words = _step(entry, denoiser)
    except Failure as failure:
        return {"ok": False, "words": str(failure)}
    except WorkerError as error:
        return {"ok": False, "words": str(error.detail.get("reason", error.code.value))}
    except Exception as error:
        if code_of(error) is not ErrorCode.OUT_OF_MEMORY:
            raise
        return {"ok": False, "words": f"The memory does not suffice for the model {model.title}."}
    facts = f"Loaded in {ready - began:.1f} s, {denoiser.bytes / 1e6:.0f} MB, hash {denoiser.weights}."
    return {"ok": words is None, "words": words or f"{facts} One step took {time.monotonic() - ready:.1f} s."}


def measured(
    model: Model, engine: EngineSection, batches: Sequence[int], threads: int | None
) -> Iterator[dict[str, Any]]:
    """Yield how long a step takes by how many pictures share it, up to what memory suffices for.

    Raises:
        Failure: The model cannot be loaded.
        WorkerError: Likewise.
    """
    entry, denoiser = loaded(model, engine, threads)
    with torch.inference_mode():
        for rows in batches:
            try:
                seconds = _timed(entry, denoiser, rows)
            except Exception as error:
                if code_of(error) is not ErrorCode.OUT_OF_MEMORY:
                    raise
                return
            yield {
                "name": entry.name,
                "size": entry.profile.size,
                "pictures": rows,
                "seconds a step": round(seconds, 4),
                "seconds a picture": round(seconds / rows, 4),
            }


def loaded(model: Model, engine: EngineSection, threads: int | None) -> tuple[Entry, AnyDenoiser]:
    """Return a model, and what draws with it.

    Raises:
        Failure: Its files are not in order.
        WorkerError: It could not be loaded.
    """
    entry = checkpoint.entry(model, checkpoint.profile(model), offline=engine.offline)
    torch.set_num_threads(threads or engine.threads or min(MOST_THREADS, os.cpu_count() or 1))
    with torch.inference_mode():
        hardware = Hardware.named(engine.device, engine.dtype)
        return entry, denoiser_of(entry.profile, hardware, entry.build)


def _step(entry: Entry, denoiser: AnyDenoiser) -> str | None:
    """Draw a picture of one step; return what went wrong."""
    with torch.inference_mode():
        drawing = Engine(Alone(denoiser, entry.profile.size), time.monotonic)
        outcomes = list(drawing.submit(_job(entry, pictures=1, steps=1)))
        while drawing.busy:
            outcomes += drawing.step()
    if any(isinstance(each, Drawn) for each in outcomes):
        return None
    codes = [each.code.value for each in outcomes if isinstance(each, Failed)]
    return f"It was loaded, but a step failed ({', '.join(codes) or 'nothing came of it'})."


def _timed(entry: Entry, denoiser: AnyDenoiser, rows: int) -> float:
    """Return the seconds of a step for so many pictures, the least of a few."""
    job = _job(entry, pictures=rows, steps=TIMED + 1)
    ids = [sample.id for sample in denoiser.open(job)]
    try:
        taken = []
        for _ in range(TIMED + 1):
            began = time.monotonic()
            for sample_id, output in zip(ids, denoiser.forward(ids), strict=True):
                denoiser.take(sample_id, output)
            _finish()
            taken.append(time.monotonic() - began)
        return min(taken[1:])
    finally:
        denoiser.close(ids)


def _finish() -> None:
    """Wait for what a graphics card was told to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _job(entry: Entry, *, pictures: int, steps: int) -> DeviceJob:
    request = ImagineRequest(text=PROMPT, parts=(Part(text=PROMPT),))
    plain = resolve(request, entry.profile, seed=0)
    recipe: Drawing = plain.model_copy(
        update={
            "steps": steps,
            "stop_after": steps,
            "seeds": tuple(picture_seed(0, index) for index in range(pictures)),
        }
    )
    return DeviceJob(JobId("trial"), 1, Speed.FAST, 0, recipe, None, {"prompt": PROMPT, "seed": "0"})
