"""What the language knows and a server does not do: a use of it is a problem, put right by leaving it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from parser.errors import ErrorCode
from parser.parameter import Parameter
from parser.reading import Edit, Problem, Problems
from parser.request import LATEST, StyleReference
from parser.scanner import Span
from parser.spelling import nearest_choice
from parser.written import Typed, Written


@dataclass(frozen=True, slots=True)
class Closed:
    """What is closed.

    Attributes:
        parameters: Long names of parameters.
        images: Whether image prompts are.
        reasons: For long names among *parameters*, and ``images``: a sentence why, and what to do.
        choices: For long names of parameters with choices: those that are open. Where none is, the parameter
            is closed; where one is, it is open alone, too, if it may stand alone.
        ranges: For long names of parameters with a range: the least and the greatest value that are open, as
            the table has them.
        links: For addresses of pictures that are not to be had: a sentence why, and what to do.
    """

    parameters: frozenset[str] = frozenset()
    images: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


OPEN = Closed()


def ranged(row: Parameter, closed: Closed) -> Parameter:
    """Return *row* with the range that is open."""
    low, high = closed.ranges.get(row.name, (row.low, row.high))
    return replace(row, low=low, high=high)


PICTURED = frozenset({"cref", "oref"})  # whose pictures may be image prompts instead


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a parameter, by its long name, or of an image: where it stands, and how it is removed.

    Attributes:
        name: The long name, or ``image``.
        span: Where it stands, with its value.
        removal: The edit that takes it out.
        value: Its value; of an image its address.
        place: Where the value stands, with what is glued to it.
        row: Of a parameter: what the table has of it.
    """

    name: str
    span: Span
    removal: Edit
    value: Typed = True
    place: Span = (0, 0)
    row: Parameter | None = None


def use_of(written: Written, value: Typed, words: int) -> Use:
    """Return the use that a parameter with that *value*, of so many words, makes."""
    place = (written.words[0].start, written.words[words - 1].stop) if words else written.span(0)
    return Use(written.row.name, written.span(words), written.dropped(words), value, place, written.row)


def check_closed(
    closed: Closed, parameters: Sequence[Use], images: Sequence[Use], problems: Problems
) -> None:
    """Say so of every use of what is *closed*."""
    for use in parameters:
        if shuts(closed, use.name):
            message = why_shut(closed, use.name)
            moved = as_images(use) if use.name in PICTURED and not closed.images else ()
            problems.add(ErrorCode.CLOSED_PARAMETER, message, use.span, use.removal, *moved)
        elif use.name in closed.choices:
            check_choice(closed.choices[use.name], use, problems)
        elif use.name in closed.ranges and use.row is not None:
            check_ratio(ranged(use.row, closed), use, problems)
    for use in images if closed.images else ():
        message = "Pictures by address are not fetched here; describe the picture in words."
        message = closed.reasons.get("images", message)
        problems.add(ErrorCode.UNAVAILABLE_IMAGES, message, use.span, use.removal)


def shuts(closed: Closed, name: str) -> bool:
    """Return whether a parameter is closed with every value."""
    return name in closed.parameters or closed.choices.get(name) == ()


def why_shut(closed: Closed, name: str) -> str:
    """Return why a parameter is closed, and what to do."""
    return closed.reasons.get(name, f"`--{name}` is not open on this server; leave it out.")


def put_right_here(closed: Closed, row: Parameter, removal: Edit, problem: Problem, text: str) -> Problem:
    """Return the *problem* of a use of *row* that was typed wrongly, put right with what is open.

    Args:
        closed: What is closed.
        row: What was meant.
        removal: The edit that takes it out.
        problem: What is wrong with it for any server.
        text: The scanned text.
    """
    if shuts(closed, row.name):
        message = why_shut(closed, row.name)
        return Problem(ErrorCode.CLOSED_PARAMETER, message, problem.span, (removal,), problem.also)
    open_ = closed.choices.get(row.name, ())
    match problem.edits:
        case (Edit(start, stop, value),) if open_ and value in row.choices:
            nearest = value if value in open_ else nearest_choice(value, open_)
            message = not_here(row.name, open_, text[slice(*problem.span)], nearest)
            return replace(problem, message=message, edits=(Edit(start, stop, nearest),))
    return problem


def not_here(name: str, open_: tuple[str, ...], typed: str, nearest: str) -> str:
    """Return which choices a server has."""
    return f"This server has `--{name}` {listing(open_)}; the nearest to `{typed}` is {nearest}."


def as_images(use: Use) -> tuple[Edit, ...]:
    """Return the edit that makes the addresses that *use* names image prompts."""
    links = " ".join(f"<{each}>" for each in use.value) if isinstance(use.value, tuple) else ""
    return (Edit(0, 0, f"{links} "),) if links else ()


def check_links(closed: Closed, uses: Sequence[Use], text: str, problems: Problems) -> None:
    """Say so of every address in *text* whose picture is not to be had."""
    for use in uses:
        if isinstance(use.value, str) and use.name == "image" and use.value in closed.links:
            problems.add(ErrorCode.UNAVAILABLE_IMAGES, closed.links[use.value], use.span, use.removal)
        elif isinstance(use.value, tuple):
            sources = [each.source if isinstance(each, StyleReference) else each for each in use.value]
            for source in dict.fromkeys(sources):
                if source in closed.links:
                    span = word_of(str(source), use.place, text)
                    removal = use.removal if len(sources) == 1 else Edit(*span)
                    problems.add(ErrorCode.UNAVAILABLE_IMAGES, closed.links[str(source)], span, removal)


def word_of(link: str, place: Span, text: str) -> Span:
    """Return where the word with that *link* stands in *text*, within *place*."""
    start = text.index(link, *place)
    stop = text.find(" ", start, place[1])
    return text.rfind(" ", 0, start) + 1, place[1] if stop < 0 else stop


def check_choice(open_: tuple[str, ...], use: Use, problems: Problems) -> None:
    """Say so if the value of *use* is none of the *open* choices, and which is the nearest of them."""
    if use.value in (*open_, LATEST):
        return
    nearest = nearest_choice(str(use.value), open_)
    message = not_here(use.name, open_, str(use.value), nearest)
    problems.add(ErrorCode.CLOSED_PARAMETER, message, use.span, Edit(*use.place, nearest))


def check_ratio(row: Parameter, use: Use, problems: Problems) -> None:
    """Say so if the ratio of *use* is not in the range of *row*, as it is open, and which end is nearest."""
    match use.value:
        case (int(width), int(height)):
            ratio = Fraction(width, height)
        case _:
            return
    if not row.spans(ratio):
        nearest = row.high if ratio > 1 else row.low
        message = (
            f"`--{row.echo}` goes from {row.range} here; the nearest to `{width}:{height}` is {nearest}."
        )
        problems.add(ErrorCode.CLOSED_PARAMETER, message, use.span, Edit(*use.place, nearest))


def listing(choices: Sequence[str]) -> str:
    """Return choices as a sentence has them: ``5.2, 6 and 6.1``."""
    return " and ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
