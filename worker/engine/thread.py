"""The one thread that owns the device."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import structlog
import torch

from worker.engine.outcomes import Outcome
from worker.engine.precision import attune
from worker.engine.swapping import SwappingEngine

Note = Callable[[SwappingEngine], Sequence[Outcome]]  # run between two steps
log = structlog.get_logger()


class EngineThread:
    """Run notes and steps in turns; sleep while there is neither.

    Everything that touches the engine is a note, so there are no locks.
    """

    def __init__(
        self,
        make: Callable[[], SwappingEngine],
        emit: Callable[[SwappingEngine, Sequence[Outcome]], None],
        over: Callable[[], None],
        threads: int | None = None,
    ) -> None:
        """Describe the thread; nothing runs yet.

        Args:
            make: Builds the engine, on the thread; may take seconds and raise.
            emit: Called on the thread after every note and step.
            over: Called on the thread at its end: when it was stopped, or its engine broke.
            threads: CPU threads of one forward pass; torch's choice by default.
        """
        self._make = make
        self._emit = emit
        self._over = over
        self._threads = threads
        self._inbox: SimpleQueue[Note | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._ready: Callable[[Exception | None], None] = lambda _: None

    def start(self, ready: Callable[[Exception | None], None]) -> None:
        """Start; *ready* is called on the thread with None, or with what `make` raised."""
        self._ready = ready
        self._thread.start()

    def post(self, note: Note) -> None:
        """Run *note* before the next step."""
        self._inbox.put(note)

    def stop(self) -> None:
        """Finish the current step, drop every job and end."""
        self._inbox.put(None)

    def join(self) -> None:
        """Wait for the end; blocks."""
        self._thread.join()

    def _run(self) -> None:
        attune(self._threads)
        with torch.inference_mode():
            try:
                engine = self._make()
            except Exception as error:  # noqa: BLE001 - handed to whoever started the thread
                self._ready(error)
                return
            self._emit(engine, ())
            self._ready(None)
            while not engine.broken and self._notes(engine):
                if engine.ready:
                    self._guarded(engine, SwappingEngine.step)
            if engine.broken:
                log.error("device_broken")
            self._guarded(engine, SwappingEngine.drop_all)
            engine.close()
            self._over()

    def _notes(self, engine: SwappingEngine) -> bool:
        """Run what is in the inbox, waiting for it only while there is no step to take; False at the end."""
        while not engine.broken:
            try:
                note = self._inbox.get(block=not engine.ready)
            except Empty:
                return True
            if note is None:
                return False
            self._guarded(engine, note)
        return False

    def _guarded(self, engine: SwappingEngine, note: Note) -> None:
        """Run *note*; an engine that raises where it should not loses its jobs, not its thread."""
        try:
            outcomes = note(engine)
        except Exception as error:
            log.exception("engine_failed")
            outcomes = engine.fail_all(error)
        self._emit(engine, outcomes)
