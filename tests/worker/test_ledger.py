"""Whatever happens to jobs, the ledger balances, and says what a few lines of plain Python say."""

import asyncio
import sqlite3
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from parser import Speed
from tests.worker.house import House, house_in, prompt
from worker.accounts import Credits, Window
from worker.api import ErrorCode, JobId, JobState, Limits, Membership, Progress, Rejected
from worker.lock import FileLock, worker_lock
from worker.queue.balance import imbalances
from worker.queue.rows import StaleJob
from worker.queue.store import Claim
from worker.queue.upkeep import TAKE_BACK_SECONDS

LIMITS = Limits(running=3, waiting=100, turbo=True)
CREDITS = Credits(day=1, month=2.5, server_day=6)
OWNERS, SERVERS = (1, 2), (None, 10)


@dataclass
class Bill:
    """What the model knows of an order."""

    owner: int
    server: int | None
    at: float
    cost: float
    metered: bool
    granted: float
    fraction: float = 0.0
    settled: bool = False
    charged: float = 0.0

    @property
    def counted(self) -> float:
        """What it adds to what was used, whoever pays."""
        return (self.charged if self.settled else self.cost) if self.metered else 0.0

    @property
    def from_grants(self) -> float:
        return max(0.0, self.granted - (self.cost - self.counted))


class LedgerMachine(RuleBasedStateMachine):
    """Drives the real queue over a real file and the model side by side."""

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.lock = FileLock(worker_lock(Path(self.folder.name), "w"))
        self.lock.acquire()
        opened = house_in(Path(self.folder.name), limits=LIMITS, credits=CREDITS)
        self.house: House = self.run(self.stack.enter_async_context(opened))
        self.bills: dict[JobId, Bill] = {}
        self.claims: list[Claim] = []
        self.grants = dict.fromkeys(OWNERS, 0.0)
        self.resets = dict.fromkeys(OWNERS, 0.0)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.lock.release()
        self.folder.cleanup()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def used(self, owner: int, window: Window) -> float:
        since = max(self.house.clock() - window.seconds, self.resets[owner])
        mine = [bill for bill in self.bills.values() if bill.owner == owner and bill.at > since]
        return sum(bill.counted - bill.from_grants for bill in mine)

    def shared(self, server: int) -> float:
        since = self.house.clock() - Window.DAY.seconds
        return sum(bill.counted for bill in self.bills.values() if bill.server == server and bill.at > since)

    def purse(self, owner: int) -> float:
        return self.grants[owner] - sum(b.from_grants for b in self.bills.values() if b.owner == owner)

    @rule(
        owner=st.sampled_from(OWNERS),
        server=st.sampled_from(SERVERS),
        speed=st.sampled_from(list(Speed)),
        quality=st.sampled_from([0.25, 1, 2, 5]),
    )
    def submit(self, owner: int, server: int | None, speed: Speed, quality: float) -> None:
        cost = quality * (2 if speed is Speed.TURBO else 1)
        left = min(
            max(0, CREDITS.day - self.used(owner, Window.DAY)),
            max(0, CREDITS.month - self.used(owner, Window.MONTH)),
        )
        granted = max(0.0, round(cost - left, 3))
        enough = granted <= self.purse(owner) + 1e-6
        room = server is None or self.shared(server) + cost <= CREDITS.server_day + 1e-6
        metered = speed is not Speed.RELAX
        try:
            job = self.run(
                self.house.desk.submit(
                    prompt(speed=speed, quality=quality),
                    owner_id=owner,
                    key=f"key {next(self.house.keys)}",
                    origin="{}",
                    membership=Membership(guild_id=server),
                )
            )
        except Rejected as refusal:
            code = refusal.code
        else:
            code = None
            granted = granted if metered else 0.0
            self.bills[job.id] = Bill(owner, server, self.house.clock(), cost, metered, granted)
        if (enough and room) or not metered:
            assert code is None
        else:
            assert code is (ErrorCode.SERVER_OUT_OF_CREDIT if enough else ErrorCode.OUT_OF_CREDIT)

    @rule(owner=st.sampled_from(OWNERS), amount=st.sampled_from([4.0, 2.0, -1.0]))
    def grant(self, owner: int, amount: float) -> None:
        before = self.purse(owner)
        left = self.run(self.house.grant(owner, amount))
        assert left == pytest.approx(max(0.0, before + amount))
        self.grants[owner] += left - before

    @rule(owner=st.sampled_from(OWNERS))
    def reset(self, owner: int) -> None:
        self.run(self.house.reset(owner))
        self.resets[owner] = self.house.clock()

    @rule(places=st.integers(1, 12))
    def claim(self, places: int) -> None:
        self.claims += self.run(self.house.store.claim("w", dict.fromkeys(Speed, places)))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), fraction=st.floats(0, 1))
    def progress(self, data: st.DataObject, fraction: float) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        row = Progress(job_id=claim.job.id, fraction=fraction, at=self.house.clock())
        self.run(self.house.store.report([row]))
        if self.state(claim.job.id) is JobState.RUNNING:
            self.bills[claim.job.id].fraction = fraction

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), outcome=st.sampled_from(["succeed", "fail", "retry", "cancelled", "hand back"]))
    def settle(self, data: st.DataObject, outcome: str) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        try:
            self.run(self.report(claim, outcome))
        except StaleJob:
            return
        self.note(claim.job.id)

    @rule(looks=st.sampled_from([1, 7]))
    def expire(self, looks: int) -> None:
        self.run(self.house.watch(looks * TAKE_BACK_SECONDS))
        self.note_all()

    @rule()
    def die(self) -> None:
        """The worker is killed; another takes its place."""
        self.lock.release()
        self.run(self.house.upkeep.take_back())
        self.lock.acquire()
        self.note_all()

    @rule(hours=st.sampled_from([1, 11, 24, 300]))
    def pass_time(self, hours: int) -> None:
        self.house.clock.advance(hours * 3600 + 0.5)

    @precondition(lambda self: self.bills)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.bills)))
        if self.state(job_id) is not None:
            self.run(self.house.desk.cancel(job_id))
            self.note(job_id)

    @precondition(lambda self: self.bills)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.bills)))
        if self.bills[job_id].settled and self.state(job_id) is not None:
            self.run(self.house.desk.delete(job_id))

    def state(self, job_id: JobId) -> JobState | None:
        def look(db: sqlite3.Connection) -> JobState | None:
            row = db.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
            return None if row is None else JobState(row["state"])

        found: JobState | None = self.run(self.house.database.read(look))
        return found

    def note_all(self) -> None:
        for job_id, bill in self.bills.items():
            if not bill.settled:
                self.note(job_id)

    def note(self, job_id: JobId) -> None:
        """Work out what a job that has changed came to."""
        bill, state = self.bills[job_id], self.state(job_id)
        if bill.settled or state is None:
            return
        if state.final:
            done = bill.fraction if state is JobState.CANCELLED else float(state is JobState.SUCCEEDED)
            bill.settled, bill.charged = True, round(bill.cost * 1000 * done) / 1000
        elif state is JobState.QUEUED:
            bill.fraction = 0.0

    async def report(self, claim: Claim, outcome: str) -> None:
        store, claim_id = self.house.store, (claim.job.id, claim.attempt)
        match outcome:
            case "succeed":
                await store.succeed(claim_id, (f"{claim.job.id[:2]}/{claim.job.id}/1.png",), 1.0)
            case "cancelled":
                await store.cancelled(claim_id)
            case "hand back":
                await store.hand_back(claim_id)
            case _:
                await store.fail(claim_id, ErrorCode.ENGINE_FAILED, retryable=outcome == "retry")

    @invariant()
    def balances(self) -> None:
        assert self.run(self.house.database.read(imbalances)) == []

    @invariant()
    def agrees(self) -> None:
        for owner in OWNERS:
            account = self.run(self.house.desk.account(owner, Membership(guild_id=10)))
            for window in Window:
                assert account.person[window].used == pytest.approx(self.used(owner, window), abs=1e-6)
            assert account.granted == pytest.approx(self.purse(owner), abs=1e-6)
            assert account.server[Window.DAY].used == pytest.approx(self.shared(10), abs=1e-6)


LedgerMachine.TestCase.settings = settings(
    max_examples=6, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLedgerAgainstItsModel = LedgerMachine.TestCase
