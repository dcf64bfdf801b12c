"""What the bot and the coach are told of the machine that draws."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bot.closures import without_adapter
from bot.errors import words
from bot.facts import Facts, Price
from bot.texts import Texts
from cli import checkpoint
from cli.config import Settings
from parser import PARAMETERS, Closed, ImagineRequest, Parameter, PromptErrors, read_batch
from parser.closed import listing
from parser.coach import Facts as CoachFacts
from parser.coach.advice import WINDOW
from parser.coach.completion import is_open
from parser.coach.typical import typical
from worker import cost
from worker.api import PictureGone, WorkerError
from worker.catalogue import Catalogue
from worker.recipe import ModelProfile, aspects_of, lane, resolve

MARKS = 2  # tokens of beginning and end, which the encoder's window holds too
NO_TURBO = "The operator has not opened the turbo lane; leave `--turbo` out."
PROBE = "a fox"  # any text: what it says costs nothing


def facts(settings: Settings) -> Facts:
    """Return what is known under *settings*.

    Raises:
        Failure: No checkpoint can be read.
    """
    catalogue = checkpoint.catalogue(settings)
    profile = catalogue.entries[0].profile
    closed = closed_here(settings, catalogue)
    open_ = [row for row in PARAMETERS if is_open(row, closed)]
    found = {row.name: tuple(prices(row, profile, closed)) for row in open_}
    return Facts(
        coach=coach_facts(profile.source),
        closed=closed,
        prices={name: each for name, each in found.items() if each},
    )


def coach_facts(source: str) -> CoachFacts:
    """Return what the coach needs of the checkpoint at *source*: how much its text encoder reads at once.

    A checkpoint that is not here yet is taken to read as much as Stable Diffusion's usual ones.
    """
    folder = checkpoint.folder_of(source)
    if folder is None or not folder.is_dir():
        return CoachFacts()
    try:
        config = json.loads((folder / "tokenizer" / "tokenizer_config.json").read_text(encoding="utf-8"))
        limit = int(config["model_max_length"])
    except (OSError, ValueError, KeyError, TypeError):
        return CoachFacts()
    window = limit - MARKS if MARKS < limit <= WINDOW * 10 else WINDOW
    return CoachFacts(window=window, count=counter(folder / "tokenizer" / "tokenizer.json"))


def counter(vocabulary: Path) -> Callable[[str], int] | None:
    """Return what counts tokens as the encoder does; None without its vocabulary or the library."""
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return None
    if not vocabulary.is_file():
        return None
    tokenizer = Tokenizer.from_file(str(vocabulary))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def closed_here(settings: Settings, catalogue: Catalogue) -> Closed:
    """Return what neither the operator's rules nor the checkpoints allow, with the reason of each."""
    reasons = {} if settings.limits.turbo else {"turbo": NO_TURBO}
    adapted = without_adapter("no model here has one")
    if not any(entry.profile.adapter for entry in catalogue.entries):
        reasons |= adapted
    models = {"version": catalogue.versions(), "niji": catalogue.niji()}
    choices = dict(models)
    for row in PARAMETERS:
        if not row.available or row.name in models or row.name in adapted:
            continue
        refusal = refused_by_all(row.example, catalogue)
        if refusal is not None:
            reasons[row.name] = refusal
        served = tuple(
            each for each in row.choices if refused_by_all(f"--{row.name} {each}", catalogue) is None
        )
        if served != row.choices:
            choices[row.name] = served
    parameters = frozenset(reasons)
    for name, served in models.items():
        reasons[name] = (
            f"This server has `--{name}` {listing(served)}."
            if served
            else f"The models of this server have no `--{name}`; leave it out."
        )
    longest = max((entry.profile for entry in catalogue.entries), key=lambda profile: profile.widest)
    ranges = {"aspect": aspects_of(longest)}
    return Closed(parameters=parameters, reasons=reasons, choices=choices, ranges=ranges)


def refused_by_all(written: str, catalogue: Catalogue) -> str | None:
    """Return why the default checkpoint cannot do what a parameter asks; None if any of them can.

    Which one is asked is known when a prompt is ordered; until then it is open.
    """
    refusals = [refused(written, entry.profile) for entry in catalogue.entries]
    return None if None in refusals else refusals[0]


def refused(written: str, profile: ModelProfile) -> str | None:
    """Return why the checkpoint cannot do what a parameter asks; None if it can, or needs a picture."""
    try:
        request = read_batch(f"{PROBE} {written}").prompts[0]
        resolve(request, profile, seed=0)
    except PromptErrors:
        return None  # it needs another parameter beside it
    except PictureGone:
        return None
    except WorkerError as error:
        return words(error, Texts())[1]
    return None


def prices(row: Parameter, profile: ModelProfile, closed: Closed) -> Iterator[Price]:
    """Yield what a grid costs at a few values of *row*; nothing where that depends on pictures."""
    written = [f"--{row.name} {value}" for value in typical(row, closed)] or [row.example]
    for text in written:
        try:
            batch = read_batch(f"{PROBE} {text}", closed).prompts
            yield text.partition(" ")[2] or text, sum(price(request, profile) for request in batch)
        except (PromptErrors, WorkerError):
            return


def price(request: ImagineRequest, profile: ModelProfile, names: Mapping[str, str] | None = None) -> float:
    """Return the credits that a grid of *request* takes from an allowance.

    *names* are the files of the pictures that it names, by address.

    Raises:
        WorkerError: The checkpoint cannot do it, or a picture is not among *names*.
    """
    speed = lane(request)
    if not cost.metered(speed):
        return 0.0
    return cost.credits(resolve(request, profile, seed=0, names=names), profile, speed)
