"""Families that share no steps: each picture is a call of the checkpoint's own pipeline.

The call is let go a step at a time, so that a picture shows how far it is, gives way to others between two
steps, and can be left there.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from parser import Part
from worker.api import ErrorCode, WorkerError
from worker.device import DeviceJob
from worker.effects import Displacement
from worker.engine import pictures
from worker.engine.autoencoder import twin
from worker.engine.bookmark import Value
from worker.engine.holding import Latents, given_of, noise_of
from worker.engine.own_checkpoint import OwnCheckpoint
from worker.engine.plan import BatchKey, Sample, SampleId
from worker.engine.row import Given
from worker.engine.stepwise import Rest, Stepwise
from worker.recipe import Drawing, begin_of

HALF = 0.5 - 1e-6  # of the weight, as far as sums of shares are exact
NOTHING = torch.empty(0)  # what a pass says of a sample: the pipeline keeps its latents to itself


class Words(NamedTuple):
    """Text as the pipeline has read it: encodings, ``(1, tokens, width)``, and which of them count."""

    encodings: torch.Tensor
    mask: torch.Tensor


class OwnPipelineDenoiser:
    """Draws pictures of one checkpoint, one a pass."""

    def __init__(self, checkpoint: OwnCheckpoint) -> None:
        self._checkpoint = checkpoint
        self.weights = checkpoint.hash
        self._decoder = replace(checkpoint, vae=twin(checkpoint.vae))
        self._calls: dict[SampleId, Stepwise[torch.Tensor]] = {}

    @property
    def busy(self) -> bool:
        """True while it holds anybody's pictures."""
        return bool(self._calls)

    @property
    def bytes(self) -> int:
        """Memory that its weights take."""
        return self._checkpoint.bytes

    def key(self, height: int, width: int) -> BatchKey:
        """Return the key of a plain prompt at this size in pixels."""
        return self._key(height, width, guided=True)

    def open(self, job: DeviceJob) -> list[Sample]:
        """Encode the prompt and lay out the call of every picture; none has begun.

        Raises:
            WorkerError: ``MODEL_CHANGED``; it was accepted for a checkpoint of another family.
        """
        recipe = job.recipe
        assert isinstance(recipe, Drawing)  # noqa: S101 - `Models` chose this backend by it
        self._check(recipe)
        origin = given_of(self._checkpoint, job, recipe)
        begin = 0 if origin is None else begin_of(recipe.steps, origin.strength)
        asked = self._asked(recipe)
        key = self._key(recipe.height, recipe.width, guided=recipe.guidance > 1)
        calls = {
            SampleId(job.job_id, job.attempt, index): Stepwise(
                partial(self._drawn, recipe, seed, asked, origin)
            )
            for index, seed in enumerate(recipe.seeds)
        }
        self._calls |= calls
        return [Sample(each, key, job.speed, job.owner_id, steps=recipe.steps - begin) for each in calls]

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        """Take a step of each sample. One that failed fails again, whoever asks."""
        for sample_id in ids:
            self._calls[sample_id].step()
        return [NOTHING] * len(ids)

    def take(self, sample_id: SampleId, output: torch.Tensor) -> None:
        """Do nothing: the pipeline has advanced the sample itself."""

    def keep(self, job: DeviceJob) -> NoReturn:
        """Raise `TypeError`: what a pipeline is in the middle of cannot be written."""
        del job
        raise TypeError(f"{self._checkpoint.family.facts.title} draws through its own pipeline")

    def resume(self, job: DeviceJob, kept: Value) -> NoReturn:
        """Raise `ValueError`: nothing of ours was kept."""
        del job, kept
        raise ValueError(f"{self._checkpoint.family.facts.title} draws through its own pipeline")

    def ended(self, ids: Sequence[SampleId]) -> Latents:
        """Return what finished samples came to."""
        latents = torch.cat([self._calls[sample_id].result() for sample_id in ids])
        return Latents(self._decoder, latents, tile=False, at_once=len(ids))

    def preview(self, ids: Sequence[SampleId]) -> list[NDArray[np.uint8]]:
        """Return nothing: what a step expects to see stays within the pipeline."""
        del ids
        return []

    def close(self, ids: Sequence[SampleId]) -> None:
        """Leave the calls of samples that are done or dropped."""
        for sample_id in ids:
            call = self._calls.pop(sample_id, None)
            if call is not None:
                call.leave()

    def text(self, job: DeviceJob, index: int | None) -> dict[str, str]:
        """Return what the PNG of picture *index* says; None is the grid."""
        return pictures.drawing_text(job, self._checkpoint.profile.name, self.weights, index)

    def _key(self, height: int, width: int, *, guided: bool) -> BatchKey:
        grid = self._checkpoint.grid
        name = self._checkpoint.profile.name
        return BatchKey(name, height // grid, width // grid, context=0, guided=guided, shared=False)

    def _check(self, recipe: Drawing) -> None:
        """Refuse what was accepted while less was known of the checkpoint.

        Raises:
            WorkerError: ``MODEL_CHANGED``; it cannot do that, or not at that size.
        """
        name, family = self._checkpoint.profile.name, self._checkpoint.family
        asked = {
            "tile": recipe.tile,
            "chaos` and no `--weird": recipe.displacement != Displacement(),
            "exp": bool(recipe.detail),
            "hd": recipe.second is not None,
            "sref": recipe.style is not None,
            "cref": bool(recipe.likenesses),
            "stop": recipe.stop_after != recipe.steps,
        }
        lacks = [parameter for parameter, wanted in asked.items() if wanted]
        side = self._checkpoint.grid * family.facts.patch
        if lacks:
            reason = f"The model {name} is of {family.facts.title} now, which has no `--{lacks[0]}`."
        elif recipe.start is not None and recipe.start.mask is not None:
            reason = f"The model {name} is of {family.facts.title} now, which redraws no part of a picture."
        elif recipe.width % side or recipe.height % side:
            reason = f"The model {name} draws in squares of {side} pixels, which was not known of it."
        else:
            return
        raise WorkerError(ErrorCode.MODEL_CHANGED, model=name, reason=reason)

    def _asked(self, recipe: Drawing) -> dict[str, Any]:
        """Return what every picture of *recipe* asks of the pipeline."""
        asked: dict[str, Any] = {
            "width": recipe.width,
            "height": recipe.height,
            "num_inference_steps": recipe.steps,
            "guidance_scale": recipe.guidance,
            "output_type": "latent",
            "negative_prompt": None,
        }
        asked["prompt_embeds"], asked["prompt_attention_mask"] = self._mean(recipe.positive)
        if recipe.guidance > 1:
            away = self._away(recipe)
            asked["negative_prompt_embeds"], asked["negative_prompt_attention_mask"] = away
        # Sides are ours to choose, and a prompt's encodings are there already.
        usual = {"use_resolution_binning": False, "clean_caption": False}
        return asked | {name: value for name, value in usual.items() if self._checkpoint.takes(name)}

    def _mean(self, parts: Sequence[Part]) -> Words:
        return mean_of([self._read(part.text) for part in parts], [part.weight for part in parts])

    def _away(self, recipe: Drawing) -> Words:
        """Return what guidance leads away from: no text, moved toward the negatives."""
        nothing, pull = self._read(""), recipe.negative_pull
        return mean_of([nothing, self._mean(recipe.negative)], [1 - pull, pull]) if pull else nothing

    def _read(self, text: str) -> Words:
        device = self._checkpoint.hardware.device
        read = self._checkpoint.pipeline.encode_prompt(text, do_classifier_free_guidance=False, device=device)
        return Words(*read[:2])

    def _drawn(
        self,
        recipe: Drawing,
        seed: int,
        asked: dict[str, Any],
        origin: Given | None,
        rest: Rest,
    ) -> torch.Tensor:
        """Call the pipeline for one picture; *rest* is called after each step."""
        generator = torch.Generator("cpu").manual_seed(seed)
        noise = noise_of(self._checkpoint, recipe, self._checkpoint.channels, generator)
        scheduler = deepcopy(self._checkpoint.pipeline.scheduler)
        if origin is not None:
            begin = begin_of(recipe.steps, origin.strength)
            noise = _over(scheduler, recipe.steps, begin, origin.latents, noise)
        pipeline = self._checkpoint.with_scheduler(scheduler)
        latents: torch.Tensor = pipeline(
            **asked,
            **self._told_of_steps(rest),
            latents=noise.to(asked["prompt_embeds"].dtype),
            generator=generator,
        ).images
        return latents.float()

    def _told_of_steps(self, rest: Rest) -> dict[str, Any]:
        """Return what makes the pipeline call *rest* after each step."""
        if self._checkpoint.takes("callback_on_step_end"):

            def at_end(_pipeline: Any, _step: int, _timestep: Any, told: dict[str, Any]) -> dict[str, Any]:
                rest()
                return told

            return {"callback_on_step_end": at_end}
        return {"callback": lambda *_: rest(), "callback_steps": 1}


def mean_of(words: Sequence[Words], weights: Sequence[float]) -> Words:
    """Return the mean by weight, token by token, of those in which that token counts.

    A token counts where it does by half of the weight at least: what is read of a text beyond its end is no
    text, and would drown a longer one.
    """
    shares = torch.tensor(weights, device=words[0].mask.device) / sum(weights)
    counts = torch.stack([each.mask.float() * share for each, share in zip(words, shares, strict=True)])
    total = counts.sum(dim=0)
    some = counts / total.clamp_min(torch.finfo(torch.float32).tiny)
    encodings = torch.stack([each.encodings.float() for each in words])
    mean = (encodings * some.unsqueeze(-1)).sum(dim=0)
    return Words(mean.to(words[0].encodings.dtype), (total >= HALF).to(words[0].mask.dtype))


def _over(scheduler: Any, steps: int, begin: int, clean: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Let *scheduler* begin its schedules at step *begin*; return what to begin with over *clean* latents.

    As diffusers' image-to-image pipelines do it, for pipelines that have no such form.
    """
    first = begin * scheduler.order
    shown, whole = deepcopy(scheduler), scheduler.set_timesteps
    shown.set_timesteps(steps)
    chosen = "timesteps" in signature(whole).parameters

    def shortened(*arguments: Any, **named: Any) -> None:
        """As `set_timesteps`; a schedule that cannot be made of some of its steps forgets the others."""
        if chosen:
            whole(timesteps=shown.timesteps[first:].tolist(), device=named.get("device"))
            return
        whole(*arguments, **named)
        scheduler.timesteps = scheduler.timesteps[first:]

    scheduler.set_timesteps = shortened
    noisy: torch.Tensor = shown.add_noise(clean, noise, shown.timesteps[first : first + 1].to(clean.device))
    return noisy / shown.init_noise_sigma  # which the pipeline will multiply with
