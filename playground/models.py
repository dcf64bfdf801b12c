"""What exists in the playground: frozen values, stored as JSON documents."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from pydantic import BaseModel, ConfigDict

from .errors import Json


class Value(BaseModel):
    """Base of everything here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Facts(Value):
    """What a program must know to talk to a running playground."""

    url: str
    api: str
    gateway: str
    guild_id: str
    channel_id: str
    application_id: str
    bot_user_id: str
    bot_token: str
    user_id: str
    user_token: str


class ChannelType(IntEnum):
    """The channel types the playground knows."""

    TEXT = 0
    DM = 1
    GROUP_DM = 3
    CATEGORY = 4
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12


THREADS = (ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD)
DIRECT = (ChannelType.DM, ChannelType.GROUP_DM)


class MessageType(IntEnum):
    """The message types the playground creates."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER_MESSAGE = 21
    CONTEXT_MENU_COMMAND = 23


class MessageFlag(IntFlag):
    """Bits of `message.flags`."""

    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


class InteractionType(IntEnum):
    """What a person did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class CallbackType(IntEnum):
    """What an application answers first."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    AUTOCOMPLETE = 8
    MODAL = 9


class User(Value):
    """A person or a bot; `token` is what its client sends."""

    id: str
    username: str
    global_name: str | None = None
    bot: bool = False
    token: str
    refuses_direct: bool = False


class Application(Value):
    """A bot's other half: commands, privileged switches, who installed it for themselves."""

    id: str
    name: str
    description: str = ""
    bot_id: str
    owner_id: str
    user_installs: tuple[str, ...] = ()
    message_content: bool = True
    guild_members: bool = True
    presence: bool = True


class Role(Value):
    """A guild's role; the one whose id is the guild's is @everyone."""

    id: str
    guild_id: str
    name: str
    permissions: int
    position: int = 0
    color: int = 0
    hoist: bool = False
    mentionable: bool = False
    managed: bool = False
    bot_id: str | None = None


class Guild(Value):
    """A server."""

    id: str
    name: str
    owner_id: str
    premium_tier: int = 0


class Member(Value):
    """A user in a guild."""

    guild_id: str
    user_id: str
    roles: tuple[str, ...] = ()
    nick: str | None = None
    joined_at: float

    @property
    def id(self) -> str:
        """The key under which the member is stored."""
        return member_key(self.guild_id, self.user_id)


def member_key(guild_id: str, user_id: str) -> str:
    """The key of a guild's member."""
    return f"{guild_id}:{user_id}"


class Overwrite(Value):
    """What a channel grants or takes away; `type` 0 is a role, 1 a member."""

    id: str
    type: int
    allow: int = 0
    deny: int = 0


class Channel(Value):
    """A text channel, category, thread, DM or group DM."""

    id: str
    type: ChannelType
    guild_id: str | None = None
    name: str | None = None
    topic: str | None = None
    position: int = 0
    nsfw: bool = False
    parent_id: str | None = None
    overwrites: tuple[Overwrite, ...] = ()
    recipients: tuple[str, ...] = ()
    owner_id: str | None = None
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    archive_changed: float = 0.0
    thread_members: tuple[str, ...] = ()

    @property
    def is_thread(self) -> bool:
        """Whether a parent channel decides who sees it."""
        return self.type in THREADS

    @property
    def is_direct(self) -> bool:
        """Whether it belongs to its recipients and no guild."""
        return self.type in DIRECT


class Attachment(Value):
    """A stored file of a message; its bytes lie in the data folder under `id`."""

    id: str
    channel_id: str
    filename: str
    title: str | None = None
    description: str | None = None
    size: int
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    ephemeral: bool = False


class Reaction(Value):
    """Who reacted with one emoji, in order."""

    emoji: Json
    user_ids: tuple[str, ...]


class MessageReference(Value):
    """The message a reply answers."""

    message_id: str
    channel_id: str
    guild_id: str | None = None


class Message(Value):
    """A message; `embeds` and `components` are validated JSON with `attachment://` still in it."""

    id: str
    channel_id: str
    guild_id: str | None = None
    author_id: str
    type: MessageType = MessageType.DEFAULT
    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: int = 0
    timestamp: float
    edited: float | None = None
    nonce: str | int | None = None
    reference: MessageReference | None = None
    mentions: tuple[str, ...] = ()
    mention_roles: tuple[str, ...] = ()
    mention_everyone: bool = False
    application_id: str | None = None
    via_interaction: bool = False
    interaction: Json | None = None
    interaction_metadata: Json | None = None
    reactions: tuple[Reaction, ...] = ()
    pinned: bool = False
    tts: bool = False
    only_for: str | None = None

    @property
    def ephemeral(self) -> bool:
        """Whether one person alone sees it, until that person reloads."""
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it stands for an answer that is still to come."""
        return bool(self.flags & MessageFlag.LOADING)


class Command(Value):
    """An application command; `body` is what Discord returns for it."""

    id: str
    application_id: str
    guild_id: str | None = None
    body: Json


class Interaction(Value):
    """One thing a person did, and how far the application got with answering it."""

    id: str
    token: str
    type: InteractionType
    application_id: str
    user_id: str
    channel_id: str
    guild_id: str | None = None
    created: float
    nonce: str | None = None
    data: Json
    message_id: str | None = None
    owners: dict[str, str]
    parent_metadata: Json | None = None
    followups: int = 0
    callback: CallbackType | None = None
    modal: Json | None = None
    response_id: str | None = None
    failed: bool = False

    @property
    def user_installed_only(self) -> bool:
        """Whether the application is here for this one person and not for the guild."""
        return "0" not in self.owners
