"""What one process tells machines about itself: its metrics, and what keeps it from being of use."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from cli.version import number
from worker.database import Database

PATIENCE_SECONDS = 3.0  # what one check, or one reading, may take
FOLDER = "monitor"  # inside the data folder: one file a process, as Prometheus' file discovery reads it

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[str | None]]  # returns what is wrong, or None
Reading = Callable[[], Awaitable[None]]  # brings metrics up to date before they are told


@dataclass(slots=True)
class Monitor:
    """What is to be told.

    Attributes:
        process: ``bot`` or ``worker``.
        registry: Its metrics.
        checks: What must be fine for the process to be of use, by name.
        readings: Awaited before metrics are told; one that fails leaves its metrics as they were.
    """

    process: str
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    checks: dict[str, Check] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Add what every process tells."""
        ProcessCollector(registry=self.registry)
        build = Gauge("journeyman_build_info", "Always 1.", ["version", "process"], registry=self.registry)
        build.labels(number(), self.process).set(1)

    @contextlib.asynccontextmanager
    async def serving(self, address: str, port: int | None, data: Path) -> AsyncIterator[None]:
        """Answer on *port*, or on the first free one after it, until the block ends; without one, do nothing.

        A port that cannot be had is told in the log and stops nobody.
        """
        if port is None:
            yield
            return
        from cli.monitor_http import serving  # a worker that is not asked needs no HTTP library

        async with serving(self, address, port, data / FOLDER):
            yield

    async def read(self) -> None:
        """Bring the metrics up to date."""
        for reading in self.readings:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await reading()
            except Exception as error:  # noqa: BLE001 - the other metrics are worth telling
                log.warning("metrics_not_read", error=repr(error))

    async def wrong(self) -> Mapping[str, str]:
        """Return what is wrong, by the name of the check."""
        found = {name: await _looked(check) for name, check in self.checks.items()}
        return {name: words for name, words in found.items() if words is not None}


async def _looked(check: Check) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check()
    except TimeoutError:
        return f"it did not answer within {PATIENCE_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, the process is not ready
        return f"{type(error).__name__}: {error}"


async def usable(database: Database) -> str | None:
    """Return None once *database* took a write; a file that can only be read is of no use to anybody.

    Raises:
        WorkerError: It did not.
    """
    await database.write(lambda _: None, durable=False)
    return None


def announced(data: Path) -> Sequence[str]:
    """Return where processes of the data folder said that they answer; one may have been killed since."""
    found = []
    for path in sorted((data / FOLDER).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            found.append(str(json.loads(path.read_text(encoding="utf-8"))[0]["targets"][0]))
    return found
