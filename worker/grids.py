"""A grid put together again from its pictures."""

import io
from collections.abc import Sequence

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from worker.opening import opened

GRID = "grid.png"
COLUMNS = 2
STORY = ("prompt", "seed", "job_id", "model", "model_hash")  # what the pictures of a grid say alike


def composed(cells: Sequence[bytes]) -> bytes:
    """Return the PNG of *cells*, PNGs of one size, two a row without gutters: 1 2 over 3 4.

    Raises:
        PictureGone: One of them is damaged.
    """
    pictures = [opened(cell) for cell in cells]
    width, height = pictures[0].size
    rows = -(-len(cells) // COLUMNS)
    grid = Image.new("RGB", (COLUMNS * width, rows * height))
    for number, picture in enumerate(pictures):
        grid.paste(picture.convert("RGB"), (number % COLUMNS * width, number // COLUMNS * height))
    info = PngInfo()
    for key in STORY:
        if key in pictures[0].info:
            info.add_itxt(key, str(pictures[0].info[key]))
    stream = io.BytesIO()
    grid.save(stream, "PNG", pnginfo=info, compress_level=1)
    return stream.getvalue()
