"""What messages look like, and what one can do with them."""

from __future__ import annotations

import asyncio

import discord
import pytest
from playwright.async_api import expect

from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def finish_a_job(stage: Stage) -> None:
    await stage.run("/imagine a fox")
    stage.bot.go(0)
    await expect(stage.last.locator("[data-custom-id]")).to_have_count(9)
    await expect(stage.last.locator(".frame.loaded")).to_have_count(1)


async def test_a_click_on_u2_brings_a_reply_that_leads_back_to_its_source(stage: Stage) -> None:
    await finish_a_job(stage)
    await stage.page.get_by_role("button", name="U2").click()
    await expect(stage.last).to_contain_text("Image #2 @you")
    assert stage.bot.seen[-1]["custom_id"].startswith("MJ::JOB::upsample::2::")
    await stage.last.locator("button.context-text").click()
    await expect(stage.messages.first).to_be_focused()
    await expect(stage.page.locator("li.flash")).to_have_count(1)


async def test_digits_and_spaces_are_set_in_the_font_of_the_letters(stage: Stage) -> None:
    await stage.page.locator("body").evaluate("body => { body.innerHTML = '<p id=line>ab 12 c</p>' }")
    session = await stage.page.context.new_cdp_session(stage.page)
    await session.send("DOM.enable")
    await session.send("CSS.enable")
    root = (await session.send("DOM.getDocument"))["root"]["nodeId"]
    node = (await session.send("DOM.querySelector", {"nodeId": root, "selector": "#line"}))["nodeId"]
    (font,) = (await session.send("CSS.getPlatformFontsForNode", {"nodeId": node}))["fonts"]
    assert font["glyphCount"] == len("ab 12 c")


async def test_a_link_to_a_message_leads_there_and_not_out_of_the_page(stage: Stage) -> None:
    facts = stage.playground.facts()
    source = await stage.say("the source")
    place = f"https://discord.com/channels/{facts.guild_id}/{facts.channel_id}"
    await stage.say(f"Done: {place}/{source.id}")
    await stage.last.get_by_role(
        "link", name="#imagine \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} 💬"
    ).click()
    await expect(stage.messages.first).to_be_focused()
    await stage.page.get_by_role("button", name="gallery").click()
    await stage.type(f"[see there](<{place}/{source.id}>) and {place}9/1")
    await stage.page.keyboard.press("Enter")
    outside = stage.last.get_by_role("link", name=f"{place}9/1")
    await expect(outside).to_have_attribute("href", f"{place}9/1")
    await stage.last.get_by_role("link", name="see there").click()
    await expect(stage.page.locator(".channel-title")).to_have_text("imagine")
    await expect(stage.messages.first).to_be_focused()
    await expect(stage.page.locator("li.flash")).to_have_count(1)


async def test_a_private_error_shows_its_embed_and_can_be_dismissed(stage: Stage) -> None:
    await stage.run("/wrong")
    embed = stage.last.locator(".embed")
    await expect(embed).to_contain_text("Invalid parameter")
    await expect(embed).to_have_css("border-left-color", "rgb(237, 66, 69)")
    await expect(embed.locator("pre")).to_contain_text("a fox --quality 9")
    await expect(embed.locator(".embed-footer")).to_have_text("/imagine a fox --quality 9")
    await expect(stage.last).to_contain_text("Only you can see this")
    await stage.last.get_by_role("button", name="Dismiss message").click()
    await expect(stage.messages).to_have_count(0)
    await expect(stage.composer).to_be_focused()


async def test_a_click_waits_visibly_until_the_bot_has_answered(stage: Stage) -> None:
    await stage.run("/buttons")
    slow = stage.page.get_by_role("button", name="Slow")
    await slow.click()
    await expect(slow).to_have_attribute("aria-busy", "true")
    await slow.click()
    stage.bot.go()
    await expect(slow).to_have_attribute("aria-busy", "false")
    assert [entry["custom_id"] for entry in stage.bot.seen] == ["slow"]


async def test_a_click_without_an_answer_is_reported_under_the_message(stage: Stage) -> None:
    await stage.run("/buttons")
    broken = stage.page.get_by_role("button", name="Broken")
    await broken.click()
    await expect(broken).to_have_attribute("aria-busy", "true")
    await asyncio.wait_for(stage.bot.clicks.get(), 10)
    stage.clock.advance(3)
    await expect(stage.last.locator(".interaction-failure")).to_have_text("This interaction failed")
    await expect(broken).to_have_attribute("aria-busy", "false")


async def test_buttons_wear_their_styles_and_links_lead_out(stage: Stage) -> None:
    await stage.run("/buttons")
    for name, colour in (
        ("Form", "88, 101, 242"),
        ("Slow", "78, 80, 88"),
        ("Fine", "36, 128, 70"),
        ("Broken", "218, 55, 60"),
    ):
        await expect(stage.page.get_by_role("button", name=name, exact=True)).to_have_css(
            "background-color", f"rgb({colour})"
        )
    await expect(stage.page.get_by_role("button", name="Off", exact=True)).to_be_disabled()
    link = stage.page.get_by_role("link", name="Web")
    await expect(link).to_have_attribute("href", "https://example.org/jobs/1")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_a_message_may_lose_its_buttons_while_one_of_them_has_the_focus(stage: Stage) -> None:
    channel = stage.bot.get_partial_messageable(int(stage.playground.facts().channel_id))
    view = discord.ui.View().add_item(discord.ui.Button(label="Press me"))
    message = await channel.send("with a button", view=view)
    await stage.page.get_by_role("button", name="Press me").focus()
    await message.edit(content="without", view=None)
    await expect(stage.last).to_contain_text("without")
    await expect(stage.page.get_by_role("button", name="Press me")).to_have_count(0)


async def test_selects_work_from_the_keyboard(stage: Stage) -> None:
    await stage.run("/buttons")
    await stage.page.get_by_role("button", name="Choose a style").focus()
    await stage.page.keyboard.press("Enter")
    await expect(stage.page.get_by_role("option")).to_have_count(2)
    await stage.page.keyboard.press("ArrowDown")
    await stage.page.keyboard.press("Enter")
    await expect(stage.last).to_contain_text("Picked expressive")
    await stage.page.get_by_role("button", name="Colours").focus()
    for key in ("Enter", "Enter", "ArrowDown", "ArrowDown", "Enter", "Escape"):
        await stage.page.keyboard.press(key)
    await expect(stage.last).to_contain_text("Picked red, blue")


async def test_a_form_checks_its_fields_keeps_the_focus_and_is_sent(stage: Stage) -> None:
    await stage.run("/buttons")
    await stage.page.get_by_role("button", name="Form").click()
    form = stage.page.get_by_role("dialog", name="Remix Prompt")
    prompt = form.get_by_label("New prompt")
    await expect(prompt).to_be_focused()
    await expect(prompt).to_have_value("a red fox")
    await expect(form.get_by_label("Name it")).to_have_attribute("placeholder", "anything")
    await prompt.fill("")
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_contain_text("this field is required")
    await prompt.fill("ab")
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_contain_text("at least 3 characters")
    await expect(stage.page.get_by_role("button", name="Form")).to_have_attribute("aria-busy", "false")
    for _ in range(12):
        await stage.page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
        )
        assert await stage.page.evaluate(inside)
    await prompt.fill("a blue fox")
    await form.get_by_role("button", name="Submit").click()
    await expect(stage.last).to_contain_text("Remix: a blue fox / unnamed")
    await expect(form).to_be_hidden()


async def test_escape_closes_a_form_and_returns_the_focus(stage: Stage) -> None:
    await stage.run("/buttons")
    opener = stage.page.get_by_role("button", name="Form")
    await opener.click()
    await expect(stage.page.get_by_label("New prompt")).to_be_focused()
    await stage.page.keyboard.press("Escape")
    await expect(stage.page.locator("dialog")).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_a_picture_opens_large_and_the_arrow_keys_go_to_the_next(stage: Stage) -> None:
    await finish_a_job(stage)
    await stage.page.get_by_role("button", name="U1").click()
    await expect(stage.messages).to_have_count(2)
    await expect(stage.last.locator(".frame.loaded")).to_have_count(1)
    await stage.messages.first.locator(".frame").click()
    viewer = stage.page.get_by_role("dialog", name="Picture")
    await expect(viewer.locator("figcaption")).to_have_text("grid.png · 1 of 2")
    first = await viewer.get_by_role("link", name="Open original").get_attribute("href")
    await stage.page.keyboard.press("ArrowRight")
    await expect(viewer.locator("figcaption")).to_have_text("cell.png · 2 of 2")
    assert await viewer.get_by_role("link", name="Open original").get_attribute("href") != first
    await expect(viewer.get_by_role("button", name="Next picture")).to_be_hidden()
    await stage.page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(stage.messages.first.locator(".frame")).to_be_focused()


async def test_components_of_the_second_generation_are_drawn(stage: Stage) -> None:
    await stage.run("/show")
    box = stage.last.locator(".container")
    await expect(box.locator("h4")).to_have_text("A job")
    await expect(box.locator(".mosaic .frame.loaded")).to_have_count(3)
    await expect(box.locator(".section .frame.loaded")).to_have_count(1)
    await expect(box.get_by_role("button", name="Open two")).to_be_visible()
    await expect(box.get_by_role("separator")).to_have_count(1)
    await expect(box.get_by_role("button", name="Delete")).to_have_class("btn btn-4")


async def test_the_apps_menu_runs_a_message_command(stage: Stage) -> None:
    await stage.say("do something with me")
    await expect(stage.last).to_contain_text("do something with me")
    await stage.last.click(button="right", position={"x": 300, "y": 12})
    await stage.page.get_by_role("menuitem", name="Apps").click()
    await stage.page.get_by_role("menuitem", name="Cancel Job").click()
    await expect(stage.last).to_contain_text("Cancelled")
    await expect(stage.last).to_contain_text("used Cancel Job")
    await expect(stage.last).to_contain_text("Only you can see this")


async def test_own_messages_are_sent_and_deleted_others_are_not_ones_to_delete(stage: Stage) -> None:
    await stage.type("hello **there**")
    await stage.page.keyboard.press("Enter")
    await expect(stage.last.locator("strong")).to_have_text("there")
    await expect(stage.page.locator("li.sending")).to_have_count(0)
    await stage.last.focus()
    await stage.page.keyboard.press("Shift+F10")
    await stage.page.get_by_role("menuitem", name="Delete Message").click()
    await expect(stage.messages).to_have_count(0)
    await stage.say("mine")
    await stage.last.hover()
    await stage.last.get_by_role("button", name="More").click()
    await expect(stage.page.get_by_role("menuitem", name="Copy Message ID")).to_be_visible()
    await expect(stage.page.get_by_role("menuitem", name="Delete Message")).to_have_count(0)


async def test_reactions_are_added_and_taken_back(stage: Stage) -> None:
    await stage.say("react")
    await stage.last.hover()
    await stage.last.get_by_role("button", name="Add reaction").click()
    await stage.page.get_by_role("button", name="❌", exact=True).click()
    mine = stage.last.get_by_role("button", name="❌, 1")
    await expect(mine).to_have_attribute("aria-pressed", "true")
    await mine.click()
    await expect(mine).to_have_count(0)


async def test_a_reply_is_written_from_the_toolbar(stage: Stage) -> None:
    await stage.say("a question")
    await stage.last.hover()
    await stage.last.get_by_role("button", name="Reply").click()
    await expect(stage.page.locator(".reply-bar")).to_contain_text("Replying to Journeyman")
    await stage.page.keyboard.type("an answer")
    await stage.page.keyboard.press("Enter")
    await expect(stage.last.locator(".context")).to_contain_text("@Journeyman")
    await expect(stage.last.locator(".context")).to_contain_text("a question")


MARKDOWN = [
    (
        "**b** *i* _i_ __u__ ~~s~~ `c`",
        "<strong>b</strong> <em>i</em> <em>i</em> <u>u</u> <s>s</s> <code>c</code>",
    ),
    ("***both***", "<strong><em>both</em></strong>"),
    (r"\*not\* \_em\_ a_b_c", "*not* _em_ a_b_c"),
    ("5 * 3 * 2 and 2**", "5 * 3 * 2 and 2**"),
    ("**a fox::2 --no hat**", '<strong>a fox::2 <span class="flag">--no</span> hat</strong>'),
    (
        "<b>&amp;</b><script>alert(1)</script>",
        "&lt;b&gt;&amp;amp;&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
    ),
    ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ("`**raw**`", "<code>**raw**</code>"),
    ("1 < 2 <3", "1 &lt; 2 &lt;3"),
]


async def test_markdown_is_drawn_as_discord_draws_it(stage: Stage) -> None:
    draw = """async (text) => {
        const {markdown} = await import(new URL('markdown.js', document.querySelector('script').src));
        const holder = document.createElement('div');
        holder.append(markdown(text, {}, {inline: true}));
        return holder.innerHTML;
    }"""
    for text, html in MARKDOWN:
        assert await stage.page.evaluate(draw, text) == html, text


async def test_blocks_links_and_mentions_are_drawn(stage: Stage) -> None:
    you = stage.playground.facts().user_id
    blocks = "# One\n-# small\n> quoted\n- a\n  - b\n```py\nx = 1\n```\n"
    text = f"{blocks}<https://example.org/a?b=c> <@{you}> ||hidden|| <t:0:R>"
    await stage.say(text)
    content = stage.last.locator(".content")
    await expect(content.locator(".heading-1")).to_have_text("One")
    await expect(content.locator(".subtext")).to_have_text("small")
    await expect(content.locator("blockquote")).to_have_text("quoted")
    await expect(content.locator("ul ul li")).to_have_text("b")
    await expect(content.locator("pre code")).to_have_text("x = 1")
    await expect(content.locator("a")).to_have_attribute("href", "https://example.org/a?b=c")
    await expect(content.locator("button.mention")).to_have_text("@you")
    await expect(content.locator("time")).to_contain_text("years ago")
    await expect(content.locator(".spoiler > span")).to_be_hidden()
    await content.locator(".spoiler").click()
    await expect(content.locator(".spoiler > span")).to_be_visible()


async def test_a_line_never_ends_between_the_dashes_of_a_parameter_and_its_name(stage: Stage) -> None:
    torn = """async (texts) => {
        const {markdown} = await import(new URL('markdown.js', document.querySelector('script').src));
        const holder = document.createElement('div');
        holder.className = 'content markup';
        holder.style.width = '200px';
        document.body.append(holder);
        const lines = (text) => {
            holder.replaceChildren(markdown(text, {}));
            const walker = document.createTreeWalker(holder, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const from = walker.currentNode.data.indexOf('--draft');
                if (from < 0) continue;
                const range = document.createRange();
                range.setStart(walker.currentNode, from);
                range.setEnd(walker.currentNode, from + 7);
                return new Set([...range.getClientRects()].map((box) => box.top)).size;
            }
        };
        const found = texts.filter((text) => lines(text) !== 1);
        holder.remove();
        return found;
    }"""
    texts = [f"**{'x' * n} a fox --draft --ar 3:2**\nand {'x' * n} --draft" for n in range(1, 30)]
    assert await stage.page.evaluate(torn, texts) == []
    assert await stage.page.evaluate(torn, [text.replace("**", "") for text in texts]) == []


HOSTILE = [
    "*",
    "**",
    "`",
    "```",
    "||",
    "_",
    "__",
    "<",
    "[",
    "\\",
    "> ",
    "~~a",
    "*a_",
    "[a](",
    "\n",
    "- a\n",
    "https://",
]


async def test_hostile_text_is_drawn_in_a_blink(stage: Stage) -> None:
    draw = """async (text) => {
        const {markdown} = await import(new URL('markdown.js', document.querySelector('script').src));
        const before = performance.now();
        markdown(text, {user: () => null, channel: () => null, role: () => null});
        return performance.now() - before;
    }"""
    for piece in HOSTILE:
        assert await stage.page.evaluate(draw, piece * (4000 // len(piece))) < 500, piece
