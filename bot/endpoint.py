"""Which Discord the bot talks to: the real one, or one on this machine. Nowhere else goes the token."""

import asyncio
import ipaddress
from urllib.parse import SplitResult, urlsplit

import aiohttp
import discord
import yarl

from bot.faults import Stopped
from bot.texts import Texts

DISCORD = frozenset({"discord.com", "canary.discord.com", "ptb.discord.com"})
ANSWER_SECONDS = 10.0


async def aim(api: str | None, texts: Texts) -> None:
    """Point discord.py at *api*, which ends in ``/api/v10``; None and Discord's own change nothing.

    Must run before the client is built: discord.py keeps its addresses on classes.

    Raises:
        Stopped: The address is malformed, neither Discord's nor this machine's, or it does not answer.
    """
    if api is None:
        return
    parts = _split(api, texts)
    if parts.scheme == "https" and parts.hostname in DISCORD:
        return
    if parts.scheme not in {"http", "https"} or not loopback(parts.hostname):
        raise Stopped(texts("stop.foreign_api", api=api))
    base = api.rstrip("/")
    gateway = await _gateway(base, texts)
    if not loopback(_split(gateway, texts).hostname):
        raise Stopped(texts("stop.foreign_api", api=gateway))
    discord.http.Route.BASE = base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    discord.asset.Asset.BASE = f"{parts.scheme}://{parts.netloc}/cdn"


def loopback(host: str | None) -> bool:
    """True if *host* names this machine, whatever a name server says."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(address: str, texts: Texts) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # looked at only now
    except ValueError:  # brackets without an end, a port that is no number, letters that look like others
        raise Stopped(texts("stop.malformed_api", api=address)) from None
    return parts


async def _gateway(base: str, texts: Texts) -> str:
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            aiohttp.ClientSession() as session,
            session.get(f"{base}/gateway") as answer,
        ):
            answer.raise_for_status()
            found = await answer.json()
        return str(found["url"])
    except (aiohttp.ClientError, OSError, TimeoutError, LookupError, TypeError, ValueError) as error:
        raise Stopped(
            texts("stop.unreachable", api=base, reason=error or "no answer"), passing=True
        ) from error
