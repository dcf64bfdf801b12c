"""Convolutions over few pixels, which a CPU does faster as one product of matrices."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# Measured with `python -m benchmarks.convolutions`: where maps are small and weights many, the library's own
# way spends its time on bringing the weights into its order, at each call anew.
LEAST_CHANNELS = 640
LEAST_CHANNELS_PER_PIXEL = 5


class SmallMapConv2d(nn.Conv2d):
    """A convolution of 3 x 3, one pixel a step; of a small map it gathers the neighbours of each pixel first.

    Its product has a row for each pixel of the batch and no other order of weights than they have in memory,
    if that is ``torch.channels_last``.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002 - as inherited
        rows, channels, height, width = input.shape
        if self.padding_mode != "zeros" or not self.takes(height * width, channels):
            return super()._conv_forward(input, weight, bias)
        edged = functional.pad(input.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        row, line, pixel, channel = edged.stride()
        near = edged.as_strided(
            (rows, height, width, 3, 3, channels), (row, line, pixel, line, pixel, channel)
        ).reshape(rows * height * width, 9 * channels)
        flat = weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)
        product = functional.linear(near, flat, bias)
        return product.view(rows, height, width, -1).permute(0, 3, 1, 2)

    def takes(self, pixels: int, channels: int) -> bool:
        """Tell whether a map of so many *pixels* is small."""
        return pixels * LEAST_CHANNELS_PER_PIXEL <= channels


def quickened(network: Any, device: torch.device) -> Any:
    """Let those convolutions of *network* that gain by it take small maps as products; return it.

    Their weights stay the same tensors under the same names.
    """
    if device.type == "cpu":
        for module in network.modules():
            if type(module) is nn.Conv2d and _gains(module):
                module.__class__ = SmallMapConv2d  # as they were made, so everything that holds them sees it
    return network


def _gains(convolution: nn.Conv2d) -> bool:
    simple = convolution.stride == convolution.dilation == (1, 1) and convolution.groups == 1
    near = convolution.kernel_size == (3, 3) and convolution.padding == (1, 1)
    return simple and near and convolution.in_channels >= LEAST_CHANNELS
