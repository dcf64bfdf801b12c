"""Who takes the next step: samples, batch keys and the step scheduler. Pure Python."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from parser import Speed
from worker.api import LANES, JobId
from worker.batches import GAIN
from worker.engine.deadlines import Deadlines


class SampleId(NamedTuple):
    """One picture of one attempt at a job."""

    job_id: JobId
    attempt: int
    cell: int  # 0-based


@dataclass(frozen=True, slots=True)
class BatchKey:
    """What two samples must have in common to share a forward pass. A sample may come to have another.

    Anything not here is per row (timestep, guidance, seed, number of steps), so it reaches the
    model as a vector with one entry per row.
    """

    model: str
    height: int  # latent rows, or pixels of a tile
    width: int  # latent columns, or pixels of a tile
    context: int  # conditioning length in tokens, after padding; 0 without text
    guided: bool  # two model rows per sample instead of one
    shared: bool = True  # False: a pass takes one sample, whatever it has in common with others


@dataclass(frozen=True, slots=True)
class Stage:
    """The later steps of a sample, which share forward passes with others than the first did."""

    begin: int  # steps taken before
    key: BatchKey
    weight: float  # how long a step takes, in steps before


@dataclass(slots=True)
class Sample:
    """One picture being made, as the scheduler sees it."""

    id: SampleId
    key: BatchKey  # of the next step
    lane: Speed
    owner_id: int
    steps: int
    step: int = 0
    arrival: int = 0  # given by the scheduler
    stage: Stage | None = None

    def reach(self, step: int) -> None:
        """Have taken *step* steps: never fewer than before."""
        self.step = step
        if self.stage is not None and step >= self.stage.begin:
            self.key = self.stage.key

    @property
    def taken(self) -> float:
        """Work done, in steps of the first size."""
        return self._work(self.step)

    @property
    def whole(self) -> float:
        """All the work, likewise."""
        return self._work(self.steps)

    @property
    def done(self) -> bool:
        """True once every step has been taken."""
        return self.step >= self.steps

    def _work(self, steps: int) -> float:
        if self.stage is None or steps <= self.stage.begin:
            return steps
        return self.stage.begin + (steps - self.stage.begin) * self.stage.weight


@dataclass(slots=True)
class BatchCap:
    """How many rows of one key are worth a forward pass, learned from the passes themselves.

    A size counts once it was measured to cost at most ``GAIN`` per row of half that size. The cap
    is the next size to try, so it doubles while doubling pays.
    """

    first: int
    most: int
    settled: bool = False  # measured on purpose: nothing larger is tried
    told: Callable[["BatchCap"], None] = lambda _: None  # called when passes have changed the cap
    _best: dict[int, float] = field(default_factory=dict)  # rows -> least seconds per row

    def measured(self, rows: int, seconds: float) -> None:
        """Record a forward pass of *rows* rows; only powers of two are comparable."""
        if rows & (rows - 1) == 0:
            before, per_row = self.rows, seconds / rows
            self._best[rows] = min(per_row, self._best.get(rows, per_row))
            if self.rows != before:
                self.told(self)

    def lower(self, rows: int) -> None:
        """Never exceed *rows* again: memory did not suffice for more."""
        self.most = max(1, min(self.most, rows))

    @property
    def rows(self) -> int:
        """The most rows the next forward pass should have."""
        size = self.first
        while not self.settled and size < self.most and self._pays(size):
            size *= 2
        return min(size, self.most)

    def _pays(self, size: int) -> bool:
        """Tell whether *size* has proved itself, so that twice as many may be tried."""
        if size not in self._best:
            return False
        half = self._best.get(size // 2)
        return half is None or self._best[size] <= GAIN * half


class StepScheduler:
    """Admit, group, advance and retire samples, one step at a time.

    The highest lane with work has the device to itself; what waits below keeps its place. Inside
    a lane, keys take turns; inside a key, people get equal shares of a step, each with the job that
    has least left to do, and where not all fit, who was served least so far is next.
    """

    def __init__(
        self,
        *,
        first_cap: int = 8,
        most: int = 64,
        resident_limit: int = 128,
        caps: Callable[[BatchKey], BatchCap] | None = None,
    ) -> None:
        """Start with no samples.

        Args:
            first_cap: Rows of a batch, at first.
            most: Rows that no batch exceeds.
            resident_limit: Samples held at most.
            caps: Makes the cap of a key, instead of the first two.
        """
        self._new_cap = caps or (lambda _: BatchCap(first=first_cap, most=most))
        self._resident_limit = resident_limit
        self._samples: dict[SampleId, Sample] = {}
        self._caps: dict[BatchKey, BatchCap] = {}
        self._turns: dict[BatchKey, int] = {}
        self._served: dict[int, float] = {}
        self._deadlines = Deadlines()
        self._pressed = False  # whether the last step was for who pressed
        self._clock = 0

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, samples: Iterable[Sample]) -> None:
        """Admit *samples*; they may join the very next step."""
        for sample in samples:
            self._clock += 1
            sample.arrival = self._clock
            self._deadlines.arrived(sample.id.job_id)
            if sample.owner_id not in self._served:
                # A newcomer is served next but brings no credit from the time they were away.
                self._served[sample.owner_id] = min(self._served.values(), default=0.0)
            self._samples[sample.id] = sample

    def remove(self, ids: Iterable[SampleId]) -> None:
        """Forget samples, whether done, failed or cancelled."""
        for sample_id in ids:
            self._samples.pop(sample_id, None)
        self._deadlines.keep({sample.id.job_id for sample in self._samples.values()})
        present = {sample.owner_id for sample in self._samples.values()}
        self._served = {owner: rows for owner, rows in self._served.items() if owner in present}
        live = {sample.key for sample in self._samples.values()}
        self._turns = {key: turn for key, turn in self._turns.items() if key in live}

    def schedule(self) -> list[Sample]:
        """Return the samples of the next step: one lane, one key, at most its cap; empty if idle."""
        lane = self.lane
        if lane is None:
            return []
        working = [sample for sample in self._samples.values() if sample.lane == lane and not sample.done]
        first = () if self._pressed else self._deadlines.pressing(working)
        self._pressed = bool(first)
        keys = (sample.key for sample in first or working)
        key = min(keys, key=lambda each: self._turns.get(each, 0))
        self._clock += 1
        self._turns[key] = self._clock
        rows = self.cap(key).rows
        batch = [sample for sample in first if sample.key == key][:rows]
        ids = {sample.id for sample in batch}
        others = [sample for sample in working if sample.key == key and sample.id not in ids]
        return batch + self._fill(others, rows - len(batch))

    def took(self, batch: Sequence[Sample], seconds: float, *, whole: bool = True) -> None:
        """Note how long a step took; unless *whole*, part of *batch* failed, and it says little."""
        if whole:
            self.cap(batch[0].key).measured(len(batch), seconds)
        self._deadlines.took(batch[0].key, len(batch), seconds, whole=whole)

    def update(self, batch: Iterable[Sample]) -> list[Sample]:
        """Count a step for every sample of *batch*; return those now done."""
        done = []
        for sample in batch:
            sample.reach(sample.step + 1)
            self._served[sample.owner_id] += 1
            if sample.done:
                done.append(sample)
        return done

    def cap(self, key: BatchKey) -> BatchCap:
        """Return what is known about batches of *key*."""
        if key not in self._caps:
            alone = BatchCap(first=1, most=1, settled=True)
            self._caps[key] = self._new_cap(key) if key.shared else alone
        return self._caps[key]

    @property
    def lane(self) -> Speed | None:
        """The lane that has the device now."""
        lanes = {sample.lane for sample in self._samples.values() if not sample.done}
        return next((lane for lane in LANES if lane in lanes), None)

    def paused(self) -> set[JobId]:
        """Return the jobs that wait for a higher lane."""
        lane = self.lane
        return {s.id.job_id for s in self._samples.values() if not s.done and s.lane != lane}

    def newest_paused_relax(self) -> JobId | None:
        """Return the job to hand back when memory is short."""
        if self.lane == Speed.RELAX:
            return None
        relaxed = [s for s in self._samples.values() if s.lane == Speed.RELAX]
        return max(relaxed, key=lambda s: s.arrival).id.job_id if relaxed else None

    def free(self, lane: Speed, key: BatchKey) -> int:
        """Return the places left for *lane*, in pictures.

        A lane is full once it and those above it fill the batch of *key*, the usual one; what
        runs below does not count, for it gives way. All lanes together end at the resident limit.
        """
        above = LANES[: LANES.index(lane) + 1]
        ahead = sum(sample.lane in above for sample in self._samples.values())
        cap = self.cap(key).rows
        if lane == Speed.RELAX:
            ahead = len(self._samples)
        return max(0, min(cap - ahead, self._resident_limit - len(self._samples)))

    def free_for_newcomers(self, key: BatchKey) -> int:
        """Return the places kept for people who have nothing running: as many again as a full batch.

        They share the steps from the start instead of waiting until somebody's flood has drained.
        """
        most = min(2 * self.cap(key).rows, self._resident_limit)
        return max(0, most - len(self._samples))

    def _fill(self, candidates: list[Sample], rows: int) -> list[Sample]:
        """Choose up to *rows* samples: in turns a job of each person, while every one of them has another.

        So a person with one job does not wait for steps that carry ten of somebody else's.
        """
        jobs: dict[JobId, list[Sample]] = {}
        for sample in candidates:
            jobs.setdefault(sample.id.job_id, []).append(sample)
        lines: dict[int, list[list[Sample]]] = {}
        for job in sorted(jobs.values(), key=_work_left):
            lines.setdefault(job[0].owner_id, []).append(sorted(job, key=lambda s: (s.step, s.id.cell)))
        owners = sorted(lines, key=lambda owner: self._served[owner])
        rounds = zip(*(lines[owner] for owner in owners), strict=False)
        return [sample for turn in rounds for job in turn for sample in job][:rows]


def _work_left(job: list[Sample]) -> tuple[float, int]:
    return sum(sample.whole - sample.taken for sample in job), job[0].arrival
