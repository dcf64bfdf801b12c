"""Weighs bot and worker while a run goes on, by what their own metrics say."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from cli.monitor import announced

EVERY_SECONDS = 15.0
WARM_SECONDS = 300.0  # until then a process still fills its caches
LEAST_WEIGHINGS = 24  # after that, for a verdict: six minutes
MOST_GROWTH = 0.10  # of the weight, from the first third to the last
SLACK_MEGABYTES = 24.0  # what an allocator may keep of a large picture


@dataclass(frozen=True, slots=True)
class Weight:
    """One weighing."""

    age: float  # seconds since the process started
    megabytes: float


@dataclass(slots=True)
class Weigher:
    """Keeps every weighing, by process (``bot 4711``), oldest first."""

    weights: dict[str, list[Weight]] = field(default_factory=dict)

    async def go(self, data: Path) -> None:
        """Weigh whatever runs on *data* until cancelled."""
        patience = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=patience) as http:
            while True:
                for address in announced(data):
                    with suppress(aiohttp.ClientError, OSError, TimeoutError):  # it was killed
                        async with http.get(f"http://{address}/metrics") as answer:
                            self._take(await answer.text())
                await asyncio.sleep(EVERY_SECONDS)

    def _take(self, text: str) -> None:
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        told = {sample.name: sample.value for sample in samples}
        process = next(s.labels["process"] for s in samples if s.name == "journeyman_build_info")
        born = told["process_start_time_seconds"]
        weight = Weight(time.time() - born, told["process_resident_memory_bytes"] / 1e6)
        self.weights.setdefault(f"{process} born {born:.0f}", []).append(weight)


def growth(weights: Sequence[Weight]) -> tuple[float, float] | None:
    """Return the mean weight in the first and the last third of a warm process's life, in megabytes.

    None where it did not live long enough to say.
    """
    warm = [each.megabytes for each in weights if each.age >= WARM_SECONDS]
    if len(warm) < LEAST_WEIGHINGS:
        return None
    third = len(warm) // 3
    return fmean(warm[:third]), fmean(warm[-third:])


def swollen(weights: Mapping[str, Sequence[Weight]]) -> Iterable[str]:
    """Yield a sentence for every process that grew and did not stop growing."""
    for process, entry in weights.items():
        found = growth(entry)
        if found is not None:
            before, after = found
            if after - before > max(SLACK_MEGABYTES, MOST_GROWTH * before):
                yield f"the {process} grew from {before:.0f} to {after:.0f} MB"


def told(weights: Mapping[str, Sequence[Weight]]) -> Iterable[str]:
    """Yield a line for every process that lived long enough to be judged."""
    for process, entry in weights.items():
        found = growth(entry)
        if found is not None:
            before, after = found
            most, minutes = max(each.megabytes for each in entry), entry[-1].age / 60
            yield f"{process}: {before:.0f} MB, then {after:.0f}, {most:.0f} at most, in {minutes:.0f} min"
