"""Whom a message pings: the mentions in its text, as far as `allowed_mentions` lets them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import permissions
from .component_rules import texts
from .errors import Json
from .models import Channel, Message
from .permissions import Permission
from .state import World

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True)
class Pinged:
    """The three mention fields of a message."""

    users: tuple[str, ...]
    roles: tuple[str, ...]
    everyone: bool


def pinged(
    world: World, channel: Channel, message: Message, allowed: Json | None, replied: Message | None
) -> Pinged:
    """Work out the pings of `message`; without `allowed`, everything that is written pings."""
    text = _CODE.sub("", "\n".join([message.content, *texts(list(message.components))]))
    held = permissions.in_channel(world, channel, message.author_id)
    may_all = bool(held & Permission.MENTION_EVERYONE)
    users = [one for one in _allowed(_USER.findall(text), allowed, "users") if world.users.get(one)]
    if replied is not None and (allowed is None or allowed.get("replied_user")):
        users.append(replied.author_id)
    roles = [
        one
        for one in _allowed(_ROLE.findall(text), allowed, "roles")
        if (role := world.roles.get(one)) and (may_all or role.mentionable)
    ]
    everyone_allowed = allowed is None or "everyone" in (allowed.get("parse") or [])
    everyone = may_all and everyone_allowed and bool(_EVERYONE.search(text))
    return Pinged(tuple(dict.fromkeys(users)), tuple(dict.fromkeys(roles)), everyone)


def _allowed(found: list[str], allowed: Json | None, kind: str) -> list[str]:
    if allowed is None or kind in (allowed.get("parse") or []):
        return found
    listed = {str(one) for one in allowed.get(kind) or []}
    return [one for one in found if one in listed]
