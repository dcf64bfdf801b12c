"""A stored picture, opened: only what we write ourselves, and no larger than anything we draw."""

import io
from typing import TYPE_CHECKING

from worker.api import PictureGone

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "WEBP")  # Pillow knows dozens more, some of which start programs to read a file
MOST_PIXELS = 8192 * 8192  # a grid of the largest pictures that can be configured


def opened(body: bytes, name: str = "") -> "Image.Image":
    """Return the picture in *body*, wholly decoded.

    Args:
        body: A file.
        name: How the store calls it.

    Raises:
        PictureGone: It is damaged, of a format that we never write, or too large to be ours.
    """
    from PIL import Image  # noqa: PLC0415 - five megabytes that most bots never need

    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise PictureGone(name)
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureGone(name) from error
    return image
