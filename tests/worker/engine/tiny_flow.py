"""Stable Diffusion 3 and FLUX pipelines of the real classes with random weights, drawn with in no time."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from transformers import (
    AutoTokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from tests.worker.engine.tiny import TOKENIZER

SIZE = 32  # pixels of a square picture
CHANNELS = 16  # of latents: the stock pipelines for filling in take no other number
WORDS = 32  # width of T5, and of two CLIP encoders side by side
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.-"


def stable_diffusion_3(
    *, t5: bool = True, seed: int = 0, schedule: dict[str, Any] | None = None
) -> StableDiffusion3Pipeline:
    """Return such a pipeline; *schedule* are options of its scheduler."""
    torch.manual_seed(seed)
    clip_tokens = AutoTokenizer.from_pretrained(TOKENIZER)
    made = StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=SIZE // 2,
            patch_size=2,
            in_channels=CHANNELS,
            out_channels=CHANNELS,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=WORDS,
            caption_projection_dim=16,
            pooled_projection_dim=WORDS,
            pos_embed_max_size=32,
            dual_attention_layers=(0,),
            qk_norm="rms_norm",
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(**({"shift": 3.0} if schedule is None else schedule)),
        vae=autoencoder(),
        text_encoder=CLIPTextModelWithProjection(_clip(clip_tokens, projection_dim=WORDS // 2)),
        tokenizer=clip_tokens,
        text_encoder_2=CLIPTextModelWithProjection(_clip(clip_tokens, projection_dim=WORDS // 2)),
        tokenizer_2=clip_tokens,
        text_encoder_3=_t5() if t5 else None,
        tokenizer_3=t5_tokens() if t5 else None,
    )
    return _quiet(made)


def flux(*, guided: bool = True, seed: int = 0, schedule: dict[str, Any] | None = None) -> FluxPipeline:
    """Return such a pipeline: with guidance as an input, as FLUX.1 dev, or without any, as schnell."""
    torch.manual_seed(seed)
    usual = {"use_dynamic_shifting": True, "shift": 3.0} if guided else {"shift": 1.0}
    clip_tokens = AutoTokenizer.from_pretrained(TOKENIZER)
    made = FluxPipeline(
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=CHANNELS * 4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WORDS,
            pooled_projection_dim=WORDS // 2,
            guidance_embeds=guided,
            axes_dims_rope=(4, 4, 8),
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(**(usual if schedule is None else schedule)),
        vae=autoencoder(),
        text_encoder=CLIPTextModel(_clip(clip_tokens)),
        tokenizer=clip_tokens,
        text_encoder_2=_t5(),
        tokenizer_2=t5_tokens(),
    )
    return _quiet(made)


def autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=4,
        sample_size=SIZE,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=1.5305,
        shift_factor=0.0609,
    )


def t5_tokens() -> T5Tokenizer:
    """Return a tokenizer of T5's class that knows letters, digits and a few words."""
    words = [("▁a", -2.5), ("▁fox", -3.0), ("▁red", -3.0), ("▁car", -3.0)]
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer(vocab=marks + words + [(letter, -4.0) for letter in LETTERS], extra_ids=0)


def saved(folder: Path, pipeline: Any) -> Path:
    """Save *pipeline* in diffusers layout."""
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def _clip(tokens: Any, **typed: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=WORDS // 2,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
        **typed,
    )


def _t5() -> T5EncoderModel:
    config = T5Config(
        vocab_size=128,
        d_model=WORDS,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return T5EncoderModel(config).eval()


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
