"""Accounts: who may use how much, and what they have used. Beside `worker.api`; pure.

Amounts are in credits (see `worker.cost`), in multiples of a thousandth. Windows roll: a day is the last 24
hours, a month the last 30 days, and a job counts from the moment it was ordered.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field

from worker.api import Frozen, Limits

MOST_CREDITS = 1e9
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 10.0
MOST_BATCH = 40  # jobs one command may make
Amount = Annotated[float, Field(ge=0, le=MOST_CREDITS)]  # credits


class Whose(StrEnum):
    """What an allowance is about. The text is the database value."""

    PERSON = "person"
    ROLE = "role"  # each of those who have it
    SERVER = "server"  # all its people together


class Window(StrEnum):
    """What an allowance is counted over."""

    DAY = "day"
    MONTH = "month"

    @property
    def seconds(self) -> float:
        """Its length."""
        return {Window.DAY: 24 * 3600.0, Window.MONTH: 30 * 24 * 3600.0}[self]


class Budget(Frozen):
    """How many credits somebody may use; None where nothing is said."""

    unlimited: bool = False  # no day and no month hold
    day: Amount | None = None  # in the last 24 hours
    month: Amount | None = None  # in the last 30 days


class Allowance(Budget):
    """How much a person may use, or each of those with a role."""

    running: int | None = Field(default=None, ge=1)  # jobs drawn at the same time
    waiting: int | None = Field(default=None, ge=1)  # jobs in the queue behind those
    weight: float | None = Field(
        default=None, ge=LEAST_WEIGHT, le=MOST_WEIGHT
    )  # share of a busy device; 1 where not said
    batch: int | None = Field(default=None, ge=1, le=MOST_BATCH)  # jobs one command may make


class Credits(Frozen):
    """What the configuration allows; what admins say of the same subject replaces it."""

    day: Amount | None = None  # credits of one person in 24 hours; unlimited where not said
    month: Amount | None = None  # credits of one person in 30 days
    server_day: Amount | None = None  # credits of all people of one server together, in 24 hours
    server_month: Amount | None = None  # likewise in 30 days
    roles: Mapping[int, Allowance] = Field(default_factory=dict)  # for those with a role, by its Discord id
    servers: Mapping[int, Budget] = Field(default_factory=dict)  # of one server, by its Discord id


class Use(Frozen):
    """An allowance in one window."""

    allowed: float | None  # None: unlimited
    used: float

    @property
    def left(self) -> float | None:
        """What may still be used; None: any amount."""
        return None if self.allowed is None else max(0.0, round(self.allowed - self.used, 3))


class Account(Frozen):
    """What holds for a person, and what they have used."""

    owner_id: int
    person: Mapping[Window, Use]
    server: Mapping[Window, Use]  # of the server asked about; empty outside servers
    granted: float  # credits left of those an admin gave; used when the person's allowance is
    running: int  # jobs at the same time
    waiting: int  # jobs behind those
    batch: int  # jobs one command may make
    turbo: bool  # whether the turbo lane is open to them
    own: Allowance | None  # what was said of this very person


def holding(
    own: Allowance | None, roles: Iterable[Allowance], everybody: Credits, limits: Limits
) -> Allowance:
    """Return what holds for a person: ``running``, ``waiting`` and ``batch`` are always said.

    What was said of the person comes first, then the most generous of their roles, then what holds for
    everybody. Whoever is said to have a day or a month of their own is not unlimited by a role.
    """
    own, roles = own or Allowance(), tuple(roles)
    limited = own.day is not None or own.month is not None
    return Allowance(
        unlimited=own.unlimited or (not limited and any(role.unlimited for role in roles)),
        day=_first(own.day, _most(role.day for role in roles), everybody.day),
        month=_first(own.month, _most(role.month for role in roles), everybody.month),
        running=_first(own.running, _most(role.running for role in roles), limits.running),
        waiting=_first(own.waiting, _most(role.waiting for role in roles), limits.waiting),
        weight=_first(own.weight, _most(role.weight for role in roles)),
        batch=_first(own.batch, _most(role.batch for role in roles), limits.batch),
    )


def pool(said: Budget | None, everybody: Credits) -> Budget:
    """Return what the people of one server share."""
    said = said or Budget()
    return Budget(
        unlimited=said.unlimited,
        day=_first(said.day, everybody.server_day),
        month=_first(said.month, everybody.server_month),
    )


def allowed(budget: Budget, window: Window) -> float | None:
    """Return the credits of *window*, None where any number may be used."""
    if budget.unlimited:
        return None
    return budget.day if window is Window.DAY else budget.month


_N = TypeVar("_N", int, float)


def _first(*said: _N | None) -> _N | None:
    return next((each for each in said if each is not None), None)


def _most(said: Iterable[_N | None]) -> _N | None:
    return max((each for each in said if each is not None), default=None)
