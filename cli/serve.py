"""`journeyman run`, `journeyman bot`, `journeyman worker`: the long-lived processes."""

import asyncio
import contextlib
import os
import time
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog

from cli import checkpoint, logs, options
from cli.config import ROOT, Settings, load
from cli.failures import lasting
from cli.supervisor import Program, Supervisor, stop_signals
from cli.tether import Tether, tie

log = structlog.get_logger(__name__)


def run(data: options.Data = None, config: options.Config = None) -> None:
    """Serve Discord: the bot and the worker, each as a process that is started again if it dies."""
    settings = load(os.environ, file=config, options={"data": data})
    logs.setup(settings.log, process="run")
    _ = settings.token
    checkpoint.catalogue(settings)
    environ = inherited(os.environ, settings)
    programs = [program("bot", config, environ), program("worker", config, environ)]
    asyncio.run(until_stopped(supervised(Supervisor(programs, clock=time.monotonic))))


def bot(data: options.Data = None, config: options.Config = None, tethered: options.Tethered = False) -> None:
    """Serve Discord without drawing; jobs wait until a worker runs."""
    tether = tie(tethered=tethered)
    with told(tether):
        settings = load(os.environ, file=config, options={"data": data})
        logs.setup(settings.log, process="bot")
        from cli.discord_process import serve

        asyncio.run(until_stopped(serve(settings, ready=lambda: tether.say("ready"))))


def worker(
    data: options.Data = None, config: options.Config = None, tethered: options.Tethered = False
) -> None:
    """Draw what is queued."""
    tether = tie(tethered=tethered)
    with told(tether):
        settings = load(os.environ, file=config, options={"data": data})
        logs.setup(settings.log, process="worker")
        checkpoint.catalogue(settings)
        os.environ.update(quiet_libraries(os.environ))
        from cli.worker_process import serve

        asyncio.run(until_stopped(serve(settings, ready=lambda: tether.say("ready"))))


@contextlib.contextmanager
def told(tether: Tether) -> Iterator[None]:
    """Tell the supervisor of a failure that starting again would not mend; after others it does."""
    try:
        yield
    except Exception as error:
        if lasting(error):
            tether.say("failed")
        raise


async def supervised(keeper: Supervisor) -> None:
    """Keep the children, and say when both are there."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keeper.run())
        for child in keeper.children.values():
            await child.ready.wait()
        log.info("serving")


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* until it ends or the process is asked to stop; being asked is no failure."""
    async with stop_signals() as stop:
        working = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(stop.wait())
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if working.done():
            await working
            return
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


def program(name: str, config: Path | None, environ: Mapping[str, str]) -> Program:
    """Return the child that serves as *name*."""
    arguments = [name] if config is None else [name, "--config", str(config)]
    return Program(name, arguments, environ)


def inherited(environ: Mapping[str, str], settings: Settings, **more: str) -> dict[str, str]:
    """Return a child's environment: ours, with what was settled here, so that both read the same."""
    path = os.pathsep.join(each for each in (str(ROOT), environ.get("PYTHONPATH", "")) if each)
    return {
        **environ,
        **quiet_libraries(environ),
        "PYTHONPATH": path,
        "JOURNEYMAN_DATA": str(settings.data),
        "JOURNEYMAN_LOG__LEVEL": settings.log.level,
        "JOURNEYMAN_LOG__FORMAT": settings.log.format,
        **more,
    }


def quiet_libraries(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps waiting threads from burning a core and libraries from chatting; set values stand."""
    wanted = {
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    return {name: environ.get(name, value) for name, value in wanted.items()}
