"""Muon, the optimizer for matrices (Keller Jordan 2024), its Newton-Schulz steps on the small Gram matrix."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Roughly U Vᵀ of the matrix's singular value decomposition; same shape.

    Every iterate is a polynomial of the Gram matrix times the start, so the iteration runs on the Gram matrix
    of the shorter side alone: two large products instead of three a step.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    gram = wide @ wide.T
    identity = torch.eye(gram.shape[0], dtype=gram.dtype)
    total = identity
    for step in range(steps):
        factor = _A * identity + _B * gram + _C * (gram @ gram)
        total = factor if step == 0 else factor @ total
        if step < steps - 1:
            gram = factor @ gram @ factor
    result: Tensor = total @ wide
    return result if wide.shape == matrix.shape else result.T


class Muon(Optimizer):
    """Momentum with Nesterov, orthogonalised. Weights of more than two dimensions count as (out, rest)."""

    def __init__(self, params: Iterable[dict[str, object]], lr: float = 0.02, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every weight that has a gradient."""
        del closure
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, weight.grad, group["lr"], group["momentum"])

    def _update(self, weight: Tensor, gradient: Tensor, lr: float, momentum: float) -> None:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        velocity: Tensor = state["momentum"]
        velocity.lerp_(gradient, 1 - momentum)
        ahead = gradient.lerp(velocity, momentum).flatten(1)
        scale = max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
        weight.add_(orthogonalised(ahead).view_as(weight), alpha=-lr * scale)
