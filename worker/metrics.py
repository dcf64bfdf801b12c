"""What Prometheus is told about the database, the queue and the device."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.api import LANES, EventId, JobState
from worker.database import Database, Written
from worker.device import DeviceUse
from worker.lock import is_held
from worker.queue import readings
from worker.queue.readings import Passage

WRITE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
WAIT_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
DEVICE_SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
BATCH_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class DatabaseMetrics:
    """How long writes take. Its `wrote` is what `Database` is given to call."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "journeyman_database_write_seconds",
            "One transaction: waiting for the lock, all writes that share it, and the commit.",
            buckets=WRITE_SECONDS,
            registry=registry,
        )
        self._writes = Counter(
            "journeyman_database_writes", "Writes, of which many may share a transaction.", registry=registry
        )
        self._failures = Counter(
            "journeyman_database_write_failures",
            "Transactions that failed whole: the file was locked too long, or the disk full.",
            registry=registry,
        )

    def wrote(self, written: Written) -> None:
        """Count a transaction."""
        self._seconds.observe(written.seconds)
        self._writes.inc(written.writes)
        if written.failed:
            self._failures.inc()


class QueueMetrics:
    """The queue, read when Prometheus asks; one process on a data folder tells it, so none counts twice."""

    def __init__(
        self, registry: CollectorRegistry, database: Database, folder: Path, *, clock: Callable[[], float]
    ) -> None:
        """Describe the metrics.

        Args:
            registry: Where they are added.
            database: The queue's, open.
            folder: The data folder: its disk and the workers' locks are looked at.
            clock: Tells Unix seconds.
        """
        self._database, self._folder, self._clock = database, folder, clock
        self._after: EventId | None = None
        labels = ["lane", "kind"]
        self._jobs = Gauge(
            "journeyman_queue_jobs", "Jobs under way, by state.", ["lane", "state"], registry=registry
        )
        self._oldest = Gauge(
            "journeyman_queue_oldest_seconds", "Age of the job that waits longest.", registry=registry
        )
        self._workers = Gauge("journeyman_workers", "Workers that run on the data folder.", registry=registry)
        self._disk = Gauge("journeyman_disk_free_bytes", "Free space of the data folder.", registry=registry)
        self._wait = Histogram(
            "journeyman_job_wait_seconds",
            "From the order until a worker took it, first claims only.",
            ["lane"],
            buckets=WAIT_SECONDS,
            registry=registry,
        )
        self._whole = Histogram(
            "journeyman_job_seconds",
            "From the order until its pictures were stored.",
            labels,
            buckets=WAIT_SECONDS,
            registry=registry,
        )
        self._device = Histogram(
            "journeyman_job_device_seconds",
            "A job's share of the device's time.",
            labels,
            buckets=DEVICE_SECONDS,
            registry=registry,
        )
        self._ended = Counter(
            "journeyman_jobs_ended",
            "Jobs that came to an end, and why where they failed.",
            ["lane", "kind", "state", "error"],
            registry=registry,
        )

    async def refresh(self) -> None:
        """Read the queue; what happened before the first time is not counted.

        Raises:
            WorkerError: The database did not answer.
        """
        if self._after is None:
            self._after = await self._database.read(readings.now_at)
        found = await self._database.read(partial(readings.taken, after=self._after))
        self._after = found.last
        for lane in LANES:
            for state in (JobState.QUEUED, JobState.RUNNING):
                self._jobs.labels(lane.value, state.value).set(found.jobs.get((lane.value, state.value), 0))
        self._oldest.set(0 if found.oldest is None else max(0.0, self._clock() - found.oldest))
        for passage in found.passages:
            self._count(passage)
        workers, free = await asyncio.to_thread(_surroundings, self._folder)
        self._workers.set(workers)
        self._disk.set(free)

    def _count(self, passage: Passage) -> None:
        labels = (passage.speed, passage.kind)
        if passage.state is JobState.RUNNING and passage.first:
            self._wait.labels(passage.speed).observe(passage.since_ordered)
        if passage.state is JobState.SUCCEEDED:
            self._whole.labels(*labels).observe(passage.since_ordered)
            if passage.device_seconds is not None:
                self._device.labels(*labels).observe(passage.device_seconds)
        if passage.state.final:
            self._ended.labels(*labels, passage.state.value, passage.error or "").inc()


def _surroundings(folder: Path) -> tuple[int, int]:
    """Return how many workers run, and the free bytes; blocks for microseconds."""
    workers = sum(is_held(path) for path in folder.glob("worker-*.lock"))
    return workers, disk_usage(folder).free


class Used(Protocol):
    """A device that tells what it did."""

    def use(self) -> DeviceUse:
        """Return it, since the device was opened."""
        ...


class DeviceMetrics(Collector):
    """The device, looked at when Prometheus asks."""

    def __init__(self, registry: CollectorRegistry, device: Used) -> None:
        self._device = device
        registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """Return nothing: the names are known from `collect`."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield what the device did so far."""
        used = self._device.use()
        yield _batches(used.passes)
        yield CounterMetricFamily(
            "journeyman_device_busy_seconds",
            "Time spent on steps, and on decoding that kept steps waiting.",
            value=used.busy_seconds,
        )
        yield GaugeMetricFamily(
            "journeyman_device_pictures", "Pictures being made.", value=used.capacity.resident
        )
        places = GaugeMetricFamily(
            "journeyman_device_free_places", "Pictures it would take now.", labels=["lane"]
        )
        for lane in LANES:
            places.add_metric([lane.value], used.capacity.free.get(lane, 0))
        yield places


def _batches(passes: Mapping[int, int]) -> HistogramMetricFamily:
    """Return forward passes by their rows: the sum is the number of picture-steps taken."""
    buckets = [(str(top), sum(n for rows, n in passes.items() if rows <= top)) for top in BATCH_ROWS]
    buckets.append(("+Inf", sum(passes.values())))
    total = sum(rows * n for rows, n in passes.items())
    family = HistogramMetricFamily("journeyman_step_batch_rows", "Pictures that shared a forward pass.")
    family.add_metric([], buckets=buckets, sum_value=total)
    return family
