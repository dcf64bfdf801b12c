"""A numbered style as a picture: a few colours in a pattern, the same for ever from the same number."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from worker.engine.pictures import Pixels

SIDE = 128  # pixels
COLOURS = 4
# How the hues of a palette lie to each other, in turns of the colour wheel.
HARMONIES = ((0.0, 0.02, 0.05, 0.0), (0.0, 0.08, 0.16, 0.5), (0.0, 0.5, 0.45, 0.05), (0.0, 0.33, 0.67, 0.0))
# Lowest and highest saturation and value.
VIVID, PASTEL = ((0.6, 1.0), (0.4, 1.0)), ((0.15, 0.45), (0.6, 1.0))
DARK, GREY = ((0.3, 0.9), (0.05, 0.5)), ((0.0, 0.2), (0.1, 0.95))
MOODS = (VIVID, PASTEL, DARK, GREY)


def swatch(code: int) -> Pixels:
    """Return the picture of style *code*, 0..4294967295, shape ``(SIDE, SIDE, 3)``.

    Colours after the rules of harmony on the colour wheel; where they lie is noise whose energy falls with
    the frequency by a power of 1 (grainy) to 3 (broad), cut at heights that give each its share.
    """
    digest = blake2b(f"style:{code}".encode(), digest_size=16).digest()
    random = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
    palette = _palette(random)
    heights = _noise(random, slope=float(random.uniform(1, 3)))
    shares = random.dirichlet(np.full(COLOURS, 3.0)).cumsum()[:-1]
    places = np.searchsorted(np.quantile(heights, shares), heights)
    grain = 1 + random.uniform(0, 0.25) * _noise(random, slope=0.5)[..., None]
    return (palette[places] * grain * 255).clip(0, 255).round().astype(np.uint8)


def _palette(random: np.random.Generator) -> NDArray[np.float64]:
    """Return colours, shape ``(COLOURS, 3)``, 0..1."""
    harmony = HARMONIES[int(random.integers(len(HARMONIES)))]
    saturation, value = MOODS[int(random.integers(len(MOODS)))]
    hues = (random.uniform() + np.array(harmony)) % 1
    return _rgb(hues, random.uniform(*saturation, COLOURS), random.uniform(*value, COLOURS))


def _rgb(
    hue: NDArray[np.float64], saturation: NDArray[np.float64], value: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return colours given by hue (turns), saturation and value, each 0..1 (Smith 1978, HSV)."""
    k = (np.array([5.0, 3.0, 1.0]) + hue[:, None] * 6) % 6
    return value[:, None] * (1 - saturation[:, None] * np.clip(np.minimum(k, 4 - k), 0, 1))


def _noise(random: np.random.Generator, *, slope: float) -> NDArray[np.float64]:
    """Return a field of mean 0 and deviation 1 whose amplitude falls with the frequency to the *slope*."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None, :]) * SIDE
    spectrum = np.fft.fft2(random.standard_normal((SIDE, SIDE))) / np.maximum(frequency, 1) ** slope
    field = np.fft.ifft2(spectrum).real
    return (field - field.mean()) / field.std()
