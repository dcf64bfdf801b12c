"""The desk over the real database and picture folder."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from parser import Speed
from tests.contracts.desk import DeskContract, Shop
from tests.worker.house import House, house_in, prompt
from worker.api import (
    Cell,
    DatabaseBusy,
    ErrorCode,
    JobDesk,
    JobId,
    JobState,
    Limits,
    PictureGone,
    Progress,
    Rejected,
    Reroll,
    Upscale,
    Vary,
    WorkerError,
)
from worker.lock import FileLock, worker_lock
from worker.queue.checkpoints import install
from worker.queue.claims import LEASE_SECONDS, Claim
from worker.recipe import Drawing, Upscaling, picture_seed


class StorePress:
    """A `Press` over the real store and picture folder."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.claim: Claim | None = None
        self.lock = FileLock(worker_lock(house.folder, "w"))

    async def start(self) -> JobId:
        self.lock.acquire()
        [self.claim] = await self.house.claim("w")
        return self.claim.job.id

    async def report(self, progress: Progress) -> None:
        await self.house.store.report([progress])

    async def finish(self) -> JobId:
        if self.claim is None:
            await self.start()
        assert self.claim is not None
        job = await self.house.finish(self.claim)
        self.claim = None
        self.lock.release()
        return job.id

    async def lose_pictures(self, job_id: JobId) -> None:
        self.house.images.remove(job_id)


class TestSqliteDesk(DeskContract):
    @pytest.fixture
    def shop(self, house: House) -> Iterator[Shop]:
        desk: JobDesk = house.desk
        press = StorePress(house)
        yield Shop(desk, press)
        press.lock.release()


async def recipe_of(house: House) -> Drawing | Upscaling:
    [claim] = await house.claim()
    return claim.recipe


async def test_the_recipe_is_resolved_at_submit_and_survives_a_restart(tmp_path: Path) -> None:
    async with house_in(tmp_path, seed=1) as house:
        job = await house.submit(quality=2, aspect=(3, 2), negative=("hat",))
    async with house_in(tmp_path, seed=2) as house:
        recipe = await recipe_of(house)
    assert isinstance(recipe, Drawing)
    assert (recipe.steps, recipe.width, recipe.height) == (40, job.width, job.height)
    assert recipe.seeds == tuple(picture_seed(job.seed, index) for index in range(4))
    assert [part.text for part in recipe.negative] == ["hat"]


async def test_a_variation_starts_from_the_cell(house: House) -> None:
    grid = await house.drawn()
    await house.desk.submit(Vary(source=grid.id, index=3), owner_id=1, key="v", origin="")
    recipe = await recipe_of(house)
    assert isinstance(recipe, Drawing)
    assert recipe.start is not None
    assert (recipe.start.picture, recipe.start.strength) == (grid.files[3], 0.75)


async def test_a_reroll_of_a_variation_starts_from_the_same_cell(house: House) -> None:
    grid = await house.drawn()
    varied = await house.desk.submit(
        Vary(source=grid.id, index=2, strength="subtle"), owner_id=1, key="v", origin=""
    )
    [claim] = await house.claim()
    await house.finish(claim)
    again = await house.desk.submit(Reroll(source=varied.id), owner_id=1, key="r", origin="")
    recipe = await recipe_of(house)
    assert isinstance(recipe, Drawing)
    assert isinstance(claim.recipe, Drawing)
    assert recipe.start == claim.recipe.start
    assert recipe.seeds[0] == picture_seed(again.seed, 0)
    assert again.seed != varied.seed


async def test_an_upscale_of_a_grid_takes_the_picture_named(house: House) -> None:
    grid = await house.drawn()
    await house.desk.submit(Upscale(source=grid.id, index=4), owner_id=1, key="x", origin="")
    assert (await recipe_of(house)).model_dump() == {
        "kind": "upscaling",
        "picture": grid.files[4],
        "factor": 2,
        "width": 256,
        "height": 256,
    }


async def test_what_follows_a_picture_of_two_passes_is_as_large(house: House) -> None:
    grid = await house.drawn(hd=True)
    single = await house.desk.submit(Cell(source=grid.id, index=2), owner_id=1, key="c", origin="")
    varied = await house.desk.submit(Vary(source=single.id, index=1), owner_id=1, key="v", origin="")
    larger = await house.desk.submit(Upscale(source=single.id), owner_id=1, key="u", origin="")
    sizes = [(job.width, job.height) for job in (grid, single, varied, larger)]
    assert sizes == [(256, 256), (256, 256), (256, 256), (512, 512)]


async def test_enlarging_ends_somewhere(house: House) -> None:
    job = await house.drawn()
    for key in range(5):
        job = await house.desk.submit(Upscale(source=job.id), owner_id=1, key=str(key), origin="")
        [claim] = await house.claim()
        job = await house.finish(claim)
    assert job.width == 4096
    with pytest.raises(Rejected) as caught:
        await house.desk.submit(Upscale(source=job.id), owner_id=1, key="more", origin="")
    assert caught.value.code is ErrorCode.SIZE_UNAVAILABLE


async def test_a_cell_that_aged_out_is_drawn_again_with_its_own_seed(house: House) -> None:
    grid = await house.drawn()
    house.images.remove(grid.id)
    cell = await house.desk.submit(Cell(source=grid.id, index=3), owner_id=1, key="u", origin="")
    assert (cell.state, cell.single, cell.seed) == (JobState.QUEUED, True, grid.seed)
    [claim] = await house.claim()
    assert isinstance(claim.recipe, Drawing)
    assert claim.recipe.seeds == (picture_seed(grid.seed, 2),)
    assert len((await house.finish(claim)).files) == 1


async def test_a_cell_that_aged_out_is_drawn_again_only_by_the_very_weights(house: House) -> None:
    await house.database.write(lambda db: install(db, "tiny", "aaaa", now=0))
    grid = await house.drawn()
    assert grid.model_hash == "aaaa"
    cell = await house.desk.submit(Cell(source=grid.id, index=3), owner_id=1, key="u", origin="")
    assert (cell.state, cell.model_hash) == (JobState.SUCCEEDED, "aaaa")
    house.images.remove(grid.id)
    again = await house.desk.submit(Cell(source=grid.id, index=3), owner_id=1, key="v", origin="")
    [claim] = await house.claim()
    assert isinstance(claim.recipe, Drawing)
    assert claim.recipe.weights == again.model_hash == "aaaa"
    await house.database.write(lambda db: install(db, "tiny", "bbbb", now=1))
    with pytest.raises(PictureGone):
        await house.desk.submit(Cell(source=grid.id, index=4), owner_id=1, key="w", origin="")
    await house.finish(claim)
    assert (await house.drawn()).model_hash == "bbbb"
    enlarged = await house.desk.submit(Upscale(source=cell.id), owner_id=1, key="x", origin="")
    [claim] = await house.claim()
    assert (await house.finish(claim)).model_hash == enlarged.model_hash == "aaaa"


async def test_an_aged_out_cell_of_a_variation_needs_the_picture_it_started_from(house: House) -> None:
    grid = await house.drawn()
    varied = await house.desk.submit(Vary(source=grid.id, index=3), owner_id=1, key="v", origin="")
    [claim] = await house.claim()
    await house.finish(claim)
    house.images.remove(varied.id)
    house.images.remove(grid.id)
    with pytest.raises(PictureGone):
        await house.desk.submit(Cell(source=varied.id, index=1), owner_id=1, key="u", origin="")
    with pytest.raises(PictureGone):
        await house.desk.submit(Reroll(source=varied.id), owner_id=1, key="r", origin="")


async def test_a_cell_refused_by_the_database_leaves_no_picture(house: House) -> None:
    grid = await house.drawn()
    other = sqlite3.connect(house.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        await house.desk.submit(Cell(source=grid.id, index=1), owner_id=1, key="u", origin="")
    other.close()
    assert len(list(house.images.folder.glob("*/*"))) == 1


async def test_a_cell_submitted_twice_at_once_leaves_one_picture(house: House) -> None:
    grid = await house.drawn()
    submissions = [
        house.desk.submit(Cell(source=grid.id, index=1), owner_id=1, key="u", origin="") for _ in range(8)
    ]
    jobs = await asyncio.gather(*submissions)
    assert len({job.id for job in jobs}) == 1
    assert await house.desk.picture(jobs[0].files[0]) == f"{grid.id} 1".encode()
    assert len(list(house.images.folder.glob("*/*"))) == 2


async def test_a_busy_file_refuses_without_queueing(house: House) -> None:
    other = sqlite3.connect(house.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        await house.submit()
    other.close()
    assert await house.desk.recent() == []


async def test_a_full_disk_refuses_without_queueing(house: House) -> None:
    def shrink(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA max_page_count = 1")

    await house.database.write(shrink)
    with pytest.raises(WorkerError) as caught:
        await house.submit(text="word " * 100_000)
    assert caught.value.code is ErrorCode.DISK_FULL
    assert await house.desk.recent() == []
    assert await house.desk.events(after=0) == []


async def test_turbo_is_open_where_the_operator_says_so(tmp_path: Path) -> None:
    async with house_in(tmp_path, limits=Limits(turbo=True)) as house:
        assert (await house.submit(speed=Speed.TURBO)).speed is Speed.TURBO


async def test_the_wait_is_estimated_from_what_was_measured(house: House) -> None:
    for owner, seconds in ((1, 2.0), (2, 4.0)):
        await house.submit(owner)
        [claim] = await house.claim()
        await house.finish(claim, seconds=seconds)
    await house.submit(1)
    [running] = await house.claim()
    await house.store.report([Progress(job_id=running.job.id, fraction=0.75, at=1)])
    await house.submit(2)
    last = await house.submit(3, speed=Speed.RELAX)
    standing = await house.desk.standing(last.id)
    assert standing is not None
    assert (standing.place, standing.wait_seconds) == (
        1,
        3.75,
    )  # one fast job ahead, a quarter of one running
    with FileLock(worker_lock(house.folder, "a")), FileLock(worker_lock(house.folder, "b")):
        shared = await house.desk.standing(last.id)
    assert shared is not None
    assert (shared.wait_seconds, shared.away) == (1.875, False)  # two workers that live share it


async def test_the_artist_is_there_while_a_worker_holds_its_lock(house: House) -> None:
    with FileLock(worker_lock(house.folder, "main")):
        assert not await house.desk.away()
    assert await house.desk.away()


@pytest.mark.parametrize("gone", ["worker", "lease"])
async def test_a_running_job_nobody_draws_any_more_is_cancelled_at_once(house: House, gone: str) -> None:
    job = await house.submit()
    with FileLock(worker_lock(house.folder, "w")):
        await house.claim("w")
        if gone == "lease":
            house.clock.advance(LEASE_SECONDS + 1)
            assert (await house.desk.cancel(job.id)).state is JobState.CANCELLED
    assert (await house.desk.cancel(job.id)).state is JobState.CANCELLED


async def test_many_submissions_at_once_are_all_accepted(tmp_path: Path) -> None:
    async with house_in(tmp_path, limits=Limits(waiting=1000)) as house:
        jobs = await asyncio.gather(
            *(house.desk.submit(prompt(), owner_id=n % 7, key=str(n), origin="") for n in range(200))
        )
        assert len({job.id for job in jobs}) == 200


@pytest.mark.parametrize(
    ("typed", "chosen", "said"),
    [
        (None, Speed.FAST, None),
        (Speed.FAST, Speed.FAST, Speed.FAST),
        (Speed.RELAX, Speed.FAST, None),
        (None, Speed.RELAX, Speed.RELAX),
        (Speed.RELAX, None, Speed.RELAX),
    ],
)
async def test_a_lane_chosen_for_a_button_is_said_unless_it_is_the_usual_one(
    house: House, typed: Speed | None, chosen: Speed | None, said: Speed | None
) -> None:
    grid = await house.submit(speed=typed)
    again = await house.desk.submit(Reroll(source=grid.id, speed=chosen), owner_id=1, key="r", origin="")
    assert (again.request.speed, again.speed) == (said, chosen or typed or Speed.FAST)
