"""A bot with one command for everything the page must be able to show; tests decide when it goes on."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
from discord import app_commands
from PIL import Image, ImageDraw

COLOURS = ["#c2410c", "#1d4ed8", "#15803d", "#a21caf"]
ERROR_RED = 0xED4245


def picture(seed: int, size: tuple[int, int] = (512, 512), text: str = "") -> io.BytesIO:
    """Four tiles of colour with a shape each, different for every seed."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    width, height = size[0] // 2, size[1] // 2
    for tile in range(4):
        left, top = (tile % 2) * width, (tile // 2) * height
        draw.rectangle((left, top, left + width, top + height), COLOURS[(tile + seed) % 4])
        inset = min(width, height) // 8 + (seed * 7 + tile * 5) % (min(width, height) // 4)
        box = (left + inset, top + inset, left + width - inset, top + height - inset)
        draw.ellipse(box, fill="#f5f5f4", outline="#1c1917", width=6)
    draw.text((8, 8), text, fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    buffer.seek(0)
    return buffer


def grid_view(job: str) -> discord.ui.View:
    """The buttons under a grid, with the custom ids of a real one."""
    view = discord.ui.View(timeout=None)
    for row, (letter, action) in enumerate((("U", "upsample"), ("V", "variation"))):
        for cell in range(1, 5):
            custom_id = f"MJ::JOB::{action}::{cell}::{job}"
            view.add_item(discord.ui.Button(label=f"{letter}{cell}", custom_id=custom_id, row=row))
        if letter == "U":
            again = f"MJ::JOB::reroll::0::{job}::SOLO"
            view.add_item(discord.ui.Button(emoji="🔄", custom_id=again, row=row))
    return view


class PromptForm(discord.ui.Modal, title="Remix Prompt"):
    """A form with a long and a short field."""

    prompt: discord.ui.TextInput[PromptForm] = discord.ui.TextInput(
        label="New prompt",
        style=discord.TextStyle.paragraph,
        default="a red fox",
        min_length=3,
        max_length=100,
    )
    name: discord.ui.TextInput[PromptForm] = discord.ui.TextInput(
        label="Name it", placeholder="anything", required=False
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(
            f"Remix: {self.prompt.value} / {self.name.value or 'unnamed'}"
        )


class Show(discord.ui.LayoutView):
    """Every component of the second generation."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        box: discord.ui.Container[Show] = discord.ui.Container(accent_color=0x5865F2)
        thumb: discord.ui.Thumbnail[Show] = discord.ui.Thumbnail(
            "attachment://one.png", description="tile one"
        )
        box.add_item(discord.ui.Section("## A job", "-# small print", accessory=thumb))
        box.add_item(discord.ui.Separator(spacing=discord.SeparatorSpacing.large))
        gallery: discord.ui.MediaGallery[Show] = discord.ui.MediaGallery()
        for name in ("one", "two", "three"):
            gallery.add_item(media=f"attachment://{name}.png", description=name)
        box.add_item(gallery)
        row: discord.ui.ActionRow[Show] = discord.ui.ActionRow()
        row.add_item(discord.ui.Button(label="Delete", style=discord.ButtonStyle.danger, custom_id="delete"))
        box.add_item(row)
        self.add_item(box)


class PageBot(discord.Client):
    """Answers commands and clicks; `go` lets the next waiting step happen."""

    def __init__(self) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(intents=intents)
        self.tree = app_commands.CommandTree(self)
        self.gate: asyncio.Queue[int] = asyncio.Queue()
        self.seen: list[dict[str, Any]] = []
        self.clicks: asyncio.Queue[str] = asyncio.Queue()
        self.synced = asyncio.Event()
        register(self)

    def go(self, value: int = 0) -> None:
        """Open the gate for one waiting step."""
        self.gate.put_nowait(value)

    async def leave_off(self) -> None:
        """End answers that still wait at the gate; discord.py leaves them running when it closes."""
        waiting = [
            task for task in asyncio.all_tasks() if task.get_name().startswith(("CommandTree", "discord"))
        ]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def on_ready(self) -> None:
        await self.tree.sync()
        self.synced.set()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            await self.clicked(interaction)

    async def clicked(self, interaction: discord.Interaction) -> None:
        data: Any = interaction.data
        custom_id = data["custom_id"]
        self.seen.append({"custom_id": custom_id, "values": data.get("values")})
        self.clicks.put_nowait(custom_id)
        if custom_id == "slow":
            await self.gate.get()
            await interaction.response.defer()
        elif custom_id == "form":
            await interaction.response.send_modal(PromptForm())
        elif custom_id.startswith("pick"):
            await interaction.response.send_message(f"Picked {', '.join(data['values'])}")
        elif custom_id.startswith("MJ::JOB"):
            words = f"**a red fox** - Image #2 {interaction.user.mention}"
            await interaction.response.send_message(
                words, file=discord.File(picture(2, (256, 256)), "cell.png")
            )
        elif custom_id != "broken":
            await interaction.response.defer()


def register(bot: PageBot) -> None:
    """Put the commands on the bot's tree."""
    tree = bot.tree
    _register_imagine(bot)
    _register_answers(bot)
    tree.add_command(_prefer(bot))

    @tree.context_menu(name="Cancel Job")
    async def cancel(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"Cancelled {message.id}", ephemeral=True)


def _register_imagine(bot: PageBot) -> None:
    @bot.tree.command(description="Create images with Midjourney")
    @app_commands.describe(prompt="The prompt to imagine", size="How large", theme="A look")
    @app_commands.choices(
        size=[app_commands.Choice(name="Small", value=1), app_commands.Choice(name="Large", value=2)]
    )
    async def imagine(
        interaction: discord.Interaction,
        prompt: str,
        size: app_commands.Choice[int] | None = None,
        theme: str | None = None,
    ) -> None:
        bot.seen.append({"prompt": prompt, "size": size.value if size else None, "theme": theme})
        line = f"**{discord.utils.escape_markdown(prompt)}** - {interaction.user.mention}"
        cancel = discord.ui.View(timeout=None)
        job = "0b1e3a52-5a3c-4d53-8c77-3a1a1f6f0f11"
        cancel.add_item(
            discord.ui.Button(
                label="Cancel Job",
                style=discord.ButtonStyle.danger,
                custom_id=f"MJ::CancelJob::ByJobid::{job}",
            )
        )
        await interaction.response.send_message(f"{line} (Waiting to start)", view=cancel)
        while percent := await bot.gate.get():
            preview = discord.File(picture(percent, text=f"{percent}%"), f"{job}_grid_0.png")
            await interaction.edit_original_response(
                content=f"{line} ({percent}%) (fast)", attachments=[preview]
            )
        channel = interaction.channel
        assert isinstance(channel, discord.abc.Messageable)
        await channel.send(f"{line} (fast)", file=discord.File(picture(7), "grid.png"), view=grid_view(job))
        await interaction.delete_original_response()

    @imagine.autocomplete("theme")
    async def themes(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        names = ["watercolour", "ink", "pixel art", "woodcut"]
        return [
            app_commands.Choice(name=name, value=f"theme-{name}") for name in names if current.lower() in name
        ]


def _register_answers(bot: PageBot) -> None:
    tree = bot.tree

    @tree.command(description="A private embed")
    async def wrong(interaction: discord.Interaction) -> None:
        embed = discord.Embed(
            title="Invalid parameter",
            description="`--quality` must be one of **.25, .5, 1, 2, 5**\n"
            "```\na fox --quality 9\n                ^\n```",
            colour=ERROR_RED,
        )
        embed.add_field(name="Did you mean", value="`--quality 5`", inline=True)
        embed.set_footer(text="/imagine a fox --quality 9")
        await interaction.response.send_message(embed=embed, ephemeral=True)

    @tree.command(description="Never answers")
    async def silent(_: discord.Interaction) -> None:
        bot.seen.append({"silent": True})

    @tree.command(description="Thinks until told otherwise")
    async def think(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await bot.gate.get()
        await interaction.edit_original_response(content="Thought.")

    @tree.command(description="Buttons of every kind")
    async def buttons(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Press one", view=_buttons())

    @tree.command(description="The new components")
    async def show(interaction: discord.Interaction) -> None:
        files = [
            discord.File(picture(i, (300, 200)), f"{name}.png")
            for i, name in enumerate(("one", "two", "three"))
        ]
        await interaction.response.send_message(view=Show(), files=files)

    @tree.command(name="help", description="Shows help for the bot.")
    async def explain(interaction: discord.Interaction, topic: str | None = None) -> None:
        await interaction.response.send_message(f"Help on {topic or 'everything'}.")

    @tree.command(description="Writes a prompt based on your image.")
    async def describe(interaction: discord.Interaction, image: discord.Attachment) -> None:
        words = f"{image.filename} {image.width}x{image.height}"
        await interaction.response.send_message(words, file=await image.to_file())


def _prefer(bot: PageBot) -> app_commands.Group:
    prefer = app_commands.Group(name="prefer", description="Preferences")
    option = app_commands.Group(name="option", description="Custom options", parent=prefer)

    @option.command(name="set", description="Set a custom option.")
    async def set_option(interaction: discord.Interaction, option: str, value: str | None = None) -> None:
        await interaction.response.send_message(f"{option} = {value}", ephemeral=True)

    @prefer.command(description="Toggle remix mode.")
    async def remix(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Remix mode turned on!", ephemeral=True)

    return prefer


def _buttons() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    style = discord.ButtonStyle
    for label, kind, custom_id in (
        ("Form", style.primary, "form"),
        ("Slow", style.secondary, "slow"),
        ("Fine", style.success, "fine"),
        ("Broken", style.danger, "broken"),
    ):
        view.add_item(discord.ui.Button(label=label, style=kind, custom_id=custom_id))
    view.add_item(discord.ui.Button(label="Web", url="https://example.org/jobs/1"))
    view.add_item(discord.ui.Button(label="Off", custom_id="off", disabled=True, emoji="🪄", row=1))
    one = [
        discord.SelectOption(label="Raw", value="raw", description="less styling", emoji="🔧"),
        discord.SelectOption(label="Expressive", value="expressive"),
    ]
    view.add_item(discord.ui.Select(custom_id="pick-one", placeholder="Choose a style", options=one, row=2))
    many = [discord.SelectOption(label=name, value=name.lower()) for name in ("Red", "Green", "Blue")]
    view.add_item(
        discord.ui.Select(
            custom_id="pick-many", placeholder="Colours", options=many, min_values=1, max_values=3, row=3
        )
    )
    return view
