"""The autoencoder: trained from nothing on crops; then its decoder alone, on latents as rough as a UNet's."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training import compose
from training.art import Sprites
from training.muon import Muon
from training.pool import to_tensor
from training.scenes import draw_scene

BASE_ADAM, BASE_MUON = 2e-3, 0.02


class Easel:
    """Training pictures: a ring of composites, a share of every batch new."""

    def __init__(self, sprites: Sprites, rng: random.Random, capacity: int = 3000) -> None:
        self._sprites, self.rng = sprites, rng
        self._ring: deque[compose.Pixels] = deque(maxlen=capacity)

    def batch(self, size: int, fresh: float = 0.25) -> Tensor:
        """(size, 3, 128, 128) in -1..1."""
        wanted = size if len(self._ring) < 20 * size else max(1, round(size * fresh))
        for number in range(wanted):
            scene = draw_scene(self.rng, len(self._sprites), easy=number % 2 == 0)
            self._ring.append(compose.draw(scene, self._sprites))
        return to_tensor([self._ring[self.rng.randrange(len(self._ring))] for _ in range(size)])


def slopes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbours down and across."""
    return pictures[:, :, 1:] - pictures[:, :, :-1], pictures[..., 1:] - pictures[..., :-1]


def likeness(drawn: Tensor, wanted: Tensor) -> Tensor:
    """L1, squared error and L1 of the slopes: flat areas stay flat and edges fall in the right place."""
    edges = sum(functional.l1_loss(a, b) for a, b in zip(slopes(drawn), slopes(wanted), strict=True))
    return functional.l1_loss(drawn, wanted) + functional.mse_loss(drawn, wanted) + 0.5 * edges


def crispness(drawn: Tensor, wanted: Tensor) -> Tensor:
    """How far the local edge energy is from the art's own, whatever the edge's exact place.

    An uncertain decoder blurs, which is right on average and wrong to look at; energy compared over small
    neighbourhoods makes it decide.
    """
    return functional.l1_loss(_energy(drawn), _energy(wanted))


def _energy(pictures: Tensor) -> Tensor:
    grey = pictures.mean(1, keepdim=True)
    kernel = torch.tensor([[[[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]]])
    return (functional.avg_pool2d(functional.conv2d(grey, kernel) ** 2, 7, 3) + 1e-4).sqrt()


def psnr(drawn: Tensor, wanted: Tensor) -> float:
    """Peak signal-to-noise ratio in dB for pictures in -1..1."""
    return (10 * torch.log10(4 / functional.mse_loss(drawn.clamp(-1, 1), wanted))).item()


@dataclass
class Apprentice:
    """An autoencoder in training; `decoder_only` keeps the latents, and so the UNet, valid."""

    vae: Any
    easel: Easel
    path: Path
    decoder_only: bool = True
    noise: float = 0.25
    crisp: float = 3.0
    step: int = 0

    def __post_init__(self) -> None:
        parts = (self.vae.decoder, self.vae.post_quant_conv) if self.decoder_only else (self.vae,)
        self.weights = [weight.requires_grad_() for part in parts for weight in part.parameters()]
        matrices = [weight for weight in self.weights if weight.ndim == 4 and min(weight.shape[:2]) > 4]
        chosen = {id(weight) for weight in matrices}
        self.muon = Muon([{"params": matrices}])
        self.adam = torch.optim.Adam(
            [weight for weight in self.weights if id(weight) not in chosen], BASE_ADAM
        )
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            self.step = state["step"]
            self.easel.rng.seed(self.step)
            self.vae.load_state_dict(state["vae"])
            self.muon.load_state_dict(state["muon"])
            self.adam.load_state_dict(state["adam"])

    def train(self, steps: int, batch: int, rate: float, *, report_every: int = 100) -> None:
        """Take `steps` steps at a rate that falls as a cosine over this call's steps."""
        begun, losses, busy = self.step, [], time.process_time()
        falling = torch.cos(torch.linspace(0, torch.pi, steps + 1)) * 0.5 + 0.5
        while self.step < begun + steps:
            losses.append(self._one(batch, rate * falling[self.step - begun].item()))
            if self.step % report_every == 0:
                self.save()
                seconds = (time.process_time() - busy) / len(losses)
                print(
                    f"step {self.step} loss {sum(losses) / len(losses):.4f} {self.quality()} "
                    f"cpu {seconds:.2f} s a step",
                    flush=True,
                )
                losses, busy = [], time.process_time()
        self.save()

    def _one(self, batch: int, rate: float) -> float:
        wanted = self.easel.batch(batch)
        with torch.autocast("cpu", torch.bfloat16):
            loss = self._loss(wanted)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.muon.param_groups[0]["lr"] = rate
        self.adam.param_groups[0]["lr"] = rate * BASE_ADAM / BASE_MUON
        for optimizer in (self.muon, self.adam):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item()

    def _loss(self, wanted: Tensor) -> Tensor:
        if self.decoder_only:
            with torch.no_grad():
                mean = self.vae.encode(wanted).latent_dist.mean
            spoil = self.noise * torch.rand(len(mean), 1, 1, 1) * torch.randn_like(mean)
            drawn = self.vae.decode(mean + spoil).sample.float()
            return likeness(drawn, wanted) + self.crisp * crispness(drawn, wanted)
        crops = _cropped(wanted)
        latent = self.vae.encode(crops).latent_dist
        mean = latent.mean
        drawn = self.vae.decode(mean + 0.1 * torch.randn_like(mean)).sample.float()
        centred = (mean.mean((0, 2, 3)) ** 2).sum() + ((mean.std((0, 2, 3)) - 1) ** 2).sum()
        loss: Tensor = likeness(drawn, crops) + 0.02 * centred + 1e-4 * (latent.logvar**2).mean()
        return loss

    @torch.no_grad()
    def quality(self) -> str:
        """PSNR on new pictures, clean and with rough latents, and edge energy beside the art's."""
        wanted = self.easel.batch(16, fresh=1.0)
        mean = self.vae.encode(wanted).latent_dist.mean
        clean = self.vae.decode(mean).sample
        rough = self.vae.decode(mean + 0.15 * torch.randn_like(mean)).sample
        sharp = (_energy(rough) ** 2).mean() / (_energy(wanted) ** 2).mean()
        return f"psnr {psnr(clean, wanted):.2f} rough {psnr(rough, wanted):.2f} edges {sharp.item():.2f}"

    def save(self) -> None:
        """The state to resume from."""
        state = {
            "step": self.step,
            "vae": self.vae.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
        }
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.path)


def _cropped(pictures: Tensor, side: int = 64) -> Tensor:
    """One random square of each picture."""
    return torch.cat(
        [picture[None, :, y : y + side, x : x + side] for picture, (y, x) in _corners(pictures, side)]
    )


def _corners(pictures: Tensor, side: int) -> Iterator[tuple[Tensor, tuple[int, int]]]:
    for picture in pictures:
        y, x = torch.randint(0, pictures.shape[-1] - side + 1, (2,)).tolist()
        yield picture, (y, x)


@torch.no_grad()
def scaling_factor(vae: Any, easel: Easel) -> float:
    """One over the deviation of the latents, what the pipeline multiplies them with."""
    mean: Tensor = vae.encode(easel.batch(64, fresh=1.0)).latent_dist.mean
    return 1 / mean.std().item()
