"""Several jobs ordered by one command: their places, and what they would come to."""

import pytest

from parser import Speed
from tests.worker.house import House, prompt, request
from worker.accounts import Allowance, Credits, Whose
from worker.api import ErrorCode, Limits, Rejected
from worker.queue.fairness import BATCH_SECONDS
from worker.queue.quota import Rules


async def batch(house: House, number: int, owner_id: int = 1) -> None:
    key = f"batch {owner_id} {number}"
    order = prompt(f"job {number}")
    await house.desk.submit(order, owner_id=owner_id, key=key, origin="{}", batch=f"b{owner_id}")


async def test_jobs_of_a_batch_take_no_places_of_single_ones_and_single_ones_none_of_theirs(
    house: House,
) -> None:
    house.desk._rules = Rules(Limits(running=1, waiting=1, batch=4), Credits())
    for number in range(4):
        await batch(house, number)
    with pytest.raises(Rejected) as refused:
        await batch(house, 5)
    assert (refused.value.code, refused.value.detail["waiting"]) == (ErrorCode.QUEUE_FULL, 4)
    await house.submit()
    await house.submit()
    with pytest.raises(Rejected):
        await house.submit()
    await house.claim()
    with pytest.raises(Rejected):
        await batch(house, 6)  # those being drawn count too


async def test_a_role_says_how_many_jobs_one_command_may_make(house: House) -> None:
    house.desk._rules = Rules(Limits(batch=4), Credits())
    await house.allow(Whose.PERSON, 2, Allowance(batch=40))
    for number in range(5):
        await batch(house, number, owner_id=2)
    for number in range(4):
        await batch(house, number)
    with pytest.raises(Rejected):
        await batch(house, 4)


async def test_a_batch_stands_behind_single_jobs_until_it_has_aged(house: House) -> None:
    await batch(house, 1)
    single = await house.submit(owner_id=2)
    own = await house.submit(owner_id=1)
    first, second, third = [claim.job.id for claim in await house.claim()]
    assert {first, second} == {single.id, own.id}
    assert third not in {single.id, own.id}
    await batch(house, 2)
    house.clock.advance(BATCH_SECONDS)
    late = await house.submit(owner_id=3)
    assert (await house.claim())[0].job.id != late.id


async def test_the_same_job_of_a_batch_is_queued_once(house: House) -> None:
    for _ in range(2):
        await batch(house, 1)
    assert len(await house.desk.recent()) == 1


async def test_a_quote_tells_cost_and_time_and_queues_nothing(house: House) -> None:
    await house.drawn()
    asked = [request(), request(quality=2.0), request(speed=Speed.RELAX)]
    quote = await house.desk.quote(asked)
    assert quote.credits == (1, 2, 1)
    assert quote.metered == 3
    assert quote.seconds is not None
    assert quote.seconds > 0
    assert len(await house.desk.recent()) == 1
    with pytest.raises(Rejected) as refused:
        await house.desk.quote([request(speed=Speed.TURBO)])
    assert refused.value.code is ErrorCode.TURBO_OFF
