"""A process's window for machines: ``/metrics``, ``/healthz`` and ``/readyz``."""

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from prometheus_client import Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from playground.security import guard, is_loopback

if TYPE_CHECKING:
    from cli.monitor import Monitor

LAG_SECONDS = 5.0  # between two looks at how late the event loop is
STUCK_SECONDS = 60.0  # a loop that did not come round for so long is not healthy
PORTS = 16  # tried upwards from the configured one: several workers share a configuration
LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def serving(monitor: "Monitor", address: str, port: int, folder: Path) -> AsyncIterator[None]:
    """Answer for *monitor* until the block ends.

    Args:
        monitor: What is told.
        address: Where to listen.
        port: The first port tried.
        folder: Where a file says which one it is, for Prometheus' file discovery.
    """
    window = _Window(monitor, local=is_loopback(address))
    runner = web.AppRunner(window.app, access_log=None)
    await runner.setup()
    turning = asyncio.create_task(window.turn(), name="event loop lag")
    try:
        taken = await _listen(runner, address, port)
        with _announced(folder, monitor.process, address, taken):
            yield
    finally:
        turning.cancel()
        await runner.cleanup()


class _Window:
    """The three pages."""

    def __init__(self, monitor: "Monitor", *, local: bool) -> None:
        """Tell of *monitor*; *local* says that this machine alone is meant to ask."""
        self._monitor = monitor
        self._turned = asyncio.get_running_loop().time()
        self._lag = Histogram(
            "journeyman_event_loop_lag_seconds",
            "How late the event loop was; looked at every five seconds.",
            buckets=LAGS,
            registry=monitor.registry,
        )
        self.app = web.Application(middlewares=[guard] if local else [])
        self.app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._health),
                web.get("/readyz", self._readiness),
            ]
        )

    async def turn(self) -> None:
        """Look at how late the loop is, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LAG_SECONDS)
            now = loop.time()
            self._lag.observe(max(0.0, now - self._turned - LAG_SECONDS))
            self._turned = now

    async def _metrics(self, _: web.Request) -> web.Response:
        await self._monitor.read()
        body = generate_latest(self._monitor.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _health(self, _: web.Request) -> web.Response:
        """Answering needs a loop that turns; one that only does so now and then is told too."""
        late = asyncio.get_running_loop().time() - self._turned
        return _verdict({} if late < STUCK_SECONDS else {"event_loop": f"it stood still for {late:.0f} s"})

    async def _readiness(self, _: web.Request) -> web.Response:
        return _verdict(await self._monitor.wrong())


def _verdict(wrong: Mapping[str, str]) -> web.Response:
    return web.json_response({"ok": not wrong, "wrong": dict(wrong)}, status=503 if wrong else 200)


async def _listen(runner: web.AppRunner, address: str, port: int) -> int | None:
    """Listen on the first free port and return it; None where none can be had."""
    for candidate in range(port, min(port + PORTS, 65536)):
        try:
            await web.TCPSite(runner, address, candidate).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            log.warning("monitor_off", address=address, port=candidate, reason=str(error))
            return None
        log.info("monitor", url=f"http://{address}:{candidate}")
        return candidate
    log.warning("monitor_off", address=address, port=port, reason=f"{PORTS} ports are taken")
    return None


@contextlib.contextmanager
def _announced(folder: Path, process: str, address: str, port: int | None) -> Iterator[None]:
    """Leave a file that says where the process answers, for as long as it does."""
    if port is None:
        yield
        return
    path = folder / f"{process}-{port}.json"  # whoever takes the port next writes over it
    entry = [{"targets": [f"{address}:{port}"], "labels": {"process": process, "pid": str(os.getpid())}}]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(entry), encoding="utf-8")
        part.replace(path)
    except OSError as error:  # a full disk is told elsewhere
        log.warning("monitor_not_announced", reason=str(error))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
