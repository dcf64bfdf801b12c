"""The UNet and its text encoder, trained together on the latent pool; stops and resumes at any step."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from training.captions import Author
from training.muon import Muon
from training.pool import Batch, LatentPool
from training.scenes import Scene

STEPS = 1000
BASE_MUON, BASE_ADAM, TEXT_SHARE = 0.02, 2e-3, 0.25


@dataclass(frozen=True)
class Schedule:
    """How fast to learn: `rate` is Muon's, Adam's follows; from `decay_from` it falls to 0 at `decay_to`.

    What members of a family differ in counts `style` times while the rate is full. As it falls, so does that,
    and with it the preference for noise: styles are learnt first, then texture.
    """

    rate: float = 0.01
    warmup: int = 40
    decay_from: int | None = None
    decay_to: int | None = None
    style: float = 1.0

    def at(self, step: int, begun: int) -> float:
        """The rate at `step` of a run that started at step `begun`."""
        return self.rate * min(1.0, (step - begun + 1) / self.warmup) * self.left(step)

    def left(self, step: int) -> float:
        """1 before the rate falls, 0 when it is down."""
        if self.decay_from is None or self.decay_to is None or step <= self.decay_from:
            return 1.0
        return max(0.0, (self.decay_to - step) / (self.decay_to - self.decay_from))

    def style_at(self, step: int) -> float:
        """How many times differences of styles count at `step`."""
        return 1 + (self.style - 1) * self.left(step)


def signal_and_noise() -> tuple[Tensor, Tensor]:
    """sqrt(alpha-bar) and its complement at each of 1000 times, rescaled so that the last has no signal.

    Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1.
    """
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2
    root = torch.cumprod(1 - betas, 0).sqrt()
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return root.float(), (1 - root**2).sqrt().float()


@dataclass
class Painter:
    """The networks in training and what belongs to them."""

    unet: Any
    encoder: Any
    tokenizer: Any
    signal: Tensor = field(default_factory=lambda: signal_and_noise()[0])
    noise: Tensor = field(default_factory=lambda: signal_and_noise()[1])

    def encode(self, captions: list[str]) -> Tensor:
        """(n, tokens, width)."""
        ids = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids
        states: Tensor = self.encoder(ids).last_hidden_state
        return states

    def velocity(self, noisy: Tensor, times: Tensor, context: Tensor) -> Tensor:
        """The UNet's v prediction, shaped like `noisy`."""
        predicted: Tensor = self.unet(noisy, times, encoder_hidden_states=context).sample
        return predicted

    def loss(
        self, some: Batch, captions: list[str], times: Tensor, noise: Tensor, style: float = 1.0
    ) -> Tensor:
        """Mean squared error of v, the same weight at every time; `style` weighs what families differ in.

        Styles of one subject are so alike that the rest of the error hides them for a long time.
        """
        keep, spoil = (table[times].view(-1, 1, 1, 1) for table in (self.signal, self.noise))
        target = keep * noise - spoil * some.latents
        noisy = keep * some.latents + spoil * noise
        error = (self.velocity(noisy, times, self.encode(captions)) - target).float()
        return error.square().mean() + (style - 1) * some.within(error).square().mean()

    @torch.no_grad()
    def spread(self, captions: list[str], shape: tuple[int, int] = (16, 16)) -> tuple[float, float]:
        """Does text arrive? From pure noise, one step: (deviation across captions, deviation overall).

        At the last time the picture can come from the caption alone, so a model that ignores words predicts
        the same blob for each and the first number is near zero.
        """
        start = torch.randn(1, 4, *shape, generator=torch.Generator().manual_seed(0)).expand(
            len(captions), -1, -1, -1
        )
        times = torch.full((len(captions),), STEPS - 1)
        clean = -self.velocity(start, times, self.encode(captions))
        return clean.std(0).mean().item(), clean.std().item()


def spread_times(sizes: Tensor, generator: torch.Generator, left: float = 1.0) -> Tensor:
    """A time for each family of `sizes` (n,) members, one from each stratum of 0..1, in random order.

    Rather more of them are noisy, 1000 u^0.85, and far more where styles are compared, 1000 u^0.5 while all
    of the rate is `left`: in little noise a style can be seen, and only where it cannot must it be read.
    """
    count = len(sizes)
    u = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return (STEPS * u ** torch.where(sizes > 1, 0.85 - 0.35 * left, 0.85)).long().clamp(0, STEPS - 1)


class Trainer:
    """Steps, averages and the file they are kept in."""

    def __init__(self, painter: Painter, pool: LatentPool, author: Author, path: Path) -> None:
        self.painter, self.pool, self.author, self.path = painter, pool, author, path
        self.networks = nn.ModuleDict({"unet": painter.unet, "text": painter.encoder})
        self.muon, self.adam = self._optimizers()
        self.averages = {name: value.detach().clone() for name, value in self.networks.named_parameters()}
        self.step = 0
        self.generator = torch.Generator().manual_seed(0)
        if path.exists():
            self._load()

    def _optimizers(self) -> tuple[Muon, torch.optim.Adam]:
        drawn: list[nn.Parameter] = []
        read: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        for name, weight in self.networks.named_parameters():
            plain = weight.ndim < 2 or "embedding.weight" in name or "conv_in" in name or "conv_out" in name
            (rest if plain else read if name.startswith("text") else drawn).append(weight)
        muon = Muon([{"params": drawn, "share": 1.0}, {"params": read, "share": TEXT_SHARE}])
        return muon, torch.optim.Adam(rest, lr=BASE_ADAM, betas=(0.9, 0.98))

    def train(self, steps: int, batch: int, schedule: Schedule, *, report_every: int = 50) -> None:
        """Take `steps` steps; saves and prints a line every `report_every`."""
        begun, losses, busy = self.step, [], time.process_time()
        self.networks.train()
        while self.step < begun + steps:
            losses.append(self._one(batch, schedule, begun))
            if self.step % report_every == 0:
                self.save()
                self._report(losses, time.process_time() - busy, schedule.at(self.step, begun))
                losses, busy = [], time.process_time()
        self.save()

    def _report(self, losses: list[float], seconds: float, rate: float) -> None:
        names = [subject.name for subject in self.author.subjects[:: max(1, len(self.author.subjects) // 8)]]
        across, overall = self.painter.spread([f"a {name} on a white background" for name in names[:8]])
        mean = sum(losses) / len(losses)
        print(
            f"step {self.step} loss {mean:.4f} rate {rate:.4f} spread {across:.3f}/{overall:.3f} "
            f"cpu {seconds / len(losses):.2f} s a step",
            flush=True,
        )

    def _one(self, batch: int, schedule: Schedule, begun: int) -> float:
        rate, style = schedule.at(self.step, begun), schedule.style_at(self.step)
        some = self.pool.batch(batch)
        times = spread_times(some.sizes, self.generator, schedule.left(self.step))[some.families]
        noise = torch.randn(len(some.sizes), *some.latents.shape[1:], generator=self.generator)[some.families]
        captions = self._captions(some)
        # bf16 halves the step where the processor has it; fused attention is slow at heads this small.
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            loss = self.painter.loss(some, captions, times, noise, style)
            loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        for group in self.muon.param_groups:
            group["lr"] = rate * group["share"]
        for group in self.adam.param_groups:
            group["lr"] = rate * BASE_ADAM / BASE_MUON
        for optimizer in (self.muon, self.adam):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._average()
        return loss.item()

    def _captions(self, some: Batch) -> list[str]:
        """A caption for each scene; members of a family get the same but for what they differ in."""
        sizes = some.sizes.tolist()
        seeds = [self.author.rng.getrandbits(32) for _ in sizes]
        written = []
        for scene, family in zip(some.scenes, some.families.tolist(), strict=True):
            self.author.rng.seed(seeds[family])
            written.append(self._words(scene, compared=sizes[family] > 1))
        return written

    def _words(self, scene: Scene, *, compared: bool) -> str:
        """A caption; now and then none, which is what guidance leans against, or only a piece of one.

        Where styles are compared it names the style.
        """
        roll = self.author.rng.random()
        if roll < 0.1:
            return ""
        if roll < 0.17 and not compared:
            return self.author.fragment(scene)
        return self.author.caption(scene, styled=compared)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(0.995, (1 + self.step) / (10 + self.step))
        for name, value in self.networks.named_parameters():
            self.averages[name].lerp_(value, 1 - decay)

    def save(self) -> None:
        """Everything needed to go on, written beside and renamed over."""
        state = {
            "step": self.step,
            "networks": self.networks.state_dict(),
            "averages": self.averages,
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
        }
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.path)

    def _load(self) -> None:
        state = torch.load(self.path, weights_only=True)
        self.step = state["step"]
        self.networks.load_state_dict(state["networks"])
        self.averages = state["averages"]
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.generator.manual_seed(self.step)
        self.author.rng.seed(self.step)
        self.pool.rng.seed(self.step)

    def averaged(self) -> dict[str, dict[str, Tensor]]:
        """The averaged weights of each network by its own parameter names."""
        split: dict[str, dict[str, Tensor]] = {"unet": {}, "text": {}}
        for name, value in self.averages.items():
            network, _, own = name.partition(".")
            split[network][own] = value
        return split
