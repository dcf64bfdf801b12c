"""The unmodified discord.py and a person's client meet over real sockets."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from playground.models import Facts
from playground.permissions import Permission
from playground.server import Playground
from tests.playground.clients import Bot, People, Person, picture, png, running, text


async def test_a_bot_comes_up_with_its_guild_channels_and_application(facts: Facts) -> None:
    async with running(Bot(), facts, sync=False) as bot:
        assert bot.user is not None
        assert str(bot.user.id) == facts.bot_user_id
        assert str(bot.application_id) == facts.application_id
        assert [guild.name for guild in bot.guilds] == ["Journeyman"]
        assert [channel.name for channel in bot.guilds[0].text_channels] == ["imagine", "gallery"]
        fetched = await bot.fetch_channel(int(facts.channel_id))
        assert fetched.permissions_for(fetched.guild.me).attach_files


async def test_a_deferred_answer_is_edited_with_new_files_and_followed_up(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="Draw")
    async def imagine(interaction: discord.Interaction, prompt: str) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=prompt, attachments=[picture("a.png")])
        await interaction.edit_original_response(attachments=[picture("b.png", "blue")])
        await interaction.followup.send("for you", ephemeral=True)
        await interaction.followup.send("for all")

    async with running(bot, facts):
        nonce = await you.slash("imagine", text("prompt", "a fox"))
        begun = await you.event("INTERACTION_CREATE")
        assert begun["nonce"] == nonce
        waiting = await you.event("MESSAGE_CREATE")
        assert (waiting["flags"], waiting["nonce"], waiting["type"]) == (128, nonce, 20)
        assert waiting["interaction"]["name"] == "imagine"
        assert waiting["interaction"]["user"]["id"] == facts.user_id
        assert (await you.event("INTERACTION_SUCCESS")) == {"id": begun["id"], "nonce": nonce}
        first = await you.event("MESSAGE_UPDATE")
        assert (first["content"], first["flags"], first["edited_timestamp"]) == ("a fox", 0, None)
        assert [(a["filename"], a["width"], a["height"]) for a in first["attachments"]] == [("a.png", 40, 30)]
        assert first["attachments"][0]["content_type"] == "image/png"
        second = await you.event("MESSAGE_UPDATE")
        assert [a["filename"] for a in second["attachments"]] == ["b.png"]
        assert second["content"] == "a fox"
        assert second["edited_timestamp"] is not None
        private, public = await you.event("MESSAGE_CREATE"), await you.event("MESSAGE_CREATE")
        assert (private["content"], private["flags"]) == ("for you", 64)
        assert public["message_reference"]["message_id"] == waiting["id"]
        assert [m["content"] for m in await you.history()] == ["for all", "a fox"]


async def test_the_first_follow_up_of_a_deferral_becomes_the_answer(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def later(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("here")

    async with running(bot, facts):
        await you.slash("later")
        waiting = await you.event("MESSAGE_CREATE")
        answer = await you.event("MESSAGE_UPDATE")
        assert waiting["flags"] == 64 | 128
        assert (answer["id"], answer["content"], answer["flags"]) == (waiting["id"], "here", 64)


async def test_autocomplete_choices_reach_the_person_who_types(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def show(interaction: discord.Interaction, job: str) -> None:
        await interaction.response.send_message(job)

    @show.autocomplete("job")
    async def jobs(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}-1", value="one")]

    async with running(bot, facts):
        nonce = await you.slash("show", text("job", "ab", focused=True), kind=4)
        answer = await you.event("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
        assert answer["nonce"] == nonce
        assert [(c["name"], c["value"]) for c in answer["choices"]] == [("ab-1", "one")]


class Cell(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"MJ::(?P<n>\d)"):
    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label=f"U{number}", custom_id=f"MJ::{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[discord.ui.View], match: re.Match[str]
    ) -> Cell:
        return cls(int(match["n"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        if self.number == 1:
            await interaction.response.send_message(f"cell {self.number}")
        elif self.number == 2:
            await interaction.response.edit_message(content="pressed")
        else:
            await interaction.response.defer()
            await interaction.edit_original_response(content="deferred, then edited")


async def test_buttons_work_for_a_bot_that_started_after_the_message(facts: Facts, you: Person) -> None:
    async with running(Bot(), facts, sync=False) as first:
        view = discord.ui.View(timeout=None)
        for number in (1, 2, 3):
            view.add_item(Cell(number))
        channel = await first.fetch_channel(int(facts.channel_id))
        await channel.send("grid", view=view)
    grid = await you.event("MESSAGE_CREATE")
    assert [c["custom_id"] for c in grid["components"][0]["components"]] == ["MJ::1", "MJ::2", "MJ::3"]
    second = Bot()
    second.add_dynamic_items(Cell)
    async with running(second, facts, sync=False):
        nonce = await you.click(grid, "MJ::1")
        reply = await you.event("MESSAGE_CREATE")
        assert (reply["content"], reply["type"], reply["nonce"]) == ("cell 1", 19, nonce)
        assert reply["message_reference"]["message_id"] == grid["id"]
        assert reply["interaction_metadata"]["interacted_message_id"] == grid["id"]
        await you.click(grid, "MJ::2")
        assert (await you.event("MESSAGE_UPDATE"))["content"] == "pressed"
        await you.click(grid, "MJ::3")
        assert (await you.event("MESSAGE_UPDATE"))["content"] == "deferred, then edited"


async def test_a_modal_opens_and_its_text_comes_back(facts: Facts, you: Person) -> None:
    bot = Bot()

    class Remix(discord.ui.Modal, title="Remix"):
        prompt = discord.ui.TextInput(label="Prompt", custom_id="prompt", default="a fox", max_length=20)

        async def on_submit(self, interaction: discord.Interaction) -> None:
            await interaction.response.send_message(f"got {self.prompt.value}")

    @bot.tree.command(description="x")
    async def remix(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Remix(custom_id="MJ::RemixModal"))

    async with running(bot, facts):
        nonce = await you.slash("remix")
        modal = await you.event("INTERACTION_MODAL_CREATE")
        assert (modal["title"], modal["custom_id"], modal["nonce"]) == ("Remix", "MJ::RemixModal", nonce)
        assert modal["components"][0]["components"][0]["value"] == "a fox"
        await you.submit(modal, prompt="a wolf")
        assert (await you.event("MESSAGE_CREATE"))["content"] == "got a wolf"
        rows = [{"type": 1, "components": [{"type": 4, "custom_id": "prompt", "value": "x" * 21}]}]
        data = {"id": modal["id"], "custom_id": modal["custom_id"], "components": rows}
        body = {
            "type": 5,
            "application_id": facts.application_id,
            "channel_id": facts.channel_id,
            "session_id": "s",
            "data": data,
        }
        status, answer = await you.call("POST", "/interactions", body)
        assert (status, answer["code"]) == (400, 50035)


async def test_a_select_answers_privately_and_refuses_what_it_does_not_offer(
    facts: Facts, you: Person, people: People
) -> None:
    bot = Bot()

    class Pick(discord.ui.View):
        @discord.ui.select(options=[discord.SelectOption(label="A", value="a")], custom_id="pick")
        async def pick(self, interaction: discord.Interaction, select: discord.ui.Select) -> None:
            await interaction.response.send_message(f"picked {select.values[0]}", ephemeral=True)

    @bot.tree.command(description="x")
    async def choose(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("choose", view=Pick())

    other = await people(next(p["token"] for p in await everyone(you) if p["username"] == "friend"))
    async with running(bot, facts):
        await you.slash("choose")
        message = await you.event("MESSAGE_CREATE")
        await you.click(message, "pick", component_type=3, values=["a"])
        answer = await you.event("MESSAGE_CREATE")
        assert (answer["content"], answer["flags"]) == ("picked a", 64)
        await other.ok("POST", f"/channels/{facts.channel_id}/messages", {"content": "last"})
        assert (await other.event("MESSAGE_CREATE"))["content"] == "choose"
        assert (await other.event("MESSAGE_CREATE"))["content"] == "last"
        assert [m["content"] for m in await you.history()] == ["last", "choose"]
        body = {
            "type": 3,
            "application_id": facts.application_id,
            "channel_id": facts.channel_id,
            "session_id": "s",
            "message_id": message["id"],
            "data": {"component_type": 3, "custom_id": "pick", "values": ["b"]},
        }
        status, refused = await you.call("POST", "/interactions", body)
        assert (status, refused["code"]) == (400, 50035)


async def everyone(person: Person) -> list[dict[str, str]]:
    async with person.http.get(person.facts.url + "/playground/people") as response:
        return await response.json()


async def test_components_v2_show_an_uploaded_picture_in_a_gallery(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def fancy(interaction: discord.Interaction) -> None:
        view = discord.ui.LayoutView()
        gallery = discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://a.png", description="red"))
        view.add_item(discord.ui.Container(discord.ui.TextDisplay("# hello"), gallery))
        await interaction.response.send_message(view=view, file=picture("a.png"))

    async with running(bot, facts):
        await you.slash("fancy")
        message = await you.event("MESSAGE_CREATE")
        container = message["components"][0]
        words, gallery = container["components"]
        medium = gallery["items"][0]["media"]
        assert message["flags"] & 1 << 15
        assert len({container["id"], words["id"], gallery["id"]}) == 3
        assert (medium["width"], medium["height"], medium["content_type"]) == (40, 30, "image/png")
        async with you.http.get(medium["url"]) as response:
            assert await response.read() == png()


async def test_an_attachment_option_arrives_with_its_size_and_can_be_read(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def blend(interaction: discord.Interaction, image: discord.Attachment) -> None:
        content = await image.read()
        await interaction.response.send_message(f"{image.width}x{image.height} {len(content)}")

    async with running(bot, facts):
        offer = await you.ok(
            "POST",
            f"/channels/{facts.channel_id}/attachments",
            {"files": [{"id": "0", "filename": "in.png", "file_size": 9}]},
        )
        place = offer["attachments"][0]
        async with you.http.put(place["upload_url"], data=png()) as response:
            assert response.status == 200
        file = {"id": "0", "filename": "in.png", "uploaded_filename": place["upload_filename"]}
        await you.slash("blend", {"type": 11, "name": "image", "value": "0", "file": file})
        assert (await you.event("MESSAGE_CREATE"))["content"] == f"40x30 {len(png())}"


async def test_a_command_works_in_a_direct_message_where_the_user_stands_for_the_member(
    facts: Facts, you: Person
) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def where(interaction: discord.Interaction) -> None:
        channel = interaction.channel
        assert isinstance(channel, discord.DMChannel)
        await interaction.response.send_message(f"{interaction.guild} {channel.recipient}")

    async with running(bot, facts):
        direct = await you.ok("POST", "/users/@me/channels", {"recipients": [facts.bot_user_id]})
        assert (await you.event("CHANNEL_CREATE"))["id"] == direct["id"]
        await you.slash("where", channel_id=direct["id"])
        assert (await you.event("MESSAGE_CREATE"))["content"] == "None you"
        user = await bot.fetch_user(int(facts.user_id))
        sent = await user.send("hello")
        assert str(sent.channel.id) == direct["id"]
        assert (await you.event("MESSAGE_CREATE"))["content"] == "hello"


async def test_a_command_works_in_a_thread_and_the_bot_can_start_one(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def here(interaction: discord.Interaction) -> None:
        assert isinstance(interaction.channel, discord.Thread)
        await interaction.response.send_message(interaction.channel.name)

    async with running(bot, facts):
        channel = bot.get_channel(int(facts.channel_id))
        message = await channel.send("base")
        thread = await message.create_thread(name="details")
        assert (await you.event("THREAD_CREATE"))["id"] == str(message.id)
        assert (await you.event("MESSAGE_UPDATE"))["thread"]["name"] == "details"
        await you.slash("here", channel_id=str(thread.id))
        answer = await you.event("MESSAGE_CREATE", lambda m: m["channel_id"] == str(thread.id))
        assert answer["content"] == "details"


async def test_a_user_install_works_where_the_bot_is_no_member_and_five_follow_ups_are_the_end(
    playground: Playground, facts: Facts, you: Person
) -> None:
    application = playground.admin.add_application("stray", guild_id=None)
    playground.admin.change_application(application.id, user_installs=(facts.user_id,))
    stray = facts.model_copy(
        update={
            "application_id": application.id,
            "bot_token": playground.core.world.user(application.bot_id).token,
        }
    )
    you.facts = stray
    bot = Bot()

    async def answer(interaction: discord.Interaction) -> int:
        await interaction.response.send_message(
            f"{interaction.context.guild} {interaction.is_user_integration()}"
        )
        for _ in range(5):
            await interaction.followup.send("more")
        try:
            await interaction.followup.send("too much")
        except discord.HTTPException as error:
            return error.code
        return 0

    command = app_commands.Command(name="away", description="x", callback=_forward(bot, answer))
    command.allowed_installs = app_commands.AppInstallationType(guild=False, user=True)
    command.allowed_contexts = app_commands.AppCommandContext(
        guild=True, dm_channel=True, private_channel=True
    )
    bot.tree.add_command(command)
    async with running(bot, stray):
        assert list(bot.guilds) == []
        await you.slash("away")
        assert (await you.event("MESSAGE_CREATE"))["content"] == "True True"
        assert await bot.result() == 40094


def _forward(bot: Bot, action: Callable[..., Any]) -> Callable[[discord.Interaction], Awaitable[None]]:
    settle = bot.settles(action)

    async def callback(interaction: discord.Interaction) -> None:
        await settle(interaction)

    return callback


async def test_a_reply_reaction_and_typing_of_the_bot_reach_people(facts: Facts, you: Person) -> None:
    async with running(Bot(), facts, sync=False) as bot:
        channel = bot.get_channel(int(facts.channel_id))
        await you.ok("POST", f"/channels/{facts.channel_id}/messages", {"content": "question", "nonce": "7"})
        asked = await you.event("MESSAGE_CREATE")
        assert asked["nonce"] == "7"
        message = await channel.fetch_message(int(asked["id"]))
        await channel.typing()
        assert (await you.event("TYPING_START"))["user_id"] == facts.bot_user_id
        await message.add_reaction("🔥")
        added = await you.event("MESSAGE_REACTION_ADD")
        assert (added["emoji"]["name"], added["user_id"]) == ("🔥", facts.bot_user_id)
        await message.reply("answer")
        reply = await you.event("MESSAGE_CREATE")
        assert (reply["type"], reply["referenced_message"]["content"]) == (19, "question")
        assert [user["id"] for user in reply["mentions"]] == [facts.user_id]
        await message.remove_reaction("🔥", bot.user)
        assert (await you.event("MESSAGE_REACTION_REMOVE"))["message_id"] == asked["id"]
        seen = (await you.history())[-1]
        assert "reactions" not in seen


async def test_a_private_place_makes_a_user_installed_app_answer_privately(
    playground: Playground, facts: Facts, you: Person
) -> None:
    application = playground.admin.add_application("stray", guild_id=None)
    playground.admin.change_application(application.id, user_installs=(facts.user_id,))
    playground.admin.set_overwrite(facts.channel_id, facts.user_id, deny=int(Permission.USE_EXTERNAL_APPS))
    token = playground.core.world.user(application.bot_id).token
    you.facts = facts.model_copy(update={"application_id": application.id, "bot_token": token})
    bot = Bot()

    @bot.tree.command(description="x")
    @app_commands.user_install()
    async def away(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("for all?")

    async with running(bot, you.facts):
        await you.slash("away")
        assert (await you.event("MESSAGE_CREATE"))["flags"] == 64
    assert await you.history() == []


async def test_people_learn_of_new_commands_and_find_them_in_the_index(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.command(description="x")
    async def fresh(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("x")

    async with running(bot, facts):
        news = await you.event("GUILD_APPLICATION_COMMAND_INDEX_UPDATE")
        assert news["application_command_counts"] == {"1": 1, "2": 0, "3": 0}
        assert (await you.command("fresh"))["description"] == "x"


async def test_context_menus_get_the_message_or_the_user_they_were_used_on(facts: Facts, you: Person) -> None:
    bot = Bot()

    @bot.tree.context_menu(name="Show Job")
    async def show(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"message {message.content}")

    @bot.tree.context_menu(name="Who")
    async def who(interaction: discord.Interaction, user: discord.Member) -> None:
        await interaction.response.send_message(f"user {user.name}")

    async with running(bot, facts):
        message = await you.ok("POST", f"/channels/{facts.channel_id}/messages", {"content": "this"})
        for name, target, answer in (
            ("Show Job", message["id"], "message this"),
            ("Who", facts.user_id, "user you"),
        ):
            command = await you.command(name)
            data = {key: command[key] for key in ("id", "name", "type", "version")}
            await you.interact(2, data | {"target_id": target})
            said = await you.event("MESSAGE_CREATE", lambda m: m["author"]["id"] == facts.bot_user_id)
            assert (said["content"], said["type"]) == (answer, 23)


async def test_sub_commands_and_resolved_users_arrive(facts: Facts, you: Person) -> None:
    bot = Bot()
    group = app_commands.Group(name="settings", description="x")

    @group.command(description="x")
    async def give(interaction: discord.Interaction, user: discord.Member, hours: float) -> None:
        await interaction.response.send_message(f"{user.name} {hours}")

    bot.tree.add_command(group)
    async with running(bot, facts):
        inner = [
            {"type": 6, "name": "user", "value": facts.user_id},
            {"type": 10, "name": "hours", "value": 1.5},
        ]
        await you.slash("settings", {"type": 1, "name": "give", "options": inner})
        assert (await you.event("MESSAGE_CREATE"))["content"] == "you 1.5"


async def test_a_message_names_the_whole_command_it_answers(facts: Facts, you: Person) -> None:
    bot = Bot()
    prefer = app_commands.Group(name="prefer", description="x")
    option = app_commands.Group(name="option", description="x", parent=prefer)

    @option.command(name="set", description="x")
    async def setter(interaction: discord.Interaction, value: str) -> None:
        await interaction.response.send_message(value)

    bot.tree.add_command(prefer)
    async with running(bot, facts):
        inner = {"type": 1, "name": "set", "options": [text("value", "mine")]}
        await you.slash("prefer", {"type": 2, "name": "option", "options": [inner]})
        answer = await you.event("MESSAGE_CREATE")
    assert answer["interaction"]["name"] == "prefer option set"
    assert answer["interaction_metadata"]["name"] == "prefer option set"


async def test_a_modal_with_labels_returns_a_selection_and_an_uploaded_file(
    facts: Facts, you: Person
) -> None:
    bot = Bot()

    class Form(discord.ui.Modal, title="Form"):
        pick = discord.ui.Label(
            text="Pick",
            component=discord.ui.Select(
                custom_id="pick", options=[discord.SelectOption(label="A", value="a")]
            ),
        )
        file = discord.ui.Label(text="File", component=discord.ui.FileUpload(custom_id="file"))

        async def on_submit(self, interaction: discord.Interaction) -> None:
            (upload,) = self.file.component.values
            await interaction.response.send_message(f"{self.pick.component.values} {upload.width}")

    @bot.tree.command(description="x")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form(custom_id="form"))

    async with running(bot, facts):
        await you.slash("form")
        modal = await you.event("INTERACTION_MODAL_CREATE")
        place = (
            await you.ok(
                "POST",
                f"/channels/{facts.channel_id}/attachments",
                {"files": [{"id": "0", "filename": "a.png"}]},
            )
        )["attachments"][0]
        async with you.http.put(place["upload_url"], data=png()):
            pass
        answers = [
            {"type": 18, "component": {"type": 3, "custom_id": "pick", "values": ["a"]}},
            {"type": 18, "component": {"type": 19, "custom_id": "file", "values": ["0"]}},
        ]
        uploaded = {"id": "0", "filename": "a.png", "uploaded_filename": place["upload_filename"]}
        data = {"id": modal["id"], "custom_id": "form", "components": answers, "attachments": [uploaded]}
        await you.interact(5, data)
        assert (await you.event("MESSAGE_CREATE"))["content"] == "['a'] 40"
