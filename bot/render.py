"""A job as a message: words, buttons and file names. Pure.

The grammar of the first line is Midjourney's, and client programs read it::

    **{prompt}** - [{label} ]<@{user}>[ ({progress})][ ({mode})]
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum

from bot import echo
from bot.actions import Action, Verb
from bot.origin import Origin
from bot.texts import Texts
from parser import Speed, canonical
from worker.api import Cell, Job, JobId, JobState, Progress, Standing, Strength, Upscale, Vary

CONTENT_LIMIT = 2000  # characters of a message; more is rejected
RED = 0xED4245
AMBER = 0xF7CB73
COVER = "SPOILER_"  # how the name of a covered file begins, for Discord


class Style(IntEnum):
    """Discord's button styles."""

    BLUE = 1
    GREY = 2
    GREEN = 3
    RED = 4


@dataclass(frozen=True, slots=True)
class Button:
    """One button."""

    custom_id: str
    label: str | None = None
    emoji: str | None = None
    style: Style = Style.GREY


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One thing to choose in a menu."""

    label: str
    value: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """One select menu, a row by itself; exactly one thing is chosen."""

    custom_id: str
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One attachment."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Card:
    """An embed."""

    title: str
    description: str
    color: int = RED
    footer: str = ""


Rows = tuple[tuple[Button | Menu, ...], ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be, independent of any library.

    Attributes:
        content: At most `CONTENT_LIMIT` characters.
        mentions: The one person it may ping, or None for nobody.
        files: What it carries; an edit replaces what was there.
    """

    content: str = ""
    rows: Rows = ()
    card: Card | None = None
    files: tuple[File, ...] = ()
    mentions: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The parts of a job's first line and the small one below."""

    job: Job
    before: str = ""  # "Making variations for image #1 with prompt"
    label: str = ""
    progress: str = ""
    mode: bool = True
    small: str = ""
    rows: Rows = ()
    files: tuple[File, ...] = field(default=())


def letter(line: Line, texts: Texts) -> Letter:
    """Return the message for *line*; a prompt that does not fit is cut and comes whole as ``prompt.txt``."""
    job = line.job
    before = f"{line.before} **" if line.before else "**"
    after = "** - " + (f"{line.label} " if line.label else "") + f"<@{job.owner_id}>"
    if line.progress:
        after += f" ({line.progress})"
    if line.mode:
        after += f" ({mode(job.speed, texts)})"
    if line.small:
        after += f"\n-# {line.small}"
    prompt = canonical(job.request)
    room = CONTENT_LIMIT - echo.units(before) - echo.units(after)
    shown = echo.fitted(prompt, room)
    files = line.files
    if shown != echo.escaped(prompt):
        files = (*files, File("prompt.txt", echo.command(job.request).encode()))
    return Letter(before + shown + after, line.rows, files=files, mentions=job.owner_id)


def waiting(job: Job, standing: Standing | None, texts: Texts) -> Letter:
    """Return what answers an order: the job is in the queue."""
    line = Line(
        job,
        before=_announcement(job, texts),
        progress=texts("progress.waiting"),
        mode=False,
        small=_place(standing, texts),
        rows=cancel_row(job.id, texts),
    )
    return letter(line, texts)


def running(job: Job, progress: Progress | None, texts: Texts, small: str = "") -> Letter:
    """Return the message of a job under way, with its preview."""
    percent = 0 if progress is None else min(99, int(progress.fraction * 100))
    paused = progress is not None and progress.paused
    preview = None if progress is None else progress.preview
    line = Line(
        job,
        label=_label(job, texts, under_way=True),
        progress=texts("progress.paused") if paused else f"{percent}%",
        small=small,
        rows=cancel_row(job.id, texts),
        files=(File(f"{job.id}_grid_0.webp", preview),) if preview else (),
    )
    return letter(line, texts)


def stopped(job: Job, texts: Texts) -> Letter:
    """Return the message of a cancelled job."""
    line = Line(job, _announcement(job, texts), progress=texts("progress.stopped"), mode=False)
    return letter(line, texts)


def failed(job: Job, card: Card, texts: Texts) -> Letter:
    """Return the message of a failed job."""
    plain = letter(Line(job, label=_label(job, texts, under_way=False)), texts)
    again = Button(Action(Verb.REROLL, job.id).custom_id, emoji="🔄")
    return Letter(plain.content, ((again,),), card, plain.files, job.owner_id)


def result(job: Job, picture: File, texts: Texts, small: str = "") -> Letter:
    """Return the message that shows *picture*, the grid or the single picture of *job*."""
    line = Line(
        job,
        label=_label(job, texts, under_way=False),
        mode=not isinstance(job.order, Cell),
        small=small,
        rows=result_rows(job, texts),
        files=(picture,),
    )
    return letter(line, texts)


def covered(letter: Letter) -> Letter:
    """Return *letter* with its pictures behind a click."""
    return replace(letter, files=tuple(map(_covered, letter.files)))


def _covered(file: File) -> File:
    return file if file.name.endswith(".txt") else replace(file, name=COVER + file.name)


def cancel_row(job_id: JobId, texts: Texts) -> Rows:
    """Return the one red button of a job under way."""
    return ((_button(Verb.CANCEL, job_id, texts("button.cancel"), style=Style.RED),),)


def result_rows(job: Job, texts: Texts) -> Rows:
    """Return the buttons under a result; only those that work."""
    match job.order:
        case Cell():
            upscale = _button(Verb.UPSCALE_SUBTLE, job.id, texts("button.upscale"), "upscale")
            return ((upscale,), _vary_row(job.id, texts))
        case Upscale():
            return (_vary_row(job.id, texts),)
        case _:
            again = Button(Action(Verb.REROLL, job.id).custom_id, emoji="🔄")
            numbers = range(1, 5)
            return (
                (*(Button(Action(Verb.UPSAMPLE, job.id, n).custom_id, f"U{n}") for n in numbers), again),
                tuple(Button(Action(Verb.VARIATION, job.id, n).custom_id, f"V{n}") for n in numbers),
            )


def _vary_row(job_id: JobId, texts: Texts) -> tuple[Button, ...]:
    return (
        _button(Verb.VARY_SUBTLE, job_id, texts("button.vary_subtle"), "wand"),
        _button(Verb.VARY_STRONG, job_id, texts("button.vary_strong"), "wand"),
    )


_EMOJI = {"wand": "🪄", "upscale": "🔍"}


def _button(
    verb: Verb, job_id: JobId, label: str, emoji: str | None = None, *, style: Style = Style.GREY
) -> Button:
    return Button(Action(verb, job_id).custom_id, label, _EMOJI[emoji] if emoji else None, style)


def delete_row(job_id: JobId, texts: Texts) -> Rows:
    """Return the offer to delete a job."""
    return ((_button(Verb.DELETE, job_id, texts("button.delete")),),)


def sure_row(job_id: JobId, texts: Texts) -> Rows:
    """Return the confirmation of that offer."""
    return (
        (
            _button(Verb.DELETE_FOR_GOOD, job_id, texts("button.delete_for_good"), style=Style.RED),
            _button(Verb.KEEP, job_id, texts("button.keep")),
        ),
    )


def picture_name(job: Job, origin: Origin | None, extension: str = "png") -> str:
    """Return the name under which people download the result of *job*."""
    return echo.file_name(origin.user_name if origin else "", job.request, job.id, extension)


def mode(speed: Speed, texts: Texts) -> str:
    """Return the lane's name as people read it."""
    return texts("mode." + speed)


def _announcement(job: Job, texts: Texts) -> str:
    match job.order:
        case Vary(index=index):
            return texts("waiting.variation", index=index)
        case Upscale(index=index):
            return texts("waiting.upscale", index=index)
        case _:
            return ""


def _label(job: Job, texts: Texts, *, under_way: bool) -> str:
    match job.order:
        case Cell(index=index):
            return texts("label.cell", index=index)
        case Vary(strength=Strength.STRONG):
            return texts("label.variation.strong")
        case Vary():
            return texts("label.variation.subtle")
        case Upscale():
            return texts("label.upscaling" if under_way else "label.upscale")
        case _:
            return ""


def _place(standing: Standing | None, texts: Texts) -> str:
    if standing is None:
        return ""
    if standing.paused:
        return texts("line.paused")
    if standing.off:
        return texts("line.model_off", model=standing.off)
    if standing.away:
        return texts("line.away")
    return _turn(standing, texts)


def _turn(standing: Standing, texts: Texts) -> str:
    """Return when a job's turn comes."""
    if standing.far:
        return texts("line.far", count=f"{standing.place - 1:,}")
    place = texts("line.next") if standing.place == 1 else texts("line.place", place=ordinal(standing.place))
    if standing.wait_seconds is None:
        return place
    return texts("line.soon", place=place, wait=duration(standing.wait_seconds, texts))


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st and so on."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def number(value: float) -> str:
    """Return *value* with at most three decimals and none that say nothing."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def duration(seconds: float, texts: Texts) -> str:
    """Return a length of time in one unit; below a minute in steps of five seconds."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return texts("wait.seconds", n=max(5, 5 * round(seconds / 5)))
    if seconds < 3600:  # noqa: PLR2004 - an hour
        return texts("wait.minutes", n=round(seconds / 60))
    return texts("wait.hours", n=round(seconds / 3600))


def state_words(job: Job, progress: Progress | None) -> str:
    """Return how far *job* is, for a sentence."""
    if job.state is JobState.QUEUED or progress is None:
        return str(job.state)
    return f"{job.state}, {int(progress.fraction * 100)}%"
