"""What a checkpoint is fitted with beyond its own files: scheduler, autoencoder, LoRAs, learnt words."""

import hashlib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.textual_inversion import load_textual_inversion_state_dicts
from diffusers.utils import is_peft_available

from worker.catalogue import Build, Embedding
from worker.engine.sources import absent, at_hand, first_line, missing
from worker.engine.whole import check_whole
from worker.hub.choice import SUFFIX, Role

READ = (
    "alphas_cumprod",
    "init_noise_sigma",
    "timesteps",
    "scale_noise",
)  # what denoisers read of a scheduler

OTHER = "is for another kind of network"
MISFITS = ("size mismatch", "not found in the base model")  # how the libraries say that of a LoRA
TRIED = 4  # steps that every schedule has

PAIR = {
    "clip_l": "",
    "clip_g": "_2",
}  # vectors of a word for two encoders, and what the names of those end with


def fit(pipeline: Any, source: str, build: Build) -> Mapping[str, str]:
    """Fit *pipeline* as *build* says, in float32.

    Returns:
        For each learnt word what the text encoder reads in its place: one that stands for several vectors is
        several words.

    Raises:
        WorkerError: ``MODEL_MISSING``; something does not exist, or does not fit.
    """
    if build.scheduler is not None or build.scheduler_options:
        pipeline.scheduler = _scheduler(pipeline.scheduler, source, build)
    if build.vae is not None:
        pipeline.vae = _autoencoder(pipeline, source, build)
    words = _words(pipeline, source, build)
    if build.loras:
        _fuse(pipeline, source, build)
    return words


def mark(build: Build) -> bytes:
    """Return what tells one *build* from another; empty if it changes nothing about pictures."""
    digest = hashlib.sha256()
    changes = False
    for name, setting in _settings(build):
        changes = True
        digest.update(f"{name}={setting}\0".encode())
    return digest.digest() if changes else b""


def _settings(build: Build) -> Iterator[tuple[str, str]]:
    if build.scheduler is not None:
        yield "scheduler", build.scheduler
    for name, value in sorted(build.scheduler_options.items()):
        yield name, repr(value)
    if build.guidance_interval != (0.0, 1.0):
        yield "guidance_interval", repr(build.guidance_interval)
    if build.vae is not None:
        yield "vae", _content(build.vae)
    for lora in build.loras:
        yield "lora", f"{_content(lora.source)} {lora.weight!r}"
    for word in build.embeddings:
        yield "word", f"{_content(word.source)} {word.token}"
    if build.ip_adapter is not None:
        yield "ip_adapter", f"{_content(build.ip_adapter.source)} {build.ip_adapter.encoder}"


def _content(source: str) -> str:
    """Return a hash of the weights of *source*; of a hub id its name, for those do not change there."""
    path = Path(source)
    if not path.exists():
        return source
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*.safetensors")):
        with file.open("rb") as weights:
            while block := weights.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _scheduler(own: Any, source: str, build: Build) -> Any:
    """Return a scheduler of the class that is asked for, set up like the checkpoint's *own*.

    Raises:
        WorkerError: ``MODEL_MISSING``; there is none of that name or kind, or it has no such option or value.
    """
    name = build.scheduler or type(own).__name__
    kind: Any = getattr(diffusers, name, None)
    schedules = inspect.isclass(kind) and issubclass(kind, diffusers.SchedulerMixin)
    if not schedules:
        raise missing(source, f"asks for the scheduler {name}, which diffusers does not have")
    unknown = sorted(build.scheduler_options.keys() - inspect.signature(kind).parameters.keys())
    if unknown:
        raise missing(source, f"sets {', '.join(unknown)}, which the scheduler {name} does not have")
    made = kind.from_config(own.config, **build.scheduler_options)
    if not hasattr(made, "scale_noise"):  # a schedule of flow matching must be told a shift beside the steps
        try:
            kind.from_config(made.config).set_timesteps(TRIED)
        except Exception as error:
            what = f"sets up the scheduler {name} in a way that it does not take ({first_line(error)})"
            raise missing(source, what) from error
    if any(hasattr(made, each) is not hasattr(own, each) for each in READ):
        raise missing(source, f"asks for the scheduler {name}, which is for another kind of network")
    return made


def _autoencoder(pipeline: Any, source: str, build: Build) -> Any:
    """Return another autoencoder for the same latents.

    Raises:
        WorkerError: ``MODEL_MISSING``; it cannot be loaded, or its latents are others.
    """
    place = str(build.vae)
    folder = _placed("vae", place, Role.AUTOENCODER, source, build)
    inside = {"subfolder": "vae"} if (folder / "model_index.json").is_file() else {}
    try:
        vae = diffusers.AutoencoderKL.from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, **inside
        )
        check_whole({"network": vae})
    except Exception as error:
        raise missing(
            source, f"wants the vae {place}, which cannot be loaded ({first_line(error)})"
        ) from error
    own = pipeline.vae.config
    alike = (vae.config.latent_channels, len(vae.config.block_out_channels))
    if alike != (own.latent_channels, len(own.block_out_channels)):
        raise missing(source, f"wants the vae {place}, whose latents are of another shape")
    return vae


def _words(pipeline: Any, source: str, build: Build) -> Mapping[str, str]:
    words = {}
    for word in build.embeddings:
        place = _tensors(_placed("embedding", word.source, Role.ADDITION, source, build))
        try:
            _learn(pipeline, word, place)
        except Exception as error:
            if "incorrect shape" in str(error):
                what = f"wants the embedding {word.source}, which was taught to another text encoder"
                raise missing(source, what) from error
            what = f"wants the embedding {word.source}, which cannot be loaded ({first_line(error)})"
            raise missing(source, what) from error
        words[word.token] = pipeline.maybe_convert_prompt(word.token, pipeline.tokenizer)
    return words


def _learn(pipeline: Any, word: Embedding, place: Path) -> None:
    """Teach *word*, of the file or folder *place*, to the text encoder of *pipeline*, or to both of two.

    Raises:
        ValueError: It is for another number of encoders.
    """
    states = load_textual_inversion_state_dicts([str(place)], use_safetensors=True, local_files_only=True)
    if not isinstance(pipeline, diffusers.StableDiffusionXLPipeline):
        pipeline.load_textual_inversion(states, token=word.token)
        return
    if not all(name in states[0] for name in PAIR):
        raise ValueError("it was not taught to the two encoders of Stable Diffusion XL")
    for name, number in PAIR.items():
        pipeline.load_textual_inversion(
            states[0][name],
            token=word.token,
            text_encoder=getattr(pipeline, f"text_encoder{number}"),
            tokenizer=getattr(pipeline, f"tokenizer{number}"),
        )


def _placed(kind: str, place: str, role: Role, source: str, build: Build) -> Path:
    """Return where something that *source* is fitted with is on this machine.

    Raises:
        WorkerError: ``MODEL_MISSING``; it was never fetched.
    """
    found = at_hand(place, role)
    if found is None:
        raise missing(source, f"wants the {kind} {place}, which {absent(build)}")
    if not found.exists():
        raise missing(source, f"wants the {kind} {place}, which does not exist")
    return found


def _tensors(place: Path) -> Path:
    """Return the only file of weights in the folder *place*; else itself, for the libraries to look in."""
    found = [path for path in place.glob(f"*{SUFFIX}") if path.is_file()] if place.is_dir() else []
    return found[0] if len(found) == 1 else place


def _fuse(pipeline: Any, source: str, build: Build) -> None:
    """Add the LoRAs to the weights: a step then costs what it cost without them."""
    if not is_peft_available():
        raise missing(source, "has loras, for which the package peft is missing")
    for number, lora in enumerate(build.loras):
        name = f"lora{number}"
        place = _tensors(_placed("LoRA", lora.source, Role.ADDITION, source, build))
        where: dict[str, Any] = {"weight_name": place.name} if place.is_file() else {}
        try:
            pipeline.load_lora_weights(
                str(place.parent if place.is_file() else place),
                adapter_name=name,
                use_safetensors=True,
                local_files_only=True,
                **where,
            )
        except Exception as error:
            if any(told in str(error) for told in MISFITS):
                raise missing(source, f"wants the LoRA {lora.source}, which {OTHER}") from error
            what = f"wants the LoRA {lora.source}, which cannot be loaded ({first_line(error)})"
            raise missing(source, what) from error
        if not any(name in names for names in pipeline.get_list_adapters().values()):
            raise missing(source, f"wants the LoRA {lora.source}, which {OTHER}")
        with torch.no_grad():
            pipeline.set_adapters([name], adapter_weights=[lora.weight])
            pipeline.fuse_lora(adapter_names=[name])
            pipeline.unload_lora_weights()
