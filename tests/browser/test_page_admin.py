"""What those who run the bot see: `/admin` of the real bot, in a browser on the local Discord."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from parser import Speed, parse
from playground.permissions import Permission
from playground.server import Playground
from tests.bot.admins import appoint
from tests.bot.studio import Studio
from tests.browser.conftest import WIDE
from worker.accounts import Allowance, Whose
from worker.admin import Actor
from worker.api import ErrorCode, Imagine, Membership
from worker.deeds import Grant, SetQuota

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

EXEMPT = Membership(exempt=True)
PATIENCE_MS = 60_000  # on a busy machine
WORKER = """
INSERT INTO workers (name, device, model, started_at, seen_at, jobs, pictures, passes, batch, largest_batch,
    steps_per_second, busy) VALUES ('easel', 'cpu', 'tiny', 1, 1, 2, 8, 4711, 6.5, 16, 21.4, 0.93)
"""


@pytest_asyncio.fixture(loop_scope="session")
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    """A bot with something to look at: people who wait in every lane, a failure, allowances, a worker."""
    async with (
        Playground(None) as playground,
        Studio(tmp_path, playground).open() as studio,
        studio.running(),
        studio.member() as person,
    ):
        appoint(studio, person.user["id"], Permission.ADMINISTRATOR)
        await filled(studio, int(person.user["id"]))
        yield studio


async def filled(studio: Studio, person: int) -> None:
    boss = Actor(name="cli:ada", guild_id=int(studio.facts["guild_id"]))
    await studio.office.do(Grant(user_id=person, credits=25), boss)
    allowance = Allowance(day=50, month=500, running=3, waiting=20)
    await studio.office.do(SetQuota(whose=Whose.PERSON, subject=person, allowance=allowance), boss)
    await studio.database.write(lambda db: db.execute(WORKER).rowcount)
    lanes = [Speed.FAST] * 8 + [Speed.RELAX] * 6
    for number, lane in enumerate(lanes):
        request = parse(f"a fox number {number}").model_copy(update={"speed": lane})
        order = Imagine(request=request)
        await studio.desk.submit(order, owner_id=person, key=str(number), origin="", membership=EXEMPT)
    job = await studio.easel.take()
    await studio.easel.fail(job, ErrorCode.OUT_OF_MEMORY)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, studio: Studio) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=WIDE, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    opened = await context.new_page()
    await opened.goto(studio.playground.url)
    await expect(opened.locator("#splash")).to_be_hidden(timeout=PATIENCE_MS)
    await opened.locator("#composer-input").click()
    await opened.keyboard.type("/")
    await expect(opened.locator(".picker-item").first).to_be_visible(timeout=PATIENCE_MS)
    await opened.keyboard.press("Backspace")
    yield opened
    await context.close()


async def asked(page: Page, command: str, *words: str) -> Locator:
    """Type a command and return the answer once it says all *words*."""
    await page.locator("#composer-input").click()
    await page.keyboard.type(f"{command} ")
    await expect(page.locator(".command")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("Enter")
    answer = page.locator("#messages article.message").last
    for each in words:
        await expect(answer).to_contain_text(each, timeout=PATIENCE_MS)
    return answer


async def test_status_queue_and_quota_are_shown_privately_with_buttons_that_turn_pages(
    page: Page, studio: Studio, tmp_path: Path
) -> None:
    status = await asked(page, "/admin status", "Queue: open", "21.4 steps/s", "out_of_memory", "Disk:")
    await expect(status).to_contain_text("Only you can see this")
    await page.screenshot(path=tmp_path / "admin-status.png")

    queue = await asked(page, "/admin queue show", "Page 1 of 2", "13 in all", "relax")
    await expect(queue).not_to_contain_text("a fox number")
    await page.screenshot(path=tmp_path / "admin-queue.png")
    await queue.get_by_role("button", name="Next").click()
    await expect(queue).to_contain_text("Page 2 of 2", timeout=PATIENCE_MS)

    await asked(page, "/admin quota show", "day 50, month 500, running 3, waiting 20")
    await page.screenshot(path=tmp_path / "admin-quota.png")
    pictures = await asyncio.to_thread(lambda: sorted(path.name for path in tmp_path.glob("admin-*.png")))
    assert pictures == ["admin-queue.png", "admin-quota.png", "admin-status.png"]
