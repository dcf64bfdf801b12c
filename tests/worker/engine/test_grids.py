"""A grid put together from files is the one that was drawn."""

import io

import numpy as np
from PIL import Image

from worker.engine import pictures
from worker.grids import composed


def test_a_grid_is_put_together_as_it_was_drawn() -> None:
    cells = [np.full((4, 6, 3), n * 50, dtype=np.uint8) for n in range(4)]
    drawn = Image.open(io.BytesIO(pictures.png(pictures.grid(cells), {})))
    again = Image.open(io.BytesIO(composed([pictures.png(cell, {}) for cell in cells])))
    assert (drawn.size, drawn.tobytes()) == (again.size, again.tobytes())
