"""What stops a command, each as one sentence for the person at the terminal."""

import errno
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from bot.faults import Stopped
from playground.errors import PlaygroundError
from worker.admin import AdminCode, AdminError
from worker.api import ErrorCode, Rejected, WorkerError
from worker.lock import LockHeld
from worker.schema import DatabaseUnusable

SUCCESS, FAILURE, USAGE = 0, 1, 2  # exit codes, for scripts
MISTYPED = frozenset({AdminCode.QUOTA_WHOSE, AdminCode.QUOTA_WHAT, AdminCode.QUOTA_SERVER})


class Failure(Exception):  # noqa: N818  (it reads as what it is: the end of a command)
    """The command cannot go on, for a reason one sentence explains.

    Attributes:
        code: The exit code.
        passing: Whether another start may do better without anybody's help.
    """

    def __init__(self, sentence: str, code: int = FAILURE, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.code = code
        self.passing = passing


def from_os_error(error: OSError) -> Failure:
    """Word what the operating system refused."""
    where = f" ({error.filename})" if error.filename else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Failure(f"The disk is full{where}: free some space and start again.")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Failure(f"Writing or reading is not permitted{where}: check who owns it.")
        case errno.EADDRINUSE:
            return Failure("The port is taken by another program: choose another one with --port.")
        case errno.EMFILE | errno.ENFILE:
            return Failure("Too many files are open: raise the limit (ulimit -n) and start again.")
        case _:
            return Failure(f"{error.strerror or error}{where}.")


def from_sqlite(error: sqlite3.Error) -> Failure:
    """Word what SQLite refused."""
    text = str(error)
    if "full" in text:
        return Failure("The disk is full: the database cannot grow.")
    if "readonly" in text or "unable to open" in text:
        return Failure("The database cannot be written: check who owns the data folder.")
    if "malformed" in text or "not a database" in text:
        return Failure("The database is damaged: restore a copy, or move it away and start anew.")
    return Failure(f"The database refused to work: {text}.")


def from_worker(error: WorkerError) -> Failure:
    """Word what the worker refused, in the words Discord's people read."""
    from bot.errors import words
    from bot.texts import Texts

    if "reason" in error.detail and not isinstance(error, Rejected):  # for whoever runs the program
        return Failure(str(error.detail["reason"]))
    title, description = words(error, Texts())
    return Failure(f"{title}: {description}".replace("`", "").replace("**", ""))


def from_admin(error: AdminError) -> Failure:
    """Word why a deed was not done, in the words Discord's people read."""
    from bot.errors import words
    from bot.texts import Texts

    title, description = words(error, Texts())
    code = USAGE if error.code in MISTYPED else FAILURE
    return Failure(f"{title}: {description}".replace("`", "").replace("**", ""), code)


def worded(error: BaseException) -> Failure | None:
    """Return the sentence for *error*, or None if it is a defect of the program and must show its trace."""
    if isinstance(error, BaseExceptionGroup):
        inner = [worded(each) for each in error.exceptions]
        return inner[0] if all(inner) else None
    for kind, words in WORDINGS.items():
        if isinstance(error, kind):
            return words(error)
    return None


def lasting(error: BaseException) -> bool:
    """Tell whether every start would end like this: by configuration, token, intents, model, lock, schema."""
    match error:
        case BaseExceptionGroup():
            return any(lasting(each) for each in error.exceptions)
        case Failure() | Stopped():
            return not error.passing
        case WorkerError():
            return error.code is ErrorCode.MODEL_MISSING
        case _:
            return isinstance(error, DatabaseUnusable | LockHeld)


WORDINGS: Mapping[type[BaseException], Callable[[Any], Failure]] = {
    Failure: lambda failure: failure,
    WorkerError: from_worker,
    AdminError: from_admin,
    DatabaseUnusable: lambda error: Failure(str(error)),
    Stopped: lambda error: Failure(str(error)),
    PlaygroundError: lambda error: Failure(str(error)),
    LockHeld: lambda error: Failure(f"{error}: another process is at work there."),
    sqlite3.Error: from_sqlite,
    OSError: from_os_error,
}
