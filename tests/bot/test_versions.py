"""Models are chosen in prompts, and what this server does not have is answered with what it has."""

import pytest

from bot.closures import closed_by
from bot.facts import Facts
from bot.texts import Texts
from parser import Closed, PromptErrors, parse
from tests.acceptance.member import Member
from tests.bot.studio import Studio, labelled
from worker.api import ErrorCode, Rejected
from worker.catalogue import Catalogue, Entry
from worker.recipe import ModelProfile

PAINTER = Entry(profile=ModelProfile(name="tiny", source="tiny", size=64), versions=("5", "6"))
INKER = Entry(profile=ModelProfile(name="inker", source="inker", size=64), versions=("5.2",), niji=("6",))


@pytest.fixture
async def several(live: Studio) -> Studio:
    live.desk._catalogue = Catalogue(entries=(PAINTER, INKER))
    return live


def refused(prompt: str, **detail: str) -> list[tuple[str, str | None]]:
    error = Rejected(ErrorCode.VERSION_UNAVAILABLE, **detail)
    with pytest.raises(PromptErrors) as caught:
        parse(prompt, closed_by(error, Texts()))
    return [(each.message, each.suggestion) for each in caught.value.errors]


def test_a_version_is_corrected_to_the_nearest_there_is() -> None:
    [(message, fixed)] = refused("a fox --v 7", versions="5 6 5.2", niji="6")
    assert message == "This server has `--version` 5, 6 and 5.2; the nearest to `7` is 6."
    assert fixed == "a fox --v 6"


def test_where_there_is_none_it_is_left_out() -> None:
    [(message, fixed)] = refused("a fox --niji", versions="5", niji="")
    assert message == "This server has no model for anime; leave `--niji` out."
    assert fixed == "a fox"


def test_a_shape_beyond_the_model_is_shown_with_the_nearest_it_draws() -> None:
    error = Rejected(ErrorCode.ASPECT_UNAVAILABLE, asked="3:1", low="2:5", high="5:2", model="wide")
    with pytest.raises(PromptErrors) as caught:
        parse("a fox --ar 3:1 --seed 1", closed_by(error, Texts()))
    [found] = caught.value.errors
    assert found.message == "`--ar` goes from 2:5 to 5:2 here; the nearest to `3:1` is 5:2."
    assert found.suggestion == "a fox --ar 5:2 --seed 1"


async def test_a_version_that_is_not_here_is_shown_and_fix_and_run_takes_the_nearest(
    several: Studio, person: Member
) -> None:
    nonce = await person.command("imagine", prompt="a fox --v 7")
    refusal = await person.until(lambda: person.answer(nonce))
    assert refusal["flags"] & 64
    assert "a fox --v 7\n      ^^^^^" in refusal["embeds"][0]["description"]
    assert await several.desk.recent() == []
    nonce = await person.press(refusal, labelled(refusal, "Fix and run"))
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("**a fox --v 6.0** - <@")
    [job] = await several.desk.recent()
    assert (job.model, job.request.version) == ("tiny", "6")


async def test_niji_is_drawn_by_its_own_model(several: Studio, person: Member) -> None:
    nonce = await person.command("imagine", prompt="a fox --niji 6")
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("**a fox --niji 6** - <@")
    [job] = await several.desk.recent()
    assert job.model == "inker"


async def test_fix_and_run_never_offers_a_version_that_is_not_here(several: Studio, person: Member) -> None:
    several.bot.facts = Facts(closed=Closed(choices={"version": ("5", "6")}))
    nonce = await person.command("imagine", prompt="a fox --v 9")
    refusal = await person.until(lambda: person.answer(nonce))
    nonce = await person.press(refusal, labelled(refusal, "Fix and run"))
    waiting = await person.until(lambda: person.answer(nonce))
    assert waiting["content"].startswith("**a fox --v 6.0** - <@")
