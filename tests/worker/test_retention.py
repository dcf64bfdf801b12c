"""What ages out, in which order, and what never does."""

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.worker.house import PLENTY, PROFILE, House, house_in
from worker.api import Cell, Job, JobId, JobNotFound, JobState, PictureGone, Upscale, Vary
from worker.keep import Retention
from worker.queue.retention import Ageing, Gone
from worker.recipe import PICTURES, Drawing

DAY = 86400.0
SIDE = 8


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path) as opened:
        yield opened


async def aged(house: House, **policy: Any) -> Gone:
    return await Ageing(house.database, house.images, Retention(**policy), clock=house.clock).run()


def png(shade: int, **text: str) -> bytes:
    info = PngInfo()
    for key, value in text.items():
        info.add_itxt(key, value)
    stream = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (shade, shade, shade)).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


async def derived(house: House, kind: Callable[..., Any], source: Job) -> Job:
    """Order something made from picture 1 of *source*."""
    key = f"key {next(house.keys)}"
    return await house.desk.submit(kind(source=source.id, index=1), owner_id=1, key=key, origin="{}")


def stored(house: House, job: Job) -> set[str]:
    return {name.rpartition("/")[2] for name in job.files if house.images.holds(name)}


WHOLE = {"grid.png", "1.png", "2.png", "3.png", "4.png"}


async def test_nothing_ages_out_by_itself(house: House) -> None:
    job = await house.drawn()
    house.clock.advance(10_000 * DAY)
    assert await aged(house) == Gone()
    assert stored(house, job) == WHOLE


async def test_pictures_go_after_their_days_and_the_job_stays(house: House) -> None:
    old = await house.drawn()
    house.clock.advance(8 * DAY)
    young = await house.drawn()
    assert await aged(house, pictures_days=7) == Gone(pictures=1)
    assert stored(house, old) == set()
    assert stored(house, young) == WHOLE
    assert (await house.desk.get(old.id)).files == old.files
    with pytest.raises(PictureGone):
        await house.desk.picture(old.files[0])
    assert await aged(house, pictures_days=7) == Gone()


async def test_an_aged_out_cell_is_drawn_again_with_its_own_seed(house: House) -> None:
    job = await house.drawn()
    house.clock.advance(8 * DAY)
    await aged(house, pictures_days=7)
    again = await derived(house, Cell, job)
    assert again.state is JobState.QUEUED
    [claim] = await house.store.claim("w", PLENTY)
    assert isinstance(claim.recipe, Drawing)
    assert len(claim.recipe.seeds) == 1
    assert claim.recipe.model == PROFILE.name
    assert (await house.finish(claim)).state is JobState.SUCCEEDED


@pytest.mark.parametrize("kind", [Vary, Upscale])
@pytest.mark.parametrize("claimed", [False, True])
async def test_what_a_job_under_way_starts_from_never_goes(
    house: House, kind: Callable[..., Any], claimed: bool
) -> None:
    source, other = await house.drawn(), await house.drawn()
    await derived(house, kind, source)
    if claimed:
        await house.claim()
    house.clock.advance(400 * DAY)
    await aged(house, pictures_days=1, jobs_days=300, disk_gb=1e-9)
    assert stored(house, source) >= {"1.png"}
    assert stored(house, other) == set()
    with pytest.raises(JobNotFound):
        await house.desk.get(other.id)


async def test_room_is_made_of_grids_first_then_of_what_nobody_chose_then_of_the_oldest(house: House) -> None:
    chosen, plain, late = [await house.drawn() for _ in range(3)]
    cell = await derived(house, Cell, chosen)
    house.clock.advance(2 * DAY)
    sizes = [house.images.size()]

    async def squeezed(by: int) -> Gone:
        """Let the quota be *by* bytes less than what the pictures take."""
        sizes.append(house.images.size())
        return await aged(house, disk_gb=(sizes[-1] - by) / 1e9)

    first = await squeezed(1)
    assert first == Gone(grids=3)
    assert [stored(house, each) for each in (chosen, plain, late)] == [WHOLE - {"grid.png"}] * 3
    everything = await aged(house, disk_gb=(house.images.size() - 1) / 1e9)
    assert everything == Gone(pictures=2)
    assert stored(house, plain) == stored(house, late) == set()
    assert stored(house, chosen) == WHOLE - {"grid.png"}
    assert stored(house, cell) == {"1.png"}
    assert await aged(house, disk_gb=1e-9) == Gone(pictures=2)
    assert house.images.size() == 0


async def test_room_is_made_in_small_steps_and_no_more_than_needed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.queue import retention

    monkeypatch.setattr(retention, "BATCH", 1)
    jobs = [await house.drawn() for _ in range(6)]
    house.clock.advance(DAY)
    one = house.images.size() / len(jobs)
    gone = await aged(house, disk_gb=4 * one / retention.ROOM / 1e9)
    assert gone.grids == 6
    assert 0 < gone.pictures < 3
    assert [bool(stored(house, job)) for job in jobs] == sorted(bool(stored(house, job)) for job in jobs)


async def test_what_ended_within_the_hour_stays_however_little_room_there_is(house: House) -> None:
    job = await house.drawn()
    house.clock.advance(1800)
    assert await aged(house, disk_gb=1e-9, pictures_days=0.001, jobs_days=0.001) == Gone()
    assert stored(house, job) == WHOLE


async def test_a_shared_picture_is_counted_once_and_frees_nothing_while_it_is_shared(house: House) -> None:
    job = await house.drawn()
    before = house.images.size()
    cell = await derived(house, Cell, job)
    assert house.images.size() == before
    assert house.images.remove(cell.id) == 0
    assert house.images.remove(job.id) == before


async def test_a_grid_that_made_room_is_put_together_again(house: House) -> None:
    job = await house.submit()
    [claim] = await house.claim()
    cells = {f"{n}.png": png(n * 40, prompt="a fox", parameters="of one") for n in range(1, PICTURES + 1)}
    names = house.images.write(job.id, {"grid.png": b"grid", **cells})
    await house.store.succeed((job.id, claim.attempt), names, 1.0)
    house.images.discard(names[0])
    grid = Image.open(io.BytesIO(await house.desk.picture(names[0])))
    assert grid.size == (2 * SIDE, 2 * SIDE)
    places = [(0, 0), (SIDE, 0), (0, SIDE), (SIDE, SIDE)]
    assert [grid.getpixel(place)[0] for place in places] == [40, 80, 120, 160]
    assert grid.info["prompt"] == "a fox"
    assert "parameters" not in grid.info
    house.images.discard(names[1])
    with pytest.raises(PictureGone):
        await house.desk.picture(names[0])


async def test_a_process_killed_between_file_and_row_does_it_again(house: House) -> None:
    job = await house.drawn()
    house.clock.advance(8 * DAY)
    house.images.remove(JobId(job.id))
    assert await aged(house, pictures_days=7) == Gone(pictures=1)


async def test_jobs_go_after_their_days_with_their_pictures_and_others_stay(house: House) -> None:
    old = [await house.drawn() for _ in range(3)]
    waiting = await house.submit()
    house.clock.advance(31 * DAY)
    assert await aged(house, jobs_days=30) == Gone(jobs=3)
    for job in old:
        with pytest.raises(JobNotFound):
            await house.desk.get(job.id)
        assert stored(house, job) == set()
    assert (await house.desk.get(waiting.id)).state is JobState.QUEUED


async def test_upkeep_applies_the_policy(house: House) -> None:
    from worker.queue.upkeep import Upkeep

    job = await house.drawn()
    house.clock.advance(8 * DAY)
    upkeep = Upkeep(
        house.database,
        house.images,
        clock=house.clock,
        monotonic=house.uptime,
        locks=house.folder,
        retention=Retention(pictures_days=7, events_days=1),
    )
    await upkeep.prune()
    assert stored(house, job) == set()
    assert await house.desk.events(after=0) == []  # type: ignore[arg-type]


async def test_ageing_finds_its_jobs_by_an_index(house: House) -> None:
    from worker.queue import retention

    asked: list[str] = []

    def watched(db: Any) -> list[str]:
        db.set_trace_callback(asked.append)
        retention._oldest(db, before=5.0, chosen=False)
        db.set_trace_callback(None)
        return [str(row["detail"]) for row in db.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]

    told = await house.database.read(watched)
    assert any("SEARCH j USING INDEX jobs_stored" in each for each in told)
    assert any("SEARCH jobs USING INDEX jobs_source" in each for each in told)
