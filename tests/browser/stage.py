"""A page that is open on a playground, and what must never happen on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import discord
from playwright.async_api import Locator, Page, Request, expect

from playground.clock import Clock
from playground.server import Playground
from tests.browser.page_bot import PageBot


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

    def moved(self, home: str) -> None:
        """The page is served from another address now."""
        self._home = home

    def _request(self, request: Request) -> None:
        here = request.url.startswith((self._home, self._home.replace("http", "ws"), "data:", "blob:"))
        if not here:
            self.found.append(f"request outside: {request.url}")

    def _console(self, kind: str, text: str) -> None:
        # The browser itself writes a line for every answer of 400 and above, and for every lost socket.
        if kind == "error" and "Failed to load resource" not in text and "WebSocket" not in text:
            self.found.append(f"console: {text}")
