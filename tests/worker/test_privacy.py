"""What is held about a person is handed out whole, and forgotten without a trace."""

import asyncio
import json
import re
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.worker.house import House, house_in
from worker.api import Cell, JobState
from worker.privacy import Unstoppable
from worker.queue import confidant as confidant_module
from worker.queue import privacy
from worker.queue.balance import imbalances
from worker.queue.confidant import Confidant, scrub

PERSON = 314159265358979323
OTHER = 271828182845904523
PROMPT = "a secret garden behind the mill"
PERSONAL = re.compile(
    r"owner|user|person|actor|subject|prompt|origin|author|member|decided|forgiven|target|deed|reason|_by$"
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as opened:
        yield opened


def confidant(house: House) -> Confidant:
    return Confidant(
        house.database, house.images, house.desk, clock=house.clock, random=Random(3), sentence=third_strike
    )


def third_strike(times: Sequence[float]) -> float | None:
    """A timeout of a day, from the third strike on."""
    return times[2] + 86400 if len(times) > 2 else None


async def filled(house: House) -> None:
    """Leave traces of a person, and of somebody else, wherever there are any."""
    for owner, text in ((PERSON, PROMPT), (OTHER, "a hen")):
        job = await house.submit(owner, text=text)
        [claim] = await house.claim()
        names = house.images.write(
            job.id, {f"{n}.png": f"{text} {owner}".encode() for n in ("grid", 1, 2, 3, 4)}
        )
        await house.store.succeed((job.id, claim.attempt), names, 2.0)
        await house.desk.submit(Cell(source=job.id, index=1), owner_id=owner, key=f"c{owner}", origin="{}")
    waiting = await house.submit(PERSON, text=PROMPT)
    await house.database.write(lambda db: _traces(db, waiting.id))


TRACES = """
INSERT INTO bot_fixes (id, prompt, created_at, owner_id) VALUES (:owner, :prompt, 0, :owner);
INSERT INTO moderation_refusals (id, guild_id, channel_id, user_id, locale, category, gate, prompt,
    fingerprint, created_at, state, decided_by)
    VALUES ('r' || :owner, 1, 1, :owner, 'en', 'hate', 'words', :prompt, 'f', 0, 'approved', :other);
INSERT INTO moderation_strikes (guild_id, user_id, category, refusal_id, at, forgiven_by, forgiven_at)
    VALUES (1, :owner, 'hate', 'r' || :owner, 0, :other, 0);
INSERT INTO audit (at, actor, guild_id, channel_id, verb, target, before, after) VALUES
    (0, 'discord:' || :owner, 1, 1, 'user block', 'user ' || :other, json_object('user', :owner), '{}');
INSERT INTO allowances (whose, subject, day) VALUES ('person', :owner, 5);
INSERT INTO ledger (at, counts_at, kind, owner_id, amount, purse, actor)
    VALUES (0, 0, 'grant', :owner, 5, 5, 'discord:' || :other);
INSERT INTO admin_pending (id, user_id, guild_id, deed, touches, created_at)
    VALUES ('a' || :owner, :owner, 1, json_object('user_id', :other), 1, 0);
INSERT INTO bot_preferences (owner_id, suffix) VALUES (:owner, '--no ' || :prompt);
INSERT INTO bot_options (owner_id, name, value) VALUES (:owner, 'mine', :prompt);
INSERT INTO letters (user_id, guild_id, text, created_at) VALUES (:owner, 1, :prompt, 0);
INSERT INTO bot_batches (id, owner_id, prompt, jobs, origin, created_at)
    VALUES ('b' || :owner, :owner, :prompt, json_array(:prompt), json_object('token', :prompt), 0)
"""


def _traces(db: sqlite3.Connection, job_id: str) -> None:
    for owner, other, text in ((PERSON, OTHER, PROMPT), (OTHER, PERSON, "a hen")):
        for statement in TRACES.split(";"):
            db.execute(statement, {"owner": owner, "other": other, "prompt": text})
    db.execute("INSERT INTO bot_posts (job_id, channel_id, stage) VALUES (?, 7, 'due')", (job_id,))
    db.execute("INSERT INTO bot_copies (message_id, channel_id, job_id) VALUES (1, 7, ?)", (job_id,))


def traces(folder: Path, *wanted: str) -> list[str]:
    """Return every file below *folder* with one of *wanted* in its bytes or its name."""
    needles = [
        needle.encode() for text in wanted for needle in (text, text.encode("utf-16-le").decode("latin-1"))
    ]
    numbers = [
        int(text).to_bytes(8, "big") for text in wanted if text.isdigit()
    ]  # as SQLite stores an integer
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            body = path.read_bytes() + str(path).encode()
            if any(needle in body for needle in (*needles, *numbers)):
                found.append(path.name)
    return sorted(set(found))


def contents(house: House) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(house.database.path)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


async def test_every_table_is_either_covered_or_names_nobody(house: House) -> None:
    """A new table, or a new column that may name a person, has to be said in `worker.queue.privacy`."""

    def read(db: sqlite3.Connection) -> dict[str, list[str]]:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {t: [row["name"] for row in db.execute(f"PRAGMA table_info({t})")] for t in tables}

    tables = await house.database.read(read)
    covered = {*privacy.OWN, *privacy.OF_JOBS, *privacy.MENTIONS, *privacy.ALIASED}
    assert set(tables) == covered | privacy.IMPERSONAL
    assert not covered & privacy.IMPERSONAL
    for table, columns in tables.items():
        if table in {**privacy.OWN, **privacy.OF_JOBS}:
            assert {**privacy.OWN, **privacy.OF_JOBS}[table] in columns
            continue  # the row goes whole
        assert privacy.ALIASED.get(table) in {None, *columns}
        named = {column for column in columns if PERSONAL.search(column)}
        assert named <= set(privacy.MENTIONS.get(table, ())), table
    for table, named_in in privacy.MENTIONS.items():
        assert set(named_in) <= set(tables[table])


async def test_nothing_in_the_data_folder_tells_who_it_was_or_what_they_wrote(house: House) -> None:
    await filled(house)
    house.database.path.with_name("jobs.db.v3.bak").write_text(f"{PERSON}")
    assert len(traces(house.folder, str(PERSON), PROMPT)) > 3
    forgotten = await confidant(house).forget(PERSON)
    assert (forgotten.jobs, forgotten.scrubbed) == (3, True)
    assert traces(house.folder, str(PERSON), PROMPT) == []


async def test_what_is_about_others_stays_and_balances(house: House) -> None:
    await filled(house)
    before = contents(house)
    kept = {row for rows in before.values() for row in rows if OTHER in row and PERSON not in row}
    assert await house.database.read(imbalances) == []
    await confidant(house).forget(PERSON)
    after = contents(house)
    said = {row for rows in after.values() for row in rows}
    others = {row for row in kept if str(PERSON) not in str(row)}
    assert others <= said
    assert len(after["audit"]) == len(before["audit"])
    assert await house.database.read(imbalances) == []
    assert len(await house.desk.recent(owner_id=OTHER)) == 2
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await house.database.write(lambda db: db.execute("UPDATE audit SET actor = ''"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await house.database.write(lambda db: db.execute("UPDATE ledger SET amount = 0"))


async def test_the_record_names_one_and_the_same_nobody(house: House) -> None:
    await filled(house)
    await confidant(house).forget(PERSON)
    audit = contents(house)["audit"]
    [mine] = [row for row in audit if f"user {OTHER}" in row]
    [others] = [row for row in audit if f"discord:{OTHER}" in row]
    number = str(mine[2]).removeprefix("discord:")
    assert int(number) < 2**31
    assert others[6] == f"user {number}"
    assert json.loads(str(mine[7])) == {"user": int(number)}


async def test_a_running_job_is_stopped_first(house: House) -> None:
    from worker.lock import FileLock, worker_lock

    await house.submit(PERSON, text=PROMPT)
    with FileLock(worker_lock(house.folder, "w")):
        [claim] = await house.claim("w")
        forgetting = asyncio.create_task(confidant(house).forget(PERSON))
        while claim.job.id not in await house.store.cancel_requested("w"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await house.store.cancelled((claim.job.id, claim.attempt))
        assert (await forgetting).jobs == 1
    assert traces(house.folder, str(PERSON), PROMPT) == []


async def test_a_job_that_does_not_stop_is_said_and_nothing_is_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.lock import FileLock, worker_lock

    monkeypatch.setattr(confidant_module, "PATIENCE_SECONDS", 0.05)
    await house.drawn(PERSON)
    job = await house.submit(PERSON, text=PROMPT)
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        with pytest.raises(Unstoppable):
            await confidant(house).forget(PERSON)
    assert (await house.desk.get(job.id)).state is JobState.RUNNING
    assert len(await house.desk.recent(owner_id=PERSON)) == 2


async def test_a_block_outlives_being_forgotten_without_its_reason(house: House) -> None:
    await house.database.write(
        lambda db: db.execute(
            "INSERT INTO restrictions (user_id, kind, reason, created_at) VALUES (?, 'block', 'rude', 0)",
            (PERSON,),
        )
    )
    await confidant(house).forget(PERSON)
    assert contents(house)["restrictions"] == [(PERSON, "block", None, "", 0.0)]


STRIKES = """
INSERT INTO moderation_strikes (guild_id, user_id, category, refusal_id, at) VALUES
    (:server, :owner, 'hate', :server || :owner || 'a', :at - 30),
    (:server, :owner, 'hate', :server || :owner || 'b', :at - 20),
    (:server, :owner, 'hate', :server || :owner || 'c', :at)
"""


async def struck(house: House, server: int, at: float, owner: int = PERSON) -> None:
    facts = {"server": server, "owner": owner, "at": at}
    await house.database.write(lambda db: db.execute(STRIKES, facts).rowcount)


async def timeouts(house: House) -> list[tuple[int, float]]:
    sql = "SELECT guild_id, until FROM moderation_timeouts ORDER BY guild_id"
    return await house.database.read(lambda db: [tuple(row) for row in db.execute(sql)])


async def test_a_timeout_after_strikes_outlives_being_forgotten_and_tells_only_its_end(house: House) -> None:
    await filled(house)
    now = house.clock()
    await struck(house, 7, now - 3600)
    await struck(house, 8, now - 90000)  # over
    await struck(house, 9, now, OTHER)
    await confidant(house).forget(PERSON)
    assert await timeouts(house) == [(7, now - 3600 + 86400)]
    assert traces(house.folder, str(PERSON), PROMPT) == []
    strikes = contents(house)["moderation_strikes"]
    assert all(PERSON not in row for row in strikes)
    await struck(house, 7, now - 5000)  # an older one does not shorten it
    await confidant(house).forget(PERSON)
    assert await timeouts(house) == [(7, now - 3600 + 86400)]


async def test_what_outlives_being_forgotten_is_handed_out_to_its_person_alone(
    house: House, tmp_path: Path
) -> None:
    await struck(house, 7, house.clock())
    await struck(house, 9, house.clock(), OTHER)
    for person in (PERSON, OTHER):
        await confidant(house).forget(person)
    await confidant(house).export(PERSON, tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        about = json.loads(archive.read("about.json"))
    assert [row["guild_id"] for row in about["moderation_timeouts"]] == [7]


async def test_a_forgotten_persons_timeout_goes_when_it_is_over(house: House) -> None:
    await struck(house, 7, house.clock())
    await confidant(house).forget(PERSON)
    await house.upkeep.prune()
    assert len(await timeouts(house)) == 1
    house.clock.advance(86400)
    await house.upkeep.prune()
    assert await timeouts(house) == []


async def test_a_file_in_use_is_scrubbed_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidant_module, "BUSY_SECONDS", 0.05)
    await filled(house)
    with closing(sqlite3.connect(house.database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        forgotten = await confidant(house).forget(PERSON)
        assert not forgotten.scrubbed
    assert await scrub(house.database)
    assert traces(house.folder, str(PERSON), PROMPT) == []


async def test_a_large_file_is_left_to_upkeep_so_that_nobody_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confidant_module, "SMALL_BYTES", 1)
    await filled(house)
    assert not (await confidant(house).forget(PERSON)).scrubbed
    await house.upkeep.prune()
    assert traces(house.folder, str(PERSON), PROMPT) == []


async def test_upkeep_scrubs_what_is_due(house: House) -> None:
    await filled(house)
    how = privacy.Oblivion(instead=5, key="00", sentence=third_strike)
    await house.database.write(lambda db: privacy.forget(db, OTHER, how, now=0.0))
    assert traces(house.folder, "a hen") != []
    await house.upkeep.prune()
    assert "jobs.db" not in traces(house.folder, "a hen")


async def test_everything_is_handed_out(house: House, tmp_path: Path) -> None:
    await filled(house)
    file = tmp_path / "mine.zip"
    handed = await confidant(house).export(PERSON, file)
    assert (handed.jobs, handed.pictures, handed.left_out) == (3, 6, 0)
    with zipfile.ZipFile(file) as archive:
        jobs = json.loads(archive.read("jobs.json"))
        about = json.loads(archive.read("about.json"))
        names = archive.namelist()
        body = archive.read(next(name for name in names if name.endswith("/1.png")))
    assert {job["request"]["text"] for job in jobs} == {PROMPT}
    assert jobs[0]["owner_id"] == str(PERSON)
    assert set(about) >= {
        "people",
        "ledger",
        "moderation_refusals",
        "moderation_strikes",
        "bot_fixes",
        "audit",
    }
    assert body == f"{PROMPT} {PERSON}".encode()
    assert "a hen" not in json.dumps([jobs, about])


async def test_the_token_of_an_interaction_is_not_handed_out(house: House, tmp_path: Path) -> None:
    from tests.worker.house import prompt

    origin = json.dumps({"token": "abc", "channel_id": 5})
    await house.desk.submit(prompt(), owner_id=PERSON, key="k", origin=origin)
    await confidant(house).export(PERSON, tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        [job] = json.loads(archive.read("jobs.json"))
    assert job["origin"] == {"channel_id": 5}


async def test_what_does_not_fit_is_counted(house: House, tmp_path: Path) -> None:
    job = await house.submit(PERSON)
    [claim] = await house.claim()
    pictures = {f"{n}.png": Random(n).randbytes(100_000) for n in range(1, 5)}
    await house.store.succeed((job.id, claim.attempt), house.images.write(job.id, pictures), 1.0)
    file = tmp_path / "mine.zip"
    handed = await confidant(house).export(PERSON, file, most_bytes=300_000)
    assert (handed.pictures, handed.left_out) == (2, 2)
    assert file.stat().st_size <= 300_000
