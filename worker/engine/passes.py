"""One way through a schedule, and a second at a larger size over what the first drew."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from worker.device import DeviceJob
from worker.engine.autoencoder import Coder, decoded, encoded
from worker.engine.plan import BatchKey, Sample, SampleId, Stage
from worker.recipe import Drawing, begin_of

RIM = 2  # how far bicubic interpolation looks


@dataclass(slots=True)
class Pass:
    """The steps a picture takes at one size."""

    scheduler: Any  # counts its own steps
    timesteps: torch.Tensor  # those to be taken, in order
    whole: bool  # False if the schedule is left early
    times: int = 1  # as long sides as the first pass has


def again(scheduler: Any, recipe: Drawing) -> Pass | None:
    """Return the second pass that *recipe* asks for, if any; *scheduler* becomes its own."""
    if recipe.second is None:
        return None
    return replace(passing(scheduler, recipe, recipe.second.strength), times=recipe.second.times)


def passing(scheduler: Any, recipe: Drawing, strength: float | None = None) -> Pass:
    """Return the way through the schedule that *recipe* asks for.

    Args:
        scheduler: One that has not taken a step; it becomes the pass's own.
        recipe: How long the schedule is, and where it is left.
        strength: Share of the schedule that is drawn over something; None: all, from noise.
    """
    timesteps, begin = scheduler.timesteps, 0
    if strength is not None:
        begin = begin_of(recipe.steps, strength) * scheduler.order
        if hasattr(scheduler, "set_begin_index"):  # the others find their place by the timestep
            scheduler.set_begin_index(begin)
    stop = max(begin + 1, round(len(timesteps) * recipe.stop_after / recipe.steps))
    return Pass(scheduler, timesteps[begin:stop], whole=stop == len(timesteps))


def sampled(sample_id: SampleId, key: BatchKey, job: DeviceJob, ways: tuple[Pass, Pass | None]) -> Sample:
    """Return what the step scheduler sees of a picture of *job* whose first pass has the key *key*."""
    first, second = ways
    steps = begin = len(first.timesteps)
    stage = None
    if second is not None:
        wider = replace(key, width=key.width * second.times, height=key.height * second.times)
        stage = Stage(begin=begin, key=wider, weight=second.times**2)
        steps += len(second.timesteps)
    return Sample(sample_id, key, job.speed, job.owner_id, steps=steps, stage=stage)


def enlarged(checkpoint: Coder, latents: torch.Tensor, times: int, *, edge: str) -> torch.Tensor:
    """Return the latents of the picture that *latents* are of, so many times larger.

    By way of its pixels: enlarged latents decode to blocks, which the steps of a second pass keep.
    """
    picture = grown(decoded(checkpoint, latents), times, edge=edge)
    return encoded(checkpoint, picture.clamp(-1, 1))


def grown(picture: torch.Tensor, times: int, *, edge: str) -> torch.Tensor:
    """Return pixels or latents, ``(n, channels, rows, columns)``, enlarged by bicubic interpolation.

    *edge* is what is beyond the edge, as `torch.nn.functional.pad` calls it.
    """
    padded = functional.pad(picture, (RIM,) * 4, mode=edge)
    large = functional.interpolate(padded, scale_factor=times, mode="bicubic", align_corners=False)
    rim = RIM * times
    return large[:, :, rim:-rim, rim:-rim]


def broad(latents: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return what is left of *latents* at so many rows and columns: their means over what falls together."""
    return functional.adaptive_avg_pool2d(latents, (rows, columns))


def held(estimate: torch.Tensor, shape: torch.Tensor, *, edge: str) -> torch.Tensor:
    """Return the clean latents *estimate* with the broad shapes of *shape*, and their own fine ones.

    Networks see several small things where they learnt to see one large: twice as wide a fox becomes two.
    What the first pass could show stays as it drew it, and only what it could not is drawn: ILVR (Choi et al.
    2021, "ILVR: Conditioning Method for Denoising Diffusion Probabilistic Models"), on what a step expects
    to see instead of on the noisy latents.

    Args:
        estimate: Shape ``(1, channels, rows, columns)``.
        shape: What the first pass drew, at that pass's rows and columns.
        edge: What is beyond the edge, as `torch.nn.functional.pad` calls it.
    """
    missing = shape - broad(estimate, *shape.shape[2:])
    return estimate + grown(missing, estimate.shape[2] // shape.shape[2], edge=edge)
