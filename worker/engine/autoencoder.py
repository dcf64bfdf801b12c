"""Between pixels and latents, in any family."""

from typing import Any, Protocol

import torch

from worker.engine.checkpoint import Hardware


class Coder(Protocol):
    """A checkpoint, as far as its autoencoder goes."""

    @property
    def vae(self) -> Any:
        """The autoencoder, in float32."""
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
    """Return the latents of *picture*, ``(1, 3, height, width)``: the middle of what the encoder says."""
    config = checkpoint.vae.config
    latents: torch.Tensor = checkpoint.vae.encode(picture.to(checkpoint.hardware.device)).latent_dist.mode()
    return (latents - _shift(config)) * config.scaling_factor


def decoded(checkpoint: Coder, latents: torch.Tensor) -> torch.Tensor:
    """Return the pixels of clean *latents*, ``(n, 3, height, width)``, -1..1."""
    config = checkpoint.vae.config
    pixels: torch.Tensor = checkpoint.vae.decode(
        latents / config.scaling_factor + _shift(config), return_dict=False
    )[0]
    return pixels


def _shift(config: Any) -> float:
    """Return the mean that latents had before they were centred; most families leave it."""
    return config.get("shift_factor") or 0.0
