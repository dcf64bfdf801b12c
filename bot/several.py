"""Which jobs one command asks for, each with everything its author prefers. Pure."""

from dataclasses import dataclass

from bot.faults import BotCode, BotError
from bot.preferences import NONE, Preferences, Whence, Whole, pieces, whole
from parser import BATCH_LIMIT, Closed, ImagineRequest, PromptErrors, Speed, read_batch
from parser.permutations import template

OPEN = Closed()


@dataclass(frozen=True, slots=True)
class Planned:
    """One job to be."""

    wanted: Whole
    request: ImagineRequest


class Misread(Exception):  # noqa: N818 - an answer, worded by `bot.errors`
    """The command cannot be understood.

    Attributes:
        errors: What is wrong.
        wanted: The prompt that *errors* are about.
        complete: Whether everything preferred is in it, so that nothing may be added when it is put right.
        fixable: Whether what is suggested stands for the whole command.
    """

    def __init__(
        self, errors: PromptErrors, wanted: Whole, *, complete: bool = True, fixable: bool = True
    ) -> None:
        super().__init__(str(errors))
        self.errors = errors
        self.wanted = wanted
        self.complete = complete
        self.fixable = fixable


def understood(
    prompt: str, preferences: Preferences = NONE, *, limit: int = BATCH_LIMIT, closed: Closed = OPEN
) -> tuple[Planned, ...]:
    """Return the jobs that *prompt* asks for, at most *limit*; each is completed by itself.

    Raises:
        Misread: It cannot be understood, makes too many, or several of them wait in relax.
        BotError: ``BATCH_TOO_LARGE`` or ``BATCH_RELAX``, where no place of the prompt is the reason.
    """
    found = template(prompt)
    if found.count == 1:
        wanted = whole(prompt, preferences)
        try:
            return _planned(wanted, limit, closed)
        except PromptErrors as error:
            raise Misread(error, wanted) from None
    if found.count > limit:
        _blame(prompt, preferences, limit, closed)
    jobs: list[Planned] = []
    for index in range(min(found.count, limit + 1)):
        wanted = whole(found.prompt(index).text, preferences)
        try:
            jobs += _planned(wanted, limit, closed)
        except PromptErrors as error:
            if not _uses_own(wanted):
                _blame(prompt, preferences, limit, closed)
            raise Misread(error, wanted, fixable=False) from None
    _check(prompt, preferences, jobs, limit)
    return tuple(jobs)


def _planned(wanted: Whole, limit: int, closed: Closed) -> tuple[Planned, ...]:
    requests = read_batch(wanted.prompt, closed, limit=limit).prompts
    return tuple(Planned(wanted, request) for request in requests)


def _check(prompt: str, preferences: Preferences, jobs: list[Planned], limit: int) -> None:
    relaxed = any(job.request.speed is Speed.RELAX for job in jobs)
    if len(jobs) <= limit and not relaxed:
        return
    if not any(_uses_own(job.wanted) for job in jobs):
        _blame(prompt, preferences, limit, OPEN)
    if relaxed:
        raise BotError(BotCode.BATCH_RELAX)
    raise BotError(BotCode.BATCH_TOO_LARGE, jobs=len(jobs), limit=limit)


def _blame(prompt: str, preferences: Preferences, limit: int, closed: Closed) -> None:
    """Raise what is wrong with the prompt as it was typed, if that is where it is wrong."""
    try:
        read_batch(prompt, closed, limit=limit, lane=_lane(preferences))
    except PromptErrors as error:
        raise Misread(error, Whole(prompt), complete=False) from None


def _lane(preferences: Preferences) -> Speed | None:
    """Return the lane of prompts that name none."""
    names = {piece.row.name for piece in pieces(preferences.suffix) if piece.row is not None}
    return next((speed for speed in Speed if speed in names), preferences.speed)


def _uses_own(wanted: Whole) -> bool:
    return any(part.whence is Whence.OPTION for part in wanted.added)
