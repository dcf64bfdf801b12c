"""A long call that is taken a step at a time."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

from worker.engine.precision import attune

T = TypeVar("T")
Rest = Callable[[], None]


class Stepwise(Generic[T]):
    """A call that runs on a thread of its own, and only while it is waited for.

    The call says where its steps end by calling what it is given. There it rests until somebody wants the
    next one, so that never more than one of many calls computes, and each can be left between two steps.
    """

    def __init__(self, call: Callable[[Rest], T]) -> None:
        """Describe it; nothing runs before the first step is wanted.

        Args:
            call: Takes what it has to call at the end of each step, and returns the result.
        """
        self._call = call
        self._threads = torch.get_num_threads()
        self._thread = threading.Thread(target=self._run, name="own pipeline", daemon=True)
        self._go, self._rested = threading.Semaphore(0), threading.Semaphore(0)
        self._left = self._over = False
        self._result: T | None = None
        self._error: BaseException | None = None

    def step(self) -> None:
        """Wait for the next step; nothing where all have been taken.

        Raises:
            BaseException: What the call raised, however often it is asked.
        """
        if not self._over:
            if self._thread.ident is None:
                self._thread.start()
            else:
                self._go.release()
            self._rested.acquire()
        if self._error is not None:
            raise self._error

    def result(self) -> T:
        """Wait for all steps that are left, and return what the call returned; raises as `step` does."""
        while not self._over:
            self.step()
        self.step()
        return self._result  # type: ignore[return-value]  # it is over, and nothing was raised

    def leave(self) -> None:
        """Take no further step; the call ends where it rests."""
        if self._thread.ident is not None and not self._over:
            self._left = True
            self._go.release()
            self._thread.join()
        self._over = True

    def _run(self) -> None:
        attune(self._threads)
        try:
            with torch.inference_mode():
                self._result = self._call(self._rest)
        except _Left:
            pass
        except BaseException as error:  # noqa: BLE001 - raised where the step is waited for
            self._error = error
        self._over = True
        self._rested.release()

    def _rest(self) -> None:
        self._rested.release()
        self._go.acquire()
        if self._left:
            raise _Left


class _Left(BaseException):
    """The call is left: no error, and none that anything in between may handle."""
