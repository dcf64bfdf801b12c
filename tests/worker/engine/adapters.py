"""IP-Adapters of the real formats with random weights for the tiny checkpoints, and a tiny image encoder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from tests.worker.engine import tiny

SEES = 16  # width of what the encoder says of each patch
SAYS = 24  # and of the whole picture
SIDE = 32  # pixels of a picture that it reads
PATCHES = (SIDE // 8) ** 2 + 1  # and one for all of them
HEAD = 64  # width of a head of the resampler, which is the same in all there are
TOKENS = {"plain": 4, "plus": 5, "full": PATCHES}

Tensors = Mapping[str, torch.Tensor]


def encoder(folder: Path, *, says: int = SAYS, seed: int = 0) -> Path:
    """Save an image encoder in *folder*."""
    torch.manual_seed(seed)
    config = CLIPVisionConfig(
        hidden_size=SEES,
        intermediate_size=32,
        projection_dim=says,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=8,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(folder, safe_serialization=True)
    return folder


def saved(folder: Path, kind: str = "plain", *, width: int = tiny.WIDTH, unet: Any = None) -> Path:
    """Save an IP-Adapter of that kind for *unet* as its makers do, with its image encoder beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder(folder / "image_encoder")
    torch.manual_seed(5)
    file = folder / f"ip-adapter-{kind}.safetensors"
    halves = {"image_proj": KINDS[kind](width), "ip_adapter": layers(unet or tiny.pipeline().unet, width)}
    save_file(
        {f"{half}.{name}": each.contiguous() for half, own in halves.items() for name, each in own.items()},
        file,
    )
    return file


def layers(unet: Any, width: int) -> Tensors:
    """Return keys and values of every cross-attention layer, counted as diffusers counts them."""
    names = [name for name in unet.attn_processors if "attn2" in name]
    found = {}
    for number, name in enumerate(names):
        wide = unet.get_submodule(name.removesuffix(".processor")).inner_dim
        for each in ("to_k_ip", "to_v_ip"):
            found[f"{2 * number + 1}.{each}.weight"] = torch.randn(wide, width) * 0.3
    return found


def _plain(width: int) -> Tensors:
    return _of({"proj": nn.Linear(SAYS, TOKENS["plain"] * width), "norm": nn.LayerNorm(width)})


def _full(width: int) -> Tensors:
    return _of(
        {"proj.0": nn.Linear(SEES, SEES), "proj.2": nn.Linear(SEES, width), "proj.3": nn.LayerNorm(width)}
    )


def _plus(width: int) -> Tensors:
    layers = {
        "proj_in": nn.Linear(SEES, HEAD),
        "proj_out": nn.Linear(HEAD, width),
        "norm_out": nn.LayerNorm(width),
    }
    for number in range(4):
        layers |= {
            f"layers.{number}.0.norm1": nn.LayerNorm(HEAD),
            f"layers.{number}.0.norm2": nn.LayerNorm(HEAD),
            f"layers.{number}.0.to_q": nn.Linear(HEAD, HEAD, bias=False),
            f"layers.{number}.0.to_kv": nn.Linear(HEAD, 2 * HEAD, bias=False),
            f"layers.{number}.0.to_out": nn.Linear(HEAD, HEAD, bias=False),
            f"layers.{number}.1.0": nn.LayerNorm(HEAD),
            f"layers.{number}.1.1": nn.Linear(HEAD, 4 * HEAD, bias=False),
            f"layers.{number}.1.3": nn.Linear(4 * HEAD, HEAD, bias=False),
        }
    return {"latents": torch.randn(1, TOKENS["plus"], HEAD), **_of(layers)}


def _of(modules: Mapping[str, nn.Module]) -> Tensors:
    return {f"{n}.{k}": v.detach() for n, module in modules.items() for k, v in module.state_dict().items()}


KINDS: Mapping[str, Callable[[int], Tensors]] = {"plain": _plain, "full": _full, "plus": _plus}
