"""The judge's eyes: what is in a picture, told by comparing it with the art. No trained network takes part.

Pictures are float32 (height, width, 3) in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.art import Sprites
from training.lexicon import COLOURS

Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDE = 24
WINDOWS = (0.5, 0.62, 0.72, 0.82, 0.94)
PALETTE = np.asarray(np.array([colour.rgb for colour in COLOURS.values()]) / 255, np.float32)
KEYS = tuple(COLOURS)
GREYS = frozenset({"white", "black", "gray"})


def ground_of(picture: Picture) -> Picture:
    """The plain or shaded ground behind everything as far as the four corners tell, shaped as the picture."""
    height, width = picture.shape[:2]
    edge = max(3, min(height, width) // 16)
    rows, columns = (slice(0, edge), slice(-edge, None)), (slice(0, edge), slice(-edge, None))
    corners = np.stack([[np.median(picture[r, c].reshape(-1, 3), 0) for c in columns] for r in rows])
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    along = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    top = corners[0, 0] * (1 - along) + corners[0, 1] * along
    bottom = corners[1, 0] * (1 - along) + corners[1, 1] * along
    return np.asarray(top * (1 - down) + bottom * down, np.float32)


def foreground(picture: Picture, threshold: float = 0.13) -> Mask:
    """Pixels that differ from the ground in some channel."""
    return np.asarray(np.abs(picture - ground_of(picture)).max(axis=2) > threshold)


def border_colour(picture: Picture) -> Picture:
    """The median colour of the outermost pixels, (3,)."""
    edge = max(2, min(picture.shape[:2]) // 24)
    strips = (picture[:edge], picture[-edge:], picture[:, :edge], picture[:, -edge:])
    return np.asarray(
        np.median(np.concatenate([strip.reshape(-1, 3) for strip in strips]), axis=0), np.float32
    )


def named(colours: Picture) -> list[str]:
    """The nearest named colour of each row of (n, 3)."""
    distances = ((colours[:, None] - PALETTE[None]) ** 2).sum(axis=2)
    return [KEYS[index] for index in distances.argmin(axis=1)]


def border_name(picture: Picture) -> str:
    """The nearest named colour of the ground."""
    return named(border_colour(picture)[None])[0]


def object_name(picture: Picture) -> str:
    """The named colour whose hue the object has; gray where little of it has any.

    Shading moves a colour toward black and white, so directions away from the grey axis are compared, and
    lightness only parts neighbours such as red and pink.
    """
    pixels = picture[foreground(picture)]
    vivid = pixels[np.ptp(pixels, axis=1) > 0.15] if len(pixels) else pixels
    if len(vivid) < 0.25 * max(1, len(pixels)):
        return "gray"
    middle: Picture = np.median(vivid, axis=0).astype(np.float32)
    chosen = [index for index, key in enumerate(KEYS) if key not in GREYS]
    alike = (
        _hues(PALETTE[chosen]) @ _hues(middle) - np.abs(PALETTE[chosen].mean(axis=1) - middle.mean()) * 0.5
    )
    return KEYS[chosen[int(alike.argmax())]]


def _hues(colours: Picture) -> Picture:
    away = colours - colours.mean(axis=-1, keepdims=True)
    return np.asarray(away / (np.linalg.norm(away, axis=-1, keepdims=True) + 1e-6), np.float32)


def centre(picture: Picture) -> tuple[float, float]:
    """Where the object's mass is: (x, y) in 0..1."""
    mask = foreground(picture)
    if not mask.any():
        return 0.5, 0.5
    ys, xs = np.nonzero(mask)
    return float(xs.mean() / mask.shape[1]), float(ys.mean() / mask.shape[0])


def count_objects(picture: Picture, smallest: float = 0.012) -> int:
    """Connected pieces of the foreground that cover at least `smallest` of the picture."""
    mask = foreground(picture)
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:, 1:] |= mask[:, :-1]
    labels = np.where(grown, np.arange(1, grown.size + 1).reshape(grown.shape), 0)
    while True:
        spread = labels.copy()
        for axis in (0, 1):
            for shift in (1, -1):
                moved = np.roll(labels, shift, axis)
                edge = [slice(None)] * 2
                edge[axis] = slice(0, 1) if shift == 1 else slice(-1, None)
                moved[tuple(edge)] = 0
                spread = np.maximum(spread, moved)
        spread = np.where(grown, spread, 0)
        if np.array_equal(spread, labels):
            break
        labels = spread
    sizes = np.unique(labels[labels > 0], return_counts=True)[1]
    return int((sizes >= smallest * mask.size).sum())


def detail(picture: Picture) -> float:
    """High-frequency energy: the mean square of the grey picture's Laplacian."""
    grey = picture.mean(axis=2)
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float((laplacian**2).mean())


@dataclass(frozen=True)
class Verdict:
    """What a picture looks most like: subjects best first, and for each subject the style nearest to it."""

    order: NDArray[np.int64]
    styles: NDArray[np.int64]
    distances: NDArray[np.float32]


class Judge:
    """Compares a picture with every sprite of every style, on the picture's own ground."""

    def __init__(self, sprites: Sprites) -> None:
        self._count, self._styles = sprites.shape[:2]
        small = [
            np.asarray(Image.fromarray(sprite).convert("RGBa").resize((SIDE, SIDE), Image.Resampling.BOX))
            for sprite in sprites.reshape(-1, *sprites.shape[2:])
        ]
        pixels = np.stack(small).astype(np.float32) / 255
        pixels = np.concatenate([pixels, pixels[:, :, ::-1]])
        through = 1 - pixels[..., 3:]
        colours = pixels[..., :3]
        rows = len(pixels)
        self._colour = colours.reshape(rows, -1)
        self._through = np.broadcast_to(through, colours.shape).reshape(rows, -1).copy()
        self._cross = (colours * through).reshape(rows, -1)
        self._clear = self._through**2
        self._energy = (self._colour**2).sum(axis=1)

    def look(self, picture: Picture) -> Verdict:
        """The verdict on the most prominent object, whatever its size, place and mirroring."""
        crops, grounds = _crops(picture)
        behind = grounds**2 @ self._clear.T + 2 * grounds @ self._cross.T + self._energy
        product = crops @ self._colour.T + (crops * grounds) @ self._through.T
        distances = (crops**2).sum(axis=1)[:, None] - 2 * product + behind
        best = distances.min(axis=0).reshape(2, self._count, self._styles).min(axis=0)
        best = np.maximum(best, 0) / (SIDE * SIDE * 3)
        return Verdict(best.min(axis=1).argsort(), best.argmin(axis=1), best.min(axis=1).astype(np.float32))


def _crops(picture: Picture) -> tuple[Picture, Picture]:
    """Windows around the object and the ground behind each, both (windows, SIDE * SIDE * 3)."""
    height, width = picture.shape[:2]
    mask = foreground(picture)
    x, y, extent = 0.5, 0.5, 0.0
    if mask.mean() > 0.01:
        # All but the outermost hundredth on each side: a speck near the edge is no part of the object.
        (top, bottom), (left, right) = (np.quantile(places, (0.01, 0.99)) for places in np.nonzero(mask))
        x, y = (left + right + 1) / 2 / width, (top + bottom + 1) / 2 / height
        extent = max(right - left + 1, bottom - top + 1) / min(height, width)
    both = np.concatenate([picture, ground_of(picture)], axis=2)
    crops = []
    for window in {*WINDOWS, extent, extent * 0.92} if extent > 0.2 else WINDOWS:
        side = window * min(height, width)
        for shift_x, shift_y in ((0, 0), (0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)):
            crops.append(_window(both, (x * width + shift_x * side, y * height + shift_y * side), side))
    stacked = np.stack(crops)
    return stacked[..., :3].reshape(len(crops), -1), stacked[..., 3:].reshape(len(crops), -1)


def _window(both: Picture, middle: tuple[float, float], side: float) -> Picture:
    """A square of SIDE pixels, from `side` pixels around `middle`; beyond the edge the edge repeats."""
    fine = 3
    steps = ((np.arange(SIDE * fine) + 0.5) / (SIDE * fine) - 0.5) * side
    xs = np.clip((middle[0] + steps).astype(int), 0, both.shape[1] - 1)
    ys = np.clip((middle[1] + steps).astype(int), 0, both.shape[0] - 1)
    sampled = both[ys[:, None], xs[None, :]]
    return np.asarray(sampled.reshape(SIDE, fine, SIDE, fine, -1).mean(axis=(1, 3)), np.float32)
