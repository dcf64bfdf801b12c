"""Between pixels and latents, in any family."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch

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
        return torch.cat([_decoded(checkpoint, part) for part in parts])


def _decoded(checkpoint: Coder, latents: torch.Tensor) -> torch.Tensor:
    vae, config = checkpoint.vae, checkpoint.vae.config
    mean, deviation = _spread(config, latents)
    given = latents * deviation / config.scaling_factor + mean
    pixels: torch.Tensor = vae.decode(given.to(vae.dtype), return_dict=False)[0]
    return pixels.float()


@contextmanager
def _tiled(vae: Any, *, wanted: bool) -> Iterator[None]:
    """While inside and *wanted*, let *vae* decode in tiles, if it can, unless edges are to meet."""
    meeting = any(getattr(module, "padding_mode", "zeros") == "circular" for module in vae.modules())
    tiling = wanted and not meeting and hasattr(vae, "enable_tiling")
    try:
        if tiling:
            vae.enable_tiling()
        yield
    finally:
        if tiling:
            vae.disable_tiling()


def _spread(config: Any, latents: torch.Tensor) -> tuple[torch.Tensor | float, torch.Tensor | float]:
    """Return mean and deviation that latents had before they were centred and scaled; most are as they are.

    A few checkpoints have them channel by channel.
    """
    if config.get("latents_mean") is None or config.get("latents_std") is None:
        return config.get("shift_factor") or 0.0, 1.0
    mean, deviation = (latents.new_tensor(config[name]) for name in ("latents_mean", "latents_std"))
    return mean.view(1, -1, 1, 1), deviation.view(1, -1, 1, 1)
