"""The options that several subcommands share, and what is typed into them."""

import re
from uuid import UUID

import discord
from discord import app_commands

from bot.commands.admin.pages import ChannelKind
from bot.faults import BotCode, BotError
from bot.texts import Texts
from parser import Speed
from worker.accounts import Whose
from worker.admin import RestrictionKind
from worker.api import Category, JobId, JobNotFound, JobState
from worker.deeds import Rank

WORDS = Texts()
DAYS = 400  # the longest timeout
_LENGTH = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

LANES = [app_commands.Choice(name=lane.value, value=lane.value) for lane in Speed]
STATES = [app_commands.Choice(name=state.value, value=state.value) for state in JobState]
RANKS = [app_commands.Choice(name=rank.value, value=rank.value) for rank in Rank]
CATEGORIES = [
    app_commands.Choice(name=category.value.replace("_", " "), value=category.value) for category in Category
]
RESTRICTIONS = [app_commands.Choice(name=kind.value, value=kind.value) for kind in RestrictionKind]
CHANNELS = [app_commands.Choice(name=kind.value, value=kind.value) for kind in ChannelKind]
WHOSE = [app_commands.Choice(name=whose.value, value=whose.value) for whose in Whose]
Person = discord.User | discord.Member


def job_id_of(typed: str) -> JobId:
    """Return the job somebody means.

    Raises:
        JobNotFound: That is no id.
    """
    try:
        return JobId(str(UUID(typed.strip())))
    except ValueError:
        raise JobNotFound(JobId(typed[:40])) from None


def seconds_of(typed: str) -> float:
    """Return a length of time such as ``90m``, ``12h``, ``3d`` or ``1d 12h`` in seconds.

    Raises:
        BotError: ``NOT_A_TIME``.
    """
    text = typed.strip().casefold()
    parts = _LENGTH.findall(text)
    seconds = sum(int(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if _LENGTH.sub("", text).strip() or not 0 < seconds <= DAYS * 86400:
        raise BotError(BotCode.NOT_A_TIME, typed=typed[:40].replace("`", ""))
    return float(seconds)


def filled(**filters: object) -> dict[str, str]:
    """Return what was said, by the letters under which a page carries it."""
    return {name: str(value) for name, value in filters.items() if value is not None}
