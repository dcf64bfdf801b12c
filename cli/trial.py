"""One checkpoint on its own: loaded, and made to draw a little."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from cli import checkpoint
from cli.config import Engine as EngineSection
from cli.failures import Failure
from cli.model_section import Model
from cli.threads import threads_for
from worker.api import ErrorCode, WorkerError
from worker.batches import KeptCap, worthwhile
from worker.catalogue import Entry
from worker.device import Failed
from worker.engine import memory
from worker.engine.blame import code_of
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.families import AnyDenoiser, denoiser_of
from worker.engine.outcomes import Drawn
from worker.engine.plan import BatchKey
from worker.engine.precision import attune
from worker.engine.rehearsal import rehearsal
from worker.recipe import Recipe

TIMED = 3  # steps of each batch that are timed, after one that is not
GROWTH = 2  # how many times as much memory the next batch takes
SPARED = 0.8  # of what is left, for steps: decoding, and everything else on the machine, need some as well


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


@dataclass(slots=True)
class Measured:
    """What steps of one key take, by how many pictures share them."""

    key: BatchKey
    seconds: dict[int, float] = field(default_factory=dict)
    bytes: dict[int, int] = field(default_factory=dict)  # beside the weights
    most: int | None = None  # for which memory suffices, where it was short

    @property
    def cap(self) -> KeptCap:
        """How many pictures are worth a step."""
        return KeptCap(worthwhile(self.seconds), self.most, settled=True)


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
    title, size = entry.profile.family.facts.title, denoiser.bytes / 1e6
    facts = f"{title}, loaded in {ready - began:.1f} s, {size:.0f} MB, hash {denoiser.weights}."
    if entry.profile.family.facts.alone:
        facts += " It draws by itself: pictures take turns and share no steps."
    return {"ok": words is None, "words": words or f"{facts} One step took {time.monotonic() - ready:.1f} s."}


def measured(entry: Entry, denoiser: AnyDenoiser, device: torch.device, batches: Sequence[int]) -> Measured:
    """Measure how long a step takes by how many pictures share it, up to what memory suffices for."""
    with torch.inference_mode():
        found, before = Measured(_key(entry, denoiser)), 0
        for rows in batches:
            room = memory.left(device)
            if room is not None and before * GROWTH > room * SPARED:
                found.most = max(found.seconds, default=1)
                break
            try:
                found.seconds[rows], found.bytes[rows] = _weighed(entry, denoiser, device, rows)
            except Exception as error:
                if code_of(error) is not ErrorCode.OUT_OF_MEMORY or not found.seconds:
                    raise
                found.most = max(found.seconds)
                break
            before = found.bytes[rows]
    return found


def loaded(model: Model, engine: EngineSection, threads: int | None) -> tuple[Entry, AnyDenoiser]:
    """Return a model, and what draws with it.

    Raises:
        Failure: Its files are not in order.
        WorkerError: It could not be loaded.
    """
    entry = checkpoint.entry(model, checkpoint.profile(model), offline=engine.offline)
    attune(threads or threads_for((model,), engine))
    with torch.inference_mode():
        hardware = Hardware.named(engine.device, engine.dtype)
        return entry, denoiser_of(entry.profile, hardware, entry.build)


def _key(entry: Entry, denoiser: AnyDenoiser) -> BatchKey:
    """Return the key of ordinary pictures, which some models draw without guidance."""
    [sample] = denoiser.open(rehearsal(entry.profile, 1, 1))
    denoiser.close([sample.id])
    return sample.key


def _weighed(entry: Entry, denoiser: AnyDenoiser, device: torch.device, rows: int) -> tuple[float, int]:
    """Return the seconds of a step for so many pictures, and the bytes it takes beside the weights."""
    memory.begin_peak(device)
    idle = memory.in_use(device) or 0
    seconds = _timed(entry, denoiser, rows)
    return seconds, max(0, (memory.peak(device) or 0) - idle)


def _step(entry: Entry, denoiser: AnyDenoiser) -> str | None:
    """Draw a picture of one step; return what went wrong."""
    with torch.inference_mode():
        drawing = Engine(Alone(denoiser, entry.profile.size), time.monotonic)
        outcomes = list(drawing.submit(rehearsal(entry.profile, 1, 1)))
        while drawing.busy:
            outcomes += drawing.step()
    if any(isinstance(each, Drawn) for each in outcomes):
        return None
    codes = [each.code.value for each in outcomes if isinstance(each, Failed)]
    return f"It was loaded, but a step failed ({', '.join(codes) or 'nothing came of it'})."


def _timed(entry: Entry, denoiser: AnyDenoiser, rows: int) -> float:
    """Return the seconds of a step for so many pictures, the least of a few."""
    job = rehearsal(entry.profile, rows, TIMED + 1)
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
