"""What people saw: which message showed which job, told by the messages alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.actions import DRAWS, OF_NO_JOB, Action, Verb, read
from tests.acceptance.member import Message, custom_ids

EPHEMERAL, LOADING = 1 << 6, 1 << 7  # message flags


class Role(StrEnum):
    """What a message is to a job."""

    UNDER_WAY = "under way"  # it can be stopped there
    STOPPED = "stopped"
    RESULT = "result"  # the pictures
    FAILURE = "failure"  # why there are none
    POINTER = "pointer"  # under way before; now it says where the result is


@dataclass(slots=True)
class Sighting:
    """A message, as it was last seen."""

    job_id: str
    role: Role
    channel_id: str
    deleted: bool = False


@dataclass(slots=True)
class Sight:
    """Everything one person saw.

    Attributes:
        public: By message id, what shows a job for everybody.
        told: What was said privately, as text.
        thinking: Messages that still promise an answer, and the interactions they belong to.
    """

    public: dict[str, Sighting] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    thinking: dict[str, str] = field(default_factory=dict)

    def of_job(self) -> Mapping[str, Mapping[Role, Sequence[str]]]:
        """Return, by job, the messages of each role that were not deleted."""
        found: dict[str, dict[Role, list[str]]] = defaultdict(lambda: defaultdict(list))
        for message_id, sighting in self.public.items():
            if not sighting.deleted:
                found[sighting.job_id][sighting.role].append(message_id)
        return found


def looked_at(seen: Iterable[tuple[str, Message]], bot_id: str) -> Sight:
    """Return what *seen*, gateway events in their order, showed of the bot's messages."""
    sight = Sight()
    for kind, message in seen:
        if kind not in {"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"}:
            continue
        message_id = message["id"]
        if kind == "MESSAGE_DELETE":
            sight.thinking.pop(message_id, None)
            if message_id in sight.public:
                sight.public[message_id].deleted = True
        elif message.get("author", {}).get("id") == bot_id:
            _take(sight, message)
    return sight


def _take(sight: Sight, message: Message) -> None:
    flags = message.get("flags", 0)
    if flags & EPHEMERAL or "guild_id" not in message:
        sight.told.append(str(message))
        return
    message_id = message["id"]
    sight.thinking.pop(message_id, None)
    if flags & LOADING:
        sight.thinking[message_id] = (message.get("interaction_metadata") or {}).get("id", "")
    before = sight.public.get(message_id)
    job_id, role = role_of(message)
    if role is None and before is not None:  # what named the job is gone: its own first words still count
        job_id = before.job_id
        role = Role.STOPPED if "(Stopped)" in message["content"] else Role.POINTER
    if role is not None:
        sight.public[message_id] = Sighting(job_id, role, message["channel_id"])


def role_of(message: Mapping[str, Any]) -> tuple[str, Role | None]:
    """Return which job *message* shows by its buttons, and as what; None where none names a job."""
    for custom_id in custom_ids(dict(message)):
        action = read(custom_id)
        if not isinstance(action, Action) or action.verb in OF_NO_JOB:
            continue
        if action.verb is Verb.CANCEL:
            return action.subject, Role.UNDER_WAY
        if action.verb in DRAWS:
            pictures = [f for f in message.get("attachments", ()) if not f["filename"].endswith(".txt")]
            return action.subject, Role.RESULT if pictures else Role.FAILURE
    return "", None
