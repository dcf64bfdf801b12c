"""Finished pictures are decoded on a thread of their own while the next steps are taken."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch

from worker.engine.pictures import Pixels
from worker.engine.plan import Sample
from worker.engine.precision import attune
from worker.engine.work import Decode, Work


@dataclass(frozen=True, slots=True)
class Timed:
    """Pictures, and the seconds that it took to decode them."""

    cells: Sequence[Pixels]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Developing:
    """Samples of one job that are done with their steps, and the pictures they come to."""

    work: Work
    samples: Sequence[Sample]
    decode: Decode
    result: "Future[Timed]"

    @property
    def under_way(self) -> bool:
        """True until its pictures are there, or it failed, or was given up before it began."""
        return not self.result.done()


class Aside:
    """The thread that decodes, one thing after another. All else is called on the engine's thread."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        device: torch.device | None = None,
        threads: int | None = None,
        wake: Callable[[], object] = lambda: None,
    ) -> None:
        """Start with nothing to decode.

        Args:
            clock: Seconds, monotonic.
            device: Where latents are; by default the CPU.
            threads: CPU threads of a decoding; torch's choice by default.
            wake: Called when something is decoded, on the thread that decodes.
        """
        self._clock = clock
        self._cuda = device if device is not None and device.type == "cuda" else None
        self._wake = wake
        self._pool = ThreadPoolExecutor(1, "decoder", initializer=self._begun, initargs=(threads,))

    def begin(self, work: Work, samples: Sequence[Sample]) -> Developing:
        """Let the pictures of *samples*, which are of *work*, be decoded behind those that wait already."""
        decode = work.backend.ended([sample.id for sample in samples])
        # What is queued on the card up to now makes the latents: the other stream must not read them before.
        ready = None if self._cuda is None else torch.cuda.current_stream(self._cuda).record_event()
        result = self._pool.submit(self._timed, decode, ready)
        result.add_done_callback(lambda _: self._wake())
        return Developing(work, samples, decode, result)

    def close(self) -> None:
        """Wait for what is being decoded, and end; nothing else begins."""
        self._pool.shutdown(cancel_futures=True)

    def _begun(self, threads: int | None) -> None:
        attune(threads)
        if self._cuda is not None:
            torch.cuda.set_stream(torch.cuda.Stream(self._cuda))

    def _timed(self, decode: Decode, ready: "torch.cuda.Event | None") -> Timed:
        began = self._clock()
        with torch.inference_mode():
            if ready is not None:
                ready.wait()  # the stream does, not this thread
            return Timed(decode(), self._clock() - began)


def pays(device: torch.device) -> bool:
    """Tell whether steps and decoding at once are faster on *device* than one after the other, and safe."""
    return device.type == "cuda"
