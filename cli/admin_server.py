"""`journeyman admin role …`, `channel …`, `words …` and `models …`."""

from typing import Annotated

import typer

from cli import options
from cli.admin_desk import Limit, Server, Skip, ask, do, listed, printable, server_of
from cli.failures import USAGE, Failure
from worker.api import Category
from worker.deeds import (
    PHRASE_LIMIT,
    POWERS,
    Rank,
    SetChannel,
    SetLog,
    SetModel,
    SetNsfw,
    SetPower,
    SetRole,
    SetWord,
    Verb,
)

role = typer.Typer(help="Say who may do what in a server.", no_args_is_help=True, rich_markup_mode=None)
channel = typer.Typer(help="Say where people may order.", no_args_is_help=True, rich_markup_mode=None)
words = typer.Typer(help="Keep a server's own words.", no_args_is_help=True, rich_markup_mode=None)
models = typer.Typer(help="Say what draws.", no_args_is_help=True, rich_markup_mode=None)
Channel = Annotated[int, typer.Argument(metavar="CHANNEL_ID", min=0, help="0: every other channel.")]
Topic = Annotated[Category, typer.Argument(help="What it is about.")]
Phrase = Annotated[str, typer.Argument(help="A word or several.")]
Name = Annotated[str, typer.Argument(help="A model's name.")]
WHOLE = 100_000  # words of a server; more than anybody types


@role.command("set")
def assign(
    *,
    rank: Annotated[Rank, typer.Argument(help="Our rank.")],
    role_id: Annotated[
        int | None, typer.Option("--role", metavar="ID", min=1, help="A Discord role.")
    ] = None,
    command: Annotated[str | None, typer.Option(help="A verb, such as 'queue clear'.")] = None,
    take: Annotated[bool, typer.Option("--take", help="Take it away; for a verb, the usual rank.")] = False,
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Give a rank to a Discord role or take it, or say which rank a verb takes."""
    guild_id = server_of(server, data, config)
    power = next((each for each in POWERS if each == command), None)
    if (role_id is None) is (power is None):
        raise Failure("Say --role ID, or --command with a verb such as 'queue clear'.", USAGE)
    deed: SetRole | SetPower
    if power is not None:
        deed = SetPower(guild_id=guild_id, power=power, rank=None if take else rank)
    else:
        deed = SetRole.model_validate(
            {"guild_id": guild_id, "rank": rank, "role_id": role_id, "held": not take}
        )
    do(data, config, deed, server=guild_id, as_json=as_json)


@role.command("list")
def roles(
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Show who may do what; Discord's Administrators are owners."""
    from bot.rights import needed

    guild_id = server_of(server, data, config)
    powers = ask(data, config, lambda desk: desk.powers(guild_id))
    rows = [
        {
            "rank": rank.value,
            "roles": [str(each) for each in powers.roles.get(rank, ())],
            "verbs": [power.value for power in POWERS if needed(power, powers) is rank],
        }
        for rank in Rank
    ]
    listed(rows, as_json=as_json)


@channel.command("allow")
def allow(
    channel_id: Channel,
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Let people order in a channel."""
    guild_id = server_of(server, data, config)
    deed = SetChannel(verb=Verb.CHANNEL_ALLOW, guild_id=guild_id, channel_id=channel_id)
    do(data, config, deed, server=guild_id, as_json=as_json)


@channel.command("deny")
def deny(
    channel_id: Channel,
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Close a channel to orders."""
    guild_id = server_of(server, data, config)
    deed = SetChannel(verb=Verb.CHANNEL_DENY, guild_id=guild_id, channel_id=channel_id)
    do(data, config, deed, server=guild_id, as_json=as_json)


@channel.command("nsfw")
def nsfw(
    *,
    channel_id: Channel,
    adult: Annotated[bool, typer.Option("--on/--off", help="Whether adult pictures may be shown.")],
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Say whether adult pictures may be shown; see to it that Discord asks for people's age there."""
    guild_id = server_of(server, data, config)
    if not channel_id:
        raise Failure("Name the channel: adult pictures are not allowed everywhere at once.", USAGE)
    deed = SetNsfw(guild_id=guild_id, channel_id=channel_id, nsfw=adult)
    do(data, config, deed, server=guild_id, as_json=as_json)


@channel.command("log")
def log(
    channel_id: Annotated[int, typer.Argument(metavar="CHANNEL_ID", min=0, help="0: nowhere.")],
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Let the bot post the audit log to a channel."""
    guild_id = server_of(server, data, config)
    deed = SetLog(guild_id=guild_id, channel_id=channel_id or None)
    do(data, config, deed, server=guild_id, as_json=as_json)


@channel.command("list")
def channels(
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Show the rules about channels; 0 is every other channel."""
    guild_id = server_of(server, data, config)
    view = ask(data, config, lambda desk: desk.channels(guild_id))
    rows = [
        {
            "channel": str(rule.channel_id),
            "open": rule.allowed,
            "nsfw": rule.nsfw,
            "log": rule.channel_id == view.log_channel_id,
        }
        for rule in view.rules
    ]
    if view.log_channel_id is not None and all(not row["log"] for row in rows):
        rows.append({"channel": str(view.log_channel_id), "open": None, "nsfw": False, "log": True})
    listed(rows, as_json=as_json)


@words.command("add")
def add(
    *,
    category: Topic,
    phrase: Phrase,
    allowed: Annotated[bool, typer.Option("--allow", help="Allow it instead.")] = False,
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Refuse a phrase, or allow it although a list has it."""
    from bot.moderation.lists import readable

    guild_id = server_of(server, data, config)
    if not readable(phrase):
        raise Failure("There is no letter or digit in that, so it would never be found.", USAGE)
    deed = SetWord(
        verb=Verb.WORDS_ADD, guild_id=guild_id, category=category, phrase=_phrase(phrase), allow=allowed
    )
    do(data, config, deed, server=guild_id, as_json=as_json)


@words.command("remove")
def remove(
    *,
    category: Topic,
    phrase: Phrase,
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Remove a phrase."""
    guild_id = server_of(server, data, config)
    deed = SetWord(verb=Verb.WORDS_REMOVE, guild_id=guild_id, category=category, phrase=_phrase(phrase))
    do(data, config, deed, server=guild_id, as_json=as_json)


@words.command("test")
def try_out(
    text: Annotated[str, typer.Argument(help="What somebody might type.")],
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """See what the shipped words and a server's own say about a text; nothing is stored."""
    from bot.moderation.lists import Word, build, shipped
    from bot.moderation.verdict import explain

    guild_id = server_of(server, data, config)
    found, _ = ask(data, config, lambda desk: desk.words(guild_id, limit=WHOLE))
    own = build([Word(Category(each.category), each.phrase, allow=each.allow) for each in found])
    rows = [
        {"category": each.category.value, "matched": each.matched, "because": each.phrase}
        for each in explain(text, (shipped(), own)).findings
    ]
    listed(rows, as_json=as_json)


@words.command("list")
def own(
    *,
    category: Annotated[Category | None, typer.Option(help="Only of this.")] = None,
    server: Server = None,
    data: options.Data = None,
    config: options.Config = None,
    limit: Limit = 25,
    skip: Skip = 0,
    as_json: options.Json = False,
) -> None:
    """List a server's own words."""
    guild_id = server_of(server, data, config)
    found, total = ask(data, config, lambda desk: desk.words(guild_id, category, skip=skip, limit=limit))
    listed([each.model_dump(mode="json") for each in found], as_json=as_json, total=total)


@models.command("list")
def list_(data: options.Data = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """List the models of the configuration."""
    found = ask(data, config, lambda desk: desk.models())
    listed([{**each.model_dump(), "flags": list(each.flags)} for each in found], as_json=as_json)


@models.command("enable")
def enable(
    name: Name, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Switch a model on."""
    do(data, config, SetModel(verb=Verb.MODELS_ENABLE, name=name), as_json=as_json)


@models.command("disable")
def disable(
    name: Name, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Switch a model off; the last one stays on."""
    do(data, config, SetModel(verb=Verb.MODELS_DISABLE, name=name), as_json=as_json)


@models.command("default")
def default(
    name: Name, data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Choose the model of those who say none."""
    do(data, config, SetModel(verb=Verb.MODELS_DEFAULT, name=name), as_json=as_json)


def _phrase(text: str) -> str:
    if not 0 < len(text.strip()) <= PHRASE_LIMIT:
        raise Failure(f"A phrase has 1 to {PHRASE_LIMIT} characters; not {printable(text[:20])!r}.", USAGE)
    return text
