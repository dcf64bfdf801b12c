"""Why something did not come from the hub, and what to do about it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants, errors

from worker.lock import LockHeld

REFUSED, FORBIDDEN, UNKNOWN, TOO_MANY, BROKEN = 401, 403, 404, 429, 500  # answers of HTTP
TOKENS = "a token (made under Settings, Access Tokens) in the environment as HF_TOKEN"


class Trouble(Exception):  # noqa: N818 - what is told to the operator
    """Something could not be fetched; the text is whole sentences, with what to do.

    Attributes:
        passing: Whether trying again later may do better without anybody's help.
        elsewhere: Whether another process is fetching the same.
    """

    def __init__(self, words: str, *, passing: bool = False, elsewhere: bool = False) -> None:
        super().__init__(words)
        self.passing = passing
        self.elsewhere = elsewhere


@contextmanager
def worded(place: str) -> Iterator[None]:
    """Let what goes wrong with *place*, ``owner/name`` and perhaps a path, end as `Trouble`.

    Raises:
        Trouble: Something went wrong.
    """
    repository = "/".join(place.split("/")[:2])
    try:
        yield
    except errors.HfHubHTTPError as error:
        raise _answered(place, repository, error) from error
    except errors.HFValidationError as error:
        raise Trouble(f"{place} is no name of the hub: those are written owner/name.") from error
    except errors.OfflineModeIsEnabled as error:
        raise Trouble(f"{place} cannot be fetched while HF_HUB_OFFLINE is set in the environment.") from error
    except errors.HTTPError as error:  # type: ignore[attr-defined]  # of the HTTP library, whichever it is
        raise unreachable(place) from error
    except LockHeld as error:
        words = f"{place} is being fetched by another process at this moment; wait for that."
        raise Trouble(words, passing=True, elsewhere=True) from error
    except OSError as error:
        raise _refused_here(place, error) from error


def unreachable(place: str) -> Trouble:
    """Return that the hub does not answer."""
    return Trouble(
        f"{place} could not be fetched: nobody answers at {constants.ENDPOINT}. Check the connection of this "
        "machine and, if they are set, HF_ENDPOINT and HTTPS_PROXY; what was fetched already is kept.",
        passing=True,
    )


def _answered(place: str, repository: str, error: errors.HfHubHTTPError) -> Trouble:
    """Word an answer that is a refusal; a hub hides what is private, as if it were not there."""
    status = error.response.status_code
    page = f"{constants.ENDPOINT}/{repository}"
    if isinstance(error, errors.GatedRepoError):
        return Trouble(
            f"{place} is given only to people who accepted its licence: open {page}, log in, accept it, "
            f"and put {TOKENS}."
        )
    if isinstance(error, errors.RepositoryNotFoundError) or status in {REFUSED, FORBIDDEN}:
        return Trouble(
            f"{place} is not given to us (HTTP {status}): either there is no {page}, so check the name, or "
            f"it is private or wants its licence accepted on that page. For both put {TOKENS}."
        )
    if status == UNKNOWN:
        return Trouble(f"{place} is not there (HTTP {status}): look at {page} for what it holds.")
    if status == TOO_MANY:
        after = error.response.headers.get("Retry-After", "")
        wait = f"{after} seconds" if after.isdigit() else "some minutes"
        words = f"The hub has had too many questions from here (HTTP {status}): wait {wait}, then try again."
        return Trouble(
            f"{place} could not be fetched. {words} With HF_TOKEN set it answers more.", passing=True
        )
    if status >= BROKEN:
        words = f"the hub has trouble of its own (HTTP {status}). Try again later"
        return Trouble(f"{place} could not be fetched: {words}; what was fetched is kept.", passing=True)
    return Trouble(f"{place} could not be fetched: the hub answered HTTP {status}.", passing=True)


def _refused_here(place: str, error: OSError) -> Trouble:
    cache = constants.HF_HUB_CACHE
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Trouble(
            f"{place} could not be fetched to its end: the disk of {cache} is full. Free some space, or set "
            "HF_HOME to a folder on another disk; what was fetched is kept."
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Trouble(
            f"{place} cannot be stored: {cache} cannot be written. Check who owns it, or set HF_HOME."
        )
    return Trouble(f"{place} could not be fetched ({error.strerror or error}).", passing=True)
