"""What is in a training picture: random scenes, described but not yet drawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.lexicon import COLOURS, SCENES, STYLES

# Latent (height, width) of the training pictures: about the same area from 2:1 to 1:2.
SHAPES = ((16, 16), (14, 18), (18, 14), (12, 20), (20, 12), (11, 22), (22, 11))
TINTS = tuple(key for key in COLOURS if key != "gray")


@dataclass(frozen=True)
class Actor:
    """An object: centre in 0-1 of width and height, size in 0-1 of the shorter side, angle in degrees."""

    subject: int
    x: float
    y: float
    size: float
    tint: str | None = None
    flip: bool = False
    angle: float = 0.0


@dataclass(frozen=True)
class Ground:
    """The background. `kind` is colour, soft (a colour nobody names), gradient or scene; `names` its keys."""

    kind: str
    names: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Scene:
    """One picture: `kind` says what captions may tell: single, size, place, count, and, above, beside."""

    kind: str
    actors: tuple[Actor, ...]
    ground: Ground
    style: str
    word: str = ""
    mono: bool = False
    shape: tuple[int, int] = (16, 16)


def _ground(rng: random.Random, kind: str) -> Ground:
    names: tuple[str, ...]
    if kind == "scene":
        names = (rng.choice(tuple(SCENES)),)
    elif kind == "gradient":
        names = tuple(rng.sample(tuple(COLOURS), 2))
    else:
        names = (rng.choice(tuple(COLOURS)),)
    return Ground(kind, names, rng.getrandbits(30))


def _tint(rng: random.Random, chance: float, ground: Ground) -> str | None:
    """A colour for the object, never that of a plain ground, on which it would be lost."""
    if rng.random() >= chance:
        return None
    return rng.choice([key for key in TINTS if key not in ground.names])


def _actor(
    rng: random.Random, subject: int, place: tuple[float, float, float], tint: str | None = None
) -> Actor:
    x, y, size = place
    x, y = x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.04, 0.04)
    return Actor(subject, x, y, size, tint, flip=rng.random() < 0.5, angle=rng.gauss(0, 5))


Draft = tuple[str, tuple[Actor, ...], str]


def _single(rng: random.Random, total: int, ground: Ground, shape: tuple[int, int]) -> Draft:
    del shape
    actor = _actor(rng, rng.randrange(total), (0.5, 0.5, rng.uniform(0.66, 0.86)), _tint(rng, 0.25, ground))
    return "single", (actor,), ""


def _sized(rng: random.Random, total: int, ground: Ground, shape: tuple[int, int]) -> Draft:
    del shape
    word = rng.choice(("small", "small", "large"))
    size = rng.uniform(0.28, 0.4) if word == "small" else rng.uniform(0.9, 1.05)
    reach = 0.1 if word == "small" else 0.0
    spot = (0.5 + rng.uniform(-reach, reach), 0.5 + rng.uniform(-reach, reach), size)
    return "size", (_actor(rng, rng.randrange(total), spot, _tint(rng, 0.2, ground)),), word


_SPOTS = {"left": (0.27, 0.5), "right": (0.73, 0.5), "top": (0.5, 0.27), "bottom": (0.5, 0.73)}


def _placed(rng: random.Random, total: int, ground: Ground, shape: tuple[int, int]) -> Draft:
    word = rng.choice(tuple(_SPOTS))
    across = shape[1] if word in {"left", "right"} else shape[0]
    size = min(0.8, rng.uniform(0.42, 0.52) * across / min(shape))
    actor = _actor(rng, rng.randrange(total), (*_SPOTS[word], size), _tint(rng, 0.2, ground))
    return "place", (actor,), word


def _cells(rng: random.Random, count: int, shape: tuple[int, int]) -> list[tuple[float, float, float]]:
    """Places for `count` objects that do not touch: a row along the longer side, a square or a triangle."""
    ratio = max(shape) / min(shape)
    if count == 1:
        return [(0.5, 0.5, rng.uniform(0.5, 0.8))]
    if count == 2 or ratio > 1.4:
        size = min(0.8, rng.uniform(0.82, 0.95) * ratio / count)
        line = [((i + 0.5) / count, 0.5, size) for i in range(count)]
        upright = shape[0] > shape[1] or (ratio < 1.4 and rng.random() < 0.25)
        return [(y, x, s) for x, y, s in line] if upright else line
    size = rng.uniform(0.38, 0.44)
    if count == 3:  # Always the same way up: what lies between a triangle and its mirror image is four.
        return [(0.5, 0.27, size), (0.26, 0.73, size), (0.74, 0.73, size)]
    return [(x, y, size) for x in (0.26, 0.74) for y in (0.26, 0.74)]


def _counted(rng: random.Random, total: int, ground: Ground, shape: tuple[int, int]) -> Draft:
    count = rng.choices((1, 2, 3, 4), (1, 3, 3, 3))[0]
    subject, tint = rng.randrange(total), _tint(rng, 0.15, ground)
    return "count", tuple(_actor(rng, subject, spot, tint) for spot in _cells(rng, count, shape)), str(count)


def _paired(rng: random.Random, total: int, ground: Ground, shape: tuple[int, int]) -> Draft:
    kind = rng.choice(("and", "above", "beside"))
    wide, size = shape[1] >= shape[0], rng.uniform(0.44, 0.52)
    if kind == "above" or (kind == "and" and not wide):
        spots = [(0.5, 0.26), (0.5, 0.74)]
        size *= shape[0] / min(shape)
    else:
        spots = [(0.27, 0.5), (0.73, 0.5)]
        size *= shape[1] / min(shape)
    actors = tuple(
        _actor(rng, subject, (*spot, min(size, 0.8)), _tint(rng, 0.3, ground))
        for subject, spot in zip(rng.sample(range(total), 2), spots, strict=True)
    )
    return kind, actors, ""


_DRAFTS: tuple[tuple[Callable[[random.Random, int, Ground, tuple[int, int]], Draft], int], ...] = (
    (_single, 40),
    (_sized, 32),
    (_placed, 14),
    (_counted, 24),
    (_paired, 18),
)


def _easy(rng: random.Random, total: int, shape: tuple[int, int]) -> Scene:
    """One large upright object: what teaches most about what things look like."""
    kind = rng.choices(("white", "colour", "soft", "scene"), (25, 35, 25, 15))[0]
    ground = _ground(rng, kind) if kind != "white" else Ground("colour", ("white",), rng.getrandbits(30))
    x, y = 0.5 + rng.uniform(-0.03, 0.03), 0.5 + rng.uniform(-0.03, 0.03)
    actor = Actor(rng.randrange(total), x, y, rng.uniform(0.7, 0.84), _tint(rng, 0.15, ground))
    return Scene("single", (actor,), ground, rng.choice(STYLES), shape=shape)


def draw_scene(
    rng: random.Random, total: int, shape: tuple[int, int] = (16, 16), *, easy: bool = False
) -> Scene:
    """A random scene among `total` subjects; an `easy` one has a single large object."""
    if easy:
        return _easy(rng, total, shape)
    ground = _ground(rng, rng.choices(("colour", "soft", "scene", "gradient"), (45, 30, 20, 5))[0])
    draft = rng.choices([d for d, _ in _DRAFTS], [w for _, w in _DRAFTS])[0]
    kind, actors, word = draft(rng, total, ground, shape)
    mono = rng.random() < 0.02
    return Scene(kind, actors, ground, rng.choice(STYLES), word, mono, shape)
