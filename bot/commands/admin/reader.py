"""Fetches the page of a list that somebody asked for."""

from enum import StrEnum
from typing import TypeVar

from bot.commands.admin import machine, pages, record
from bot.commands.admin.pages import LINES, ChannelKind, Sheet
from bot.commands.admin.window import Page
from bot.texts import Texts
from parser import Speed
from worker.accounts import Whose
from worker.admin import AdminDesk, RestrictionKind
from worker.api import Category, JobState, Membership
from worker.deeds import Rank, Verb, Which

Kind = TypeVar("Kind", bound=StrEnum)

# Filters, as `Page` carries them.
LANE, STATE, PERSON, CATEGORY, GROUP, KIND, RANK = "l", "s", "p", "c", "g", "k", "r"


class Reader:
    """Reads for `/admin`. Filters that mean nothing narrow nothing: they come from a `custom_id`."""

    def __init__(self, office: AdminDesk) -> None:
        self._office = office

    async def sheet(self, page: Page, *, guild_id: int, home: bool, texts: Texts) -> Sheet:  # noqa: PLR0911 - a table
        """Return what *page* shows in a server; *home* says whether it may see what all servers share."""
        cut = {"skip": page.number * LINES, "limit": LINES}
        seen = None if home else guild_id
        match page.verb:
            case Verb.QUEUE_SHOW:
                found = await self._office.jobs(_which(page), _one(JobState, page.filters.get(STATE)), **cut)
                return pages.queue(await self._office.queue(), found.lines, found.total, texts)
            case Verb.QUOTA_SHOW:
                return await self._quota(page, guild_id, texts)
            case Verb.USER_SHOW:
                person = _number(page.filters.get(PERSON))
                if person is not None:
                    return pages.person(await self._office.person(person), texts)
                kind = _one(RestrictionKind, page.filters.get(KIND))
                return pages.restricted(*await self._office.restricted(kind, **cut), texts)
            case Verb.ROLE_LIST:
                rank = _one(Rank, page.filters.get(RANK))
                return pages.roles(await self._office.powers(guild_id), rank, page.number, texts)
            case Verb.CHANNEL_LIST:
                return await self._channels(page, guild_id, seen, texts)
            case Verb.WORDS_LIST:
                category = _one(Category, page.filters.get(CATEGORY))
                return pages.words(*await self._office.words(guild_id, category, **cut), texts)
            case Verb.MODELS_LIST:
                return machine.models(await self._office.models(), page.number, texts)
            case Verb.AUDIT:
                group, person = page.filters.get(GROUP, ""), _number(page.filters.get(PERSON))
                entries = await self._office.audit(seen, group, person=person, **cut)
                return record.audit(*entries, texts)
            case _:
                return machine.status(await self._office.status(), page.number, texts)

    async def _channels(self, page: Page, guild_id: int, seen: int | None, texts: Texts) -> Sheet:
        view = await self._office.channels(guild_id)
        missed = 0
        if view.log_channel_id is not None:
            _, missed = await self._office.audit(seen, after=view.posted, limit=1)
        return pages.channels(view, _one(ChannelKind, page.filters.get(KIND)), missed, page.number, texts)

    async def _quota(self, page: Page, guild_id: int, texts: Texts) -> Sheet:
        person = _number(page.filters.get(PERSON))
        if person is not None:
            account = await self._office.account(person, Membership(guild_id=guild_id))
            return pages.account(account, texts)
        only = _one(Whose, page.filters.get(KIND))
        said = [
            (whose, subject, allowance)
            for whose in Whose
            if only in {None, whose}
            for subject, allowance in sorted((await self._office.allowances(whose)).items())
        ]
        first = page.number * LINES
        return pages.allowances(said[first : first + LINES], len(said), texts)


def _which(page: Page) -> Which:
    return Which(owner_id=_number(page.filters.get(PERSON)), speed=_one(Speed, page.filters.get(LANE)))


def _number(text: str | None) -> int | None:
    known = text is not None and text.isdecimal() and 0 < int(text) < 2**63
    return int(text) if known and text is not None else None


def _one(kind: type[Kind], text: str | None) -> Kind | None:
    return kind(text) if text in set(kind) else None
