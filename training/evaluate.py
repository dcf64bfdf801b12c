"""The examination: prompts the training never saw, drawn by the stock pipeline and marked by the judge."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

from training import compose, judge
from training.art import Sprites
from training.judge import Judge, Picture
from training.lexicon import COLOURS, STYLE_NAMES, STYLES, Subject
from training.scenes import Actor, Ground, Scene

GUIDANCE = 3.0
# None of their words is among the fillers of the training captions.
MESSY = tuple((Path(__file__).parent / "messy.txt").read_text(encoding="utf-8").splitlines())
HELD_OUT = frozenset(re.findall(r"[a-z]+", " ".join(MESSY).lower()))
SPECK, QUARTER = 0.01, 0.25
TINTED = ("red", "yellow", "green", "blue", "purple", "pink")
BARS = {
    "subject": 0.90, "messy": 0.80, "style": 0.80, "ground": 0.95, "tint": 0.70, "count": 0.80,
    "left or right": 0.90, "negative": 0.70, "seeds differ": 0.10, "spanish": 0.70, "emoji": 0.70,
    "small": 0.80, "wide and tall": 0.80, "variations": 0.80, "redrawn": 0.80,
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One picture to draw; `size` is (height, width) in pixels."""

    prompt: str
    seed: int
    negative: str = ""
    size: tuple[int, int] = (128, 128)


@dataclass
class Examination:
    """One checkpoint under the judge: `steps` of sampling; `thin` keeps only every n-th question."""

    pipeline: Any
    subjects: Sequence[Subject]
    sprites: Sprites
    thin: int = 1
    steps: int = 12
    batch: int = 16
    marks: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.eyes = Judge(self.sprites)

    def draw(self, orders: Sequence[Order]) -> list[Picture]:
        """The ordered pictures, each from its own seed."""
        pictures: list[Picture] = []
        for start in range(0, len(orders), self.batch):
            some = orders[start : start + self.batch]
            result = self.pipeline(
                [order.prompt for order in some],
                negative_prompt=[order.negative for order in some],
                height=some[0].size[0],
                width=some[0].size[1],
                num_inference_steps=self.steps,
                guidance_scale=GUIDANCE,
                generator=[torch.Generator().manual_seed(order.seed) for order in some],
                output_type="np",
            )
            pictures += [np.asarray(picture, np.float32) for picture in result.images]
        return pictures

    def recognised(self, orders: Sequence[tuple[Order, int]]) -> list[bool]:
        """For each ordered picture: is it nearest to a sprite of the subject asked for?"""
        pictures = self.draw([order for order, _ in orders])
        verdicts = [self.eyes.look(picture) for picture in pictures]
        return [
            int(verdict.order[0]) == number for verdict, (_, number) in zip(verdicts, orders, strict=True)
        ]

    def some(self, every: int, start: int = 0) -> list[int]:
        """Numbers of every n-th subject."""
        return list(range(start, len(self.subjects), every * self.thin))

    # --- one method a bar ----------------------------------------------------------------------------------

    def subject(self) -> float:
        """Share of all subjects drawn so that the nearest of all sprites is theirs; also measures detail."""
        numbers = self.some(1)
        pictures = self.draw(
            [Order(f"one {self.subjects[n].name}, white background", 1000 + n) for n in numbers]
        )
        hits = [
            int(self.eyes.look(picture).order[0]) == n for picture, n in zip(pictures, numbers, strict=True)
        ]
        art = [compose.draw(plain_scene(n, style), self.sprites) for n in numbers for style in STYLES]
        wanted = float(np.mean([judge.detail(np.asarray(picture / 255, np.float32)) for picture in art]))
        self.marks["detail"] = float(np.mean([judge.detail(picture) for picture in pictures])) / wanted
        missed = [self.subjects[n].name for n, hit in zip(numbers, hits, strict=True) if not hit]
        self.notes["subjects missed"] = ", ".join(missed)
        return float(np.mean(hits))

    def messy(self) -> float:
        """Share of all subjects recognised inside sentences of unknown words."""
        orders = [
            (Order(MESSY[i % len(MESSY)].format(self.subjects[n].name), 2000 + n), n)
            for i, n in enumerate(self.some(1))
        ]
        return float(np.mean(self.recognised(orders)))

    def spanish(self) -> float:
        """Subjects recognised from their Spanish names."""
        orders = []
        for n in self.some(4, 2):
            name = self.subjects[n].spanish[0]
            orders.append(
                (Order(f"quiero ver {'una' if name.feminine else 'un'} {name.singular}", 3000 + n), n)
            )
        return float(np.mean(self.recognised(orders)))

    def emoji(self) -> float:
        """Subjects recognised from the emoji character alone."""
        orders = [
            (Order(f"{self.subjects[n].emoji} on a white background", 4000 + n), n) for n in self.some(6, 3)
        ]
        return float(np.mean(self.recognised(orders)))

    def small(self) -> float:
        """A small thing is there at all, and is small: it covers a hundredth to a quarter of the picture."""
        numbers = self.some(8, 4)
        grounds = ("pink", "white", "blue")
        orders = [
            Order(f"a small {self.subjects[n].name} on a {grounds[i % 3]} background", 17000 + n)
            for i, n in enumerate(numbers)
        ]
        covered = [float(judge.foreground(picture).mean()) for picture in self.draw(orders)]
        return float(np.mean([SPECK < share < QUARTER for share in covered]))

    def wide_and_tall(self) -> float:
        """Subjects recognised at 2:1 and 1:2."""
        hits = []
        for size in ((88, 176), (176, 88)):
            orders = [
                (Order(f"a {self.subjects[n].name} on a white background", 5000 + n, size=size), n)
                for n in self.some(12, size[0] // 44)
            ]
            hits += self.recognised(orders)
        return float(np.mean(hits))

    def variations(self) -> float:
        """Subjects recognised after three quarters of the schedule were drawn again from a picture."""
        pairs = self._drawn_again(AutoPipelineForImage2Image, {"strength": 0.75})
        moved = [float(np.abs(before - after).mean()) for _, before, after in pairs]
        self.notes["variations moved"] = f"{np.mean(moved):.3f} of full scale"
        return float(np.mean([int(self.eyes.look(after).order[0]) == n for n, _, after in pairs]))

    def redrawn(self) -> float:
        """Subjects recognised after the right half alone was drawn again, from another seed."""
        mask = np.zeros((128, 128), np.float32)
        mask[:, 64:] = 1
        pairs = self._drawn_again(AutoPipelineForInpainting, {"strength": 1.0, "mask_image": mask})
        kept = [float(np.abs(before - after)[:, :48].mean()) for _, before, after in pairs]
        self.notes["redrawn, left part moved"] = f"{np.mean(kept):.3f} of full scale"
        return float(np.mean([int(self.eyes.look(after).order[0]) == n for n, _, after in pairs]))

    def _drawn_again(self, kind: Any, options: dict[str, Any]) -> list[tuple[int, Picture, Picture]]:
        """Some subjects before and after `kind` of pipeline, with the same weights, drew them again."""
        pipeline = kind.from_pipe(self.pipeline)
        pipeline.set_progress_bar_config(disable=True)
        numbers = self.some(12, 11)
        orders = [Order(f"a {self.subjects[n].name} on a white background", 15000 + n) for n in numbers]
        before = self.draw(orders)
        after = [
            np.asarray(
                pipeline(
                    order.prompt,
                    image=picture[None],
                    num_inference_steps=self.steps,
                    guidance_scale=GUIDANCE,
                    generator=torch.Generator().manual_seed(order.seed + 500),
                    output_type="np",
                    **options,
                ).images[0],
                np.float32,
            )
            for order, picture in zip(orders, before, strict=True)
        ]
        return list(zip(numbers, before, after, strict=True))

    def style(self) -> float:
        """Share of all subjects in each style whose nearest sprite of the subject has the style asked for."""
        asked = [(n, style) for n in self.some(1) for style in range(len(STYLES))]
        orders = [
            Order(
                f"{STYLE_NAMES[STYLES[style]][0]} of a {self.subjects[n].name} on a white background",
                6000 + n,
            )
            for n, style in asked
        ]
        verdicts = [self.eyes.look(picture) for picture in self.draw(orders)]
        seen = [int(verdict.styles[n]) for verdict, (n, _) in zip(verdicts, asked, strict=True)]
        pairs = Counter(f"{STYLES[style]}>{STYLES[got]}" for got, (_, style) in zip(seen, asked, strict=True))
        self.notes["styles"] = ", ".join(f"{pair} {count}" for pair, count in sorted(pairs.items()))
        return float(np.mean([got == style for got, (_, style) in zip(seen, asked, strict=True)]))

    def ground(self) -> float:
        """Border colour right, over all named colours."""
        asked = [(key, n) for key in COLOURS for n in self.some(64, 7)]
        orders = [
            Order(f"there is a {self.subjects[n].name} on a {COLOURS[key].english[0]} background", 7000 + i)
            for i, (key, n) in enumerate(asked)
        ]
        seen = [judge.border_name(picture) for picture in self.draw(orders)]
        return float(np.mean([got == key for got, (key, _) in zip(seen, asked, strict=True)]))

    def tint(self) -> float:
        """The object has the colour asked for and the ground does not."""
        asked = [(key, n) for i, key in enumerate(TINTED) for n in self.some(32, 3 + i)]
        orders = [
            Order(f"a {key} {self.subjects[n].name} on a white background", 8000 + i)
            for i, (key, n) in enumerate(asked)
        ]
        pictures = self.draw(orders)
        right = [
            judge.object_name(picture) == key and judge.border_name(picture) != key
            for picture, (key, _) in zip(pictures, asked, strict=True)
        ]
        return float(np.mean(right))

    def count(self) -> float:
        """As many objects as asked for, one to four."""
        wanted = self.some(16, 6)
        shares = []
        for number, word in enumerate(("one", "two", "three", "four"), start=1):
            names = [self.subjects[n].english[0] for n in wanted]
            orders = [
                Order(
                    f"{word} {name.singular if number == 1 else name.plural} on a white background", 9000 + n
                )
                for n, name in zip(wanted, names, strict=True)
            ]
            shares.append(float(np.mean([judge.count_objects(p) == number for p in self.draw(orders)])))
        self.notes["counts 1-4"] = " ".join(f"{share:.2f}" for share in shares)
        return float(np.mean(shares))

    def left_or_right(self) -> float:
        """The object's mass lies on the side asked for."""
        asked = [(side, n) for side in ("left", "right") for n in self.some(16, 8)]
        orders = [
            Order(f"{self.subjects[n].name} on the {side} on a white background", 10000 + n)
            for side, n in asked
        ]
        centres = [judge.centre(picture)[0] for picture in self.draw(orders)]
        return float(
            np.mean(
                [
                    (x < 0.45) if side == "left" else (x > 0.55)
                    for x, (side, _) in zip(centres, asked, strict=True)
                ]
            )
        )

    def seeds_differ(self) -> float:
        """Mean pixel difference between four seeds where the prompt names no ground."""
        differences = []
        for n in self.some(24, 9):
            pictures = self.draw([Order(f"a {self.subjects[n].name}", 11000 + i) for i in range(4)])
            differences += [float(np.abs(a - b).mean()) for a, b in combinations(pictures, 2)]
        return float(np.mean(differences))

    def negative(self) -> float:
        """How much of its share the commonest unnamed ground loses when a negative names it."""
        orders = [Order(f"a {self.subjects[n].name}", 12000 + i) for n in self.some(24, 10) for i in range(6)]
        before = Counter(judge.border_name(picture) for picture in self.draw(orders))
        key, share = before.most_common(1)[0]
        refused = [
            Order(order.prompt, order.seed, f"{COLOURS[key].english[0]} background") for order in orders
        ]
        after = Counter(judge.border_name(picture) for picture in self.draw(refused))[key]
        self.notes["commonest ground"] = f"{key} {share}/{len(orders)}, refused {after}/{len(orders)}"
        return 1 - after / share

    def sweep(self) -> float:
        """Share of the steps of `apple::w fox::1`, w from 0 to 4, that lead toward the apple."""
        names = [subject.name for subject in self.subjects]
        apple, fox = names.index("apple"), names.index("fox")
        ends = [self.pipeline.encode_prompt(name, "cpu", 1, False)[0] for name in ("apple", "fox")]
        nothing = self.pipeline.encode_prompt("", "cpu", 1, False)[0]
        seeds, leanings = 6, []
        for weight in (0, 0.25, 0.5, 1, 2, 4):
            mixed = (weight * ends[0] + ends[1]) / (weight + 1)
            result = self.pipeline(
                prompt_embeds=mixed.expand(seeds, -1, -1),
                negative_prompt_embeds=nothing.expand(seeds, -1, -1),
                height=128,
                width=128,
                num_inference_steps=self.steps,
                guidance_scale=GUIDANCE,
                generator=[torch.Generator().manual_seed(13000 + i) for i in range(seeds)],
                output_type="np",
            )
            looks = [self.eyes.look(np.asarray(picture, np.float32)).distances for picture in result.images]
            leanings.append(float(np.mean([look[fox] - look[apple] for look in looks])))
        self.notes["apple over fox"] = " ".join(f"{lean:+.3f}" for lean in leanings)
        return float(np.mean(np.diff(leanings) > 0))

    def same_twice(self) -> float:
        """1 when one seed gives one picture."""
        first, second = (self.draw([Order("a fox on a blue background", 14000)])[0] for _ in range(2))
        return float(np.array_equal(first, second))

    def all(self) -> dict[str, float]:
        """Every mark by name."""
        questions: dict[str, Callable[[], float]] = {
            "subject": self.subject, "messy": self.messy, "spanish": self.spanish, "emoji": self.emoji,
            "style": self.style, "ground": self.ground, "tint": self.tint, "count": self.count,
            "left or right": self.left_or_right, "small": self.small, "seeds differ": self.seeds_differ,
            "negative": self.negative, "wide and tall": self.wide_and_tall, "variations": self.variations,
            "redrawn": self.redrawn, "weights": self.sweep, "same twice": self.same_twice,
        }  # fmt: skip
        for name, question in questions.items():
            self.marks[name] = question()
            print(f"{name:>16} {self.marks[name]:.3f} {_bar(name)}", flush=True)
        print(f"{'detail':>16} {self.marks['detail']:.3f} (art = 1; bar 0.8-1.2)")
        for name, note in self.notes.items():
            print(f"{name}: {note}")
        return self.marks


def _bar(name: str) -> str:
    return f"(bar {BARS[name]})" if name in BARS else "(bar 1)"


def plain_scene(subject: int, style: str) -> Scene:
    """One subject, large, on white."""
    return Scene("single", (Actor(subject, 0.5, 0.5, 0.76),), Ground("colour", ("white",), 0), style)


def load_pipeline(checkpoint: Path) -> Any:
    """The stock pipeline in fp32, silent."""
    from diffusers import StableDiffusionPipeline  # noqa: PLC0415

    pipeline = StableDiffusionPipeline.from_pretrained(
        checkpoint, torch_dtype=torch.float32, safety_checker=None
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def write_report(marks: dict[str, float], notes: dict[str, str], path: Path) -> None:
    """The marks as JSON."""
    path.write_text(
        json.dumps({"marks": marks, "notes": notes}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
