"""What admins do, over a real file: effects, the record, and what survives forgery and races."""

import sqlite3
from pathlib import Path
from random import Random

import pytest

from parser import Speed
from tests.worker.house import House, house_in
from worker.accounts import Allowance, Credits, Whose
from worker.admin import Actor, AdminCode, AdminError, QueueMode
from worker.api import Category, ErrorCode, JobId, JobNotFound, JobState, Limits, Membership, Rejected
from worker.deeds import (
    Block,
    Cancel,
    Clear,
    Contact,
    Deed,
    Grant,
    Promote,
    Rank,
    ResetQuota,
    Retry,
    SetChannel,
    SetLog,
    SetMode,
    SetModel,
    SetNsfw,
    SetPower,
    SetQuota,
    SetRole,
    SetWord,
    Timeout,
    Unblock,
    Verb,
    Which,
)
from worker.lock import FileLock, worker_lock
from worker.queue.office import PENDING_SECONDS, SqliteAdminDesk
from worker.queue.quota import Rules

ADA = Actor(name="discord:77", guild_id=5, channel_id=6)
NOBODY = JobId("00000000-0000-4000-8000-000000000000")
PAUSE, RESUME, DRAIN = (
    SetMode(verb=verb) for verb in (Verb.QUEUE_PAUSE, Verb.QUEUE_RESUME, Verb.QUEUE_DRAIN)
)


def office_of(house: House, models: tuple[str, ...] = ("tiny",)) -> SqliteAdminDesk:
    return SqliteAdminDesk(
        house.database,
        models=models,
        rules=Rules(Limits(), Credits()),
        pictures=house.folder / "pictures",
        clock=house.clock,
        random=Random(3),
        locks=house.folder,
    )


@pytest.fixture
def office(house: House) -> SqliteAdminDesk:
    return office_of(house)


async def entries(office: SqliteAdminDesk) -> list[tuple[str, str]]:
    found, _ = await office.audit(None, limit=100)
    return [(entry.verb, entry.target) for entry in reversed(found)]


async def test_a_paused_queue_takes_orders_and_claims_nothing_until_it_is_opened(
    house: House, office: SqliteAdminDesk
) -> None:
    await office.do(PAUSE, ADA)
    job = await house.submit()
    assert await house.claim() == []
    standing = await house.desk.standing(job.id)
    assert standing is not None
    assert standing.paused
    await office.do(RESUME, ADA)
    [claim] = await house.claim()
    assert claim.job.id == job.id


async def test_a_pause_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house:
        await house.submit()
        await office_of(house).do(PAUSE, ADA)
    async with house_in(tmp_path) as house:
        assert await house.claim() == []
        assert (await office_of(house).queue()).mode is QueueMode.PAUSED


async def test_a_pause_between_the_look_and_the_claim_is_heeded(
    house: House, office: SqliteAdminDesk
) -> None:
    """The claim looks twice: reading that there is something, then writing."""
    await house.submit()
    write = house.database.write

    async def paused_first(work: object, **keywords: object) -> object:
        house.database.write = write  # type: ignore[method-assign]
        await office.do(PAUSE, ADA)
        return await write(work, **keywords)  # type: ignore[arg-type]

    house.database.write = paused_first  # type: ignore[method-assign, assignment]
    assert await house.claim() == []


async def test_a_drained_queue_finishes_what_runs_and_refuses_new_orders(
    house: House, office: SqliteAdminDesk
) -> None:
    await house.submit()
    [claim] = await house.claim()
    waiting = await house.submit()
    await office.do(DRAIN, ADA)
    with pytest.raises(Rejected) as refused:
        await house.submit()
    assert refused.value.code is ErrorCode.QUEUE_DRAINING
    assert (await house.finish(claim)).state is JobState.SUCCEEDED
    assert await house.claim() == []
    assert (await house.desk.get(waiting.id)).state is JobState.QUEUED


async def test_a_promoted_job_is_claimed_before_other_people_lanes_and_limits(
    house: House, office: SqliteAdminDesk
) -> None:
    for _ in range(4):
        await house.submit(owner_id=1)
    await house.claim()  # three of person 1 run: their limit
    [late] = [job.id for job in await house.desk.recent(owner_id=1) if job.state is JobState.QUEUED]
    other = await house.submit(owner_id=2)
    relaxed = await house.submit(owner_id=3, speed=Speed.RELAX)
    for job_id in (relaxed.id, late):
        await office.do(Promote(job_id=job_id), ADA)
    assert [claim.job.id for claim in await house.claim()] == [late, relaxed.id, other.id]


async def test_jobs_promoted_in_one_lane_start_in_the_order_of_their_promotion(
    house: House, office: SqliteAdminDesk
) -> None:
    first, second, third = [await house.submit(owner_id=n) for n in (1, 2, 3)]
    for job in (third, second):
        done = await office.do(Promote(job_id=job.id), ADA)
        assert done.entry is not None
    assert (await office.do(Promote(job_id=third.id), ADA)).entry is None
    assert [line.id for line in (await office.jobs(Which())).lines] == [third.id, second.id, first.id]
    assert [claim.job.id for claim in await house.claim()] == [third.id, second.id, first.id]


async def test_only_a_waiting_job_can_be_promoted(house: House, office: SqliteAdminDesk) -> None:
    job = await house.drawn()
    with pytest.raises(AdminError) as refused:
        await office.do(Promote(job_id=job.id), ADA)
    assert refused.value.code is AdminCode.JOB_NOT_WAITING
    with pytest.raises(JobNotFound):
        await office.do(Promote(job_id=NOBODY), ADA)
    assert await entries(office) == []


async def test_cancel_stops_one_job_or_all_of_a_person_running_ones_too(
    house: House, office: SqliteAdminDesk
) -> None:
    running = await house.submit(owner_id=1)
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim()
        waiting = await house.submit(owner_id=1)
        others = await house.submit(owner_id=2)
        deed = Cancel(which=Which(owner_id=1))
        assert await office.touches(deed) == 2
        done = await office.do(deed, ADA)
        assert done.touched == 2
        assert done.entry is not None
        assert done.entry.before == {"queued": 1, "running": 1}
        assert done.entry.after == {"cancelled": 1, "stopping": 1}
        assert (await house.desk.get(waiting.id)).state is JobState.CANCELLED
        assert (await house.desk.get(running.id)).cancel_requested
        assert (await house.desk.get(others.id)).state is JobState.QUEUED
        assert await office.touches(deed) == 0


async def test_cancel_wants_to_be_told_what(office: SqliteAdminDesk) -> None:
    with pytest.raises(AdminError) as refused:
        await office.do(Cancel(which=Which()), ADA)
    assert refused.value.code is AdminCode.NOTHING_NAMED
    with pytest.raises(JobNotFound):
        await office.do(Cancel(which=Which(job_id=NOBODY)), ADA)


async def test_clear_cancels_what_waits_in_a_lane_and_leaves_what_runs(
    house: House, office: SqliteAdminDesk
) -> None:
    running = await house.submit(speed=Speed.RELAX)
    await house.claim()
    waiting = [await house.submit(owner_id=n, speed=Speed.RELAX) for n in (1, 2)]
    fast = await house.submit()
    done = await office.do(Clear(which=Which(speed=Speed.RELAX)), ADA)
    assert done.touched == 2
    assert {(await house.desk.get(job.id)).state for job in waiting} == {JobState.CANCELLED}
    assert not (await house.desk.get(running.id)).cancel_requested
    assert (await house.desk.get(fast.id)).state is JobState.QUEUED


async def test_a_failed_job_is_ordered_once_more_and_only_once(house: House, office: SqliteAdminDesk) -> None:
    job = await house.submit(owner_id=9)
    [claim] = await house.claim()
    with pytest.raises(AdminError) as early:
        await office.do(Retry(job_id=job.id), ADA)
    assert early.value.code is AdminCode.JOB_NOT_OVER
    await house.store.fail((job.id, claim.attempt), ErrorCode.ENGINE_FAILED, retryable=False)
    done = await office.do(Retry(job_id=job.id), ADA)
    again = done.job
    assert again is not None
    assert (again.state, again.seed, again.owner_id, again.order) == (JobState.QUEUED, job.seed, 9, job.order)
    with pytest.raises(AdminError) as twice:
        await office.do(Retry(job_id=job.id), ADA)
    assert (twice.value.code, twice.value.detail["job_id"]) == (AdminCode.RETRIED_BEFORE, again.id)
    [claim] = await house.claim()
    assert (await house.finish(claim)).id == again.id


async def test_nothing_is_ordered_again_for_somebody_blocked(house: House, office: SqliteAdminDesk) -> None:
    job = await house.submit(owner_id=9)
    await office.do(Block(user_id=9), ADA)
    with pytest.raises(Rejected):
        await office.do(Retry(job_id=job.id), ADA)


async def test_a_blocked_person_loses_what_is_under_way_and_cannot_order(
    house: House, office: SqliteAdminDesk
) -> None:
    job = await house.submit(owner_id=9)
    done = await office.do(Block(user_id=9, reason="Spam."), ADA)
    assert done.touched == 1
    assert (await house.desk.get(job.id)).state is JobState.CANCELLED
    with pytest.raises(Rejected) as refused:
        await house.submit(owner_id=9)
    assert (refused.value.code, refused.value.detail["reason"]) == (ErrorCode.BLOCKED, " Spam.")
    await office.do(Unblock(user_id=9), ADA)
    assert (await house.submit(owner_id=9)).state is JobState.QUEUED


async def test_a_timeout_keeps_the_jobs_and_ends_by_itself(house: House, office: SqliteAdminDesk) -> None:
    job = await house.submit(owner_id=9)
    await office.do(Timeout(user_id=9, seconds=600), ADA)
    assert (await house.desk.get(job.id)).state is JobState.QUEUED
    with pytest.raises(Rejected) as refused:
        await house.submit(owner_id=9)
    assert refused.value.code is ErrorCode.TIMED_OUT
    assert refused.value.detail["until"] == int(house.clock() + 600)
    assert [each.user_id for each in (await office.restricted())[0]] == [9]
    house.clock.advance(601)
    await house.submit(owner_id=9)
    assert await office.restricted() == ([], 0)


async def test_a_blocked_person_who_repeats_a_submission_gets_the_job_it_made(
    house: House, office: SqliteAdminDesk
) -> None:
    from tests.worker.house import prompt

    first = await house.desk.submit(prompt(), owner_id=9, key="k", origin="")
    await office.do(Block(user_id=9), ADA)
    assert (await house.desk.submit(prompt(), owner_id=9, key="k", origin="")).id == first.id


DEEDS: tuple[Deed, ...] = (
    PAUSE,
    Timeout(user_id=1, seconds=60),
    SetRole(guild_id=5, rank=Rank.MODERATOR, role_id=8),
    SetPower(guild_id=5, power=Verb.QUEUE_CLEAR, rank=Rank.OWNER),
    SetChannel(verb=Verb.CHANNEL_DENY, guild_id=5, channel_id=0),
    SetNsfw(guild_id=5, channel_id=6, nsfw=True),
    SetLog(guild_id=5, channel_id=6),
    SetWord(verb=Verb.WORDS_ADD, guild_id=5, category=Category.HATE, phrase="x"),
    SetModel(verb=Verb.MODELS_DEFAULT, name="tiny"),
    Contact(user_id=1, characters=12),
    SetQuota(whose=Whose.ROLE, subject=8, allowance=Allowance(day=5)),
)


async def test_every_deed_is_in_the_record_with_who_where_and_what(office: SqliteAdminDesk) -> None:
    for number, deed in enumerate(DEEDS, 1):
        done = await office.do(deed, ADA)
        found, total = await office.audit(5, limit=1)
        assert (found, total) == ([done.entry], number)
        [entry] = found
        assert (entry.actor, entry.guild_id, entry.channel_id, entry.verb) == ("discord:77", 5, 6, deed.verb)
        assert entry.before != entry.after
    assert await office.audit(4) == ([], 0)


async def test_what_was_so_before_is_no_change_and_not_in_the_record(office: SqliteAdminDesk) -> None:
    for deed in DEEDS:
        await office.do(deed, ADA)
        if not isinstance(deed, Contact | Timeout):  # writing again is another letter, and time has passed
            assert (await office.do(deed, ADA)).entry is None
    assert (await office.audit(None))[1] == len(DEEDS)


async def test_the_record_can_neither_be_edited_nor_deleted(house: House, office: SqliteAdminDesk) -> None:
    await office.do(PAUSE, ADA)
    for sql in (
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "REPLACE INTO audit SELECT * FROM audit",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            await house.database.write(lambda db, sql=sql: db.execute(sql))
    assert await entries(office) == [("queue pause", "queue")]


async def test_a_deed_whose_record_cannot_be_written_is_not_done(
    house: House, office: SqliteAdminDesk
) -> None:
    await house.database.write(
        lambda db: (
            db.execute(
                "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.audit BEGIN SELECT raise(ABORT, 'no'); END"
            ).rowcount
        )
    )
    with pytest.raises(sqlite3.IntegrityError):
        await office.do(PAUSE, ADA)
    assert (await office.queue()).mode is QueueMode.OPEN


async def test_a_confirmation_is_used_once_and_only_for_what_was_told(
    house: House, office: SqliteAdminDesk
) -> None:
    await house.submit()
    deed = Clear()
    told = await office.propose(deed, user_id=77, guild_id=5)
    assert told.touches == 1
    await house.submit(owner_id=2)
    with pytest.raises(AdminError) as changed:
        await office.do(deed, ADA, pending=told)
    assert (changed.value.code, changed.value.detail["touches"]) == (AdminCode.TOUCHES_CHANGED, 2)
    again = await office.propose(deed, user_id=77, guild_id=5)
    assert (await office.pending(again.id)).deed == deed
    assert (await office.do(deed, ADA, pending=again)).touched == 2
    with pytest.raises(AdminError) as used:
        await office.do(deed, ADA, pending=again)
    assert used.value.code is AdminCode.EXPIRED


async def test_a_confirmation_ends_with_the_message_that_asks_or_when_it_is_taken_back(
    house: House, office: SqliteAdminDesk
) -> None:
    old = await office.propose(Clear(), user_id=77, guild_id=5)
    taken = await office.propose(Clear(), user_id=77, guild_id=5)
    await office.withdraw(taken.id)
    with pytest.raises(AdminError):
        await office.pending(taken.id)
    house.clock.advance(PENDING_SECONDS)
    for ask in (office.pending(old.id), office.do(Clear(), ADA, pending=old)):
        with pytest.raises(AdminError) as refused:
            await ask
        assert refused.value.code is AdminCode.EXPIRED


async def test_channels_are_open_unless_they_or_the_whole_server_are_closed(office: SqliteAdminDesk) -> None:
    async def allowed(*channel_ids: int, guild_id: int = 5) -> bool:
        return (await office.gate(user_id=1, guild_id=guild_id, channel_ids=channel_ids)).allowed

    assert await allowed(1)
    await office.do(SetChannel(verb=Verb.CHANNEL_DENY, guild_id=5, channel_id=1), ADA)
    assert (await allowed(1), await allowed(2), await allowed(9, 1)) == (
        False,
        True,
        False,
    )  # 9: a thread in 1
    await office.do(SetChannel(verb=Verb.CHANNEL_DENY, guild_id=5, channel_id=0), ADA)
    await office.do(SetChannel(verb=Verb.CHANNEL_ALLOW, guild_id=5, channel_id=1), ADA)
    assert (await allowed(1), await allowed(2), await allowed(2, guild_id=4)) == (True, False, True)
    assert await allowed(2, guild_id=0)


async def test_adult_pictures_are_allowed_by_channel_and_this_says_nothing_of_orders(
    office: SqliteAdminDesk,
) -> None:
    await office.do(SetNsfw(guild_id=5, channel_id=1, nsfw=True), ADA)
    gate = await office.gate(user_id=1, guild_id=5, channel_ids=[1])
    assert (gate.nsfw, gate.allowed) == (True, True)
    assert not (await office.gate(user_id=1, guild_id=5, channel_ids=[2])).nsfw


async def test_people_are_sent_to_the_lowest_rank_that_somebody_holds(office: SqliteAdminDesk) -> None:
    await office.do(SetRole(guild_id=5, rank=Rank.OWNER, role_id=1), ADA)
    assert (await office.gate(user_id=1, guild_id=5, channel_ids=[])).contacts == (1,)
    await office.do(SetRole(guild_id=5, rank=Rank.MODERATOR, role_id=2), ADA)
    assert (await office.gate(user_id=1, guild_id=5, channel_ids=[])).contacts == (2,)
    await office.do(SetRole(guild_id=5, rank=Rank.MODERATOR, role_id=2, held=False), ADA)
    assert (await office.powers(5)).roles == {Rank.OWNER: (1,)}


async def test_words_are_kept_by_server_and_category_with_their_spaces_in_order(
    office: SqliteAdminDesk,
) -> None:
    def word(verb: Verb, phrase: str, *, allow: bool = False) -> SetWord:
        facts = {"verb": verb, "guild_id": 5, "category": Category.HEALTH, "phrase": phrase, "allow": allow}
        return SetWord.model_validate(facts)

    await office.do(word(Verb.WORDS_ADD, "  breast   cancer ", allow=True), ADA)
    found, total = await office.words(5, Category.HEALTH)
    assert ([(each.phrase, each.allow) for each in found], total) == ([("breast cancer", True)], 1)
    assert await office.words(5, Category.HATE) == ([], 0)
    assert (await office.do(word(Verb.WORDS_REMOVE, "unknown"), ADA)).entry is None
    await office.do(word(Verb.WORDS_REMOVE, "breast cancer"), ADA)
    assert await office.words(5) == ([], 0)


async def test_the_last_model_stays_on_and_one_that_is_off_draws_nothing(house: House) -> None:
    alone = office_of(house)
    with pytest.raises(AdminError) as last:
        await alone.do(SetModel(verb=Verb.MODELS_DISABLE, name="tiny"), ADA)
    assert last.value.code is AdminCode.LAST_MODEL
    two = office_of(house, ("tiny", "large"))
    await two.do(SetModel(verb=Verb.MODELS_DISABLE, name="tiny"), ADA)
    with pytest.raises(Rejected) as refused:
        await house.submit()
    assert refused.value.code is ErrorCode.MODEL_OFF
    for verb, name, code in (
        (Verb.MODELS_DISABLE, "large", AdminCode.LAST_MODEL),
        (Verb.MODELS_DEFAULT, "tiny", AdminCode.MODEL_IS_OFF),
        (Verb.MODELS_ENABLE, "unknown", AdminCode.UNKNOWN_MODEL),
    ):
        with pytest.raises(AdminError) as error:
            await two.do(SetModel(verb=verb, name=name), ADA)
        assert error.value.code is code
    await two.do(SetModel(verb=Verb.MODELS_ENABLE, name="tiny"), ADA)
    await two.do(SetModel(verb=Verb.MODELS_DEFAULT, name="large"), ADA)
    assert [(line.name, line.enabled, line.default) for line in await two.models()] == [
        ("tiny", True, False),
        ("large", True, True),
    ]
    assert (await house.submit()).state is JobState.QUEUED


async def test_lists_are_cut_into_pages_and_filtered(house: House, office: SqliteAdminDesk) -> None:
    for owner in (1, 1, 2):
        await house.submit(owner_id=owner, speed=Speed.RELAX if owner == 2 else None)
    whole = await office.jobs(Which())
    assert (len(whole.lines), whole.total) == (3, 3)
    page = await office.jobs(Which(owner_id=1), skip=1, limit=1)
    assert (page.lines, page.total) == (whole.lines[1:2], 2)
    assert (await office.jobs(Which(speed=Speed.RELAX))).lines == whole.lines[2:]
    assert (await office.jobs(Which(), JobState.FAILED)).total == 0
    await house.claim()
    assert (await office.jobs(Which(), JobState.RUNNING)).total == 3


async def test_the_record_is_listed_newest_first_by_verb_and_followed_oldest_first(
    office: SqliteAdminDesk,
) -> None:
    for deed in (PAUSE, RESUME, Timeout(user_id=1, seconds=60), DRAIN):
        await office.do(deed, ADA)
    found, total = await office.audit(None, "queue", limit=2)
    assert ([entry.verb for entry in found], total) == (["queue drain", "queue resume"], 3)
    behind, _ = await office.audit(5, after=2)
    assert [entry.verb for entry in behind] == ["user timeout", "queue drain"]


async def test_a_log_channel_starts_with_its_own_entry_and_remembers_how_far_it_is(
    office: SqliteAdminDesk,
) -> None:
    await office.do(PAUSE, ADA)
    done = await office.do(SetLog(guild_id=5, channel_id=6), ADA)
    assert done.entry is not None
    assert await office.log_channels() == [(5, 6, done.entry.id - 1)]
    await office.logged(5, done.entry.id)
    await office.logged(5, 1)  # a late note does not set it back
    await office.do(SetLog(guild_id=5, channel_id=8), ADA)
    assert await office.log_channels() == [(5, 8, done.entry.id)]
    await office.do(SetLog(guild_id=5, channel_id=None), ADA)
    assert await office.log_channels() == []


async def test_status_tells_disk_lanes_and_the_last_failures(house: House, office: SqliteAdminDesk) -> None:
    await house.drawn()
    job = await house.submit(speed=Speed.RELAX)
    [claim] = await house.claim()
    await house.store.fail((job.id, claim.attempt), ErrorCode.OUT_OF_MEMORY, retryable=False)
    await house.submit(speed=Speed.RELAX)
    status = await office.status()
    assert status.queue.waiting[Speed.RELAX] == 1
    assert [(line.id, line.error) for line in status.failures] == [(job.id, ErrorCode.OUT_OF_MEMORY)]
    size = sum(path.stat().st_size for path in (house.folder / "pictures").rglob("*.png"))
    assert (status.disk.pictures, status.disk.complete) == (size, True)
    assert 0 < status.disk.free <= status.disk.total


async def test_credits_are_granted_and_taken_back_on_the_record(office: SqliteAdminDesk) -> None:
    await office.do(Grant(user_id=1, credits=10), ADA)
    done = await office.do(Grant(user_id=1, credits=-25), ADA)
    assert done.entry is not None
    assert (done.entry.before, done.entry.after) == ({"granted": 10}, {"granted": 0})
    assert (await office.do(Grant(user_id=1, credits=-1), ADA)).entry is None  # nothing was left


async def test_an_allowance_is_said_taken_back_and_reset(house: House, office: SqliteAdminDesk) -> None:
    deed = SetQuota(whose=Whose.PERSON, subject=1, allowance=Allowance(day=1))
    await office.do(deed, ADA)
    await house.submit(owner_id=1)
    with pytest.raises(Rejected) as refused:
        await house.submit(owner_id=1)
    assert refused.value.code is ErrorCode.OUT_OF_CREDIT
    house.clock.advance(1)
    done = await office.do(ResetQuota(user_id=1), ADA)
    assert done.entry is not None
    assert done.entry.before == {"used in 30 days": 1}
    house.clock.advance(1)
    await house.submit(owner_id=1)
    await office.do(SetQuota(whose=Whose.PERSON, subject=1, allowance=None), ADA)
    assert await office.allowances(Whose.PERSON) == {}
    assert (await office.account(1, Membership())).own is None
