"""The world a first start finds: one guild, two channels, four people and a bot."""

from __future__ import annotations

import base64
import hashlib

from . import permissions
from .models import Application, Channel, ChannelType, Guild, Member, Overwrite, Role, User
from .permissions import Permission
from .snowflake import at
from .state import World

# Fixed ids, all of 2020, so that scripts and saved links keep working over a wiped data folder.
_FIRST = at(1_577_836_800)
GUILD_ID, IMAGINE_ID, GALLERY_ID, CATEGORY_ID = (str(_FIRST + n) for n in range(1, 5))
# Two ids, as with applications older than 2016: code that takes one for the other must fail here too.
APPLICATION_ID, BOT_ID = str(_FIRST + 10), str(_FIRST + 11)
YOU_ID, FRIEND_ID, MODERATOR_ID, OWNER_ID = (str(_FIRST + n) for n in range(20, 24))
MODERATOR_ROLE_ID, BOT_ROLE_ID = str(_FIRST + 30), str(_FIRST + 31)


def token_for(user_id: str) -> str:
    """A token in the shape of Discord's, the same at every start; it opens this playground alone."""
    secret = hashlib.sha256(f"playground:{user_id}".encode()).hexdigest()
    first = base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")
    return f"{first}.plygnd.{secret[:38]}"


def make_user(world: World, user_id: str, username: str, *, bot: bool = False) -> User:
    """Store a user with the token that goes with the id."""
    user = User(id=user_id, username=username, global_name=None, bot=bot, token=token_for(user_id))
    return world.users.put(user)


def make_member(world: World, guild_id: str, user_id: str, *roles: str) -> Member:
    """Let a user join a guild."""
    member = Member(guild_id=guild_id, user_id=user_id, roles=roles, joined_at=world.clock.now())
    return world.members.put(member)


def make_guild(world: World, guild_id: str, name: str, owner_id: str) -> Guild:
    """Store a guild with its @everyone role; the owner joins."""
    guild = world.guilds.put(Guild(id=guild_id, name=name, owner_id=owner_id))
    everyone = Role(id=guild_id, guild_id=guild_id, name="@everyone", permissions=permissions.EVERYONE)
    world.roles.put(everyone)
    make_member(world, guild_id, owner_id)
    return guild


def make_application(world: World, application_id: str, bot_id: str, name: str) -> Application:
    """Store an application with its bot user."""
    make_user(world, bot_id, name, bot=True)
    row = Application(id=application_id, name=name, bot_id=bot_id, owner_id=OWNER_ID)
    return world.applications.put(row)


def make_channel(world: World, channel_id: str, guild_id: str, name: str, position: int) -> Channel:
    """Store a text channel."""
    row = Channel(
        id=channel_id,
        type=ChannelType.TEXT,
        guild_id=guild_id,
        name=name,
        position=position,
    )
    return world.channels.put(row)


def furnish(world: World) -> None:
    """Put the default world into an empty one; leave any other alone."""
    if len(world.guilds):
        return
    people = ((YOU_ID, "you"), (FRIEND_ID, "friend"), (MODERATOR_ID, "moderator"), (OWNER_ID, "owner"))
    for user_id, name in people:
        make_user(world, user_id, name)
    guild = make_guild(world, GUILD_ID, "Journeyman", OWNER_ID)
    moderator = Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS | Permission.MODERATE_MEMBERS
    role = Role(
        id=MODERATOR_ROLE_ID,
        guild_id=guild.id,
        name="Moderator",
        permissions=moderator,
        position=2,
        color=0xE67E22,
        hoist=True,
    )
    world.roles.put(role)
    make_member(world, guild.id, MODERATOR_ID, MODERATOR_ROLE_ID)
    make_member(world, guild.id, YOU_ID)
    make_member(world, guild.id, FRIEND_ID)
    make_application(world, APPLICATION_ID, BOT_ID, "Journeyman")
    invite_bot(world, guild.id, APPLICATION_ID, BOT_ROLE_ID)
    category = Channel(id=CATEGORY_ID, type=ChannelType.CATEGORY, guild_id=guild.id, name="Pictures")
    world.channels.put(category)
    for channel_id, name, topic, position in (
        (IMAGINE_ID, "imagine", "Type /imagine and say what you want to see.", 0),
        (GALLERY_ID, "gallery", "The best of the day.", 1),
    ):
        channel = make_channel(world, channel_id, guild.id, name, position)
        world.channels.put(channel.model_copy(update={"topic": topic, "parent_id": CATEGORY_ID}))


def invite_bot(world: World, guild_id: str, application_id: str, role_id: str) -> Member:
    """Let an application's bot join a guild with a managed role of its own."""
    application = world.application(application_id)
    role = Role(
        id=role_id,
        guild_id=guild_id,
        name=application.name,
        position=1,
        managed=True,
        permissions=permissions.EVERYONE,
        bot_id=application.bot_id,
    )
    world.roles.put(role)
    return make_member(world, guild_id, application.bot_id, role_id)


def with_overwrite(channel: Channel, overwrite: Overwrite) -> Channel:
    """The channel with one overwrite added, or replaced if its subject had one."""
    others = tuple(o for o in channel.overwrites if o.id != overwrite.id)
    return channel.model_copy(update={"overwrites": (*others, overwrite)})
