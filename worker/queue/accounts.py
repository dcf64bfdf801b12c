"""The ledger's counter: what admins and members ask of it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from worker.accounts import Account, Allowance, LedgerEntry, Whose
from worker.api import Membership
from worker.cost import GRAINS, grains
from worker.database import Database
from worker.queue import ledger, quota
from worker.queue.quota import Rules


class SqliteAccounts:
    """`Accounts` over a database."""

    def __init__(self, database: Database, *, rules: Rules, clock: Callable[[], float]) -> None:
        """Use *database*; *rules* are the configuration's, *clock* tells Unix seconds."""
        self._database = database
        self._rules = rules
        self._clock = clock

    async def account(self, owner_id: int, membership: Membership) -> Account:
        """Return what holds for *owner_id* as that member, and what they have used."""
        now = self._clock()
        return await self._database.read(
            lambda db: quota.account(db, owner_id, membership, self._rules, now=now)
        )

    async def grant(self, owner_id: int, credits: float, *, actor: str) -> float:
        """Give somebody *credits*, or take back as many as are left; return how many are left then."""
        work = partial(
            ledger.grant, owner_id=owner_id, amount=grains(credits), actor=actor, now=self._clock()
        )
        return await self._database.write(work) / GRAINS

    async def reset(self, owner_id: int, *, actor: str) -> float:
        """Let somebody's day and month begin anew; return what the month had come to."""
        work = partial(ledger.reset, owner_id=owner_id, actor=actor, now=self._clock())
        return await self._database.write(work) / GRAINS

    async def allow(self, whose: Whose, subject: int, allowance: Allowance | None) -> Allowance | None:
        """Say what holds for a person, role or server, or with None nothing; return what was said before.

        Raises:
            ValueError: It says how many jobs a server may have under way.
        """
        work = partial(quota.allow, whose=whose, subject=subject, allowance=allowance)
        return await self._database.write(work)

    async def allowances(self, whose: Whose) -> Mapping[int, Allowance]:
        """Return what was said, by Discord id."""
        return await self._database.read(partial(quota.said, whose=whose))

    async def history(self, owner_id: int, *, limit: int = 25) -> Sequence[LedgerEntry]:
        """Return somebody's newest entries first."""
        return await self._database.read(partial(ledger.history, owner_id=owner_id, limit=limit))
