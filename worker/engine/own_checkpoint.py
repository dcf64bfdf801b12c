"""A checkpoint in memory that draws through its own pipeline."""

from dataclasses import dataclass
from inspect import signature
from typing import Any

import diffusers
import torch

from worker.catalogue import Build
from worker.engine.checkpoint import PLAIN, Hardware, quieten, weights_hash
from worker.engine.coded import Coded
from worker.engine.fittings import fit
from worker.engine.precision import placed
from worker.engine.sources import Located, located, missing
from worker.engine.whole import check_whole, readers, reading, weight_of
from worker.family import Family
from worker.recipe import ModelProfile


@dataclass(frozen=True, slots=True)
class OwnCheckpoint(Coded):
    """The pipeline of a checkpoint and what is known of it; nothing calls the pipeline itself, but copies."""

    profile: ModelProfile
    family: Family
    hash: str  # first hexadecimal digits of a SHA-256
    hardware: Hardware
    pipeline: Any
    vae: Any

    @property
    def bytes(self) -> int:
        """Memory that the weights take."""
        return weight_of(
            part for part in self.pipeline.components.values() if isinstance(part, torch.nn.Module)
        )

    def with_scheduler(self, scheduler: Any) -> Any:
        """Return a pipeline of the same networks with a *scheduler* of its own, which counts its steps."""
        made = type(self.pipeline)(**{**self.pipeline.components, "scheduler": scheduler})
        made.set_progress_bar_config(disable=True)
        return made

    def takes(self, argument: str) -> bool:
        """Tell whether calls of the pipeline take an *argument* of that name."""
        return argument in signature(type(self.pipeline).__call__).parameters


def load_own(
    profile: ModelProfile, hardware: Hardware, build: Build = PLAIN, found: Located | None = None
) -> OwnCheckpoint:
    """Load the checkpoint that *profile* names, from its folder or the hub, and fit it.

    Args:
        profile: What it is.
        hardware: Where it runs.
        build: How it is put together.
        found: Where it is, if that is known.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    quieten()
    source, hardware = profile.source, hardware.of(build.dtype)
    found = found or located(source, build)
    _check_build(source, found.family, build)
    hardware = hardware.suiting(found.place, found.family.facts.network)
    with reading(source):
        given = readers(found.place, dict.fromkeys(found.family.facts.encoders, hardware.dtype))
        pipeline = getattr(diffusers, found.family).from_pretrained(
            str(found.place),
            **given,
            dtype={"default": torch.float32, found.family.facts.network: hardware.dtype},
            use_safetensors=True,
            trust_remote_code=False,
        )
        check_whole(pipeline.components)
        weights = weights_hash(found.place, build, found.family.facts.network)
    fit(pipeline, source, build)
    return owned(profile, hardware, pipeline, weights)


def owned(profile: ModelProfile, hardware: Hardware, pipeline: Any, weights: str) -> OwnCheckpoint:
    """Return *pipeline*, ready to run; *weights* is the hash of its network.

    Raises:
        WorkerError: ``MODEL_MISSING``; its scheduler is for another kind of network.
    """
    if not hasattr(pipeline.scheduler, "add_noise"):
        name = type(pipeline.scheduler).__name__
        raise missing(profile.source, f"has the scheduler {name}, which is for another kind of network")
    placed(pipeline.vae, hardware.device, hardware.dtype)
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            if name != "vae":  # a pipeline hands the prompt on in the type that it was read in
                part.to(hardware.device, hardware.dtype)
            part.eval().requires_grad_(requires_grad=False)
    return OwnCheckpoint(profile, Family(type(pipeline).__name__), weights, hardware, pipeline, pipeline.vae)


def _check_build(source: str, family: Family, build: Build) -> None:
    """Refuse what the operator asks for and the family does not take.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    asked = {
        "loras": bool(build.loras),
        "embeddings": bool(build.embeddings),
        "an ip_adapter": build.ip_adapter is not None,
        "a guidance_interval": build.guidance_interval != (0.0, 1.0),
        "`compile`": build.compile,
    }
    for name, given in asked.items():
        if given:
            raise missing(source, f"has {name}, which {family.facts.title} does not take")
