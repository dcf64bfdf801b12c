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
from safetensors.torch import save_file
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


# What the parts of a transformer are called by diffusers, and were when Stable Diffusion 3 was published.
PUBLISHED = {
    "pos_embed.pos_embed": "pos_embed",
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
    "proj_out": "final_layer.linear",
    "transformer_blocks.": "joint_blocks.",
    "attn.add_q_proj": "context_block.attn.q",
    "attn.add_k_proj": "context_block.attn.k",
    "attn.add_v_proj": "context_block.attn.v",
    "attn.norm_added_q": "context_block.attn.ln_q",
    "attn.norm_added_k": "context_block.attn.ln_k",
    "attn.to_add_out": "context_block.attn.proj",
    "norm1_context.linear": "context_block.adaLN_modulation.1",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
    "norm1.linear": "x_block.adaLN_modulation.1",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    **{
        f".{layer}.{ours}": f".x_block.{layer}.{theirs}"
        for layer in ("attn", "attn2")
        for ours, theirs in (
            *((f"to_{part}.", f"{part}.") for part in "qkv"),
            ("to_out.0", "proj"),
            ("norm_q", "ln_q"),
            ("norm_k", "ln_k"),
        )
    },
}


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


def single(file: Path, pipeline: StableDiffusion3Pipeline) -> Path:
    """Save the transformer of *pipeline* in one file, laid out as Stable Diffusion 3 was published."""
    weights = dict(pipeline.transformer.state_dict())
    last = pipeline.transformer.config.num_layers - 1
    for name in ("norm_out.linear", f"transformer_blocks.{last}.norm1_context.linear"):
        for kind in ("weight", "bias"):  # published with the shift first
            scale, shift = weights[f"{name}.{kind}"].chunk(2)
            weights[f"{name}.{kind}"] = torch.cat([shift, scale])
    found: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        for ours, theirs in PUBLISHED.items():
            name = name.replace(ours, theirs)  # noqa: PLW2901 - one after the other
        found[f"model.diffusion_model.{name}"] = tensor
    for name in [name for name in found if ".q." in name]:
        parts = [found.pop(name.replace(".q.", f".{part}.")) for part in "qkv"]
        found[name.replace(".q.", ".qkv.")] = torch.cat(parts)
    save_file({name: tensor.contiguous() for name, tensor in found.items()}, file)
    return file
