"""What Prometheus is told about Discord: calls, refusals, rate limits, answers and the gateway."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Collection
from http import HTTPStatus
from types import SimpleNamespace

import aiohttp
import discord
from discord.ext import commands
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ANSWER_SECONDS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # after three Discord takes none
REMEMBERED = 1000  # interactions that were not answered yet

_ANSWER = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
_KINDS = {
    discord.InteractionType.application_command: "command",
    discord.InteractionType.component: "button",
    discord.InteractionType.autocomplete: "autocomplete",
    discord.InteractionType.modal_submit: "modal",
}


class DiscordMetrics:
    """Counts what goes to Discord and how it answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._received: OrderedDict[int, tuple[str, float]] = OrderedDict()
        self._calls = Counter(
            "journeyman_discord_calls", "REST calls, by answer.", ["method", "status"], registry=registry
        )
        self._broken = Counter(
            "journeyman_discord_calls_broken", "REST calls without an answer.", ["method"], registry=registry
        )
        self._limited = Counter(
            "journeyman_discord_rate_limited", "Calls refused as too many.", ["scope"], registry=registry
        )
        self._seconds = Histogram(
            "journeyman_discord_call_seconds", "REST calls.", buckets=CALL_SECONDS, registry=registry
        )
        self._answers = Histogram(
            "journeyman_answer_seconds",
            "From an interaction's arrival until Discord has its first answer.",
            ["kind"],
            buckets=ANSWER_SECONDS,
            registry=registry,
        )
        self._connected = Gauge("journeyman_gateway_connected", "1 while connected.", registry=registry)
        self._latency = Gauge(
            "journeyman_gateway_latency_seconds", "Of the last heartbeat.", registry=registry
        )
        self._lost = Counter("journeyman_gateway_disconnects", "Lost connections.", registry=registry)
        self._unshown = Gauge(
            "journeyman_results_unshown", "Jobs whose messages are not final yet.", registry=registry
        )
        self._servers = Gauge("journeyman_discord_servers", "Servers the bot is in.", registry=registry)

    @property
    def trace(self) -> aiohttp.TraceConfig:
        """What the client is built with; sees every REST call."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begin)
        trace.on_request_end.append(self._end)
        trace.on_request_exception.append(self._break)
        return trace

    def listen(self, client: commands.Bot) -> None:
        """Hear of interactions and of lost connections."""
        client.add_listener(self._on_interaction, "on_interaction")
        client.add_listener(self._on_disconnect, "on_disconnect")

    def refresh(self, client: discord.Client, unfinished: Collection[object]) -> None:
        """Look at the gateway, and at the posts that are not finished."""
        self._unshown.set(len(unfinished))
        connected = is_connected(client)
        self._connected.set(connected)
        self._latency.set(client.latency if connected else 0)
        self._servers.set(len(client.guilds))

    async def _on_interaction(self, interaction: discord.Interaction[discord.Client]) -> None:
        kind = _KINDS.get(interaction.type, "other")
        self._received[interaction.id] = (kind, asyncio.get_running_loop().time())
        if len(self._received) > REMEMBERED:
            self._received.popitem(last=False)

    async def _on_disconnect(self) -> None:
        self._lost.inc()

    async def _begin(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams
    ) -> None:
        context.began = asyncio.get_running_loop().time()

    async def _end(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, call: aiohttp.TraceRequestEndParams
    ) -> None:
        now = asyncio.get_running_loop().time()
        if call.response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return
        self._seconds.observe(now - context.began)
        self._calls.labels(call.method, str(call.response.status)).inc()
        if call.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._limited.labels(call.response.headers.get("X-RateLimit-Scope", "unknown")).inc()
        self._answered(call, now)

    async def _break(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, call: aiohttp.TraceRequestExceptionParams
    ) -> None:
        self._broken.labels(call.method).inc()

    def _answered(self, call: aiohttp.TraceRequestEndParams, now: float) -> None:
        match = _ANSWER.search(call.url.path)
        received = self._received.pop(int(match[1]), None) if match and call.response.ok else None
        if received is not None:
            kind, at = received
            self._answers.labels(kind).observe(now - at)


def is_connected(client: discord.Client) -> bool:
    """Tell whether the gateway is there and Discord has said what servers there are."""
    socket: object = client.ws  # None before the first handshake, whatever its annotation says
    return client.is_ready() and socket is not None and client.ws.open
