"""`/info`: what you have made and have under way."""

from collections.abc import Iterator

from discord import app_commands
from discord.ext import commands

from bot import echo, panel, render
from bot.answers import Interaction, guarded, membership_of, privately, texts_of
from bot.commands.scope import everywhere
from bot.origin import origin_of
from bot.outlet import Outlet
from bot.preferences import Preferences
from bot.render import Card, Letter
from bot.settings import Settings
from bot.texts import Texts
from parser import Speed
from worker.accounts import Account
from worker.api import JobDesk, JobId, JobNotFound, Usage

WORDS = Texts()
GREEN = 0x00FF00
LANES = (Speed.FAST, Speed.RELAX, Speed.TURBO)


class InfoCommand(commands.Cog):
    """Tells usage."""

    def __init__(self, *, desk: JobDesk, settings: Settings, outlet: Outlet) -> None:
        self._desk = desk
        self._settings = settings
        self._outlet = outlet

    @app_commands.command(name="info", description=WORDS("command.info"))
    @everywhere
    async def info(self, interaction: Interaction) -> None:
        """Tell what the person has made and has under way."""
        await guarded(interaction, lambda: self._info(interaction))

    async def _info(self, interaction: Interaction) -> None:
        usage = await self._desk.usage(interaction.user.id)
        account = await self._desk.account(interaction.user.id, membership_of(interaction))
        preferences = await self._settings.people.preferences(interaction.user.id)
        links = [await self._link(job_id) for job_id in usage.running]
        texts = texts_of(interaction)
        card = Card(
            texts("info.title", name=interaction.user.name),
            "\n".join(lines(account, usage, links, preferences, texts)),
            GREEN,
        )
        await privately(interaction, Letter(card=card))

    async def _link(self, job_id: JobId) -> str:
        post = await self._settings.post(job_id)
        try:
            origin = origin_of(await self._desk.get(job_id))
        except JobNotFound:
            origin = None
        if post is None or post.progress_id is None or origin is None:
            return f"`{job_id}`"
        return self._outlet.link(origin, post.progress_id)


def lines(
    account: Account, usage: Usage, links: list[str], preferences: Preferences, texts: Texts
) -> list[str]:
    """Return the lines of the profile, in Midjourney's order; lanes never used are left out.

    So are allowances that do not hold.
    """
    total = sum(usage.pictures.values())
    spent = sum(usage.seconds.values())
    used = [lane for lane in LANES if usage.pictures.get(lane, 0)]
    waiting = [lane for lane in LANES if lane is not Speed.TURBO or usage.queued.get(lane, 0)]
    return [
        texts("info.user", user_id=account.owner_id),
        texts("info.mode", mode=render.mode(preferences.speed or Speed.FAST, texts).capitalize()),
        texts("info.visibility"),
        *_preferred(preferences, texts),
        *_credits(account, texts),
        texts("info.lifetime", pictures=_images(total, texts), time=_time(spent)),
        *(
            texts(
                "info.lane",
                mode=render.mode(lane, texts).capitalize(),
                pictures=_images(usage.pictures[lane], texts),
                time=_time(usage.seconds.get(lane, 0.0)),
            )
            for lane in used
        ),
        "",
        *(texts("info.queued", mode=lane.value, n=usage.queued.get(lane, 0)) for lane in waiting),
        texts("info.running", jobs=" ".join(links) or texts("info.none")),
    ]


def _preferred(preferences: Preferences, texts: Texts) -> Iterator[str]:
    """Yield what the person prefers; what is as usual is left out."""
    if preferences.suffix:
        yield texts("info.suffix", suffix=echo.unticked(preferences.suffix))
    settings = panel.summary(preferences, texts)
    if settings:
        yield texts("info.settings", settings=settings)
    if preferences.options:
        yield texts("info.options", options=" ".join(f"`--{name}`" for name in preferences.options))
    if preferences.auto_dm:
        yield texts("info.auto_dm")


def _images(number: int, texts: Texts) -> str:
    return texts("info.image" if number == 1 else "info.images", n=number)


def _credits(account: Account, texts: Texts) -> Iterator[str]:
    for whose, uses in (("person", account.person), ("server", account.server)):
        for window, use in uses.items():
            if use.allowed is not None:
                facts = {"left": render.number(use.left or 0), "allowed": render.number(use.allowed)}
                yield texts(f"info.credits.{whose}.{window}", **facts)
    if account.granted:
        yield texts("info.credits.granted", granted=render.number(account.granted))


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.2f} hours" if seconds >= 360 else f"{seconds / 60:.1f} minutes"  # noqa: PLR2004
