"""Stable Diffusion 3 and FLUX, a step at a time; beside `denoiser` the only module that touches latents."""

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from worker.api import ErrorCode, WorkerError
from worker.device import DeviceJob
from worker.engine import pictures
from worker.engine.conditioning import Told
from worker.engine.detail import detailed
from worker.engine.flow_checkpoint import FlowCheckpoint
from worker.engine.flow_schedule import Way, expected, noised, pointing, scheduled, signal_of, way_of
from worker.engine.glimpse import Glimpse
from worker.engine.holding import Holding, given_of, noise_of
from worker.engine.passes import broad, enlarged, held, sampled
from worker.engine.plan import BatchKey, Sample, SampleId
from worker.engine.references import pull_of
from worker.engine.region import Region
from worker.engine.row import Given, Row
from worker.engine.style import Pull, pulled
from worker.engine.transfer import sent
from worker.recipe import Drawing

EDGE = "replicate"  # beyond the edge, as `torch.nn.functional.pad` calls it


@dataclass(slots=True, kw_only=True)
class FlowRow(Row[Way]):
    """One of a transformer's, whose schedule says how much of it is noise."""

    clean: torch.Tensor | None = None  # latents that the last step pointed at

    @property
    def sigma(self) -> torch.Tensor:
        """The noise's share now."""
        return self.way.sigmas[self.step]

    @property
    def end(self) -> torch.Tensor:
        """As `Row.end`."""
        return self.latents if self.way.whole or self.clean is None else self.clean

    @property
    def memory(self) -> Any:
        """As `Row.memory`."""
        return self.clean

    def recall(self, memory: Any) -> None:
        """As `Row.recall`."""
        self.clean = memory

    def shaped(self, output: torch.Tensor) -> torch.Tensor:
        """Return *output*, changed so that the clean latents it points at have their style and detail."""
        clean = expected(self.latents, output, self.sigma)
        if self.pull is not None or self.detail or self.shape is not None:
            signal = signal_of(self.sigma)
            if self.pull is not None:
                clean = pulled(clean, self.pull, signal)
            if self.shape is not None:
                clean = held(clean, self.shape, edge=EDGE)
            if self.detail:
                clean = detailed(clean, self.detail, signal, edge=EDGE)
            output = pointing(self.latents, clean, self.sigma)
        self.clean = clean if self.region is None else self.region.kept(clean, torch.zeros_like(self.sigma))
        return output


class FlowDenoiser(Holding[FlowRow]):
    """Denoise samples of one checkpoint together, each row with its own schedule, prompt and guidance."""

    def __init__(self, checkpoint: FlowCheckpoint) -> None:
        super().__init__(checkpoint)
        self._network = checkpoint.network
        self._conditioner = checkpoint.conditioner
        self._glimpse = Glimpse.fitted(checkpoint)
        # Stochastic schedules add noise of their own at each step.
        self._draws_noise = "generator" in signature(checkpoint.scheduler.step).parameters

    def key(self, height: int, width: int) -> BatchKey:
        """Return the key of a plain prompt at this size in pixels."""
        return self._key(height, width, self._conditioner.told(self._conditioner.read("")), 2.0)

    def open(self, job: DeviceJob) -> list[Sample]:
        """Encode the prompt and lay out the noise of every picture.

        Raises:
            WorkerError: ``MODEL_CHANGED``; it was accepted for a checkpoint of another family.
        """
        recipe = job.recipe
        assert isinstance(recipe, Drawing)  # noqa: S101 - `Models` chose this backend by it
        self._check(recipe)
        told = self._told(recipe)
        key = self._key(recipe.height, recipe.width, told[0][0], recipe.guidance)
        origin = given_of(self._checkpoint, job, recipe)
        style = recipe.style
        pull = None if style is None else pull_of(self._checkpoint, style, job.references, recipe)
        rows = {
            SampleId(job.job_id, job.attempt, index): self._row(recipe, seed, sides, origin, pull)
            for index, (seed, sides) in enumerate(zip(recipe.seeds, told, strict=True))
        }
        self._rows |= rows  # all or, if one of them could not be laid out, none
        return [sampled(each, key, job, (row.way, row.second)) for each, row in rows.items()]

    def forward(self, ids: Sequence[SampleId]) -> Sequence[torch.Tensor]:
        """Predict for all rows in one pass of the transformer; changes nothing, so it can be repeated.

        Returns:
            For each sample the guided velocity, float32, shape ``(1, channels, rows, columns)``.
        """
        rows = [self._rows[sample_id] for sample_id in ids]
        guided = self._guided(rows[0].guidance)
        sides = 2 if guided else 1
        latents = torch.cat([row.latents for row in rows] * sides)
        timesteps = sent(torch.stack([row.way.timesteps[row.step] for row in rows] * sides), self._device)
        told = [row.unconditional for row in rows] if guided else []
        told += [row.positive for row in rows]
        with self.compiled.passing():
            output = self._network(latents, timesteps, told, [row.guidance for row in rows] * sides)
        if guided:
            scale = sent([row.guidance for row in rows], self._device).view(-1, 1, 1, 1)
            away, toward = output.chunk(2)
            output = away + scale * (toward - away)
        return list(output.contiguous().split(1))

    def take(self, sample_id: SampleId, output: torch.Tensor) -> None:
        """Let the sample's own scheduler turn *output* into its next latents."""
        row = self._rows[sample_id]
        scheduler, timestep = row.way.scheduler, row.way.timesteps[row.step]
        output = row.shaped(output)
        noise = {"generator": row.generator} if self._draws_noise else {}
        row.latents = scheduler.step(output, timestep, row.latents, return_dict=False, **noise)[0]
        row.step += 1
        if row.region is not None:
            row.latents = row.region.kept(row.latents, row.sigma)
        if row.second is not None and row.step == len(row.way.timesteps):
            self._grow(row)

    def preview(self, ids: Sequence[SampleId]) -> list[NDArray[np.uint8]]:
        """Return what the samples seem to become, without running the autoencoder; empty before a step."""
        rows = [self._rows[sample_id] for sample_id in ids]
        seen = [row.clean for row in rows if row.clean is not None]
        if len(seen) < len(rows):
            return []
        return pictures.alike([picture for each in seen for picture in pictures.pixels(self._glimpse(each))])

    def _guided(self, guidance: float) -> bool:
        """Tell whether a sample takes a second row, without its prompt."""
        return not self._network.steered and guidance > 1

    def _key(self, height: int, width: int, told: Told, guidance: float) -> BatchKey:
        return BatchKey(
            model=self._checkpoint.profile.name,
            height=height // self._checkpoint.grid,
            width=width // self._checkpoint.grid,
            context=int(told.context.shape[1]),
            guided=self._guided(guidance),
        )

    def _check(self, recipe: Drawing) -> None:
        """Refuse what was accepted while less was known of the checkpoint.

        Raises:
            WorkerError: ``MODEL_CHANGED``; it cannot do that, or not at that size.
        """
        name, family = self._checkpoint.profile.name, self._checkpoint.family
        asked = {"tile": recipe.tile, "no": bool(recipe.negative)}
        lacks = [parameter for parameter in family.facts.lacks if asked[parameter]]
        side = self._checkpoint.grid * family.facts.patch
        most = self._network.most and self._network.most * self._checkpoint.grid
        if lacks:
            reason = f"The model {name} is of {family.facts.title} now, which has no `--{lacks[0]}`."
        elif most and max(recipe.size) > most:
            reason = f"The model {name} draws pictures of {most} pixels a side at most."
        elif recipe.width % side or recipe.height % side:
            reason = f"The model {name} draws in squares of {side} pixels, which was not known of it."
        else:
            return
        raise WorkerError(ErrorCode.MODEL_CHANGED, model=name, reason=reason)

    def _told(self, recipe: Drawing) -> list[tuple[Told, Told]]:
        """Return for each picture what leads to it, and what leads away from it."""
        wanted, unwanted = self._conditioner.condition(recipe.positive, recipe.negative, recipe.negative_pull)
        away = self._conditioner.told(unwanted)
        moved = (self._conditioner.displaced(wanted, recipe.displacement, seed) for seed in recipe.seeds)
        return [(self._conditioner.told(each), away) for each in moved]

    def _schedule(self, recipe: Drawing, times: int = 1) -> Any:
        """Return a scheduler that has not taken a step, for sides so many times the recipe's."""
        side = self._checkpoint.grid
        return scheduled(
            self._checkpoint.scheduler,
            recipe.steps,
            self._network.tokens(recipe.height * times // side, recipe.width * times // side),
            evenly=self._network.evenly,
            most_shift=self._network.most_shift,
        )

    def _row(
        self,
        recipe: Drawing,
        seed: int,
        told: tuple[Told, Told],
        origin: Given | None,
        pull: Pull | None,
    ) -> FlowRow:
        generator = torch.Generator("cpu").manual_seed(seed)
        noise = noise_of(self._checkpoint, recipe, self._checkpoint.channels, generator)
        way = way_of(self._schedule(recipe), recipe, None if origin is None else origin.strength)
        region = None
        if origin is not None and origin.mask is not None:
            region = Region(origin.mask, origin.latents, noise)
        return FlowRow(
            latents=noise if origin is None else noised(origin.latents, noise, way.sigmas[0]),
            way=way,
            positive=told[0],
            unconditional=told[1],
            guidance=recipe.guidance,
            generator=generator,
            pull=pull,
            detail=recipe.detail,
            region=region,
            second=self._second(recipe),
        )

    def _second(self, recipe: Drawing) -> Way | None:
        """Return the second pass that *recipe* asks for, if any."""
        asked = recipe.second
        if asked is None:
            return None
        return way_of(self._schedule(recipe, asked.times), recipe, asked.strength, asked.times)

    def _grow(self, row: FlowRow) -> None:
        """Let *row* begin its second pass, over what its first one drew."""
        drawn = row.end
        row.turn()
        times = row.way.times
        large = enlarged(self._checkpoint, drawn, times, edge=EDGE)
        noise = torch.randn(large.shape, generator=row.generator, dtype=torch.float32).to(self._device)
        row.shape = broad(large, *drawn.shape[2:])
        row.latents = noised(large, noise, row.sigma)
        if row.region is not None:
            picture = enlarged(self._checkpoint, row.region.picture, times, edge=EDGE)
            row.region = Region(functional.interpolate(row.region.mask, scale_factor=times), picture, noise)
