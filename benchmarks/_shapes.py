"""Networks of known cost that benchmarks draw with, and the stock pipeline on the same weights.

All but the embedded one have random weights: only their cost is real.
"""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.plan import BatchKey
from worker.recipe import PICTURES, ModelProfile, Recipe

EMBEDDED = Path(__file__).resolve().parent.parent / "models" / "embedded"
TOKENS = 77


@dataclass(frozen=True)
class Shape:
    """A network of a certain cost; `side` in pixels, `pictures` a job, no `blocks` for the embedded one."""

    side: int
    pictures: int
    blocks: dict[str, Any] | None


SD15: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
# SDXL's deep attention at its two lower levels, half as wide: of 2.6 billion weights no two copies would fit.
SDXL_CUT: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (160, 320, 640),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 768,
    "use_linear_projection": True,
}
SHAPES = {
    "embedded": Shape(128, PICTURES, None),
    "sd15-256": Shape(256, 1, SD15),
    "sd15-512": Shape(512, 1, SD15),
    "sdxl-cut-512": Shape(512, 1, SDXL_CUT),
}


class Only:
    """The one network that is measured, where the engine looks for networks."""

    def __init__(self, denoiser: Denoiser, side: int) -> None:
        self._denoiser, self._side = denoiser, side

    def preload(self) -> BatchKey:
        """Return the key of its jobs."""
        return self._denoiser.key(self._side, self._side)

    def backend(self, recipe: Recipe) -> Denoiser:
        """Return the network, whatever the recipe."""
        del recipe
        return self._denoiser


def made(shape: Shape) -> Checkpoint:
    """Return the shape's checkpoint in float32, random where it is not the embedded one."""
    profile = ModelProfile(name="model", source=str(EMBEDDED), size=shape.side)
    small = load(profile, Hardware(torch.device("cpu"), torch.float32))
    if shape.blocks is None:
        return small
    torch.manual_seed(0)
    words = CLIPTextConfig(
        vocab_size=len(small.tokenizer), hidden_size=768, intermediate_size=768, num_hidden_layers=1,
        num_attention_heads=12, max_position_embeddings=TOKENS, eos_token_id=small.tokenizer.eos_token_id,
    )  # fmt: skip
    small.tokenizer.model_max_length = TOKENS
    unet = UNet2DConditionModel(**shape.blocks).to(memory_format=torch.channels_last)
    return Checkpoint(
        profile=profile,
        hash="random",
        hardware=small.hardware,
        unet=unet.eval().requires_grad_(requires_grad=False),
        vae=small.vae,
        text_encoder=CLIPTextModel(words).eval(),
        tokenizer=small.tokenizer,
        scheduler=small.scheduler,
    )


def pipeline(
    checkpoint: Checkpoint, dtype: torch.dtype, layout: torch.memory_format
) -> StableDiffusionPipeline:
    """Return the stock pipeline on a copy of the same weights, in a type and a layout of its own."""
    built = StableDiffusionPipeline(
        vae=deepcopy(checkpoint.vae).to(dtype, memory_format=layout),
        text_encoder=deepcopy(checkpoint.text_encoder).to(dtype),
        tokenizer=checkpoint.tokenizer,
        unet=deepcopy(checkpoint.unet).to(dtype, memory_format=layout),
        scheduler=deepcopy(checkpoint.scheduler),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    built.set_progress_bar_config(disable=True)
    return built
