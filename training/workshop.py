"""The folder a training lives in, and its parts put together from what is there already."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import CLIPTokenizer

from training import art, captions, compose, networks, tokenizer
from training.autoencoder import Apprentice, Easel
from training.diffusion import Painter, Trainer
from training.evaluate import HELD_OUT
from training.lexicon import STYLES, Subject, subjects
from training.pool import LatentPool, encode, to_tensor
from training.scenes import Actor, Ground, Scene


@dataclass(frozen=True)
class Workshop:
    """`cache` holds art and state; `base` is the checkpoint to start from, if there is one."""

    cache: Path
    base: Path | None

    @property
    def drawn(self) -> tuple[Subject, ...]:
        """The subjects, in order."""
        return subjects()

    @property
    def state(self) -> Path:
        """Where the diffusion training keeps its state."""
        return self.cache / "diffusion.pt"

    def sprites(self) -> art.Sprites:
        """The art, fetched and rendered at the first call."""
        return art.load(self.cache, self.drawn)

    def author(self, seed: int) -> captions.Author:
        """A writer of captions."""
        known = captions.known_words(self.drawn)
        fillers = captions.filler_words(
            [word for word in art.emoji_words(self.cache) if word not in HELD_OUT], known
        )
        return captions.Author(self.drawn, fillers, random.Random(seed))

    def autoencoder(self) -> Any:
        """The autoencoder in training if there is one, else that of the base; frozen."""
        own = self.cache / "vae"
        if own.exists():
            vae = networks.load_autoencoder(self.cache)
        elif self.base is not None:
            vae = networks.load_autoencoder(self.base)
        else:
            raise FileNotFoundError(f"no autoencoder in {own}: train it first")
        return vae.eval().requires_grad_(False)

    def apprentice(self) -> Apprentice:
        """The decoder's training, resumed if it has a state."""
        easel = Easel(self.sprites(), random.Random(2))
        return Apprentice(self.autoencoder(), easel, self.cache / "decoder.pt")

    def finished_autoencoder(self) -> Any:
        """The autoencoder as it ships: with the sharpened decoder if there is one."""
        vae = self.autoencoder()
        path = self.cache / "decoder.pt"
        if path.exists():
            vae.load_state_dict(torch.load(path, weights_only=True)["vae"])
        return vae

    def tokenizer(self) -> CLIPTokenizer:
        """The tokenizer, built at the first call."""
        folder = self.cache / "tokenizer"
        if not (folder / "tokenizer.json").exists():
            return tokenizer.build(self.drawn, folder)
        return CLIPTokenizer.from_pretrained(folder)

    def painter(self) -> Painter:
        """UNet and text encoder as they start: from the base as far as it goes, else from nothing."""
        words = self.tokenizer()
        if self.base is None:
            encoder = networks.new_text_encoder(words)
            networks.plant(encoder, words, networks.word_vectors(self.drawn, self._looks(), {}))
            return Painter(networks.new_unet(), encoder, words)
        before = CLIPTokenizer.from_pretrained(self.base / "tokenizer")
        encoder = networks.new_text_encoder(words, networks.TEXT_LAYERS)
        networks.inherit(encoder, self.base)
        if before.get_vocab() == words.get_vocab():
            return Painter(networks.load_unet(self.base), encoder, words)
        networks.special_vectors(encoder, words, self.base)
        learnt = networks.learnt_vectors(self.base, captions.english_words(self.drawn))
        networks.plant(encoder, words, networks.word_vectors(self.drawn, self._looks(), learnt))
        return Painter(networks.load_unet(self.base), encoder, words)

    def trainer(self, compared: float = 0) -> Trainer:
        """The diffusion training, resumed if it has a state; `compared` as the pool takes it."""
        pool = LatentPool(self.sprites(), self.autoencoder(), random.Random(0), compared=compared)
        return Trainer(self.painter(), pool, self.author(0), self.state)

    def _looks(self) -> networks.Vector:
        return looks_of(self.autoencoder(), self.sprites())


def looks_of(vae: Any, sprites: art.Sprites) -> networks.Vector:
    """(subject, features): the mean latent of each subject's sprites on white."""
    looks = []
    for number in range(len(sprites)):
        actor = Actor(number, 0.5, 0.5, 0.8)
        plain = [Scene("single", (actor,), Ground("colour", ("white",), 0), style) for style in STYLES]
        pictures = to_tensor([compose.draw(scene, sprites) for scene in plain])
        looks.append(encode(vae, pictures).mean(0).flatten().numpy())
    return np.stack(looks)
