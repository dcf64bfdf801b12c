"""What the UNet of Stable Diffusion XL is told of a prompt.

Its words are those of two CLIP encoders side by side, and its summary is the second one's. Weights, chunks
and what is led away from are as `FlowConditioner` has them: words and summary are blended alike.
"""

from collections.abc import Callable, Mapping, Sequence

import torch

from parser import Part
from worker.engine.checkpoint import Checkpoint
from worker.engine.conditioning import Conditioner, Told
from worker.engine.flow_prompts import ClipReader, FlowConditioner, Silence
from worker.recipe import Drawing

Reader = Callable[[str], tuple[torch.Tensor, torch.Tensor]]


class PairConditioner:
    """Encode prompts for one checkpoint with two encoders; each distinct text once."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        assert checkpoint.second is not None  # noqa: S101 - `conditioner_of` looked
        encoder, second = checkpoint.text_encoder, checkpoint.second.text_encoder
        words, whole = (
            ClipReader(checkpoint.tokenizer, encoder),
            ClipReader(checkpoint.second.tokenizer, second),
        )
        width = int(encoder.config.hidden_size) + int(second.config.hidden_size)
        self._words = checkpoint.words
        self._conditioner = FlowConditioner(
            [_unsummed(words), whole],
            Silence(0, width, checkpoint.hardware.device),
            spoken=True,
            dtype=checkpoint.hardware.dtype,
            blank=checkpoint.second.blank,
        )

    @property
    def tokens(self) -> int:
        """Length of what a short prompt is encoded to."""
        return int(self._conditioner.read("").clip.shape[1])

    def told(self, recipe: Drawing) -> list[tuple[Told, Told]]:
        """Return for each picture of *recipe* what leads to it, and what leads away from it."""
        conditioner = self._conditioner
        positive, negative = (_meant(each, self._words) for each in (recipe.positive, recipe.negative))
        wanted, unwanted = conditioner.condition(positive, negative, recipe.negative_pull)
        away = conditioner.told(unwanted)
        moved = (conditioner.displaced(wanted, recipe.displacement, seed) for seed in recipe.seeds)
        return [(conditioner.told(each), away) for each in moved]


def conditioner_of(checkpoint: Checkpoint) -> Conditioner | PairConditioner:
    """Return what encodes prompts for *checkpoint*."""
    return Conditioner(checkpoint) if checkpoint.second is None else PairConditioner(checkpoint)


def _meant(parts: Sequence[Part], words: Mapping[str, str]) -> list[Part]:
    """Return *parts* with what is read in place of learnt *words*."""
    meant = []
    for part in parts:
        text = part.text
        for word, instead in words.items():
            text = text.replace(word, instead)
        meant.append(Part(text=text, weight=part.weight))
    return meant


def _unsummed(reader: Reader) -> Reader:
    """Return *reader* without its summary, which the family did not learn from."""

    def read(text: str) -> tuple[torch.Tensor, torch.Tensor]:
        words, summary = reader(text)
        return words, summary[:, :0]

    return read
