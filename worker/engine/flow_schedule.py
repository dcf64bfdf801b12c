"""Schedules of flow matching: latents are the mean of a picture and noise, and sigma is the noise's share."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from worker.engine.passes import Pass
from worker.recipe import Drawing

NEEDED = ("sigmas", "scale_noise")  # what is read of a scheduler
ASKED = frozenset({"sigmas", "mu"})  # what its `set_timesteps` must take

# What a schedule that shifts by size takes where its configuration is silent, as diffusers has it.
BASE_TOKENS, MOST_TOKENS, BASE_SHIFT = 256, 4096, 0.5


@dataclass(slots=True, kw_only=True)
class Way(Pass):
    """The steps a picture takes at one size."""

    sigmas: torch.Tensor  # the noise's share before each step, and after the last


def way_of(scheduler: Any, recipe: Drawing, strength: float | None = None, times: int = 1) -> Way:
    """Return the way through the schedule that *recipe* asks for.

    Args:
        scheduler: One that has not taken a step; it becomes the way's own.
        recipe: How long the schedule is, and where it is left.
        strength: Share of the schedule that is drawn over something; None: all, from noise.
        times: As long sides as the first pass has.
    """
    begin = 0 if strength is None else begin_of(recipe.steps, strength)
    scheduler.set_begin_index(begin)
    whole = len(scheduler.timesteps)
    stop = max(begin + 1, round(whole * recipe.stop_after / recipe.steps))
    return Way(
        scheduler,
        scheduler.timesteps[begin:stop],
        whole=stop == whole,
        times=times,
        sigmas=scheduler.sigmas[begin : stop + 1],
    )


def scheduled(template: Any, steps: int, tokens: int, *, evenly: bool, most_shift: float) -> Any:
    """Return a scheduler like *template* that has not taken a step.

    Its tables are on the CPU, whatever the device: who reads them decides by them, and does not wait.

    Args:
        template: A scheduler of flow matching; it is not changed.
        steps: Length of the schedule.
        tokens: Patches of a picture.
        evenly: Begin with sigmas that fall evenly from 1 to 1/steps, as FLUX does, not with the scheduler's
            own.
        most_shift: Shift of the largest picture, where the configuration is silent.
    """
    scheduler = copy.deepcopy(template)
    config = scheduler.config
    shifting = {"mu": shift_of(tokens, config, most_shift)} if config.get("use_dynamic_shifting") else {}
    if evenly and not config.get("use_flow_sigmas"):
        sigmas = np.linspace(1.0, 1 / steps, steps)
        scheduler.set_timesteps(sigmas=sigmas, device="cpu", **shifting)
    else:
        scheduler.set_timesteps(steps, device="cpu", **shifting)
    return scheduler


def shift_of(tokens: int, config: Mapping[str, Any], most_shift: float) -> float:
    """Return how far a picture of so many patches has its schedule shifted toward noise: mu, linear in them.

    Larger pictures need more noise to hide as much of them (Esser et al. 2024, section 5.3.2).
    """
    base, most = config.get("base_image_seq_len", BASE_TOKENS), config.get("max_image_seq_len", MOST_TOKENS)
    low, high = config.get("base_shift", BASE_SHIFT), config.get("max_shift", most_shift)
    slope = (high - low) / (most - base)
    return float(tokens * slope + (low - slope * base))


def begin_of(steps: int, strength: float) -> int:
    """Return the step at which *strength* (0..1) of a schedule is left; at least the last one is.

    As diffusers' image-to-image pipelines of these families: a started step counts.
    """
    return min(int(max(steps - steps * strength, 0)), steps - 1)


def noised(picture: torch.Tensor, noise: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return clean latents *picture* with *sigma* (0..1) of *noise*."""
    return sigma * noise + (1 - sigma) * picture


def expected(x: torch.Tensor, velocity: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return the clean latents that a prediction at *x* points at.

    The velocity is noise minus picture, and x = (1 - sigma) picture + sigma noise, so picture is
    x - sigma velocity (Lipman et al. 2023, with straight paths).
    """
    return x - sigma * velocity


def pointing(x: torch.Tensor, picture: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return the prediction at *x* that points at *picture*: the inverse of `expected`."""
    return (x - picture) / sigma


def signal_of(sigma: torch.Tensor) -> float:
    """Return how much of the picture stands out of the noise, 0..1: the root of its share of the variance.

    For schedules that keep variance it is the root of the cumulative alpha.
    """
    signal = 1 - sigma
    return float(signal / (signal**2 + sigma**2).sqrt())
