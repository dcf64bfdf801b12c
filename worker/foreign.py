"""A picture from elsewhere, made ours: decoded within limits, and written anew."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "GIF",
)  # Pillow knows dozens more, some of which start programs to read a file
MOST_PIXELS = 36_000_000  # decoded they take up to 144 megabytes; a telephone's large pictures have a third
KEPT_SIDE = 1536  # pixels of the longer side that is kept: more than anything we draw in one pass


class NoPicture(Exception):  # noqa: N818 - a finding
    """The bytes are no whole picture of a format that we read."""


class TooManyPixels(Exception):  # noqa: N818 - a finding
    """The picture was not decoded: it says it is larger than `MOST_PIXELS`."""


def naturalized(body: bytes) -> bytes:
    """Return the picture in *body* as a PNG of our own making; blocks, so call it from a thread.

    What *body* is says its content, not its name. Of several frames the first is taken, transparency is laid
    on white, a camera's turning is done. Nothing but pixels is carried over: no metadata, no colour profile,
    nothing behind the end of the picture that another program would read as something else. Equal pictures
    give equal files.

    Raises:
        NoPicture: It is none, or damaged.
        TooManyPixels: It was not decoded.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - five megabytes that most bots never need

    try:
        found = Image.open(io.BytesIO(body), formats=FORMATS)  # reads the head alone
        _measure(found.width, found.height)
        image = _on_white(ImageOps.exif_transpose(_small(found)))
    except (TooManyPixels, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels from error
    except Exception as error:
        raise NoPicture from error  # what Pillow's readers raise on damage has no common type
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _measure(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise TooManyPixels


def _small(image: "ImageFile") -> "Image.Image":
    """Return *image*, not decoded yet, as large as it is kept before anything copies all its pixels."""
    from PIL import Image  # noqa: PLC0415 - as above

    image.draft(None, (KEPT_SIDE, KEPT_SIDE))  # of a JPEG no more is decoded than that takes
    scaled: Image.Image = image
    if image.mode in {"1", "P"}:  # between their values there is nothing to scale with
        scaled = image.convert("RGBA" if image.has_transparency_data else "RGB")
    scaled.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    scaled.load()
    return scaled


def _on_white(image: "Image.Image") -> "Image.Image":
    """Return the pixels of *image* alone, opaque."""
    from PIL import Image  # noqa: PLC0415 - as above

    opaque = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        opaque.paste(image.convert("RGBA"), mask=image.convert("RGBA").getchannel("A"))
    else:
        opaque.paste(image.convert("RGB"))
    return opaque
