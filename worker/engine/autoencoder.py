"""Between pixels and latents, in any family."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Protocol

import torch

from worker.api import ErrorCode
from worker.engine.blame import code_of
from worker.engine.checkpoint import Hardware

AT_ONCE = 1024 * 1024  # pixels; decoding holds hundreds of numbers for each
WHOLE = 2 * AT_ONCE  # pixels of a picture that is still decoded in one piece


class Coder(Protocol):
    """A checkpoint, as far as its autoencoder goes."""

    @property
    def vae(self) -> Any:
        """The autoencoder; it may be in a type of its own."""
        ...

    @property
    def hardware(self) -> Hardware:
        """Where it runs."""
        ...

    @property
    def grid(self) -> int:
        """Pixels per latent."""
        ...


def twin(vae: Any) -> Any:
    """Return an autoencoder with the same weights, in the same memory, and settings of its own."""
    return deepcopy(vae, {id(each): each for each in (*vae.parameters(), *vae.buffers())})


def encoded(checkpoint: Coder, picture: torch.Tensor) -> torch.Tensor:
    """Return float32 latents of *picture*, ``(1, 3, height, width)``: the middle of what the encoder says."""
    vae, config = checkpoint.vae, checkpoint.vae.config
    given = picture.to(checkpoint.hardware.device, vae.dtype)
    latents: torch.Tensor = vae.encode(given).latent_dist.mode().float()
    mean, deviation = _spread(config, latents)
    return (latents - mean) * config.scaling_factor / deviation


def decoded(checkpoint: Coder, latents: torch.Tensor) -> torch.Tensor:
    """Return the pixels of clean *latents*, ``(n, 3, height, width)``, float32, -1..1.

    As many pictures at a time as have a bounded number of pixels together, so that memory does not grow with
    the batch; a picture that has more by itself in tiles that overlap.
    """
    pixels = latents.shape[2] * latents.shape[3] * checkpoint.grid**2
    parts = latents.split(max(1, AT_ONCE // pixels))
    with _tiled(checkpoint.vae, wanted=pixels > WHOLE):
        return torch.cat([piece for part in parts for piece in _pieces(checkpoint, part)])


def _pieces(checkpoint: Coder, latents: torch.Tensor) -> list[torch.Tensor]:
    """Return the pixels of *latents*, fewer at a time where memory does not suffice, and at last in tiles."""
    try:
        return [_decoded(checkpoint, latents)]
    except Exception as error:
        if code_of(error) is not ErrorCode.OUT_OF_MEMORY or not _divisible(checkpoint.vae, latents):
            raise
    if len(latents) == 1:
        with _tiled(checkpoint.vae, wanted=True):
            return [_decoded(checkpoint, latents)]
    return [piece for half in latents.chunk(2) for piece in _pieces(checkpoint, half)]


def _divisible(vae: Any, latents: torch.Tensor) -> bool:
    """Tell whether *latents* can be decoded in smaller parts than they were."""
    return len(latents) > 1 or (_tileable(vae) and not vae.use_tiling)


def _decoded(checkpoint: Coder, latents: torch.Tensor) -> torch.Tensor:
    vae, config = checkpoint.vae, checkpoint.vae.config
    mean, deviation = _spread(config, latents)
    given = latents * deviation / config.scaling_factor + mean
    pixels: torch.Tensor = vae.decode(given.to(vae.dtype), return_dict=False)[0]
    return pixels.float()


@contextmanager
def _tiled(vae: Any, *, wanted: bool) -> Iterator[None]:
    """While inside and *wanted*, let *vae* decode in tiles, if it can, unless edges are to meet."""
    tiling = wanted and _tileable(vae)
    try:
        if tiling:
            vae.enable_tiling()
        yield
    finally:
        if tiling:
            vae.disable_tiling()


def _tileable(vae: Any) -> bool:
    meeting = any(getattr(module, "padding_mode", "zeros") == "circular" for module in vae.modules())
    return not meeting and hasattr(vae, "enable_tiling")


def _spread(config: Any, latents: torch.Tensor) -> tuple[torch.Tensor | float, torch.Tensor | float]:
    """Return mean and deviation that latents had before they were centred and scaled; most are as they are.

    A few checkpoints have them channel by channel.
    """
    if config.get("latents_mean") is None or config.get("latents_std") is None:
        return config.get("shift_factor") or 0.0, 1.0
    mean, deviation = (latents.new_tensor(config[name]) for name in ("latents_mean", "latents_std"))
    return mean.view(1, -1, 1, 1), deviation.view(1, -1, 1, 1)
