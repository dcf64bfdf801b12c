"""When jobs that somebody waits for should be done: pure, in seconds that the device was busy."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from parser import Speed
from worker.api import JobId

if TYPE_CHECKING:
    from worker.engine.plan import BatchKey, Sample

STRETCH = 4.0  # times what a job would take alone, in which it should be done
LEAST_SECONDS = 10.0  # however short it is
INTERACTIVE = frozenset({Speed.TURBO, Speed.FAST})  # nobody looks on while a relaxed job is drawn


class Deadlines:
    """What is late, by what passes of each kind were measured to take.

    A job is pressing once it would be late even if every second step were its own from now on. Before the
    first pass of its kind was measured, nothing is known, and it is not.
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self._now = 0.0
        self._since: dict[JobId, float] = {}
        self._rates: dict[BatchKey, float] = {}  # least seconds a row

    def took(self, key: "BatchKey", rows: int, seconds: float, *, whole: bool) -> None:
        """Note that a pass of so many rows took so long; unless *whole*, it says nothing of the next."""
        self._now += seconds
        if whole and rows:
            self._rates[key] = min(seconds / rows, self._rates.get(key, seconds / rows))

    def arrived(self, job_id: JobId) -> None:
        """Note that a job is here."""
        self._since.setdefault(job_id, self._now)

    def keep(self, job_ids: Iterable[JobId]) -> None:
        """Forget all but *job_ids*."""
        self._since = {job_id: self._since[job_id] for job_id in job_ids if job_id in self._since}

    def pressing(self, working: Iterable["Sample"]) -> Sequence["Sample"]:
        """Return the samples of the job that should have been done first, of those that press; or none.

        Args:
            working: Samples with steps to take, those of a job at any key.
        """
        jobs: dict[JobId, list[Sample]] = {}
        for sample in working:
            if sample.lane in INTERACTIVE:
                jobs.setdefault(sample.id.job_id, []).append(sample)
        found = [(due, samples) for samples in jobs.values() if (due := self._missed(samples)) is not None]
        return min(found, key=lambda each: each[0])[1] if found else ()

    def _missed(self, samples: Sequence["Sample"]) -> float | None:
        """Return when a job should be done, if that cannot be waited for any longer."""
        rate = self._rates.get(samples[0].key)
        if rate is None:
            return None
        alone = rate * sum(sample.whole for sample in samples)
        left = rate * sum(sample.whole - sample.taken for sample in samples)
        due = self._since[samples[0].id.job_id] + max(LEAST_SECONDS, STRETCH * alone)
        return due if self._now + 2 * left > due else None
