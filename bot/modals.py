"""Forms that ask for a prompt, and what was typed into them; their `custom_id` alone says what they are."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import discord

from bot.texts import Texts

FIELD = "MJ::ImagineModal::new_prompt"
_ID = re.compile(r"JM::batch::edited::(?P<batch>[0-9]{1,20})")


def prompt_modal(batch_id: str, prompt: str, texts: Texts) -> discord.ui.Modal:
    """Return a form with *prompt* to edit, in place of a batch that was asked about."""
    modal = discord.ui.Modal(title=texts("batch.edit.title"), custom_id=f"JM::batch::edited::{batch_id}")
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        label=texts("batch.edit.prompt"),
        style=discord.TextStyle.paragraph,
        custom_id=FIELD,
        default=prompt,
        max_length=4000,
    )
    modal.add_item(field)
    return modal


def edited(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the batch and the prompt of a form that came back; None if it is another's."""
    match = _ID.fullmatch(str(data.get("custom_id", "")))
    if match is None:
        return None
    return match["batch"], next((str(f["value"]) for f in _fields(data) if f.get("custom_id") == FIELD), "")


def _fields(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for row in data.get("components", ()):
        yield from row.get("components", ())
        if isinstance(row.get("component"), Mapping):
            yield row["component"]
