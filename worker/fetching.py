"""Fetching what the models lack, beside everything else: on a thread of its own, one after the other."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

import structlog

from worker.hub.choice import Want
from worker.hub.fetch import Progress, fetched, here
from worker.hub.parcel import Stopped
from worker.hub.trouble import Trouble

TOLD_SECONDS = 10.0  # between two lines of the log
AGAIN_SECONDS = 60.0  # after what may pass by itself
BUSY_SECONDS = 5.0  # after another process was found fetching the same

log = structlog.get_logger(__name__)


class Fetching:
    """Fetches what models take from the hub and is not on this machine, in their order."""

    def __init__(
        self, wants: Mapping[str, Sequence[Want]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Find out what is missing; nothing is fetched yet.

        Args:
            wants: What each model takes from the hub, by name, in the order in which they are fetched.
            clock: Seconds, monotonic.
        """
        self._missing = {
            name: lacking
            for name, own in wants.items()
            if (lacking := [want for want in own if here(want) is None])
        }
        self._absent = frozenset(self._missing)
        self._clock = clock
        self._stop = threading.Event()
        self._outcomes: dict[str, Future[None]] = {name: Future() for name in self._missing}
        self._thread = threading.Thread(target=self._run, name="fetching", daemon=True)

    def absent(self) -> frozenset[str]:
        """Return which models are not here yet and may still come."""
        return self._absent

    def start(self) -> None:
        """Begin, if anything is missing."""
        if self._missing:
            self._thread.start()

    def stop(self) -> None:
        """End soon; what came is kept."""
        self._stop.set()

    async def first(self, name: str) -> None:
        """Wait until the model *name* is here.

        Raises:
            Trouble: It did not come.
        """
        if name in self._outcomes:
            await asyncio.wrap_future(self._outcomes[name])

    def _run(self) -> None:
        waiting = dict(self._missing)
        while waiting and not self._stop.is_set():
            pause = AGAIN_SECONDS
            for name, wants in tuple(waiting.items()):
                trouble = self._brought(name, wants)
                if self._stop.is_set():
                    return
                if trouble is None or not trouble.passing:
                    del waiting[name]
                elif trouble.elsewhere:
                    pause = BUSY_SECONDS
            if waiting:
                self._stop.wait(pause)

    def _brought(self, name: str, wants: Sequence[Want]) -> Trouble | None:
        """Fetch what one model lacks; return what kept it from coming."""
        try:
            for want in wants:
                log.info("model_fetching", model=name, place=want.place)
                found = fetched(want, self._teller(name), self._stop)
                log.info("model_fetched", model=name, place=want.place, megabytes=round(found.size / 1e6))
        except Stopped:
            return None
        except Trouble as trouble:
            if trouble.elsewhere:
                log.info("model_fetched_elsewhere", model=name, reason=str(trouble))
            else:
                log.error("model_not_fetched", model=name, reason=str(trouble))  # noqa: TRY400 - words do
                self._settle(name, trouble)
            return trouble
        except Exception as error:
            log.exception("fetching_failed", model=name)
            defect = Trouble(f"{name} could not be fetched ({type(error).__name__}); the log has more.")
            self._settle(name, defect)
            return defect
        self._settle(name, None)
        return None

    def _settle(self, name: str, trouble: Trouble | None) -> None:
        """Note how a model came, the first time for whoever waits."""
        self._absent -= {name}
        outcome = self._outcomes[name]
        if outcome.done() or not outcome.set_running_or_notify_cancel():
            return
        if trouble is None:
            outcome.set_result(None)
        else:
            outcome.set_exception(trouble)

    def _teller(self, name: str) -> Callable[[Progress], None]:
        """Return what tells the log, once in a while."""
        last = self._clock()

        def tell(progress: Progress) -> None:
            nonlocal last
            if self._clock() - last < TOLD_SECONDS:
                return
            last = self._clock()
            log.info(
                "model_fetching",
                model=name,
                place=progress.place,
                percent=100 * progress.done // max(progress.total, 1),
                megabytes=round(progress.done / 1e6),
                of=round(progress.total / 1e6),
            )

        return tell
