"""Cross-attention that looks at pictures beside reading the prompt, each row of a batch at its own.

diffusers' own layers for IP-Adapters have one scale for a whole batch, and want pictures for every row.
Here the rows that look at pictures are picked out, each with tokens and scale; the others stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention

from worker.engine.transfer import sent

KEYWORD = "ip_hidden_states"  # the name that layers which do not look at pictures leave aside without a word


@dataclass(frozen=True, slots=True)
class Seen:
    """Pictures that one sample looks at together.

    Attributes:
        tokens: What there is to see, shape ``(tokens, width)``.
        blank: As many of an empty picture, for the unconditional side.
        scale: How much it counts, 0 for nothing; 1 as the adapter was trained.
    """

    tokens: torch.Tensor
    blank: torch.Tensor
    scale: float


@dataclass(frozen=True, slots=True)
class Look:
    """What some rows of one batch look at; a row may be named more than once.

    Attributes:
        rows: Their numbers, shape ``(n,)``.
        tokens: Shape ``(n, tokens, width)``, filled up with zeros.
        mask: Shape ``(n, 1, 1, tokens)``, False where it is filled up; None if nothing is.
        scale: Shape ``(n, 1, 1, 1)``.
    """

    rows: torch.Tensor
    tokens: torch.Tensor
    mask: torch.Tensor | None
    scale: torch.Tensor


def look_of(seen: Sequence[Sequence[Seen]], *, guided: bool) -> Look | None:
    """Return what a batch of samples looks at; None if at nothing.

    Args:
        seen: Of each sample.
        guided: Whether the batch has the unconditional rows of all samples before the others.
    """
    found = [(row, each) for row, several in enumerate(seen) for each in several if each.scale]
    if not found:
        return None
    away = [(row, each.blank, each.scale) for row, each in found] if guided else []
    first = len(seen) if guided else 0
    entries = away + [(first + row, each.tokens, each.scale) for row, each in found]
    longest = max(len(tokens) for _, tokens, _ in entries)
    lengths = [len(tokens) for _, tokens, _ in entries]
    tokens = torch.stack([pad(tokens, (0, 0, 0, longest - len(tokens))) for _, tokens, _ in entries])
    mask = None
    if min(lengths) < longest:
        places = torch.arange(longest, device=tokens.device)
        mask = (places < sent(lengths, tokens.device)[:, None])[:, None, None]
    return Look(
        rows=sent([row for row, _, _ in entries], tokens.device),
        tokens=tokens,
        mask=mask,
        scale=sent([scale for _, _, scale in entries], tokens.device, tokens.dtype).view(-1, 1, 1, 1),
    )


class LookingAttention(nn.Module):
    """A processor of diffusers' for the cross-attention of a UNet, with an adapter's keys and values."""

    def __init__(self, to_key: nn.Linear, to_value: nn.Linear) -> None:
        super().__init__()
        self.to_key = to_key
        self.to_value = to_value
        self._plain = AttnProcessor2_0()

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        *,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
        ip_hidden_states: Look | None = None,
    ) -> torch.Tensor:
        """Return what the layer *attn* makes of *hidden_states*, shape ``(rows, pixels, width)``.

        The names are diffusers'; *ip_hidden_states* is what is looked at. What is seen is added to what is
        read before the layer's last projection (Ye et al. 2023, equation 5).
        """
        if ip_hidden_states is None or encoder_hidden_states is None:
            told = self._plain(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            assert isinstance(told, torch.Tensor)  # noqa: S101 - it says nothing of what it returns
            return told
        look = ip_hidden_states

        def parted(states: torch.Tensor) -> torch.Tensor:
            return states.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        query = parted(attn.to_q(hidden_states))
        read = scaled_dot_product_attention(
            query, parted(attn.to_k(encoder_hidden_states)), parted(attn.to_v(encoder_hidden_states))
        )
        seen = scaled_dot_product_attention(
            query[look.rows],
            parted(self.to_key(look.tokens)),
            parted(self.to_value(look.tokens)),
            attn_mask=look.mask,
        )
        joined = read.index_add(0, look.rows, seen * look.scale).transpose(1, 2).flatten(2)
        made: torch.Tensor = attn.to_out[0](joined)
        return made
