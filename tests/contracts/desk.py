"""What every `JobDesk` must do. Subclass it, name the class ``Test…`` and provide the ``shop`` fixture."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import pytest

from parser import ImagineRequest, Part, Speed
from worker.api import (
    DIRECT,
    Cell,
    ErrorCode,
    Imagine,
    Job,
    JobDesk,
    JobId,
    JobNotFound,
    JobState,
    Membership,
    PictureGone,
    Progress,
    Rejected,
    Reroll,
    Upscale,
    Vary,
)

NOBODY = JobId("00000000-0000-4000-8000-000000000000")


class Press(Protocol):
    """The worker behind a desk, driven by hand. Only one job is queued when it is asked for."""

    async def start(self) -> JobId:
        """Claim the job that waits."""
        ...

    async def report(self, progress: Progress) -> None:
        """Report how far the running job is."""
        ...

    async def finish(self) -> JobId:
        """Claim the job that waits, unless one runs, and store its pictures: each says its own name."""
        ...

    async def lose_pictures(self, job_id: JobId) -> None:
        """Let the pictures of a job age out."""
        ...


@dataclass
class Shop:
    """A desk with nothing in it, limits of 3 running and 10 waiting, and turbo off."""

    desk: JobDesk
    press: Press


def prompt(text: str = "a red fox", **typed: object) -> Imagine:
    return Imagine(request=ImagineRequest(text=text, parts=(Part(text=text),), **typed))


class DeskContract:
    async def grid(self, shop: Shop, **typed: object) -> Job:
        job = await shop.desk.submit(prompt(**typed), owner_id=1, key="grid", origin="here")
        await shop.press.finish()
        return await shop.desk.get(job.id)

    async def cell(self, shop: Shop, index: int = 2) -> Job:
        grid = await self.grid(shop)
        return await shop.desk.submit(Cell(source=grid.id, index=index), owner_id=2, key="cell", origin="")

    async def test_a_submission_is_a_queued_job(self, shop: Shop) -> None:
        order = prompt(seed=42)
        job = await shop.desk.submit(order, owner_id=7, key="k", origin="here")
        assert (job.state, job.order, job.request, job.owner_id) == (JobState.QUEUED, order, order.request, 7)
        assert (job.seed, job.origin, job.attempt, job.files, job.speed) == (42, "here", 0, (), Speed.FAST)
        assert await shop.desk.get(job.id) == job

    async def test_seeds_that_were_not_typed_differ(self, shop: Shop) -> None:
        seeds = {
            (await shop.desk.submit(prompt(), owner_id=1, key=str(key), origin="")).seed for key in range(5)
        }
        assert len(seeds) == 5

    async def test_a_key_stands_for_one_job_whatever_comes_with_it(self, shop: Shop) -> None:
        first = await shop.desk.submit(prompt("a fox"), owner_id=1, key="k", origin="")
        again = await shop.desk.submit(prompt("a dog"), owner_id=2, key="k", origin="there")
        assert again == first
        assert len(await shop.desk.recent()) == 1

    async def test_a_key_that_races_itself_stands_for_one_job(self, shop: Shop) -> None:
        submissions = [shop.desk.submit(prompt(), owner_id=1, key="k", origin="") for _ in range(20)]
        jobs = await asyncio.gather(*submissions)
        assert len({job.id for job in jobs}) == 1
        assert len(await shop.desk.events(after=0)) == 1

    async def test_one_waiting_job_too_many_is_refused_and_a_repeated_key_is_not(self, shop: Shop) -> None:
        for key in range(13):  # three would run, ten wait
            await shop.desk.submit(prompt(), owner_id=1, key=str(key), origin="")
        with pytest.raises(Rejected) as caught:
            await shop.desk.submit(prompt(), owner_id=1, key="one more", origin="")
        assert caught.value.code is ErrorCode.QUEUE_FULL
        assert caught.value.detail == {"running": 3, "waiting": 10}
        assert (await shop.desk.submit(prompt(), owner_id=1, key="0", origin="")).state is JobState.QUEUED
        assert (await shop.desk.submit(prompt(), owner_id=2, key="other", origin="")).owner_id == 2

    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            ({"speed": Speed.TURBO}, ErrorCode.TURBO_OFF),
            ({"images": [{"url": "https://example.org/a.png"}]}, ErrorCode.IMAGES_UNAVAILABLE),
            ({"aspect": (3, 1)}, ErrorCode.ASPECT_UNAVAILABLE),
        ],
    )
    async def test_what_cannot_be_drawn_is_refused(
        self, shop: Shop, typed: dict[str, object], code: ErrorCode
    ) -> None:
        with pytest.raises(Rejected) as caught:
            await shop.desk.submit(prompt(**typed), owner_id=1, key="k", origin="")
        assert caught.value.code is code
        assert await shop.desk.recent() == []

    async def test_a_finished_grid_has_five_pictures(self, shop: Shop) -> None:
        job = await self.grid(shop)
        assert (job.state, job.single, job.error, len(job.files)) == (JobState.SUCCEEDED, False, None, 5)
        pictures = [await shop.desk.picture(name) for name in job.files]
        assert pictures == [f"{job.id} {name}".encode() for name in ("grid", "1", "2", "3", "4")]

    async def test_a_cell_is_done_at_once_and_is_the_very_picture(self, shop: Shop) -> None:
        cell = await self.cell(shop, index=2)
        assert (cell.state, cell.single, cell.owner_id, len(cell.files)) == (JobState.SUCCEEDED, True, 2, 1)
        assert await shop.desk.picture(cell.files[0]) == f"{cell.source} 2".encode()
        assert [event.state for event in await shop.desk.events(after=0)][-1] is JobState.SUCCEEDED
        assert await shop.desk.standing(cell.id) is None

    async def test_a_cell_outlives_its_grid(self, shop: Shop) -> None:
        cell = await self.cell(shop)
        assert cell.source is not None
        await shop.desk.delete(cell.source)
        assert await shop.desk.picture(cell.files[0]) == f"{cell.source} 2".encode()

    async def test_a_cell_is_free_of_the_limits(self, shop: Shop) -> None:
        grid = await self.grid(shop)
        for key in range(13):
            await shop.desk.submit(prompt(), owner_id=1, key=str(key), origin="")
        cell = await shop.desk.submit(Cell(source=grid.id, index=1), owner_id=1, key="u", origin="")
        assert cell.state is JobState.SUCCEEDED

    async def test_a_reroll_has_a_new_seed_also_in_its_request(self, shop: Shop) -> None:
        grid = await self.grid(shop, seed=42)
        again = await shop.desk.submit(Reroll(source=grid.id), owner_id=2, key="r", origin="")
        assert again.seed != 42
        assert again.request == grid.request.model_copy(update={"seed": again.seed})

    async def test_a_reroll_types_no_seed_where_none_was(self, shop: Shop) -> None:
        grid = await self.grid(shop)
        again = await shop.desk.submit(Reroll(source=grid.id), owner_id=2, key="r", origin="")
        assert again.seed != grid.seed
        assert again.request == grid.request

    async def test_a_variation_keeps_the_prompt_but_not_seed_and_quality(self, shop: Shop) -> None:
        grid = await self.grid(shop, seed=42, quality=2, stop=50)
        job = await shop.desk.submit(Vary(source=grid.id, index=3), owner_id=2, key="v", origin="")
        assert job.request == grid.request.model_copy(update={"seed": None, "quality": None})
        assert (job.state, job.single, job.seed != 42) == (JobState.QUEUED, False, True)

    async def test_an_upscale_is_twice_as_large(self, shop: Shop) -> None:
        cell = await self.cell(shop)
        job = await shop.desk.submit(Upscale(source=cell.id), owner_id=2, key="x", origin="")
        assert (job.state, job.single) == (JobState.QUEUED, True)
        assert (job.width, job.height) == (2 * cell.width, 2 * cell.height)
        await shop.press.finish()
        assert len((await shop.desk.get(job.id)).files) == 1

    async def test_buttons_of_a_job_without_pictures_are_refused(self, shop: Shop) -> None:
        job = await shop.desk.submit(prompt(), owner_id=1, key="k", origin="")
        for order in (Vary(source=job.id, index=1), Cell(source=job.id, index=1), Upscale(source=job.id)):
            with pytest.raises(Rejected) as caught:
                await shop.desk.submit(order, owner_id=1, key="b", origin="")
            assert caught.value.code is ErrorCode.SOURCE_UNFINISHED

    async def test_pictures_that_never_were_are_refused(self, shop: Shop) -> None:
        cell = await self.cell(shop)
        for order in (Vary(source=cell.id, index=2), Cell(source=cell.id, index=4)):
            with pytest.raises(Rejected) as caught:
                await shop.desk.submit(order, owner_id=1, key="b", origin="")
            assert caught.value.code is ErrorCode.NO_SUCH_PICTURE

    async def test_what_depends_on_a_picture_that_aged_out_is_refused(self, shop: Shop) -> None:
        cell = await self.cell(shop)
        await shop.press.lose_pictures(cell.id)
        for order in (Vary(source=cell.id, index=1), Upscale(source=cell.id), Cell(source=cell.id, index=1)):
            with pytest.raises(PictureGone):
                await shop.desk.submit(order, owner_id=1, key="b", origin="")
        with pytest.raises(PictureGone):
            await shop.desk.picture(cell.files[0])

    async def test_a_job_nobody_knows_is_not_found(self, shop: Shop) -> None:
        for call in (
            shop.desk.get(NOBODY),
            shop.desk.cancel(NOBODY),
            shop.desk.delete(NOBODY),
            shop.desk.submit(Reroll(source=NOBODY), owner_id=1, key="k", origin=""),
        ):
            with pytest.raises(JobNotFound):
                await call
        assert await shop.desk.standing(NOBODY) is None
        assert await shop.desk.progress([NOBODY]) == {}

    async def test_a_waiting_job_is_cancelled_at_once(self, shop: Shop) -> None:
        job = await shop.desk.submit(prompt(), owner_id=1, key="k", origin="")
        assert (await shop.desk.cancel(job.id)).state is JobState.CANCELLED
        assert (await shop.desk.cancel(job.id)).state is JobState.CANCELLED
        states = [event.state for event in await shop.desk.events(after=0)]
        assert states == [JobState.QUEUED, JobState.CANCELLED]

    async def test_a_running_job_is_asked_to_stop(self, shop: Shop) -> None:
        job = await shop.desk.submit(prompt(), owner_id=1, key="k", origin="")
        await shop.press.start()
        cancelled = await shop.desk.cancel(job.id)
        assert (cancelled.state, cancelled.cancel_requested) == (JobState.RUNNING, True)

    async def test_a_finished_job_is_not_cancelled(self, shop: Shop) -> None:
        grid = await self.grid(shop)
        assert await shop.desk.cancel(grid.id) == grid

    async def test_a_final_job_is_forgotten_with_its_pictures(self, shop: Shop) -> None:
        grid = await self.grid(shop)
        await shop.desk.delete(grid.id)
        with pytest.raises(JobNotFound):
            await shop.desk.get(grid.id)
        with pytest.raises(PictureGone):
            await shop.desk.picture(grid.files[0])

    async def test_a_job_under_way_is_not_forgotten(self, shop: Shop) -> None:
        job = await shop.desk.submit(prompt(), owner_id=1, key="k", origin="")
        with pytest.raises(Rejected):
            await shop.desk.delete(job.id)
        await shop.press.start()
        with pytest.raises(Rejected):
            await shop.desk.delete(job.id)

    async def test_the_newest_jobs_come_first(self, shop: Shop) -> None:
        jobs = [
            await shop.desk.submit(prompt(), owner_id=owner, key=str(key), origin="")
            for key, owner in enumerate((1, 2, 1))
        ]
        assert await shop.desk.recent() == jobs[::-1]
        assert await shop.desk.recent(owner_id=1) == [jobs[2], jobs[0]]
        assert await shop.desk.recent(limit=1) == [jobs[2]]

    async def test_progress_is_that_of_the_running_jobs(self, shop: Shop) -> None:
        job = await shop.desk.submit(prompt(), owner_id=1, key="k", origin="")
        await shop.press.start()
        row = Progress(job_id=job.id, fraction=0.5, preview=b"blurred", at=1)
        await shop.press.report(row)
        assert await shop.desk.progress([job.id, NOBODY]) == {job.id: row}
        assert await shop.desk.progress([]) == {}
        await shop.press.finish()
        assert await shop.desk.progress([job.id]) == {}

    async def test_a_standing_tells_the_place_in_the_lane(self, shop: Shop) -> None:
        async def place(job: Job) -> int:
            standing = await shop.desk.standing(job.id)
            assert standing is not None
            assert (standing.wait_seconds, standing.away) == (None, True)
            return standing.place

        mine = [await shop.desk.submit(prompt(), owner_id=1, key=f"{n}", origin="") for n in range(3)]
        other = await shop.desk.submit(prompt(), owner_id=2, key="other", origin="")
        relaxed = await shop.desk.submit(prompt(speed=Speed.RELAX), owner_id=3, key="relaxed", origin="")
        assert [await place(job) for job in (*mine, other, relaxed)] == [1, 3, 4, 2, 1]

    async def test_events_follow_a_cursor(self, shop: Shop) -> None:
        assert await shop.desk.last_event() == 0
        grid = await self.grid(shop)
        events = await shop.desk.events(after=0)
        assert [event.state for event in events] == [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]
        assert {event.job_id for event in events} == {grid.id}
        assert await shop.desk.events(after=events[0].id) == events[1:]
        assert await shop.desk.events(after=0, limit=2) == events[:2]
        assert await shop.desk.last_event() == events[-1].id

    async def test_whoever_listens_hears_of_a_write_and_of_nothing_else(self, shop: Shop) -> None:
        seen = await shop.desk.changed(-1, within=60)
        assert await shop.desk.changed(seen, within=0) == seen
        listening = asyncio.create_task(shop.desk.changed(seen, within=60))
        await asyncio.sleep(0)
        await shop.desk.submit(prompt(), owner_id=1, key="k", origin="")
        async with asyncio.timeout(20):
            assert await listening != seen

    async def test_an_account_tells_what_was_used_by_whom_and_where(self, shop: Shop) -> None:
        member = Membership(guild_id=5)
        await shop.desk.submit(prompt(), owner_id=1, key="k", origin="", membership=member)
        await shop.desk.submit(prompt(quality=2), owner_id=2, key="l", origin="", membership=member)
        await shop.desk.submit(prompt(speed=Speed.RELAX), owner_id=1, key="m", origin="", membership=member)
        account = await shop.desk.account(1, member)
        assert (account.owner_id, account.running, account.waiting, account.granted) == (1, 3, 10, 0)
        assert {use.used for use in account.person.values()} == {1}
        assert {use.used for use in account.server.values()} == {3}
        assert {use.left for use in (*account.person.values(), *account.server.values())} == {None}
        assert (await shop.desk.account(1, DIRECT)).server == {}

    async def test_usage_counts_grids_and_seconds_by_lane(self, shop: Shop) -> None:
        await self.grid(shop)
        waiting = await shop.desk.submit(prompt(speed=Speed.RELAX), owner_id=1, key="k", origin="")
        usage = await shop.desk.usage(1)
        assert (usage.queued, usage.running) == ({Speed.RELAX: 1}, ())
        assert usage.pictures == {Speed.FAST: 1}
        assert usage.seconds[Speed.FAST] > 0
        await shop.press.start()
        assert (await shop.desk.usage(1)).running == (waiting.id,)
        assert (await shop.desk.usage(2)).pictures == {}

    async def test_the_artist_is_away_where_no_worker_runs(self, shop: Shop) -> None:
        assert await shop.desk.away()
