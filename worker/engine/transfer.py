"""Numbers on their way to the device, which does not stop for them."""

from collections.abc import Sequence

import torch


def sent(
    numbers: torch.Tensor | Sequence[float], device: torch.device, dtype: torch.dtype | None = None
) -> torch.Tensor:
    """Return *numbers* on *device*, by default of their own type, without waiting for what runs there.

    A graphics card that is waited for has nothing to do until the next step is prepared. So few numbers the
    driver has copied before this returns: whatever becomes of their memory, they arrive.
    """
    # Apple's driver reads the memory later, when it may be another's.
    return torch.as_tensor(numbers).to(device, dtype, non_blocking=device.type != "mps")


def finish() -> None:
    """Wait for all that the device was given to do, where it works beside the CPU."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
