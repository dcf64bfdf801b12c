"""How many jobs one text may make, and in which lanes."""

from collections.abc import Sequence
from dataclasses import replace

from parser.braces import MANY
from parser.errors import ErrorCode
from parser.permutations import Template
from parser.reader import Reading
from parser.reading import Edit, Problem
from parser.request import Speed

FEWEST = 2  # jobs that `--repeat` makes


def too_many(found: Template, limit: int) -> Problem:
    """Return the problem of a text that stands for more than *limit* prompts."""
    count = f"{MANY} or more" if found.count == MANY else str(found.count)
    message = f"This makes {count} jobs, and one command may make {limit}; leave some of the choices out."
    return Problem(ErrorCode.TOO_MANY_JOBS, message, (found.groups[0][0], found.groups[-1][1]))


def check_repeats(readings: Sequence[Reading], limit: int) -> list[Reading]:
    """Say so of every ``--repeat`` if together they make more than *limit* jobs."""
    total = sum(reading.repeats for reading in readings)
    if total <= limit:
        return list(readings)
    fewer = limit // len(readings)
    advice = f"the nearest is `--repeat {fewer}`" if fewer >= FEWEST else "leave `--repeat` out"
    message = f"This makes {total} jobs, and one command may make {limit}; {advice}."

    def checked(reading: Reading) -> Reading:
        problems = [
            Problem(
                ErrorCode.TOO_MANY_JOBS,
                message,
                use.span,
                (Edit(*use.place, str(fewer)) if fewer >= FEWEST else use.removal,),
            )
            for use in reading.uses_of("repeat")
        ]
        return with_problems(reading, problems)

    return [checked(reading) for reading in readings]


def check_lane(readings: Sequence[Reading], lane: Speed | None) -> list[Reading]:
    """Say so of every prompt in the relax lane, if there are several jobs; *lane* is that of the others."""
    if sum(reading.repeats for reading in readings) == 1:
        return list(readings)
    message = "You can not submit batch jobs in relax mode; write `--fast`, or one prompt at a time."

    def checked(reading: Reading) -> Reading:
        named = [use.name for use in reading.uses if use.name in tuple(Speed)]
        problems = [
            Problem(ErrorCode.BATCH_IN_RELAX, message, use.span, (Edit(*use.span, "--fast"),))
            for use in reading.uses_of("relax")
            if named[0] == use.name  # else it contradicts, which is problem enough
        ]
        if lane is Speed.RELAX and not named:
            end = len(reading.plain.text)
            edit = Edit(end, end, " --fast")
            problems.append(Problem(ErrorCode.BATCH_IN_RELAX, message, (end, end), (edit,)))
        return with_problems(reading, problems)

    return [checked(reading) for reading in readings]


def with_problems(reading: Reading, problems: Sequence[Problem]) -> Reading:
    """Return *reading* with more problems."""
    if not problems:
        return reading
    return replace(reading, request=None, problems=(*reading.problems, *problems))
