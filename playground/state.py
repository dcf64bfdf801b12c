"""Everything that exists, in memory, written through to storage on every change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, Self, TypeVar

from .clock import Clock
from .errors import unknown
from .models import (
    THREADS,
    Application,
    Attachment,
    Channel,
    ChannelType,
    Command,
    Guild,
    Interaction,
    Member,
    Message,
    Role,
    User,
    member_key,
)
from .snowflake import SnowflakeMint, seconds_of
from .storage import Storage

# For this long a repeated nonce returns the first message; Discord says "the past few minutes".
NONCE_SECONDS = 180.0
# An interaction token lives this long; older interactions are not worth keeping.
TOKEN_SECONDS = 900.0
# Files that came with a command can be downloaded this long.
_COMMAND_FILE_SECONDS = 86_400.0


class _Keyed(Protocol):
    @property
    def id(self) -> str: ...

    def model_dump_json(self) -> str: ...

    @classmethod
    def model_validate_json(cls, json_data: str) -> Self: ...


Row = TypeVar("Row", bound=_Keyed)


class Table(Generic[Row]):
    """Rows of one kind by id, oldest first."""

    def __init__(self, storage: Storage, kind: str, model: type[Row]) -> None:
        self._storage = storage
        self._kind = kind
        self._rows: dict[str, Row] = {}
        for body in storage.load(kind):
            row = model.model_validate_json(body)
            self._rows[row.id] = row

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Row | None:
        """The row, or None."""
        return self._rows.get(key)

    def put(self, row: Row) -> Row:
        """Store a row under its id and return it."""
        self._storage.put(self._kind, row.id, row.model_dump_json())
        self._rows[row.id] = row
        return row

    def delete(self, key: str) -> Row | None:
        """Remove a row and return it."""
        row = self._rows.pop(key, None)
        if row is not None:
            self._storage.delete(self._kind, key)
        return row


class World:
    """The tables and the questions that several of them answer together."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.clock = clock
        self.users = Table(storage, "user", User)
        self.applications = Table(storage, "application", Application)
        self.guilds = Table(storage, "guild", Guild)
        self.roles = Table(storage, "role", Role)
        self.members = Table(storage, "member", Member)
        self.channels = Table(storage, "channel", Channel)
        self.commands = Table(storage, "command", Command)
        self.interactions = Table(storage, "interaction", Interaction)
        self.messages = Table(storage, "message", Message)
        self._by_channel: dict[str, dict[str, Message]] = {}
        self._nonces: dict[tuple[str, str], str] = {}
        for message in self.messages:
            self._index(message)
        for interaction in self.interactions:
            if clock.now() - interaction.created > TOKEN_SECONDS:
                self.interactions.delete(interaction.id)
        self._private: dict[str, Message] = {}
        self.attachments = Table(storage, "attachment", Attachment)
        self._drop_orphans()
        reserved = max((int(body) for body in storage.load("mint")), default=0)
        self.mint = SnowflakeMint(clock, reserved, lambda mark: storage.put("mint", "mint", str(mark)))

    # -- messages ----------------------------------------------------------------------------------------

    def put_message(self, message: Message) -> Message:
        """Store a message; an ephemeral one is kept in memory alone and does not survive a restart."""
        if message.ephemeral:
            self._private[message.id] = message
        else:
            self.messages.put(message)
            self._index(message)
        return message

    def _index(self, message: Message) -> None:
        self._by_channel.setdefault(message.channel_id, {})[message.id] = message
        if message.nonce is not None:
            self._nonces[message.author_id, str(message.nonce)] = message.id

    def message(self, channel_id: str, message_id: str, *, private: bool = False) -> Message:
        """A message of a channel; raises 10008. `private` also finds ephemeral ones."""
        found = self.find_message(channel_id, message_id, private=private)
        if found is None:
            raise unknown("Message")
        return found

    def find_message(self, channel_id: str, message_id: str, *, private: bool = False) -> Message | None:
        """As `message`, but None for one that is not there."""
        found = self._by_channel.get(channel_id, {}).get(message_id)
        if found is None and private:
            found = self._private.get(message_id)
        return found if found is not None and found.channel_id == channel_id else None

    def delete_message(self, message: Message) -> None:
        """Remove a message with its files."""
        self._private.pop(message.id, None)
        self.messages.delete(message.id)
        self._by_channel.get(message.channel_id, {}).pop(message.id, None)
        for attachment in message.attachments:
            self.delete_attachment(attachment.id)

    def put_attachment(self, attachment: Attachment, content: bytes) -> Attachment:
        """Store a file; it can be downloaded until it is deleted."""
        self.storage.write_file(attachment.id, content)
        return self.attachments.put(attachment)

    def delete_attachment(self, attachment_id: str) -> None:
        """Remove a file."""
        self.attachments.delete(attachment_id)
        self.storage.delete_file(attachment_id)

    def _drop_orphans(self) -> None:
        """Remove the files of messages that are gone, and those of commands after a day."""
        owned = {one.id for message in self.messages for one in message.attachments}
        yesterday = self.clock.now() - _COMMAND_FILE_SECONDS
        for row in self.attachments:
            recent = row.ephemeral and seconds_of(row.id) > yesterday
            if row.id not in owned and not recent:
                self.delete_attachment(row.id)

    def history(self, channel_id: str) -> list[Message]:
        """A channel's messages, oldest first, without ephemeral ones."""
        return list(self._by_channel.get(channel_id, {}).values())

    def said_before(self, author_id: str, nonce: str | int) -> Message | None:
        """The author's message with this nonce, while nonces are remembered."""
        message = self.messages.get(self._nonces.get((author_id, str(nonce)), ""))
        if message is None or self.clock.now() - message.timestamp > NONCE_SECONDS:
            return None
        return message

    # -- people ------------------------------------------------------------------------------------------

    def user(self, user_id: str) -> User:
        """Raises 10013."""
        found = self.users.get(user_id)
        if found is None:
            raise unknown("User")
        return found

    def user_with_token(self, token: str) -> User | None:
        """Whose token this is."""
        return next((user for user in self.users if user.token == token), None)

    def application(self, application_id: str) -> Application:
        """Raises 10002."""
        found = self.applications.get(application_id)
        if found is None:
            raise unknown("Application")
        return found

    def application_of(self, bot_id: str) -> Application | None:
        """The application whose bot this is."""
        return next((row for row in self.applications if row.bot_id == bot_id), None)

    def member(self, guild_id: str, user_id: str) -> Member | None:
        """The membership, if there is one."""
        return self.members.get(member_key(guild_id, user_id))

    def members_of(self, guild_id: str) -> list[Member]:
        """Everyone in a guild."""
        return [member for member in self.members if member.guild_id == guild_id]

    # -- places ------------------------------------------------------------------------------------------

    def guild(self, guild_id: str) -> Guild:
        """Raises 10004."""
        found = self.guilds.get(guild_id)
        if found is None:
            raise unknown("Guild")
        return found

    def guilds_of(self, user_id: str) -> list[Guild]:
        """The guilds a user is in."""
        return [guild for guild in self.guilds if self.member(guild.id, user_id) is not None]

    def roles_of(self, guild_id: str) -> list[Role]:
        """A guild's roles, lowest first."""
        return sorted((r for r in self.roles if r.guild_id == guild_id), key=lambda role: role.position)

    def channel(self, channel_id: str) -> Channel:
        """Raises 10003."""
        found = self.channels.get(channel_id)
        if found is None:
            raise unknown("Channel")
        return found

    def channels_of(self, guild_id: str) -> list[Channel]:
        """A guild's channels without threads, in the order of the list."""
        rows = (c for c in self.channels if c.guild_id == guild_id and c.type not in THREADS)
        return sorted(rows, key=lambda channel: (channel.position, int(channel.id)))

    def threads_of(self, guild_id: str) -> list[Channel]:
        """A guild's threads, archived ones too."""
        return [c for c in self.channels if c.guild_id == guild_id and c.type in THREADS]

    def direct_channels_of(self, user_id: str) -> list[Channel]:
        """The DMs and group DMs a user is part of."""
        return [c for c in self.channels if c.is_direct and user_id in c.recipients]

    def direct_channel(self, one: str, other: str) -> Channel:
        """The DM of two users, opened if they have none."""
        for channel in self.direct_channels_of(one):
            if channel.type is ChannelType.DM and other in channel.recipients:
                return channel
        return self.channels.put(Channel(id=self.mint(), type=ChannelType.DM, recipients=(one, other)))

    # -- commands ----------------------------------------------------------------------------------------

    def commands_of(self, application_id: str, guild_id: str | None) -> list[Command]:
        """An application's commands in one scope; None is global."""
        rows = self.commands
        return [c for c in rows if c.application_id == application_id and c.guild_id == guild_id]
