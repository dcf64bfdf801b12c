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
from worker.engine.fittings import fit
from worker.engine.flow_networks import FluxNetwork, Network, SD3Network, flux_conditioner, sd3_conditioner
from worker.engine.flow_patches import SIDE
from worker.engine.flow_prompts import FlowConditioner
from worker.engine.flow_schedule import ASKED, NEEDED
from worker.engine.sources import Located, first_line, missing
from worker.recipe import ModelProfile


@dataclass(frozen=True, slots=True)
class FlowFamily:
    """What tells one family of these from the other.

    Attributes:
        pipeline: Name of diffusers' class of pipelines.
        transformer: Name of its class of networks.
        t5: Name of the part that is T5, and of its tokenizer.
        folded: Latents that are one number of the transformer's input, across and down.
        title: What people call it.
    """

    pipeline: str
    transformer: str
    t5: tuple[str, str]
    folded: int
    title: str


SD3 = FlowFamily(
    "StableDiffusion3Pipeline",
    "SD3Transformer2DModel",
    ("text_encoder_3", "tokenizer_3"),
    1,
    "Stable Diffusion 3",
)
FLUX = FlowFamily("FluxPipeline", "FluxTransformer2DModel", ("text_encoder_2", "tokenizer_2"), SIDE, "FLUX")
FAMILIES = {family.pipeline: family for family in (SD3, FLUX)}


@dataclass(frozen=True, slots=True)
class FlowCheckpoint:
    """The parts of a checkpoint, ready to run; the VAE is always float32."""

    profile: ModelProfile
    hash: str  # first hexadecimal digits of a SHA-256
    hardware: Hardware
    network: Network
    conditioner: FlowConditioner
    vae: Any
    scheduler: Any  # a template: copied for every sample
    parts: tuple[Any, ...]  # every network in memory

    @property
    def grid(self) -> int:
        """Pixels per latent."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def channels(self) -> int:
        """Numbers of a latent."""
        return int(self.vae.config.latent_channels)

    @property
    def bytes(self) -> int:
        """Memory that the weights take."""
        return sum(each.nbytes for part in self.parts for each in (*part.parameters(), *part.buffers()))


def load_flow(
    profile: ModelProfile, hardware: Hardware, found: Located, family: FlowFamily, build: Build = PLAIN
) -> FlowCheckpoint:
    """Load the checkpoint that is *found*, and fit it.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    quieten()
    source = profile.source
    hardware = hardware.of(build.dtype)
    _check_build(source, build, family)
    _check_tokens(source, found, family)
    try:
        pipeline = _pipeline(found, family, hardware.dtype, build)
        weights = weights_hash(found.place, build, "transformer")
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # the loaders raise a dozen types for a damaged file
        raise missing(source, f"is damaged or incomplete ({first_line(error)})") from error
    fit(pipeline, source, build)
    return assembled(profile, hardware, pipeline, family, weights)


def assembled(
    profile: ModelProfile, hardware: Hardware, pipeline: Any, family: FlowFamily, weights: str
) -> FlowCheckpoint:
    """Return the parts of *pipeline*, ready to run; *weights* is their hash.

    Raises:
        WorkerError: ``MODEL_MISSING``; it is no pipeline to draw whole pictures with.
    """
    _check_network(profile.source, pipeline, family)
    _check_schedule(profile.source, pipeline.scheduler)
    encoders = [
        part
        for name, part in pipeline.components.items()
        if name.startswith("text_encoder") and part is not None
    ]
    pipeline.transformer.to(hardware.dtype)
    pipeline.vae.to(torch.float32)
    for part in (pipeline.transformer, pipeline.vae, *encoders):
        part.to(hardware.device).eval().requires_grad_(requires_grad=False)
    told, network = (sd3_conditioner, SD3Network) if family is SD3 else (flux_conditioner, FluxNetwork)
    return FlowCheckpoint(
        profile=profile,
        hash=weights,
        hardware=hardware,
        network=network(pipeline.transformer),
        conditioner=told(pipeline, hardware.dtype),
        vae=pipeline.vae,
        scheduler=pipeline.scheduler,
        parts=(pipeline.transformer, pipeline.vae, *encoders),
    )


def _pipeline(found: Located, family: FlowFamily, dtype: torch.dtype, build: Build) -> Any:
    """Return the parts as their files have them; the large ones in *dtype*, the others in float32.

    A single file of these families holds the transformer alone: the other parts come from its description.
    """
    encoder, tokenizer = family.t5
    types = {"default": torch.float32, "transformer": dtype, encoder: dtype}
    given: dict[str, Any] = {"image_encoder": None, "feature_extractor": None}
    place = found.place
    if found.single:
        place = Path(str(found.description))
        given["transformer"] = getattr(diffusers, family.transformer).from_single_file(
            str(found.place),
            config=str(place),
            subfolder="transformer",
            torch_dtype=dtype,
            local_files_only=build.offline,
        )
    if family is SD3 and not (place / encoder).is_dir():
        given |= {encoder: None, tokenizer: None}  # nine gigabytes that some leave out
    return getattr(diffusers, family.pipeline).from_pretrained(
        str(place), **given, torch_dtype=types, use_safetensors=True, trust_remote_code=False
    )


def _check_build(source: str, build: Build, family: FlowFamily) -> None:
    """Refuse what the operator asks for and the family does not take.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    if build.embeddings:
        raise missing(source, f"has embeddings, which {family.title} does not take; a LoRA does the same")


def _check_tokens(source: str, found: Located, family: FlowFamily) -> None:
    """Refuse a tokenizer that only a package reads which is not installed.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    place = Path(str(found.description)) if found.single else found.place
    folder = place / family.t5[1]
    if not folder.is_dir() or (folder / "tokenizer.json").is_file() or find_spec("sentencepiece"):
        return
    raise missing(
        source,
        f"has its {family.t5[1]} as spiece.model, for which the package sentencepiece is missing: install "
        "that, or take an edition with a tokenizer.json",
    )


def _check_network(source: str, pipeline: Any, family: FlowFamily) -> None:
    """Refuse a transformer that wants to be shown more than latents: its pictures would be wrong.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    channels = pipeline.transformer.config.in_channels
    if channels != pipeline.vae.config.latent_channels * family.folded**2:
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
