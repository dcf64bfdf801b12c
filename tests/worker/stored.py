"""The statements of the store behind the interface of a simulated queue."""

import sqlite3

from parser import Speed
from tests.worker.house import PROFILE, prompt, request
from worker.api import JobId, JobState
from worker.queue import rows
from worker.queue.claims import Claim, Sitting, lease, may_lease
from worker.queue.memory import Ticket
from worker.recipe import resolve


def job_id(number: int) -> JobId:
    return JobId(f"{number:08x}-0000-4000-8000-000000000000")


class StoredQueue:
    """The statements of the store, on a database that does not wait for the disk."""

    def __init__(self, db: sqlite3.Connection, *, limit: int) -> None:
        self.db = db
        self.limit = limit
        self.tickets: dict[str, Ticket] = {}
        self.claims: dict[int, Claim] = {}

    def submit(self, ticket: Ticket) -> None:
        asked = request(quality=ticket.credits)
        draft = rows.Draft(
            id=job_id(ticket.number),
            key=str(ticket.number),
            order=prompt(quality=ticket.credits),
            request=asked,
            recipe=resolve(asked, PROFILE, seed=1),
            origin="{}",
            owner_id=ticket.owner_id,
            speed=ticket.speed,
            seed=1,
            model="tiny",
            width=128,
            height=128,
            credits=ticket.credits,
            batch="b" if ticket.batch else None,
        )
        rows.insert(self.db, draft, weight=ticket.weight, now=ticket.at)
        self.tickets[draft.id] = ticket

    def claim(self, now: float) -> Ticket | None:
        sittings = [Sitting(speed, 1, self.limit) for speed in (Speed.TURBO, Speed.FAST, Speed.RELAX)]
        promised = may_lease(self.db, worker="w", sittings=sittings, now=now)
        found = lease(self.db, worker="w", sittings=sittings, now=now)
        assert promised == bool(found.claims)
        if not found.claims:
            return None
        [claim] = found.claims
        ticket = self.tickets[claim.job.id]
        self.claims[ticket.number] = claim
        return ticket

    def finish(self, ticket: Ticket, now: float) -> None:
        self.end(ticket, JobState.SUCCEEDED, now, files=("ab/1.png",))

    def give_back(self, ticket: Ticket, now: float) -> None:
        self.end(ticket, JobState.QUEUED, now, spare=True)

    def drop(self, ticket: Ticket, now: float) -> None:
        rows.move(self.db, job_id(ticket.number), JobState.QUEUED, JobState.CANCELLED, now=now)

    def end(self, ticket: Ticket, target: JobState, now: float, **values: object) -> None:
        claim = self.claims[ticket.number]
        rows.move(
            self.db,
            claim.job.id,
            JobState.RUNNING,
            target,
            now=now,
            attempt=claim.attempt,
            **values,  # type: ignore[arg-type]
        )
