"""The running playground: one socket for the API, the gateway, the files and the page."""

from __future__ import annotations

import errno
import socket
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from . import gateway
from .admin import Admin
from .attachments import Links, Uploads
from .clock import Clock
from .control import Control
from .core import Addresses, Core
from .errors import PlaygroundError, PortTakenError
from .events import Events
from .faults import Faults
from .form import MAX_REQUEST
from .journal import Journal
from .media import Media
from .models import Facts
from .rest import Api
from .security import demand_loopback, guard
from .seed import furnish
from .sessions import Sessions
from .state import World
from .storage import Storage

# Open sockets get this long to end when the playground stops.
_GOODBYE_SECONDS = 0.5
_POLICY = "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws:"


class Playground:
    """A local Discord, running inside `async with`.

    `data` is the folder that keeps messages, files, commands and people between starts; None keeps nothing.
    `clock` is the time of everything in it. Raises NotLoopbackError for a host other machines could reach,
    and on entry PortTakenError, DataFolderBusyError or DataFolderError.
    """

    def __init__(
        self,
        data: Path | None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        page: bool = True,
    ) -> None:
        demand_loopback(host)
        self._data = data
        self._host = host
        self._port = port
        self.clock = clock or Clock()
        self._page = page
        self._storage: Storage | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        listener = _listen(self._host, self._port)
        try:
            self._storage = Storage(self._data)
            await self._start(self._storage, listener)
        except BaseException:
            listener.close()
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def url(self) -> str:
        """The page."""
        return self.core.addresses.url

    @property
    def api(self) -> str:
        """The REST base; ends in `/api/v10`."""
        return self.core.addresses.api

    @property
    def gateway(self) -> str:
        """The WebSocket."""
        return self.core.addresses.gateway

    @property
    def faults(self) -> Faults:
        """The switchboard of failures."""
        return self.core.faults

    @property
    def journal(self) -> Journal:
        """What was asked of the API."""
        return self.core.journal

    def facts(self) -> Facts:
        """What a client must know."""
        return self.admin.facts()

    async def _start(self, storage: Storage, listener: socket.socket) -> None:
        self.core = _wire(storage, self.clock)
        self.admin = Admin(self.core)
        address: tuple[str, int] = listener.getsockname()[:2]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.core.bound(Addresses(shown, address[1]))
        app = web.Application(middlewares=[guard], client_max_size=MAX_REQUEST + 1)
        Api(self.core).mount(app)
        gateway.mount(app, self.core)
        Media(self.core).mount(app)
        Control(self.core, self.admin).mount(app)
        if self._page:
            _mount_page(app, self.core)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def _stop(self) -> None:
        if self._runner is not None:
            for session in self.core.sessions:
                if session.connection is not None:
                    session.connection.shut(1001, "The playground is closing.")
            await self._runner.cleanup()
            self._runner = None
        self.clock.close()
        if self._storage is not None:
            self._storage.close()
            self._storage = None


def _listen(host: str, port: int) -> socket.socket:
    """A bound listening socket; raises PortTakenError or PlaygroundError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(f"Port {port} is taken by another program; choose another port.") from error
        raise PlaygroundError(f"The playground cannot listen on {host}:{port}: {error.strerror}.") from error
    listener.setblocking(False)
    return listener


def _wire(storage: Storage, clock: Clock) -> Core:
    world = World(storage, clock)
    furnish(world)
    sessions = Sessions(clock)
    links = Links(clock, storage.secret())
    core = Core(
        world=world,
        clock=clock,
        sessions=sessions,
        events=Events(world, sessions, links.sign),
        faults=Faults(),
        journal=Journal(),
        links=links,
        uploads=Uploads(lambda: core.addresses.url),
    )
    return core


def _mount_page(app: web.Application, core: Core) -> None:
    """Serve `page/` at the root; another name of this machine is sent to the one that links use."""
    folder = Path(str(resources.files(__package__).joinpath("page")))

    async def index(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Host", "") != f"{core.addresses.host}:{core.addresses.port}":
            raise web.HTTPFound(core.addresses.url)
        return web.FileResponse(folder / "index.html", headers=_page_headers())

    app.router.add_get("/", index)
    if folder.is_dir():
        app.router.add_static("/", folder, append_version=False)

    async def headers(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if "ETag" in response.headers:
            response.headers.setdefault("Cache-Control", "no-cache")

    app.on_response_prepare.append(headers)


def _page_headers() -> dict[str, str]:
    return {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
