"""Stable Diffusion XL pipelines of the real classes with random weights, drawn with in no time."""

from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.worker.engine import tiny

SIZE = tiny.SIZE
WIDTHS = (16, 24)  # of the text encoders
SUMMARY = 24  # width of what the second one says of a whole prompt
NUMBER = 8  # width of each of the six numbers about sizes


def pipeline(
    *, scheduler: str = "EulerDiscreteScheduler", seed: int = 0, unet: Any = None, **options: Any
) -> StableDiffusionXLPipeline:
    """Return a pipeline whose scheduler has *options*, and whose UNet those of *unet* besides the usual."""
    torch.manual_seed(seed)
    tokens = [AutoTokenizer.from_pretrained(tiny.TOKENIZER) for _ in WIDTHS]
    built = StableDiffusionXLPipeline(
        vae=tiny.autoencoder(),
        text_encoder=CLIPTextModel(_text(tokens[0], WIDTHS[0])),
        text_encoder_2=CLIPTextModelWithProjection(
            _text(tokens[1], WIDTHS[1], hidden_act="gelu", projection_dim=SUMMARY)
        ),
        tokenizer=tokens[0],
        tokenizer_2=tokens[1],
        unet=UNet2DConditionModel(
            **{
                "sample_size": SIZE // 2,
                "in_channels": 4,
                "out_channels": 4,
                "layers_per_block": 2,
                "block_out_channels": (8, 16),
                "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
                "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
                "cross_attention_dim": sum(WIDTHS),
                "attention_head_dim": 2,
                "norm_num_groups": 4,
                "use_linear_projection": True,
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": NUMBER,
                "projection_class_embeddings_input_dim": 6 * NUMBER + SUMMARY,
            }
            | (unet or {})
        ),
        scheduler=getattr(diffusers, scheduler)(**tiny.BETAS, **options),
        add_watermarker=False,
    )
    built.set_progress_bar_config(disable=True)
    return built


def saved(folder: Path, **typed: Any) -> Path:
    """Save such a pipeline in diffusers layout."""
    pipeline(**typed).save_pretrained(folder, safe_serialization=True)
    return folder


def single(file: Path, source: StableDiffusionXLPipeline) -> Path:
    """Save the weights of *source* in one file, laid out as the first Stable Diffusion XL was."""
    weights = {
        **tiny.renamed(source.unet.state_dict(), UNET, "model.diffusion_model."),
        **tiny.autoencoder_weights(source.vae),
        **{
            f"conditioner.embedders.0.transformer.{tiny.text_name(name)}": tensor
            for name, tensor in source.text_encoder.state_dict().items()
        },
        **_open_clip(source.text_encoder_2.state_dict()),
    }
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, file)
    return file


def _text(tokens: Any, width: int, **typed: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
        **typed,
    )


def _open_clip(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights of a text encoder as OpenCLIP names them: query, key and value are one matrix."""
    named = {}
    for name, tensor in weights.items():
        for ours, theirs in OPEN_CLIP.items():
            name = name.replace(ours, theirs)  # noqa: PLW2901 - one after the other
        named[f"conditioner.embedders.1.model.{name}"] = tensor
    for name in [each for each in named if ".q_proj." in each]:
        three = [named.pop(name.replace("q_proj", f"{part}_proj")) for part in "qkv"]
        layer, kind = name.split(".q_proj.")
        named[f"{layer}.in_proj_{kind}"] = torch.cat(three)
    projection = named.pop("conditioner.embedders.1.model.text_projection.weight")
    named["conditioner.embedders.1.model.text_projection"] = projection.T
    return {name: tensor for name, tensor in named.items() if "position_ids" not in name}


UNET = tiny.UNET | {
    "add_embedding.linear_1.": "label_emb.0.0.",
    "add_embedding.linear_2.": "label_emb.0.2.",
}
OPEN_CLIP = {
    "text_model.embeddings.token_embedding.": "token_embedding.",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.encoder.layers.": "transformer.resblocks.",
    "text_model.final_layer_norm.": "ln_final.",
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
    ".self_attn.": ".attn.",
}
