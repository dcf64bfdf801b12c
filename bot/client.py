"""The bot: discord.py's client with everything it needs handed in."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import structlog
from discord.ext import commands

from bot.answers import guarded, stored, texts_for
from bot.authority import Authority
from bot.bag import Bag
from bot.buttons import Buttons, is_press
from bot.coach import Coach
from bot.commands.admin.clerk import Clerk
from bot.commands.admin.command import AdminCommand
from bot.commands.admin.window import PREFIX as ADMIN_PREFIX
from bot.commands.coach import CoachCommand
from bot.commands.help import HelpCommand
from bot.commands.imagine import ImagineCommand
from bot.commands.info import InfoCommand
from bot.commands.menus import Menus
from bot.commands.moderation import ModerationCommand
from bot.commands.prefer import PreferCommand, SettingsCommand
from bot.commands.privacy import PrivacyCommand
from bot.commands.show import ShowCommand
from bot.completion import Completion
from bot.courier import Courier
from bot.doorman import Doorman
from bot.facts import NOTHING, Facts
from bot.faults import Stopped
from bot.herald import Herald
from bot.job_actions import JobActions
from bot.modals import edited
from bot.moderation.appeals import Appeals
from bot.moderation.gate import Moderation
from bot.orders import Orders
from bot.outlet import Outlet
from bot.pace import Pace
from bot.postman import Postman
from bot.prefer import Prefer
from bot.privacy import Privacy
from bot.reactions import Reactions
from bot.reconnecting import bound_pauses
from bot.settings import Settings
from bot.texts import Texts
from bot.tree import Tree
from worker.admin import AdminDesk
from worker.api import JobDesk
from worker.privacy import PrivacyDesk

log = structlog.get_logger()

ANSWER_SECONDS = 1.0  # for answers under way when the bot is to stop
ANSWERING = ("discord.py: on_", "CommandTree-invoker", "announcing ")  # what tasks that answer are called
HANDSHAKE_SECONDS = (1, 2, 5, 10, 30)  # waits between attempts while the gateway is away at the start


def intents() -> discord.Intents:
    """Return the fewest that work: servers and reactions; nothing privileged."""
    return discord.Intents(guilds=True, guild_reactions=True, dm_reactions=True)


def library(trace: aiohttp.TraceConfig | None) -> dict[str, Any]:
    """Return what discord.py's client is built with; *trace* is told of every call to Discord."""
    return {
        "command_prefix": (),  # there are no text commands
        "http_trace": aiohttp.TraceConfig() if trace is None else trace,
        "help_command": None,
        "tree_cls": Tree,
        "intents": intents(),
        "allowed_mentions": discord.AllowedMentions.none(),
        "max_messages": None,  # no message is looked at later
        "chunk_guilds_at_startup": False,
        "member_cache_flags": discord.MemberCacheFlags.none(),
        "guild_ready_timeout": 0.2,  # nothing here needs every server before it can begin
    }


class Journeyman(commands.Bot):
    """The Discord side of Journeyman.

    Building it connects nothing. `serve` is its life; `bot.endpoint.aim` must have run before it is built
    if it talks to a local Discord.

    Args:
        desk: Where orders go.
        settings: What the bot remembers.
        clock: Tells Unix seconds.
        pace: How fast it does things.
        trace: Told of every call to Discord.
        moderation: Looks at prompts and results; None for none.
        office: Where admins' deeds go; None for no `/admin`.
        home: Servers whose admins may change what all servers share; none: the only one there is.
        confidant: Knows what is held about people; None for no `/privacy`.
        facts: What the machine can do and what that costs; may be replaced while the bot serves.
    """

    def __init__(
        self,
        desk: JobDesk,
        settings: Settings,
        *,
        clock: Callable[[], float],
        pace: Pace | None = None,
        trace: aiohttp.TraceConfig | None = None,
        moderation: Moderation | None = None,
        office: AdminDesk | None = None,
        home: frozenset[int] = frozenset(),
        confidant: PrivacyDesk | None = None,
        facts: Facts = NOTHING,
    ) -> None:
        super().__init__(**library(trace))
        pace = Pace() if pace is None else pace
        self._settings, self.facts = settings, facts
        outlet = Outlet(self, call_seconds=pace.call)
        shared: dict[str, Any] = dict(desk=desk, settings=settings, clock=clock, moderation=moderation)  # noqa: C408 - as arguments
        self.courier = Courier(Bag(outlet=outlet, texts=texts_for, pace=pace, **shared))
        doorman = None if office is None else Doorman(office)
        orders = Orders(
            courier=self.courier, outlet=outlet, pace=pace, doorman=doorman, facts=self._known, **shared
        )
        self._bulk = orders.bulk
        job_actions = JobActions(desk=desk, settings=settings, outlet=outlet, moderation=moderation)
        authority = None if office is None else Authority(office, home=home)
        self._appeals = None
        if moderation is not None:
            self._appeals = Appeals(moderation, authority=authority, outlet=outlet, clock=clock)
            self.tree.add_command(ModerationCommand(moderation, authority=authority, clock=clock))
        privacy = None if confidant is None else self._confiding(confidant, outlet, moderation, clock)
        prefer = Prefer(settings.people, desk=desk, outlet=outlet, facts=self._known)
        self.tree.add_command(PreferCommand(prefer))
        coach, completion = Coach(orders, self._known), Completion(settings.people, self._known)
        self._buttons = Buttons(
            orders=orders,
            job_actions=job_actions,
            settings=settings,
            appeals=self._appeals,
            privacy=privacy,
            prefer=prefer,
            coach=coach,
        )
        self._reactions = Reactions(self, desk=desk, settings=settings, job_actions=job_actions)
        self._menus = Menus(job_actions=job_actions, settings=settings)
        self._cogs_to_add: tuple[commands.Cog, ...] = (
            ImagineCommand(orders, completion),
            CoachCommand(coach, completion),
            ShowCommand(outlet=outlet, **shared),
            InfoCommand(desk=desk, settings=settings, outlet=outlet),
            HelpCommand(self._known),
            SettingsCommand(prefer),
        )
        self._courier_task: asyncio.Task[None] | None = None
        self._clerk: Clerk | None = None
        self._messengers: tuple[Herald, Postman] | tuple[()] = ()
        if office is not None and authority is not None:
            self._clerk = self._governed(office, authority, outlet, moderation)
            self._messengers = self._messaging(office, outlet, home, pace, clock)

    def _governed(
        self, office: AdminDesk, authority: Authority, outlet: Outlet, moderation: Moderation | None
    ) -> Clerk:
        """Offer `/admin`, and return who acts on its buttons."""
        clerk = Clerk(office, authority)
        self.tree.add_command(AdminCommand(clerk, office=office, outlet=outlet, moderation=moderation))
        return clerk

    def _messaging(
        self,
        office: AdminDesk,
        outlet: Outlet,
        home: frozenset[int],
        pace: Pace,
        clock: Callable[[], float],
    ) -> tuple[Herald, Postman]:
        """Return who posts what comes from those who run the bot."""
        texts = texts_for("en-US")
        herald = Herald(self, office, home=home, texts=texts, pace=pace, clock=clock)
        return herald, Postman(self, office, outlet=outlet, texts=texts, pace=pace, clock=clock)

    def _known(self) -> Facts:
        return self.facts

    def _confiding(
        self,
        confidant: PrivacyDesk,
        outlet: Outlet,
        moderation: Moderation | None,
        clock: Callable[[], float],
    ) -> Privacy:
        """Offer `/privacy`, and return who acts on its buttons."""
        records = None if moderation is None else moderation.records
        privacy = Privacy(confidant, settings=self._settings, records=records, outlet=outlet, clock=clock)
        self.tree.add_command(PrivacyCommand(privacy))
        return privacy

    async def setup_hook(self) -> None:
        """Offer the commands and start the courier, before the gateway is up."""
        for cog in self._cogs_to_add:
            await self.add_cog(cog)
        self._menus.add_to(self.tree)
        assert isinstance(self.tree, Tree)  # noqa: S101 - tells mypy what the constructor asked for
        assert self.application_id is not None  # noqa: S101 - known after the login
        await self.tree.sync_if_changed(self._settings, self.application_id)
        self.start_courier()

    def start_courier(self) -> None:
        """Let the courier work until the bot closes; its end is the bot's."""
        self._courier_task = asyncio.create_task(self._posts(), name="courier")

    async def _posts(self) -> None:
        """Post results, the audit log where a server wants it, and what admins wrote outside Discord."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.courier.run(), name="courier")
            for messenger in self._messengers:
                group.create_task(messenger.run(), name=type(messenger).__name__)

    async def on_ready(self) -> None:
        """Say that the bot is there, and tell what an earlier life could not."""
        log.info("ready", action="ready", user=str(self.user), guilds=len(self.guilds))
        if self._appeals is not None:
            with stored():
                await self._appeals.resume()
        with stored():
            await self._bulk.resume()

    async def on_interaction(self, interaction: discord.Interaction[discord.Client]) -> None:
        """Act on presses and forms; commands go through the tree."""
        if interaction.type is discord.InteractionType.modal_submit and interaction.data is not None:
            form = edited(interaction.data)
            if form is not None:
                await guarded(interaction, lambda: self._buttons.edited(interaction, *form))
            return
        if is_press(interaction) and interaction.data is not None:
            custom_id = str(interaction.data.get("custom_id", ""))
            if self._clerk is not None and custom_id.startswith(ADMIN_PREFIX):
                clerk = self._clerk
                await guarded(interaction, lambda: clerk.press(interaction, custom_id))
                return
            await guarded(interaction, lambda: self._buttons.press(interaction, custom_id))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Act on reactions."""
        await self._reactions.reacted(event)

    async def serve(self, token: str) -> None:
        """Work until cancelled or closed.

        Raises:
            Stopped: It cannot go on; the message is a sentence for the operator.
        """
        texts = texts_for("en-US")
        try:
            async with self:
                try:
                    await self.login(token)
                    await self._work()
                finally:
                    await self._finish_answers()
                    await self._end_courier()
        except discord.LoginFailure as error:
            raise Stopped(texts("stop.bad_token")) from error
        except discord.PrivilegedIntentsRequired as error:
            raise Stopped(texts("stop.intents")) from error
        except discord.ConnectionClosed as error:
            raise _closed(error, texts) from error

    async def _work(self) -> None:
        """Stay connected until the courier ends.

        Raises:
            Stopped: The courier broke.
        """
        connecting = asyncio.create_task(self._connect(), name="gateway")
        work = {connecting} if self._courier_task is None else {connecting, self._courier_task}
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not connecting.done():
                connecting.cancel()
                await asyncio.wait({connecting})
        if not connecting.cancelled():
            connecting.result()
        if self._courier_task is not None and self._courier_task.done():
            failure = self._courier_task.exception()
            reason = "" if failure is None else _innermost(failure)
            raise Stopped(texts_for("en-US")("stop.courier", reason=reason), passing=True) from failure

    async def _connect(self) -> None:
        """Connect and stay so, where discord.py gives up.

        A gateway that is away at the very first handshake ends it with an `AttributeError`, and a connection
        lost in the middle of any handshake with an `AssertionError` of aiohttp's.
        """
        bound_pauses()
        for seconds in (*HANDSHAKE_SECONDS, None):
            try:
                await self.connect()
            except (AttributeError, AssertionError) as error:
                handshaken: object = self.ws  # None until then, whatever its annotation says
                expected = isinstance(error, AssertionError) or handshaken is None
                if not expected or seconds is None:
                    raise
                log.warning("gateway away", action="gateway_away", retry_seconds=seconds)
                await asyncio.sleep(seconds)
            else:
                return

    async def _finish_answers(self) -> None:
        """Let who was just heard have their answer, for a moment, while there is still a way to Discord."""
        answering = {
            task
            for task in asyncio.all_tasks()
            if task is not asyncio.current_task() and task.get_name().startswith(ANSWERING)
        }
        if answering:
            _, late = await asyncio.wait(answering, timeout=ANSWER_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _end_courier(self) -> None:
        if self._courier_task is not None:
            self._courier_task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._courier_task


def _closed(error: discord.ConnectionClosed, texts: Texts) -> Stopped:
    if error.code in {4004, 4013, 4014}:
        return Stopped(texts("stop.bad_token" if error.code == 4004 else "stop.intents"))  # noqa: PLR2004
    return Stopped(texts("stop.unreachable", api="the gateway", reason=error), passing=True)


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
