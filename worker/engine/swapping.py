"""An engine whose networks do not all fit into memory: jobs wait until there is room for theirs."""

from collections.abc import Callable, Sequence
from typing import Protocol

from parser import Speed
from worker.api import LANES, JobId
from worker.device import Capacity, DeviceJob, Dropped
from worker.engine.aside import Aside
from worker.engine.engine import Backends, Engine
from worker.engine.outcomes import Outcome
from worker.engine.plan import StepScheduler
from worker.recipe import Drawing, Recipe, picture_count


class LimitedBackends(Backends, Protocol):
    """Networks of which not all can be loaded at once."""

    def admits(self, recipe: Recipe) -> bool:
        """Tell whether a recipe's network is loaded, or can be while the pictures under way are drawn."""
        ...

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the checkpoints in memory."""
        ...

    def ready(self) -> frozenset[str] | None:
        """Return the checkpoints that can be drawn with before another has to leave; None: all."""
        ...


class SwappingEngine(Engine):
    """Begin jobs whose network has room; let the others wait for it, by lane and then in their order.

    While one waits, none of its lane or a lower one begins: what is drawn comes to its end, and the networks
    change places. One of a higher lane than all that is drawn has the others handed back, with what was drawn
    of them.
    """

    def __init__(
        self,
        backends: LimitedBackends,
        clock: Callable[[], float],
        scheduler: StepScheduler | None = None,
        aside: Aside | None = None,
    ) -> None:
        super().__init__(backends, clock, scheduler, aside)
        self._limited = backends
        self._waiting: list[DeviceJob] = []

    @property
    def busy(self) -> bool:
        """True while there is a step to take, a job to begin, or something to wait for."""
        return super().busy or bool(self._waiting)

    @property
    def ready(self) -> bool:
        """True while there is a step to take, or a job to begin that need not wait for what is decoded."""
        return super().ready or (bool(self._waiting) and not self._developing)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the checkpoints in memory."""
        return self._limited.loaded

    def submit(self, job: DeviceJob) -> list[Outcome]:
        """Begin a job, or let it wait."""
        earlier = self.cancel(job.job_id)
        self._waiting.append(job)
        self._waiting.sort(key=lambda each: LANES.index(each.speed))
        return earlier + self._begin()

    def cancel(self, job_id: JobId) -> list[Outcome]:
        """Drop a job, begun or not; nothing if it is not here."""
        found = [job for job in self._waiting if job.job_id == job_id]
        self._waiting = [job for job in self._waiting if job.job_id != job_id]
        return [*super().cancel(job_id), *(Dropped(job.job_id, job.attempt, job.kept) for job in found)]

    def suspend(self) -> list[Outcome]:
        """Drop every job, and say of each what it takes to go on with it."""
        return super().suspend() + self._turned_away()

    def drop_all(self) -> list[Outcome]:
        """Drop every job."""
        return super().drop_all() + self._turned_away()

    def fail_all(self, error: Exception) -> list[Outcome]:
        """Fail every job that was begun, to be tried again; hand back those that were not."""
        return super().fail_all(error) + self._turned_away()

    def step(self) -> list[Outcome]:
        """Begin what has room by now, and take one step for one batch."""
        return self._begin() + super().step()

    def capacity(self) -> Capacity:
        """Return the free places by lane, less those of jobs that wait, and what draws without a swap."""
        said = super().capacity()
        pictures = sum(picture_count(job.recipe) for job in self._waiting)
        return Capacity(
            free={lane: max(0, places - pictures) for lane, places in said.free.items()},
            resident=said.resident + pictures,
            newcomers=max(0, said.newcomers - pictures),
            ready=self._ready(),
        )

    def _ready(self) -> frozenset[str] | None:
        recipes = [job.recipe for job in self._waiting]
        first = next((each.model for each in recipes if isinstance(each, Drawing)), None)
        return self._limited.ready() if first is None else frozenset({first})

    def _begin(self) -> list[Outcome]:
        """Begin those that wait, in their order, up to the first that has no room; enlargements need none."""
        outcomes: list[Outcome] = []
        full = False
        for job in tuple(self._waiting):
            full = full or not self._room(job, outcomes)
            if full and isinstance(job.recipe, Drawing):
                continue
            self._waiting.remove(job)
            outcomes += super().submit(job)
        return outcomes

    def _room(self, job: DeviceJob, outcomes: list[Outcome]) -> bool:
        """Tell whether *job* can begin, perhaps because others were handed back for it."""
        if not (self._works or self._developing) or self._limited.admits(job.recipe):
            return True
        lower = self._lower_than(job.speed)
        drawn = [job_id for job_id in lower if all(sample.done for sample in self._works[job_id].samples)]
        outcomes += [self._hand_back(self._works[job_id]) for job_id in lower if job_id not in drawn]
        return bool(lower) and not self._developing  # what is drawn by now is soon decoded as well

    def _lower_than(self, lane: Speed) -> Sequence[JobId]:
        """Return all drawings that are begun, if every one is of a lower lane than *lane*."""
        drawn = [work.job for work in self._works.values() if isinstance(work.job.recipe, Drawing)]
        if all(LANES.index(job.speed) > LANES.index(lane) for job in drawn):
            return [job.job_id for job in drawn]
        return []

    def _turned_away(self) -> list[Outcome]:
        waiting, self._waiting = self._waiting, []
        return [Dropped(job.job_id, job.attempt, job.kept) for job in waiting]
