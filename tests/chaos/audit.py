"""Looks at what a run left behind: rows, files, logs and the ledger."""

import asyncio
import json
import re
import sqlite3
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.acceptance.stage import Stage
from tests.chaos.plan import Fault
from tests.chaos.verdict import Finding, Ordered
from worker.database import Database
from worker.images import PART, ImageStore
from worker.queue.balance import imbalances
from worker.queue.upkeep import ORPHAN_SECONDS, Upkeep

ROWS = """
SELECT id, state, error, coalesce(p.channel_id, json_extract(origin, '$.channel_id'), '') AS channel_id,
       p.progress_id IS NOT NULL AS answered, key
FROM jobs LEFT JOIN bot_posts AS p ON p.job_id = jobs.id
"""
UNFINISHED = """
SELECT (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')),
       (SELECT count(*) FROM bot_posts WHERE stage <> 'done'),
       (SELECT count(*) FROM jobs WHERE id NOT IN (SELECT job_id FROM bot_posts))
"""
BATCHES = """
SELECT id, state, json_array_length(jobs) AS wanted, queued,
       (SELECT count(*) FROM jobs WHERE batch = bot_batches.id) AS there
FROM bot_batches
"""
EXAMINED = {"database", "integrity", "jobs", "pictures", "worker", "ledger"}  # of the doctor's subjects
# What a traceback may say, and after which faults.
EXPECTED = (
    (
        re.compile(r"ConnectionClosed|WSServerHandshakeError|ConnectionResetError|ClientConnect"),
        Fault.DROP_GATEWAY,
    ),
    (re.compile(r"DiscordServerError|503|504"), Fault.SERVER_ERROR),
    (re.compile(r"DiscordServerError"), Fault.ERROR_AFTER_STORE),
    (re.compile(r"TimeoutError|504"), Fault.TIMEOUT),
    (
        re.compile(r"UnidentifiedImageError|image file is truncated|broken PNG|SyntaxError|cannot identify"),
        Fault.CORRUPT_PICTURE,
    ),
)


def orders(stage: Stage) -> list[Ordered]:
    """Return every job that was accepted."""
    return [
        Ordered(job_id, state, error, str(channel_id), bool(answered), key)
        for job_id, state, error, channel_id, answered, key in stage.rows(ROWS)
    ]


def unfinished(stage: Stage) -> tuple[int, int, int]:
    """Return how many jobs are under way, how many not wholly shown, and how many nobody shows."""
    try:
        ((jobs, posts, unseen),) = stage.rows(UNFINISHED)
    except sqlite3.OperationalError:  # there is no such table yet, or the file is locked
        return (1, 1, 1)
    return (jobs, posts, unseen)


async def of_data(stage: Stage) -> list[Finding]:
    """Return what is wrong with the data folder once everything has ended.

    The sweeper of orphans runs first, the real one with its clock two hours ahead: it spares what is young.
    """
    path = stage.data / "journeyman.sqlite3"
    pictures = ImageStore(stage.data / "pictures")
    ahead = 2 * ORPHAN_SECONDS
    async with Database(path) as database:
        upkeep = Upkeep(
            database,
            pictures,
            clock=lambda: time.time() + ahead,
            monotonic=time.monotonic,
            locks=stage.data,
        )
        await upkeep.prune()
        balance = await database.read(imbalances)
        named = await database.read(_named)
        waiting = await database.read(_waiting)
        batches = await database.read(_batches)
    findings = [Finding("ledger", words) for words in balance]
    findings += [Finding("line", f"people wait in line for jobs that do not: {waiting}")] * bool(waiting)
    findings += batches
    findings += _of_files(pictures.folder, named)
    return findings


def _named(db: sqlite3.Connection) -> set[str]:
    drawn = db.execute("SELECT value FROM jobs, json_each(jobs.files)").fetchall()
    brought = db.execute("SELECT value FROM jobs, json_each(jobs.inputs)").fetchall()
    return {row[0] for row in (*drawn, *brought)}


def _waiting(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(sum(waiting), 0) FROM people").fetchone()[0])


def _batches(db: sqlite3.Connection) -> list[Finding]:
    """Return what is wrong with jobs that were ordered together: some twice, some never, or without a yes."""
    return [
        Finding("batch", f"{row['id']} is {row['state']}: {row['there']} of {row['wanted']} jobs are there")
        for row in db.execute(BATCHES)
        if row["there"] != (row["queued"] if row["state"] == "done" else 0)
    ]


def _of_files(folder: Path, named: Collection[str]) -> Iterator[Finding]:
    """Yield files that no row names, rows whose files are missing, and half-written ones."""
    found = {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*")}
    for name in sorted(found - set(named)):
        kind = "part" if name.rpartition("/")[2].startswith(PART) else "orphan"
        yield Finding(kind, name, name.split("/")[1])
    for name in sorted(set(named) - found):
        yield Finding("missing", name, name.split("/")[1])
    for empty in folder.glob("*/*"):
        if not any(empty.iterdir()):
            yield Finding("orphan", f"{empty.relative_to(folder)} is empty", empty.name)


def of_logs(stage: Stage, faults: Collection[Fault]) -> list[Finding]:
    """Return every traceback that no fault of *faults* explains."""
    findings: dict[str, Finding] = {}
    for part in stage.parts:
        for words in tracebacks(part.said()):
            if not any(fault in faults and pattern.search(words) for pattern, fault in EXPECTED):
                findings.setdefault(words, Finding("traceback", f"{part.log.name}: {words}"))
    return list(findings.values())


def tracebacks(text: str) -> Iterator[str]:
    """Yield the last line of each traceback in a log, be it in a record or bare."""
    bare: list[str] = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            if not line.startswith("{"):  # the last words of a killed process
                bare.append(line)
            continue
        if isinstance(record, dict) and "Traceback" in str(record.get("exception", "")):
            yield f"{record.get('event')}: {record['exception'].strip().splitlines()[-1]}"
    if "Traceback" in "\n".join(bare):
        inside = False
        for line in bare:
            if "Traceback (most recent call last)" in line:
                inside = True
            elif inside and line and not line.startswith((" ", "|", "+")):
                inside = False
                yield line


async def of_doctor(stage: Stage) -> list[Finding]:
    """Return what `journeyman doctor` finds wrong with the data folder."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "doctor", "--json", "--data", str(stage.data),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    return [
        Finding("doctor", f"{each['subject']}: {each['words']}")
        for each in json.loads(output)
        if each["verdict"] == "problem" and each["subject"] in EXAMINED
    ]
