"""What the output of a UNet says of the clean latents, and the output that says so.

With a the cumulative alpha of the timestep and x the network's input,
eps prediction means x0 = (x - sqrt(1-a) eps) / sqrt(a), and
v prediction means x0 = sqrt(a) x - sqrt(1-a) v (Salimans and Ho 2022, appendix D).
"""

from typing import Any

import torch

READ = ("alphas_cumprod", "init_noise_sigma", "timesteps")  # what is read of a scheduler


def alpha(scheduler: Any, timestep: torch.Tensor) -> torch.Tensor:
    """Return the cumulative alpha of *timestep*: one number, on the CPU as they both are."""
    level: torch.Tensor = scheduler.alphas_cumprod[int(timestep)]
    return level


def noised(
    scheduler: Any, picture: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor
) -> torch.Tensor:
    """Return clean latents *picture* under as much *noise* as is left at *timestep*, of shape ``(1,)``.

    The scheduler is asked for the share of either, on the CPU. Given latents, it would move its tables to
    their device, and every later step would wait there to read them.
    """
    one, none = torch.ones(1), torch.zeros(1)
    share, level = scheduler.add_noise(one, none, timestep)[0], scheduler.add_noise(none, one, timestep)[0]
    under: torch.Tensor = share * picture + level * noise
    return under


def expected(scheduler: Any, x: torch.Tensor, output: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Return the clean latents that *output* points at, which the network gave for *x*."""
    a = alpha(scheduler, timestep)
    kind = scheduler.config.prediction_type
    if kind == "v_prediction":
        return a.sqrt() * x - (1 - a).sqrt() * output
    return output if kind == "sample" else (x - (1 - a).sqrt() * output) / a.sqrt()


def pointing(scheduler: Any, x: torch.Tensor, clean: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Return the output for *x* that points at *clean*: the inverse of `expected`.

    eps = (x - sqrt(a) x0) / sqrt(1-a), and v = (sqrt(a) x - x0) / sqrt(1-a).
    """
    a = alpha(scheduler, timestep)
    kind = scheduler.config.prediction_type
    if kind == "v_prediction":
        return (a.sqrt() * x - clean) / (1 - a).sqrt()
    return clean if kind == "sample" else (x - a.sqrt() * clean) / (1 - a).sqrt()
