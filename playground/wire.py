"""People, places and commands as Discord's JSON. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from . import permissions
from .errors import Json
from .models import (
    Application,
    Channel,
    Command,
    Guild,
    Member,
    Role,
    User,
)
from .snowflake import seconds_of
from .state import World

_FLAGS_LIMITED = ((1 << 13, "presence"), (1 << 15, "guild_members"), (1 << 19, "message_content"))
_USES_COMMANDS = 1 << 23
_TIER_LIMIT = {2: 50 * 1024 * 1024, 3: 100 * 1024 * 1024}


def stamp(seconds: float) -> str:
    """ISO 8601 with microseconds and offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def upload_limit(guild: Guild | None) -> int:
    """Bytes per file: 10 MiB, more from boost tier 2 on."""
    return _TIER_LIMIT.get(guild.premium_tier if guild else 0, 10 * 1024 * 1024)


def user(row: User) -> Json:
    """A user as others see it."""
    body: Json = {
        "id": row.id,
        "username": row.username,
        "global_name": row.global_name,
        "discriminator": "0",
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": None,
        "public_flags": 0,
        "collectibles": None,
        "clan": None,
        "primary_guild": None,
    }
    if row.bot:
        body |= {"bot": True, "discriminator": "0000"}
    return body


def own_user(row: User) -> Json:
    """A user as it sees itself."""
    body = user(row) | {
        "locale": "en-US",
        "mfa_enabled": False,
        "verified": True,
        "email": None,
        "flags": 0,
        "premium_type": 0,
        "bio": "",
    }
    return body if row.bot else body | {"email": f"{row.username}@localhost", "nsfw_allowed": True}


def application_flags(row: Application) -> int:
    """Flags that tell which privileged intents are switched on."""
    return _USES_COMMANDS | sum(bit for bit, switch in _FLAGS_LIMITED if getattr(row, switch))


def application(world: World, row: Application) -> Json:
    """An application as its owner sees it."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "icon": None,
        "summary": "",
        "type": None,
        "flags": application_flags(row),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "hook": True,
        "owner": user(world.user(row.owner_id)),
        "team": None,
        "bot": user(world.user(row.bot_id)),
        "install_params": {"scopes": ["bot", "applications.commands"], "permissions": "0"},
        "integration_types_config": {"0": {}, "1": {}},
        "approximate_guild_count": len(world.guilds_of(row.bot_id)),
        "approximate_user_install_count": len(row.user_installs),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "tags": [],
    }


def role(row: Role) -> Json:
    """A role."""
    body: Json = {
        "id": row.id,
        "name": row.name,
        "color": row.color,
        "colors": {"primary_color": row.color, "secondary_color": None, "tertiary_color": None},
        "hoist": row.hoist,
        "icon": None,
        "unicode_emoji": None,
        "position": row.position,
        "permissions": str(int(row.permissions)),
        "managed": row.managed,
        "mentionable": row.mentionable,
        "flags": 0,
    }
    return body | ({"tags": {"bot_id": row.bot_id}} if row.bot_id else {})


def member(world: World, row: Member, *, with_user: bool = True) -> Json:
    """A member, with its user unless that stands beside it."""
    body: Json = {
        "nick": row.nick,
        "avatar": None,
        "banner": None,
        "roles": list(row.roles),
        "joined_at": stamp(row.joined_at),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }
    return body | ({"user": user(world.user(row.user_id))} if with_user else {})


def last_message_id(world: World, row: Channel) -> str | None:
    """The newest message of a channel."""
    history = world.history(row.id)
    return history[-1].id if history else None


def channel(world: World, row: Channel, viewer_id: str) -> Json:
    """A channel as one user sees it: in a DM the viewer is not among the recipients."""
    body: Json = {
        "id": row.id,
        "type": int(row.type),
        "last_message_id": last_message_id(world, row),
        "flags": 0,
    }
    if row.is_direct:
        others = [user(world.user(one)) for one in row.recipients if one != viewer_id]
        return body | {"recipients": others, "recipient_ids": [one["id"] for one in others]}
    body |= {
        "guild_id": row.guild_id,
        "name": row.name,
        "parent_id": row.parent_id,
        "rate_limit_per_user": 0,
    }
    if row.is_thread:
        return body | _thread(world, row, viewer_id)
    overwrites = [
        {"id": o.id, "type": o.type, "allow": str(o.allow), "deny": str(o.deny)} for o in row.overwrites
    ]
    return body | {
        "topic": row.topic,
        "position": row.position,
        "nsfw": row.nsfw,
        "permission_overwrites": overwrites,
        "last_pin_timestamp": None,
        "default_auto_archive_duration": None,
    }


def _thread(world: World, row: Channel, viewer_id: str) -> Json:
    count = len(world.history(row.id))
    body: Json = {
        "owner_id": row.owner_id,
        "thread_metadata": {
            "archived": row.archived,
            "archive_timestamp": stamp(row.archive_changed),
            "auto_archive_duration": row.auto_archive_minutes,
            "locked": row.locked,
            "create_timestamp": stamp(seconds_of(row.id)),
        },
        "message_count": count,
        "total_message_sent": count,
        "member_count": len(row.thread_members),
    }
    if viewer_id in row.thread_members:
        body["member"] = thread_member(row, viewer_id)
    return body


def thread_member(row: Channel, user_id: str) -> Json:
    """A user's membership of a thread."""
    return {"id": row.id, "user_id": user_id, "join_timestamp": stamp(seconds_of(row.id)), "flags": 1}


def guild(world: World, row: Guild, viewer_id: str) -> Json:
    """A guild's own fields, without channels and members."""
    return {
        "id": row.id,
        "name": row.name,
        "icon": None,
        "icon_hash": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "owner_id": row.owner_id,
        "owner": row.owner_id == viewer_id,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role(one) for one in world.roles_of(row.id)],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "premium_tier": row.premium_tier,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "nsfw": False,
        "nsfw_level": 0,
        "max_members": 500000,
        "max_presences": None,
    }


def gateway_guild(world: World, row: Guild, viewer_id: str, *, everyone: bool) -> Json:
    """A guild as GUILD_CREATE and a user's READY bring it: only the channels the viewer sees.

    Without `everyone` the viewer is the only member listed.
    """
    own = world.member(row.id, viewer_id)
    members = world.members_of(row.id)
    channels = [c for c in world.channels_of(row.id) if permissions.sees(world, c, viewer_id)]
    threads = [
        t for t in world.threads_of(row.id) if not t.archived and permissions.sees(world, t, viewer_id)
    ]
    return guild(world, row, viewer_id) | {
        "joined_at": stamp(own.joined_at) if own else None,
        "large": False,
        "unavailable": False,
        "lazy": True,
        "member_count": len(members),
        "members": [member(world, one) for one in members if everyone or one.user_id == viewer_id],
        "channels": [channel(world, one, viewer_id) for one in channels],
        "threads": [channel(world, one, viewer_id) for one in threads],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "application_command_counts": {"1": 0, "2": 0, "3": 0},
        "version": 1,
        "properties": guild(world, row, viewer_id),
    }


def command(row: Command) -> Json:
    """An application command."""
    return {"id": row.id, "application_id": row.application_id, **row.body} | (
        {"guild_id": row.guild_id} if row.guild_id else {}
    )
