"""Channels, direct messages, scrolling, narrow windows, lost connections."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

NARROW = {"width": 390, "height": 780}


async def fill(stage: Stage, count: int) -> None:
    for number in range(count):
        await stage.say(f"message {number}")
    await expect(stage.last).to_contain_text(f"message {count - 1}")


async def test_another_channel_opens_and_marks_what_one_missed(stage: Stage) -> None:
    await stage.page.get_by_role("button", name="gallery").click()
    await expect(stage.page.locator(".channel-title")).to_have_text("gallery")
    await expect(stage.composer).to_have_attribute("placeholder", "Message #gallery")
    you = stage.playground.facts().user_id
    await stage.say(f"look <@{you}>")
    missed = stage.page.locator(".channel.unread")
    await expect(missed).to_contain_text("imagine")
    await expect(missed.locator(".pings")).to_have_text("1")
    await expect(stage.page).to_have_title("(1) #gallery | Journeyman")
    await missed.click()
    await expect(stage.last).to_contain_text("look @you")
    await expect(stage.page.locator(".channel.unread")).to_have_count(0)


async def test_commands_work_in_direct_messages_with_the_bot(stage: Stage) -> None:
    await stage.page.locator(".member", has_text="Journeyman").click()
    await stage.page.get_by_role("button", name="Message", exact=True).click()
    await expect(stage.page.locator(".channel-title")).to_have_text("Journeyman")
    await stage.commands_known()
    await stage.run("/imagine a fox in private")
    await expect(stage.last).to_contain_text("a fox in private - @you")
    stage.bot.go(0)


async def test_older_messages_come_when_one_scrolls_up_and_a_bar_leads_back(stage: Stage) -> None:
    await fill(stage, 70)
    await stage.page.reload()
    await expect(stage.last).to_contain_text("message 69")
    await expect(stage.messages).to_have_count(50)
    await stage.page.locator("#scroller").evaluate("node => { node.scrollTop = 0 }")
    await expect(stage.messages).to_have_count(70)
    await expect(stage.page.get_by_role("heading", name="Welcome to #imagine!")).to_have_count(1)
    await stage.say("news from below")
    bar = stage.page.locator("#present")
    await expect(bar).to_contain_text("1 new message")
    await expect(stage.last).not_to_be_in_viewport()
    await bar.click()
    await expect(stage.last).to_be_in_viewport()
    await expect(bar).to_be_hidden()


async def test_the_newest_message_stays_in_view(stage: Stage) -> None:
    await fill(stage, 25)
    await expect(stage.last).to_be_in_viewport()
    await stage.run("/imagine a fox")
    for percent in (10, 20):
        stage.bot.go(percent)
        await expect(stage.last).to_contain_text(f"({percent}%)")
    await expect(stage.last.locator(".frame.loaded")).to_be_in_viewport(ratio=1)
    stage.bot.go(0)
    await expect(stage.last.get_by_role("button", name="V4")).to_be_in_viewport(ratio=1)


async def test_messages_of_one_author_stand_together_and_days_are_divided(stage: Stage) -> None:
    await fill(stage, 2)
    await expect(stage.page.locator("#messages li").nth(1)).to_have_class("grouped")
    await expect(stage.page.locator(".day:visible")).to_have_count(1)
    stage.clock.advance(86_400)
    await stage.say("tomorrow")
    await expect(stage.last).to_contain_text("tomorrow")
    await expect(stage.page.locator(".day:visible")).to_have_count(2)
    await expect(stage.page.locator("#messages li").nth(2)).not_to_have_class("grouped")


async def test_a_narrow_window_has_a_drawer_and_nothing_hangs_over(stage: Stage) -> None:
    await stage.page.set_viewport_size(NARROW)
    await stage.run("/imagine a red fox on a blue background with quite a long prompt --no hat")
    stage.bot.go(0)
    await expect(stage.last.get_by_role("button", name="V4")).to_be_in_viewport(ratio=1)
    for thing in ("html", "#scroller"):
        assert await stage.page.locator(thing).evaluate("node => node.scrollWidth <= innerWidth")
    await expect(stage.page.get_by_role("button", name="gallery")).to_be_hidden()
    await stage.page.get_by_role("button", name="Channels").click()
    await expect(stage.page.get_by_role("button", name="gallery")).to_be_in_viewport(ratio=1)
    await stage.page.keyboard.press("Escape")
    await expect(stage.page.get_by_role("button", name="gallery")).to_be_hidden()
    await stage.page.get_by_role("button", name="Channels").click()
    await stage.page.get_by_role("button", name="gallery").click()
    await expect(stage.page.locator(".channel-title")).to_have_text("gallery")
    await expect(stage.page.get_by_role("button", name="gallery")).to_be_hidden()


async def test_a_lost_connection_is_shown_and_nothing_is_missed(stage: Stage) -> None:
    stage.playground.faults.refuse_connections(2)
    for session in stage.playground.core.sessions.of_user(stage.playground.facts().user_id):
        session.connection.shut(4000, "gone")
    notice = stage.page.locator("#connection")
    await expect(notice).to_contain_text("Reconnecting")
    await stage.say("said meanwhile")
    await expect(stage.last).to_contain_text("said meanwhile")
    await expect(notice).to_be_hidden()


async def test_a_bot_that_goes_away_is_announced_kindly(stage: Stage) -> None:
    await expect(stage.page.locator("#bot-notice")).to_be_hidden()
    await stage.bot.close()
    await expect(stage.page.locator("#bot-notice")).to_have_text(
        "Journeyman is offline. Commands are answered again as soon as it is back."
    )
    await expect(stage.page.locator(".away .member")).to_contain_text(["Journeyman"])


async def test_everything_that_can_be_pressed_has_a_name(stage: Stage) -> None:
    await stage.run("/buttons")
    await expect(stage.last.get_by_role("button", name="Form")).to_be_visible()
    nameless = """() => [...document.querySelectorAll('button, a, input, textarea, [role=button]')]
        .filter((node) => node.offsetParent && !node.getAttribute('aria-hidden'))
        .filter((node) => !node.getAttribute('aria-label') && !node.textContent.trim())
        .filter((node) => !node.labels?.length)
        .map((node) => node.outerHTML)"""
    assert await stage.page.evaluate(nameless) == []


async def test_the_keyboard_walks_through_messages_and_back_to_the_box(stage: Stage) -> None:
    await fill(stage, 3)
    await stage.page.locator("#scroller").focus()
    await stage.page.keyboard.press("ArrowUp")
    await expect(stage.messages.nth(2)).to_be_focused()
    await stage.page.keyboard.press("ArrowUp")
    await expect(stage.messages.nth(1)).to_be_focused()
    await stage.page.keyboard.press("Escape")
    await expect(stage.composer).to_be_focused()
