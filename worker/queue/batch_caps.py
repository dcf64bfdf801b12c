"""What the database keeps of how many pictures are worth a step on a machine."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from worker.api import WorkerError
from worker.batches import BatchShape, KeptCap
from worker.database import Database

log = structlog.get_logger(__name__)


class CapKeeper:
    """Writes down what a device learns. What cannot be written is learnt again another time."""

    def __init__(self, database: Database, machine: str, clock: Callable[[], float]) -> None:
        """Use an open *database*; to be called on the event loop."""
        self._database = database
        self._machine = machine
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._writing: set[asyncio.Task[None]] = set()

    async def known(self) -> Mapping[BatchShape, KeptCap]:
        """Return what is known of this machine."""
        return await self._database.read(partial(known, machine=self._machine))

    def learned(self, shape: BatchShape, cap: KeptCap) -> None:
        """Keep *cap*; may be called on any thread."""
        self._loop.call_soon_threadsafe(self._begin, shape, cap)

    async def written(self) -> None:
        """Wait until everything told so far is there."""
        await asyncio.gather(*self._writing)

    def _begin(self, shape: BatchShape, cap: KeptCap) -> None:
        task = self._loop.create_task(self._write(shape, cap))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, shape: BatchShape, cap: KeptCap) -> None:
        work = partial(keep, machine=self._machine, shape=shape, cap=cap, now=self._clock())
        try:
            await self._database.write(work)
        except WorkerError as error:
            log.warning("batch_cap_not_kept", code=error.code.value)


def known(db: sqlite3.Connection, *, machine: str) -> Mapping[BatchShape, KeptCap]:
    """Return what is known of *machine*."""
    rows = db.execute("SELECT * FROM batch_caps WHERE machine = ?", (machine,))
    return {
        BatchShape(row["model"], row["height"], row["width"], row["context"], bool(row["guided"])): KeptCap(
            row["rows"], row["most"], bool(row["settled"])
        )
        for row in rows
    }


def keep(
    db: sqlite3.Connection,
    *,
    machine: str,
    shape: BatchShape,
    cap: KeptCap,
    now: float,
    weights: str | None = None,
) -> None:
    """Keep *cap* instead of what was known.

    Args:
        db: In a transaction.
        machine: What was drawn on.
        shape: What was drawn.
        cap: How many are worth a step.
        now: The time.
        weights: Hash of those behind the model's name; None: those that a worker last loaded under it.
    """
    db.execute(
        "INSERT OR REPLACE INTO batch_caps"
        " (machine, model, height, width, context, guided, weights, rows, most, settled, measured_at)"
        " SELECT :machine, :model, :height, :width, :context, :guided,"
        " coalesce(:weights, (SELECT hash FROM checkpoints WHERE name = :model), ''),"
        " :rows, :most, :settled, :now",
        shape._asdict()
        | {"machine": machine, "weights": weights, "now": now}
        | {"rows": cap.rows, "most": cap.most, "settled": cap.settled},
    )
