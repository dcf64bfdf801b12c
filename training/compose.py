"""Scenes drawn as pictures with Pillow and numpy: sprites over procedural grounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.art import Sprites
from training.lexicon import COLOURS, STYLES
from training.scenes import Actor, Ground, Scene

Pixels = NDArray[np.uint8]
Field = NDArray[np.float32]
PIXELS_PER_LATENT = 8


def tinted(sprite: Pixels, rgb: tuple[int, int, int]) -> Pixels:
    """The sprite (h, w, 4) in one colour: its light and shade kept, its mid-tone moved to `rgb`."""
    pixels = sprite.astype(np.float32)
    visible = sprite[..., 3] > 128
    light = pixels[..., :3] @ np.array([0.3, 0.59, 0.11], np.float32) / 255
    if visible.any():
        low, high = np.percentile(light[visible], (2, 98))
        light = np.clip((light - low) / max(high - low, 0.1), 0, 1)
    light = light[..., None]
    colour = np.array(rgb, np.float32)
    dark, bright = colour * 0.35, colour + (255 - colour) * 0.45
    shaded = np.where(
        light < 0.55,
        dark + (colour - dark) * light / 0.55,
        colour + (bright - colour) * (light - 0.55) / 0.45,
    )
    return np.concatenate([shaded, pixels[..., 3:]], axis=2).astype(np.uint8)


def _ramp(top: tuple[int, int, int], bottom: tuple[int, int, int], size: tuple[int, int]) -> Field:
    height, width = size
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    start, end = np.array(top, np.float32), np.array(bottom, np.float32)
    return np.broadcast_to(start + (end - start) * down, (height, width, 3)).copy()


def _stars(field: Field, rng: np.random.Generator, count: int, rows: float = 1.0) -> None:
    ys = rng.integers(0, max(1, int(field.shape[0] * rows)), count)
    xs = rng.integers(0, field.shape[1], count)
    field[ys, xs] = rng.uniform(170, 255, (count, 1))


def _hills(
    size: tuple[int, int], rng: np.random.Generator, level: float, swing: float
) -> NDArray[np.float32]:
    """How far each pixel is below a wavy horizon, in pixels: (height, width), negative above it."""
    height, width = size
    x = np.linspace(0, 2 * np.pi, width)
    line = height * (level + swing * np.sin(x * rng.uniform(0.5, 1.2) + rng.uniform(0, 6)))
    return (np.arange(height)[:, None] - line[None, :]).astype(np.float32)


def _cover(
    field: Field, below: NDArray[np.float32], near: tuple[int, int, int], far: tuple[int, int, int]
) -> None:
    depth = np.clip(below / field.shape[0] * 2.2, 0, 1)[..., None]
    ground = np.array(far, np.float32) + (np.array(near, np.float32) - np.array(far, np.float32)) * depth
    field[:] = np.where(below[..., None] > 0, ground, field)


def _night(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((8, 10, 38), (38, 48, 104), size)
    _stars(field, rng, 45)
    return field


def _space(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((10, 6, 22), (16, 8, 36), size)
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    for glow in ((120, 40, 150), (40, 80, 170)):
        cy, cx, reach = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(18, 40)
        haze = np.exp(-((ys - cy) ** 2 + (xs - cx) ** 2) / (2 * reach**2))[..., None]
        field += haze * np.array(glow, np.float32) * 0.6
    _stars(field, rng, 80)
    return field


def _grass(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((120, 195, 245), (205, 232, 250), size)
    below = _hills(size, rng, rng.uniform(0.5, 0.62), 0.02)
    _cover(field, below, (60, 150, 50), (120, 200, 80))
    blades = rng.normal(0, 9, (size[0], size[1], 1)).astype(np.float32)
    field += np.where(below[..., None] > 0, blades, 0)
    return field


def _beach(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((110, 195, 248), (190, 228, 250), size)
    horizon = rng.uniform(0.42, 0.5)
    _cover(field, _hills(size, rng, horizon, 0.0), (60, 190, 200), (30, 120, 190))
    _cover(field, _hills(size, rng, horizon + 0.18, 0.015), (236, 205, 145), (246, 224, 172))
    return field


def _snow(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((165, 195, 225), (215, 228, 242), size)
    _cover(field, _hills(size, rng, rng.uniform(0.58, 0.68), 0.03), (225, 234, 246), (250, 252, 255))
    for _ in range(40):
        y, x = rng.integers(0, size[0] - 1), rng.integers(0, size[1] - 1)
        field[y : y + 2, x : x + 2] = 255
    return field


def _underwater(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((60, 180, 215), (6, 50, 110), size)
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    rays = np.sin((xs + ys * 0.5) / rng.uniform(7, 12) + rng.uniform(0, 6)) * 10
    field += (rays * np.linspace(1, 0, size[0], dtype=np.float32)[:, None])[..., None]
    for _ in range(14):
        cy, cx, radius = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(1.2, 3)
        ring = np.abs(np.hypot(ys - cy, xs - cx) - radius) < 0.7
        field[ring] = (190, 232, 245)
    return field


def _sunset(size: tuple[int, int], rng: np.random.Generator) -> Field:
    horizon = rng.uniform(0.62, 0.72)
    field = _ramp((92, 50, 130), (255, 170, 70), (int(size[0] * horizon), size[1]))
    rest = _ramp((120, 55, 60), (50, 25, 55), (size[0] - field.shape[0], size[1]))
    field = np.concatenate([field, rest])
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    disc = np.hypot(ys - size[0] * horizon, xs - size[1] * rng.uniform(0.2, 0.8)) < 20
    field[disc & (ys < size[0] * horizon)] = (255, 225, 120)
    return field


def _desert(size: tuple[int, int], rng: np.random.Generator) -> Field:
    field = _ramp((110, 180, 235), (245, 225, 185), size)
    _cover(field, _hills(size, rng, rng.uniform(0.48, 0.56), 0.05), (215, 150, 75), (235, 180, 105))
    _cover(field, _hills(size, rng, rng.uniform(0.66, 0.76), 0.06), (190, 120, 55), (225, 160, 85))
    return field


_PAINTERS: dict[str, Callable[[tuple[int, int], np.random.Generator], Field]] = {
    "night": _night,
    "space": _space,
    "grass": _grass,
    "beach": _beach,
    "snow": _snow,
    "underwater": _underwater,
    "sunset": _sunset,
    "desert": _desert,
}


def _jittered(key: str, rng: np.random.Generator, amount: float) -> tuple[int, int, int]:
    red, green, blue = np.clip(np.array(COLOURS[key].rgb) + rng.normal(0, amount, 3), 0, 255)
    return int(red), int(green), int(blue)


def paint_ground(ground: Ground, size: tuple[int, int]) -> Pixels:
    """The background alone, uint8 (height, width, 3)."""
    rng = np.random.default_rng(ground.seed)
    if ground.kind == "scene":
        field = _PAINTERS[ground.names[0]](size, rng)
    elif ground.kind == "gradient":
        first, second = (_jittered(key, rng, 5) for key in ground.names)
        field = _ramp(first, second, size)
        if ground.seed % 2:
            field = np.ascontiguousarray(_ramp(first, second, (size[1], size[0])).transpose(1, 0, 2))
    elif ground.kind == "soft" and ground.seed % 2:
        base = _jittered(ground.names[0], rng, 14)
        shade = rng.uniform(0.72, 0.9)
        field = _ramp(base, (int(base[0] * shade), int(base[1] * shade), int(base[2] * shade)), size)
    else:
        colour = _jittered(ground.names[0], rng, 12 if ground.kind == "soft" else 5)
        field = _ramp(colour, colour, size)
    return np.clip(field, 0, 255).astype(np.uint8)


def _paste(canvas: Image.Image, actor: Actor, sprite: Pixels) -> None:
    if actor.tint is not None:
        sprite = tinted(sprite, COLOURS[actor.tint].rgb)
    if actor.flip:
        sprite = sprite[:, ::-1]
    side = max(4, round(actor.size * min(canvas.size)))
    figure = Image.fromarray(np.ascontiguousarray(sprite)).convert("RGBa")
    if abs(actor.angle) > 1:
        figure = figure.rotate(actor.angle, Image.Resampling.BICUBIC)
    figure = figure.resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
    left = round(actor.x * canvas.width - side / 2)
    top = round(actor.y * canvas.height - side / 2)
    canvas.paste(figure, (left, top), figure)


def draw(scene: Scene, sprites: Sprites) -> Pixels:
    """The picture, uint8 (8 x latent height, 8 x latent width, 3)."""
    height, width = (side * PIXELS_PER_LATENT for side in scene.shape)
    canvas = Image.fromarray(paint_ground(scene.ground, (height, width)))
    for actor in scene.actors:
        _paste(canvas, actor, sprites[actor.subject, STYLES.index(scene.style)])
    if scene.mono:
        canvas = canvas.convert("L").convert("RGB")
    return np.asarray(canvas)
