"""Letters as the arguments that discord.py's senders take."""

import io
from typing import Any

import discord

from bot.render import Button, Card, File, Letter, Menu, Rows


def to_send(letter: Letter) -> dict[str, Any]:
    """Return the keywords for ``send``; what is absent is left out."""
    keywords: dict[str, Any] = {
        "content": letter.content or None,
        "allowed_mentions": mentions(letter.mentions),
    }
    if letter.rows:
        keywords["view"] = view(letter.rows)
    if letter.card is not None:
        keywords["embed"] = embed(letter.card)
    if letter.files:
        keywords["files"] = [attachment(file) for file in letter.files]
    return keywords


def to_edit(letter: Letter, *, keep_files: bool = False) -> dict[str, Any]:
    """Return the keywords for ``edit``; what is absent is taken away, but for files if told to keep them."""
    keywords: dict[str, Any] = {
        "content": letter.content or None,
        "allowed_mentions": mentions(letter.mentions),
        "view": view(letter.rows) if letter.rows else None,
        "embed": None if letter.card is None else embed(letter.card),
    }
    if not keep_files:
        keywords["attachments"] = [attachment(file) for file in letter.files]
    return keywords


def mentions(user_id: int | None) -> discord.AllowedMentions:
    """Allow a ping of exactly that person, or of nobody."""
    users: list[discord.abc.Snowflake] = [] if user_id is None else [discord.Object(user_id)]
    return discord.AllowedMentions(everyone=False, roles=False, users=users, replied_user=False)


def view(rows: Rows) -> discord.ui.View:
    """Return *rows* as a view that the library forgets: presses are understood by their `custom_id` alone."""
    built = discord.ui.View(timeout=None)
    for number, row in enumerate(rows):
        for item in row:
            built.add_item(_menu(item, number) if isinstance(item, Menu) else _button(item, number))
    built.stop()  # a finished view is sent but not kept in memory
    return built


def _button(button: Button, row: int) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(
        style=discord.ButtonStyle(button.style.value),
        label=button.label,
        emoji=button.emoji,
        custom_id=button.custom_id,
        row=row,
    )


def _menu(menu: Menu, row: int) -> discord.ui.Select[discord.ui.View]:
    options = [
        discord.SelectOption(label=item.label, value=item.value, default=item.chosen) for item in menu.items
    ]
    return discord.ui.Select(custom_id=menu.custom_id, options=options, row=row)


def embed(card: Card) -> discord.Embed:
    """Return *card* as an embed."""
    built = discord.Embed(title=card.title, description=card.description, color=card.color)
    if card.footer:
        built.set_footer(text=card.footer)
    return built


def attachment(file: File) -> discord.File:
    """Return *file* as an upload; it can be sent once."""
    return discord.File(io.BytesIO(file.body), filename=file.name)
