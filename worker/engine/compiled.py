"""A network compiled by torch for the batches that are usual; any other batch runs as if it were not."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import structlog
import torch

from worker.api import ErrorCode
from worker.device import DeviceJob
from worker.engine.blame import code_of
from worker.engine.plan import Sample, SampleId
from worker.engine.rehearsal import rehearsal
from worker.engine.sources import first_line
from worker.recipe import ModelProfile

USUAL = (1, 4, 8)  # pictures of a step: a variant, a grid, two people's grids
MOST_SHAPES = 256  # compiled in one process; torch's own limit is for those that nobody asked for

log = structlog.get_logger(__name__)


class Passes(Protocol):
    """What draws with a network, as far as its passes go."""

    compiled: "Compiled"

    def open(self, job: DeviceJob) -> list[Sample]:
        """Prepare every picture of *job*."""
        ...

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        """Run one forward pass for all."""
        ...

    def close(self, ids: Sequence[SampleId]) -> None:
        """Forget samples."""
        ...


class Compiled:
    """Whether the passes of one network run compiled. While somebody waits nothing is compiled."""

    def __init__(self) -> None:
        self._stance: str | None = None

    def passing(self, *, plain: bool = True) -> AbstractContextManager[object]:
        """While it lasts the network runs compiled, if it was for such a batch; not unless it is *plain*."""
        if self._stance is None:
            return nullcontext()
        return torch.compiler.set_stance(self._stance if plain else "force_eager")

    def begin(self, network: Any) -> None:
        """Compile *network* in each pass that is unlike those before, until `end`."""
        network.compile(dynamic=False)
        self._stance = "default"

    def end(self, *, well: bool) -> None:
        """Compile no more. Unless all went *well*, run nothing compiled."""
        self._stance = "eager_on_recompile" if well else "force_eager"


def compile_usual(drawing: Passes, network: Any, profile: ModelProfile, clock: Callable[[], float]) -> None:
    """Compile *network* for the usual batches of *drawing*, which takes from seconds to minutes each.

    Where that cannot be done it runs as it is: the log says why.
    """
    drawing.compiled.begin(network)
    done: list[int] = []
    try:
        with torch._dynamo.config.patch(recompile_limit=MOST_SHAPES):  # noqa: SLF001 - there is no public way
            for pictures in USUAL:
                began = clock()
                _pass(drawing, rehearsal(profile, pictures))
                done.append(pictures)
                seconds = round(clock() - began, 1)
                log.info("model_compiled", model=profile.name, pictures=pictures, seconds=seconds)
    except Exception as error:  # noqa: BLE001 - compilers raise whatever they like
        if code_of(error) is not ErrorCode.OUT_OF_MEMORY or not done:
            cause = getattr(error, "inner_exception", error)  # torch tells first of all that there was one
            log.warning("model_not_compiled", model=profile.name, reason=first_line(cause))
            done = []
    drawing.compiled.end(well=bool(done))


def _pass(drawing: Passes, job: DeviceJob) -> None:
    ids = [sample.id for sample in drawing.open(job)]
    try:
        drawing.forward(ids)
    finally:
        drawing.close(ids)
