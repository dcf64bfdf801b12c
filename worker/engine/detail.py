"""More fine detail in a picture under way."""

import torch
from torch.nn import functional

from worker.engine.transfer import sent

KERNEL = (0.25, 0.5, 0.25)  # binomial: what it leaves out is the detail of one latent's size


def detailed(
    estimate: torch.Tensor, amount: float, signal: float, *, edge: str = "replicate"
) -> torch.Tensor:
    """Return the clean latents *estimate* with more of their own fine detail: unsharp masking.

    Args:
        estimate: Shape ``(1, channels, rows, columns)``.
        amount: What is added, in parts of the detail that is there.
        signal: How much of the picture stands out of the noise by now, 0..1; while little does, little is
            added, for there is no detail yet.
        edge: What is beyond the edge, as `torch.nn.functional.pad` calls it.
    """
    channels = estimate.shape[1]
    line = sent(KERNEL, estimate.device, estimate.dtype)
    kernel = (line[:, None] * line[None, :]).expand(channels, 1, 3, 3)
    smooth = functional.conv2d(functional.pad(estimate, (1, 1, 1, 1), mode=edge), kernel, groups=channels)
    return estimate + amount * signal * (estimate - smooth)
