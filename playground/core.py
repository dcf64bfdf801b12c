"""The parts of a running playground that every route works with, and who is calling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from .attachments import Links, Uploads
from .clock import Clock
from .errors import ApiError, Json, missing_access, unauthorized
from .events import Events
from .faults import Faults
from .form import Form
from .journal import Journal
from .models import Application, Channel, User
from .permissions import Permission, demand
from .sessions import Sessions
from .state import World


@dataclass(frozen=True)
class Addresses:
    """Where this playground listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The page."""
        return f"http://{self.host}:{self.port}"

    @property
    def api(self) -> str:
        """The REST base, version 10."""
        return f"{self.url}/api/v10"

    @property
    def gateway(self) -> str:
        """The WebSocket."""
        return f"ws://{self.host}:{self.port}/gateway"


@dataclass(frozen=True)
class Core:
    """Everything with an identity; the addresses are known once the socket is bound."""

    world: World
    clock: Clock
    sessions: Sessions
    events: Events
    faults: Faults
    journal: Journal
    links: Links
    uploads: Uploads
    _addresses: list[Addresses] = field(default_factory=list)

    @property
    def addresses(self) -> Addresses:
        """Where this playground listens."""
        return self._addresses[0]

    def bound(self, addresses: Addresses) -> None:
        """Tell the parts that write links where they lead."""
        self._addresses[:] = [addresses]
        self.links.base = addresses.url


@dataclass(frozen=True)
class Call:
    """One request to the API."""

    core: Core
    request: web.Request
    form: Form
    caller: User | None
    application: Application | None

    @property
    def world(self) -> World:
        """The world, for short."""
        return self.core.world

    @property
    def params(self) -> Mapping[str, str]:
        """The parts of the path that vary."""
        return self.request.match_info

    @property
    def query(self) -> Mapping[str, str]:
        """The query string."""
        return self.request.query

    @property
    def body(self) -> Json:
        """The JSON body, `{}` if there is none."""
        return self.form.fields

    @property
    def user(self) -> User:
        """Whoever calls; raises 401 on a route that needs to know."""
        if self.caller is None:
            raise unauthorized()
        return self.caller

    @property
    def bot(self) -> Application:
        """The calling application; raises 403 for a person."""
        self.user  # noqa: B018 - 401 comes before 403
        if self.application is None:
            raise ApiError(403, 20002, "Only bots can use this endpoint")
        return self.application

    @property
    def person(self) -> User:
        """The calling person; raises 403 for a bot."""
        if self.user.bot:
            raise ApiError(403, 20001, "Bots cannot use this endpoint")
        return self.user

    def channel(self, needed: Permission = Permission.VIEW_CHANNEL) -> Channel:
        """The channel in the path, in which the caller holds `needed`; raises 10003, 50001, 50013."""
        channel = self.world.channel(self.params["channel_id"])
        demand(self.world, channel, self.user.id, needed)
        return channel

    def may_see_guild(self, guild_id: str) -> None:
        """Raise 10004 or 50001 unless the caller is a member."""
        self.world.guild(guild_id)
        if self.world.member(guild_id, self.user.id) is None:
            raise missing_access()
