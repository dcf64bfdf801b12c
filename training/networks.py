"""The networks: their shapes, how they start from nothing, and how they start from an earlier checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.captions import known_words, unaccented
from training.lexicon import COLOURS, TRANSLATIONS, Subject, plural_es
from training.tokenizer import CONTEXT, token_of

Vector = NDArray[np.float32]
WIDTH = 128
FIRST_LAYERS, TEXT_LAYERS = 2, 3  # of a text encoder that starts from nothing; of one that has learnt


def new_autoencoder() -> Any:
    """An AutoencoderKL of factor 8 with four channels that starts almost linear."""
    vae = AutoencoderKL(
        block_out_channels=(16, 32, 64, 96),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=128,
    )
    for name, module in vae.named_modules():
        if name.endswith("conv2"):
            nn.init.zeros_(module.weight)
        elif "upsamplers" in name and isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)
    return vae


def new_unet() -> Any:
    """The UNet; its residual branches start at zero."""
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(48, 96, 192),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
        time_embedding_dim=256,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
        use_linear_projection=True,
    )
    for name, module in unet.named_modules():
        if name.endswith(("conv2", "proj_out", "time_emb_proj")) or name == "conv_out":
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    return unet


def new_scheduler() -> Any:
    """DPM-Solver++ for v-prediction down to zero signal."""
    return DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        steps_offset=1,
    )


def new_text_encoder(tokenizer: CLIPTokenizer, layers: int = FIRST_LAYERS) -> Any:
    """A text encoder in which every token after the caption starts as the average of its words.

    The pipeline passes no attention mask, so the many identical pads would drown the few words: their own
    embedding is zero, positions are faint, and the first layer passes values through unchanged. Layers beyond
    the second pass on what they get; before words reach the picture they are rather in their way.
    """
    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=CONTEXT,
            hidden_act="gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
    )
    weights = dict(encoder.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            if "position_embedding" in name:
                weight.normal_(std=0.05)
            elif "token_embedding" in name:
                weight.normal_(std=0.02)
                weight[tokenizer.eos_token_id] = 0
            elif "layers.0" in name and name.endswith(("v_proj.weight", "out_proj.weight")):
                weight.copy_(torch.eye(WIDTH))
            elif name.endswith(("out_proj.weight", "fc2.weight")):
                weight.mul_(0.2 if "layers.1" in name else 0)
    return encoder


def distinctive(name: str, everything: Mapping[str, int]) -> str:
    """The word of a name that says most: in the fewest other names, then the longest."""
    return min(name.split(), key=lambda word: (everything.get(word, 0), -len(word)))


def word_vectors(
    subjects: tuple[Subject, ...], looks: Vector, known: Mapping[str, Vector]
) -> dict[str, Vector]:
    """A starting vector for each word that means something.

    Args:
        subjects: what can be drawn.
        looks: (subject, features) what each looks like to the autoencoder.
        known: vectors of words that an earlier text encoder has learnt; may be empty.
    """
    counts: dict[str, int] = {}
    for subject in subjects:
        for word in {word for name in (*subject.english, *subject.spanish) for word in name.singular.split()}:
            counts[word] = counts.get(word, 0) + 1
    mains = [distinctive(subject.name, counts) for subject in subjects]
    fallback = _from_looks(looks, [known.get(word) for word in mains])
    vectors = dict(known)
    for subject, main, guess in zip(subjects, mains, fallback, strict=True):
        vector = known.get(main, guess)
        for name in (*subject.english, *subject.spanish):
            for form in (name.singular, name.plural):
                vectors.setdefault(distinctive(form, counts), vector)
        for form in subject.emoji_forms:
            vectors[form] = vector
    translations = dict(TRANSLATIONS)
    for colour in COLOURS.values():
        target = colour.english[0].split()[-1]
        translations |= {
            form: target for pair in colour.spanish for word in pair for form in (word, plural_es(word))
        }
    rng = np.random.default_rng(0)
    # Beside learnt vectors a loud random one would only disturb: such words start faint.
    scale = 0.02 if known else 0.4
    for word in sorted(known_words(subjects) - translations.keys() - vectors.keys()):
        vectors[word] = rng.normal(0, scale, WIDTH).astype(np.float32)
    # A word of grammar may also name a thing: *sobre* is an envelope, but far oftener it is "on".
    vectors |= {word: vectors[target] for word, target in translations.items() if word not in known}
    return vectors | {
        unaccented(word): vector for word, vector in vectors.items() if unaccented(word) not in vectors
    }


def _from_looks(looks: Vector, learnt: list[Vector | None]) -> Vector:
    """(subject, WIDTH): principal components of the looks, moved into the space of the learnt vectors."""
    centred = looks - looks.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(96, len(sizes))
    parts = left[:, :kept] * sizes[:kept]
    parts = parts / (parts.std() + 1e-6)
    rows = [row for row, vector in enumerate(learnt) if vector is not None]
    if len(rows) < kept:
        return np.pad(parts, ((0, 0), (0, WIDTH - kept))).astype(np.float32)
    basis = np.concatenate([parts[rows, :32], np.ones((len(rows), 1))], axis=1)
    target = np.stack([vector for vector in learnt if vector is not None])
    solution, *_ = np.linalg.lstsq(basis, target, rcond=None)
    return np.asarray(
        np.concatenate([parts[:, :32], np.ones((len(parts), 1))], axis=1) @ solution, np.float32
    )


def plant(encoder: Any, tokenizer: CLIPTokenizer, vectors: Mapping[str, Vector]) -> None:
    """Write word vectors into the token embedding; emoji also for their form inside a row."""
    table = encoder.get_input_embeddings().weight
    vocabulary = tokenizer.get_vocab()
    with torch.no_grad():
        for word, vector in vectors.items():
            whole = token_of(word)
            for token in (whole, whole.removesuffix("</w>")):
                if token in vocabulary and (token == whole or not word.isascii()):
                    table[vocabulary[token]] = torch.from_numpy(vector)


def learnt_vectors(checkpoint: Path, words: frozenset[str]) -> dict[str, Vector]:
    """What an earlier text encoder holds for those of `words` that were single tokens to it."""
    vocabulary = json.loads((checkpoint / "tokenizer/tokenizer.json").read_text(encoding="utf-8"))["model"][
        "vocab"
    ]
    encoder = CLIPTextModel.from_pretrained(checkpoint / "text_encoder", dtype=torch.float32)
    table = encoder.get_input_embeddings().weight.detach().numpy()
    found = {word: vocabulary.get(token_of(word)) for word in words}
    return {word: table[number] for word, number in found.items() if number is not None}


def inherit(encoder: Any, checkpoint: Path) -> None:
    """Take over all of an earlier text encoder but another vocabulary.

    New positions repeat its last one; new layers start by passing on what they get.
    """
    old: dict[str, Tensor] = CLIPTextModel.from_pretrained(
        checkpoint / "text_encoder", dtype=torch.float32
    ).state_dict()
    new = encoder.state_dict()
    for name, value in old.items():
        if "position_embedding.weight" in name:
            kept = min(len(value), len(new[name]))
            new[name][:kept] = value[:kept]
            new[name][kept:] = value[-1]
        elif new[name].shape == value.shape:
            new[name] = value
    for name in new.keys() - old.keys():
        if ".out_proj." in name or ".fc2." in name:
            new[name].zero_()
    encoder.load_state_dict(new)


def special_vectors(encoder: Any, tokenizer: CLIPTokenizer, checkpoint: Path) -> None:
    """Take over the vectors of start and end, which an earlier vocabulary keeps under other numbers."""
    config = CLIPTextConfig.from_pretrained(checkpoint / "text_encoder")
    old = (
        CLIPTextModel.from_pretrained(checkpoint / "text_encoder", dtype=torch.float32)
        .get_input_embeddings()
        .weight
    )
    table = encoder.get_input_embeddings().weight
    with torch.no_grad():
        table[tokenizer.bos_token_id] = old[config.bos_token_id]
        table[tokenizer.eos_token_id] = old[config.eos_token_id]


def load_autoencoder(checkpoint: Path) -> Any:
    """The checkpoint's autoencoder in fp32."""
    return AutoencoderKL.from_pretrained(checkpoint / "vae", torch_dtype=torch.float32)


def load_unet(checkpoint: Path) -> Any:
    """The checkpoint's UNet in fp32."""
    return UNet2DConditionModel.from_pretrained(checkpoint / "unet", torch_dtype=torch.float32)
