"""What people, roles and servers may use, and what is taken for jobs."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parser import Speed
from tests.worker.house import PLENTY, House, house_in, prompt
from worker.accounts import Allowance, Budget, Credits, Whose, Window, holding, pool
from worker.admin import AdminCode, AdminError
from worker.allotment import FOR_PEOPLE, allotted
from worker.api import (
    Cell,
    ErrorCode,
    Job,
    JobId,
    JobState,
    Limits,
    Membership,
    Progress,
    Rejected,
    Upscale,
)
from worker.deeds import SetQuota
from worker.queue import ledger
from worker.queue.balance import imbalances
from worker.queue.rows import move

HOUR, DAY, MONTH = 3600.0, Window.DAY.seconds, Window.MONTH.seconds
ARTISTS, GUILD = 700, 10


def member(*roles: int, guild: int | None = GUILD) -> Membership:
    return Membership(guild_id=guild, role_ids=frozenset(roles))


MEMBER = member()


async def order(house: House, membership: Membership = MEMBER, owner_id: int = 1, **typed: object) -> Job:
    key = f"key {next(house.keys)}"
    return await house.desk.submit(
        prompt(**typed), owner_id=owner_id, key=key, origin="{}", membership=membership
    )


async def refusal(house: House, membership: Membership = MEMBER, **typed: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        await order(house, membership, **typed)
    return caught.value


async def used(house: House, window: Window = Window.DAY, owner_id: int = 1) -> float:
    return (await house.desk.account(owner_id, member())).person[window].used


async def entries(house: House, job_id: JobId) -> dict[str, int]:
    def look(db: sqlite3.Connection) -> dict[str, int]:
        rows = db.execute("SELECT kind, amount FROM ledger WHERE job_id = ?", (job_id,))
        return {row["kind"]: row["amount"] for row in rows}

    return await house.database.read(look)


@pytest.fixture
def credits() -> Credits:
    return Credits(day=2, month=3)


@pytest.fixture
async def rationed(tmp_path: Path, credits: Credits) -> AsyncIterator[House]:
    async with house_in(tmp_path, credits=credits, limits=Limits(waiting=50)) as opened:
        yield opened
        assert await opened.database.read(imbalances) == []


# -- what a job takes ------------------------------------------------------------------------------------


async def test_an_order_reserves_and_its_success_charges_all_of_it(house: House) -> None:
    job = await order(house, quality=2)
    assert await entries(house, job.id) == {"reserve": 2000}
    [claim] = await house.claim()
    await house.finish(claim)
    assert await entries(house, job.id) == {"reserve": 2000, "charge": 2000}
    assert await used(house) == 2


async def test_a_failure_costs_nothing(house: House) -> None:
    job = await order(house)
    [claim] = await house.claim()
    await house.store.fail((job.id, claim.attempt), ErrorCode.ENGINE_FAILED, retryable=False)
    assert await entries(house, job.id) == {"reserve": 1000, "refund": 1000}
    assert await used(house) == 0


async def test_a_cancel_midway_charges_what_was_drawn_and_refunds_the_rest(house: House) -> None:
    job = await order(house)
    await house.claim()
    await house.store.report([Progress(job_id=job.id, fraction=0.3, at=house.clock())])
    await house.desk.cancel(job.id)
    assert await entries(house, job.id) == {"reserve": 1000, "charge": 300, "refund": 700}
    assert await used(house) == pytest.approx(0.3)


async def test_a_waiting_job_that_is_cancelled_costs_nothing(house: House) -> None:
    job = await order(house)
    await house.desk.cancel(job.id)
    assert await entries(house, job.id) == {"reserve": 1000, "refund": 1000}


async def test_a_job_drawn_three_times_costs_once(house: House) -> None:
    job = await order(house)
    [claim] = await house.claim()
    await house.store.report([Progress(job_id=job.id, fraction=0.9, at=house.clock())])
    await house.store.hand_back((job.id, claim.attempt))
    [claim] = await house.claim()
    await house.store.fail((job.id, claim.attempt), ErrorCode.ENGINE_FAILED, retryable=True)
    house.clock.advance(60)
    [claim] = await house.claim()
    await house.finish(claim)
    assert await entries(house, job.id) == {"reserve": 1000, "charge": 1000}


async def test_the_same_key_reserves_once(house: House) -> None:
    for _ in range(3):
        await house.desk.submit(prompt(), owner_id=1, key="k", origin="", membership=member())
    assert await used(house) == 1


async def test_cells_are_free_even_when_they_must_be_drawn_again(house: House) -> None:
    grid = await house.drawn()
    cell = await house.desk.submit(Cell(source=grid.id, index=1), owner_id=1, key="u", origin="")
    house.images.remove(grid.id)
    again = await house.desk.submit(Cell(source=grid.id, index=2), owner_id=1, key="v", origin="")
    assert [await entries(house, job.id) for job in (cell, again)] == [{}, {}]
    await house.finish((await house.claim())[0])
    upscale = await house.desk.submit(Upscale(source=again.id), owner_id=1, key="x", origin="")
    assert await entries(house, upscale.id) == {"reserve": 100}


async def test_a_job_is_settled_in_the_transaction_that_ends_it(house: House) -> None:
    job = await order(house)

    def interrupted(db: sqlite3.Connection) -> None:
        move(db, job.id, JobState.QUEUED, JobState.CANCELLED, now=1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await house.database.write(interrupted)
    assert await entries(house, job.id) == {"reserve": 1000}
    assert await house.database.read(imbalances) == []


async def test_a_deleted_job_leaves_its_entries(house: House) -> None:
    job = await order(house)
    [claim] = await house.claim()
    await house.finish(claim)
    await house.desk.delete(job.id)
    assert await used(house) == 1
    assert await house.database.read(imbalances) == []


async def test_an_entry_cannot_be_changed(house: House) -> None:
    await order(house)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await house.database.write(lambda db: db.execute("UPDATE ledger SET amount = 0"))


# -- who may ---------------------------------------------------------------------------------------------


async def test_the_last_credit_is_given_once_and_the_refusal_says_what_is_missing(rationed: House) -> None:
    await order(rationed)
    started = rationed.clock()
    rationed.clock.advance(HOUR)
    await order(rationed, quality=0.5)
    error = await refusal(rationed)
    assert error.code is ErrorCode.OUT_OF_CREDIT
    assert error.detail == {
        "cost": 1.0,
        "allowed": 2.0,
        "left": 0.5,
        "missing": 0.5,
        "window": "day",
        "refill_at": started + DAY,
    }
    assert len(await rationed.desk.recent()) == 2


@pytest.mark.parametrize("credits", [Credits(day=2, month=30)])
async def test_enough_is_back_at_the_second_that_was_said(rationed: House) -> None:
    await order(rationed)
    rationed.clock.advance(7)
    await order(rationed)
    rationed.clock.advance(5 * HOUR)
    assert (await refusal(rationed)).detail["refill_at"] == rationed.clock() - 5 * HOUR - 7 + DAY
    refill_at = float((await refusal(rationed, quality=2)).detail["refill_at"])
    assert refill_at == rationed.clock() - 5 * HOUR + DAY
    rationed.clock.now = refill_at - 0.5
    await refusal(rationed, quality=2)
    rationed.clock.now = refill_at
    await order(rationed, quality=2)


async def test_enough_is_back_when_every_window_has_it(rationed: House) -> None:
    await order(rationed, quality=2)
    started = rationed.clock()
    rationed.clock.advance(DAY)
    await order(rationed)
    error = await refusal(rationed)
    assert (error.detail["window"], error.detail["refill_at"]) == ("month", started + MONTH)


async def test_what_never_fits_has_no_time(rationed: House) -> None:
    error = await refusal(rationed, quality=5)
    assert "refill_at" not in error.detail
    assert (error.detail["window"], error.detail["missing"]) == ("day", 3.0)


async def test_relax_needs_no_credits_and_is_recorded(rationed: House) -> None:
    await order(rationed, quality=2)
    job = await order(rationed, speed=Speed.RELAX, quality=5)
    assert await entries(rationed, job.id) == {"reserve": 5000}
    assert await used(rationed) == 2


async def test_two_at_once_cannot_both_have_the_last_credit(rationed: House) -> None:
    outcomes = await asyncio.gather(*(order(rationed) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(outcome, Job) for outcome in outcomes) == 2


async def test_whoever_runs_the_machine_is_not_held_up(rationed: House) -> None:
    for _ in range(3):
        await order(rationed, Membership(exempt=True), owner_id=0, quality=5)


async def test_without_a_word_in_the_configuration_everything_is_allowed(house: House) -> None:
    for _ in range(10):
        await order(house, quality=5)
    account = await house.desk.account(1, member())
    assert account.person[Window.MONTH].allowed is None
    assert account.person[Window.MONTH].used == 50


async def test_a_role_of_the_person_counts_and_one_of_others_does_not(rationed: House) -> None:
    await rationed.allow(Whose.ROLE, ARTISTS, Allowance(unlimited=True))
    await order(rationed, member(ARTISTS), quality=5)
    await refusal(rationed, member(), quality=5)
    await rationed.allow(Whose.ROLE, ARTISTS, None)
    await refusal(rationed, member(ARTISTS), quality=5)


async def test_what_was_said_of_a_person_wins_over_their_roles(rationed: House) -> None:
    await rationed.allow(Whose.ROLE, ARTISTS, Allowance(unlimited=True))
    await rationed.allow(Whose.PERSON, 1, Allowance(day=0.5))
    error = await refusal(rationed, member(ARTISTS))
    assert error.detail["allowed"] == 0.5
    await order(rationed, member(ARTISTS), owner_id=2, quality=5)


@pytest.mark.parametrize("credits", [Credits(server_day=2, servers={11: Budget(day=0)})])
async def test_the_people_of_a_server_share_what_it_has(rationed: House) -> None:
    await order(rationed, owner_id=1)
    await order(rationed, owner_id=2)
    error = await refusal(rationed, owner_id=3)
    assert error.code is ErrorCode.SERVER_OUT_OF_CREDIT
    await order(rationed, member(guild=12), owner_id=3)
    assert (await refusal(rationed, member(guild=11), owner_id=4)).detail["allowed"] == 0
    await order(rationed, member(guild=None), owner_id=4)
    await rationed.allow(Whose.SERVER, GUILD, Allowance(day=10))
    await order(rationed, owner_id=3)


async def test_granted_credits_are_used_last_and_come_back_first(rationed: House) -> None:
    assert await rationed.grant(1, 1.5) == 1.5
    await order(rationed)
    job = await order(rationed, quality=2)  # 1 of the allowance, 1 granted
    account = await rationed.desk.account(1, member())
    assert (account.granted, account.person[Window.DAY].left) == (0.5, 0)
    await rationed.desk.cancel(job.id)
    account = await rationed.desk.account(1, member())
    assert (account.granted, account.person[Window.DAY].left) == (1.5, 1)
    assert await rationed.grant(1, -5) == 0


async def test_granted_credits_that_paid_for_what_was_drawn_are_gone(rationed: House) -> None:
    await rationed.grant(1, 3)
    job = await order(rationed, quality=5)  # 2 of the allowance, 3 granted
    await rationed.claim()
    await rationed.store.report([Progress(job_id=job.id, fraction=0.8, at=rationed.clock())])
    await rationed.desk.cancel(job.id)
    account = await rationed.desk.account(1, member())
    assert (account.granted, account.person[Window.DAY].used) == (1, 2)


async def test_a_reset_lets_the_windows_begin_anew(rationed: House) -> None:
    await order(rationed, quality=2)
    rationed.clock.advance(1)
    await rationed.reset(1)
    assert await used(rationed, Window.MONTH) == 0
    rationed.clock.advance(1)
    await order(rationed, quality=2)
    assert (await refusal(rationed)).detail["refill_at"] == rationed.clock() + DAY


async def test_a_refund_after_a_reset_gives_nothing_twice(rationed: House) -> None:
    job = await order(rationed, quality=2)
    rationed.clock.advance(1)
    await rationed.reset(1)
    await rationed.desk.cancel(job.id)
    assert await used(rationed) == 0


def test_the_most_generous_role_counts_word_by_word() -> None:
    roles = [Allowance(day=5, running=2, batch=4), Allowance(day=3, month=90), Allowance()]
    held = holding(None, roles, Credits(day=1, month=1), Limits(running=3, waiting=10))
    assert held == Allowance(day=5, month=90, running=2, waiting=10, batch=4)
    assert holding(None, [Allowance(unlimited=True), *roles], Credits(), Limits()).unlimited


def test_a_server_without_a_word_of_its_own_has_what_every_server_has() -> None:
    assert pool(None, Credits(server_day=5)) == Budget(day=5)
    assert pool(Budget(month=7), Credits(server_day=5)) == Budget(day=5, month=7)


# -- places in the queue ---------------------------------------------------------------------------------


async def test_a_role_says_how_many_jobs_run_and_wait(house: House) -> None:
    await house.allow(Whose.ROLE, ARTISTS, Allowance(running=5, waiting=2))
    await house.allow(Whose.PERSON, 2, Allowance(running=1))
    for _ in range(7):
        await order(house, member(ARTISTS))
    error = await refusal(house, member(ARTISTS))
    assert (error.code, error.detail) == (ErrorCode.QUEUE_FULL, {"running": 5, "waiting": 2})
    for owner in (2, 2, 3, 3, 3, 3):
        await order(house, owner_id=owner)
    claims = await house.claim()
    running = [claim.job.owner_id for claim in claims]
    assert [running.count(owner) for owner in (1, 2, 3)] == [5, 1, 3]


async def test_a_role_of_twice_the_weight_has_twice_as_many_jobs_drawn(house: House) -> None:
    await house.allow(Whose.ROLE, ARTISTS, Allowance(weight=2))
    for _ in range(9):
        await order(house, member(ARTISTS))
        await order(house, owner_id=2)
    drawn = []
    for _ in range(9):
        [claim] = await house.store.claim("w", {Speed.FAST: 1})
        drawn.append(claim.job.owner_id)
        await house.finish(claim)
    assert (drawn.count(1), drawn.count(2)) == (6, 3)


async def test_places_kept_for_newcomers_are_not_for_those_with_a_large_role(house: House) -> None:
    await house.allow(Whose.ROLE, ARTISTS, Allowance(running=50, waiting=50))
    for _ in range(10):
        await order(house, member(ARTISTS))
    claims = await house.store.claim("w", dict.fromkeys(PLENTY, 0), newcomers=40)
    assert len(claims) == 1


async def test_a_server_has_no_running_places(house: House) -> None:
    with pytest.raises(ValueError, match="places"):
        await house.allow(Whose.SERVER, GUILD, Allowance(running=2))
    with pytest.raises(ValueError, match="weight"):
        await house.allow(Whose.SERVER, GUILD, Allowance(weight=2))


# -- keeping and forgetting ------------------------------------------------------------------------------


async def test_old_entries_go_and_the_rest_balances(rationed: House) -> None:
    await rationed.grant(1, 1)
    for quality in (2, 1):  # the second with a granted credit
        job = await order(rationed, quality=quality)
        await rationed.finish((await rationed.claim())[0])
    rationed.clock.advance(400 * DAY)
    late = await order(rationed)
    before = rationed.clock() - 300 * DAY
    assert await rationed.database.write(lambda db: ledger.prune(db, before=before)) == 1
    assert await rationed.database.write(lambda db: ledger.prune(db, before=before)) == 0
    assert await entries(rationed, job.id) == {"reserve": 1000, "charge": 1000}
    assert await entries(rationed, late.id) == {"reserve": 1000}


async def test_a_forgotten_person_is_nowhere_and_their_servers_sum_stays(rationed: House) -> None:
    somebody = 424242
    await rationed.allow(Whose.PERSON, somebody, Allowance(day=50, month=50))
    await rationed.grant(somebody, 3)
    await order(rationed, owner_id=somebody, quality=2)
    await rationed.finish((await rationed.claim())[0])
    await rationed.desk.cancel((await order(rationed, owner_id=somebody, quality=5)).id)
    await rationed.reset(somebody)
    now = rationed.clock()
    await rationed.database.write(lambda db: ledger.forget(db, somebody, now=now))

    def named(db: sqlite3.Connection) -> list[str]:
        tables = [
            ("ledger", "owner_id"),
            ("spent", "subject"),
            ("purses", "owner_id"),
            ("allowances", "subject"),
        ]
        query = "SELECT 1 FROM {} WHERE {} = ?"
        return [
            table
            for table, column in tables
            if db.execute(query.format(table, column), (somebody,)).fetchone()
        ]

    assert await rationed.database.read(named) == []
    assert (await rationed.desk.account(1, member())).server[Window.DAY].used == 2


# -- what the check finds --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("DELETE FROM ledger WHERE kind = 'charge'", "over without having been settled"),
        ("DELETE FROM ledger WHERE kind = 'reserve' AND owner_id = 2", "under way that reserved nothing"),
        ("UPDATE jobs SET credits = 9 WHERE owner_id = 1", "reserved another amount than they cost"),
        ("UPDATE spent SET amount = amount + 1", "hours whose sum"),
        ("UPDATE purses SET balance = 0", "granted credits are not what"),
        (
            """INSERT INTO ledger (at, counts_at, kind, owner_id, job_id, amount)
            SELECT at, counts_at, 'charge', owner_id, job_id, 1 FROM ledger WHERE owner_id = 2""",
            "settled before their end",
        ),
    ],
)
async def test_what_is_off_is_found(house: House, damage: str, found: str) -> None:
    await house.grant(1, 4)
    await order(house)
    await house.finish((await house.claim())[0])
    await order(house, owner_id=2)
    assert await house.database.read(imbalances) == []
    await house.database.write(lambda db: db.execute(damage))
    assert any(found in words for words in await house.database.read(imbalances))


@pytest.mark.parametrize(
    ("said", "named", "code"),
    [
        ({"day": 5}, {}, AdminCode.QUOTA_WHOSE),
        ({"day": 5}, {"person": 1, "role": 2}, AdminCode.QUOTA_WHOSE),
        ({}, {"person": 1}, AdminCode.QUOTA_WHAT),
        ({"day": 0}, {"person": 1, "clear": True}, AdminCode.QUOTA_WHAT),
        *(({each: 1}, {"server": 3}, AdminCode.QUOTA_SERVER) for each in sorted(FOR_PEOPLE)),
    ],
)
def test_an_allowance_of_nobody_or_of_nothing_or_not_for_a_server_is_not_noted(
    said: dict[str, float], named: dict[str, int], code: AdminCode
) -> None:
    whom = {"person": None, "role": None, "server": None, "clear": False, **named}
    with pytest.raises(AdminError) as refused:
        allotted(Allowance.model_validate(said), **whom)  # type: ignore[arg-type]
    assert refused.value.code is code


def test_an_allowance_is_noted_of_whom_it_names_or_cleared() -> None:
    day = Allowance(day=0)
    assert allotted(day, person=None, role=None, server=3, clear=False) == SetQuota(
        whose=Whose.SERVER, subject=3, allowance=day
    )
    cleared = allotted(Allowance(), person=None, role=2, server=None, clear=True)
    assert cleared == SetQuota(whose=Whose.ROLE, subject=2, allowance=None)
