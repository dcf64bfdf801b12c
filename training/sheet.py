"""Sample sheets: what the checkpoint draws, for eyes rather than numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from training.captions import SAMPLES
from training.evaluate import Order
from training.judge import Picture
from training.lexicon import Subject

Draw = Callable[[Sequence[Order]], list[Picture]]


def lay_out(pictures: Sequence[Picture], labels: Sequence[str], columns: int) -> Image.Image:
    """Pictures of one size in rows, each with its label under it."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    page = Image.new("RGB", (columns * (width + 4), rows * (height + 16)), "white")
    pen = ImageDraw.Draw(page)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = number % columns * (width + 4), number // columns * (height + 16)
        page.paste(Image.fromarray((picture * 255).round().astype(np.uint8)), (x, y))
        pen.text((x + 2, y + height + 2), label[:24], fill="black")
    return page


def write_sheets(draw: Draw, subjects: Sequence[Subject], folder: Path) -> list[Path]:
    """Three sheets: prompts with four seeds each, every subject once, and other shapes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.png" for name in ("prompts", "subjects", "shapes")]
    orders = [Order(prompt, 100 + seed) for prompt in SAMPLES for seed in range(4)]
    lay_out(draw(orders), [order.prompt for order in orders], 12).save(paths[0])
    names = [subject.name for subject in subjects]
    lay_out(draw([Order(f"a {name}", 200 + i) for i, name in enumerate(names)]), names, 16).save(paths[1])
    wide = [
        Order(f"{name} at the beach", 300, size=(88, 176))
        for name in ("a fox", "three apples", "a castle and a dragon")
    ]
    lay_out(draw(wide), [order.prompt for order in wide], 3).save(paths[2])
    return paths
