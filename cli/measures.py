"""What the files of a checkpoint say of its family and its sizes; no tensor library is loaded for it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.failures import Failure
from parser.closed import listing
from worker.family import Family
from worker.hub.cache import Cache

SCHNELL_STEPS = 4  # of FLUX without guidance, as its card says
FEW_STEPS = 4  # of what was distilled to be consistent, likewise
FEW_STEPPED = frozenset({"LCMScheduler", "TCDScheduler"})  # schedules that such a checkpoint brings
ORIGINAL = 50  # steps that such a schedule was made of, likewise
STEERED_GUIDANCE = 8.5  # of those that take guidance as an input, likewise


@dataclass(frozen=True, slots=True)
class Measures:
    """What is to be known of a checkpoint before it is loaded.

    Attributes:
        family: What it is.
        size: Pixels of a square picture's side.
        grid: Pixels that sides of pictures are multiples of.
        steps: What its pictures are usually given.
        guidance: Likewise.
        steered: Guidance is an input of its network.
        schedule: What its own scheduler is made with.
    """

    family: Family
    size: int
    grid: int
    steps: int
    guidance: float
    steered: bool = False
    schedule: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def usual(cls, family: Family = Family.STABLE_DIFFUSION) -> "Measures":
        """Return those of most checkpoints of *family*: eight pixels a latent."""
        facts = family.facts
        return cls(family, facts.size, 8 * facts.patch, facts.steps, facts.guidance)


def measured(folder: Path, *, weights: bool = True) -> Measures:
    """Return what the checkpoint in *folder* is.

    Its weights must be there as well, unless they come from elsewhere.

    Raises:
        Failure: Something of it is missing or unreadable, or nothing here draws its family.
    """
    named = json_in(folder, "model_index.json").get("_class_name")
    family = Family.named(named)
    if family is None:
        known = listing([f"{family} ({family.facts.title})" for family in Family])
        raise Failure(f"The model in {folder} is of the family {named}; Journeyman draws with {known}.")
    found = _sizes(folder, family)
    for part in (*family.facts.encoders, family.facts.network, "vae") if weights else ():
        _check_weights(folder, part)
    return found


def on_hub(source: str) -> Measures | None:
    """Return what a checkpoint of the hub is, which can be told before its weights have come.

    None where that is not here yet, or not whole.
    """
    found = Cache.of(source, hub_folder(os.environ)).coming
    try:
        return None if found is None else measured(found, weights=False)
    except Failure:
        return None  # the worker says so, and why, when it fetches the rest


def hub_folder(environ: Mapping[str, str]) -> Path:
    """Return where programs keep what they fetched from the hub.

    A bot may be installed without the library that knows; then it is where that would be by its
    documentation, https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables.
    """
    try:
        from huggingface_hub import constants
    except ImportError:
        caches = environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = environ.get("HF_HOME") or f"{caches}/huggingface"
        return Path(environ.get("HF_HUB_CACHE") or f"{home}/hub").expanduser()
    return Path(constants.HF_HUB_CACHE)


def most_steps(schedule: Mapping[str, Any]) -> int | None:
    """Return how many steps a scheduler made with *schedule* can be asked for at most; None: any number.

    Those of distilled checkpoints take their steps from the ones that the distillation was made with.
    """
    if schedule.get("_class_name") not in FEW_STEPPED:
        return None
    told = schedule.get("original_inference_steps")
    return told if isinstance(told, int) and told > 0 else ORIGINAL


def json_in(folder: Path, name: str) -> dict[str, Any]:
    """Return the object in the file *name* of *folder*.

    Raises:
        Failure: It is not there, or unreadable.
    """
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        where = f"has no {name}" if folder.is_dir() else "does not exist"
        raise Failure(f"The model folder {folder} {where}: it must be in diffusers layout.") from None
    except (OSError, ValueError) as error:
        raise Failure(f"The model in {folder} is damaged: {name} cannot be read ({error}).") from None
    if not isinstance(value, dict):
        raise Failure(f"The model in {folder} is damaged: {name} holds no object.")
    return value


def _sizes(folder: Path, family: Family) -> Measures:
    facts, usual = family.facts, Measures.usual(family)
    parts = [*facts.encoders, facts.network, "vae"]
    configs = {part: json_in(folder, f"{part}/config.json") for part in parts}
    for encoder in facts.encoders:
        json_in(folder, f"{encoder.replace('text_encoder', 'tokenizer')}/tokenizer_config.json")
    schedule = json_in(folder, "scheduler/scheduler_config.json")
    network = configs[facts.network]
    distilled = family is Family.FLUX and not network.get("guidance_embeds")
    try:
        latent = 2 ** (len(configs["vae"]["block_out_channels"]) - 1)
        size = usual.size if family is Family.FLUX else int(network["sample_size"]) * latent
    except (KeyError, TypeError, ValueError):
        raise Failure(f"The model in {folder} is damaged: its sizes cannot be read.") from None
    if facts.network == "unet" and schedule.get("_class_name") in FEW_STEPPED:
        steered = network.get("time_cond_proj_dim") is not None
        guidance = STEERED_GUIDANCE if steered else 1.0
        return Measures(family, size, latent, FEW_STEPS, guidance, steered, schedule)
    return Measures(
        family=family,
        size=size,
        grid=latent * facts.patch,
        steps=SCHNELL_STEPS if distilled else usual.steps,
        guidance=1.0 if distilled else usual.guidance,
        steered=facts.network == "unet" and network.get("time_cond_proj_dim") is not None,
        schedule=schedule,
    )


def _check_weights(folder: Path, part: str) -> None:
    if any((folder / part).glob("*.safetensors")):
        return
    if any((folder / part).glob("*.bin")):
        raise Failure(
            f"The model in {folder} has the weights of its {part} as a pickle, which may run any program "
            "when it is read; take its .safetensors edition, or convert it where that does no harm."
        )
    raise Failure(f"The model in {folder} is incomplete: {part} has no weights.")
