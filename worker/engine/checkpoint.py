"""One Stable Diffusion 1.x, 2.x or XL checkpoint in memory."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from worker.catalogue import Build
from worker.engine.coded import Coded
from worker.engine.fittings import fit, mark
from worker.engine.ip_adapter import Eye, fitted
from worker.engine.precision import best_device, is_large, large_type, layout, placed, usual_type
from worker.engine.prediction import READ
from worker.engine.small_maps import quickened
from worker.engine.sources import Located, located, missing
from worker.engine.whole import check_whole, readers, reading, weight_of
from worker.family import Family
from worker.recipe import ModelProfile

HASH_DIGITS = 10  # as people know them from other programs' PNG metadata
SIZES = 6  # numbers that tell a UNet of Stable Diffusion XL how large a picture is and where it was cut
PLAIN = Build()  # as its own files say
PIPELINES = {
    Family.STABLE_DIFFUSION: diffusers.StableDiffusionPipeline,
    Family.STABLE_DIFFUSION_XL: diffusers.StableDiffusionXLPipeline,
}


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where tensors live and in which type the UNet runs."""

    device: torch.device
    dtype: torch.dtype
    large: torch.dtype | None = None  # of large networks, where it is another

    @classmethod
    def named(cls, device: str = "auto", dtype: str = "auto") -> "Hardware":
        """Return the hardware of these names; ``auto`` takes the best there is."""
        if device == "auto":
            device = best_device()
        if dtype != "auto":
            return cls(torch.device(device), getattr(torch, dtype))
        usual, large = usual_type(device), large_type(device)
        return cls(torch.device(device), usual, None if large == usual else large)

    @property
    def title(self) -> str:
        """What people are told of it, such as ``cpu, float32, large models bfloat16``."""
        types = [self.dtype] if self.large is None else [self.dtype, self.large]
        return f"{self.device}, {', large models '.join(str(each) for each in types)}".replace("torch.", "")

    @property
    def memory(self) -> int:
        """Bytes that the device has; of the CPU what the machine has."""
        if self.device.type == "cuda":
            return int(torch.cuda.get_device_properties(self.device).total_memory)
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def of(self, dtype: str) -> "Hardware":
        """Return the same device with the type *dtype*; ``auto`` leaves it."""
        return self if dtype == "auto" else Hardware(self.device, getattr(torch, dtype))

    def suiting(self, place: Path, network: str) -> "Hardware":
        """Return the same device with the type that suits the weights of *network* in *place*."""
        if self.large is None or not is_large(place, network):
            return self
        return Hardware(self.device, self.large)


@dataclass(frozen=True, slots=True)
class Second:
    """The larger text encoder of Stable Diffusion XL, beside the one that all have."""

    text_encoder: Any
    tokenizer: Any
    blank: bool  # zeros stand for a prompt where nothing is led away from


@dataclass(frozen=True, slots=True)
class Checkpoint(Coded):
    """The parts of a checkpoint, ready to run."""

    profile: ModelProfile
    hash: str  # first hexadecimal digits of a SHA-256: see `weights_hash`
    hardware: Hardware
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler: Any  # a template: copied for every sample
    words: Mapping[str, str] = field(default_factory=dict)  # learnt words, and what is read in their place
    second: Second | None = None
    span: tuple[float, float] = (0.0, 1.0)  # shares of the schedule between which guidance counts
    eye: Eye | None = None  # what reads pictures for the UNet, where it has an IP-Adapter

    @property
    def layout(self) -> torch.memory_format:
        """How the UNet's maps lie in memory: as its weights do."""
        last = torch.channels_last
        weight = self.unet.conv_in.weight
        return last if weight.is_contiguous(memory_format=last) else torch.contiguous_format

    @property
    def steered(self) -> bool:
        """True if guidance is an input of the UNet: a picture takes one row, whatever its guidance."""
        return is_steered(self.unet.config)

    @property
    def bytes(self) -> int:
        """Memory that the weights take."""
        second = () if self.second is None else (self.second.text_encoder,)
        parts = (self.unet, self.vae, self.text_encoder, *second)
        own = weight_of(parts)
        return own if self.eye is None else own + self.eye.weight


def load(
    profile: ModelProfile, hardware: Hardware, build: Build = PLAIN, found: Located | None = None
) -> Checkpoint:
    """Load the checkpoint that *profile* names, from its folder or its file, and fit it.

    Args:
        profile: What it is.
        hardware: Where it runs.
        build: How it is put together.
        found: Where it is, if that is known.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    quieten()
    hardware = hardware.of(build.dtype)
    found = found or located(profile.source, build)
    if found.family not in PIPELINES:
        raise missing(profile.source, f"is of {found.family.facts.title}, which another denoiser draws")
    with reading(profile.source):
        hardware = hardware.suiting(found.place, "unet")
        pipeline = _pipeline(found)
        check_whole(pipeline.components)
        weights = weights_hash(found.place, build)
    _check_network(profile.source, pipeline, found.family)
    words = fit(pipeline, profile.source, build)
    eye = fitted(pipeline, profile.source, build, hardware)
    lies = layout(hardware.device, large=is_large(found.place, "unet"))
    unet = pipeline.unet.to(hardware.device, hardware.dtype, memory_format=lies)
    return Checkpoint(
        profile=profile,
        hash=weights,
        hardware=hardware,
        unet=quickened(unet.eval().requires_grad_(requires_grad=False), hardware.device),
        vae=placed(pipeline.vae, hardware.device, hardware.dtype).eval().requires_grad_(requires_grad=False),
        text_encoder=pipeline.text_encoder.to(hardware.device, torch.float32).eval(),
        tokenizer=pipeline.tokenizer,
        scheduler=pipeline.scheduler,
        words=words,
        second=_second(pipeline, hardware),
        span=build.guidance_interval,
        eye=eye,
    )


def _second(pipeline: Any, hardware: Hardware) -> Second | None:
    """Return the second text encoder, if *pipeline* has one, in the UNet's type: it is large."""
    if not isinstance(pipeline, diffusers.StableDiffusionXLPipeline):
        return None
    encoder = pipeline.text_encoder_2.to(hardware.device, hardware.dtype).eval()
    return Second(encoder, pipeline.tokenizer_2, bool(pipeline.config.force_zeros_for_empty_prompt))


def is_told_sizes(config: Any) -> bool:
    """Tell whether a UNet of this *config* takes a summary of the prompt and sizes."""
    return bool(config.get("addition_embed_type") == "text_time")


def is_steered(config: Any) -> bool:
    """Tell whether guidance is an input of a UNet of this *config*: a picture takes one row of a batch."""
    return config.get("time_cond_proj_dim") is not None


def _check_network(source: str, pipeline: Any, family: Family) -> None:
    """Refuse a UNet that wants to be told more than a denoiser tells it: its pictures would be wrong.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    config = pipeline.unet.config
    if config.in_channels != pipeline.vae.config.latent_channels:
        raise missing(source, "is made for filling in pictures; take the one that draws whole ones")
    if family is Family.STABLE_DIFFUSION_XL:
        told = is_told_sizes(config) and _told_width(pipeline) == config.projection_class_embeddings_input_dim
    else:
        told = config.get("addition_embed_type") in {None, "text"}  # "text" looks at the prompt once more
    if not told or config.get("class_embed_type"):
        raise missing(source, "has a UNet that is told more than a prompt, which cannot be drawn with")
    if not all(hasattr(pipeline.scheduler, each) for each in READ):
        name = type(pipeline.scheduler).__name__
        raise missing(source, f"has the scheduler {name}, which is for another kind of network")


def _told_width(pipeline: Any) -> int:
    """Return how many numbers the UNet of Stable Diffusion XL is told beside the words."""
    sizes = SIZES * pipeline.unet.config.addition_time_embed_dim
    return int(sizes + pipeline.text_encoder_2.config.projection_dim)


def _pipeline(found: Located) -> Any:
    """Return the parts as their files have them, in float32. A pickle may run any program when it is read."""
    kind = PIPELINES[found.family]
    left_out: dict[str, Any] = {"feature_extractor": None, "image_encoder": None}
    if found.family is Family.STABLE_DIFFUSION:
        left_out |= {"safety_checker": None, "requires_safety_checker": False}
    else:
        left_out |= {"add_watermarker": False}
    if found.single:
        made = kind.from_single_file(
            str(found.place), config=found.description, **left_out, local_files_only=True
        )
        own = type(made.scheduler)
        taken = signature(own).parameters
        told = {name: value for name, value in found.schedule.items() if name in taken}
        made.scheduler = own.from_config(made.scheduler.config, **told)
        return made
    parts = left_out | readers(found.place, {})
    return kind.from_pretrained(str(found.place), **parts, use_safetensors=True, trust_remote_code=False)


def weights_hash(place: Path, build: Build, network: str = "unet") -> str:
    """Return the hash of the weights of *network*, or of a single file, with what they are fitted with."""
    digest = hashlib.sha256()
    for path in [place] if place.is_file() else sorted((place / network).glob("*.safetensors")):
        with path.open("rb") as weights:
            while block := weights.read(1 << 20):
                digest.update(block)
    digest.update(mark(build))
    return digest.hexdigest()[:HASH_DIGITS]


def quieten() -> None:
    """Stop the libraries' progress bars and advice: our log is for operators."""
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
