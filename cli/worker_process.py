"""The worker's process: the device, the queue's runner and the chores."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import structlog

from cli import checkpoint
from cli.config import Engine, Settings
from cli.failures import Failure
from cli.folder import Folder, opened
from cli.moderation import screening_on
from cli.monitor import Monitor, usable
from cli.threads import threads_for
from cli.wiring import upkeep_on
from worker.catalogue import Catalogue
from worker.database import Database
from worker.engine.aside import pays
from worker.engine.batching import Caps
from worker.engine.checkpoint import Hardware
from worker.engine.local import InProcessDevice
from worker.engine.models import Models
from worker.fetching import Fetching
from worker.hub.trouble import Trouble
from worker.images import ImageStore
from worker.lock import FileLock, is_held, worker_lock
from worker.metrics import DatabaseMetrics, DeviceMetrics
from worker.queue.batch_caps import CapKeeper
from worker.queue.checkpoints import Installer
from worker.queue.roster import Roster
from worker.queue.store import Store
from worker.queue.upkeep import Upkeep
from worker.recipe import ModelProfile
from worker.runner import Runner
from worker.wants import wants

POLITENESS = 10  # added to the process's nice value: the bot answers at once even while every core draws
FRESH_SECONDS = 60.0  # how long after its start a lock file is left alone
MEMORY_SHARE = 0.5  # of what the device has: pictures under way, and everything else, need the rest

log = structlog.get_logger(__name__)


async def serve(settings: Settings, ready: Callable[[], None]) -> None:
    """Draw what is queued until cancelled; then hand back what is unfinished.

    Args:
        settings: The configuration.
        ready: Called once the model is loaded.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    os.nice(POLITENESS)
    folder = opened(settings.data)
    monitor = Monitor("worker")
    told, ports = DatabaseMetrics(monitor.registry), settings.monitor
    async with (
        Database(folder.database, wrote=told.wrote) as database,
        monitor.serving(ports.address, ports.worker, folder.root),
    ):
        monitor.checks |= {"database": partial(usable, database), "model": loading}
        await drawing(settings, database, folder, ready, monitor)


async def loading() -> str | None:
    """Say that the model is not there yet."""
    return "the model is being loaded"


async def drawing(
    settings: Settings,
    database: Database,
    folder: Folder,
    ready: Callable[[], None],
    monitor: Monitor | None = None,
) -> None:
    """Draw what is queued in an open database until cancelled."""
    images = ImageStore(folder.pictures)
    upkeep = upkeep_on(database, folder, settings, images)
    name = f"{os.getpid()}-{uuid4().hex[:8]}"
    await asyncio.to_thread(forget_dead, folder.root, now=time.time())
    lock = worker_lock(folder.root, name)
    with FileLock(lock):
        try:
            installer = Installer(database, time.time)
            keeper = CapKeeper(database, machine(settings), time.time)
            caps = Caps(await keeper.known(), keeper.learned)
            async with (
                stocked(settings) as fetching,
                device_of(
                    catalogue := checkpoint.catalogue(settings), settings, installer.loaded, caps
                ) as device,
            ):
                await upkeep.take_back()
                await installer.written()
                store = Store(database, clock=time.time, limits=settings.limits)
                screening = await screening_on(database, settings.moderation)
                if monitor is not None:
                    DeviceMetrics(monitor.registry, device)
                    del monitor.checks["model"]
                ready()
                log.info("worker_ready", worker=name)
                runner = Runner(
                    store,
                    device,
                    images,
                    worker=name,
                    clock=time.time,
                    screening=screening,
                    absent=fetching.absent,
                )
                roster = Roster(
                    database,
                    worker=name,
                    device=hardware(settings.engine),
                    model=", ".join(catalogue.names),
                    use=device.use,
                    trouble=lambda: runner.trouble,
                    clock=time.time,
                    monotonic=time.monotonic,
                )
                await _work(runner, upkeep, roster)
            await keeper.written()
        finally:
            lock.unlink(missing_ok=True)  # nobody else ever takes a name with this process's own digits


@asynccontextmanager
async def stocked(settings: Settings) -> AsyncIterator[Fetching]:
    """Fetch what the models take from the hub, the default before anything else; the others meanwhile.

    Raises:
        Failure: The only model did not come.
    """
    entries = checkpoint.catalogue(settings).entries
    fetching = Fetching(
        {}
        if settings.engine.offline
        else {each.name: wants(each.profile.source, each.build) for each in entries}
    )
    fetching.start()
    try:
        try:
            await fetching.first(entries[0].name)
        except Trouble as trouble:
            if len(entries) == 1:
                raise Failure(str(trouble), passing=trouble.passing) from trouble
        yield fetching
    finally:
        fetching.stop()


def forget_dead(root: Path, *, now: float) -> None:
    """Remove the lock files of workers that were killed.

    Fresh ones are left: a worker that starts makes the file a moment before it takes the lock.
    """
    for path in root.glob("worker-*.lock"):
        with suppress(FileNotFoundError):
            if now - path.stat().st_mtime > FRESH_SECONDS and not is_held(path):
                path.unlink()


@asynccontextmanager
async def device_of(
    catalogue: Catalogue, settings: Settings, loaded: Callable[[str, str], None], caps: Caps | None = None
) -> AsyncIterator[InProcessDevice]:
    """Load the default model, hand out the device; it is closed afterwards.

    Args:
        catalogue: The checkpoints that draw.
        settings: What is drawn on.
        loaded: Told name and weights of each checkpoint when it is loaded.
        caps: How many pictures a step may have.
    """
    drawn_on = Hardware.named(settings.engine.device, settings.engine.dtype).device
    device = InProcessDevice(
        lambda: models_of(catalogue, settings, loaded),
        time.monotonic,
        threads_for(settings.checkpoints, settings.engine),
        caps,
        drawn_on if pays(drawn_on) else None,
    )
    try:
        await device.open()
        yield device
    finally:
        await device.close()


def models_of(catalogue: Catalogue, settings: Settings, loaded: Callable[[str, str], None]) -> Models:
    """Return the networks, none of which is loaded yet."""
    hardware = Hardware.named(settings.engine.device, settings.engine.dtype)
    asked = settings.engine.memory_gb

    def described(name: str) -> ModelProfile | None:
        if name not in catalogue.unready:
            return None
        with suppress(Failure):
            found = checkpoint.catalogue(settings).named(name)
            return None if found is None else found.profile
        return None

    return Models(
        [entry.profile for entry in catalogue.entries],
        hardware,
        loaded,
        builds={entry.name: entry.build for entry in catalogue.entries},
        described=described,
        budget=int(hardware.memory * MEMORY_SHARE if asked is None else asked * 10**9),
    )


def hardware(engine: Engine) -> str:
    """Return what is drawn on, such as ``cpu, float32``."""
    return Hardware.named(engine.device, engine.dtype).title


def machine(settings: Settings) -> str:
    """Return what measurements of speed hold for, such as ``cpu, float32, 2 threads``."""
    threads = threads_for(settings.checkpoints, settings.engine)
    return f"{hardware(settings.engine)}, {threads} thread{'s' * (threads > 1)}"


async def _chores(upkeep: Upkeep, roster: Roster) -> None:
    await asyncio.gather(upkeep.run(), roster.run())


async def _work(runner: Runner, upkeep: Upkeep, roster: Roster) -> None:
    """Run them until cancelled; the runner ends in its own order."""
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))
    chores = asyncio.create_task(_chores(upkeep, roster))
    try:
        await asyncio.wait({running, chores}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        chores.cancel()
        await running
    await chores
