"""What machines are told over HTTP."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli import monitor_http
from cli.monitor import Monitor, announced, usable
from parser import Speed
from tests.worker.house import House, house_in
from worker.api import ErrorCode
from worker.database import Database
from worker.device import Capacity, DeviceUse
from worker.metrics import DatabaseMetrics, DeviceMetrics, QueueMetrics

HERE = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


async def fetched(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


def values(text: str) -> dict[str, float]:
    """Return every sample under its name and labels, as Prometheus reads them."""
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@asynccontextmanager
async def answering(monitor: Monitor, folder: Path) -> AsyncIterator[str]:
    async with monitor.serving(HERE, free_port(), folder):
        [address] = announced(folder)
        yield f"http://{address}"


async def queue_of(house: House) -> dict[str, float]:
    """Return what is told about the queue of *house* now."""
    return await told_by(house, monitor_of(house))


def monitor_of(house: House) -> Monitor:
    monitor = Monitor("bot")
    queue = QueueMetrics(monitor.registry, house.database, house.folder, clock=house.clock)
    monitor.readings.append(queue.refresh)
    return monitor


async def told_by(house: House, monitor: Monitor) -> dict[str, float]:
    async with answering(monitor, house.folder) as url:
        return values((await fetched(f"{url}/metrics"))[1])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as opened:
        yield opened


async def test_without_a_port_nothing_listens_and_nothing_is_written(tmp_path: Path) -> None:
    async with Monitor("bot").serving(HERE, None, tmp_path):
        assert announced(tmp_path) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_page_of_elsewhere_reads_no_metrics_through_a_browser_here(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    """Not even under a name that its owner has point at this machine."""
    async with answering(Monitor("bot"), tmp_path) as url, aiohttp.ClientSession() as session:
        for page in ("metrics", "healthz", "readyz"):
            async with session.get(f"{url}/{page}", headers=headers) as answer:
                assert answer.status == status


async def test_a_live_process_is_healthy_and_says_its_version(tmp_path: Path) -> None:
    async with answering(Monitor("bot"), tmp_path) as url:
        assert (await fetched(f"{url}/healthz"))[0] == 200
        status, text = await fetched(f"{url}/metrics")
    assert status == 200
    assert 'process="bot"' in text
    assert "process_cpu_seconds_total" in text


async def test_a_loop_that_stands_still_is_measured_and_one_that_does_not_come_round_is_not_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_http, "LAG_SECONDS", 0.01)
    monitor = Monitor("bot")
    async with answering(monitor, tmp_path) as url:
        time.sleep(0.3)  # noqa: ASYNC251 - that is what is to be seen
        page = values((await fetched(f"{url}/metrics"))[1])
        assert page["journeyman_event_loop_lag_seconds_sum"] >= 0.2
        assert (await fetched(f"{url}/healthz"))[0] == 200
        monkeypatch.setattr(monitor_http, "STUCK_SECONDS", 0.0)
        status, text = await fetched(f"{url}/healthz")
    assert status == 503
    assert "stood still" in json.loads(text)["wrong"]["event_loop"]


async def test_a_process_is_not_ready_until_every_check_is_fine_and_says_which_is_not(tmp_path: Path) -> None:
    monitor = Monitor("worker")
    trouble: list[str | None] = ["the model is being loaded"]

    async def model() -> str | None:
        return trouble[0]

    async def broken() -> str | None:
        raise OSError("gone")

    monitor.checks |= {"model": model, "disk": broken}
    async with answering(monitor, tmp_path) as url:
        status, text = await fetched(f"{url}/readyz")
        assert status == 503
        assert json.loads(text)["wrong"] == {"model": trouble[0], "disk": "OSError: gone"}
        trouble[0] = None
        del monitor.checks["disk"]
        assert (await fetched(f"{url}/readyz"))[0] == 200


async def test_a_database_that_takes_no_write_is_not_ready(tmp_path: Path) -> None:
    monitor = Monitor("bot")
    async with Database(tmp_path / "jobs.db", busy_seconds=0.05) as database:
        monitor.checks["database"] = lambda: usable(database)
        async with answering(monitor, tmp_path) as url:
            assert (await fetched(f"{url}/readyz"))[0] == 200
            async with Database(tmp_path / "jobs.db") as other:
                held, let_go = asyncio.Event(), asyncio.Event()
                loop = asyncio.get_running_loop()

                def hold(_: object) -> None:
                    loop.call_soon_threadsafe(held.set)
                    asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result()

                holding = asyncio.create_task(other.write(hold))
                await held.wait()
                status, text = await fetched(f"{url}/readyz")
                let_go.set()
                await holding
    assert status == 503
    assert "database_busy" in text


async def test_two_workers_on_one_machine_do_not_clash(tmp_path: Path) -> None:
    port = free_port()
    one, two = Monitor("worker"), Monitor("worker")
    async with one.serving(HERE, port, tmp_path), two.serving(HERE, port, tmp_path):
        addresses = announced(tmp_path)
        assert len(set(addresses)) == 2
        for address in addresses:
            assert (await fetched(f"http://{address}/healthz"))[0] == 200
    assert announced(tmp_path) == []


async def test_an_address_that_cannot_be_had_stops_nobody(tmp_path: Path) -> None:
    async with Monitor("worker").serving("203.0.113.1", free_port(), tmp_path):
        assert announced(tmp_path) == []


async def test_the_queue_is_told_by_lane_and_state(house: House) -> None:
    await house.submit()
    await house.claim()
    await house.submit(speed=Speed.RELAX)
    house.clock.advance(30)
    told = await queue_of(house)
    assert told["journeyman_queue_jobs fast running"] == 1
    assert told["journeyman_queue_jobs relax queued"] == 1
    assert told["journeyman_queue_jobs turbo queued"] == 0
    assert told["journeyman_queue_oldest_seconds"] == 30
    assert told["journeyman_disk_free_bytes"] > 0


async def test_waits_and_ends_are_counted_once_however_often_one_asks(house: House) -> None:
    monitor = monitor_of(house)
    queue = monitor.readings[0]
    await queue()
    await house.submit()
    house.clock.advance(7)
    [claim] = await house.claim()
    house.clock.advance(5)
    await queue()
    await house.finish(claim, seconds=3.0)
    await house.submit()
    [claim] = await house.claim()
    await house.store.fail((claim.job.id, 1), ErrorCode.OUT_OF_MEMORY, retryable=False)
    await queue()
    told = await told_by(house, monitor)
    assert told["journeyman_job_wait_seconds_sum fast"] == 7
    assert told["journeyman_job_wait_seconds_count fast"] == 2
    assert told["journeyman_job_seconds_sum imagine fast"] == 12
    assert told["journeyman_job_device_seconds_sum imagine fast"] == 3
    assert told["journeyman_jobs_ended_total  imagine fast succeeded"] == 1
    assert told["journeyman_jobs_ended_total out_of_memory imagine fast failed"] == 1


async def test_what_happened_before_the_start_is_not_counted(house: House) -> None:
    await house.drawn()
    told = await queue_of(house)
    assert "journeyman_jobs_ended_total  imagine fast succeeded" not in told


async def test_writes_are_measured_and_failed_transactions_counted(tmp_path: Path) -> None:
    monitor = Monitor("bot")
    meter = DatabaseMetrics(monitor.registry)
    path = tmp_path / "jobs.db"
    async with Database(path, busy_seconds=0.05, wrote=meter.wrote) as database:
        await asyncio.gather(*(database.write(lambda _: None) for _ in range(3)))
        async with answering(monitor, tmp_path) as url:
            told = values((await fetched(f"{url}/metrics"))[1])
    assert told["journeyman_database_writes_total"] == 3
    assert told["journeyman_database_write_seconds_count"] >= 1
    assert told["journeyman_database_write_failures_total"] == 0


class Bench:
    """A device that says what it did."""

    def use(self) -> DeviceUse:
        return DeviceUse({1: 10, 4: 5}, 12.5, Capacity({Speed.FAST: 3}, 2))


async def test_step_batches_and_the_use_of_the_device_are_told(tmp_path: Path) -> None:
    monitor = Monitor("worker")
    DeviceMetrics(monitor.registry, Bench())
    async with answering(monitor, tmp_path) as url:
        told = values((await fetched(f"{url}/metrics"))[1])
    assert told["journeyman_step_batch_rows_count"] == 15
    assert told["journeyman_step_batch_rows_sum"] == 30
    assert told["journeyman_step_batch_rows_bucket 2"] == 10
    assert told["journeyman_device_busy_seconds_total"] == 12.5
    assert told["journeyman_device_free_places fast"] == 3
