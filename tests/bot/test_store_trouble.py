"""Database or disk fail for a moment: the bot lives, and what is owed is shown without a restart."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.member import Member
from tests.bot.easel import Easel
from tests.bot.studio import QUICK, Studio, grids, ordered, private, settled
from worker.api import DatabaseBusy, ErrorCode, WorkerError

FULL = WorkerError(ErrorCode.DISK_FULL)
BROKEN = sqlite3.OperationalError("disk I/O error")


Failing = Callable[[object, str, Exception], Callable[[], bool]]


@pytest.fixture
def fails_once(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Let the next call of a part's method fail; returns a function that tells whether it has."""

    def arrange(part: object, name: str, error: Exception) -> Callable[[], bool]:
        real = getattr(part, name)
        failures: list[str] = []

        async def method(*args: Any, **more: Any) -> Any:
            if not failures:
                failures.append(name)
                raise error
            return await real(*args, **more)

        monkeypatch.setattr(part, name, method)
        return lambda: bool(failures)

    return arrange


@pytest.mark.parametrize(
    "error",
    [DatabaseBusy(), FULL, BROKEN, KeyError("a defect")],
    ids=str,
)
@pytest.mark.parametrize("name", ["intend", "posted", "done"])
async def test_a_result_that_could_not_be_noted_is_shown_once_all_the_same(
    live: Studio, person: Member, fails_once: Failing, name: str, error: Exception
) -> None:
    waiting, job = await ordered(person, live.easel)
    failed = fails_once(live.settings, name, error)
    await live.easel.finish(job)
    await person.until(lambda: waiting["id"] not in person.messages)
    await settled(live)
    assert failed()
    assert len(grids(person)) == 1


@pytest.mark.parametrize("error", [FULL, BROKEN], ids=str)
@pytest.mark.parametrize("call", ["settings.take", "desk.events", "desk.progress"])
async def test_the_courier_outlives_a_full_disk(
    live: Studio, person: Member, fails_once: Failing, call: str, error: Exception
) -> None:
    part, _, name = call.partition(".")
    waiting, job = await ordered(person, live.easel)
    await live.easel.show(job, 0.1)
    failed = fails_once(getattr(live, part), name, error)
    await person.until(lambda: person.find("(10%)"))
    await live.easel.finish(job)
    await person.until(lambda: waiting["id"] not in person.messages)
    assert failed()
    assert not live.bot.is_closed()


async def test_a_bot_that_starts_on_a_full_disk_and_a_busy_database_lives(
    studio: Studio, fails_once: Failing
) -> None:
    fails_once(studio.settings, "unfinished", DatabaseBusy())
    fails_once(studio.settings, "cursor", FULL)
    fails_once(studio.settings, "remember", FULL)
    async with studio.running(), studio.member() as person:
        _, job = await ordered(person, studio.easel)
        await studio.easel.finish(job)
        await person.until(lambda: grids(person))


async def test_an_order_whose_answer_could_not_be_noted_is_not_called_refused(
    live: Studio, easel: Easel, person: Member, fails_once: Failing
) -> None:
    failed = fails_once(live.settings, "answered", DatabaseBusy())
    waiting, job = await ordered(person, easel)
    await easel.finish(job)
    await person.until(lambda: waiting["id"] not in person.messages)
    await settled(live)
    assert failed()
    assert private(person) == []
    assert len(grids(person)) == 1


async def test_news_is_heard_and_not_waited_for(studio: Studio) -> None:
    async with studio.running(QUICK.model_copy(update={"listen": 60.0})), studio.member() as person:
        _, job = await ordered(person, studio.easel)
        await studio.easel.show(job, 0.5)
        await person.until(lambda: person.find("(50%)"))
        await studio.easel.finish(job)
        await person.until(lambda: grids(person))
