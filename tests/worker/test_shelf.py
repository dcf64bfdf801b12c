"""Which checkpoint draws what."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.worker.house import House, house_in, prompt
from worker.admin import Actor
from worker.api import Cell, ErrorCode, Imagine, Job, JobState, Rejected, Reroll, Upscale, Vary
from worker.catalogue import Catalogue, Entry
from worker.deeds import SetModel, Verb
from worker.queue import verdicts
from worker.queue.shelf import shelf
from worker.recipe import Drawing, ModelProfile

ADA = Actor(name="cli:ada")
PAINTER = Entry(
    profile=ModelProfile(name="painter", source="models/painter", size=128), versions=("6", "6.1")
)
INKER = Entry(
    profile=ModelProfile(name="inker", source="models/inker", size=256, steps=8, guidance=1),
    versions=("5",),
    niji=("5", "6"),
)
TWO = Catalogue(entries=(PAINTER, INKER))


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[House]:
    async with house_in(tmp_path, catalogue=TWO) as house:
        yield house


async def switch(house: House, verb: Verb, name: str, names: tuple[str, ...] = TWO.names) -> None:
    deed = SetModel.model_validate({"verb": verb, "name": name})
    await house.database.write(lambda db: verdicts.set_model(db, deed, names))


async def drawn(house: House, **typed: object) -> Job:
    return await house.drawn(**typed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ({}, "painter"),
        ({"version": "6"}, "painter"),
        ({"version": "6.1"}, "painter"),
        ({"version": "5"}, "inker"),
        ({"niji": "5"}, "inker"),
        ({"niji": "latest"}, "inker"),
    ],
)
async def test_a_prompt_is_drawn_by_the_version_it_names(
    studio: House, typed: dict[str, str], name: str
) -> None:
    job = await studio.submit(**typed)
    assert job.model == name
    assert job.request.version == typed.get("version")


async def test_a_model_draws_at_its_own_size_with_its_own_steps(studio: House) -> None:
    job = await studio.submit(version="5")
    assert (job.width, job.height) == (256, 256)
    [claim] = await studio.claim()
    assert isinstance(claim.recipe, Drawing)
    assert (claim.recipe.steps, claim.recipe.guidance) == (8, 1)


async def test_a_version_nobody_has_is_refused_with_those_there_are(studio: House) -> None:
    with pytest.raises(Rejected) as refused:
        await studio.submit(version="7")
    assert refused.value.code is ErrorCode.VERSION_UNAVAILABLE
    assert dict(refused.value.detail) == {
        "asked": "--v 7",
        "served": "--v 6, --v 6.1, --v 5, --niji 5, --niji 6",
        "versions": "6 6.1 5",
        "niji": "5 6",
    }
    assert await studio.desk.recent() == []


async def test_a_bare_niji_where_there_is_none_is_refused(tmp_path: Path) -> None:
    async with house_in(tmp_path, catalogue=Catalogue(entries=(PAINTER,))) as house:
        with pytest.raises(Rejected) as refused:
            await house.submit(niji="latest")
    assert refused.value.detail["asked"] == "--niji"


async def test_a_model_that_is_off_is_refused_by_version_and_never_the_default(studio: House) -> None:
    await switch(studio, Verb.MODELS_DISABLE, "painter")
    with pytest.raises(Rejected) as refused:
        await studio.submit(version="6")
    assert refused.value.code is ErrorCode.MODEL_OFF
    assert (await studio.submit()).model == "inker"


async def test_what_admins_make_the_default_draws_who_says_nothing(studio: House) -> None:
    await switch(studio, Verb.MODELS_DEFAULT, "inker")
    assert (await studio.submit()).model == "inker"
    assert (await studio.submit(version="6")).model == "painter"


async def test_a_default_that_left_the_configuration_gives_way_to_the_first(tmp_path: Path) -> None:
    async with house_in(tmp_path, catalogue=TWO) as house:
        await switch(house, Verb.MODELS_DEFAULT, "gone", (*TWO.names, "gone"))
        assert (await house.database.read(lambda db: shelf(db, TWO))).default is PAINTER


async def test_nothing_is_ordered_of_a_model_before_it_is_known_what_it_is(studio: House) -> None:
    source = await drawn(studio, version="5")
    coming = INKER.model_copy(update={"ready": False})
    studio.desk.restock(Catalogue(entries=(PAINTER, coming)))
    vary = Vary(source=source.id, index=1)
    for refused in (
        studio.submit(version="5"),
        studio.desk.quote([prompt(niji="5").request]),
        studio.desk.submit(vary, owner_id=1, key="v", origin="{}"),
    ):
        with pytest.raises(Rejected) as told:
            await refused
        assert (told.value.code, dict(told.value.detail)) == (ErrorCode.MODEL_UNREADY, {"model": "inker"})
    assert (await studio.submit()).model == "painter"
    studio.desk.restock(TWO)
    assert (await studio.submit(version="5")).width == 256


@pytest.mark.parametrize("kind", [Vary, Reroll])
async def test_buttons_draw_with_what_drew_the_picture(studio: House, kind: type) -> None:
    source = await drawn(studio, version="5")
    order = kind(source=source.id, **({"index": 1} if kind is Vary else {}))
    again = await studio.desk.submit(order, owner_id=1, key="b", origin="{}")
    assert (again.model, again.request.version) == ("inker", "5")
    await studio.finish(*await studio.claim())
    await switch(studio, Verb.MODELS_DEFAULT, "inker")
    plain = await drawn(studio)
    await switch(studio, Verb.MODELS_DEFAULT, "painter")
    order = order.model_copy(update={"source": plain.id})
    assert (await studio.desk.submit(order, owner_id=1, key="c", origin="{}")).model == "inker"


@pytest.mark.parametrize("kind", [Vary, Reroll])
async def test_buttons_fall_back_to_the_default_and_then_name_no_version(studio: House, kind: type) -> None:
    source = await drawn(studio, version="5")
    await switch(studio, Verb.MODELS_DISABLE, "inker")
    order = kind(source=source.id, **({"index": 1} if kind is Vary else {}))
    again = await studio.desk.submit(order, owner_id=1, key="b", origin="{}")
    assert (again.model, again.request.version) == ("painter", None)
    assert again.request.text == source.request.text


async def test_pictures_of_a_model_that_is_off_are_still_taken_and_enlarged(studio: House) -> None:
    source = await drawn(studio, version="5")
    await switch(studio, Verb.MODELS_DISABLE, "inker")
    cell = await studio.desk.submit(Cell(source=source.id, index=2), owner_id=1, key="u", origin="{}")
    assert (cell.state, cell.model) == (JobState.SUCCEEDED, "inker")
    large = await studio.desk.submit(Upscale(source=cell.id), owner_id=1, key="l", origin="{}")
    assert large.state is JobState.QUEUED
    [claim] = await studio.claim()
    assert claim.job.id == large.id


async def test_jobs_of_a_model_that_was_switched_off_wait_until_it_is_on_again(studio: House) -> None:
    off = await studio.submit(version="5")
    on = await studio.submit(2, version="6")
    await switch(studio, Verb.MODELS_DISABLE, "inker")
    [claim] = await studio.claim()
    assert claim.job.id == on.id
    await studio.finish(claim)
    assert await studio.claim() == []
    standing = await studio.desk.standing(off.id)
    assert standing is not None
    assert (standing.paused, standing.off) == (False, "inker")
    await switch(studio, Verb.MODELS_ENABLE, "inker")
    [claim] = await studio.claim()
    assert claim.job.id == off.id


async def test_a_promoted_job_of_a_model_that_is_off_waits_too(studio: House) -> None:
    job = await studio.submit(version="5")
    await studio.database.write(
        lambda db: db.execute("UPDATE jobs SET promoted = 1 WHERE id = ?", (job.id,)).rowcount
    )
    await switch(studio, Verb.MODELS_DISABLE, "inker")
    assert await studio.claim() == []


def test_a_prompt_of_its_own_names_what_it_wants() -> None:
    order = prompt(version="5")
    assert isinstance(order, Imagine)
    found = TWO.asked_for(order.request)
    assert found is INKER
    assert found.flags == ("--v 5", "--niji 5", "--niji 6")
