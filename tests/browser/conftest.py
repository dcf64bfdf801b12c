"""A browser on the page of a playground that runs in this process, with a bot behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import pytest_asyncio
import yarl
from playwright.async_api import Browser, Page, async_playwright, expect

from playground.clock import Clock
from playground.server import Playground
from tests.browser.page_bot import PageBot
from tests.browser.stage import Complaints, Stage

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 10_000
WIDE = {"width": 1280, "height": 800}


def find_chromium() -> str:
    """Return the browser's path; without one, skip in one sentence, or fail where CI promises one."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("Chromium is not installed, and the environment variable CI asks for the browser tests.")
    pytest.skip("The browser tests are left out: Chromium is not installed (Debian's package is `chromium`).")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = find_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def playground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Playground]:
    async with Playground(tmp_path / "data", clock=Clock()) as running:
        monkeypatch.setattr(discord.http.Route, "BASE", running.api)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(running.gateway))
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def bot(playground: Playground) -> AsyncIterator[PageBot]:
    client = PageBot()
    running = asyncio.create_task(client.start(playground.facts().bot_token))
    await asyncio.wait_for(client.synced.wait(), 20)
    yield client
    await client.close()
    await running
    await client.leave_off()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, playground: Playground) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=WIDE, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    opened = await context.new_page()
    complaints = Complaints(opened, playground.url)
    yield opened
    await context.close()
    assert complaints.found == []


@pytest_asyncio.fixture(loop_scope="session")
async def stage(playground: Playground, bot: PageBot, page: Page) -> Stage:
    made = Stage(playground, playground.clock, page, bot)
    await made.open()
    await made.commands_known()
    return made
