"""Any sequence of calls leaves the queue as a few lines of plain Python say it must be."""

import asyncio
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from parser import Speed
from tests.worker.house import House, house_in
from worker.api import LANES, TRANSITIONS, ErrorCode, JobId, JobState, Limits, Rejected
from worker.lock import FileLock, worker_lock
from worker.queue.claims import ATTEMPTS, LEASE_SECONDS, RETRY_SECONDS, Claim
from worker.queue.fairness import RULES, LaneTime, charged, entered
from worker.queue.rows import StaleJob
from worker.queue.upkeep import TAKE_BACK_SECONDS

LIMITS = Limits(running=2, waiting=3, turbo=True)
OWNERS = (1, 2, 3)


@dataclass
class Entry:
    """What the model knows of a job."""

    number: int
    owner: int
    speed: Speed
    steps: int
    at: float
    state: JobState = JobState.QUEUED
    attempt: int = 0
    used: int = 0
    flagged: bool = False
    lease: float = 0.0
    looks: int = 0  # at the lease as it is
    retry_at: float = 0.0

    @property
    def share(self) -> float:
        return self.steps / 100 * (2 if self.speed is Speed.TURBO else 1)


@dataclass
class Stand:
    """Where one person stands in one lane."""

    start: float = 0.0
    since: float = -inf
    joined: int = 0


@dataclass
class Model:
    """The queue in plain Python."""

    jobs: dict[JobId, Entry] = field(default_factory=dict)
    stands: dict[tuple[int, Speed], Stand] = field(default_factory=lambda: defaultdict(Stand))
    lanes: dict[Speed, LaneTime] = field(default_factory=lambda: dict.fromkeys(LANES, LaneTime()))

    def queued(self, owner: int, speed: Speed, now: float = inf) -> list[JobId]:
        line = [
            (entry.steps, entry.number, job_id)
            for job_id, entry in self.jobs.items()
            if (entry.state, entry.owner, entry.speed) == (JobState.QUEUED, owner, speed)
            and entry.retry_at <= now
        ]
        return [job_id for *_, job_id in sorted(line)]

    def running(self, owner: int) -> int:
        return sum(e.state is JobState.RUNNING and e.owner == owner for e in self.jobs.values())

    def submit(self, job_id: JobId, entry: Entry) -> None:
        if not self.queued(entry.owner, entry.speed):
            self.recall(entry.owner, entry.speed, entry.at)
        self.jobs[job_id] = entry
        self.enter(job_id)

    def recall(self, owner: int, speed: Speed, now: float) -> None:
        """Forget a part of what was used, as of an empty line."""
        stand = self.stands[owner, speed]
        stand.start = entered(stand.start, now - stand.since, self.lanes[speed].clock, RULES[speed])

    def enter(self, job_id: JobId) -> None:
        """Put a job (back) into its line."""
        entry = self.jobs[job_id]
        if not [other for other in self.queued(entry.owner, entry.speed) if other != job_id]:
            stand = self.stands[entry.owner, entry.speed]
            stand.joined, stand.since = entry.number, entry.at
        entry.state = JobState.QUEUED

    def claim(self, places: int, now: float) -> list[JobId]:
        claimed: list[JobId] = []
        for speed in LANES:
            while len(claimed) * 4 < places:
                ready = [o for o in OWNERS if self.queued(o, speed, now) and self.running(o) < LIMITS.running]
                if not ready:
                    break
                stands = {o: self.stands[o, speed] for o in ready}
                old = [o for o in ready if stands[o].since <= now - RULES[speed].patience]
                by_age = bool(old) and not self.lanes[speed].by_age
                if by_age:
                    owner = min(old, key=lambda o: (stands[o].since, stands[o].joined))
                    job_id = min(self.queued(owner, speed, now), key=lambda each: self.jobs[each].number)
                else:
                    owner = min(ready, key=lambda o: (stands[o].start, stands[o].joined))
                    job_id = self.queued(owner, speed, now)[0]
                self.serve(self.jobs[job_id], now, by_age=by_age)
                claimed.append(job_id)
        return claimed

    def serve(self, entry: Entry, now: float, *, by_age: bool) -> None:
        entry.state, entry.lease, entry.looks = JobState.RUNNING, now + LEASE_SECONDS, 0
        entry.attempt += 1
        entry.used += 1
        owner, speed, stand = entry.owner, entry.speed, self.stands[entry.owner, entry.speed]
        clock = self.lanes[speed].clock
        self.lanes[speed] = LaneTime(clock if by_age else max(clock, stand.start), by_age)
        stand.start = charged(stand.start, entry.share, self.lanes[speed].clock, RULES[speed])
        stand.since = now
        if speed is not Speed.RELAX:
            relax = self.stands[owner, Speed.RELAX]
            if not self.queued(owner, Speed.RELAX):
                self.recall(owner, Speed.RELAX, now)
                relax.since = now
            relax.start += entry.share

    def give_back(self, entry: Entry) -> None:
        for speed in {entry.speed, Speed.RELAX}:
            self.stands[entry.owner, speed].start -= entry.share

    def retry(self, job_id: JobId, *, worth_it: bool, retry_at: float = 0.0, spared: bool = False) -> None:
        entry = self.jobs[job_id]
        if spared:
            self.give_back(entry)
        entry.retry_at = retry_at
        if entry.flagged:
            if not spared:
                self.give_back(entry)
            entry.state = JobState.CANCELLED
        elif worth_it and entry.used < ATTEMPTS:
            self.enter(job_id)
        else:
            entry.state = JobState.FAILED


class QueueMachine(RuleBasedStateMachine):
    """Drives the real queue over a real file and the model side by side."""

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.lock = FileLock(worker_lock(Path(self.folder.name), "w"))
        self.lock.acquire()
        opened = self.stack.enter_async_context(house_in(Path(self.folder.name), limits=LIMITS))
        self.house: House = self.run(opened)
        self.model = Model()
        self.claims: list[Claim] = []

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.lock.release()
        self.folder.cleanup()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @rule(owner=st.sampled_from(OWNERS), speed=st.sampled_from(LANES), stop=st.sampled_from([50, 100]))
    def submit(self, owner: int, speed: Speed, stop: int) -> None:
        active = [e for e in self.model.jobs.values() if e.owner == owner and not e.state.final]
        full = len(active) == LIMITS.running + LIMITS.waiting
        try:
            job = self.run(self.house.submit(owner, speed=speed, stop=stop))
        except Rejected:
            assert full
            return
        assert not full
        entry = Entry(len(self.model.jobs) + 1, owner, speed, stop, self.house.clock())
        self.model.submit(job.id, entry)

    @rule(places=st.integers(1, 12))
    def claim(self, places: int) -> None:
        claims = self.run(self.house.store.claim("w", dict.fromkeys(LANES, places)))
        assert [claim.job.id for claim in claims] == self.model.claim(places, self.house.clock())
        self.claims += claims

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), outcome=st.sampled_from(["succeed", "fail", "retry", "cancelled", "hand back"]))
    def settle(self, data: st.DataObject, outcome: str) -> None:
        """Report on any claim there ever was: those that are no longer theirs are refused."""
        claim = data.draw(st.sampled_from(self.claims))
        entry = self.model.jobs[claim.job.id]
        owned = entry.state is JobState.RUNNING and entry.attempt == claim.attempt
        try:
            self.run(self.report(claim, outcome))
        except StaleJob:
            assert not owned
            return
        assert owned
        if outcome == "succeed":
            entry.state = JobState.SUCCEEDED
        elif outcome == "cancelled":
            self.model.give_back(entry)
            entry.state = JobState.CANCELLED
        elif outcome == "hand back":
            entry.used -= 1
            self.model.retry(claim.job.id, worth_it=True, spared=True)
        else:
            retry_at = self.house.clock() + RETRY_SECONDS * entry.used
            self.model.retry(claim.job.id, worth_it=outcome == "retry", retry_at=retry_at)

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

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.model.jobs)))
        entry = self.model.jobs[job_id]
        if entry.state is JobState.QUEUED:
            entry.state = JobState.CANCELLED
        elif entry.state is JobState.RUNNING:
            entry.flagged = True
            if entry.lease < self.house.clock():
                self.model.give_back(entry)
                entry.state = JobState.CANCELLED
        job = self.run(self.house.desk.cancel(job_id))
        assert (job.state, job.cancel_requested) == (entry.state, entry.flagged)

    @rule()
    def heartbeat(self) -> None:
        own = [(claim.job.id, claim.attempt) for claim in self.claims]
        beat = self.run(self.house.store.heartbeat("w", own))
        running = {job_id for job_id, entry in self.model.jobs.items() if entry.state is JobState.RUNNING}
        for job_id in running:
            entry, lease = self.model.jobs[job_id], self.house.clock() + LEASE_SECONDS
            entry.looks = entry.looks if entry.lease == lease else 0
            entry.lease = lease
        assert {job_id for job_id, _ in own} - running <= beat.lost
        if own:
            assert beat.cancel_requested == {job_id for job_id in running if self.model.jobs[job_id].flagged}

    @rule(seconds=st.sampled_from([300.0, 3000.0]))
    def rest(self, seconds: float) -> None:
        """Let time pass that nobody watches."""
        self.house.clock.advance(seconds)

    @rule(looks=st.sampled_from([1, 2, 7]))
    def wait(self, looks: int) -> None:
        self.run(self.house.watch(looks * TAKE_BACK_SECONDS))
        for job_id, entry in self.model.jobs.items():
            entry.looks += looks
            if entry.state is JobState.RUNNING and (entry.looks - 1) * TAKE_BACK_SECONDS >= LEASE_SECONDS:
                entry.used -= 1
                self.model.retry(job_id, worth_it=True, spared=True)

    @invariant()
    def agree(self) -> None:
        rows, waiting, events = self.run(self.house.database.read(contents))
        assert rows == {
            job_id: (entry.state, entry.attempt, entry.used) for job_id, entry in self.model.jobs.items()
        }
        starts = self.run(self.house.database.read(starts_of))
        assert starts == {line: pytest.approx(self.model.stands[line].start) for line in starts}
        lines = {(o, s): len(self.model.queued(o, s)) for o in OWNERS for s in LANES}
        assert waiting == {line: count for line, count in lines.items() if count}
        for job_id, states in events.items():
            assert states[0] is JobState.QUEUED
            assert all(after in TRANSITIONS[before] for before, after in pairwise(states))
            assert states[-1] is self.model.jobs[job_id].state


def starts_of(db: sqlite3.Connection) -> dict[Any, float]:
    rows = db.execute("SELECT owner_id, speed, start FROM people")
    return {(row["owner_id"], row["speed"]): row["start"] for row in rows}


def contents(db: sqlite3.Connection) -> tuple[dict[str, Any], dict[Any, int], dict[JobId, list[JobState]]]:
    rows = {
        row["id"]: (row["state"], row["attempt"], row["attempt"] - row["spared"])
        for row in db.execute("SELECT id, state, attempt, spared FROM jobs")
    }
    people = db.execute("SELECT owner_id, speed, waiting FROM people WHERE waiting > 0")
    waiting = {(row["owner_id"], row["speed"]): row["waiting"] for row in people}
    events: dict[JobId, list[JobState]] = {}
    for row in db.execute("SELECT job_id, state FROM job_events ORDER BY id"):
        events.setdefault(row["job_id"], []).append(JobState(row["state"]))
    return rows, waiting, events


QueueMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestQueueAgainstItsModel = QueueMachine.TestCase
