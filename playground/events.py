"""Who hears of what: events go to the sessions that may see them and asked for them."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag

from . import message_wire, permissions, wire
from .errors import Json
from .models import Channel, Guild, Member, Message
from .sessions import Session, Sessions
from .state import World

For = Callable[[str], Json]


class Intent(IntFlag):
    """Gateway intents that the playground's events need."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_REACTIONS = 1 << 10
    GUILD_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_REACTIONS = 1 << 13
    DIRECT_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


_BY_PREFIX = (
    ("MESSAGE_REACTION", Intent.GUILD_REACTIONS, Intent.DIRECT_REACTIONS),
    ("MESSAGE", Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    ("TYPING", Intent.GUILD_TYPING, Intent.DIRECT_TYPING),
    ("GUILD_MEMBER", Intent.GUILD_MEMBERS, Intent.GUILD_MEMBERS),
    ("PRESENCE", Intent.PRESENCES, Intent.PRESENCES),
)


def intent_of(name: str, *, direct: bool) -> Intent:
    """The intent an event needs."""
    for prefix, in_guild, in_direct in _BY_PREFIX:
        if name.startswith(prefix):
            return in_direct if direct else in_guild
    return Intent.GUILDS


def hide_content(body: Json, message: Message, reader_id: str) -> Json:
    """The message without its content, unless the reader wrote it, is mentioned or is in its DM."""
    if message.author_id == reader_id or reader_id in message.mentions or message.guild_id is None:
        return body
    return body | {"content": "", "embeds": [], "attachments": [], "components": []}


class Events:
    """The dispatcher."""

    def __init__(self, world: World, sessions: Sessions, sign: message_wire.Sign) -> None:
        self._world = world
        self._sessions = sessions
        self._sign = sign

    # -- delivery ----------------------------------------------------------------------------------------

    def to_user(self, user_id: str, name: str, data: Json) -> None:
        """Tell one user, whatever the intents."""
        for session in self._sessions.of_user(user_id):
            session.emit(name, data)

    def to_bot(self, user_id: str, guild_id: str | None, name: str, data: Json) -> None:
        """Tell a bot, on the shard that the guild belongs to."""
        for session in self._sessions.of_user(user_id):
            if session.hears(guild_id):
                session.emit(name, data)

    def to_channel(self, channel: Channel, name: str, build: Callable[[Session], Json]) -> None:
        """Tell everybody who sees the channel."""
        needed = intent_of(name, direct=channel.is_direct)
        for session in self._sessions:
            wants = session.wants(needed, channel.guild_id)
            if wants and permissions.sees(self._world, channel, session.user_id):
                session.emit(name, build(session))

    def to_guild(self, guild: Guild, name: str, data: Json) -> None:
        """Tell every member."""
        needed = intent_of(name, direct=False)
        for session in self._sessions:
            if session.wants(needed, guild.id) and self._world.member(guild.id, session.user_id) is not None:
                session.emit(name, data)

    def to_people(self, guild: Guild, name: str, data: Json) -> None:
        """Tell the members that are no bots."""
        for session in self._sessions:
            member = self._world.member(guild.id, session.user_id)
            if session.application is None and member is not None:
                session.emit(name, data)

    # -- messages ----------------------------------------------------------------------------------------

    def message(self, name: str, message: Message, *, nonce: str | int | None = None) -> None:
        """MESSAGE_CREATE or MESSAGE_UPDATE; an ephemeral message reaches its one reader alone."""
        channel = self._world.channel(message.channel_id)
        extra: Json = {"nonce": nonce} if nonce is not None else {}

        def build(session: Session) -> Json:
            return self._dispatched(message, channel, session) | extra

        if message.only_for is None:
            self.to_channel(channel, name, build)
            return
        for session in self._sessions.of_user(message.only_for):
            session.emit(name, build(session))

    def _dispatched(self, message: Message, channel: Channel, session: Session) -> Json:
        world = self._world
        body = message_wire.message(world, message, session.user_id, self._sign)
        body["channel_type"] = int(channel.type)
        if message.guild_id:
            body["guild_id"] = message.guild_id
            author = world.member(message.guild_id, message.author_id)
            if author is not None:
                body["member"] = wire.member(world, author, with_user=False)
            for mention in body["mentions"]:
                member = world.member(message.guild_id, mention["id"])
                if member is not None:
                    mention["member"] = wire.member(world, member, with_user=False)
        if session.application is not None and not session.intents & Intent.MESSAGE_CONTENT:
            return hide_content(body, message, session.user_id)
        return body

    def message_deleted(self, message: Message) -> None:
        """MESSAGE_DELETE."""
        data: Json = {"id": message.id, "channel_id": message.channel_id}
        if message.guild_id:
            data["guild_id"] = message.guild_id
        if message.only_for is not None:
            self.to_user(message.only_for, "MESSAGE_DELETE", data)
            return
        self.to_channel(self._world.channel(message.channel_id), "MESSAGE_DELETE", lambda _: data)

    def about_message(self, name: str, message: Message, data: Json) -> None:
        """A reaction event."""
        body = {"message_id": message.id, "channel_id": message.channel_id, **data}
        if message.guild_id:
            body["guild_id"] = message.guild_id
        self.to_channel(self._world.channel(message.channel_id), name, lambda _: body)

    # -- places ------------------------------------------------------------------------------------------

    def channel(self, name: str, channel: Channel) -> None:
        """CHANNEL_CREATE, CHANNEL_UPDATE, CHANNEL_DELETE, THREAD_CREATE and so on."""
        world = self._world

        def build(session: Session) -> Json:
            return wire.channel(world, channel, session.user_id)

        if channel.is_direct:
            for session in self._sessions:
                if session.application is None and session.user_id in channel.recipients:
                    session.emit(name, build(session))
        else:
            self.to_channel(channel, name, build)

    def channel_to_guild(self, name: str, channel: Channel) -> None:
        """As `channel`, also for members who do not see it, so that they learn that they no longer do."""
        data = wire.channel(self._world, channel, "")
        self.to_guild(self._world.guild(channel.guild_id or ""), name, data)

    def member(self, name: str, member: Member) -> None:
        """GUILD_MEMBER_ADD, GUILD_MEMBER_UPDATE."""
        data = wire.member(self._world, member) | {"guild_id": member.guild_id}
        self.to_guild(self._world.guild(member.guild_id), name, data)

    def guild_joined(self, guild: Guild, user_id: str) -> None:
        """GUILD_CREATE for somebody who has just become a member."""
        for session in self._sessions.of_user(user_id):
            if session.hears(guild.id) or session.application is None:
                # Without `unavailable`, clients take it for a guild they have just joined.
                data = self.guild_for(session, guild)
                data.pop("unavailable")
                session.emit("GUILD_CREATE", data)

    def guild_left(self, guild: Guild, member: Member) -> None:
        """GUILD_DELETE for somebody who is no longer a member, GUILD_MEMBER_REMOVE for the others."""
        self.to_bot(member.user_id, guild.id, "GUILD_DELETE", {"id": guild.id})
        gone = {"guild_id": guild.id, "user": wire.user(self._world.user(member.user_id))}
        self.to_guild(guild, "GUILD_MEMBER_REMOVE", gone)

    def guild_for(self, session: Session, guild: Guild) -> Json:
        """A guild as GUILD_CREATE brings it; bots see other members only with that intent."""
        everyone = session.application is None or bool(session.intents & Intent.GUILD_MEMBERS)
        body = wire.gateway_guild(self._world, guild, session.user_id, everyone=everyone)
        if session.wants(Intent.PRESENCES, guild.id):
            there = [m.user_id for m in self._world.members_of(guild.id) if self._sessions.online(m.user_id)]
            body["presences"] = [self._presence(one) for one in there]
        return body

    def presence(self, user_id: str) -> None:
        """PRESENCE_UPDATE: the first client of somebody came, or the last one went."""
        for guild in self._world.guilds_of(user_id):
            self.to_guild(guild, "PRESENCE_UPDATE", self._presence(user_id) | {"guild_id": guild.id})

    def _presence(self, user_id: str) -> Json:
        online = self._sessions.online(user_id)
        devices = {"web": "online"} if online else {}
        status = "online" if online else "offline"
        return {"user": {"id": user_id}, "status": status, "activities": [], "client_status": devices}
