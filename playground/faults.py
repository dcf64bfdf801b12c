"""The switchboard of failures: which requests fail how, and how often."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import Field

from .errors import ApiError, missing_access, missing_permissions, unknown
from .models import Value


class FaultKind(StrEnum):
    """What goes wrong."""

    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    DELAY = "delay"
    MISSING_PERMISSIONS = "missing_permissions"
    MISSING_ACCESS = "missing_access"
    UNKNOWN_MESSAGE = "unknown_message"


class Fault(Value):
    """One switch.

    `method` and `route` are matched as shell patterns; the route is the path behind `/api/v10`, so
    `/channels/*/messages` is every new message. `count` requests are hit, None means all. `after_store`
    lets the request do its work first, as when Discord fails on the way back. `seconds` is the
    `retry_after` of a rate limit and the length of a delay. `everywhere` makes a rate limit global.
    """

    kind: FaultKind
    method: str = "*"
    route: str = "*"
    count: int | None = Field(default=1, ge=1)
    after_store: bool = False
    status: int = Field(default=500, ge=500, le=599)
    seconds: float = Field(default=0.1, ge=0)
    everywhere: bool = False

    def refusal(self) -> ApiError | None:
        """The answer the fault forces, if it is one that refuses."""
        match self.kind:
            case FaultKind.RATE_LIMIT:
                return self._rate_limited()
            case FaultKind.SERVER_ERROR:
                return ApiError(self.status, 0, f"{self.status}: Internal Server Error")
            case FaultKind.MISSING_PERMISSIONS:
                return missing_permissions()
            case FaultKind.MISSING_ACCESS:
                return missing_access()
            case FaultKind.UNKNOWN_MESSAGE:
                return unknown("Message")
            case _:
                return None

    def _rate_limited(self) -> ApiError:
        headers = {
            "Via": "1.1 playground",
            "Retry-After": str(self.seconds),
            "X-RateLimit-Scope": "global" if self.everywhere else "user",
        }
        if self.everywhere:
            headers["X-RateLimit-Global"] = "true"
        extra = {"retry_after": self.seconds, "global": self.everywhere}
        return ApiError(429, 0, "You are being rate limited.", extra=extra, headers=headers)


class Faults:
    """The switches that are set, by number. First set, first used."""

    def __init__(self) -> None:
        self._set: dict[int, Fault] = {}
        self._numbers = itertools.count(1)
        self.refused_connections = 0

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        return iter(list(self._set.items()))

    def add(self, fault: Fault) -> int:
        """Set a switch; the number takes it off again."""
        number = next(self._numbers)
        self._set[number] = fault
        return number

    def remove(self, number: int) -> None:
        """Take one off, if it is still set."""
        self._set.pop(number, None)

    def clear(self) -> None:
        """Take all off; gateway connections are accepted again."""
        self._set.clear()
        self.refused_connections = 0

    def hit(self, method: str, route: str) -> Fault | None:
        """The fault for a request, counted down."""
        for number, fault in self._set.items():
            if fnmatchcase(method, fault.method) and fnmatchcase(route, fault.route):
                if fault.count is not None:
                    self._count_down(number, fault, fault.count)
                return fault
        return None

    def _count_down(self, number: int, fault: Fault, left: int) -> None:
        if left == 1:
            del self._set[number]
        else:
            self._set[number] = fault.model_copy(update={"count": left - 1})

    def refuse_connections(self, count: int) -> None:
        """Answer the next `count` gateway handshakes with 503."""
        self.refused_connections = count

    def refuses_connection(self) -> bool:
        """Whether this handshake is one of them."""
        if self.refused_connections:
            self.refused_connections -= 1
            return True
        return False
