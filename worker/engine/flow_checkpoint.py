"""One Stable Diffusion 3 or FLUX checkpoint in memory."""

from dataclasses import dataclass
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

import diffusers
import torch

from worker.catalogue import Build
from worker.engine.checkpoint import PLAIN, Hardware, quieten, weights_hash
from worker.engine.coded import Coded
from worker.engine.fittings import fit
from worker.engine.flow_networks import FluxNetwork, Network, SD3Network, flux_conditioner, sd3_conditioner
from worker.engine.flow_patches import SIDE
from worker.engine.flow_prompts import FlowConditioner
from worker.engine.flow_schedule import ASKED, NEEDED
from worker.engine.precision import placed
from worker.engine.sources import Located, located, missing
from worker.engine.whole import check_whole, readers, reading, weight_of
from worker.family import Family
from worker.recipe import ModelProfile

T5 = {  # the parts that read with T5
    Family.STABLE_DIFFUSION_3: ("text_encoder_3", "tokenizer_3"),
    Family.FLUX: ("text_encoder_2", "tokenizer_2"),
}
TRANSFORMERS = {
    Family.STABLE_DIFFUSION_3: diffusers.SD3Transformer2DModel,
    Family.FLUX: diffusers.FluxTransformer2DModel,
}


@dataclass(frozen=True, slots=True)
class FlowCheckpoint(Coded):
    """The parts of a checkpoint, ready to run; the VAE is always float32."""

    profile: ModelProfile
    family: Family
    hash: str  # first hexadecimal digits of a SHA-256
    hardware: Hardware
    network: Network
    conditioner: FlowConditioner
    vae: Any
    scheduler: Any  # a template: copied for every sample
    parts: tuple[Any, ...]  # every network in memory

    @property
    def bytes(self) -> int:
        """Memory that the weights take."""
        return weight_of(self.parts)


def load_flow(
    profile: ModelProfile, hardware: Hardware, build: Build = PLAIN, found: Located | None = None
) -> FlowCheckpoint:
    """Load the checkpoint that *profile* names, from its folder, its file or the hub, and fit it.

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
    _check_build(source, found, build)
    _check_tokens(source, found)
    hardware = hardware.suiting(found.place, found.family.facts.network)
    with reading(source):
        pipeline = _pipeline(found, hardware.dtype)
        check_whole(pipeline.components)
        weights = weights_hash(found.place, build, found.family.facts.network)
    fit(pipeline, source, build)
    return assembled(profile, hardware, pipeline, weights)


def assembled(profile: ModelProfile, hardware: Hardware, pipeline: Any, weights: str) -> FlowCheckpoint:
    """Return the parts of *pipeline*, ready to run; *weights* is their hash.

    Raises:
        WorkerError: ``MODEL_MISSING``; it is no pipeline to draw whole pictures with.
    """
    family = Family(type(pipeline).__name__)
    _check_network(profile.source, pipeline, family)
    _check_schedule(profile.source, pipeline.scheduler)
    encoders = [
        part
        for name, part in pipeline.components.items()
        if name.startswith("text_encoder") and part is not None
    ]
    pipeline.transformer.to(hardware.dtype)
    placed(pipeline.vae, hardware.device, hardware.dtype)
    for part in (pipeline.transformer, pipeline.vae, *encoders):
        part.to(hardware.device).eval().requires_grad_(requires_grad=False)
    told, network = (
        (flux_conditioner, FluxNetwork) if family is Family.FLUX else (sd3_conditioner, SD3Network)
    )
    return FlowCheckpoint(
        profile=profile,
        family=family,
        hash=weights,
        hardware=hardware,
        network=network(pipeline.transformer),
        conditioner=told(pipeline, hardware.dtype),
        vae=pipeline.vae,
        scheduler=pipeline.scheduler,
        parts=(pipeline.transformer, pipeline.vae, *encoders),
    )


def _pipeline(found: Located, dtype: torch.dtype) -> Any:
    """Return the parts as their files have them; the large ones in *dtype*, the others in float32.

    A single file of these families holds the transformer alone: the other parts come from its description.
    """
    encoder, tokenizer = T5[found.family]
    types = {"default": torch.float32, "transformer": dtype, encoder: dtype}
    given: dict[str, Any] = {"image_encoder": None, "feature_extractor": None}
    if found.single:
        given["transformer"] = TRANSFORMERS[found.family].from_single_file(
            str(found.place),
            config=found.description,
            subfolder="transformer",
            dtype=dtype,
            local_files_only=True,
        )
    place = _folder(found)
    if found.family is Family.STABLE_DIFFUSION_3 and not (place / encoder).is_dir():
        given |= {encoder: None, tokenizer: None}  # nine gigabytes that some leave out
    given |= readers(place, types, without=given)
    return getattr(diffusers, found.family).from_pretrained(
        str(place), **given, dtype=types, use_safetensors=True, trust_remote_code=False
    )


def _folder(found: Located) -> Path:
    """Return the folder in diffusers layout that has the encoders."""
    return Path(str(found.description)) if found.single else found.place


def _check_build(source: str, found: Located, build: Build) -> None:
    """Refuse what the operator asks for and the family does not take.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    asked = {
        "embeddings": bool(build.embeddings),
        "an ip_adapter": build.ip_adapter is not None,
        "a guidance_interval": build.guidance_interval != (0.0, 1.0),
    }
    for name, given in asked.items():
        if given:
            raise missing(source, f"has {name}, which {found.family.facts.title} does not take")


def _check_tokens(source: str, found: Located) -> None:
    """Refuse a tokenizer that only a package reads which is not installed.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    name = T5[found.family][1]
    folder = _folder(found) / name
    if not (folder / "spiece.model").is_file() or (folder / "tokenizer.json").is_file():
        return
    if find_spec("sentencepiece") is None:
        what = f"has its {name} as spiece.model, for which the package sentencepiece is missing"
        raise missing(source, f"{what}: install that, or take an edition with a tokenizer.json")


def _check_network(source: str, pipeline: Any, family: Family) -> None:
    """Refuse a transformer that wants to be shown more than latents: its pictures would be wrong.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    folded = SIDE**2 if family is Family.FLUX else 1
    if pipeline.transformer.config.in_channels != pipeline.vae.config.latent_channels * folded:
        raise missing(source, "is made for changing pictures; take the one that draws whole ones")


def _check_schedule(source: str, scheduler: Any) -> None:
    """Refuse a schedule whose steps are not those of flow matching.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    name = type(scheduler).__name__
    if not all(hasattr(scheduler, each) for each in NEEDED):
        raise missing(source, f"asks for the scheduler {name}, which is for another kind of network")
    if not signature(scheduler.set_timesteps).parameters.keys() >= ASKED:
        raise missing(source, f"asks for the scheduler {name}, which cannot be told where to begin")
