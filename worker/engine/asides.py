"""What some UNets are told beside time and words: a summary and sizes, or how much guidance."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from worker.engine.checkpoint import is_steered, is_told_sizes
from worker.engine.conditioning import Told
from worker.engine.transfer import sent

PERIOD = 10_000  # of the slowest wave, as diffusers has it


def asides(
    config: Any, told: Sequence[Told], guidance: Sequence[float], size: tuple[int, int]
) -> dict[str, Any]:
    """Return what a UNet of this *config* is given beside time and words, by the names of its arguments.

    Args:
        config: Of the UNet.
        told: What each row is told.
        guidance: Of each row.
        size: Height and width of the pictures in pixels.
    """
    asides: dict[str, Any] = {}
    if is_told_sizes(config):
        # As they were before anything was cut off, where they were cut, and as they are drawn: nothing was.
        row = sent([*size, 0, 0, *size], told[0].pooled.device, torch.float32)
        asides["added_cond_kwargs"] = {
            "text_embeds": torch.cat([each.pooled for each in told]),
            "time_ids": row.repeat(len(told), 1),
        }
    if is_steered(config):
        waves = guidance_waves(torch.tensor(guidance), int(config.time_cond_proj_dim))
        asides["timestep_cond"] = sent(waves, told[0].context.device, told[0].context.dtype)
    return asides


def guidance_waves(guidance: torch.Tensor, width: int) -> torch.Tensor:
    """Return *guidance*, shape ``(n,)``, as sines and cosines, ``(n, width)``.

    As the distilled networks learnt it: of a thousand times what is beyond 1 (Luo et al. 2023, "Latent
    Consistency Models", after the embedding of time in Vaswani et al. 2017).
    """
    half = width // 2
    slower = torch.exp(torch.arange(half) * -(torch.log(torch.tensor(float(PERIOD))) / (half - 1)))
    angles = 1000 * (guidance[:, None] - 1) * slower
    return functional.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width % 2))
