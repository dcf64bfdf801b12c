"""The one place that words failures for people: any exception to a private message. Pure.

Errors come from the parser (`PromptErrors`), the worker (`WorkerError`) and the bot (`BotError`); whatever
else arrives is our mistake and gets a short code that is logged too.
"""

import secrets
from collections.abc import Sequence

from bot import echo
from bot.actions import Action, Verb
from bot.faults import BotError
from bot.preferences import Added
from bot.render import RED, Button, Card, File, Letter, Rows, Style, number
from bot.texts import Texts
from parser import PromptErrors
from parser.errors import ErrorCode as PromptCode
from worker.admin import AdminError
from worker.api import ErrorCode, WorkerError

DESCRIPTION_LIMIT = 4096  # characters of an embed's description
EMBED_LIMIT = 6000  # of all its texts together
FOOTER_LIMIT = 2048
SHOWN_PROBLEMS = 10
FIX_ROOM = 1000  # characters of a corrected prompt shown in the description

OUT_OF_CREDIT = frozenset({ErrorCode.OUT_OF_CREDIT, ErrorCode.SERVER_OUT_OF_CREDIT})

_PARAMETER_CODES = frozenset(
    {
        PromptCode.UNKNOWN_PARAMETER,
        PromptCode.UNAVAILABLE_PARAMETER,
        PromptCode.MISSING_VALUE,
        PromptCode.MISSING_SPACE,
        PromptCode.INVALID_VALUE,
        PromptCode.OUT_OF_RANGE,
        PromptCode.TEXT_AFTER_PARAMETER,
        PromptCode.REPEATED_PARAMETER,
        PromptCode.CONFLICTING_PARAMETERS,
        PromptCode.NEEDS_ANOTHER,
        PromptCode.LOOKS_LIKE_PARAMETER,
    }
)

_RESTRICTED = frozenset({PromptCode.CLOSED_PARAMETER, PromptCode.BATCH_IN_RELAX, PromptCode.TOO_MANY_JOBS})


def new_code() -> str:
    """Return a short code under which an unknown error is shown and logged."""
    return secrets.token_hex(4)


def refused_prompt(
    error: PromptErrors,
    prompt: str,
    texts: Texts,
    fix: str | None = None,
    *,
    added: Sequence[Added] = (),
    command: str = "imagine",
    hint: str = "",
) -> Letter:
    """Return what tells every problem of *prompt*.

    Args:
        error: The problems.
        prompt: The whole of it, with what its author did not type.
        texts: The catalogue.
        fix: The id of the kept correction, if any.
        added: What its author did not type; where a problem is in it, it is said whence it came.
        command: The command it was typed after.
        hint: The coach's line, if it has something to say.
    """
    problems = [f"{e.message}\n```\n{_fenced(e.pointer())}\n```" for e in error.errors[:SHOWN_PROBLEMS]]
    if len(error.errors) > SHOWN_PROBLEMS:
        problems.append(texts("prompt.more", n=len(error.errors) - SHOWN_PROBLEMS))
    suggestion = next((e.suggestion for e in error.errors if e.suggestion is not None), None)
    problems += origins(error, added, texts)
    fixed = ""
    if suggestion is not None:
        fixed = texts("prompt.fixed", prompt=echo.cut(echo.unticked(suggestion), FIX_ROOM))
    end = "\n".join(filter(None, (fixed, hint)))
    description = _within(problems, DESCRIPTION_LIMIT - echo.units(end) - 1) + end
    rows: Rows = ()
    if fix is not None and suggestion is not None:
        rows = ((Button(Action(Verb.FIX, fix).custom_id, texts("button.fix"), style=Style.GREEN),),)
    return with_prompt(Letter(rows=rows), _title(error, texts), description, prompt, command=command)


def origins(error: PromptErrors, added: Sequence[Added], texts: Texts) -> list[str]:
    """Return where the parts of a prompt came from that have problems and were not typed."""
    spans = [each.span for each in error.errors]
    return [
        texts(f"added.{part.whence}", text=echo.cut(echo.unticked(part.text), 100), option=part.option)
        for part in added
        if any(start < part.stop and part.start < max(stop, start + 1) for start, stop in spans)
    ]


def _title(error: PromptErrors, texts: Texts) -> str:
    codes = {e.code for e in error.errors}
    if codes == {PromptCode.EMPTY_PROMPT}:
        return texts("prompt.empty_title")
    if codes <= _RESTRICTED:
        return texts("prompt.restricted_title")
    return texts("prompt.parameter_title" if codes & _PARAMETER_CODES else "prompt.title")


def _fenced(text: str) -> str:
    """Return *text* so that it cannot end the code block around it."""
    return text.replace("```", echo.unticked("```"))


def _within(pieces: list[str], room: int) -> str:
    text = ""
    for piece in pieces:
        if echo.units(text) + echo.units(piece) + 1 > room:
            break
        text += piece + "\n"
    return text


def refused(error: Exception, texts: Texts, *, prompt: str | None = None, code: str = "") -> Letter:
    """Return what tells *error*; *prompt* comes along so that it is not lost.

    *code* is shown for an error that nobody foresaw.
    """
    title, description = words(error, texts)
    if not isinstance(error, WorkerError | BotError | AdminError):
        return Letter(card=Card(title, description, RED, texts("bot.code", code=code)))
    if prompt is None:
        return Letter(card=Card(title, description))
    return with_prompt(Letter(), title, description, prompt)


def out_of_credit(error: WorkerError, prompt: str, relaxed: str | None, texts: Texts) -> Letter:
    """Return what tells that credits are missing; *relaxed* is the `custom_id` that orders it in relax."""
    title, description = words(error, texts)
    rows: Rows = ()
    if relaxed is not None:
        rows = ((Button(relaxed, texts("button.relax"), style=Style.GREEN),),)
    return with_prompt(Letter(rows=rows), title, description, prompt)


def words(error: Exception, texts: Texts) -> tuple[str, str]:
    """Return title and text for *error*; total."""
    match error:
        case WorkerError():
            key = f"worker.{error.code}"
            never = error.code in OUT_OF_CREDIT and "refill_at" not in error.detail
            facts = {
                name: number(fact) if isinstance(fact, float) else fact for name, fact in error.detail.items()
            }
            return texts(f"{key}.title"), texts(f"{key}.never" if never else key, **facts)
        case AdminError():
            key = f"admin.{error.code}"
            return texts(f"{key}.title"), texts(key, **error.detail)
        case BotError():
            key = f"bot.{error.code}"
            return texts(f"{key}.title"), texts(key, **error.detail)
        case _:
            return texts("bot.unknown.title"), texts("bot.unknown")


def failure_card(code: ErrorCode | None, job_id: str, texts: Texts) -> Card:
    """Return what a failed job shows."""
    known = ErrorCode.ENGINE_FAILED if code is None else code
    title, description = words(WorkerError(known), texts)
    return Card(title, description, RED, texts("bot.code", code=f"{known}-{job_id[:8]}"))


def with_prompt(
    letter: Letter, title: str, description: str, prompt: str, *, color: int = RED, command: str = "imagine"
) -> Letter:
    """Put the whole command into the footer; what does not fit comes as a file."""
    whole = f"/{command} {prompt}"
    room = min(FOOTER_LIMIT, EMBED_LIMIT - echo.units(title) - echo.units(description))
    footer = echo.cut(whole, room)
    files = () if footer == whole else (File("prompt.txt", whole.encode()),)
    return Letter(letter.content, letter.rows, Card(title, description, color, footer), files)
