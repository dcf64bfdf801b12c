"""Whether an order fits: into its person's places in the queue, and into what they and their server may use.

Read in the transaction that stores the order, so that two at once cannot both take the last of it.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from worker.accounts import Account, Allowance, Budget, Credits, Use, Whose, Window, allowed, holding, pool
from worker.api import ErrorCode, Limits, Membership, Rejected
from worker.cost import GRAINS, grains, metered
from worker.queue import ledger
from worker.queue.ledger import Payment
from worker.queue.rows import Draft

_SAID = (
    "SELECT subject, unlimited, day, month, running, waiting, weight, batch FROM allowances WHERE whose = ?"
)

UNLIMITED = Budget(unlimited=True)


@dataclass(frozen=True)
class Rules:
    """What the configuration says."""

    limits: Limits
    credits: Credits

    @cached_property
    def usual(self) -> Allowance:
        """What holds for people of whom, and of whose roles, nothing is said."""
        return holding(None, (), self.credits, self.limits)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for an order: for its person, and for the server it is made in.

    Attributes:
        person: With ``running``, ``waiting`` and ``batch`` said.
        own: What was said of this very person, if anything.
        server: What the server's people share; unlimited outside servers.
    """

    person: Allowance
    own: Allowance | None
    server: Budget


@dataclass(frozen=True, slots=True)
class _Share:
    """An allowance in one window; amounts are grains."""

    whose: Whose
    subject: int
    window: Window
    allowed: int
    used: int
    after: float  # Unix seconds: orders later than this count

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.used)


def said(db: sqlite3.Connection, whose: Whose) -> Mapping[int, Allowance]:
    """Return what was said through the bot or the command line, by Discord id."""
    rows = db.execute(_SAID, (whose,))
    return {row["subject"]: _allowance(row) for row in rows}


def said_of(db: sqlite3.Connection, whose: Whose, subject: int) -> Allowance | None:
    """Return what was said of one of them."""
    row = db.execute(_SAID + " AND subject = ?", (whose, subject)).fetchone()
    return None if row is None else _allowance(row)


def allow(
    db: sqlite3.Connection, whose: Whose, subject: int, allowance: Allowance | None
) -> Allowance | None:
    """Say what holds, or with None nothing any more; return what was said before.

    Raises:
        ValueError: It says of a server what only people have: places, a weight, batches.
    """
    before = said_of(db, whose, subject)
    db.execute("DELETE FROM allowances WHERE whose = ? AND subject = ?", (whose, subject))
    if allowance is None or allowance == Allowance():
        return before
    personal = (allowance.running, allowance.waiting, allowance.weight, allowance.batch)
    if whose is Whose.SERVER and personal != (None,) * 4:
        raise ValueError("a server has no places, weight and batches of its own")
    db.execute(
        "INSERT INTO allowances (whose, subject, unlimited, day, month, running, waiting, weight, batch)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            whose,
            subject,
            allowance.unlimited,
            allowance.day,
            allowance.month,
            allowance.running,
            allowance.waiting,
            allowance.weight,
            allowance.batch,
        ),
    )
    return before


def terms(db: sqlite3.Connection, owner_id: int, membership: Membership, rules: Rules) -> Terms:
    """Return what holds for *owner_id* as that member."""
    own = said_of(db, Whose.PERSON, owner_id)
    roles = _roles(db, membership, rules.credits)
    person = holding(own, roles, rules.credits, rules.limits) if own or roles else rules.usual
    server = UNLIMITED
    if membership.guild_id is not None:
        of_it = said_of(db, Whose.SERVER, membership.guild_id)
        server = pool(of_it or rules.credits.servers.get(membership.guild_id), rules.credits)
    if membership.exempt:
        person = person.model_copy(update={"unlimited": True})
    return Terms(person, own, server)


def check_room(db: sqlite3.Connection, owner_id: int, allowance: Allowance, *, batch: bool = False) -> None:
    """Refuse the job that would wait behind a full queue.

    A job counts as waiting once the person's running places are taken, whether by running jobs or by those
    next in line for them; so the limit means the same on a busy machine, an idle one and one whose worker is
    away. The jobs of batches take none of these places: there are as many for them as one command may make.

    Raises:
        Rejected: ``QUEUE_FULL``.
    """
    running, waiting = allowance.running or 1, allowance.waiting or 1
    if batch:
        waiting = allowance.batch or 1
        if _of_batches(db, owner_id) >= waiting:
            raise Rejected(ErrorCode.QUEUE_FULL, running=running, waiting=waiting)
        return
    row = db.execute(
        "SELECT (SELECT coalesce(sum(waiting), 0) FROM people WHERE owner_id = :owner)"
        " + (SELECT count(*) FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND owner_id = :owner)"
        " AS jobs",
        {"owner": owner_id},
    ).fetchone()
    if row["jobs"] >= running + waiting and row["jobs"] - _of_batches(db, owner_id) >= running + waiting:
        raise Rejected(ErrorCode.QUEUE_FULL, running=running, waiting=waiting)


def _of_batches(db: sqlite3.Connection, owner_id: int) -> int:
    """Return how many jobs of batches a person has under way."""
    row = db.execute(
        "SELECT (SELECT count(*) FROM jobs INDEXED BY jobs_line WHERE state = 'queued'"
        " AND speed IN ('turbo', 'fast', 'relax') AND owner_id = :owner AND batch IS NOT NULL)"
        " + (SELECT count(*) FROM jobs INDEXED BY jobs_running WHERE state = 'running' AND owner_id = :owner"
        " AND batch IS NOT NULL) AS jobs",
        {"owner": owner_id},
    ).fetchone()
    return int(row["jobs"])


def note_places(db: sqlite3.Connection, owner_id: int, allowance: Allowance, limits: Limits) -> None:
    """Write down how many jobs a person may have running, for the workers; they have a job in the queue."""
    may_run = None if allowance.running == limits.running else allowance.running
    db.execute(
        "UPDATE people SET may_run = :may_run WHERE owner_id = :owner AND may_run IS NOT :may_run",
        {"may_run": may_run, "owner": owner_id},
    )


def payment(
    db: sqlite3.Connection, draft: Draft, membership: Membership, terms: Terms, *, now: float
) -> Payment:
    """Return who pays for a job that is about to be stored.

    What the person's allowance has not got is paid by credits that were granted to them. Whoever is unlimited
    is not held up by what their server's people share, but counts in it.

    Raises:
        Rejected: ``OUT_OF_CREDIT`` or ``SERVER_OUT_OF_CREDIT``: with ``cost``, ``allowed``, ``left``,
            ``missing``, the ``window`` that is shortest, and ``refill_at`` in Unix seconds if that comes.
    """
    amount, guild_id = grains(draft.credits), membership.guild_id
    if membership.exempt or not amount or not metered(draft.speed):
        return Payment(guild_id=guild_id)
    if terms.person.unlimited:
        return Payment(metered=True, guild_id=guild_id)
    shares = _shares(db, Whose.PERSON, draft.owner_id, terms.person, now)
    granted = max((amount - share.left for share in shares), default=0)
    if granted > 0 and granted > (purse := ledger.purse(db, draft.owner_id)):
        raise _refusal(db, ErrorCode.OUT_OF_CREDIT, shares, amount, purse)
    if guild_id is not None:
        shared = _shares(db, Whose.SERVER, guild_id, terms.server, now)
        if any(share.left < amount for share in shared):
            raise _refusal(db, ErrorCode.SERVER_OUT_OF_CREDIT, shared, amount, 0)
    return Payment(metered=True, guild_id=guild_id, granted=max(0, granted))


def account(
    db: sqlite3.Connection, owner_id: int, membership: Membership, rules: Rules, *, now: float
) -> Account:
    """Return what holds for a person, and what they have used."""
    found = terms(db, owner_id, membership, rules)
    guild_id = membership.guild_id
    return Account(
        owner_id=owner_id,
        person=_uses(db, Whose.PERSON, owner_id, found.person, now),
        server={} if guild_id is None else _uses(db, Whose.SERVER, guild_id, found.server, now),
        granted=ledger.purse(db, owner_id) / GRAINS,
        running=found.person.running or rules.limits.running,
        waiting=found.person.waiting or rules.limits.waiting,
        batch=found.person.batch or rules.limits.batch,
        turbo=rules.limits.turbo,
        own=found.own,
    )


def _uses(
    db: sqlite3.Connection, whose: Whose, subject: int, budget: Budget, now: float
) -> Mapping[Window, Use]:
    return {
        window: Use(
            allowed=allowed(budget, window),
            used=ledger.used(db, whose, subject, _after(db, whose, subject, window, now)) / GRAINS,
        )
        for window in Window
    }


def _shares(
    db: sqlite3.Connection, whose: Whose, subject: int, budget: Budget, now: float
) -> Sequence[_Share]:
    """Return the windows that limit."""
    shares = []
    for window in Window:
        credits = allowed(budget, window)
        if credits is not None:
            after = _after(db, whose, subject, window, now)
            used = ledger.used(db, whose, subject, after)
            shares.append(_Share(whose, subject, window, grains(credits), used, after))
    return shares


def _after(db: sqlite3.Connection, whose: Whose, subject: int, window: Window, now: float) -> float:
    return ledger.since(db, window, subject if whose is Whose.PERSON else None, now=now)


def _refusal(
    db: sqlite3.Connection, code: ErrorCode, shares: Sequence[_Share], amount: int, purse: int
) -> Rejected:
    """Return what says which window is shortest, and when all of them have enough again."""
    short = [share for share in shares if share.left + purse < amount]
    refills = {share.window: _refill_at(db, share, amount - purse) for share in short}
    worst = min(short, key=lambda share: (refills[share.window] is not None, share.left))
    known = [at for at in refills.values() if at is not None]
    detail: dict[str, float | str] = {
        "cost": amount / GRAINS,
        "allowed": worst.allowed / GRAINS,
        "left": (worst.left + purse) / GRAINS,
        "missing": (amount - worst.left - purse) / GRAINS,
        "window": worst.window.value,
    }
    if len(known) == len(refills):
        detail["refill_at"] = ceil(max(known))
    return Rejected(code, **detail)


def _refill_at(db: sqlite3.Connection, share: _Share, amount: int) -> float | None:
    """Return when *amount* is left in a window if nothing more is ordered; None if it is never that large."""
    if amount > share.allowed:
        return None
    freed = ledger.freed_at(db, share.whose, share.subject, share.after, share.used + amount - share.allowed)
    return None if freed is None else freed + share.window.seconds


def _roles(db: sqlite3.Connection, membership: Membership, credits: Credits) -> Sequence[Allowance]:
    """Return what holds for the roles of a person; what was said replaces what is configured."""
    if not membership.role_ids:
        return ()
    every = {**credits.roles, **said(db, Whose.ROLE)}
    return [every[role] for role in membership.role_ids & every.keys()]


def _allowance(row: sqlite3.Row) -> Allowance:
    return Allowance(
        unlimited=bool(row["unlimited"]),
        day=row["day"],
        month=row["month"],
        running=row["running"],
        waiting=row["waiting"],
        weight=row["weight"],
        batch=row["batch"],
    )
