"""Fetching from the hub at a terminal: one line that grows, or plain lines where there is none."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from cli.failures import Failure
from worker.hub.choice import Want
from worker.hub.fetch import Fetched, Progress, amount, fetched
from worker.hub.trouble import Trouble

REDRAW_SECONDS = 0.2  # on a terminal
LINE_SECONDS = 10.0  # between plain lines
MINUTE, HOUR = 60, 3600
WIDTH = 24  # of the bar
NAME = 36  # characters of a file's name that are shown


def pulled(wants: Sequence[Want]) -> None:
    """Fetch *wants*, and say of each that it is whole, and where.

    Raises:
        Failure: Something did not come; all else did.
    """
    problems: list[Trouble] = []
    for want in wants:
        shown = Shown(sys.stderr, time.monotonic)
        try:
            found = fetched(want, shown)
        except Trouble as trouble:
            problems.append(trouble)
        else:
            print(f"{want.place}: {whole(found)}", flush=True)
        finally:
            shown.end()
    for each in problems[:-1]:
        print(f"journeyman: {each}", file=sys.stderr)
    if problems:
        raise Failure(str(problems[-1]), passing=all(each.passing for each in problems))


def whole(found: Fetched) -> str:
    """Return in words what is here now."""
    what = f"{found.files} file{'s' * (found.files > 1)}, {amount(found.size)}"
    how = f"fetched {amount(found.brought)}, all" if found.brought else "here already,"
    return f"{how} checked ({what}), in {found.path}"


class Shown:
    """Shows how far something is."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        """Show nothing yet; lines go to *out*, seconds come from *clock*."""
        self._out = out
        self._clock = clock
        self._live = out.isatty()
        self._began: tuple[float, int] | None = None
        self._last: float | None = None
        self._wide = 0

    def __call__(self, progress: Progress) -> None:
        """Show *progress*, if it is time to."""
        now = self._clock()
        if self._began is None:
            self._began = (now, progress.done)
            if progress.resumed:
                self._say(f"{progress.place}: going on; {amount(progress.resumed)} were here already")
        pause = REDRAW_SECONDS if self._live else LINE_SECONDS
        if self._last is not None and now - self._last < pause and progress.done < progress.total:
            return
        self._last = now
        since, had = self._began
        rate = (progress.done - had) / (now - since) if now > since else 0.0
        if self._live:
            self._redraw(f"{bar(progress)} {facts(progress, rate)}")
        else:
            self._say(f"{progress.place}: {facts(progress, rate)}")

    def end(self) -> None:
        """Leave the line."""
        if self._wide:
            self._out.write("\r" + " " * self._wide + "\r")
            self._out.flush()
            self._wide = 0

    def _say(self, line: str) -> None:
        self.end()
        print(line, file=self._out, flush=True)

    def _redraw(self, line: str) -> None:
        self._out.write("\r" + line.ljust(self._wide))
        self._out.flush()
        self._wide = len(line)


def bar(progress: Progress) -> str:
    """Return a bar as long as what is here."""
    full = WIDTH * progress.done // max(progress.total, 1)
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"


def facts(progress: Progress, rate: float) -> str:
    """Return how far it is, and how long it will take at *rate* bytes a second."""
    share = 100 * progress.done // max(progress.total, 1)
    name = progress.name if len(progress.name) <= NAME else f"…{progress.name[1 - NAME :]}"
    words = f"{share:3d} %  {amount(progress.done)} of {amount(progress.total)}"
    left = progress.total - progress.done
    if rate > 0:
        words += f"  {amount(rate)}/s"
    if rate > 0 and left:
        words += f"  {span(left / rate)} left"
    return f"{words}  {name}"


def span(seconds: float) -> str:
    """Return a time for people."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"
