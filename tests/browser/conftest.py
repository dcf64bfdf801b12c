"""A browser on the page of a playground that runs in this process, with a bot behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import discord
import pytest
import pytest_asyncio
import yarl
from tests.browser.page_bot import PageBot
from playwright.async_api import Browser, Locator, Page, Request, async_playwright, expect

from playground.clock import Clock
from playground.server import Playground

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


@dataclass
class Stage:
    """A page that is open on a playground."""

    playground: Playground
    clock: Clock
    page: Page
    bot: PageBot

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer-input")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#messages article.message")

    @property
    def last(self) -> Locator:
        return self.messages.last

    async def type(self, text: str) -> None:
        """Type into the message box as a person does."""
        await self.composer.click()
        await self.page.keyboard.type(text)

    async def run(self, command: str) -> None:
        """Type a command and press Enter."""
        await self.type(f"{command} ")
        await expect(self.page.locator(".command")).to_be_visible()
        await self.page.keyboard.press("Enter")

    async def open(self) -> None:
        """Load the page and wait until it can be used."""
        await self.page.goto(self.playground.url)
        await expect(self.page.locator("#splash")).to_be_hidden()
        await expect(self.composer).to_be_focused()

    async def commands_known(self) -> None:
        """Wait until the picker offers the bot's commands."""
        await self.type("/")
        await expect(self.page.locator(".picker-item").first).to_be_visible()
        await self.page.keyboard.press("Backspace")

    def say(self, text: str) -> asyncio.Task[discord.Message]:
        """Let the bot post in the first channel."""
        channel = self.bot.get_partial_messageable(int(self.playground.facts().channel_id))
        return asyncio.create_task(channel.send(text))


class Complaints:
    """What must never happen on the page: errors, and requests to anywhere else."""

    def __init__(self, page: Page, home: str) -> None:
        self.found: list[str] = []
        self._home = home
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("console", lambda line: self._console(line.type, line.text))

    def _request(self, request: Request) -> None:
        here = request.url.startswith((self._home, self._home.replace("http", "ws"), "data:", "blob:"))
        if not here:
            self.found.append(f"request outside: {request.url}")

    def _console(self, kind: str, text: str) -> None:
        # The browser itself writes a line for every answer of 400 and above, and for every lost socket.
        if kind == "error" and "Failed to load resource" not in text and "WebSocket" not in text:
            self.found.append(f"console: {text}")


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
