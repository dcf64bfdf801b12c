"""A newcomer's first minutes: the demo as it is started, in a real browser."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import WIDE
from tests.browser.stage import Complaints

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PICTURE_MS = 90_000  # a job on a busy machine
PROMPT = "a red fox::2 on a blue background --no hat --seed 42 --quality 2"


async def started(data: Path) -> tuple[asyncio.subprocess.Process, str]:
    """Start the demo on *data* and return it with the page's address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *("playground", "--json", "--port", "0", "--data", str(data)),
        cwd=ROOT,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    return process, json.loads(line)["url"]


async def ended(process: asyncio.subprocess.Process) -> int:
    """End the demo as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    return await asyncio.wait_for(process.wait(), 15)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=WIDE, locale="en-US", reduced_motion="reduce")
    yield await context.new_page()
    await context.close()


async def imagine(page: Page, prompt: str) -> None:
    await page.locator("#composer-input").click()
    await page.keyboard.type("/imagine ")
    await expect(page.locator(".command")).to_be_visible()
    await page.keyboard.type(prompt)
    await page.keyboard.press("Enter")


async def test_a_newcomer_draws_presses_breaks_and_returns(
    page: Page, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data = tmp_path / "demo"
    process, url = await started(data)
    complaints = Complaints(page, url)
    messages = page.locator("#messages article.message")
    try:
        await page.goto(url)
        await page.locator("#composer-input").click()
        await page.keyboard.type("/")
        await expect(page.locator(".picker-item", has_text="/imagine")).to_be_visible(timeout=30_000)
        await page.keyboard.press("Backspace")

        await imagine(page, PROMPT)
        await expect(messages.last).to_contain_text("(Waiting to start)")
        await expect(messages.last).to_contain_text("%) (fast)", timeout=PICTURE_MS)
        await expect(messages.last.locator(".attachments img").first).to_be_visible(timeout=PICTURE_MS)
        grid = messages.filter(has_text="(fast)").filter(has=page.get_by_role("button", name="U1"))
        await expect(grid).to_be_visible(timeout=PICTURE_MS)
        for name in ("U1", "U2", "U3", "U4", "🔄", "V1", "V2", "V3", "V4"):
            await expect(grid.get_by_role("button", name=name, exact=True)).to_be_enabled()

        await grid.get_by_role("button", name="U2").click()
        single = messages.filter(has_text="Image #2")
        await expect(single.get_by_role("button", name="Upscale (Subtle)")).to_be_visible(timeout=PICTURE_MS)

        await imagine(page, "a fox --qualty 2")
        refusal = messages.filter(has_text="Only you can see this")
        await expect(refusal).to_contain_text("--quality")
        await expect(refusal).to_contain_text("/imagine a fox --qualty 2")
    finally:
        assert await ended(process) == 0

    process, url = await started(data)
    complaints.moved(url)
    try:
        await page.goto(url)
        grid = messages.filter(has=page.get_by_role("button", name="U1"))
        await expect(grid).to_be_visible()
        await expect(page.locator(".member", has_text="Journeyman").first).to_be_visible(timeout=30_000)
        single = messages.filter(has_text="Image #2")
        await single.get_by_role("button", name="Vary (Subtle)").click()
        varied = messages.filter(has_text="Variations (Subtle) by").filter(
            has=page.get_by_role("button", name="U1")
        )
        await expect(varied).to_be_visible(timeout=PICTURE_MS)
    finally:
        assert await ended(process) == 0
    assert complaints.found == []
