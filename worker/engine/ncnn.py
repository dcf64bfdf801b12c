"""Networks in ncnn's two files, run by torch.

The text file names layers, one a line: type, name, counts of inputs and outputs, their blobs, then
``id=value`` parameters. The binary file holds the weights in the same order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

MAGIC = "7767517"
HALF_PRECISION = 0x01306B47  # tag before weights stored as float16
OUTPUT = "output"

Blobs = list[torch.Tensor]
Run = Callable[[Blobs], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of the text file."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[int, tuple[float, ...]]

    def number(self, key: int, default: float = 0) -> float:
        """Return a parameter that is a single number."""
        return self.parameters.get(key, (default,))[0]


class Weights:
    """The binary file, read front to back."""

    def __init__(self, path: Path, device: torch.device) -> None:
        self._bytes = path.read_bytes()
        self._device = device
        self._at = 0

    def floats(self, count: int) -> torch.Tensor:
        """Return *count* plain float32 numbers."""
        return self._read(count, np.dtype("<f4"))

    def tagged(self, count: int) -> torch.Tensor:
        """Return *count* numbers stored as the tag before them says, as float32."""
        tag = int.from_bytes(self._bytes[self._at : self._at + 4], "little")
        self._at += 4
        if tag not in (0, HALF_PRECISION):
            raise ValueError(f"weights stored in an unknown way ({tag:#x})")
        return self._read(count, np.dtype("<f2") if tag else np.dtype("<f4"))

    @property
    def spent(self) -> bool:
        """True once every byte was read."""
        return self._at == len(self._bytes)

    def _read(self, count: int, kind: np.dtype) -> torch.Tensor:
        values = np.frombuffer(self._bytes, kind, count, self._at)
        self._at += (values.nbytes + 3) // 4 * 4  # every array starts at a multiple of four
        return torch.from_numpy(values.astype(np.float32)).to(self._device)


class Network:
    """A chain of layers from the blob ``data`` to the blob ``output``."""

    def __init__(self, folder: Path, name: str, device: torch.device) -> None:
        """Read ``name.param`` and ``name.bin`` of *folder*.

        Raises:
            OSError: A file is missing.
            ValueError: They are damaged, or use a layer unknown here.
        """
        layers = _layers((folder / f"{name}.param").read_text(encoding="ascii"))
        weights = Weights(folder / f"{name}.bin", device)
        self._source = layers[0].outputs[0]
        self._steps = [(layer, _runner(layer, weights)) for layer in layers[1:]]
        if not weights.spent:
            raise ValueError(f"{name}.bin does not fit {name}.param")
        last = {blob: index for index, (layer, _) in enumerate(self._steps) for blob in layer.inputs}
        self._freed = [[b for b in layer.inputs if last[b] == i] for i, (layer, _) in enumerate(self._steps)]

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """Run on pictures of shape ``(n, 3, height, width)``, 0..1."""
        blobs = {self._source: pictures}
        for (layer, run), freed in zip(self._steps, self._freed, strict=True):
            result = run([blobs[name] for name in layer.inputs])
            blobs.update(dict.fromkeys(layer.outputs, result))
            for name in freed:
                del blobs[name]
        return blobs[OUTPUT]


def _layers(text: str) -> list[Layer]:
    magic, counts, *lines = text.splitlines()
    layers = [_layer(line.split()) for line in lines if line.strip()]
    if magic != MAGIC or len(layers) != int(counts.split()[0]) or layers[0].kind != "Input":
        raise ValueError("not an ncnn network")
    return layers


def _layer(words: list[str]) -> Layer:
    inputs, outputs = int(words[2]), int(words[3])
    middle, end = 4 + inputs, 4 + inputs + outputs
    parameters = {}
    for word in words[end:]:
        key, _, value = word.partition("=")
        numbers = tuple(float(number) for number in value.split(","))
        # Arrays have ids below -23300 and their length before their values.
        array = int(key) <= -23300  # noqa: PLR2004 - the format's own offset
        parameters[-int(key) - 23300 if array else int(key)] = numbers[1:] if array else numbers
    return Layer(words[0], tuple(words[4:middle]), tuple(words[middle:end]), parameters)


def _runner(layer: Layer, weights: Weights) -> Run:
    builders: dict[str, Callable[[Layer, Weights], Run]] = {
        "BinaryOp": _binary,
        "Concat": lambda _layer, _weights: _concat,
        "Convolution": _convolution,
        "Eltwise": _eltwise,
        "Interp": _interp,
        "PReLU": _prelu,
        "PixelShuffle": _pixel_shuffle,
        "Split": lambda _layer, _weights: _same,
    }
    if layer.kind not in builders:
        raise ValueError(f"a layer of type {layer.kind}")
    return builders[layer.kind](layer, weights)


def _same(blobs: Blobs) -> torch.Tensor:
    return blobs[0]


def _concat(blobs: Blobs) -> torch.Tensor:
    return torch.cat(blobs, dim=1)


def _convolution(layer: Layer, weights: Weights) -> Run:
    channels, side, padding = (int(layer.number(key)) for key in (0, 1, 4))
    weight = weights.tagged(int(layer.number(6))).reshape(channels, -1, side, side)
    weight = weight.contiguous(memory_format=torch.channels_last)
    bias = weights.floats(channels) if layer.number(5) else None
    leaky = layer.number(9) == 2  # noqa: PLR2004 - ncnn's number for leaky ReLU
    slope = layer.number(10)

    def run(blobs: Blobs) -> torch.Tensor:
        result = functional.conv2d(blobs[0], weight, bias, padding=padding)
        return functional.leaky_relu(result, slope) if leaky else result

    return run


def _prelu(layer: Layer, weights: Weights) -> Run:
    slopes = weights.floats(int(layer.number(0)))
    return lambda blobs: functional.prelu(blobs[0], slopes)


def _binary(layer: Layer, _weights: Weights) -> Run:
    if layer.number(0):
        raise ValueError("a binary operation other than addition")
    return lambda blobs: blobs[0] + blobs[1]


def _eltwise(layer: Layer, _weights: Weights) -> Run:
    if layer.number(0) != 1:
        raise ValueError("an element-wise operation other than a sum")
    factors = layer.parameters.get(1, (1.0, 1.0))
    return lambda blobs: blobs[0] * factors[0] + blobs[1] * factors[1]


def _interp(layer: Layer, _weights: Weights) -> Run:
    mode = {1: "nearest", 2: "bilinear", 3: "bicubic"}[int(layer.number(0))]
    factor = (layer.number(1), layer.number(2))
    return lambda blobs: functional.interpolate(blobs[0], scale_factor=factor, mode=mode)


def _pixel_shuffle(layer: Layer, _weights: Weights) -> Run:
    factor = int(layer.number(0))
    return lambda blobs: functional.pixel_shuffle(blobs[0], factor)
