"""Where orders and results pass moderation."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Protocol

from pydantic import Field

from bot.faults import BotCode, BotError
from bot.moderation.lists import Lists, shipped
from bot.moderation.records import Gate, Records, Refusal, RefusalState, Strike
from bot.moderation.rules import Outcome, Rules, Ruling, Sanctions, ruling, strictest
from bot.moderation.servers import Server, Servers
from bot.moderation.verdict import Verdict, explain
from bot.origin import Origin, Reach, Veil
from parser import ImagineRequest, canonical
from worker.api import Category, Frozen, Imagine, Job, JobDesk, Order


class PromptGate(Protocol):
    """Tells what a prompt is about, in time linear in its length; no I/O."""

    def __call__(self, text: str, lists: Sequence[Lists], *, without: Sequence[str]) -> Verdict:
        """Return what *text*, of which *without* is to be absent, touches by a server's *lists*."""
        ...


class Settings(Frozen):
    """What the operator decides for all servers."""

    rules: Rules = Field(default_factory=Rules)
    sanctions: Sanctions = Sanctions()
    screen: bool = False  # whether workers look at the meaning of prompts


class PromptRefused(Exception):  # noqa: N818 - an answer, worded by `bot.moderation.letters`
    """Nothing was queued.

    Attributes:
        refusal: As stored.
        appeals: Whether the server has a place for appeals.
    """

    def __init__(self, refusal: Refusal, *, appeals: bool) -> None:
        super().__init__(refusal.id)
        self.refusal = refusal
        self.appeals = appeals


def asked_for(request: ImagineRequest) -> str:
    """Return what shall be seen: every part but those of negative weight."""
    return " ".join(part.text for part in request.parts if part.weight >= 0)


def fingerprint(request: ImagineRequest) -> str:
    """Return what makes two prompts the same prompt: their words and pictures, whatever the parameters.

    Of a picture's address what follows its path does not count: Discord signs a link anew each day.
    """
    named = [image.url for image in request.images]
    named += [str(each.source) for each in request.sref or () if each.kind == "url"]
    pictures = [address.partition("?")[0] for address in named]
    words = " ".join((asked_for(request), *request.negative, *pictures)).split()
    return blake2b(" ".join(words).encode(), digest_size=16).hexdigest()


class Moderation:
    """Looks at orders before they are queued and at results before they are shown."""

    def __init__(
        self,
        *,
        records: Records,
        servers: Servers,
        desk: JobDesk,
        settings: Settings,
        clock: Callable[[], float],
        gate: PromptGate = explain,
    ) -> None:
        """Load the shipped lists, which takes half a second, and put the parts together."""
        self.records = records
        self.servers = servers
        self._desk = desk
        self._settings = settings
        self._clock = clock
        self._gate = gate
        self._shipped = shipped()
        self._known: dict[int, Server] = {}

    async def examine(self, order: Order, origin: Origin, user_id: int) -> Origin:
        """Return *origin* as the order may go on: covered, private, or as it was.

        Raises:
            PromptRefused: It may not; the refusal is stored.
            BotError: ``MODERATION_TIMEOUT``.
            JobNotFound: Its source is unknown.
        """
        now = self._clock()
        if isinstance(order, Imagine):
            source, request = None, order.request
        else:
            source = await self._desk.get(order.source)
            request = source.request
        guild_id = origin.guild_id or 0
        sanctions = self._settings.sanctions
        reach_back = sanctions.since(now) - sanctions.hours * 3600
        person = await self.records.person(guild_id, origin.channel_id, user_id, reach_back)
        if person.adult:
            origin = origin.model_copy(update={"nsfw": True})
        until = self._latest(person.strikes, person.kept)
        if until is not None:
            raise BotError(BotCode.MODERATION_TIMEOUT, until=int(until))
        server = await self._server(guild_id, person.version)
        verdict = self._gate(asked_for(request), (self._shipped, server.lists), without=request.negative)
        ruled = ruling(verdict, server.rules, nsfw=origin.nsfw)
        pardon = self._inherited(source, user_id)
        if pardon is None and (ruled.outcome.refuses or self._settings.screen) and not ruled.final:
            refusal = self._refusal(ruled, origin, user_id, request)
            pardon = await self.records.take_pardon(refusal, origin.job_key, now)
        if pardon is not None and not ruled.final:
            return origin.model_copy(update={"pardon": pardon})
        if ruled.outcome.refuses:
            raise await self._refused(ruled, origin, user_id, request, server)
        if self._settings.screen:
            watched = server.rules.watched(nsfw=origin.nsfw)
            if watched:
                await self.records.screen(origin.job_key, watched, now)
        return veiled(origin, ruled.outcome)

    async def abandoned(self, origin: Origin) -> None:
        """Give back a pardon: the order was not accepted after all."""
        await self.records.return_pardon(origin.job_key)

    async def shown_as(self, job: Job, origin: Origin | None) -> Outcome:
        """Return how the result of *job* may be shown: by its prompt's veil and its pictures' scores."""
        score = await self.records.score(job.id)
        guild_id = 0 if origin is None else origin.guild_id or 0
        nsfw = origin is not None and origin.nsfw
        rules = (await self.servers.server(guild_id, self._settings.rules)).rules
        by_veil = Outcome.ALLOW if origin is None else _BY_VEIL[origin.veil]
        if origin is not None and origin.pardon is not None:
            return by_veil
        return strictest((by_veil, rules.for_picture(score, nsfw=nsfw)))

    async def screened_out(self, job: Job, origin: Origin) -> PromptRefused:
        """Return the refusal of a job whose prompt a worker found too near to what is refused."""
        category = await self.records.screened_out(origin.job_key) or Category.SEXUAL
        server = await self.servers.server(origin.guild_id or 0, self._settings.rules)
        outcome = server.rules.outcome(category, nsfw=origin.nsfw)
        ruled = Ruling(outcome=outcome, category=category)
        return await self._refused(ruled, origin, job.owner_id, job.request, server, gate=Gate.MEANING)

    async def explain(self, guild_id: int, text: str) -> tuple[Verdict, Rules]:
        """Return what a server's lists find in *text*, and its rules."""
        server = await self.servers.server(guild_id, self._settings.rules)
        return self._gate(text, (self._shipped, server.lists), without=()), server.rules

    async def rules(self, guild_id: int) -> Rules:
        """Return a server's rules."""
        return (await self.servers.server(guild_id, self._settings.rules)).rules

    def timeout_of(self, strikes: Sequence[Strike], kept: float | None) -> float | None:
        """Return when the timeout ends that *strikes* led to, or that was *kept*; None if none is on."""
        return self._latest([strike.at for strike in strikes if strike.forgiven_by is None], kept)

    def _latest(self, strikes: Sequence[float], kept: float | None) -> float | None:
        until = max(self._settings.sanctions.timeout_until(strikes) or 0.0, kept or 0.0)
        return until if until > self._clock() else None

    async def _server(self, guild_id: int, version: int) -> Server:
        known = self._known.get(guild_id)
        if known is None or known.version != version:
            known = self._known[guild_id] = await self.servers.server(guild_id, self._settings.rules)
        return known

    @staticmethod
    def _inherited(source: Job | None, user_id: int) -> str | None:
        """Return the pardon under which the source was drawn for the same person."""
        if source is None or source.owner_id != user_id:
            return None
        return Origin.pardon_in(source.origin)

    async def _refused(
        self,
        ruled: Ruling,
        origin: Origin,
        user_id: int,
        request: ImagineRequest,
        server: Server,
        *,
        gate: Gate = Gate.WORDS,
    ) -> PromptRefused:
        refusal = self._refusal(ruled, origin, user_id, request, gate=gate)
        stored = await self.records.refuse(refusal, strike=ruled.outcome is Outcome.STRIKE)
        return PromptRefused(stored, appeals=server.rules.moderators_channel_id is not None)

    def _refusal(
        self,
        ruled: Ruling,
        origin: Origin,
        user_id: int,
        request: ImagineRequest,
        *,
        gate: Gate = Gate.WORDS,
    ) -> Refusal:
        final = ruled.final or origin.guild_id is None
        return Refusal(
            id=str(origin.interaction_id),
            guild_id=origin.guild_id or 0,
            channel_id=origin.channel_id,
            user_id=user_id,
            locale=origin.locale,
            category=ruled.category or Category.SEXUAL,
            gate=gate,
            prompt=canonical(request),
            fingerprint=fingerprint(request),
            created_at=self._clock(),
            state=RefusalState.FINAL if final else RefusalState.REFUSED,
        )


_BY_VEIL = {Veil.NONE: Outcome.ALLOW, Veil.SPOILER: Outcome.SPOILER, Veil.PRIVATE: Outcome.PRIVATE}


def veiled(origin: Origin, outcome: Outcome) -> Origin:
    """Return *origin* with what *outcome*, no refusal, asks for.

    A private result goes through the interaction's token, as messages that nobody else sees. In a direct
    message with the bot nobody else is there.
    """
    if outcome is Outcome.SPOILER:
        return origin.model_copy(update={"veil": Veil.SPOILER})
    if outcome is Outcome.PRIVATE and (origin.guild_id is not None or origin.reach is Reach.TOKEN):
        return origin.model_copy(update={"veil": Veil.PRIVATE, "reach": Reach.TOKEN})
    return origin
