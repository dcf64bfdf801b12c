"""PixArt pipelines of the real classes with random weights."""

from typing import Any

import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    PixArtAlphaPipeline,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
)
from transformers import T5Config, T5EncoderModel

from tests.worker.engine.tiny import SIZE, autoencoder
from tests.worker.engine.tiny_flow import t5_tokens

WORDS = 16  # width of T5


def pixart(*, sigma: bool = True, seed: int = 0) -> Any:
    """Return such a pipeline."""
    torch.manual_seed(seed)
    made = (PixArtSigmaPipeline if sigma else PixArtAlphaPipeline)(
        transformer=PixArtTransformer2DModel(
            sample_size=SIZE // 2,
            patch_size=2,
            in_channels=4,
            out_channels=8,  # the second half are variances, which are left out
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=2,
            cross_attention_dim=16,
            caption_channels=WORDS,
            use_additional_conditions=False,
        ),
        scheduler=DPMSolverMultistepScheduler(),
        vae=autoencoder(),
        text_encoder=T5EncoderModel(
            T5Config(vocab_size=128, d_model=WORDS, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        ).eval(),
        tokenizer=t5_tokens(),
    )
    made.set_progress_bar_config(disable=True)
    return made
