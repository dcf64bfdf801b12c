"""What transformers are told of a prompt: the words as CLIP and T5 read them, and CLIP's summary of them.

A text longer than a reader's window is read window by window, never cut; the summary is that of the first
window, where a prompt says what it is of.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from parser import Part
from worker.effects import Displacement
from worker.engine.conditioning import Told, readable
from worker.engine.displacement import displaced

CACHE_BYTES = 256 * 2**20  # of readings; one window of the largest T5 takes 8 MB


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as the encoders read it, in float32."""

    clip: torch.Tensor  # (1, tokens, width); no tokens where CLIP is asked for its summary alone
    t5: torch.Tensor  # (1, tokens, width)
    pooled: torch.Tensor  # (1, width), the summary

    @property
    def parts(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What it consists of."""
        return self.clip, self.t5, self.pooled

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return sum(part.nbytes for part in self.parts)


class ClipReader:
    """One CLIP text encoder."""

    def __init__(self, tokenizer: Any, encoder: Any) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._window = min(int(tokenizer.model_max_length), int(encoder.config.max_position_embeddings))

    def __call__(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the words of *text*, ``(1, tokens, width)``, and its summary, ``(1, width)``."""
        tokens = self._tokenizer
        windows = [
            [tokens.bos_token_id, *window, tokens.eos_token_id]
            for window in _windows(_ids(tokens, text), self._window - 2)
        ]
        padded = _padded(windows, self._window, tokens.pad_token_id, self._encoder.device)
        said = self._encoder(padded, output_hidden_states=True)
        summary = said.text_embeds if "text_embeds" in said else said.pooler_output
        words = said.hidden_states[-2].flatten(0, 1)[None]  # the last layer but one, as both families learnt
        return words.float(), summary[:1].float()


class T5Reader:
    """A T5 encoder, with so many tokens a window; empty places are read as well, as the families learnt."""

    def __init__(self, tokenizer: Any, encoder: Any, window: int) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._window = window

    def __call__(self, text: str) -> torch.Tensor:
        """Return the words of *text*, ``(1, tokens, width)``."""
        tokens = self._tokenizer
        windows = [
            [*window, tokens.eos_token_id] for window in _windows(_ids(tokens, text), self._window - 1)
        ]
        padded = _padded(windows, self._window, tokens.pad_token_id, self._encoder.device)
        words: torch.Tensor = self._encoder(padded)[0]
        return words.flatten(0, 1)[None].float()


@dataclass(frozen=True, slots=True)
class Silence:
    """What stands for T5 where a checkpoint was taken without it: zeros, as the stock pipeline has it."""

    tokens: int
    width: int
    device: torch.device

    def __call__(self, _text: str) -> torch.Tensor:
        """Return nothing said, ``(1, tokens, width)``."""
        return torch.zeros(1, self.tokens, self.width, device=self.device)


class FlowConditioner:
    """Encode prompts for one checkpoint; each distinct text once."""

    def __init__(
        self,
        clips: Sequence[Callable[[str], tuple[torch.Tensor, torch.Tensor]]],
        t5: Callable[[str], torch.Tensor],
        *,
        spoken: bool,
        dtype: torch.dtype,
        blank: bool = False,
    ) -> None:
        """Begin with nothing encoded.

        Args:
            clips: The CLIP encoders; their words are laid side by side, and so are their summaries.
            t5: Reads the words with T5.
            spoken: CLIP's words stand before T5's; else only its summary is told.
            dtype: What the network runs in.
            blank: Where nothing is led away from, zeros stand for it, not what an empty prompt says.
        """
        self._clips = tuple(clips)
        self._t5 = t5
        self._spoken = spoken
        self._dtype = dtype
        self._blank = blank
        self._cache: OrderedDict[str, Reading] = OrderedDict()
        self._cached_bytes = 0

    def condition(
        self, positive: Sequence[Part], negative: Sequence[Part] = (), negative_pull: float = 0.0
    ) -> tuple[Reading, Reading]:
        """Return what leads to a picture and what leads away from it, equally long.

        The first is the weighted mean of the *positive* parts, sum(w r) / sum(w), of words and summary alike.
        The second is the empty prompt's, moved by *negative_pull* (0..1) toward the weighted mean of the
        *negative* ones.
        """
        wanted, unwanted = self._mean(positive), self.read("")
        toward = self._mean(negative) if negative and negative_pull > 0 else unwanted
        wanted, unwanted, toward = self._alike([wanted, unwanted, toward])
        if self._blank:
            unwanted = Reading(*(torch.zeros_like(each) for each in unwanted.parts))
        if negative and negative_pull > 0:
            pairs = zip(unwanted.parts, toward.parts, strict=True)
            unwanted = Reading(*(torch.lerp(own, other, negative_pull) for own, other in pairs))
        return wanted, unwanted

    def displaced(self, reading: Reading, by: Displacement, seed: int) -> Reading:
        """Return *reading* moved off what it says, words and summary alike; *seed* is the picture's."""
        if by.none:
            return reading
        _, empty = self._alike([reading, self.read("")])
        return Reading(
            displaced(reading.clip, empty.clip, by, seed),
            displaced(reading.t5, empty.t5, by, seed),
            displaced(reading.pooled[None], empty.pooled[None], by, seed)[0],
        )

    def told(self, reading: Reading) -> Told:
        """Return *reading* as the transformer takes it: CLIP's words, made as wide as T5's, before those."""
        width = reading.t5.shape[-1]
        context = reading.t5
        if self._spoken:
            filled = functional.pad(reading.clip, (0, width - reading.clip.shape[-1]))
            context = torch.cat([filled, context], dim=1)
        return Told(context.to(self._dtype), reading.pooled.to(self._dtype))

    def read(self, text: str) -> Reading:
        """Return the reading of one part."""
        if text in self._cache:
            self._cache.move_to_end(text)
            return self._cache[text]
        said = [reader(text) for reader in self._clips]
        t5 = self._t5(text)
        clip = torch.cat([words for words, _ in said], dim=-1) if self._spoken else t5[:, :0]
        self._remember(text, Reading(clip, t5, torch.cat([summary for _, summary in said], dim=-1)))
        return self._cache[text]

    def _remember(self, text: str, reading: Reading) -> None:
        self._cache[text] = reading
        self._cached_bytes += reading.bytes
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            self._cached_bytes -= self._cache.popitem(last=False)[1].bytes

    def _mean(self, parts: Sequence[Part]) -> Reading:
        """Return the mean of the parts' readings by weight; equal texts are one part.

        Weights are first divided by the largest, so that huge ones do not overflow; parts are added in the
        order of their text, so that the order typed makes no difference at all.
        """
        largest = max(part.weight for part in parts)
        weights: defaultdict[str, float] = defaultdict(float)
        for part in sorted(parts, key=lambda part: (part.text, part.weight)):
            weights[part.text] += part.weight / largest
        readings = self._alike([self.read(text) for text in weights])
        if len(readings) == 1:
            return readings[0]
        shares = [weight / sum(weights.values()) for weight in weights.values()]
        return Reading(
            *(_weighted(each, shares) for each in zip(*(one.parts for one in readings), strict=True))
        )

    def _alike(self, readings: Sequence[Reading]) -> list[Reading]:
        """Return *readings* with what the empty prompt says behind the shorter ones."""
        clip = max(each.clip.shape[1] for each in readings)
        t5 = max(each.t5.shape[1] for each in readings)
        return [
            Reading(self._longer(each.clip, clip, "clip"), self._longer(each.t5, t5, "t5"), each.pooled)
            for each in readings
        ]

    def _longer(self, words: torch.Tensor, tokens: int, kind: str) -> torch.Tensor:
        if words.shape[1] == tokens:
            return words
        empty: torch.Tensor = getattr(self.read(""), kind)
        return torch.cat([words, *[empty] * ((tokens - words.shape[1]) // empty.shape[1])], dim=1)


def _weighted(tensors: Sequence[torch.Tensor], shares: Sequence[float]) -> torch.Tensor:
    total = torch.zeros_like(tensors[0])
    for tensor, share in zip(tensors, shares, strict=True):
        total += share * tensor
    return total


def _ids(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of *text*, without marks of beginning and end, also none that somebody typed."""
    known = readable(text, tokenizer)
    return list(tokenizer(known, add_special_tokens=False, truncation=False)["input_ids"])


def _windows(ids: Sequence[int], most: int) -> list[Sequence[int]]:
    return [ids[start : start + most] for start in range(0, max(1, len(ids)), most)]


def _padded(windows: Sequence[Sequence[int]], length: int, pad: int, device: torch.device) -> torch.Tensor:
    return torch.tensor([[*window, *[pad] * (length - len(window))] for window in windows], device=device)
