"""Checkpoints of the real classes with random weights, small enough to be drawn with in no time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel

TOKENIZER = Path(__file__).resolve().parents[3] / "models" / "embedded" / "tokenizer"
WIDTH = 16  # of the text encoder
SIZE = 32  # pixels of a square picture
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def pipeline(
    *, scheduler: str = "DDIMScheduler", seed: int = 0, unet: Mapping[str, Any] | None = None, **options: Any
) -> StableDiffusionPipeline:
    """Return a pipeline whose scheduler is set up as Stable Diffusion's, with *options* besides.

    *unet* are settings of its UNet besides the usual ones.
    """
    torch.manual_seed(seed)
    quiet = {"clip_sample": False} if scheduler == "DDIMScheduler" else {}
    tokenizer = AutoTokenizer.from_pretrained(TOKENIZER)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    built = StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=SIZE // 2,
            in_channels=4,
            out_channels=4,
            layers_per_block=2,
            block_out_channels=(8, 16),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=WIDTH,
            attention_head_dim=2,
            norm_num_groups=4,
            **(unet or {}),
        ),
        scheduler=getattr(diffusers, scheduler)(**BETAS, **quiet, steps_offset=1, **options),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    built.set_progress_bar_config(disable=True)
    return built


def autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIZE,
    )


def saved(folder: Path, **typed: Any) -> Path:
    """Save such a pipeline in diffusers layout."""
    pipeline(**typed).save_pretrained(folder, safe_serialization=True)
    return folder


def single(file: Path, source: StableDiffusionPipeline) -> Path:
    """Save the weights of *source* in one file, laid out as the first Stable Diffusion was."""
    weights = {
        **renamed(source.unet.state_dict(), UNET, "model.diffusion_model."),
        **autoencoder_weights(source.vae),
        **{
            f"cond_stage_model.transformer.{text_name(k)}": v
            for k, v in source.text_encoder.state_dict().items()
        },
    }
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, file)
    return file


def autoencoder_weights(vae: AutoencoderKL) -> dict[str, Any]:
    weights = renamed(vae.state_dict(), VAE, "first_stage_model.")
    for name, tensor in weights.items():  # its attention was made of convolutions
        if ".attn_1." in name and name.endswith("weight") and "norm" not in name:
            weights[name] = tensor[:, :, None, None]
    return weights


def text_name(name: str) -> str:
    return name if name.startswith("text_model.") else f"text_model.{name}"


def renamed(weights: Mapping[str, Any], table: Mapping[str, str], prefix: str) -> dict[str, Any]:
    renamed = {}
    for name, tensor in weights.items():
        for ours, theirs in table.items():
            name = name.replace(ours, theirs)  # noqa: PLW2901 - one after the other
        renamed[prefix + name] = tensor
    return renamed


UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in.": "input_blocks.0.0.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
    **{
        f"down_blocks.{i}.{kind}.{j}.": f"input_blocks.{3 * i + j + 1}.{n}."
        for i in range(2)
        for j in range(2)
        for n, kind in enumerate(("resnets", "attentions"))
    },
    **{
        f"up_blocks.{i}.{kind}.{j}.": f"output_blocks.{3 * i + j}.{n}."
        for i in range(2)
        for j in range(3)
        for n, kind in enumerate(("resnets", "attentions"))
    },
    "down_blocks.0.downsamplers.0.conv.": "input_blocks.3.0.op.",
    "up_blocks.0.upsamplers.0.conv.": "output_blocks.2.1.conv.",
    "mid_block.attentions.0.": "middle_block.1.",
    "mid_block.resnets.0.": "middle_block.0.",
    "mid_block.resnets.1.": "middle_block.2.",
    ".norm1.weight": ".in_layers.0.weight",
    ".norm1.bias": ".in_layers.0.bias",
    ".conv1.": ".in_layers.2.",
    ".norm2.weight": ".out_layers.0.weight",
    ".norm2.bias": ".out_layers.0.bias",
    ".conv2.": ".out_layers.3.",
    "time_emb_proj.": "emb_layers.1.",
    "conv_shortcut.": "skip_connection.",
    # Blocks of transformers have norms of those names as well, which kept them.
    **{
        f"transformer_blocks.0.{theirs}.{each}": f"transformer_blocks.0.{ours}.{each}"
        for ours, theirs in (("norm1", "in_layers.0"), ("norm2", "out_layers.0"))
        for each in ("weight", "bias")
    },
}
VAE = {
    "conv_norm_out.": "norm_out.",
    "conv_shortcut.": "nin_shortcut.",
    "mid_block.attentions.0.": "mid.attn_1.",
    "mid_block.resnets.0.": "mid.block_1.",
    "mid_block.resnets.1.": "mid.block_2.",
    "group_norm.": "norm.",
    "to_q.": "q.",
    "to_k.": "k.",
    "to_v.": "v.",
    "to_out.0.": "proj_out.",
    "encoder.down_blocks.": "encoder.down.",
    "downsamplers.0.": "downsample.",
    "decoder.up_blocks.0.": "decoder.up.1.",
    "decoder.up_blocks.1.": "decoder.up.0.",
    "upsamplers.0.": "upsample.",
    ".resnets.": ".block.",
}
