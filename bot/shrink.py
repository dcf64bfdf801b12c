"""Pictures made small enough for a channel."""

import io

from worker.opening import opened

SMALLER = ((90, 1.0), (80, 1.0), (80, 0.5), (70, 0.25))  # quality, share of the sides


def fit(png: bytes, limit: int) -> tuple[bytes, str]:
    """Return *png* and its extension, encoded again as WebP if it has more than *limit* bytes.

    The smallest form is returned even where that is still too large.

    Raises:
        PictureGone: It is damaged, or none of ours.
    """
    if len(png) <= limit:
        return png, "png"
    body = png
    picture = opened(png).convert("RGB")
    for quality, share in SMALLER:
        sides = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        buffer = io.BytesIO()
        picture.resize(sides).save(buffer, "WEBP", quality=quality, method=0)
        body = buffer.getvalue()
        if len(body) <= limit:
            break
    return body, "webp"
