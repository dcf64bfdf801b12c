"""Removing places and people, with everything that hangs on them."""

from __future__ import annotations

from .core import Core
from .models import Channel, Member


def remove_channel(core: Core, channel: Channel) -> None:
    """Delete a channel or thread with its threads and messages, and tell everybody who saw it."""
    world = core.world
    for thread in world.threads_of(channel.guild_id or ""):
        if thread.parent_id == channel.id:
            remove_channel(core, thread)
    core.events.channel("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel)
    for message in world.history(channel.id):
        world.delete_message(message)
    world.channels.delete(channel.id)


def remove_member(core: Core, member: Member) -> None:
    """Let somebody leave a guild."""
    core.world.members.delete(member.id)
    core.events.guild_left(core.world.guild(member.guild_id), member)
