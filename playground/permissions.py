"""Who may do what where: Discord's permission bits and how they add up. Pure but for reading the world."""

from __future__ import annotations

from enum import IntFlag

from .errors import missing_access, missing_permissions
from .models import Channel, Member, Overwrite
from .state import World


class Permission(IntFlag):
    """The bits the playground enforces or shows."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    USE_EXTERNAL_APPS = 1 << 50


NONE = Permission(0)
ALL = ~NONE
EVERYONE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_EXTERNAL_APPS
)
DIRECT_MESSAGE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.MENTION_EVERYONE
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.USE_EXTERNAL_APPS
)
_UNSENDABLE = (
    Permission.MENTION_EVERYONE | Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.SEND_MESSAGES
)


def in_guild(world: World, member: Member) -> Permission:
    """A member's permissions before any channel has its say."""
    guild = world.guild(member.guild_id)
    if guild.owner_id == member.user_id:
        return ALL
    held = {guild.id, *member.roles}
    total = NONE
    for role in world.roles_of(guild.id):
        if role.id in held:
            total |= Permission(role.permissions)
    return ALL if total & Permission.ADMINISTRATOR else total


def in_channel(world: World, channel: Channel, user_id: str) -> Permission:
    """A user's permissions in a channel; none for somebody who is not there.

    Order of the overwrites: @everyone, then all held roles together, then the member
    (discord-api-docs, "Permission Overwrites"). A thread takes its parent's.
    """
    if channel.is_direct:
        return DIRECT_MESSAGE if user_id in channel.recipients else NONE
    if channel.is_thread:
        return _in_thread(world, channel, user_id)
    member = world.member(channel.guild_id or "", user_id)
    if member is None:
        return NONE
    total = in_guild(world, member)
    if total & Permission.ADMINISTRATOR:
        return ALL
    total = _overwritten(total, channel.overwrites, member)
    if not total & Permission.VIEW_CHANNEL:
        return NONE
    return total if total & Permission.SEND_MESSAGES else total & ~_UNSENDABLE


def _overwritten(total: Permission, overwrites: tuple[Overwrite, ...], member: Member) -> Permission:
    everyone = [o for o in overwrites if o.id == member.guild_id]
    roles = [o for o in overwrites if o.type == 0 and o.id in member.roles]
    own = [o for o in overwrites if o.type == 1 and o.id == member.user_id]
    for group in (everyone, roles, own):
        for overwrite in group:
            total &= ~Permission(overwrite.deny)
        for overwrite in group:
            total |= Permission(overwrite.allow)
    return total


def _in_thread(world: World, thread: Channel, user_id: str) -> Permission:
    parent = world.channels.get(thread.parent_id or "")
    if parent is None:
        return NONE
    total = in_channel(world, parent, user_id)
    moderates = bool(total & Permission.MANAGE_THREADS)
    if thread.type == 12 and user_id not in thread.thread_members and not moderates:  # noqa: PLR2004 - PRIVATE_THREAD
        return NONE
    if total & Permission.SEND_MESSAGES_IN_THREADS:
        return total | Permission.SEND_MESSAGES
    return total & ~_UNSENDABLE


def sees(world: World, channel: Channel, user_id: str) -> bool:
    """Whether the channel exists for this user."""
    return bool(in_channel(world, channel, user_id) & Permission.VIEW_CHANNEL)


def demand(world: World, channel: Channel, user_id: str, needed: Permission) -> None:
    """Raise 50001 for a channel the user cannot see, 50013 when one of `needed` lacks."""
    held = in_channel(world, channel, user_id)
    if not held & Permission.VIEW_CHANNEL:
        raise missing_access()
    if needed & ~held:
        raise missing_permissions()


def interaction_permissions(world: World, channel: Channel, bot_id: str) -> Permission:
    """`app_permissions` of an interaction in this channel."""
    if channel.is_direct:
        return DIRECT_MESSAGE
    return in_channel(world, channel, bot_id)
