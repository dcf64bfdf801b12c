"""Weighted prompt parts to embeddings.

compel chunks and encodes; its text parser is never used, because it takes people's punctuation
for commands and needs exponential time in the depth of brackets.
"""

import unicodedata
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from compel import Compel
from compel.prompt_parser import Conjunction, FlattenedPrompt, Fragment

from parser import Part
from worker.effects import Displacement
from worker.engine.checkpoint import Checkpoint
from worker.engine.displacement import displaced
from worker.recipe import Drawing

CACHE_BYTES = 16 * 2**20  # of embeddings; a plain prompt of Stable Diffusion 1 has a quarter of a megabyte


@dataclass(frozen=True, slots=True)
class Told:
    """What a network is told of a prompt: tokens ``(1, tokens, width)`` and a summary ``(1, width)``.

    Where a family knows no summary, it has no width.
    """

    context: torch.Tensor
    pooled: torch.Tensor


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
        self._words = checkpoint.words
        self._dtype = checkpoint.hardware.dtype
        self._cache: OrderedDict[str, torch.Tensor] = OrderedDict()
        self._cached_bytes = 0

    @property
    def tokens(self) -> int:
        """Length of what a short prompt is encoded to."""
        return int(self.encode("").shape[1])

    def told(self, recipe: Drawing) -> list[tuple[Told, Told]]:
        """Return for each picture of *recipe* what leads to it, and what leads away from it."""
        both = self.condition(recipe.positive, recipe.negative, recipe.negative_pull)
        none = both.positive.new_zeros(1, 0)
        moved = (self.displaced(both.positive, recipe.displacement, seed) for seed in recipe.seeds)
        return [(Told(each, none), Told(both.unconditional, none)) for each in moved]

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
            toward = self._mean(negative)
            unwanted = torch.lerp(self._padded(unwanted, toward.shape[1]), toward, negative_pull)
        tokens = max(wanted.shape[1], unwanted.shape[1])
        return Conditioning(
            self._padded(wanted, tokens).to(self._dtype), self._padded(unwanted, tokens).to(self._dtype)
        )

    def displaced(self, encoding: torch.Tensor, by: Displacement, seed: int) -> torch.Tensor:
        """Return *encoding*, ``(1, tokens, width)``, moved off what it says; *seed* is the picture's."""
        return displaced(encoding, self._padded(self.encode(""), encoding.shape[1]), by, seed)

    def encode(self, text: str) -> torch.Tensor:
        """Return the embedding of one part, float32, ``(1, tokens, width)``; long text has several chunks."""
        known = readable(text, self._tokenizer)
        for word, meant in self._words.items():
            known = known.replace(word, meant)
        if known in self._cache:
            self._cache.move_to_end(known)
            return self._cache[known]
        prompt = Conjunction([FlattenedPrompt([Fragment(known)])])
        encoded: torch.Tensor = self._compel.build_conditioning_tensor_for_conjunction(prompt)[0].float()
        self._remember(known, encoded)
        return encoded

    def _remember(self, text: str, encoded: torch.Tensor) -> None:
        self._cache[text] = encoded
        self._cached_bytes += encoded.nbytes
        while self._cached_bytes > CACHE_BYTES:
            self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes

    def _mean(self, parts: Sequence[Part]) -> torch.Tensor:
        """Return the mean of the parts' embeddings by weight; equal texts are one part.

        Weights are first divided by the largest, so that huge ones do not overflow; parts are
        added in the order of their text, so that the order typed makes no difference at all.
        """
        largest = max(part.weight for part in parts)
        weights: defaultdict[str, float] = defaultdict(float)
        for part in sorted(parts, key=lambda part: (part.text, part.weight)):
            weights[part.text] += part.weight / largest
        encoded = [self.encode(text) for text in weights]
        if len(encoded) == 1:
            return encoded[0]
        total = sum(weights.values())
        longest = max(encoded, key=lambda each: each.shape[1])
        mean = torch.zeros_like(longest)
        for embedding, weight in zip(encoded, weights.values(), strict=True):
            mean += weight / total * self._padded(embedding, longest.shape[1])
        return mean

    def _padded(self, encoded: torch.Tensor, tokens: int) -> torch.Tensor:
        """Return *encoded* with empty chunks up to *tokens*."""
        empty = self.encode("")
        missing = (tokens - encoded.shape[1]) // empty.shape[1]
        return torch.cat([encoded, *[empty] * missing], dim=1)


def readable(text: str, tokenizer: object) -> str:
    """Return *text* without what the tokenizer would read as the end of the prompt.

    CLIP vocabularies use the end-of-text token for symbols they do not know, and take a typed
    ``<|endoftext|>`` at its word. Letters with accents fall back to their base letter; the rest
    becomes a space.
    """
    for _ in range(2):  # a fallback may itself be unknown; then it becomes a space
        unknown = _unknown_characters(text, tokenizer)
        if not unknown:
            break
        text = "".join(_fallback(c) if i in unknown else c for i, c in enumerate(text))
    return text


def _unknown_characters(text: str, tokenizer: object) -> set[int]:
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False)  # type: ignore[operator]
    ends = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}  # type: ignore[attr-defined]
    spans = zip(coded["input_ids"], coded["offset_mapping"], strict=True)
    return {index for token, (start, stop) in spans if token in ends for index in range(start, stop)}


def _fallback(character: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return plain if plain != character and plain.isascii() and plain else " "
