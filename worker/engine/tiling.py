"""Networks whose pictures have no edge: what leaves on one side comes in on the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn


def convolutions(*networks: Any) -> list[nn.Conv2d]:
    """Return every convolution of *networks* that looks beyond the edge of what it is given."""
    return [
        module
        for network in networks
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and any(module.padding)
    ]


@contextmanager
def seamless(looking: Sequence[nn.Conv2d], *, wanted: bool) -> Iterator[None]:
    """While inside and *wanted*, let what is beyond an edge be the opposite edge, instead of nothing."""
    before = [module.padding_mode for module in looking]
    try:
        if wanted:
            for module in looking:
                module.padding_mode = "circular"
        yield
    finally:
        for module, mode in zip(looking, before, strict=True):
            module.padding_mode = mode
