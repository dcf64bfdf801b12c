"""Weighted prompt parts to embeddings.

compel chunks and encodes; its text parser is never used, because it takes people's punctuation
for commands and needs exponential time in the depth of brackets.
"""

import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from compel import Compel
from compel.prompt_parser import Conjunction, FlattenedPrompt, Fragment

from parser import Part
from worker.engine.checkpoint import Checkpoint

CACHED_PARTS = 128


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What the UNet is told: two tensors of shape ``(1, tokens, width)``, equally long."""

    positive: torch.Tensor
    unconditional: torch.Tensor


class Conditioner:
    """Encode prompts for one checkpoint; each distinct part once."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._tokenizer = checkpoint.tokenizer
        limit = min(
            int(self._tokenizer.model_max_length), checkpoint.text_encoder.config.max_position_embeddings
        )
        self._compel = Compel(
            tokenizer=self._tokenizer,
            text_encoder=checkpoint.text_encoder,
            truncate_long_prompts=False,
            model_max_length=limit,
        )
        self._dtype = checkpoint.hardware.dtype
        self._cache: OrderedDict[str, torch.Tensor] = OrderedDict()

    def condition(
        self, positive: Sequence[Part], negative: Sequence[Part] = (), negative_pull: float = 0.0
    ) -> Conditioning:
        """Encode one recipe's prompt.

        The positive side is the weighted mean of its parts. The unconditional side is the empty
        prompt moved by *negative_pull* (0..1) toward the weighted mean of the negative parts:
        guidance then leads away from them. Both sides are padded with empty chunks to one length.
        """
        wanted = self._mean(positive)
        unwanted = self.encode("")
        if negative and negative_pull > 0:
            unwanted, toward = self._padded([unwanted, self._mean(negative)])
            unwanted = torch.lerp(unwanted, toward, negative_pull)
        wanted, unwanted = self._padded([wanted, unwanted])
        return Conditioning(wanted.to(self._dtype), unwanted.to(self._dtype))

    def encode(self, text: str) -> torch.Tensor:
        """Return the embedding of one part, shape ``(1, tokens, width)``; long text has several chunks."""
        known = readable(text, self._tokenizer)
        if known in self._cache:
            self._cache.move_to_end(known)
            return self._cache[known]
        prompt = Conjunction([FlattenedPrompt([Fragment(known)])])
        encoded: torch.Tensor = self._compel.build_conditioning_tensor_for_conjunction(prompt)[0]
        self._cache[known] = encoded
        if len(self._cache) > CACHED_PARTS:
            self._cache.popitem(last=False)
        return encoded

    def _mean(self, parts: Sequence[Part]) -> torch.Tensor:
        """Return the mean of the parts' embeddings by weight.

        Weights are first divided by the largest, so that huge ones do not overflow; parts are
        added in the order of their text, so that the order typed makes no difference at all.
        """
        largest = max(part.weight for part in parts)
        ordered = sorted(parts, key=lambda part: (part.text, part.weight))
        shares = [part.weight / largest for part in ordered]
        encoded = self._padded([self.encode(part.text) for part in ordered])
        if len(encoded) == 1:
            return encoded[0]
        weights = torch.tensor(shares, dtype=torch.float64)
        weights = (weights / weights.sum()).to(encoded[0].device, encoded[0].dtype)
        return (torch.stack(encoded) * weights.view(-1, 1, 1, 1)).sum(dim=0)

    def _padded(self, encoded: list[torch.Tensor]) -> list[torch.Tensor]:
        padded: list[torch.Tensor] = self._compel.pad_conditioning_tensors_to_same_length(
            list(encoded), precomputed_padding=self.encode("") if len(encoded) > 1 else None
        )
        return padded


def readable(text: str, tokenizer: object) -> str:
    """Return *text* without what the tokenizer would read as the end of the prompt.

    CLIP vocabularies use the end-of-text token for symbols they do not know, and take a typed
    ``<|endoftext|>`` at its word. Letters with accents fall back to their base letter; the rest
    becomes a space.
    """
    for _ in range(3):  # a fallback may itself be unknown; then it becomes a space
        unknown = _unknown_characters(text, tokenizer)
        if not unknown:
            return text
        text = "".join(_fallback(c) if i in unknown else c for i, c in enumerate(text))
    return "".join(" " if i in _unknown_characters(text, tokenizer) else c for i, c in enumerate(text))


def _unknown_characters(text: str, tokenizer: object) -> set[int]:
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False)  # type: ignore[operator]
    ends = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}  # type: ignore[attr-defined]
    spans = zip(coded["input_ids"], coded["offset_mapping"], strict=True)
    return {index for token, (start, stop) in spans if token in ends for index in range(start, stop)}


def _fallback(character: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return plain if plain != character and plain.isascii() and plain else " "
