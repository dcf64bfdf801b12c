"""The encoding of a prompt, moved at random: what makes pictures differ beyond their noise."""

import torch

from worker.effects import Displacement


def displaced(encoding: torch.Tensor, empty: torch.Tensor, by: Displacement, seed: int) -> torch.Tensor:
    """Return *encoding* moved.

    Args:
        encoding: Of the prompt, ``(1, tokens, width)``.
        empty: Of the empty prompt, likewise.
        by: How far, in lengths of the difference between the two.
        seed: Of the picture; its own direction comes from this, whatever else is drawn.
    """
    if by.none:
        return encoding
    said = (encoding - empty).float()
    moved = by.chaos * _direction(said, seed) + by.weird * _direction(said, by.seed)
    return (encoding.float() + moved).to(encoding.dtype)


def _direction(said: torch.Tensor, seed: int) -> torch.Tensor:
    """Return a random move, token by token as long as what is *said*, and across it.

    Across: so that the prompt itself becomes neither louder nor softer.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    # One direction for all tokens: independent ones would cancel out where the network takes their mean.
    drawn = torch.randn(1, 1, said.shape[-1], generator=generator).to(said.device)
    length = said.norm(dim=-1, keepdim=True)
    along = said / length.clamp_min(1e-6)
    across = drawn - (drawn * along).sum(dim=-1, keepdim=True) * along
    return across / across.norm(dim=-1, keepdim=True).clamp_min(1e-6) * length
