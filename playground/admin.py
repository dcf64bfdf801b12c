"""What only the owner of the world may do: add and remove people and places, cut lines."""

from __future__ import annotations

from . import seed
from .core import Core
from .errors import unknown
from .models import Application, Channel, ChannelType, Facts, Guild, Member, Overwrite, Role, User
from .permissions import Permission
from .places import remove_channel, remove_member
from .sessions import Session

# Discord asks its clients to reconnect with this code from time to time.
_RECONNECT_CODE = 4000


class Admin:
    """Acts on the world and tells everybody who would hear of it at Discord."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._world = core.world

    def facts(self) -> Facts:
        """What a client must know."""
        addresses = self._core.addresses
        application = self._world.application(seed.APPLICATION_ID)
        you = self._world.user(seed.YOU_ID)
        return Facts(
            url=addresses.url,
            api=addresses.api,
            gateway=addresses.gateway,
            guild_id=seed.GUILD_ID,
            channel_id=seed.IMAGINE_ID,
            application_id=application.id,
            bot_user_id=application.bot_id,
            bot_token=self._world.user(application.bot_id).token,
            user_id=you.id,
            user_token=you.token,
        )

    # -- people ------------------------------------------------------------------------------------------

    def add_user(self, username: str, *, guild_id: str | None = seed.GUILD_ID) -> User:
        """A new person, member of `guild_id` unless that is None."""
        user = seed.make_user(self._world, self._world.mint(), username)
        if guild_id is not None:
            self.add_member(guild_id, user.id)
        return user

    def add_member(self, guild_id: str, user_id: str, *, roles: tuple[str, ...] = ()) -> Member:
        """Let a user join a guild, or give a member other roles."""
        guild = self._world.guild(guild_id)
        self._world.user(user_id)
        known = self._world.member(guild_id, user_id)
        member = seed.make_member(self._world, guild_id, user_id, *roles)
        self._core.events.member("GUILD_MEMBER_UPDATE" if known else "GUILD_MEMBER_ADD", member)
        if known is None:
            self._core.events.guild_joined(guild, user_id)
        return member

    def remove_member(self, guild_id: str, user_id: str) -> None:
        """Throw somebody, or a bot, out of a guild."""
        member = self._world.member(guild_id, user_id)
        if member is None:
            raise unknown("Member")
        remove_member(self._core, member)

    def close_direct_messages(self, user_id: str, *, closed: bool = True) -> User:
        """Let a user refuse, or accept again, messages of bots: 50007."""
        user = self._world.user(user_id)
        return self._world.users.put(user.model_copy(update={"refuses_direct": closed}))

    def add_role(self, guild_id: str, name: str, permissions: int = 0, *, mentionable: bool = False) -> Role:
        """A new role."""
        row = Role(
            id=self._world.mint(),
            guild_id=guild_id,
            name=name,
            permissions=permissions,
            position=len(self._world.roles_of(guild_id)),
            mentionable=mentionable,
        )
        return self._world.roles.put(row)

    def add_application(self, name: str, *, guild_id: str | None = seed.GUILD_ID) -> Application:
        """Another application with its bot, invited to `guild_id` unless that is None."""
        row = seed.make_application(self._world, self._world.mint(), self._world.mint(), name)
        if guild_id is not None:
            seed.invite_bot(self._world, guild_id, row.id, self._world.mint())
        return row

    def change_application(
        self,
        application_id: str,
        *,
        message_content: bool | None = None,
        guild_members: bool | None = None,
        presence: bool | None = None,
        user_installs: tuple[str, ...] | None = None,
    ) -> Application:
        """Turn privileged intents on or off, or say which users installed the application."""
        wanted = {
            "message_content": message_content,
            "guild_members": guild_members,
            "presence": presence,
            "user_installs": tuple(user_installs) if user_installs is not None else None,
        }
        update = {name: value for name, value in wanted.items() if value is not None}
        row = self._world.application(application_id).model_copy(update=update)
        return self._world.applications.put(row)

    # -- places ------------------------------------------------------------------------------------------

    def add_guild(
        self, name: str, *, owner_id: str = seed.OWNER_ID, application_id: str | None = None
    ) -> Guild:
        """A guild with one channel, `general`; the application's bot joins if one is named."""
        guild = seed.make_guild(self._world, self._world.mint(), name, owner_id)
        self.add_channel("general", guild_id=guild.id)
        if application_id is not None:
            member = seed.invite_bot(self._world, guild.id, application_id, self._world.mint())
            self._core.events.guild_joined(guild, member.user_id)
        self._core.events.guild_joined(guild, owner_id)
        return guild

    def change_guild(self, guild_id: str, *, premium_tier: int) -> Guild:
        """Boost a guild: tiers 2 and 3 raise the file limit."""
        row = self._world.guild(guild_id).model_copy(update={"premium_tier": premium_tier})
        return self._world.guilds.put(row)

    def add_channel(self, name: str, *, guild_id: str = seed.GUILD_ID) -> Channel:
        """A new text channel at the end of the list."""
        position = len(self._world.channels_of(guild_id))
        channel = seed.make_channel(self._world, self._world.mint(), guild_id, name, position)
        self._core.events.channel("CHANNEL_CREATE", channel)
        return channel

    def delete_channel(self, channel_id: str) -> None:
        """Remove a channel with its threads and messages."""
        remove_channel(self._core, self._world.channel(channel_id))

    def set_overwrite(self, channel_id: str, target_id: str, *, allow: int = 0, deny: int = 0) -> Channel:
        """Grant or take away permission bits of a role or a user in a channel; 0 and 0 lifts it.

        Everybody who sees the channel before or after is told.
        """
        channel = self._world.channel(channel_id)
        kind = 0 if self._world.roles.get(target_id) else 1
        overwrite = Overwrite(id=target_id, type=kind, allow=allow, deny=deny)
        changed = self._world.channels.put(seed.with_overwrite(channel, overwrite))
        self._core.events.channel_to_guild("CHANNEL_UPDATE", changed)
        return changed

    def deny_bot(
        self, channel_id: str, permission: Permission, *, application_id: str = seed.APPLICATION_ID
    ) -> None:
        """Take `permission` away from a bot in one channel."""
        bot_id = self._world.application(application_id).bot_id
        self.set_overwrite(channel_id, bot_id, deny=int(permission))

    def delete_message(self, channel_id: str, message_id: str) -> None:
        """Delete a message, as a moderator would."""
        message = self._world.message(channel_id, message_id)
        self._world.delete_message(message)
        self._core.events.message_deleted(message)

    def open_direct(self, user_id: str, application_id: str = seed.APPLICATION_ID) -> Channel:
        """The DM of a user and an application's bot."""
        bot_id = self._world.application(application_id).bot_id
        return self._world.direct_channel(user_id, bot_id)

    def open_group(self, *user_ids: str) -> Channel:
        """A group DM."""
        row = Channel(id=self._world.mint(), type=ChannelType.GROUP_DM, recipients=user_ids)
        return self._world.channels.put(row)

    # -- lines -------------------------------------------------------------------------------------------

    def drop_gateway(
        self, *, user_id: str | None = None, resumable: bool = True, code: int | None = _RECONNECT_CODE
    ) -> int:
        """Close the connections of one user, or all; returns how many.

        `code` None cuts them without a close frame. Not `resumable` loses the sessions too.
        """
        dropped = 0
        for session in self._connected(user_id):
            session.resumable = resumable
            if session.connection is not None:
                session.connection.cut() if code is None else session.connection.shut(code, "Dropped.")
            dropped += 1
        return dropped

    def ask_to_reconnect(self, *, user_id: str | None = None) -> int:
        """Send RECONNECT, as Discord does before it restarts a gateway; returns to how many."""
        asked = self._connected(user_id)
        for session in asked:
            if session.connection is not None:
                session.connection.push({"op": 7, "s": None, "t": None, "d": None})
        return len(asked)

    def connections(self, user_id: str) -> int:
        """How many gateway connections a user has."""
        return len(self._connected(user_id))

    def _connected(self, user_id: str | None) -> list[Session]:
        wanted = self._core.sessions if user_id is None else self._core.sessions.of_user(user_id)
        return [session for session in wanted if session.connection is not None]
