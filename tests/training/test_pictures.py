"""Composition and the judge, each held against the other: what was drawn must be what is seen."""

import random

import numpy as np
import pytest

from training import compose, judge
from training.art import Sprites
from training.judge import Judge, Picture
from training.lexicon import COLOURS, SCENES, STYLES
from training.scenes import SHAPES, Actor, Ground, Scene, draw_scene

WHITE = Ground("colour", ("white",), 0)


def seen(scene: Scene, sprites: Sprites) -> Picture:
    return compose.draw(scene, sprites).astype(np.float32) / 255


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_have_eight_pixels_a_latent(shape: tuple[int, int], sprites: Sprites) -> None:
    rng = random.Random(0)
    for _ in range(20):
        picture = compose.draw(draw_scene(rng, len(sprites), shape), sprites)
        assert picture.shape == (shape[0] * 8, shape[1] * 8, 3)


def test_one_scene_is_always_the_same_picture(sprites: Sprites) -> None:
    scene = draw_scene(random.Random(3), len(sprites))
    assert np.array_equal(compose.draw(scene, sprites), compose.draw(scene, sprites))


@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_scene_is_painted_and_varies_with_its_seed(name: str) -> None:
    first, second = (compose.paint_ground(Ground("scene", (name,), seed), (128, 128)) for seed in (1, 2))
    assert not np.array_equal(first, second)
    assert first.std() > 3


def test_the_judge_knows_every_sprite_and_its_style(sprites: Sprites) -> None:
    eyes = Judge(sprites)
    for subject in range(len(sprites)):
        for column, style in enumerate(STYLES):
            actor = Actor(subject, 0.48, 0.53, 0.7, flip=column == 1)
            verdict = eyes.look(
                seen(Scene("single", (actor,), Ground("colour", ("sky",), 4), style), sprites)
            )
            assert verdict.order[0] == subject
            assert verdict.styles[subject] == column


@pytest.mark.parametrize("key", sorted(COLOURS))
def test_the_judge_names_the_ground(key: str, sprites: Sprites) -> None:
    scene = Scene("single", (Actor(0, 0.5, 0.5, 0.8),), Ground("colour", (key,), 9), "flat")
    assert judge.border_name(seen(scene, sprites)) == key


@pytest.mark.parametrize("tint", ["red", "yellow", "green", "blue", "purple"])
def test_the_judge_names_the_tint(tint: str, sprites: Sprites) -> None:
    scene = Scene("single", (Actor(1, 0.5, 0.5, 0.8, tint),), WHITE, "flat")
    assert judge.object_name(seen(scene, sprites)) == tint


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_judge_counts(count: int, sprites: Sprites) -> None:
    spots = [(0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)][:count]
    scene = Scene("count", tuple(Actor(1, x, y, 0.4) for x, y in spots), WHITE, "cartoon", str(count))
    assert judge.count_objects(seen(scene, sprites)) == count


def test_the_judge_tells_left_from_right(sprites: Sprites) -> None:
    left = seen(Scene("place", (Actor(0, 0.27, 0.5, 0.45),), WHITE, "3d", "left"), sprites)
    assert judge.centre(left)[0] < 0.4
    assert judge.centre(left[:, ::-1])[0] > 0.6


def test_a_blurred_picture_has_less_detail(sprites: Sprites) -> None:
    picture = seen(Scene("single", (Actor(0, 0.5, 0.5, 0.8),), WHITE, "cartoon"), sprites)
    blurred = (picture + np.roll(picture, 1, 0) + np.roll(picture, 1, 1) + np.roll(picture, -1, 0)) / 4
    assert judge.detail(blurred) < 0.6 * judge.detail(picture)
