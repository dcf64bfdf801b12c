"""One Stable Diffusion 1.x or 2.x checkpoint in memory."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from worker.api import ErrorCode, WorkerError
from worker.recipe import ModelProfile

FAMILY = "StableDiffusionPipeline"
LIBRARIES = frozenset({"diffusers", "transformers"})  # whose classes may be the parts
LEFT_OUT = frozenset({"safety_checker", "feature_extractor"})  # parts that are not loaded
HASH_DIGITS = 10  # as people know them from other programs' PNG metadata


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where tensors live and in which type the UNet runs."""

    device: torch.device
    dtype: torch.dtype

    @classmethod
    def named(cls, device: str = "auto", dtype: str = "auto") -> "Hardware":
        """Return the hardware of these names; ``auto`` takes the best there is."""
        if device == "auto":
            device = _best_device()
        chosen = _best_dtype(device) if dtype == "auto" else getattr(torch, dtype)
        return cls(torch.device(device), chosen)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The parts of a checkpoint, ready to run; the VAE is always float32."""

    profile: ModelProfile
    hash: str  # first hexadecimal digits of the SHA-256 of the UNet's weights
    hardware: Hardware
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler: Any  # a template: copied for every sample

    @property
    def grid(self) -> int:
        """Pixels per latent."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))


def load(profile: ModelProfile, hardware: Hardware) -> Checkpoint:
    """Load the checkpoint that *profile* names, from its folder or from the hub.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    _quieten()
    try:
        folder = _folder(profile.source)
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
            str(folder),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            use_safetensors=True,  # a pickle may run any program when it is read
            trust_remote_code=False,
        )
        weights_hash = _hash(folder / "unet")
    except WorkerError:
        raise
    except Exception as error:  # the loaders raise a dozen types for a damaged file
        raise _missing(profile.source, f"is damaged or incomplete ({_first_line(error)})") from error
    unet = pipeline.unet.to(hardware.device, hardware.dtype, memory_format=torch.channels_last)
    return Checkpoint(
        profile=profile,
        hash=weights_hash,
        hardware=hardware,
        unet=unet.eval().requires_grad_(requires_grad=False),
        vae=pipeline.vae.to(hardware.device, torch.float32).eval().requires_grad_(requires_grad=False),
        text_encoder=pipeline.text_encoder.to(hardware.device, torch.float32).eval(),
        tokenizer=pipeline.tokenizer,
        scheduler=pipeline.scheduler,
    )


def _folder(source: str) -> Path:
    """Return the local folder of *source*, fetched from the hub if it is a hub id."""
    folder = Path(source).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or source.count("/") != 1:
            raise _missing(source, "does not exist")
        try:
            folder = Path(diffusers.DiffusionPipeline.download(source, use_safetensors=True))
        except Exception as error:  # network, HTTP, authorisation, offline mode
            raise _missing(source, f"could not be fetched ({_first_line(error)})") from error
    if not (folder / "model_index.json").is_file():
        raise _missing(source, "has no model_index.json: it must be a folder in diffusers layout")
    index = diffusers.DiffusionPipeline.load_config(str(folder))
    family = index.get("_class_name")
    if family != FAMILY:
        raise _missing(
            source, f"is a {family}; only {FAMILY} (Stable Diffusion 1.x and 2.x) can be drawn with"
        )
    _check_parts(source, index)
    return folder


def _check_parts(source: str, index: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that brings code of its own, or names a module that happens to be loaded.

    Raises:
        WorkerError: ``MODEL_MISSING``.
    """
    for part, named in index.items():
        if part in LEFT_OUT or not isinstance(named, list) or not any(named):
            continue
        if named[0] not in LIBRARIES:
            raise _missing(source, f"wants its {part} made by {named[0]}, which is code that nobody checked")


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as weights:
            while block := weights.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:HASH_DIGITS]


def _missing(source: str, what: str) -> WorkerError:
    return WorkerError(ErrorCode.MODEL_MISSING, model=source, reason=f"The model {source} {what}.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__


def _quieten() -> None:
    """Stop the libraries' progress bars and advice: our log is for operators."""
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _best_dtype(device: str) -> torch.dtype:
    """Full precision on a CPU, where half is no faster; bfloat16 where the GPU has it."""
    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if device == "cuda" and torch.cuda.is_bf16_supported() else torch.float16
