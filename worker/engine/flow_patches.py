"""Latents as a row of patches, the way FLUX reads them, and where each patch is."""

import torch

SIDE = 2  # latents of a patch, across and down


def packed(latents: torch.Tensor) -> torch.Tensor:
    """Return ``(n, channels, rows, columns)`` as ``(n, patches, channels * 4)``, patches row by row."""
    n, channels, rows, columns = latents.shape
    split = latents.reshape(n, channels, rows // SIDE, SIDE, columns // SIDE, SIDE)
    return split.permute(0, 2, 4, 1, 3, 5).reshape(n, -1, channels * SIDE * SIDE)


def unpacked(patches: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return what `packed` was given, of so many *rows* and *columns* of latents."""
    n, _, width = patches.shape
    split = patches.reshape(n, rows // SIDE, columns // SIDE, width // SIDE**2, SIDE, SIDE)
    return split.permute(0, 3, 1, 4, 2, 5).reshape(n, -1, rows, columns)


def places(rows: int, columns: int, device: torch.device) -> torch.Tensor:
    """Return where each patch is, ``(patches, 3)``: 0, its row, its column; what is text is at 0, 0, 0."""
    down, across = rows // SIDE, columns // SIDE
    found = torch.zeros(down, across, 3, device=device)
    found[..., 1] = torch.arange(down, device=device)[:, None]
    found[..., 2] = torch.arange(across, device=device)[None, :]
    return found.reshape(-1, 3)
