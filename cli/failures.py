"""What stops a command, each as one sentence for the person at the terminal."""

import errno
import sqlite3
from contextlib import suppress

import pydantic

SUCCESS, FAILURE, USAGE = 0, 1, 2  # exit codes, for scripts


class Failure(Exception):  # noqa: N818  (it reads as what it is: the end of a command)
    """The command cannot go on, for a reason one sentence explains.

    Attributes:
        code: The exit code.
    """

    def __init__(self, sentence: str, code: int = FAILURE) -> None:
        super().__init__(sentence)
        self.code = code


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


def worded(error: BaseException) -> Failure | None:
    """Return the sentence for *error*, or None if it is a defect of the program and must show its trace."""
    match error:
        case Failure():
            return error
        case BaseExceptionGroup():
            inner = [worded(each) for each in error.exceptions]
            return inner[0] if inner and all(inner) else None
        case OSError():
            return from_os_error(error)
        case sqlite3.Error():
            return from_sqlite(error)
        case pydantic.ValidationError():
            return None
        case _:
            return worded(error.__cause__) if error.__cause__ is not None else None


def sentence(error: BaseException) -> str:
    """Return *error* in at most one line."""
    with suppress(IndexError):
        return str(error).strip().splitlines()[0]
    return type(error).__name__
