"""Pictures that jobs bring along: fetched before a job is accepted, its own from then on, gone with it."""

import asyncio
import io
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from parser import canonical, parse
from tests.worker.engine.recipes import drawing
from tests.worker.fake_device import FakeDevice
from tests.worker.gallery import Gallery, gallery_open
from tests.worker.house import House, house_in
from tests.worker.test_foreign import BLUE, RED, back, encoded
from tests.worker.test_privacy import third_strike
from tests.worker.test_retention import DAY, aged
from tests.worker.test_runner import reaches, running
from worker.accounts import Credits
from worker.api import (
    Cell,
    ErrorCode,
    Imagine,
    Job,
    JobId,
    JobState,
    Limits,
    LinksRefused,
    Order,
    PictureGone,
    Rejected,
    Reroll,
    Upscale,
    Vary,
)
from worker.deeds import Block
from worker.links import Links
from worker.queue.confidant import Confidant
from worker.queue.inputs import pictures_of
from worker.queue.office import SqliteAdminDesk
from worker.queue.quota import Rules
from worker.recipe import Drawing, Start
from worker.screening import Screening


@dataclass
class Place:
    """A house, and a place its people have pictures from."""

    house: House
    gallery: Gallery

    async def imagine(self, text: str, *, key: str | None = None, owner_id: int = 1) -> Job:
        order = Imagine(request=parse(text))
        return await self.order(order, key=key, owner_id=owner_id)

    async def order(self, order: Order, *, key: str | None = None, owner_id: int = 1) -> Job:
        key = key or f"key {next(self.house.keys)}"
        return await self.house.desk.submit(order, owner_id=owner_id, key=key, origin="{}")

    async def draw(self, job: Job) -> Job:
        claim = next(each for each in await self.house.claim() if each.job.id == job.id)
        return await self.house.finish(claim)

    async def inputs(self, job: Job) -> dict[str, str]:
        import json

        row = await self.house.database.read(
            lambda db: db.execute("SELECT inputs FROM jobs WHERE id = ?", (job.id,)).fetchone()
        )
        return dict(json.loads(row["inputs"]))

    async def recipe(self, job: Job) -> Drawing:
        row = await self.house.database.read(
            lambda db: db.execute("SELECT recipe FROM jobs WHERE id = ?", (job.id,)).fetchone()
        )
        return Drawing.model_validate_json(row["recipe"])

    def files(self) -> set[str]:
        folder = self.house.images.folder
        return {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*")}

    @property
    def red(self) -> str:
        return self.gallery.show("red.png", encoded("PNG", RED))

    @property
    def blue(self) -> str:
        return self.gallery.show("blue.png", encoded("PNG", BLUE))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with gallery_open() as gallery, house_in(tmp_path, links=Links(gallery.guard)) as house:
        yield Place(house, gallery)


async def rows(house: House) -> int:
    found = await house.database.read(lambda db: db.execute("SELECT count(*) FROM jobs").fetchone())
    return int(found[0])


async def test_a_job_has_its_pictures_before_it_is_accepted(place: Place) -> None:
    red, blue = place.red, place.blue
    job = await place.imagine(f"{red}::3 {blue} a fox --iw 1 --sref {blue} {red}::3 42 --sw 300")
    recipe, inputs = await place.recipe(job), await place.inputs(job)
    assert set(inputs) == {red, blue}
    assert set(inputs.values()) == pictures_of(recipe) == place.files()
    assert back(place.house.images.read(inputs[red])).getpixel((1, 1)) == RED
    assert recipe.blend is not None
    assert [(each.picture, each.weight) for each in recipe.blend.pictures] == [
        (inputs[red], 0.75),
        (inputs[blue], 0.25),
    ]
    assert recipe.style is not None
    assert [each.weight for each in recipe.style.pictures] == [0.2, 0.6]
    assert [(each.code, each.weight) for each in recipe.style.codes] == [(42, 0.2)]
    assert recipe.style.share == 0.5
    assert parse(canonical(job.request)) == job.request, "what is echoed can be sent again"


async def test_what_was_drawn_once_can_be_drawn_again_when_the_links_have_ended(place: Place) -> None:
    red, blue = place.red, place.blue
    first = await place.draw(await place.imagine(f"{red} a fox --sref {blue}"))
    place.gallery.answers.clear()
    for order in (
        Reroll(source=first.id),
        Vary(source=first.id, index=2),
        Cell(source=first.id, index=1),
    ):
        job = await place.order(order)
        inputs = await place.inputs(job)
        assert set(inputs) == {red, blue}
        assert all(job.id in name and place.house.images.holds(name) for name in inputs.values())
        if not isinstance(order, Cell):
            recipe = await place.recipe(job)
            assert recipe.style is not None
            assert recipe.style.pictures[0].picture == inputs[blue]
            assert (recipe.blend is None) is isinstance(order, Vary), "a variation starts from its picture"
            await place.draw(job)
        else:
            again = await place.order(Reroll(source=job.id))
            assert pictures_of(await place.recipe(again)) == set((await place.inputs(again)).values())
            await place.draw(again)
            single = await place.order(Upscale(source=job.id))
            assert set(await place.inputs(single)) == {red, blue}
    assert len(place.gallery.asked) == 2


async def test_a_job_does_not_need_the_one_it_came_from(place: Place) -> None:
    first = await place.draw(await place.imagine(f"{place.red} a fox"))
    again = await place.order(Reroll(source=first.id))
    await place.house.desk.delete(first.id)
    [name] = (await place.inputs(again)).values()
    assert place.house.images.read(name)
    await place.draw(again)


async def test_what_cannot_be_had_is_refused_and_nothing_is_kept(place: Place) -> None:
    gone = place.gallery.url("gone.png")
    with pytest.raises(LinksRefused) as caught:
        await place.imagine(f"{place.red} {gone} a fox --sref https://example.org/a.png")
    assert caught.value.links["https://example.org/a.png"].code is ErrorCode.LINK_REFUSED
    with pytest.raises(LinksRefused) as caught:
        await place.imagine(f"{place.red} {gone} a fox")
    assert {url: error.code for url, error in caught.value.links.items()} == {gone: ErrorCode.LINK_GONE}
    assert await rows(place.house) == 0
    assert place.files() == set()


async def test_nothing_is_fetched_for_who_may_not_order(place: Place) -> None:
    house = place.house
    office = SqliteAdminDesk(
        house.database,
        models=("tiny",),
        rules=Rules(Limits(), Credits()),
        pictures=house.images.folder,
        clock=house.clock,
        random=Random(3),
        locks=house.folder,
    )
    from tests.worker.test_office import ADA

    await office.do(Block(user_id=9), ADA)
    with pytest.raises(Rejected) as caught:
        await place.imagine(f"{place.red} a fox", owner_id=9)
    assert caught.value.code is ErrorCode.BLOCKED
    for _ in range(13):
        await house.submit(owner_id=5)
    with pytest.raises(Rejected) as caught:
        await place.imagine(f"{place.red} a fox", owner_id=5)
    assert caught.value.code is ErrorCode.QUEUE_FULL
    assert place.gallery.asked == []


async def test_what_is_refused_after_all_leaves_no_files(place: Place) -> None:
    with pytest.raises(Rejected) as caught:
        await place.imagine(f"{place.red} a fox --turbo")
    assert caught.value.code is ErrorCode.TURBO_OFF
    async with asyncio.timeout(30):
        jobs = await asyncio.gather(
            *(place.imagine(f"{place.red} a fox", owner_id=3) for _ in range(16)), return_exceptions=True
        )
    taken = [job for job in jobs if isinstance(job, Job)]
    assert len(taken) == 13
    assert {name.split("/")[1] for name in place.files()} == {job.id for job in taken}


async def test_one_order_sent_twice_at_once_is_one_job_with_one_folder(place: Place) -> None:
    red = place.red
    both = await asyncio.gather(*(place.imagine(f"{red} a fox", key="same") for _ in range(2)))
    assert both[0].id == both[1].id
    assert {name.split("/")[1] for name in place.files()} == {both[0].id}


async def test_a_random_style_gets_its_number_when_it_is_ordered_and_keeps_it(place: Place) -> None:
    first = await place.imagine("a fox --sref random random::2")
    second = await place.imagine("a fox --sref random")
    numbers = [each.source for job in (first, second) for each in job.request.sref or ()]
    assert all(isinstance(number, int) for number in numbers)
    assert len(set(numbers)) == 3
    assert f"--sref {numbers[0]} {numbers[1]}::2" in canonical(first.request)
    drawn = await place.draw(first)
    again = await place.order(Reroll(source=drawn.id))
    varied = await place.order(Vary(source=drawn.id, index=1))
    assert first.request.sref == again.request.sref == varied.request.sref
    assert (await place.recipe(again)).style == (await place.recipe(first)).style
    assert place.gallery.asked == []


async def test_a_job_that_came_to_nothing_can_be_tried_again_until_its_pictures_age_out(place: Place) -> None:
    house = place.house
    job = await place.imagine(f"{place.red} a fox")
    [claim] = await house.claim()
    await house.store.fail((job.id, claim.attempt), ErrorCode.MODEL_MISSING, retryable=False)
    house.clock.advance(2 * DAY)
    await house.upkeep.prune()
    assert place.files() == set((await place.inputs(job)).values()), "they are no orphans"
    again = await place.order(Reroll(source=job.id))
    await house.desk.cancel(again.id)
    house.clock.advance(8 * DAY)
    assert (await aged(house, pictures_days=7)).pictures == 2
    assert place.files() == set()
    with pytest.raises(PictureGone):
        await place.order(Reroll(source=job.id))
    assert (await aged(house, pictures_days=7)).pictures == 0


async def test_pictures_of_a_job_go_with_it(place: Place) -> None:
    house = place.house
    old = await place.draw(await place.imagine(f"{place.red} a fox"))
    deleted = await place.draw(await place.imagine(f"{place.red} a fox"))
    await house.desk.delete(deleted.id)
    assert not any(deleted.id in name for name in place.files())
    house.clock.advance(8 * DAY)
    await aged(house, pictures_days=7)
    assert place.files() == set()
    with pytest.raises(PictureGone):
        await place.order(Reroll(source=old.id))
    await place.imagine(f"{place.red} a fox")
    house.clock.advance(2 * DAY)
    await house.upkeep.prune()
    assert len(place.files()) == 1, "what waits keeps its picture"


async def test_a_folder_without_its_job_is_swept(place: Place) -> None:
    """As when the process is killed between storing the pictures and the row."""
    place.house.images.write(JobId("00000000-0000-4000-8000-000000000000"), {"ab12.png": encoded("PNG")})
    place.house.clock.now = 4e9
    assert await place.house.upkeep.prune() == 1
    assert place.files() == set()


async def test_who_is_forgotten_leaves_no_picture_behind_and_is_handed_all(
    place: Place, tmp_path: Path
) -> None:
    house = place.house
    job = await place.draw(await place.imagine(f"{place.red} a fox"))
    confidant = Confidant(
        house.database, house.images, house.desk, clock=house.clock, random=Random(2), sentence=third_strike
    )
    await confidant.export(1, tmp_path / "me.zip")
    [name] = (await place.inputs(job)).values()
    with zipfile.ZipFile(tmp_path / "me.zip") as archive:
        body = archive.read(name.partition("/")[2])
    assert back(io.BytesIO(body).getvalue()).getpixel((1, 1)) == RED
    await confidant.forget(1)
    assert place.files() == set()


class Suspicious:
    """A gate that takes red pictures for adult."""

    def score(self, picture: bytes) -> float:
        try:
            return 0.9 if back(picture).getpixel((1, 1)) == RED else 0.1
        except OSError:
            return 0.1  # what the device of these tests draws is no picture


async def test_the_device_gets_the_pictures_and_the_gate_has_seen_them(place: Place) -> None:
    from tests.worker import test_runner

    house, device = place.house, FakeDevice()
    screening = Screening(house.database, pictures=Suspicious(), meaning=None, threshold=0.5)
    red, blue = place.red, place.blue
    job = await place.imagine(f"{red} a fox --sref {blue}")
    inputs = await place.inputs(job)
    runner = test_runner.Runner(
        house.store, device, house.images, worker="w", clock=house.clock, screening=screening
    )
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    await reaches(house, job.id, JobState.SUCCEEDED)
    stop.set()
    await task
    await device.close()
    assert set(device.jobs[0].references) == set(inputs.values())
    assert back(device.jobs[0].references[inputs[red]]).getpixel((1, 1)) == RED

    def scores(db: sqlite3.Connection) -> dict[str, float]:
        return {row["name"]: row["score"] for row in db.execute("SELECT name, score FROM picture_scores")}

    found = await house.database.read(scores)
    assert found[inputs[red].rpartition("/")[2]] == 0.9
    assert found[inputs[blue].rpartition("/")[2]] == 0.1
    for order in (Cell(source=job.id, index=1), Vary(source=job.id, index=1)):
        made = await place.order(order)

        def worst(db: sqlite3.Connection, made: Job = made) -> float:
            row = db.execute("SELECT max(score) FROM picture_scores WHERE job_id = ?", (made.id,)).fetchone()
            return float(row[0])

        assert await house.database.read(worst) == 0.9, "what is made from it is as adult"


async def test_a_picture_that_vanished_fails_its_job_in_words(place: Place) -> None:
    house, device = place.house, FakeDevice()
    job = await place.imagine(f"{place.red} a fox")
    house.images.remove(job.id)
    async with running(house, device):
        ended = await reaches(house, job.id, JobState.FAILED)
    await device.close()
    assert ended.error is ErrorCode.PICTURE_GONE


def test_what_masks_a_picture_is_brought_along_as_well() -> None:
    recipe = drawing(start=Start(picture="a/1.png", strength=0.5, mask="a/mask.png"))
    assert pictures_of(recipe) == {"a/mask.png"}
    assert pictures_of(drawing(start=Start(picture="a/1.png", strength=0.5))) == set()
