"""The transformers of Stable Diffusion 3 and FLUX, asked for many rows at once."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from worker.engine.conditioning import Told
from worker.engine.flow_patches import SIDE, packed, places, unpacked
from worker.engine.flow_prompts import ClipReader, FlowConditioner, Silence, T5Reader
from worker.engine.transfer import sent

SD3_WINDOW = 256  # tokens of T5, as the stock pipeline gives
DEV_WINDOW, SCHNELL_WINDOW = 512, 256  # likewise of FLUX with guidance as an input, and without
SD3_SHIFT, FLUX_SHIFT = 1.16, 1.15  # of the largest picture, where the schedule's configuration is silent


class Network(Protocol):
    """One family's transformer, and what is its own about schedules."""

    evenly: bool  # sigmas begin as even steps from 1
    most_shift: float
    steered: bool  # guidance is an input: a picture takes one row, whatever its guidance
    most: int | None  # latents of the longest side that it knows its way on; None: any

    def tokens(self, rows: int, columns: int) -> int:
        """Return into how many patches so many latents are cut."""
        ...

    def __call__(
        self, latents: torch.Tensor, timesteps: torch.Tensor, told: Sequence[Told], guidance: Sequence[float]
    ) -> torch.Tensor:
        """Return the velocity at each row, ``(n, channels, rows, columns)`` as *latents*, in float32.

        Args:
            latents: Of every row.
            timesteps: Of every row, 0..1000, shape ``(n,)``.
            told: What every row is told; equally long.
            guidance: Of every row; read where the network is steered.
        """
        ...


class SD3Network:
    """Stable Diffusion 3.x: CLIP's words before T5's, guidance by the difference of two rows."""

    evenly = False
    most_shift = SD3_SHIFT
    steered = False

    def __init__(self, transformer: Any) -> None:
        self._transformer = transformer
        self.most: int | None = transformer.config.pos_embed_max_size * transformer.config.patch_size

    def tokens(self, rows: int, columns: int) -> int:
        """Return into how many patches so many latents are cut."""
        side = int(self._transformer.config.patch_size)
        return (rows // side) * (columns // side)

    def __call__(
        self, latents: torch.Tensor, timesteps: torch.Tensor, told: Sequence[Told], guidance: Sequence[float]
    ) -> torch.Tensor:
        """Return the velocity at each row; see `Network`."""
        del guidance  # taken of the difference of two rows
        velocity: torch.Tensor = self._transformer(
            hidden_states=latents.to(self._transformer.dtype),
            timestep=timesteps,
            encoder_hidden_states=torch.cat([each.context for each in told]),
            pooled_projections=torch.cat([each.pooled for each in told]),
            return_dict=False,
        )[0]
        return velocity.float()


class FluxNetwork:
    """FLUX: T5's words and CLIP's summary; guidance is an input of the one, and not there in the other."""

    evenly = True
    most_shift = FLUX_SHIFT
    steered = True
    most: int | None = None

    def __init__(self, transformer: Any) -> None:
        self._transformer = transformer

    def tokens(self, rows: int, columns: int) -> int:
        """Return into how many patches so many latents are cut."""
        return (rows // SIDE) * (columns // SIDE)

    def __call__(
        self, latents: torch.Tensor, timesteps: torch.Tensor, told: Sequence[Told], guidance: Sequence[float]
    ) -> torch.Tensor:
        """Return the velocity at each row; see `Network`."""
        rows, columns = latents.shape[-2:]
        device, dtype = latents.device, self._transformer.dtype
        context = torch.cat([each.context for each in told])
        strength = None
        if self._transformer.config.guidance_embeds:
            strength = sent(guidance, device, torch.float32)
        velocity = self._transformer(
            hidden_states=packed(latents).to(dtype),
            timestep=timesteps.to(dtype) / 1000,
            guidance=strength,
            pooled_projections=torch.cat([each.pooled for each in told]),
            encoder_hidden_states=context,
            txt_ids=torch.zeros(context.shape[1], 3, device=device),
            img_ids=places(rows, columns, device),
            return_dict=False,
        )[0]
        return unpacked(velocity.float(), rows, columns)


def sd3_conditioner(pipeline: Any, dtype: torch.dtype) -> FlowConditioner:
    """Return what encodes prompts with the encoders of *pipeline*; T5 may be missing."""
    clips = [
        ClipReader(pipeline.tokenizer, pipeline.text_encoder),
        ClipReader(pipeline.tokenizer_2, pipeline.text_encoder_2),
    ]
    if pipeline.text_encoder_3 is None:
        width = int(pipeline.transformer.config.joint_attention_dim)
        t5: Silence | T5Reader = Silence(SD3_WINDOW, width, pipeline.text_encoder.device)
    else:
        t5 = T5Reader(pipeline.tokenizer_3, pipeline.text_encoder_3, SD3_WINDOW)
    return FlowConditioner(clips, t5, spoken=True, dtype=dtype)


def flux_conditioner(pipeline: Any, dtype: torch.dtype) -> FlowConditioner:
    """Return what encodes prompts with the encoders of *pipeline*."""
    window = DEV_WINDOW if pipeline.transformer.config.guidance_embeds else SCHNELL_WINDOW
    t5 = T5Reader(pipeline.tokenizer_2, pipeline.text_encoder_2, window)
    clips = [ClipReader(pipeline.tokenizer, pipeline.text_encoder)]
    return FlowConditioner(clips, t5, spoken=False, dtype=dtype)
