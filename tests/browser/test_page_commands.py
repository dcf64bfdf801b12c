"""Finding, writing and sending commands on the page."""

from __future__ import annotations

import discord
import pytest
from playwright.async_api import Route, expect

from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_a_newcomer_is_told_what_to_do_and_taken_there(stage: Stage) -> None:
    steps = stage.page.locator(".first-steps")
    await expect(steps).to_contain_text("Type / and choose /imagine")
    await steps.get_by_role("button", name="Try /imagine").click()
    await expect(stage.page.get_by_label("prompt", exact=True)).to_have_value(
        "a red fox on a blue background"
    )


async def test_the_picker_narrows_while_one_types_and_obeys_the_keyboard(stage: Stage) -> None:
    await stage.type("/")
    items = stage.page.locator(".picker-item")
    everything = await items.count()
    assert everything == 10
    await stage.page.keyboard.type("pref")
    await expect(items).to_have_count(2)
    await expect(items.first).to_contain_text("/prefer option set")
    await stage.page.keyboard.press("ArrowDown")
    await expect(items.nth(1)).to_have_attribute("aria-selected", "true")
    await stage.page.keyboard.press("ArrowUp")
    await stage.page.keyboard.press("Tab")
    await expect(stage.page.locator(".command-chip")).to_have_text("/prefer option set")
    await expect(stage.page.get_by_label("option", exact=True)).to_be_focused()
    await stage.page.keyboard.press("Escape")
    await expect(stage.composer).to_be_focused()
    await expect(stage.page.locator("#picker")).to_be_hidden()


async def test_the_picker_shows_descriptions_options_and_which_are_required(stage: Stage) -> None:
    await stage.type("/imag")
    item = stage.page.locator(".picker-item")
    await expect(item).to_have_count(1)
    await expect(item).to_contain_text("Create images with Midjourney")
    await expect(item.locator(".option-pill")).to_have_text(["prompt", "size?", "theme?"])
    await stage.page.keyboard.press("Enter")
    await expect(stage.page.locator(".picker-hint")).to_contain_text("prompt *")
    await expect(stage.page.locator(".picker-hint")).to_contain_text("The prompt to imagine")


async def test_imagine_is_answered_drawn_and_finished_in_a_new_message(stage: Stage) -> None:
    await stage.run("/imagine a red fox::2 on a *blue* background --no hat")
    await expect(stage.last).to_contain_text(
        "a red fox::2 on a *blue* background --no hat - @you (Waiting to start)"
    )
    await expect(stage.last).to_contain_text("used /imagine")
    await expect(stage.last.get_by_role("button", name="Cancel Job")).to_have_class("btn btn-4")
    await expect(stage.page.locator(".mentioned")).to_have_count(1)
    stage.bot.go(31)
    await expect(stage.last).to_contain_text("(31%) (fast)")
    await expect(stage.last.locator(".frame.loaded")).to_have_count(1)
    stage.bot.go(0)
    await expect(stage.last.locator("[data-custom-id]")).to_have_count(9)
    await expect(stage.messages).to_have_count(1)
    assert stage.bot.seen[0]["prompt"] == "a red fox::2 on a *blue* background --no hat"


async def test_a_preview_stays_until_the_next_one_has_loaded(stage: Stage) -> None:
    await stage.run("/imagine a fox")
    stage.bot.go(10)
    await expect(stage.last.locator(".frame.loaded")).to_have_count(1)
    held: list[Route] = []
    await stage.page.route("**/attachments/**", lambda route: held.append(route))  # noqa: PLW0108 - no builtin here
    stage.bot.go(20)
    await expect(stage.last).to_contain_text("(20%)")
    stale = stage.last.locator("img.stale")
    await expect(stale).to_have_count(1)
    assert await stale.evaluate("image => image.complete && image.naturalWidth") == 512
    await expect(stage.last.locator(".frame.loaded")).to_have_count(0)
    await held[0].continue_()
    await expect(stale).to_have_count(0)
    await expect(stage.last.locator(".frame.loaded")).to_have_count(1)
    await stage.page.unroute("**/attachments/**")
    stage.bot.go(0)


@pytest.mark.parametrize("text", ["/imagine prompt: two cats, one hat", "/imagine two cats, one hat"])
async def test_a_pasted_command_becomes_a_command(stage: Stage, text: str) -> None:
    await stage.composer.click()
    await stage.page.keyboard.insert_text(text)
    await expect(stage.page.get_by_label("prompt", exact=True)).to_have_value("two cats, one hat")
    await stage.page.keyboard.press("Enter")
    await expect(stage.last).to_contain_text("two cats, one hat - @you")
    assert stage.bot.seen == [{"prompt": "two cats, one hat", "size": None, "theme": None}]


async def test_choices_and_autocomplete_reach_the_bot_as_values(stage: Stage) -> None:
    await stage.type("/imagine a fox")
    for option in ("size", "theme"):
        await stage.page.get_by_role("button", name="optional options").click()
        await stage.page.get_by_role("menuitem", name=option).click()
        await expect(stage.page.get_by_label(option, exact=True)).to_be_focused()
        if option == "size":
            await stage.page.keyboard.type("lar")
            await expect(stage.page.locator(".picker-item")).to_have_text(["Large"])
        else:
            await stage.page.keyboard.type("wo")
            await expect(stage.page.locator(".picker-item")).to_have_text(["woodcut"])
        await stage.page.keyboard.press("Enter")
    await stage.page.keyboard.press("Enter")
    await expect(stage.last).to_contain_text("a fox - @you")
    assert stage.bot.seen == [{"prompt": "a fox", "size": 2, "theme": "theme-woodcut"}]


@pytest.mark.parametrize(
    ("typed", "answer"), [("/help ", "Help on everything."), ("/help weights", "Help on weights.")]
)
async def test_enter_sends_a_command_whose_options_may_all_be_left_out(
    stage: Stage, typed: str, answer: str
) -> None:
    await stage.type(typed)
    await stage.page.keyboard.press("Enter")
    await expect(stage.last).to_contain_text(answer)
    await expect(stage.last.locator(".command-name")).to_have_text("/help")


async def test_the_picker_learns_of_a_command_while_the_page_is_open(stage: Stage) -> None:
    @stage.bot.tree.command(description="Came later")
    async def fresh(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Fresh.")

    await stage.type("/fresh")
    await expect(stage.page.locator(".picker-note")).to_have_text("No command has that name.")
    await stage.bot.tree.sync()
    await expect(stage.page.locator(".picker-item")).to_have_count(1)


async def test_a_missing_required_option_is_named_and_nothing_is_sent(stage: Stage) -> None:
    await stage.run("/imagine")
    await expect(stage.page.locator(".composer-error")).to_have_text(
        "prompt: this option is required. Specify a value."
    )
    await expect(stage.page.locator(".pill.wrong")).to_have_count(1)
    await expect(stage.page.get_by_label("prompt", exact=True)).to_be_focused()
    assert stage.bot.seen == []


async def test_a_command_without_an_answer_says_so_and_keeps_what_was_typed(stage: Stage) -> None:
    await stage.run("/silent")
    await expect(stage.last).to_contain_text("Sending command…")
    stage.clock.advance(3)
    await expect(stage.last).to_contain_text("The application did not respond")
    await expect(stage.page.locator(".composer-error")).to_contain_text("Your command is kept")
    await expect(stage.page.locator(".command-chip")).to_have_text("/silent")
    await stage.last.get_by_role("button", name="Dismiss message").click()
    await expect(stage.messages).to_have_count(0)


async def test_a_refused_command_keeps_its_text(stage: Stage) -> None:
    from playground.faults import Fault, FaultKind

    stage.playground.faults.add(Fault(kind=FaultKind.MISSING_PERMISSIONS, route="/interactions"))
    await stage.run("/imagine a fox with a hat")
    await expect(stage.page.locator(".composer-error")).to_contain_text("Missing Permissions")
    await expect(stage.page.get_by_label("prompt", exact=True)).to_have_value("a fox with a hat")


async def test_arrow_up_brings_the_last_command_back(stage: Stage) -> None:
    await stage.run("/imagine a fox")
    await expect(stage.last).to_contain_text("a fox - @you")
    await stage.page.keyboard.press("ArrowUp")
    await expect(stage.page.get_by_label("prompt", exact=True)).to_have_value("a fox")


async def test_an_unknown_command_is_sent_as_text_on_the_second_enter_only(stage: Stage) -> None:
    await stage.type("/nonsense here")
    await stage.page.keyboard.press("Enter")
    await expect(stage.page.locator(".composer-error")).to_contain_text("There is no command /nonsense")
    await expect(stage.messages).to_have_count(0)
    await stage.page.keyboard.press("Enter")
    await expect(stage.last).to_contain_text("/nonsense here")


async def test_a_file_can_be_given_to_a_command(stage: Stage) -> None:
    from tests.browser.page_bot import picture

    await stage.type("/describe ")
    content = picture(3, (64, 48)).getvalue()
    await stage.page.locator("#option-image").set_input_files(
        {"name": "in.png", "mimeType": "image/png", "buffer": content}
    )
    await expect(stage.page.locator(".pill-file")).to_contain_text("in.png")
    await stage.page.evaluate("document.querySelector('.composer').requestSubmit()")
    await expect(stage.last).to_contain_text("in.png 64x48")
    await expect(stage.last.locator(".frame.loaded")).to_have_count(1)


async def test_a_deferred_answer_shows_that_the_bot_is_thinking(stage: Stage) -> None:
    await stage.run("/think")
    await expect(stage.last).to_contain_text("Journeyman is thinking…")
    stage.bot.go()
    await expect(stage.last).to_contain_text("Thought.")
    await expect(stage.last.locator(".edited")).to_have_count(0)
