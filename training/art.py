"""The art: emoji pictures from their npm packages, rendered to one RGBA sprite a subject and style."""

from __future__ import annotations

import json
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.lexicon import STYLES, Subject

PACKAGES = {
    "3d": "@lobehub/fluent-emoji-3d@1.1.0",
    "flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "cartoon": "@iconify-json/noto@1.2.9",
    "words": "emojibase-data@17.0.0",
}
SPRITE = 112

Sprites = NDArray[np.uint8]


def fetch(folder: Path) -> dict[str, Path]:
    """Download and unpack the packages under `folder` unless they are there; returns their roots by style."""
    folder.mkdir(parents=True, exist_ok=True)
    return {key: _unpacked(spec, folder) for key, spec in PACKAGES.items()}


def _unpacked(spec: str, folder: Path) -> Path:
    stem = spec.removeprefix("@").replace("/", "-").replace("@", "-")
    root = folder / stem
    if not (root / "package" / "package.json").exists():
        subprocess.run(["npm", "pack", "--silent", spec], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603, S607
        with tarfile.open(folder / f"{stem}.tgz") as archive:
            archive.extractall(root, filter="data")
    return root / "package"


def fit(picture: Image.Image) -> Image.Image:
    """Crop to what is visible and centre it in a transparent square of `SPRITE` pixels."""
    picture = picture.convert("RGBA")
    box = picture.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if box is None:
        raise ValueError("the picture is empty")
    picture = picture.crop(box)
    scale = SPRITE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    square = Image.new("RGBA", (SPRITE, SPRITE))
    square.paste(
        picture.resize(size, Image.Resampling.LANCZOS), ((SPRITE - size[0]) // 2, (SPRITE - size[1]) // 2)
    )
    return square


def _webp(root: Path, code: str) -> Image.Image:
    assets = root / "assets"
    path = assets / f"{code}.webp"
    return Image.open(path if path.exists() else assets / f"{code}-fe0f.webp")


def _svg(icons: dict[str, Any], chars: dict[str, str], code: str) -> Image.Image:
    import resvg_py  # noqa: PLC0415  only the machine that renders the art needs it

    name = chars[code]
    while name in icons.get("aliases", {}):
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    body = icon["body"]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'
    return Image.open(BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=256, height=256))))


def render(roots: dict[str, Path], wanted: tuple[Subject, ...]) -> Sprites:
    """Every sprite: uint8 (subject, style, SPRITE, SPRITE, 4), styles in the order of `STYLES`."""
    sprites = np.zeros((len(wanted), len(STYLES), SPRITE, SPRITE, 4), np.uint8)
    tables = {
        style: (
            json.loads((roots[style] / "icons.json").read_bytes()),
            json.loads((roots[style] / "chars.json").read_bytes()),
        )
        for style in ("flat", "cartoon")
    }
    for number, subject in enumerate(wanted):
        for column, style in enumerate(STYLES):
            drawn = _webp(roots[style], subject.code) if style == "3d" else _svg(*tables[style], subject.code)
            sprites[number, column] = np.asarray(fit(drawn))
    return sprites


def load(cache: Path, wanted: tuple[Subject, ...]) -> Sprites:
    """The sprites from `cache`, rendered first if they are missing or were made for other subjects."""
    path = cache / "sprites.npz"
    codes = np.array([subject.code for subject in wanted])
    if path.exists():
        with np.load(path) as stored:
            if np.array_equal(stored["codes"], codes):
                return np.asarray(stored["sprites"], np.uint8)
    sprites = render(fetch(cache / "npm"), wanted)
    np.savez_compressed(path, codes=codes, sprites=sprites)
    return sprites


# Languages in Latin letters: the more spellings a filler may have, the less any one of them says.
WORDS = ("en", "es", "da", "de", "et", "fi", "fr", "hu", "it", "ms", "nb", "nl", "pl", "pt", "sv")


def emoji_words(cache: Path) -> tuple[str, ...]:
    """All words of emojibase's labels and tags in `WORDS`, sorted: fillers for captions."""
    root = fetch(cache / "npm")["words"]
    words: set[str] = set()
    for language in WORDS:
        for entry in json.loads((root / language / "data.json").read_bytes()):
            for phrase in (entry["label"], *entry.get("tags", ())):
                words.update(part for part in phrase.lower().split() if part.isalpha())
    return tuple(sorted(words))
