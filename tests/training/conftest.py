from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.art import Sprites
from training.lexicon import STYLES, Subject, subjects

SPRITES = Path(__file__).parent.parent / "data" / "sprites"


@pytest.fixture(scope="session")
def four() -> tuple[Subject, ...]:
    """The subjects whose sprites are kept with the tests."""
    return tuple(subject for subject in subjects() if (SPRITES / f"{subject.code}-3d.png").exists())


@pytest.fixture(scope="session")
def sprites(four: tuple[Subject, ...]) -> Sprites:
    rows = [
        [np.asarray(Image.open(SPRITES / f"{subject.code}-{style}.png").convert("RGBA")) for style in STYLES]
        for subject in four
    ]
    return np.array(rows, np.uint8)
