"""Pictures from elsewhere: decoded within limits, and nothing but pixels carried over."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from worker.foreign import KEPT_SIDE, MOST_PIXELS, NoPicture, TooManyPixels, naturalized

RED, BLUE = (220, 30, 30), (20, 40, 210)


def encoded(
    kind: str, color: tuple[int, ...] = RED, size: tuple[int, int] = (24, 16), **how: object
) -> bytes:
    stream = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(stream, kind, **how)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width: int, height: int) -> bytes:
    """Return a small, whole, valid PNG of so many pixels, all black."""
    row = b"\0" * (width // 8 + 2)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def back(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_each_known_format_becomes_a_png_of_the_same_pixels(kind: str) -> None:
    image = back(naturalized(encoded(kind)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (24, 16))
    assert max(abs(a - b) for a, b in zip(image.getpixel((5, 5)), RED, strict=True)) < 8


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "ICO", "PDF", "EPS", "PCX"])
def test_other_formats_are_not_read_whatever_their_name(kind: str) -> None:
    with pytest.raises(NoPicture):
        naturalized(encoded(kind))


@pytest.mark.parametrize(
    "body", [b"", b"GIF89a", b"<html>no</html>", b"<svg xmlns='x'/>", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(NoPicture):
        naturalized(body)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_that_ends_early_is_refused(kind: str) -> None:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(stream, kind)
    with pytest.raises(NoPicture):
        naturalized(stream.getvalue()[: len(stream.getvalue()) // 2])


def test_a_bomb_is_not_decoded() -> None:
    side = 7000  # a few kilobytes that say 49 megapixels
    assert len(bomb(side, side)) < 10_000
    with pytest.raises(TooManyPixels):
        naturalized(bomb(side, side))
    with pytest.raises(TooManyPixels):
        naturalized(bomb(30_000, 30_000))
    with pytest.raises(TooManyPixels):
        naturalized(bomb(MOST_PIXELS // 2 + 8, 3))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), (n, 0, 255 - n)) for n in range(0, 250, 50)]
    stream = io.BytesIO()
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:], duration=20)
    image = back(naturalized(stream.getvalue()))
    assert image.getpixel((9, 9))[2] > 240
    assert getattr(image, "n_frames", 1) == 1


def test_the_other_frames_are_not_even_read() -> None:
    noise = [Image.effect_noise((64, 64), 90).convert("P") for _ in range(5)]
    stream = io.BytesIO()
    noise[0].save(stream, "GIF", save_all=True, append_images=noise[1:], duration=20)
    whole = naturalized(stream.getvalue())
    assert naturalized(stream.getvalue()[: len(stream.getvalue()) // 2]) == whole


def test_nothing_but_pixels_is_carried_over() -> None:
    said = PngInfo()
    said.add_text("prompt", "stolen")
    said.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    exif = Image.Exif()
    exif[0x8298] = "Ada"
    png = encoded("PNG", pnginfo=said, exif=exif.tobytes(), icc_profile=b"profile" * 20)
    for body in (
        png + b"PK\x03\x04<script>alert(1)</script>",
        encoded("JPEG", exif=exif.tobytes(), comment=b"hi"),
    ):
        ours = naturalized(body)
        kinds = set()
        at = 8
        while at < len(ours):
            (length,) = struct.unpack(">I", ours[at : at + 4])
            kinds.add(ours[at + 4 : at + 8])
            at += 12 + length
        assert kinds == {b"IHDR", b"IDAT", b"IEND"}
        assert at == len(ours), "nothing stands behind the end"
        assert back(ours).info == {}


def test_a_file_that_is_two_things_is_a_picture_alone_afterwards() -> None:
    """A GIF whose comment is a script, an archive behind a JPEG: each is valid as both."""
    gif = encoded("GIF", comment=b"*/=1;alert(document.domain)//")
    jpeg = encoded("JPEG") + b"PK\x05\x06" + b"\0" * 18
    for body, trace in ((gif, b"alert"), (jpeg, b"PK\x05\x06")):
        assert trace in body
        assert trace not in naturalized(body)


def test_equal_pictures_give_equal_files() -> None:
    plain, talking = encoded("PNG"), PngInfo()
    talking.add_text("comment", "other bytes")
    assert naturalized(plain) == naturalized(encoded("PNG", pnginfo=talking))
    assert naturalized(plain) != naturalized(encoded("PNG", BLUE))


def test_transparency_is_laid_on_white() -> None:
    assert back(naturalized(encoded("PNG", (200, 0, 0, 0)))).getpixel((3, 3)) == (255, 255, 255)
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 250, 0, 0])
    stream = io.BytesIO()
    palette.save(stream, "GIF", transparency=1)
    assert back(naturalized(stream.getvalue())).getpixel((3, 3)) == (255, 255, 255)


def test_a_camera_that_was_turned_gives_an_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    assert back(naturalized(encoded("JPEG", size=(24, 16), exif=exif.tobytes()))).size == (16, 24)


def test_a_large_picture_is_kept_smaller() -> None:
    image = back(naturalized(encoded("JPEG", size=(4000, 1000))))
    assert image.size == (KEPT_SIDE, KEPT_SIDE // 4)
    assert back(naturalized(encoded("PNG", size=(6000, 1)))).size == (KEPT_SIDE, 1)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_way_to_keep_pixels_becomes_three_colours(mode: str) -> None:
    stream = io.BytesIO()
    Image.new(mode, (9, 9)).save(stream, "JPEG" if mode == "CMYK" else "PNG")
    assert back(naturalized(stream.getvalue())).mode == "RGB"
