"""Where a waiting job stands."""

import sqlite3
from random import Random

import pytest

from parser import Speed
from tests.worker.stored import StoredQueue, job_id
from worker.queue import places
from worker.queue.memory import Ticket
from worker.queue.places import COUNTED, Place, place, until_drawn


def told(db: sqlite3.Connection, number: int) -> int:
    found = place(db, job_id=job_id(number))
    assert isinstance(found, Place)
    return found.place


def drawn(queue: StoredQueue) -> dict[int, int]:
    """Draw all there is and return when each was, from 1."""
    places: dict[int, int] = {}
    while (ticket := queue.claim(1.0)) is not None:
        queue.finish(ticket, 1.0)
        places[ticket.number] = len(places) + 1
    return places


@pytest.mark.parametrize("seed", range(4))
def test_a_place_says_when_a_job_is_drawn_whatever_jobs_cost_and_people_weigh(
    open_database: sqlite3.Connection, seed: int
) -> None:
    random, queue = Random(seed), StoredQueue(open_database, limit=100)
    numbers = iter(range(1, 1000))

    def order(count: int) -> list[int]:
        made = []
        for _ in range(count):
            owner, credits_ = random.randrange(6), random.choice([0.25, 0.5, 1.0, 2.0, 5.0])
            ticket = Ticket(credits_, next(numbers), owner, credits=credits_, weight=1.0 + owner % 2)
            queue.submit(ticket)
            made.append(ticket.number)
        return made

    order(15)
    drawn(queue)  # some have used more than others
    waiting = order(30)
    promised = {number: told(open_database, number) for number in waiting}
    assert promised == drawn(queue)


def test_a_job_that_an_admin_put_first_is_first(open_database: sqlite3.Connection) -> None:
    queue = StoredQueue(open_database, limit=100)
    for number in range(1, 6):
        queue.submit(Ticket(1.0, number, owner_id=number % 2))
    open_database.execute("UPDATE jobs SET promoted = 1 WHERE id = ?", (job_id(5),))
    assert [told(open_database, number) for number in (5, 1, 2)] == [1, 2, 3]


def test_a_batch_counts_the_single_jobs_before_it(open_database: sqlite3.Connection) -> None:
    queue = StoredQueue(open_database, limit=100)
    for number, owner in enumerate((1, 1, 2), 1):
        queue.submit(Ticket(1.0, number, owner, batch=True))
    for number, owner in enumerate((1, 2, 3), 4):
        queue.submit(Ticket(1.0, number, owner))
    promised = {number: told(open_database, number) for number in range(1, 7)}
    assert promised == drawn(queue)
    assert {promised[number] for number in (4, 5, 6)} == {1, 2, 3}


def test_a_place_among_very_many_jobs_of_equal_cost_is_exact_as_well(
    open_database: sqlite3.Connection,
) -> None:
    queue, people = StoredQueue(open_database, limit=100), COUNTED // 5
    for number in range(1, 6 * people + 1):
        queue.submit(Ticket(1.0, number, owner_id=number % people))
    assert [told(open_database, number) for number in (1, people, people + 1, 6 * people)] == [
        1,
        people,
        people + 1,
        6 * people,
    ]


@pytest.mark.parametrize("batch", [False, True])
def test_a_place_behind_very_many_people_is_said_to_be_far_and_not_counted(
    open_database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, *, batch: bool
) -> None:
    monkeypatch.setattr(places, "FAR", 5)
    queue = StoredQueue(open_database, limit=100)
    queue.submit(Ticket(1.0, 1, owner_id=0))
    queue.finish(queue.claim(1.0), 1.0)  # type: ignore[arg-type]
    open_database.execute("UPDATE jobs SET device_seconds = 2.0")
    for number in range(2, 8):
        queue.submit(Ticket(1.0, number, owner_id=number))
    queue.submit(Ticket(1.0, 8, owner_id=0, batch=batch))
    queue.submit(Ticket(1.0, 9, owner_id=9, speed=Speed.RELAX))
    assert place(open_database, job_id=job_id(7)) == Place(6, 10.0)
    assert place(open_database, job_id=job_id(8)) == Place(6, None, far=True)
    assert place(open_database, job_id=job_id(9)) == Place(1, None)  # of its lane; too many wait above
    assert until_drawn(open_database, Speed.TURBO, 3) == 6.0
    assert until_drawn(open_database, Speed.FAST, 3) is None


def test_a_job_that_does_not_wait_has_no_place(open_database: sqlite3.Connection) -> None:
    queue = StoredQueue(open_database, limit=100)
    queue.submit(Ticket(1.0, 1, owner_id=1))
    queue.claim(1.0)
    assert place(open_database, job_id=job_id(1)) is None
    assert place(open_database, job_id=job_id(2)) is None
