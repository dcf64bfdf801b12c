"""Prompts completed on the page while they are typed, by the real bot."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from playground.server import Playground
from tests.bot.studio import Studio

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def prompt(tmp_path: Path, playground: Playground, page: Page) -> AsyncIterator[Page]:
    """The page with `/imagine prompt:` begun, and the bot running."""
    studio = Studio(tmp_path, playground)
    async with studio.open(), studio.running():
        await page.goto(playground.url)
        await expect(page.locator("#splash")).to_be_hidden()
        await page.locator("#composer-input").click()
        await page.keyboard.type("/imagine ")
        await expect(page.get_by_label("prompt", exact=True)).to_be_focused()
        yield page


async def shot(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for it."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_names_and_values_are_picked_with_the_keyboard_and_the_order_goes_out(prompt: Page) -> None:
    field = prompt.get_by_label("prompt", exact=True)
    await prompt.keyboard.type("a red fox --sto")
    await expect(prompt.locator(".picker-item").first).to_have_text(
        "a red fox --stop ⟨💡 10 to 100, default 100⟩"
    )
    await shot(prompt, "names")
    await prompt.keyboard.press("ArrowDown")
    await prompt.keyboard.press("ArrowDown")
    await prompt.keyboard.press("Enter")
    await expect(field).to_have_value("a red fox --stop 30")
    await prompt.keyboard.press("Enter")
    await expect(prompt.locator("#messages article.message").last).to_contain_text(
        "a red fox --stop 30 - @you"
    )


async def test_a_mistake_is_flagged_before_sending_and_enter_takes_the_fix(prompt: Page) -> None:
    field = prompt.get_by_label("prompt", exact=True)
    await prompt.keyboard.type("a red fox --seeed 4")
    first = prompt.locator(".picker-item").first
    await expect(first).to_contain_text("a red fox --seed 4 ⟨⚠ Unrecognized parameter --seeed")
    await shot(prompt, "mistake")
    await prompt.keyboard.press("Enter")
    await prompt.keyboard.press("Enter")
    await expect(prompt.locator("#messages article.message").last).to_contain_text(
        "a red fox --seed 4 - @you"
    )
    await expect(field).to_be_hidden()


async def test_somebody_who_types_on_behind_a_hint_loses_nothing(prompt: Page) -> None:
    field = prompt.get_by_label("prompt", exact=True)
    await prompt.keyboard.type("a red fox --sto")
    await expect(prompt.locator(".picker-item").first).to_contain_text("default 100")
    await prompt.keyboard.press("Tab")
    await expect(field).to_have_value("a red fox --stop ⟨💡 10 to 100, default 100⟩")
    await prompt.keyboard.type(" 60")
    await expect(prompt.locator(".picker-item").first).to_have_text("a red fox --stop 60")
    await shot(prompt, "typed-on")
    await prompt.keyboard.type("  --seed 4")
    await prompt.keyboard.press("Enter")
    await expect(prompt.locator("#messages article.message").last).to_contain_text(
        "a red fox --seed 4 --stop 60 - @you"
    )
