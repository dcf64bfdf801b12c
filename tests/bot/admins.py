"""Typing `/admin …` as a person with some standing."""

from typing import Any

from playground.permissions import Permission
from tests.acceptance.member import Member, Message
from tests.bot.studio import Studio
from worker.admin import Actor
from worker.deeds import Rank, SetRole

NUMBERS = dict.fromkeys(("credits", "day", "month", "threshold"), 10)
KINDS = {"person": 6, "channel": 7, "role": 8, "running": 4, **NUMBERS}


def appoint(studio: Studio, user_id: str, *permissions: Permission) -> str:
    """Give somebody a role of their own with *permissions*, and return its id."""
    guild = studio.facts["guild_id"]
    bits = 0
    for permission in permissions:
        bits |= int(permission)
    role = studio.playground.admin.add_role(guild, f"role of {user_id}", bits)
    studio.playground.admin.add_member(guild, user_id, roles=(role.id,))
    return role.id


async def ranked(studio: Studio, role_id: str, rank: Rank, *, held: bool = True) -> None:
    """Give one of our ranks to a Discord role, or take it, as on the command line."""
    guild = int(studio.facts["guild_id"])
    deed = SetRole(guild_id=guild, rank=rank, role_id=int(role_id), held=held)
    await studio.office.do(deed, Actor(name="cli:ada"))


async def admin(boss: Member, path: str, /, *, root: str = "admin", **options: Any) -> Message:
    """Type ``/admin``, or another *root*, and return the private answer as it is once it says something."""
    index = await boss.rest("GET", f"/guilds/{boss.facts['guild_id']}/application-command-index")
    command = next(c for c in index["application_commands"] if c["name"] == root)
    typed = [
        {"type": 5 if isinstance(value, bool) else KINDS.get(name, 3), "name": name, "value": value}
        for name, value in options.items()
    ]
    known = {**boss.messages}
    await boss._interact(2, _command(command, path, typed))
    answer: Message = await boss.until(lambda: said(boss, known))
    return answer


async def offered(boss: Member, path: str, option: str, typed: str) -> list[str]:
    """Type into an option of ``/admin`` and return what is offered."""
    index = await boss.rest("GET", f"/guilds/{boss.facts['guild_id']}/application-command-index")
    command = next(c for c in index["application_commands"] if c["name"] == "admin")
    focused = {"type": 3, "name": option, "value": typed, "focused": True}
    nonce = await boss._interact(4, _command(command, path, [focused]))
    answer: Message = await boss.until(lambda: boss.suggested(nonce))
    return [choice["value"] for choice in answer["choices"]]


def _command(command: dict[str, Any], path: str, options: list[dict[str, Any]]) -> dict[str, Any]:
    for depth, name in enumerate(reversed(path.split())):
        options = [{"type": 1 if depth == 0 else 2, "name": name, "options": options}]
    return {
        "version": command["version"],
        "id": command["id"],
        "name": command["name"],
        "type": 1,
        "options": options,
        "attachments": [],
    }


def said(person: Member, known: dict[str, Message]) -> Message | None:
    """Return a private message with an embed that is new, or differs from *known*."""
    for identity, message in person.messages.items():
        if message.get("flags", 0) & 64 and message.get("embeds"):
            before = known.get(identity)
            if before is None or before["embeds"] != message["embeds"]:
                return message
    return None


def text(message: Message) -> str:
    """Return an embed's title, text and footer."""
    [embed] = message["embeds"]
    return "\n".join((embed["title"], embed["description"], embed.get("footer", {}).get("text", "")))


async def pressed(person: Member, message: Message, custom_id: str) -> Message:
    """Press a button and return the private message that changed or came."""
    known = {**person.messages}
    await person.press(message, custom_id)
    return await person.until(lambda: said(person, known))
