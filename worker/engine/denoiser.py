"""Stable Diffusion 1.x, 2.x and XL, a step at a time; the only module that touches latents."""

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from worker.api import ErrorCode, WorkerError
from worker.device import DeviceJob
from worker.engine import pictures
from worker.engine.asides import asides
from worker.engine.checkpoint import Checkpoint
from worker.engine.conditioning import Told
from worker.engine.detail import detailed
from worker.engine.glimpse import Glimpse
from worker.engine.holding import Holding, given_of, noise_of
from worker.engine.ip_adapter import looked_at
from worker.engine.ip_attention import KEYWORD, look_of
from worker.engine.pair_prompts import conditioner_of
from worker.engine.passes import again, broad, enlarged, held, passing, sampled
from worker.engine.plan import BatchKey, Sample, SampleId
from worker.engine.prediction import alpha, noised, pointing
from worker.engine.references import pull_of
from worker.engine.region import Region
from worker.engine.row import Given, UnetRow
from worker.engine.style import pulled
from worker.engine.tiling import convolutions, seamless
from worker.engine.transfer import sent
from worker.recipe import Drawing


class Denoiser(Holding[UnetRow]):
    """Denoise samples of one checkpoint together, each row with its own schedule, prompt and guidance."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._conditioner = conditioner_of(checkpoint)
        self._glimpse = Glimpse.fitted(checkpoint)
        self._looking = convolutions(checkpoint.unet)
        # Ancestral schedules add noise of their own at each step.
        self._draws_noise = "generator" in inspect.signature(checkpoint.scheduler.step).parameters

    def key(self, height: int, width: int) -> BatchKey:
        """Return the key of a plain prompt at this size in pixels."""
        return self._key(height, width, self._conditioner.tokens, self._checkpoint.profile.guidance)

    def open(self, job: DeviceJob) -> list[Sample]:
        """Encode the prompt and lay out the noise of every picture."""
        recipe = job.recipe
        assert isinstance(recipe, Drawing)  # noqa: S101 - `Models` chose this backend by it
        self._check(recipe)
        told = self._conditioner.told(recipe)
        key = self._key(recipe.height, recipe.width, told[0][0].context.shape[1], recipe.guidance)
        template = self._schedule(recipe)
        given = given_of(self._checkpoint, job, recipe)
        style = recipe.style
        pull = None if style is None else pull_of(self._checkpoint, style, job.references, recipe)
        seen = looked_at(self._checkpoint.eye, recipe, job.references)
        rows = {}
        for index, seed in enumerate(recipe.seeds):
            row = self._row(recipe, seed, copy.deepcopy(template), given, told[index])
            row.pull = pull
            row.detail = recipe.detail
            row.tile = recipe.tile
            row.seen = seen
            rows[SampleId(job.job_id, job.attempt, index)] = row
        self._rows |= rows  # all or, if one of them could not be laid out, none
        return [sampled(each, key, job, (row.way, row.second)) for each, row in rows.items()]

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        """Predict for all rows in one pass of the UNet; changes nothing, so it can be repeated.

        Only where some rows have come to join their edges, or to do without guidance, it takes one for each.

        Returns:
            For each sample the guided model output, float32, shape ``(1, 4, rows, columns)``.
        """
        rows = [self._rows[sample_id] for sample_id in ids]
        kinds = [(row.joined, self._guiding(row)) for row in rows]
        outputs = {
            kind: iter(
                self._predicted(
                    [row for row, own in zip(rows, kinds, strict=True) if own == kind], joined=kind[0]
                )
            )
            for kind in set(kinds)
        }
        return [next(outputs[kind]) for kind in kinds]

    def _predicted(self, rows: Sequence[UnetRow], *, joined: bool) -> list[torch.Tensor]:
        """Return the guided output of each row, from one pass; *joined* if opposite edges are neighbours."""
        guided = self._guiding(rows[0])
        sides = 2 if guided else 1
        scaled = [
            row.way.scheduler.scale_model_input(row.latents, row.way.timesteps[row.step]) for row in rows
        ]
        latents = torch.cat(scaled * sides).to(self._dtype, memory_format=self._checkpoint.layout)
        timesteps = sent(torch.stack([row.way.timesteps[row.step] for row in rows] * sides), self._device)
        told = [row.unconditional for row in rows] if guided else []
        told += [row.positive for row in rows]
        look = look_of([row.seen for row in rows], guided=guided)
        size = (
            rows[0].latents.shape[2] * self._checkpoint.grid,
            rows[0].latents.shape[3] * self._checkpoint.grid,
        )
        strength = [row.guidance for row in rows] * sides
        plain = not joined and look is None
        with seamless(self._looking, wanted=joined), self.compiled.passing(plain=plain):
            output = self._checkpoint.unet(
                latents,
                timesteps,
                encoder_hidden_states=torch.cat([each.context for each in told]),
                cross_attention_kwargs=None if look is None else {KEYWORD: look},
                **asides(self._checkpoint.unet.config, told, strength, size),
                return_dict=False,
            )[0].float()
        if guided:
            scale = sent([row.guidance for row in rows], self._device).view(-1, 1, 1, 1)
            away, toward = output.chunk(2)
            output = away + scale * (toward - away)
        return list(output.contiguous().split(1))

    def take(self, sample_id: SampleId, output: torch.Tensor) -> None:
        """Let the sample's own scheduler turn *output* into its next latents."""
        row = self._rows[sample_id]
        timestep = row.way.timesteps[row.step]
        scaled = row.way.scheduler.scale_model_input(row.latents, timestep)
        row.estimate = (scaled, output, timestep)
        if row.pull is not None or row.detail or row.shape is not None:
            output = self._shaped(row)
            row.estimate = (scaled, output, timestep)
        noise = {"generator": row.generator} if self._draws_noise else {}
        row.latents = row.way.scheduler.step(output, timestep, row.latents, return_dict=False, **noise)[0]
        row.step += 1
        row.keep_around()
        if row.second is not None and row.step == len(row.way.timesteps):
            self._grow(row)

    def preview(self, ids: Sequence[SampleId]) -> list[NDArray[np.uint8]]:
        """Return what the samples seem to become, without running the autoencoder; empty before a step."""
        rows = [self._rows[sample_id] for sample_id in ids]
        if any(row.estimate is None for row in rows):
            return []
        seen = [self._glimpse(row.expected) for row in rows]
        return pictures.alike([picture for each in seen for picture in pictures.pixels(each)])

    def _check(self, recipe: Drawing) -> None:
        """Refuse what was accepted while less was known of the checkpoint.

        Raises:
            WorkerError: ``MODEL_CHANGED``; there is nothing that leads away from anything.
        """
        if recipe.negative and self._checkpoint.steered:
            name = self._checkpoint.profile.name
            reason = f"The model {name} takes guidance as an input now, and has no `--no`."
            raise WorkerError(ErrorCode.MODEL_CHANGED, model=name, reason=reason)

    def _guided(self, guidance: float) -> bool:
        """Tell whether a sample takes a second row, without its prompt."""
        return not self._checkpoint.steered and guidance > 1

    def _guiding(self, row: UnetRow) -> bool:
        """Tell whether the next step of *row* takes that second row: some models do without at the ends."""
        guided, (begin, end) = self._guided(row.guidance), self._checkpoint.span
        if not guided or (begin, end) == (0.0, 1.0):
            return guided
        trained = self._checkpoint.scheduler.config.num_train_timesteps
        return begin <= 1 - float(row.way.timesteps[row.step]) / trained <= end

    def _key(self, height: int, width: int, tokens: int, guidance: float) -> BatchKey:
        return BatchKey(
            model=self._checkpoint.profile.name,
            height=height // self._checkpoint.grid,
            width=width // self._checkpoint.grid,
            context=tokens,
            guided=self._guided(guidance),
        )

    def _schedule(self, recipe: Drawing) -> Any:
        """Return a scheduler that has not taken a step.

        Its tables are on the CPU, whatever the device: who reads them decides by them, and does not wait.
        """
        scheduler = copy.deepcopy(self._checkpoint.scheduler)
        scheduler.set_timesteps(recipe.steps, device="cpu")
        return scheduler

    def _row(
        self, recipe: Drawing, seed: int, scheduler: Any, given: Given | None, told: tuple[Told, Told]
    ) -> UnetRow:
        generator = torch.Generator("cpu").manual_seed(seed)
        channels = self._checkpoint.unet.config.in_channels
        noise = noise_of(self._checkpoint, recipe, channels, generator)
        way = passing(scheduler, recipe, None if given is None else given.strength)
        if given is None:
            latents = noise * scheduler.init_noise_sigma
        else:
            latents = noised(scheduler, given.latents, noise, way.timesteps[:1])
        region = None
        if given is not None and given.mask is not None:
            region = Region(given.mask, given.latents, noise)
        return UnetRow(
            latents=latents,
            way=way,
            positive=told[0],
            unconditional=told[1],
            guidance=recipe.guidance,
            generator=generator,
            region=region,
            second=again(self._schedule(recipe), recipe),
        )

    def _grow(self, row: UnetRow) -> None:
        """Let *row* begin its second pass, over what its first one drew."""
        drawn = row.end
        row.turn()
        with self._edges(row):
            large = enlarged(self._checkpoint, drawn, row.way.times, edge=row.edge)
        noise = torch.randn(large.shape, generator=row.generator, dtype=torch.float32).to(self._device)
        row.shape = broad(large, *drawn.shape[2:])
        row.latents = noised(row.way.scheduler, large, noise, row.way.timesteps[:1])
        if row.region is not None:
            with self._edges(row):
                picture = enlarged(self._checkpoint, row.region.picture, row.way.times, edge=row.edge)
            mask = functional.interpolate(row.region.mask, scale_factor=row.way.times)
            row.region = Region(mask, picture, noise)

    def _shaped(self, row: UnetRow) -> torch.Tensor:
        """Return the last output, pointing at clean latents that have their style and detail."""
        assert row.estimate is not None  # noqa: S101 - `take` set it a moment ago
        x, _, timestep = row.estimate
        clean = row.expected
        signal = float(alpha(row.way.scheduler, timestep).sqrt())
        if row.pull is not None:
            clean = pulled(clean, row.pull, signal)
        if row.shape is not None:
            clean = held(clean, row.shape, edge=row.edge)
        if row.detail:
            clean = detailed(clean, row.detail, signal, edge=row.edge)
        return pointing(row.way.scheduler, x, clean, timestep)
