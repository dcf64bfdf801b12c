"""What the output of a UNet says of the clean latents, and the output that says so.

With a the cumulative alpha of the timestep and x the network's input,
eps prediction means x0 = (x - sqrt(1-a) eps) / sqrt(a), and
v prediction means x0 = sqrt(a) x - sqrt(1-a) v (Salimans and Ho 2022, appendix D).
"""

from typing import Any

import torch

READ = ("alphas_cumprod", "init_noise_sigma", "timesteps")  # what is read of a scheduler


def alpha(scheduler: Any, timestep: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the cumulative alpha of *timestep*, of the type of *like*."""
    level: torch.Tensor = scheduler.alphas_cumprod[int(timestep)]
    return level.to(like.device, like.dtype)


def expected(scheduler: Any, x: torch.Tensor, output: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Return the clean latents that *output* points at, which the network gave for *x*."""
    a = alpha(scheduler, timestep, x)
    kind = scheduler.config.prediction_type
    if kind == "v_prediction":
        return a.sqrt() * x - (1 - a).sqrt() * output
    return output if kind == "sample" else (x - (1 - a).sqrt() * output) / a.sqrt()


def pointing(scheduler: Any, x: torch.Tensor, clean: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Return the output for *x* that points at *clean*: the inverse of `expected`.

    eps = (x - sqrt(a) x0) / sqrt(1-a), and v = (sqrt(a) x - x0) / sqrt(1-a).
    """
    a = alpha(scheduler, timestep, x)
    kind = scheduler.config.prediction_type
    if kind == "v_prediction":
        return (a.sqrt() * x - clean) / (1 - a).sqrt()
    return clean if kind == "sample" else (x - a.sqrt() * clean) / (1 - a).sqrt()
